"""Bodies that say what somebody wants, and the requests that they become."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from accounts.api.body import ExactInteger, ExactString
from config import clock

from ..changes_calculator.licences import Licence
from ..changes_calculator.request import ChangeRequest, ComponentValue, ObjectKind, Origin, Want

LARGEST_CART = 100


class WantedRatePlan(serializers.Serializer[Any]):
    """The plan that is wanted. Clients send more of it; the rest is ours to say."""

    id = ExactString()


class WantedComponent(serializers.Serializer[Any]):
    name = ExactString()
    value = ExactInteger()


class WantedZone(serializers.Serializer[Any]):
    id = ExactString()


class WantedChange(serializers.Serializer[Any]):
    """The body of a change of what is there: what it leaves out stays as it is."""

    rate_plan = WantedRatePlan(required=False, allow_null=True, default=None)
    frequency = ExactString(required=False, allow_null=True, default=None)
    # With `many=True` null would be allowed in the list too.
    component_values = serializers.ListField(child=WantedComponent(), required=False, allow_null=True, default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a body that asks for nothing: whoever sent it meant something."""
        if not (attrs["rate_plan"] or attrs["frequency"] or attrs["component_values"]):
            raise serializers.ValidationError("Say what is to change: rate_plan, frequency or component_values.")
        return attrs


class WantedSubscription(WantedChange):
    """The body of a purchase; whether what it names exists is the pipeline's to say."""

    rate_plan = WantedRatePlan()


class PlacedSubscription(WantedSubscription):
    """What is wanted, and for what: a zone, or the account itself. `cancel`: that it end."""

    zone = WantedZone(required=False, allow_null=True, default=None)
    cancel = serializers.BooleanField(required=False, default=False)


class WantedSubscriptions(serializers.Serializer[Any]):
    """Several wishes that come true together or not at all."""

    subscriptions = serializers.ListField(child=PlacedSubscription(), allow_empty=False, max_length=LARGEST_CART)


def placed(wanted: dict[str, Any], *, account_id: str, licence: Licence | None = None) -> Want:
    """Return the want of a body that names its zone, or means the account."""
    zone = wanted["zone"]
    kind, object_id = (ObjectKind.ZONE, zone["id"].lower()) if zone else (ObjectKind.ACCOUNT, account_id)
    return want(wanted, kind, object_id, is_cancellation=wanted["cancel"], licence=licence)


def want(
    wanted: dict[str, Any],
    kind: ObjectKind,
    object_id: str,
    *,
    held_plan: str = "",
    is_cancellation: bool = False,
    licence: Licence | None = None,
) -> Want:
    """Return the want of one body; `held_plan` is the plan there is, for a body that names none."""
    return Want(
        object_kind=kind,
        object_id=object_id,
        plan_name=wanted["rate_plan"]["id"] if wanted["rate_plan"] else held_plan,
        interval_name=wanted["frequency"],
        components=tuple(ComponentValue(each["name"], each["value"]) for each in wanted["component_values"] or ()),
        is_cancellation=is_cancellation,
        licence=licence,
    )


def request_of(
    account_id: str,
    wants: Sequence[Want],
    *,
    actor: str,
    origin: Origin = Origin.DASHBOARD,
    on_session: bool = True,
    supersedes: bool = True,
) -> ChangeRequest:
    """
    Return the request for all of this now.

    The Dashboard's customer is present, and what they want now counts: a change of theirs that still waits for its
    payment is given up for it.
    """
    return ChangeRequest(
        account_id=account_id,
        wants=tuple(wants),
        origin=origin,
        actor=actor,
        on_session=on_session,
        requested_at=clock.now(),
        supersedes=supersedes,
    )
