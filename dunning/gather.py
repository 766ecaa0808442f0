"""
Stage 1 of 4, Gather: what every store says of a batch of accounts, as of one moment.

A fixed number of statements, however many accounts there are and however much each owns and owes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, DateTimeField, Exists, F, OuterRef, Q, Subquery
from django.db.models.fields.json import KT, KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from accounts.flags import AccountFlag, has_flag
from accounts.models import CONTRACT_TYPES, Customer, SubsAccount, SubsStuckEvent
from accounts.retry import backoff
from billing.invoicing.states import InvoiceStatus
from billing.models.invoices import REMAINING, Invoice, InvoiceLine, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.stripe_mirror import StripeMirror

from .consequence_kinds import Consequence
from .facts import AccountFacts, Debt, DunningStatus, InvoiceFacts, Method, Mirrored, Outage, StoredDunning
from .gather_charges import Tried, what_can_be_charged, what_was_tried
from .models.actions import DunningAction, DunningRollout, ProcessorOutage
from .retry import rounds
from .rollout import is_rolled_out

IN_FLIGHT = (PaymentAttempt.Status.IN_FLIGHT, PaymentAttempt.Status.UNKNOWN)
OWED = (InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value)
DEBT = {
    InvoiceStatus.OPEN.value: Debt.OPEN,
    InvoiceStatus.UNCOLLECTIBLE.value: Debt.UNCOLLECTIBLE,
    InvoiceStatus.PAID.value: Debt.PAID,
}
# Older outages have ended every clock that they could have held up.
OUTAGES_COUNT_FOR = timedelta(days=90)
# How metadata say yes.
METADATA_TRUE = frozenset({"true", "1"})


def gather(account_ids: Sequence[str], now: datetime) -> list[AccountFacts]:
    """Return the facts of these accounts, in order of id. Six statements at most; two where nothing was ever owed."""
    profiles = _profiles(account_ids)
    invoices = _invoices(account_ids)
    owed_ids = [row["id"] for rows in invoices.values() for row in rows if row["remaining_minor"] > 0]
    concerned = sorted({row["account_id"] for rows in invoices.values() for row in rows})
    tried = what_was_tried(owed_ids) if concerned else Tried()
    methods = what_can_be_charged(concerned, now) if concerned else {}
    live = _live(owed_ids, now) if concerned else {}
    outages = _outages(now) if concerned else ()
    return [
        AccountFacts(
            account_id=profile["account_id"],
            as_of=now,
            account_type=profile["account_type"],
            is_merged=profile["is_merged"],
            is_stuck_as_merged=profile["is_stuck_as_merged"],
            flags=profile["flags"],
            has_bad_debt_flag=has_flag(profile["flags"], AccountFlag.BAD_DEBT),
            has_customer=profile["customer_id"] is not None,
            bad_debt_since=profile["bad_debt_since"],
            banned_at=profile["banned_at"],
            payment_method_required_at=profile["payment_method_required_at"],
            stored=_stored(profile),
            mirrored=_mirrored(profile),
            due_at=profile["due_at"],
            is_observed=_is_observed(profile),
            invoices=tuple(_invoice(row, tried, methods, live) for row in invoices.get(profile["account_id"], ())),
            methods=tuple(methods.get(profile["account_id"], ())),
            outages=outages,
        )
        for profile in profiles
    ]


def _profiles(account_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What is one row for an account, of several stores. One statement."""
    shared = Customer.objects.filter(stripe_customer_id=OuterRef("customer_id")).exclude(account=OuterRef("pk"))
    stuck = SubsStuckEvent.objects.filter(
        reason=SubsStuckEvent.Reason.MERGED_ACCOUNT,
        customer_reference=OuterRef("customer_id"),
        resolved_at__isnull=True,
    )
    seen = StripeMirror.objects.filter(pk=OuterRef("customer_id")).annotate(
        bad_debt=Cast(KT("payload__metadata__bad_debt"), CharField()),
        account_type=Cast(KT("payload__metadata__account_type"), CharField()),
    )
    mirroring = DunningAction.objects.filter(
        account=OuterRef("pk"), kind=Consequence.MIRROR.value, done_at__isnull=True
    )
    rows = (
        SubsAccount.objects.filter(pk__in=account_ids)
        .order_by("pk")
        .annotate(customer_id=F("account__customer__stripe_customer_id"))
        .annotate(
            is_merged=Q(~Q(customer_id="") & Exists(shared)),
            is_stuck_as_merged=Exists(stuck),
            percent=Subquery(DunningRollout.objects.values("percent")[:1]),
            is_observe_only=Subquery(DunningRollout.objects.values("is_observe_only")[:1]),
            mirrored_bad_debt=Subquery(seen.values("bad_debt")[:1]),
            mirrored_type=Subquery(seen.values("account_type")[:1]),
            is_mirroring=Exists(mirroring),
            bad_debt_since=F("account__customer__bad_debt_since"),
            status=F("account__subs_dunning__status"),
            because=F("account__subs_dunning__because"),
            level=F("account__subs_dunning__level"),
            retry_count=F("account__subs_dunning__retry_count"),
            recompute_at=F("account__subs_dunning__recompute_at"),
            due_at=F("account__dunning_due__next_at"),
        )
        .values(
            "account_id", "account_type", "flags", "banned_at", "payment_method_required_at", "customer_id",
            "is_merged", "is_stuck_as_merged", "mirrored_bad_debt", "mirrored_type", "is_mirroring", "bad_debt_since",
            "status", "because", "level", "retry_count", "recompute_at", "due_at",
            "percent", "is_observe_only",
        )
    )  # fmt: skip
    return [dict(row) for row in rows]


