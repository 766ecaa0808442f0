"""Notices that are due leave the house; each until somebody takes it, or nobody has for days."""

from datetime import datetime, timedelta

import structlog

from ..claim import claim, release
from ..journal import emit
from ..lock import account_lock
from ..models import Notice
from ..sweep import sweep
from .compose import compose
from .tell import fact

logger = structlog.get_logger()

GIVE_UP_AFTER = timedelta(days=3)


def send_due(*, now: datetime, limit: int = 20) -> int:
    """
    Send up to `limit` notices that are due, and return how many were looked at.

    A mail server that does not answer is asked again, less and less often. A crash after the server took a message and
    before that is written sends it once more, under the same Message-ID.
    """

    def act(notice: Notice) -> None:
        try:
            compose(notice).send()
        except OSError as error:  # what smtplib raises is one, too
            if now - notice.created_at < GIVE_UP_AFTER:
                raise
            logger.error("notice.given_up", notice=notice.pk, error=type(error).__name__)
            _finish(notice, "notice.given_up", now=now, given_up_at=now)
        else:
            _finish(notice, "notice.sent", now=now, sent_at=now)

    due = claim(Notice, "sent_at IS NULL AND given_up_at IS NULL", now=now, limit=limit)
    return sweep(due, act, now=now, passing=(OSError,))


def _finish(notice: Notice, kind: str, *, now: datetime, **outcome: datetime) -> None:
    with account_lock(notice.account_id):
        release(notice, **outcome)
        emit(fact(kind, notice), at=now)
