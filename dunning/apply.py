"""
Stage 4 of 4, Apply: what was decided becomes so, in one transaction. The only writer of the brain's stores.

It decides nothing. Whoever calls it holds the account's lock and has read the facts under it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts import journal
from accounts.flags import AccountFlag, with_flag
from accounts.lock import holds_lock
from accounts.models import Customer, SubsAccount, SubsStuckEvent
from accounts.stuck import open_stuck
from billing.end_unpaid import Ended, end_unpaid
from billing.entitle import entitle
from billing.invoicing import due, issue_credit_note
from billing.invoicing.resolve import honest_notes
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.models.reversals import CreditNote

from . import actions
from .actions import Followed
from .changes import (
    CancelWhatItBills,
    Change,
    GiveUp,
    OpenStuck,
    SetBadDebtFlag,
    SetBadDebtSince,
    SetBan,
    SetDunning,
    SetPaymentMethodRequired,
    SetRetry,
)
from .decide import Decision
from .facts import AccountFacts
from .models.conclusions import BadInvoice, DunningDecision, SubsDunning

SYSTEM = "system:dunning"


def apply(
    facts: AccountFacts, decision: Decision, needed: Sequence[Change], *, cause: str, digest: str, actor: str
) -> DunningDecision:
    """
    Write all that a decision means. Flag, ban, what ends, access, credit notes, retries and actions: all, or nothing.

    The number of statements does not depend on how many invoices or OPEs there are.

    :raises ChangeUnderWay: what is to end is being changed this moment; nothing was written.
    """
    assert holds_lock(facts.account_id)
    kept = _keep(facts, decision, needed, cause=cause, digest=digest)
    decided = _write_stores(facts, kept, needed, actor=actor)
    notes, noted = _ask_for_notes(facts, needed)
    ended = _end_what_is_unpaid(facts, needed, kept)
    access = _entitle(facts, needed, ended)
    due.plan(facts.account_id, {each.invoice_id: each.at for each in needed if isinstance(each, SetRetry)})
    if any(isinstance(change, OpenStuck) for change in needed):
        _open_stuck(facts)
    followed = Followed(notes, ended.schedule_ids if ended else (), ended.subscription_ids if ended else ())
    actions.ask(facts, decision, needed, kept, followed)
    more = [*noted, *([ended.fact] if ended else []), *([access] if access else [])]
    journal.emit(decided, *more, at=facts.as_of)
    return kept


def observe(
    facts: AccountFacts, decision: Decision, needed: Sequence[Change], *, cause: str, digest: str, actor: str
) -> DunningDecision | None:
    """Keep a decision that is not to be acted upon, once for the same facts; no store is written."""
    assert holds_lock(facts.account_id)
    last = DunningDecision.objects.filter(account=facts.account_id).order_by("-decided_at", "-pk").first()
    if last is not None and last.is_observed and last.inputs_digest == digest:
        return None
    kept = _keep(facts, decision, needed, cause=cause, digest=digest, is_observed=True)
    after = {"decision_id": kept.pk, "status": kept.status, "because": kept.because}
    journal.emit(
        journal.Fact("dunning.observed", facts.account_id, actor, cause=cause[:160], after=after), at=facts.as_of
    )
    return kept


def _ask_for_notes(facts: AccountFacts, needed: Sequence[Change]) -> tuple[dict[str, CreditNote], list[journal.Fact]]:
    """The unused part of what is given up is not owed: notes, by invoice, to be issued after the commit."""
    given_up = [change.invoice_id for change in needed if isinstance(change, GiveUp)]
    if not given_up:
        return {}, []
    invoices = list(Invoice.objects.filter(pk__in=given_up).order_by("pk"))
    wanted = honest_notes(invoices, decided_on=facts.as_of.astimezone(UTC).date())
    notes, noted = issue_credit_note.ask_each(wanted, actor=SYSTEM, now=facts.as_of)
    return {note.invoice_id: note for note in notes}, noted


def _end_what_is_unpaid(facts: AccountFacts, needed: Sequence[Change], kept: DunningDecision) -> Ended | None:
    unpaid = {change.invoice_id for change in needed if isinstance(change, CancelWhatItBills)}
    ope_ids = {ope_id for invoice in facts.invoices if invoice.id in unpaid for ope_id in invoice.live_ope_ids}
    return end_unpaid(facts.account_id, ope_ids, cause=kept.pk, now=facts.as_of) if ope_ids else None


def _entitle(facts: AccountFacts, needed: Sequence[Change], ended: Ended | None) -> journal.Fact | None:
    """Access follows from what is left and what restricts."""
    if ended is None and not any(isinstance(change, (SetBadDebtFlag, SetBan)) for change in needed):
        return None
    live = ended.remaining if ended else Ope.objects.filter(account=facts.account_id, deleted_date__isnull=True)
    return entitle(facts.account_id, live, now=facts.as_of)


def _open_stuck(facts: AccountFacts) -> None:
    customer_id = Customer.objects.values_list("stripe_customer_id", flat=True).get(pk=facts.account_id)
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE,
        external_id=f"merged:{customer_id}",
        kind="merged_account",
        reason=SubsStuckEvent.Reason.MERGED_ACCOUNT,
        signature="merged_account",
        customer_reference=customer_id,
        now=facts.as_of,
    )


def _keep(
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


def _write_stores(facts: AccountFacts, kept: DunningDecision, needed: Sequence[Change], *, actor: str) -> journal.Fact:
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
