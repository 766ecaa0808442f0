"""How a worker deals with rows that it has claimed: each by itself, so that none holds up another."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from .claim import LeaseLost, give_back, give_back_failed
from .lock import AccountBusy
from .models import Lease
from .retry import backoff

logger = structlog.get_logger()

Row = TypeVar("Row", bound=Lease)
BUSY_SECONDS = 0.1


def sweep(
    rows: Iterable[Row],
    act: Callable[[Row], None],
    *,
    now: datetime,
    passing: tuple[type[Exception], ...] = (),
    wait: Callable[[int], timedelta] = backoff,
) -> int:
    """
    Hand each claimed row to `act`, which finishes or releases it, and return how many there were.

    A busy account gives its row back for a moment. Any other failure counts as an attempt, and the row is due again
    after `wait(attempts so far)`; those that are `passing`, like a processor that does not answer, are no errors.
    """
    count = 0
    for row in rows:
        count += 1
        try:
            act(row)
        except LeaseLost:
            continue  # somebody else has it, and goes on from where we came
        except AccountBusy:
            give_back(row, for_seconds=BUSY_SECONDS)
        except passing as error:
            logger.warning("sweep.put_off", table=row._meta.db_table, row=row.pk, error=type(error).__name__)
            give_back_failed(row, next_at=now + wait(row.attempts))
        except Exception as error:  # noqa: BLE001  one row that can't be dealt with must not stop the others
            code = getattr(error, "code", "")
            logger.error("sweep.failed", table=row._meta.db_table, row=row.pk, error=type(error).__name__, code=code)
            give_back_failed(row, next_at=now + wait(row.attempts))
    return count
