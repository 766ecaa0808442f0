"""What zones and accounts subscribe to: reading it, buying, changing, ending, taking back."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import Caller
from accounts.api.body import ExactString
from accounts.api.envelope import answer, whole_list
from accounts.api.scope import AccountView, ZoneView
from accounts.roles import Permission
from config import clock

from ..catalog.lookup import current_catalog
from ..change_subscription import change_subscription, end_subscription, take_back_changes
from ..changes_calculator.request import ObjectKind
from ..changes_calculator.submit import submit
from ..subscriptions import (
    ZONE_PLANS,
    Subscription,
    plans_of_zones,
    subscription_by_id,
    subscription_of_zone,
    subscriptions_of_accounts,
    subscriptions_of_zone,
)
from .shapes import subscription_shape
from .wants import PlacedSubscription, WantedChange, WantedSubscription, placed, request_of, want


class SubscriptionIds(serializers.Serializer[Any]):
    subscription_ids = serializers.ListField(child=ExactString(), allow_empty=False, max_length=100)


class ZoneSubscriptionView(ZoneView):
    """
    `/zones/{zone_id}/subscription`: GET the zone's plan; POST and PUT buy or change a plan or an add-on of the zone.

    The free plan is how a plan is cancelled. Asking again for what already is, or already waits, changes nothing.
    """

    needs = {
        "GET": Permission.READ,
        "POST": Permission.CHANGE_SUBSCRIPTIONS,
        "PUT": Permission.CHANGE_SUBSCRIPTIONS,
    }

    def get(self, _request: Request, **_path: str) -> Response:
        return answer(shape_for(self.caller, subscription_of_zone(self.zone)))

    def post(self, request: Request, **_path: str) -> Response:
        body = WantedSubscription(data=request.data)
        body.is_valid(raise_exception=True)
        return self._change(body.validated_data, "")

    def put(self, request: Request, **_path: str) -> Response:
        body = WantedChange(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["rate_plan"]:
            return self._change(body.validated_data, "")
        held = plans_of_zones([self.zone.pk])[self.zone.pk]
        return self._change(body.validated_data, held.rate_plan_id)

    def _change(self, wanted: dict[str, Any], held_plan: str) -> Response:
        wish = want(wanted, ObjectKind.ZONE, self.zone.pk, held_plan=held_plan)
        submit(request_of(self.zone.account_id, [wish], actor=self.caller.actor))
        plan = current_catalog().find(wish.plan_name)
        changed = subscription_of_zone(self.zone, product=plan.product if plan else ZONE_PLANS)
        return answer(shape_for(self.caller, changed))


class ZoneSubscriptionsView(ZoneSubscriptionView):
    """`/zones/{zone_id}/subscriptions`: the other name of the above; here GET lists, add-ons too."""

    def get(self, _request: Request, **_path: str) -> Response:
        return whole_list([shape_for(self.caller, each) for each in subscriptions_of_zone(self.zone)])


class AccountSubscriptionsView(AccountView):
    """`/accounts/{account_id}/subscriptions`: everything, of the account itself and of its zones; POST buys."""

    needs = {"GET": Permission.READ, "POST": Permission.CHANGE_SUBSCRIPTIONS}

    def get(self, _request: Request, account_id: str) -> Response:
        return whole_list([shape_for(self.caller, each) for each in subscriptions_of_accounts([account_id])])

    def post(self, request: Request, account_id: str) -> Response:
        body = PlacedSubscription(data=request.data)
        body.is_valid(raise_exception=True)
        change = request_of(account_id, [placed(body.validated_data, account_id=account_id)], actor=self.caller.actor)
        submit(change)
        return answer(next(iter(shapes_of(self.caller, change.wants, account_id)), None))


class AccountSubscriptionView(AccountView):
    """`/accounts/{account_id}/subscriptions/{subscription_id}`: one, ended ones too; DELETE ends it with its period."""

    needs = {
        "GET": Permission.READ,
        "PUT": Permission.CHANGE_SUBSCRIPTIONS,
        "DELETE": Permission.CHANGE_SUBSCRIPTIONS,
    }

    def get(self, _request: Request, account_id: str, subscription_id: str) -> Response:
        return answer(shape_for(self.caller, subscription_by_id([account_id], subscription_id)))

    def put(self, request: Request, account_id: str, subscription_id: str) -> Response:
        return answer(put(request, self.caller, found(subscription_by_id([account_id], subscription_id))))

    def delete(self, _request: Request, account_id: str, subscription_id: str) -> Response:
        subscription = found(subscription_by_id([account_id], subscription_id))
        end_subscription(subscription, actor=self.caller.actor, now=clock.now())
        return answer({"subscription_id": subscription.id})


class CancelDowngradeView(AccountView):
    """`/accounts/{account_id}/subscriptions/cancel-downgrade`: what is scheduled for these is taken back."""

    needs = {"POST": Permission.CHANGE_SUBSCRIPTIONS}

    def post(self, request: Request, account_id: str) -> Response:
        body = SubscriptionIds(data=request.data)
        body.is_valid(raise_exception=True)
        ids = [subscription_id.lower() for subscription_id in body.validated_data["subscription_ids"]]
        take_back_changes(account_id, ids, actor=self.caller.actor, now=clock.now())
        kept = {each.id: each for each in subscriptions_of_accounts([account_id])}
        return answer([shape_for(self.caller, kept[each]) for each in ids if each in kept])


def put(request: Request, caller: Caller, subscription: Subscription) -> dict[str, Any]:
    """Make of a subscription what the body asks for, and return it as it then is."""
    body = WantedChange(data=request.data)
    body.is_valid(raise_exception=True)
    kind = ObjectKind.ZONE if subscription.is_of_zone else ObjectKind.ACCOUNT
    wish = want(body.validated_data, kind, subscription.object_id, held_plan=subscription.plan.id)
    change_subscription(subscription, request_of(subscription.account_id, [wish], actor=caller.actor))
    return shape_for(caller, subscription_by_id([subscription.account_id], subscription.id))


def found(subscription: Subscription | None) -> Subscription:
    """
    Return the subscription.

    :raises Http404: there is none.
    """
    if subscription is None:
        raise Http404
    return subscription


def shapes_of(caller: Caller, wants: Any, account_id: str) -> list[dict[str, Any]]:
    """Return what came of these wants, in their order; what ended at once is not there any more."""
    catalog = current_catalog()
    slots = {(each.object_id, each.plan.product): each for each in subscriptions_of_accounts([account_id])}
    plans = [(each.object_id, catalog.find(each.plan_name)) for each in wants]
    wanted = dict.fromkeys((object_id, plan.product) for object_id, plan in plans if plan)
    return [shape_for(caller, slots[slot]) for slot in wanted if slot in slots]


def shape_for(caller: Caller, subscription: Subscription | None) -> dict[str, Any]:
    """
    Return a subscription as this caller may see it.

    :raises Http404: there is none.
    """
    account_id = found(subscription).account_id
    may_act = caller.may(Permission.CHANGE_SUBSCRIPTIONS, account_id) or caller.may(Permission.PAY, account_id)
    return subscription_shape(found(subscription), with_secret=may_act)
