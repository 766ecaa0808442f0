"""What a service may say beyond a customer: that a plan is granted instead of bought."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts.api.body import ExactString

from ..api.wants import LARGEST_CART, PlacedSubscription, placed
from ..changes_calculator.licences import InvalidLicence, Licence
from ..changes_calculator.request import Want


class WantedLicence(serializers.Serializer[Any]):
    """Who grants it. A trial says when it ends and, if it is to be bought then, what it becomes."""

    granted_by = ExactString()
    ends_on = serializers.DateTimeField(required=False, allow_null=True, default=None)
    becomes = ExactString(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a licence of no known form."""
        ends_at: datetime | None = attrs["ends_on"]
        try:
            licence = Licence(attrs["granted_by"], ends_at, attrs["becomes"] or "")
        except InvalidLicence as error:
            raise serializers.ValidationError(str(error)) from error
        return {"licence": licence}


class LicensedSubscription(PlacedSubscription):
    """What is wanted, and for what; with a licence it is granted and nothing is charged."""

    licence = WantedLicence(required=False, allow_null=True, default=None)


class LicensedSubscriptions(serializers.Serializer[Any]):
    """
    Several wishes that come true together or not at all.

    `supersede`: a change that still waits for its customer is given up for them.
    """

    account_id = ExactString()
    supersede = serializers.BooleanField(required=False, default=False)
    subscriptions = serializers.ListField(child=LicensedSubscription(), allow_empty=False, max_length=LARGEST_CART)


def want_of(wanted: dict[str, Any], *, account_id: str) -> Want:
    """Return the want of one body."""
    licence = wanted["licence"]["licence"] if wanted["licence"] else None
    return placed(wanted, account_id=account_id, licence=licence)