def _invoices(account_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """
    What is owed and what ever became bad, by account, the latest first. One statement.

    What Stripe does not know of is a contract's: nobody is charged for it, and only who is a contract's customer as a
    whole is reminded of it.
    """
    in_flight = PaymentAttempt.objects.filter(invoice=OuterRef("pk"), status__in=IN_FLIGHT)
    rows = (
        Invoice.objects.filter(account__in=account_ids, finalized_at__isnull=False)
        .filter(Q(status__in=OWED) | Q(status=InvoiceStatus.PAID.value, gone_bad__isnull=False))
        .exclude(~Q(account__subs_account__account_type__in=CONTRACT_TYPES), stripe_invoice_id="")
        .annotate(
            left_minor=REMAINING,
            bad_since=F("gone_bad__bad_since"),
            retry_at=F("due__next_at"),
            put_off=F("due__attempts"),
            is_in_flight=Exists(in_flight),
        )
        .order_by("-finalized_at", "-pk")
        .values(
            "id", "account_id", "status", "currency", "left_minor", "finalized_at", "paid_at", "bad_since", "retry_at",
            "put_off", "is_in_flight",
        )
    )  # fmt: skip
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        is_owed = row["status"] in OWED
        found[row["account_id"]].append(dict(row, remaining_minor=row["left_minor"] if is_owed else 0))
    return found


def _live(owed_ids: Sequence[str], now: datetime) -> dict[str, list[str]]:
    """What owed invoices bill that still runs, and that no paid period covers now, by invoice. One statement."""
    rows = (
        InvoiceLine.objects.filter(
            invoice__in=owed_ids, ope__deleted_date__isnull=True, ope__license_source_id__startswith="sub_"
        )
        .annotate(until=Cast(KeyTextTransform("until", KeyTransform(0, "ope__value_phases")), DateTimeField()))
        .exclude(until__gt=now)
        .order_by("invoice", "ope")
        .values_list("invoice_id", "ope_id")
        .distinct()
    )
    found: dict[str, list[str]] = defaultdict(list)
    for invoice_id, ope_id in rows:
        found[invoice_id].append(ope_id)
    return found


def _outages(now: datetime) -> tuple[Outage, ...]:
    rows = ProcessorOutage.objects.filter(processor=PaymentMethod.Processor.STRIPE.value).exclude(
        ended_at__lt=now - OUTAGES_COUNT_FOR
    )
    return tuple(Outage(row.started_at, row.ended_at) for row in rows.order_by("started_at"))


def _invoice(
    row: dict[str, Any], tried: Tried, methods: Mapping[str, Sequence[Method]], live: Mapping[str, Sequence[str]]
) -> InvoiceFacts:
    return InvoiceFacts(
        id=row["id"],
        debt=DEBT[row["status"]],
        currency=row["currency"],
        remaining_minor=row["remaining_minor"],
        finalized_at=row["finalized_at"],
        paid_at=row["paid_at"],
        bad_since=row["bad_since"],
        failures=rounds(tried.failures.get(row["id"], ())),
        has_untried=tried.has_untried(row["id"], methods.get(row["account_id"], ())),
        is_in_flight=row["is_in_flight"],
        is_credited=row["bad_since"] is not None,
        live_ope_ids=tuple(live.get(row["id"], ())),
        retry_at=row["retry_at"],
        put_off_at=row["retry_at"] - backoff(row["put_off"] - 1) if row["put_off"] else None,
    )


def _stored(profile: dict[str, Any]) -> StoredDunning:
    """The row in subs_dunning; an account without one has never owed anything."""
    if profile["status"] is None:
        return NEVER_OWED
    return StoredDunning(
        status=DunningStatus(profile["status"]),
        because=profile["because"],
        level=profile["level"],
        retry_count=profile["retry_count"],
        recompute_at=profile["recompute_at"],
    )


NEVER_OWED = StoredDunning(because="nothing owed")


def _is_observed(profile: dict[str, Any]) -> bool:
    """Whether the brain only looks at this account: the same accounts each time, by their id."""
    if profile["percent"] is None:
        return False
    return bool(profile["is_observe_only"]) or not is_rolled_out(profile["account_id"], profile["percent"])


def _mirrored(profile: dict[str, Any]) -> Mirrored | None:
    """
    What Stripe says; nothing is to be copied to one who has no customer there, or while that is being done.

    Metadata that were never written say nothing wrong: most accounts never owe.
    """
    if not profile["customer_id"] or profile["is_mirroring"]:
        return None
    return Mirrored(
        bad_debt=(profile["mirrored_bad_debt"] or "").lower() in METADATA_TRUE,
        account_type=profile["mirrored_type"] or profile["account_type"],
    )
