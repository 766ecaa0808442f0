"""Tell an account something by e-mail: a row, in the transaction of the fact that it tells of."""

from collections.abc import Mapping
from datetime import datetime

from config import wake

from .. import journal
from ..lock import holds_lock
from ..models import Notice, SubsAccount
from .kinds import KINDS, LANGUAGES


def tell(
    account_id: str,
    kind: str,
    *,
    about: str,
    level: int = 0,
    facts: Mapping[str, object] | None = None,
    now: datetime,
) -> bool:
    """
    Have the account told, once, what `kind` says about the thing `about`; return False if that was done before.

    Under the account's lock, in the transaction of the fact; the e-mail leaves after the commit. What is to be said of
    the same thing again and again has another `level` each time. `facts` go into the text, see `words.py`.

    :raises KeyError: there is no such kind.
    """
    assert holds_lock(account_id)
    assert kind in KINDS, kind
    theirs = None
    if not KINDS[kind].to_finance:
        theirs = SubsAccount.objects.values_list("language", flat=True).get(account=account_id)
    language = theirs or LANGUAGES[0]
    details = {"language": language, "facts": dict(facts or {}), "created_at": now, "next_at": now}
    notice, is_new = Notice.objects.get_or_create(
        account_id=account_id, kind=kind, about=about, level=level, defaults=details
    )
    if is_new:
        journal.emit(fact("notice.written", notice), at=now)
        wake.wake("accounts.send_notices")
    return is_new


def fact(kind: str, notice: Notice) -> journal.Fact:
    """Return what the journal keeps of a notice: which, of what; never its text or who received it."""
    after = {"notice_id": notice.pk, "kind": notice.kind, "about": notice.about, "level": notice.level}
    return journal.Fact(kind, notice.account_id, "system:notices", cause=notice.about, after=after)
