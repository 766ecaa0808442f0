"""The brain acts upon those of a batch that must change, each by itself."""

from collections.abc import Iterable
from datetime import datetime

import structlog

from accounts.lock import AccountBusy
from billing.end_unpaid import ChangeUnderWay

from .recompute import Examined, recompute
from .requests import look_at_each

logger = structlog.get_logger()


def recompute_each(batch: Iterable[Examined], *, actor: str, now: datetime) -> int:
    """
    Act upon those that must change, and return how many could not be: they are made due, and no other waits for them.
    """
    failed: list[str] = []
    for examined in batch:
        account_id = examined.facts.account_id
        if not examined.needed:
            continue
        try:
            recompute(account_id, cause="command", actor=actor, now=now)
        except (AccountBusy, ChangeUnderWay):
            failed.append(account_id)
        except Exception as error:  # noqa: BLE001  one account that can't be dealt with must not stop the others
            logger.error("dunning.recompute_failed", account=account_id, error=type(error).__name__)
            failed.append(account_id)
    look_at_each(failed, at=now, cause="command")
    return len(failed)
