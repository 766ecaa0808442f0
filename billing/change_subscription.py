"""Change, end and keep a subscription that somebody names by its id."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from .catalog.lookup import current_catalog
from .changes_calculator.prices import is_new_price
from .changes_calculator.request import (
    ChangeRefused,
    ChangeRequest,
    ChangeResult,
    ObjectKind,
    Origin,
    Outcome,
    Refusal,
    Want,
)
from .changes_calculator.scheduled import NothingScheduled, TooLate, take_back
from .changes_calculator.submit import submit
from .changes_calculator.wish import CORE_FAMILY
from .models.objectproducts import Ope
from .models.scheduled import Sslc
from .subscriptions import Subscription, SubscriptionState

ENDED = Refusal("subscription_ended", "This subscription has ended. Buy again to have it back.")
NEEDS_PLAN = Refusal("core_plan_required", "This add-on ends because the zone's plan does. Keep the plan first.")
OTHER_SLOT = Refusal("change_not_offered", "A subscription can't become another product. Buy that one by itself.")


class SubscriptionUnknown(Exception):
    """The account has no such subscription."""

    code = "not_found"


def change_subscription(subscription: Subscription, request: ChangeRequest) -> ChangeResult:
    """
    Make of this subscription what the request, of one want, asks for.

    :raises ChangeRefused: it has ended, can't become that plan, or the pipeline refuses.
    :raises PaymentDeclined: see `submit`, as for whatever else it raises.
    """
    if subscription.state is SubscriptionState.CANCELLED:
        raise ChangeRefused(ENDED)
    plan = current_catalog().find(request.wants[0].plan_name)
    if plan is not None and plan.product != subscription.plan.product:
        raise ChangeRefused(OTHER_SLOT)
    return submit(request)


def end_subscription(subscription: Subscription, *, actor: str, now: datetime) -> ChangeResult:
    """
    End it with the period that is paid; what has no such period ends at once. What has ended stays so.

    :raises ChangeRefused: another change of it waits or is scheduled.
    """
    if subscription.state is SubscriptionState.CANCELLED:
        return ChangeResult(Outcome.UNCHANGED)
    ending = Want(
        object_kind=ObjectKind.ZONE if subscription.is_of_zone else ObjectKind.ACCOUNT,
        object_id=subscription.object_id,
        plan_name=subscription.plan.id,
        interval_name=subscription.interval,
        is_cancellation=True,
    )
    return submit(
        ChangeRequest(
            account_id=subscription.account_id,
            wants=(ending,),
            origin=Origin.DASHBOARD,
            actor=actor,
            on_session=True,
            requested_at=now,
            supersedes=True,
        )
    )


def take_back_changes(account_id: str, subscription_ids: Sequence[str], *, actor: str, now: datetime) -> None:
    """
    Take back what is scheduled for these subscriptions, one after the other; with a zone's plan, what hangs on it.

    Safe to repeat, after a failure half-way too: what was taken back already, and not scheduled since, stays so.

    :raises SubscriptionUnknown: one of them is not the account's; nothing was taken back.
    :raises NothingScheduled: one has nothing to take back.
    :raises TooLate: the period of one ends within minutes.
    :raises ChangeRefused: one is an add-on whose zone's plan has ended, or is going to.
    """
    owned = Ope.objects.filter(account=account_id, subscription_id__in=subscription_ids)
    if set(subscription_ids) - set(owned.values_list("subscription_id", flat=True)):
        raise SubscriptionUnknown
    plans = set(owned.filter(product=CORE_FAMILY).values_list("subscription_id", flat=True))
    for subscription_id in sorted(dict.fromkeys(subscription_ids), key=lambda each: each not in plans):
        try:
            _take_back(account_id, subscription_id, actor=actor, now=now)
        except NothingScheduled:
            if not _was_taken_back(account_id, subscription_id):
                raise


def _take_back(account_id: str, subscription_id: str, *, actor: str, now: datetime) -> None:
    waiting = Sslc.objects.filter(account=account_id, ended_at__isnull=True)
    if waiting.filter(subscription_id=subscription_id).exists() and _lacks_core_plan(account_id, subscription_id):
        raise ChangeRefused(NEEDS_PLAN)
    if _is_price_alone(waiting.filter(subscription_id=subscription_id).first()):
        raise NothingScheduled("A new price can't be taken back. End the subscription if you don't want it.")
    with_it = waiting.filter(ends_with__subscription_id=subscription_id, ends_with__ended_at__isnull=True)
    hanging = list(with_it.values_list("subscription_id", flat=True))
    take_back(account_id, subscription_id, actor=actor, now=now)
    for each in hanging:
        with suppress(TooLate):  # its own period is over in a moment
            take_back(account_id, each, actor=actor, now=now)


def _is_price_alone(sslc: Sslc | None) -> bool:
    """Whether what waits is another price of the same, which is the catalogue's to say."""
    opes = Ope.objects.filter(pk__in=sslc.ope_ids) if sslc else ()
    return bool(opes) and all(is_new_price(ope.current, ope.scheduled) for ope in opes)


def _lacks_core_plan(account_id: str, subscription_id: str) -> bool:
    """Whether it is an add-on of a zone whose plan has ended, or waits for its end."""
    live = Ope.objects.filter(account=account_id, deleted_date__isnull=True)
    part = live.filter(subscription_id=subscription_id).first()
    if part is None or part.object_kind != "zone":
        return False
    core = live.filter(object_id=part.object_id, product=CORE_FAMILY).first()
    if core is None or core.subscription_id == subscription_id:
        return False
    return core.current.rank == 0 or (core.scheduled is not None and core.scheduled.rank == 0)


def _was_taken_back(account_id: str, subscription_id: str) -> bool:
    newest = Sslc.objects.filter(account=account_id, subscription_id=subscription_id).order_by("-requested_at").first()
    return newest is not None and newest.was_taken_back
