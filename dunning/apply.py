"""
What was decided becomes so: stores and the journal in one transaction. The only writer of the brain's stores.

It decides nothing. Whoever calls it holds the account's lock and has read the facts under it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts import journal
from accounts.flags import AccountFlag, with_flag
from accounts.lock import holds_lock
from accounts.models import Customer, SubsAccount

from .changes import (
    Change,
    GiveUp,
    SetBadDebtFlag,
    SetBadDebtSince,
    SetBan,
    SetDunning,
    SetPaymentMethodRequired,
)
from .decide import Decision
from .facts import AccountFacts
from .models.conclusions import BadInvoice, DunningDecision, SubsDunning


def keep(
    facts: AccountFacts,
    decision: Decision,
    needed: Sequence[Change],
    *,
    cause: str,
    digest: str,
    is_observed: bool = False,
) -> DunningDecision:
    """Write a decision with what it changes, or would change. One statement."""
    return DunningDecision.objects.create(
        account_id=facts.account_id,
        status=decision.status or "",
        because=decision.because,
        level=decision.level,
        diff=[{"change": type(change).__name__, **_plain(change)} for change in needed],
        policy_version=decision.policy_version,
        inputs_digest=digest,
        cause=cause[:160],
        is_observed=is_observed,
        decided_at=facts.as_of,
    )


def write_stores(facts: AccountFacts, kept: DunningDecision, needed: Sequence[Change], *, actor: str) -> journal.Fact:
    """
    Make every store say what was decided, and return the fact to journal. Up to five statements.

    Safe to repeat: values are absolute, and what was set keeps its time.
    """
    assert holds_lock(facts.account_id)
    now = facts.as_of
    columns = _profile_columns(facts, needed, now)
    if columns:
        SubsAccount.objects.filter(pk=facts.account_id).update(**columns)
    since = _the(SetBadDebtSince, needed)
    if since is not None:
        Customer.objects.filter(pk=facts.account_id).update(bad_debt_since=now if since.on else None)
    BadInvoice.objects.bulk_create(
        [
            BadInvoice(invoice_id=change.invoice_id, account_id=facts.account_id, bad_since=now)
            for change in needed
            if isinstance(change, GiveUp)
        ],
        ignore_conflicts=True,
    )
    _conclude(facts, kept, needed)
    return _fact(facts, kept, needed, actor=actor)


def _profile_columns(facts: AccountFacts, needed: Sequence[Change], now: datetime) -> dict[str, object]:
    columns: dict[str, object] = {}
    for change in needed:
        match change:
            case SetBadDebtFlag(on):
                columns["flags"] = with_flag(facts.flags, AccountFlag.BAD_DEBT, on=on)
            case SetBan(on, because):
                columns |= {"banned_at": now if on else None, "banned_rule": because if on else ""}
            case SetPaymentMethodRequired(on):
                columns["payment_method_required_at"] = now if on else None
    return columns


def _conclude(facts: AccountFacts, kept: DunningDecision, needed: Sequence[Change]) -> None:
    """The row of the account: what is decided now, and why."""
    concluded = _the(SetDunning, needed)
    if concluded is None:
        return
    wanted = concluded.wanted
    SubsDunning.objects.bulk_create(
        [
            SubsDunning(
                account_id=facts.account_id,
                status=wanted.status.value,
                because=wanted.because,
                level=wanted.level,
                retry_count=wanted.retry_count,
                recompute_at=wanted.recompute_at,
                policy_version=kept.policy_version,
                inputs_digest=kept.inputs_digest,
                cause=kept.cause,
                decided_at=facts.as_of,
            )
        ],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=[
            "status", "because", "level", "retry_count", "recompute_at", "policy_version", "inputs_digest", "cause",
            "decided_at",
        ],
    )  # fmt: skip


def _fact(facts: AccountFacts, kept: DunningDecision, needed: Sequence[Change], *, actor: str) -> journal.Fact:
    flag, ban, required = (_the(kind, needed) for kind in (SetBadDebtFlag, SetBan, SetPaymentMethodRequired))
    after = {
        "decision_id": kept.pk,
        "status": kept.status,
        "because": kept.because,
        "level": kept.level,
        "has_bad_debt": flag.on if flag else facts.has_bad_debt_flag,
        "is_banned": ban.on if ban else facts.banned_at is not None,
        "needs_payment_method": required.on if required else facts.payment_method_required_at is not None,
    }
    before = {
        "status": facts.stored.status.value,
        "because": facts.stored.because,
        "level": facts.stored.level,
        "has_bad_debt": facts.has_bad_debt_flag,
        "is_banned": facts.banned_at is not None,
        "needs_payment_method": facts.payment_method_required_at is not None,
    }
    return journal.Fact("dunning.decided", facts.account_id, actor, cause=kept.cause, before=before, after=after)


def _the(kind: type[Any], needed: Sequence[Change]) -> Any:
    return next((change for change in needed if isinstance(change, kind)), None)


def _plain(change: Change) -> dict[str, Any]:
    """A change as JSON keeps it."""
    plain: dict[str, Any] = json.loads(_ENCODER.encode(asdict(change)))
    return plain


_ENCODER = DjangoJSONEncoder()
