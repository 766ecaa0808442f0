"""The catalogue in memory, fetched once per published version."""

from functools import lru_cache

from django.db.models import Subquery, Value
from django.db.models.functions import Coalesce

from ..models.catalog import CatalogVersion, Component, Meter, PlanEntitlement, Price, RatePlan
from .values import Catalog, ComponentItem, FeatureItem, PlanItem, PriceItem

# Which version is on sale, for a statement that reads something else as well.
VERSION_ON_SALE = Coalesce(Subquery(CatalogVersion.objects.order_by("-pk").values("pk")[:1]), Value(0))


def current_catalog() -> Catalog:
    """Return the newest published catalogue. One statement to ask which it is; the rest only after a publication."""
    return catalog_at(CatalogVersion.objects.order_by("-pk").values_list("pk", flat=True).first() or 0)


@lru_cache(maxsize=2)
def catalog_at(version: int) -> Catalog:
    """Return the catalogue as of this version, which must be the newest: older versions are not kept whole."""
    prices: dict[str, dict[str, PriceItem]] = {}
    for price in Price.objects.filter(is_current=True):
        prices.setdefault(price.series, {})[price.interval] = PriceItem(
            price.pk, price.interval, price.currency, price.unit_amount_minor, price.stripe_price_id
        )
    components: dict[str, list[ComponentItem]] = {}
    for row in Component.objects.order_by("pk"):
        item = ComponentItem(row.name, row.kind, row.included, prices.get(row.price_series, {}))
        components.setdefault(row.rate_plan_id, []).append(item)
    features: dict[str, list[FeatureItem]] = {}
    for gives in PlanEntitlement.objects.order_by("pk"):
        feature = FeatureItem(gives.pk, gives.feature, gives.feature_set, gives.allocation, gives.value)
        features.setdefault(gives.rate_plan_id, []).append(feature)
    metered = set(Meter.objects.filter(rate_plan__isnull=False).values_list("rate_plan", flat=True))
    plans = {
        plan.pk: PlanItem(
            id=plan.pk,
            family_id=plan.family_id,
            public_name=plan.public_name,
            public_keys=tuple(plan.public_keys),
            scope=plan.scope,
            kind=plan.kind,
            rank=plan.rank if plan.rank is not None else 1,
            is_contract=plan.is_contract,
            externally_managed=plan.externally_managed,
            sets=tuple(plan.sets),
            prices=prices.get(plan.pk, {}),
            components=tuple(components.get(plan.pk, ())),
            features=tuple(features.get(plan.pk, ())),
            is_metered=plan.pk in metered,
        )
        for plan in RatePlan.objects.order_by("position")
    }
    aliases = {name.lower(): plan.id for plan in plans.values() for name in (plan.id, *plan.public_keys)}
    return Catalog(version=version, plans=plans, aliases=aliases)
