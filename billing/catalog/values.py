"""The catalogue as values that the pure stages read. Pure."""

from dataclasses import dataclass, field
from typing import Any

ENUM = "enum"


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
    """A plan or add-on as it is sold today; `prices` by interval. `is_metered`: what is used of it is billed."""

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
    is_metered: bool = False

    @property
    def product(self) -> str:
        """The slot it fills on its object: tiers of one family share a slot, an add-on has its own."""
        return self.family_id if self.kind == ENUM else self.id

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
        tiers = (plan for plan in self.plans.values() if plan.family_id == family_id and plan.kind == ENUM)
        return sorted(tiers, key=lambda plan: plan.rank)
