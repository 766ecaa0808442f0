"""What can be bought for a zone."""

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import answer, whole_list
from accounts.api.scope import ApiView, ZoneView
from accounts.roles import Permission

from ..catalog.lookup import current_catalog
from ..subscriptions import ZONE_PLANS, plans_of_zones
from .shapes import available_plan, available_plans, rate_plan, rate_plans


class AvailablePlansView(ZoneView):
    """`/zones/{zone_id}/available_plans`: the tiers to choose from, and which one the zone has."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, zone_id: str) -> Response:
        return whole_list(available_plans(current_catalog(), plans_of_zones([zone_id]).get(zone_id)))


class AvailablePlanView(ZoneView):
    """`/zones/{zone_id}/available_plans/{name}`: one tier, by its id or any name that the public API knows it by."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, zone_id: str, name: str) -> Response:
        plan = current_catalog().find(name)
        if plan is None or plan.product != ZONE_PLANS:
            raise Http404
        return answer(available_plan(plan, plans_of_zones([zone_id]).get(zone_id)))


class AvailableRatePlansView(ZoneView):
    """`/zones/{zone_id}/available_rate_plans`: everything sold for zones, with its components and their prices."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, **_path: str) -> Response:
        return whole_list(rate_plans(current_catalog()))


class RatePlanView(ApiView):
    """`/billing/rate_plans/{name}`: one plan or add-on of any scope, by any of its names, with its components."""

    needs = {"GET": None}

    def get(self, _request: Request, name: str) -> Response:
        plan = current_catalog().find(name)
        if plan is None:
            raise Http404
        return answer(rate_plan(plan))
