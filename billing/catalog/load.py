"""Write the catalogue file into the catalogue tables; loading the same file again changes nothing."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction

from accounts import journal

from ..models.catalog import CatalogVersion, Component, Meter, PlanEntitlement, Price, ProductFamily, RatePlan
from .read import CatalogError, PriceRow, read_components, read_prices


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication changed: the catalogue's version, and the ids of prices that came and went."""

    version: int
    prices_added: tuple[str, ...] = ()
    prices_retired: tuple[str, ...] = ()


def digest_of(catalog: dict[str, Any]) -> str:
    """Return what tells two catalogue files apart, whatever their layout."""
    return hashlib.sha256(json.dumps(catalog, sort_keys=True).encode()).hexdigest()


def stage_prices(catalog: dict[str, Any], *, actor: str, now: datetime) -> list[Price]:
    """
    Return the price row of every price in the file, writing those that are new; none of them is on sale by this.

    A price is never edited: a changed amount is the next version. An amount that was asked before is that version.

    :raises CatalogError: the file is wrong; nothing was written.
    """
    try:
        rows = read_prices(catalog)
    except (KeyError, TypeError) as error:
        raise CatalogError(f"The catalogue lacks or misplaces {error}.") from error
    with transaction.atomic():
        known: dict[tuple[str, str], list[Price]] = {}
        for price in Price.objects.all():
            known.setdefault((price.series, price.interval), []).append(price)
        staged = [_staged(row, known.get((row.series, row.interval), [])) for row in rows]
        new = [price for price in staged if price._state.adding]
        Price.objects.bulk_create(new)
        if new:
            journal.emit(journal.Fact("catalog.staged", None, actor, after={"prices": [p.pk for p in new]}), at=now)
    return staged


def activate(catalog: dict[str, Any], staged: list[Price], *, actor: str, now: datetime) -> Publication:
    """Put the file on sale: plans, features and current prices change in one transaction, with a new version."""
    with transaction.atomic():
        wanted = {price.pk for price in staged}
        current = set(Price.objects.filter(is_current=True).values_list("pk", flat=True))
        Price.objects.filter(pk__in=current - wanted).update(is_current=False)
        Price.objects.filter(pk__in=wanted - current).update(is_current=True)
        _load_plans(catalog)
        version = CatalogVersion.objects.create(digest=digest_of(catalog), published_at=now).pk
        publication = Publication(version, tuple(sorted(wanted - current)), tuple(sorted(current - wanted)))
        after = {"version": version, "added": publication.prices_added, "retired": publication.prices_retired}
        journal.emit(journal.Fact("catalog.published", None, actor, after=after), at=now)
    return publication


def _staged(row: PriceRow, known: list[Price]) -> Price:
    for price in known:
        if price.unit_amount_minor == row.unit_amount_minor and price.currency == row.currency:
            return price
    version = 1 + max((price.version for price in known), default=0)
    return Price(
        id=f"{row.series}_{row.interval}_v{version}",
        series=row.series,
        interval=row.interval,
        currency=row.currency,
        unit_amount_minor=row.unit_amount_minor,
        version=version,
        is_current=False,
    )


def _load_plans(catalog: dict[str, Any]) -> None:
    families = [ProductFamily(id=row["id"], name=row["name"]) for row in catalog["product_families"]]
    _upsert(ProductFamily, families, ["id"])
    plans = [
        RatePlan(
            id=row["id"],
            family_id=row["family"],
            public_name=row["public_name"],
            public_keys=row["public_keys"],
            scope=row["scope"],
            kind=row["kind"],
            rank=row.get("rank"),
            is_contract=row["is_contract"],
            externally_managed=row["externally_managed"],
            sets=row["sets"],
            position=position,
        )
        for position, row in enumerate(catalog["rate_plans"])
    ]
    _upsert(RatePlan, plans, ["id"])
    components = [
        Component(
            rate_plan_id=c.rate_plan_id, name=c.name, kind=c.kind, included=c.included, price_series=c.price_series
        )
        for row in catalog["rate_plans"]
        for c in read_components(catalog, row)
    ]
    _upsert(Component, components, ["rate_plan", "name"])
    gives = [
        PlanEntitlement(
            rate_plan_id=row["id"],
            feature=feature["key"],
            feature_set=feature["feature_set"],
            allocation=feature["type"],
            value=feature["value"],
        )
        for row in catalog["rate_plans"]
        for feature in row["entitlements"]
    ]
    _upsert(PlanEntitlement, gives, ["rate_plan", "feature"])
    plan_of_meter = {meter: row["id"] for row in catalog["rate_plans"] for meter in row.get("meters", ())}
    meters = [
        Meter(
            id=row["id"],
            rate_plan_id=plan_of_meter.get(row["id"]),
            service_name=row["service_name"],
            unit=row["unit"],
            aggregation=row["aggregation"],
            included=row["included"],
            tiers=row["tiers"],
            rounding=row["rounding"],
        )
        for row in catalog["meters"]
    ]
    _upsert(Meter, meters, ["id"])


def _upsert(model: type[models.Model], rows: list[Any], key: list[str]) -> None:
    fields = [f.name for f in model._meta.concrete_fields if not f.primary_key and f.name not in key]
    manager: models.Manager[Any] = model._default_manager
    manager.bulk_create(rows, update_conflicts=True, unique_fields=key, update_fields=fields)
