"""The commit's OPEs: what the account owns after a change. The only writer of OPEs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.shapes import InvoiceFacts, LineFacts, SubscriptionFacts
from ..entitle import entitle
from ..models.objectproducts import Ope
from ..objectproducts.phases import Phase
from .change_set import STRIPE, ElementChange


@dataclass(frozen=True, slots=True)
class BilledBy:
    """
    Who bills what is bought: a subscription and its items by price. `periods` by price where Stripe has just begun
    them; where a clock ran already, the plan's own are right.
    """

    subscription_id: str
    items: Mapping[str, str]
    periods: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)

    @classmethod
    def new(cls, subscription: SubscriptionFacts) -> "BilledBy":
        """Return what a subscription that was just made says."""
        return cls(
            subscription_id=subscription.id,
            items={item.price_id: item.id for item in subscription.items},
            periods={item.price_id: (item.period_start, item.period_end) for item in subscription.items},
        )

    @classmethod
    def changed(cls, invoice: InvoiceFacts) -> "BilledBy":
        """Return what the invoice of a change says: its lines name the items that there are now."""
        return cls(
            subscription_id=invoice.subscription_id,
            items={line.price_id: line.item_id for line in sorted(invoice.lines, key=_newest_last) if line.item_id},
        )


NOBODY = BilledBy("", {})


def _newest_last(line: LineFacts) -> tuple[bool, datetime]:
    """Credits first: what they are for may be gone; then what an earlier change left for this invoice."""
    return line.amount_minor >= 0, line.period_start


def save_elements(
    account_id: str, elements: Sequence[ElementChange], billed_by: BilledBy, *, now: datetime
) -> list[journal.Fact]:
    """
    Write these OPEs as they are after the change, and what the account may use by them; return the facts to journal.

    Under the account's lock; the caller emits the facts in the same transaction.
    """
    assert holds_lock(account_id)
    if not elements:
        return []
    object_ids = {element.object_id for element in elements}
    of_these = Ope.objects.filter(account=account_id, object_id__in=object_ids, deleted_date__isnull=True)
    live = {ope.pk: ope for ope in of_these}
    changed = [_changed(live.get(element.ope_id), account_id, element, billed_by, now) for element in elements]
    Ope.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["value_phases", "license_source_id", "workflow", "subscription_id", "deleted_date"],
    )
    live |= {ope.pk: ope for ope in changed}
    fact = entitle(account_id, live.values(), now=now, object_ids=object_ids)
    return [fact] if fact else []


def save_phases(opes: Sequence[Ope]) -> None:
    """Write what OPEs hold now and from the next period, and who bills it; one statement, the caller journals."""
    Ope.objects.bulk_update(opes, ["value_phases", "license_source_id", "deleted_date"])


def end_free(account_id: str, object_id: str, *, actor: str, now: datetime) -> None:
    """End what an object has for nothing, with what the account may use by it, because the object goes."""
    assert holds_lock(account_id)
    live = list(Ope.objects.filter(account=account_id, deleted_date__isnull=True))
    free = [ope for ope in live if ope.object_id == object_id and ope.current.rank == 0]
    if not free:
        return
    for ope in free:
        ope.deleted_date = now
    save_phases(free)
    fact = entitle(account_id, [ope for ope in live if ope.deleted_date is None], now=now)
    before = {"opes": {ope.pk: str(ope.current.value) for ope in free}}
    after = {"opes": dict.fromkeys(before["opes"])}
    ended = journal.Fact("change.committed", account_id, actor, cause=object_id, before=before, after=after)
    journal.emit(ended, *([fact] if fact else []), at=now)


def _changed(ope: Ope | None, account_id: str, element: ElementChange, billed_by: BilledBy, now: datetime) -> Ope:
    if ope is None:
        ope = Ope(
            id=element.ope_id,
            account_id=account_id,
            object_kind=element.object_kind,
            object_id=element.object_id,
            product=element.product,
            kind=element.kind,
            created_date=now,
        )
    ope.workflow = None
    if element.after is None:
        ope.deleted_date = now
        return ope
    phase, ope.license_source_id = _billed(element, ope.license_source_id, billed_by, account_id)
    ope.value_phases = [phase.to_json(), *([element.later.to_json()] if element.later else [])]
    ope.subscription_id = element.subscription_id
    return ope


def _billed(element: ElementChange, license_source_id: str, billed_by: BilledBy, account_id: str) -> tuple[Phase, str]:
    """Return the phase with the period that is billed, and who bills it: an item that did not change still does."""
    after = element.after
    assert after is not None, "what goes is not billed"
    if element.license_source != STRIPE:
        return after, element.license_source
    price = after.stripe_price_id
    if price not in billed_by.items:
        if element.before is not None and element.before.stripe_price_id == price:
            return after, license_source_id
        if after.billed_quantity == 0:
            return after, _licence_of_plan(account_id, element.subscription_id)
        return after, _licence_at(account_id, billed_by.subscription_id, price)
    starts_at, ends_at = billed_by.periods.get(price, (after.starts_at, after.ends_at))
    return replace(after, starts_at=starts_at, ends_at=ends_at), f"{billed_by.subscription_id}:{billed_by.items[price]}"


def _licence_of_plan(account_id: str, subscription_id: str) -> str:
    """Return who bills the plan that includes all there is of a component, until a smaller plan does not."""
    billed = Ope.objects.filter(account=account_id, subscription_id=subscription_id, deleted_date__isnull=True)
    licence = billed.filter(license_source_id__startswith="sub_").values_list("license_source_id", flat=True).first()
    assert licence is not None, "what is included hangs on a plan that is billed"
    return licence


def _licence_at(account_id: str, stripe_subscription_id: str, price: str) -> str:
    """
    Return who bills this price already: where one OPE leaves a price and another comes to it, no line names its item.
    """
    # Where nothing at all changes for Stripe nobody was asked; the price itself says on which clock it is.
    billed_by = f"{stripe_subscription_id}:" if stripe_subscription_id else "sub_"
    billed = Ope.objects.filter(account=account_id, license_source_id__startswith=billed_by, deleted_date__isnull=True)
    licence = next((ope.license_source_id for ope in billed if ope.current.stripe_price_id == price), None)
    assert licence is not None, f"nobody bills {price}"
    return licence
