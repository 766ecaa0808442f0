"""What an account may use, derived from what it owns. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Basis(StrEnum):
    """Why a feature is granted; stored."""

    FREE = "free"
    PAID = "paid"
    RENEWAL_DUE = "renewal_due"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Feature:
    """What the catalogue says that a plan gives."""

    key: str
    allocation: str
    value: Any


@dataclass(frozen=True, slots=True)
class Owned:
    """
    A live OPE, reduced to what access depends on. `zone_id` is empty for the whole account.

    `counts` is set for a bought component: the feature it raises, and to how many.
    """

    ope_id: str
    zone_id: str
    rate_plan_id: str
    rank: int
    basis: Basis
    starts_at: datetime
    ends_at: datetime | None
    counts: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What the account's debt takes away: paid features, all of them."""

    has_bad_debt: bool
    is_banned: bool

    @property
    def take_paid_features(self) -> bool:
        return self.has_bad_debt or self.is_banned


@dataclass(frozen=True, slots=True)
class Grant:
    """One feature that may be used."""

    zone_id: str
    feature: str
    allocation: str
    value: Any
    basis: Basis
    source_ope_id: str
    valid_from: datetime
    valid_until: datetime | None


def derive(
    owned: Iterable[Owned],
    restrictions: Restrictions,
    features: Mapping[str, tuple[Feature, ...]],
    free_plan_of: Mapping[str, str],
) -> dict[tuple[str, str], Grant]:
    """
    Return what may be used, by (zone or empty, feature).

    A restricted account keeps what is free: a paid plan gives what `free_plan_of` it gives, or nothing. Of two
    that give the same feature the higher rank counts; a bought component then raises its feature's count.
    """
    held = list(owned)
    grants: dict[tuple[str, str], Grant] = {}
    for ope in sorted(held, key=lambda ope: (ope.rank, ope.ope_id)):
        if ope.counts is None:
            for feature in features.get(_plan_in_force(ope, restrictions, free_plan_of), ()):
                grants[ope.zone_id, feature.key] = _grant(ope, feature, feature.value)
    for ope in held:
        if ope.counts is not None and not restrictions.take_paid_features:
            key, count = ope.counts
            base = grants.get((ope.zone_id, key))
            if base is not None and base.allocation == "max_count":
                grants[ope.zone_id, key] = _grant(ope, Feature(key, base.allocation, count), max(count, base.value))
    return grants


def _plan_in_force(ope: Owned, restrictions: Restrictions, free_plan_of: Mapping[str, str]) -> str:
    if ope.basis is not Basis.FREE and restrictions.take_paid_features:
        return free_plan_of.get(ope.rate_plan_id, "")
    return ope.rate_plan_id


def _grant(ope: Owned, feature: Feature, value: Any) -> Grant:
    return Grant(
        zone_id=ope.zone_id,
        feature=feature.key,
        allocation=feature.allocation,
        value=value,
        basis=ope.basis,
        source_ope_id=ope.ope_id,
        valid_from=ope.starts_at,
        valid_until=ope.ends_at,
    )
