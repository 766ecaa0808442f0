"""The zones one may see."""

from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Zone
from accounts.roles import Permission
from billing.api.shapes import available_plan
from billing.catalog.lookup import current_catalog
from billing.catalog.values import Catalog
from billing.objectproducts.phases import Phase
from billing.remove_zone import remove_zone
from billing.subscriptions import plans_of_zones
from config import clock

from .envelope import answer, page_of, rfc3339
from .paging import choice_of, paging_of
from .scope import ApiView, ZoneView

# Query parameter to column; `match` says whether all of those given must fit, or any.
FILTERS = {"name": "name", "account.id": "account_id", "account.name": "account__name"}
ORDERS = {"name": "name", "account.id": "account_id", "account.name": "account__name"}


class ZonesView(ApiView):
    """`/zones`: those of all the caller's accounts, by name unless `order` says otherwise."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request) -> Response:
        paging = paging_of(request)
        column = ORDERS[choice_of(request, "order", tuple(ORDERS))]
        sign = "" if choice_of(request, "direction", ("asc", "desc")) == "asc" else "-"
        zones = Zone.objects.filter(
            _wanted(request), account__in=self.caller.accounts_where(Permission.READ), deleted_at__isnull=True
        )
        page = list(zones.select_related("account").order_by(f"{sign}{column}", f"{sign}pk")[paging.start : paging.end])
        plans, catalog = plans_of_zones(zone.pk for zone in page), current_catalog()
        return page_of(
            [_shape(zone, plans.get(zone.pk), catalog) for zone in page],
            page=paging.page,
            per_page=paging.per_page,
            total_count=zones.count(),
        )


class OneZoneView(ZoneView):
    """`/zones/{zone_id}`; DELETE removes it, and what is paid for it ends with its period."""

    needs = {"GET": Permission.READ, "DELETE": Permission.CHANGE_SUBSCRIPTIONS}

    def get(self, _request: Request, zone_id: str) -> Response:
        return answer(_shape(self.zone, plans_of_zones([zone_id]).get(zone_id), current_catalog()))

    def delete(self, _request: Request, zone_id: str) -> Response:
        remove_zone(self.zone, actor=self.caller.actor, now=clock.now())
        return answer({"id": zone_id})


def _wanted(request: Request) -> Q:
    said = request.query_params
    if choice_of(request, "status", ("active", "initializing", "pending", "moved")) != "active":
        return Q(pk__in=[])  # every zone that is served is active
    joined = and_ if choice_of(request, "match", ("all", "any")) == "all" else or_
    tests = [Q(**{column: said[name]}) for name, column in FILTERS.items() if said.get(name)]
    return reduce(joined, tests, Q()) if tests else Q()


def _shape(zone: Zone, held: Phase | None, catalog: Catalog) -> dict[str, Any]:
    """What is DNS's to know is empty here: this is the platform's billing."""
    return {
        "id": zone.pk,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": [],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": rfc3339(zone.created_at),
        "modified_on": rfc3339(zone.created_at),
        "activated_on": rfc3339(zone.created_at),
        "meta": {},
        "owner": {"id": zone.account_id, "type": "organization", "name": zone.account.name},
        "account": {"id": zone.account_id, "name": zone.account.name},
        "plan": available_plan(catalog.plans[held.rate_plan_id], held) if held else {},
    }
