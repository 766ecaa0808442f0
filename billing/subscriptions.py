"""
Subscriptions as the public API knows them, read from what is stored: a plan and its components on one object.

A change that waits shows the plan that is wanted; nothing else of it is visible anywhere before it is paid.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.models import Zone

from .catalog.lookup import current_catalog
from .catalog.values import Catalog, PlanItem
from .changes_calculator.change_set import ChangeSet
from .changes_calculator.licences import FREE_LICENSE, USAGE_LICENSE, is_billed
from .changes_calculator.steps import Step
from .invoicing.states import InvoiceStatus
from .models.changes import ChangeWorkflow
from .models.invoices import InvoiceLine
from .models.objectproducts import Ope
from .objectproducts.phases import Phase

ZONE_PLANS = "zone_plans"
# Steps at which a change may still come true; after them the object shows what it has.
WAITING_STEPS = (Step.PLANNED.value, Step.PAYING.value, Step.AWAITING_PAYMENT.value)


class SubscriptionState(StrEnum):
    """The public API's words."""

    TRIAL = "Trial"
    PROVISIONED = "Provisioned"
    PAID = "Paid"
    AWAITING_PAYMENT = "AwaitingPayment"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    EXPIRED = "Expired"


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a subscription: what its OPE says, or what a waiting change would make of it."""

    account_id: str
    object_id: str
    product: str
    is_tier: bool
    subscription_id: str
    license_source_id: str
    phase: Phase
    scheduled: Phase | None = None
    is_deleted: bool = False
    is_paid: bool = False
    waiting: ChangeWorkflow | None = None


@dataclass(frozen=True, slots=True)
class CountedComponent:
    """So many of a component; `included` of them are in the plan's price, the others cost `price_minor` a period."""

    name: str
    value: int
    included: int
    price_minor: int


@dataclass(frozen=True, slots=True)
class ScheduledChange:
    """What a subscription becomes at the end of its period; `plan` None: it ends. Counts as in CountedComponent."""

    plan: PlanItem | None
    interval: str
    counts: dict[str, int]
    applies_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """
    A plan with its components on a zone or an account; amounts in minor units per `interval`, as they were sold.

    `zone_name` is empty for a subscription of the account itself; `workflow_id` and `client_secret` are empty
    unless a change waits.
    """

    id: str
    state: SubscriptionState
    account_id: str
    object_id: str
    zone_name: str
    plan: PlanItem
    interval: str
    currency: str
    price_minor: int
    period_start: datetime
    period_end: datetime | None
    components: tuple[CountedComponent, ...]
    workflow_id: str
    client_secret: str
    scheduled: ScheduledChange | None

    @property
    def is_of_zone(self) -> bool:
        return self.object_id != self.account_id


_GRANTS = ("USER:", "ADMIN:", "CONTRACT:")
# Read from the top; the first row that holds is the state.
STATES: tuple[tuple[SubscriptionState, Callable[[Part], bool]], ...] = (
    (SubscriptionState.CANCELLED,        lambda part: part.is_deleted),
    (SubscriptionState.AWAITING_PAYMENT, lambda part: part.waiting is not None),
    (SubscriptionState.AWAITING_PAYMENT, lambda part: part.license_source_id.startswith("PENDING:")),
    (SubscriptionState.TRIAL,            lambda part: part.license_source_id == "USER:trial"),
    (SubscriptionState.PROVISIONED,      lambda part: part.license_source_id.startswith(_GRANTS)),
    (SubscriptionState.PAID,             lambda part: part.is_paid),
    (SubscriptionState.EXPIRED,          lambda _part: True),
)  # fmt: skip


def subscriptions_of_accounts(account_ids: Sequence[str]) -> list[Subscription]:
    """Return everything that accounts and their zones subscribe to, free plans too. Four statements, however many."""
    zones = dict(Zone.objects.filter(account__in=account_ids).values_list("pk", "name"))
    return _subscriptions(_live_parts(account_ids, Q()), zones)


def subscriptions_of_zone(zone: Zone) -> list[Subscription]:
    """Return what the zone subscribes to: its plan first, then its add-ons. Three statements."""
    parts = _live_parts([zone.account_id], Q(object_id=zone.pk), object_id=zone.pk)
    return _subscriptions(parts, {zone.pk: zone.name})


def subscription_of_zone(zone: Zone, *, product: str = ZONE_PLANS) -> Subscription | None:
    """Return what fills this slot of the zone, by default its plan; None while nothing does."""
    return next((s for s in subscriptions_of_zone(zone) if s.plan.product == product), None)


def subscription_by_id(account_ids: Sequence[str], subscription_id: str) -> Subscription | None:
    """Return one subscription of these accounts, one that has ended too; None if they never had it."""
    live = {s.id: s for s in subscriptions_of_accounts(account_ids)}
    if subscription_id in live:
        return live[subscription_id]
    ended = Ope.objects.filter(account__in=account_ids, subscription_id=subscription_id, deleted_date__isnull=False)
    zones = dict(Zone.objects.filter(account__in=account_ids).values_list("pk", "name"))
    parts = [_part_of(ope) for ope in ended.order_by("deleted_date")]
    return next(iter(_subscriptions(parts, zones)), None)


def plans_of_zones(zone_ids: Iterable[str]) -> dict[str, Phase]:
    """Return the phase of each zone's plan that holds now, by zone. One statement."""
    tiers = Ope.objects.filter(object_id__in=list(zone_ids), product=ZONE_PLANS, deleted_date__isnull=True)
    return {ope.object_id: ope.current for ope in tiers}


