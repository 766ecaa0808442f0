"""What zones and accounts subscribe to: reading it, and buying."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import Caller
from accounts.api.body import ExactInteger, ExactString
from accounts.api.envelope import answer, whole_list
from accounts.api.scope import AccountView, ZoneView
from accounts.models import Zone
from accounts.roles import Permission
from config import clock

from ..catalog.lookup import current_catalog
from ..changes_calculator.request import ChangeRequest, ComponentValue, ObjectKind, Origin, Want
from ..changes_calculator.submit import submit
from ..subscriptions import (
    ZONE_PLANS,
    Subscription,
    subscription_by_id,
    subscription_of_zone,
    subscriptions_of_account,
    subscriptions_of_zone,
)
from .shapes import subscription_shape


class WantedRatePlan(serializers.Serializer[Any]):
    """The plan that is wanted. Clients send more of it; the rest is ours to say."""

    id = ExactString()


class WantedComponent(serializers.Serializer[Any]):
    name = ExactString()
    value = ExactInteger()


class WantedSubscription(serializers.Serializer[Any]):
    """The body of a purchase; whether what it names exists is the pipeline's to say."""

    rate_plan = WantedRatePlan()
    frequency = ExactString(required=False, allow_null=True, default=None)
    component_values = WantedComponent(many=True, required=False, allow_null=True, default=list)


class ZoneSubscriptionView(ZoneView):
    """
    `/zones/{zone_id}/subscription`: GET the zone's plan; POST buys a plan or an add-on for the zone.

    Asking again for what already is, or already waits, changes nothing.
    """

    needs = {"GET": Permission.READ, "POST": Permission.CHANGE_SUBSCRIPTIONS}

    def get(self, _request: Request, **_path: str) -> Response:
        return answer(_shape(self.caller, self.zone.account_id, subscription_of_zone(self.zone)))

    def post(self, request: Request, **_path: str) -> Response:
        body = WantedSubscription(data=request.data)
        body.is_valid(raise_exception=True)
        submit(_request(body.validated_data, self.zone, self.caller))
        plan = current_catalog().find(body.validated_data["rate_plan"]["id"])
        bought = subscription_of_zone(self.zone, product=plan.product if plan else ZONE_PLANS)
        return answer(_shape(self.caller, self.zone.account_id, bought))


class ZoneSubscriptionsView(ZoneSubscriptionView):
    """`/zones/{zone_id}/subscriptions`: the other name of the above; here GET lists, add-ons too."""

    def get(self, _request: Request, **_path: str) -> Response:
        account_id = self.zone.account_id
        return whole_list([_shape(self.caller, account_id, each) for each in subscriptions_of_zone(self.zone)])


class AccountSubscriptionsView(AccountView):
    """`/accounts/{account_id}/subscriptions`: everything, of the account itself and of its zones."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str) -> Response:
        return whole_list([_shape(self.caller, account_id, each) for each in subscriptions_of_account(account_id)])


class AccountSubscriptionView(AccountView):
    """`/accounts/{account_id}/subscriptions/{subscription_id}`: one, cancelled ones too."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str, subscription_id: str) -> Response:
        return answer(_shape(self.caller, account_id, subscription_by_id(account_id, subscription_id)))


def _request(wanted: dict[str, Any], zone: Zone, caller: Caller) -> ChangeRequest:
    return ChangeRequest(
        account_id=zone.account_id,
        wants=(_want(ObjectKind.ZONE, zone.pk, wanted),),
        origin=Origin.DASHBOARD,
        actor=caller.actor,
        on_session=True,
        requested_at=clock.now(),
    )


def _want(kind: ObjectKind, object_id: str, wanted: dict[str, Any]) -> Want:
    return Want(
        object_kind=kind,
        object_id=object_id,
        plan_name=wanted["rate_plan"]["id"],
        interval_name=wanted["frequency"],
        components=tuple(ComponentValue(each["name"], each["value"]) for each in wanted["component_values"] or ()),
    )


def _shape(caller: Caller, account_id: str, subscription: Subscription | None) -> dict[str, Any]:
    if subscription is None:
        raise Http404
    may_act = caller.may(Permission.CHANGE_SUBSCRIPTIONS, account_id) or caller.may(Permission.PAY, account_id)
    return subscription_shape(subscription, with_secret=may_act)
