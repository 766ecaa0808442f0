"""What a customer's plan gives, as the public API lists it."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import rfc3339, whole_list
from accounts.api.scope import AccountView, ZoneView
from accounts.roles import Permission
from billing.api.shapes import feature_shape
from billing.catalog.lookup import current_catalog
from entitlements.models import Entitlement


class AccountEntitlementsView(AccountView):
    """`/accounts/{account_id}/entitlements`: what holds for the whole account."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str) -> Response:
        return whole_list(_granted(account_id, Q(zone_id="")))


class ZoneEntitlementsView(ZoneView):
    """`/zones/{zone_id}/entitlements`: what holds for the zone; what its account has, it has too."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, zone_id: str) -> Response:
        return whole_list(_granted(self.zone.account_id, Q(zone_id__in=["", zone_id])))


def _granted(account_id: str, where: Q) -> list[dict[str, Any]]:
    """One entry per feature: a zone's own comes after the account's in the order, and takes its place."""
    rows = Entitlement.objects.filter(where, account=account_id).order_by("zone_id")
    features = {feature.feature: feature for plan in current_catalog().plans.values() for feature in plan.features}
    by_feature = {row.feature: row for row in rows}
    return [
        {
            "id": str(row.pk),
            "allocation": {"type": row.allocation, "value": row.value},
            "feature": feature_shape(features[row.feature]),
            "created_date": rfc3339(row.valid_from),
            "edited_date": rfc3339(row.changed_at),
            "deleted_date": "",
        }
        for row in sorted(by_feature.values(), key=lambda row: row.feature)
    ]