def _live_parts(account_ids: Sequence[str], which: Q, *, object_id: str = "") -> list[Part]:
    """What is owned, with what waiting changes would make of it laid over it, slot by slot."""
    opes = Ope.objects.filter(which, account__in=account_ids, deleted_date__isnull=True)
    parts = {(ope.object_id, ope.product): _part_of(ope) for ope in _with_payment(opes).order_by("created_date", "pk")}
    waiting = ChangeWorkflow.objects.filter(account__in=account_ids, finished_at__isnull=True, step__in=WAITING_STEPS)
    if object_id:
        waiting = waiting.filter(request__wants__contains=[{"object_id": object_id}])
    for workflow in waiting.order_by("requested_at", "pk"):
        for element in ChangeSet.from_json(workflow.plan).elements:
            if element.after is None:
                parts.pop((element.object_id, element.product), None)
                continue
            parts[element.object_id, element.product] = Part(
                account_id=workflow.account_id,
                object_id=element.object_id,
                product=element.product,
                is_tier=element.kind == Ope.Kind.ENUM,
                subscription_id=element.subscription_id,
                license_source_id=element.license_source,
                phase=element.after,
                waiting=workflow,
            )
    return list(parts.values())


def _with_payment(opes: QuerySet[Ope]) -> QuerySet[Ope]:
    """Add `is_paid`: a paid invoice bills the current phase, at its price, for a time that overlaps it."""
    lines = InvoiceLine.objects.filter(
        ope=OuterRef("pk"),
        invoice__status=InvoiceStatus.PAID.value,
        price_id=OuterRef("phase_price_id"),
        period_start__lt=OuterRef("phase_until"),
        period_end__gt=OuterRef("phase_from"),
    )
    return opes.annotate(
        phase_price_id=KT("value_phases__0__price_id"),
        phase_from=Cast(KT("value_phases__0__from"), DateTimeField()),
        phase_until=Cast(KT("value_phases__0__until"), DateTimeField()),
    ).annotate(is_paid=Exists(lines))


def _part_of(ope: Ope) -> Part:
    return Part(
        account_id=ope.account_id,
        object_id=ope.object_id,
        product=ope.product,
        is_tier=ope.kind == Ope.Kind.ENUM,
        subscription_id=ope.subscription_id,
        license_source_id=ope.license_source_id,
        phase=ope.current,
        scheduled=ope.scheduled,
        is_deleted=ope.deleted_date is not None,
        is_paid=getattr(ope, "is_paid", False),
    )


def _subscriptions(parts: Iterable[Part], zones: dict[str, str]) -> list[Subscription]:
    """Put parts together by subscription: the account's own first, then by zone; a zone's plan before its add-ons."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.subscription_id, []).append(part)
    catalog = current_catalog()
    subscriptions = [_subscription(group, zones, catalog) for group in groups.values() if any(p.is_tier for p in group)]
    return sorted(subscriptions, key=lambda s: (s.zone_name, s.plan.product != ZONE_PLANS, s.plan.id, s.id))


def _subscription(parts: list[Part], zones: dict[str, str], catalog: Catalog) -> Subscription:
    tier = next(part for part in parts if part.is_tier)
    waiting = next((part.waiting for part in parts if part.waiting), None)
    paid = _paid_part(tier, parts)
    plan = catalog.plans[tier.phase.rate_plan_id]
    counts = {part.product: part.phase for part in parts if not part.is_tier}
    return Subscription(
        id=tier.subscription_id,
        state=next(state for state, holds in STATES if holds(replace(paid, waiting=waiting))),
        account_id=tier.account_id,
        object_id=tier.object_id,
        zone_name=zones.get(tier.object_id, ""),
        plan=plan,
        interval=tier.phase.interval,
        currency=tier.phase.currency,
        price_minor=sum(part.phase.amount_minor for part in parts),
        period_start=paid.phase.starts_at,
        period_end=paid.phase.ends_at,
        components=tuple(
            CountedComponent(
                name=component.name,
                value=int(counts[component.name].value) if component.name in counts else component.included,
                included=component.included,
                price_minor=counts[component.name].amount_minor if component.name in counts else 0,
            )
            for component in plan.components
        ),
        workflow_id=waiting.pk if waiting else "",
        client_secret=waiting.client_secret if waiting else "",
        scheduled=_scheduled(tier, parts, catalog),
    )


def _paid_part(tier: Part, parts: list[Part]) -> Part:
    """What says whether it is paid, and until when: of a plan that costs nothing by itself, what is bought with it."""
    if tier.phase.unit_amount_minor > 0 or tier.license_source_id not in {FREE_LICENSE, USAGE_LICENSE}:
        return tier
    return next((part for part in parts if is_billed(part.license_source_id) and part.phase.amount_minor), tier)


def _scheduled(tier: Part, parts: list[Part], catalog: Catalog) -> ScheduledChange | None:
    """What waits for the end of the period: of the plan, or of some of its components alone."""
    waiting = [part.scheduled for part in parts if part.scheduled]
    if not waiting or tier.is_deleted:
        return None
    phase = tier.scheduled or tier.phase
    ends = tier.scheduled is not None and not isinstance(tier.scheduled.value, str)
    plan = None if ends else catalog.plans[phase.rate_plan_id]
    later = {part.product: part.scheduled or part.phase for part in parts if not part.is_tier}
    return ScheduledChange(
        plan=plan,
        interval=phase.interval,
        counts={
            component.name: max(int(later[component.name].value), component.included)
            if component.name in later
            else component.included
            for component in (plan.components if plan else ())
        },
        applies_at=waiting[0].starts_at,
    )
