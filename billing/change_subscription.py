"""Change, end and keep a subscription that somebody names by its id."""

from collections.abc import Sequence
from datetime import datetime

from .catalog.lookup import current_catalog
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
from .changes_calculator.scheduled import NothingScheduled, take_back
from .changes_calculator.submit import submit
from .models.objectproducts import Ope
from .models.scheduled import Sslc
from .subscriptions import Subscription, SubscriptionState

ENDED = Refusal("subscription_ended", "This subscription has ended. Buy again to have it back.")
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
        )
    )


def take_back_changes(account_id: str, subscription_ids: Sequence[str], *, actor: str, now: datetime) -> None:
    """
    Take back what is scheduled for these subscriptions, one after the other.

    Safe to repeat, after a failure half-way too: what was taken back already, and not scheduled since, stays so.

    :raises SubscriptionUnknown: one of them is not the account's; nothing was taken back.
    :raises NothingScheduled: one has nothing to take back.
    :raises TooLate: the period of one ends within minutes.
    """
    owned = Ope.objects.filter(account=account_id, subscription_id__in=subscription_ids)
    if set(subscription_ids) - set(owned.values_list("subscription_id", flat=True)):
        raise SubscriptionUnknown
    for subscription_id in dict.fromkeys(subscription_ids):
        try:
            take_back(account_id, subscription_id, actor=actor, now=now)
        except NothingScheduled:
            if not _was_taken_back(account_id, subscription_id):
                raise


def _was_taken_back(account_id: str, subscription_id: str) -> bool:
    newest = Sslc.objects.filter(account=account_id, subscription_id=subscription_id).order_by("-requested_at").first()
    return newest is not None and newest.was_taken_back
