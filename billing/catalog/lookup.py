"""The catalogue in memory: values that the pure stages read, fetched once per published version."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..models.catalog import CatalogVersion, Component, PlanEntitlement, Price, RatePlan


@dataclass(frozen=True, slots=True)
class PriceItem:
    """A price on sale: minor units per unit and interval, and its id at Stripe (empty: not published there)."""

    id: str
    interval: str
    currency: str
    unit_amount_minor: int
    stripe_price_id: str


@dataclass(frozen=True, slots=True)
class ComponentItem:
    """A countable part of a plan; `prices` by interval, empty when no more than `included` can be had."""

    name: str
    kind: str
    included: int
    prices: dict[str, PriceItem]


@dataclass(frozen=True, slots=True)
class FeatureItem:
    """What a plan gives."""

    id: int
    feature: str
    feature_set: str
    allocation: str
    value: Any


@dataclass(frozen=True, slots=True)
class PlanItem:
    """A plan or add-on as it is sold today; `prices` by interval."""

    id: str
    family_id: str
    public_name: str
    public_keys: tuple[str, ...]
    scope: str
    kind: str
    rank: int
    is_contract: bool
    externally_managed: bool
    sets: tuple[str, ...]
    prices: dict[str, PriceItem]
    components: tuple[ComponentItem, ...]
    features: tuple[FeatureItem, ...]

    @property
    def product(self) -> str:
        """The slot it fills on its object: tiers of one family share a slot, an add-on has its own."""
        return self.family_id if self.kind == RatePlan.Kind.ENUM else self.id

    @property
    def is_free(self) -> bool:
        return self.rank == 0


@dataclass(frozen=True, slots=True)
class Catalog:
    """One published version of the catalogue."""

    version: int
    plans: dict[str, PlanItem]
    aliases: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> PlanItem | None:
        """Return the plan that somebody calls `name`: its id or one of its public keys, in any case."""
        return self.plans.get(self.aliases.get(name.lower(), ""))

    def tiers(self, family_id: str) -> list[PlanItem]:
        """Return the tiers of a family, lowest first."""
        tiers = (plan for plan in self.plans.values() if plan.family_id == family_id and plan.kind == RatePlan.Kind.ENUM)
        return sorted(tiers, key=lambda plan: plan.rank)


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
        )
        for plan in RatePlan.objects.order_by("position")
    }
    aliases = {name.lower(): plan.id for plan in plans.values() for name in (plan.id, *plan.public_keys)}
    return Catalog(version=version, plans=plans, aliases=aliases)
