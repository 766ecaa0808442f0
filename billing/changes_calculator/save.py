"""The commit: everything that a change means, in one transaction. The only writer of OPEs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.shapes import SubscriptionFacts
from ..entitle import entitle
from ..models.objectproducts import Ope
from ..objectproducts.phases import Phase
from .change_set import STRIPE, ElementChange


def save_elements(
    account_id: str, elements: Sequence[ElementChange], subscription: SubscriptionFacts | None, *, now: datetime
) -> list[journal.Fact]:
    """
    Write these OPEs as they are after the change, and what the account may use by them; return the facts to journal.

    Paid phases take Stripe's periods, because Stripe owns their clock. Under the account's lock; the caller emits
    the facts in the same transaction.
    """
    assert holds_lock(account_id)
    live = {ope.pk: ope for ope in Ope.objects.filter(account=account_id, deleted_date__isnull=True)}
    changed = [_changed(live.get(element.ope_id), account_id, element, subscription, now) for element in elements]
    Ope.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["value_phases", "license_source_id", "workflow", "subscription_id"],
    )
    live |= {ope.pk: ope for ope in changed}
    fact = entitle(account_id, live.values(), now=now)
    return [fact] if fact else []


def save_renewed(opes: Sequence[Ope]) -> None:
    """Write the phases of OPEs that a paid renewal moved on; one statement, the caller journals."""
    Ope.objects.bulk_update(opes, ["value_phases"])


def _changed(
    ope: Ope | None, account_id: str, element: ElementChange, subscription: SubscriptionFacts | None, now: datetime
) -> Ope:
    phase, license_source_id = _billed(element, subscription)
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
    ope.subscription_id = element.subscription_id
    ope.value_phases = [phase.to_json()]
    ope.license_source_id = license_source_id
    ope.workflow = None
    return ope


def _billed(element: ElementChange, subscription: SubscriptionFacts | None) -> tuple[Phase, str]:
    """Return the phase with the period that is billed, and who bills it."""
    if element.license_source != STRIPE:
        return element.after, element.license_source
    assert subscription is not None, "what Stripe bills has a subscription"
    item = subscription.item_of_price(element.stripe_price_id)
    assert item is not None, f"{subscription.id} has no item for {element.after.price_id}"
    phase = replace(element.after, starts_at=item.period_start, ends_at=item.period_end)
    return phase, f"{subscription.id}:{item.id}"
