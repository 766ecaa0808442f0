"""From what an account owns to what it may use: OPEs, reduced to values, through derive to provision."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from accounts.journal import Fact
from accounts.models import SubsAccount
from entitlements.derive import Basis, Feature, Owned, Restrictions, derive
from entitlements.provision import provision

from .catalog.lookup import VERSION_ON_SALE, catalog_at
from .catalog.values import Catalog
from .changes_calculator.licences import FREE_LICENSE, is_billed
from .models.objectproducts import Ope
from .objectproducts.state import OpeState

# The feature that more of a component raises.
FEATURE_OF_COMPONENT = {"page_rules": "rules.page_rules"}


def entitle(
    account_id: str, opes: Iterable[Ope], *, now: datetime, object_ids: Collection[str] | None = None
) -> Fact | None:
    """
    Bring the account's entitlements in line with these, all of its live OPEs; return the fact to journal, if any.

    With `object_ids`, those that these objects give alone, and `opes` are all of theirs: what a change costs must not
    grow with what else the account owns.
    In the caller's transaction, under the account's lock. Four statements at most; safe to repeat.
    """
    profile: Any = SubsAccount.objects.annotate(catalog_version=VERSION_ON_SALE).get(account=account_id)
    catalog = catalog_at(profile.catalog_version)
    restrictions = Restrictions(has_bad_debt=profile.has_bad_debt, is_banned=profile.banned_at is not None)
    live = list(opes)
    paid = {ope.subscription_id: ope for ope in live if is_billed(ope.license_source_id)}
    owned = [entry for ope in live if (entry := _owned(ope, paid.get(ope.subscription_id))) is not None]
    features = {
        plan.id: tuple(Feature(item.feature, item.allocation, item.value) for item in plan.features)
        for plan in catalog.plans.values()
    }
    zone_ids = None if object_ids is None else {"" if each == account_id else each for each in object_ids}
    return provision(
        account_id, derive(owned, restrictions, features, _free_plans(catalog)), now=now, zone_ids=zone_ids
    )


def _owned(ope: Ope, paid: Ope | None) -> Owned | None:
    """Return the OPE as access sees it; a plan that costs nothing by itself is paid for by what is `paid` of it."""
    if ope.state in {OpeState.DELETED, OpeState.PENDING}:
        return None
    phase = ope.current
    feature = FEATURE_OF_COMPONENT.get(ope.product)
    if ope.kind == Ope.Kind.SUM and feature is None:
        return None
    return Owned(
        ope_id=ope.pk,
        zone_id=ope.object_id if ope.object_kind == "zone" else "",
        rate_plan_id=phase.rate_plan_id,
        rank=phase.rank,
        basis=_basis(ope, paid),
        starts_at=phase.starts_at,
        ends_at=phase.ends_at or (paid.current.ends_at if paid and ope.license_source_id == FREE_LICENSE else None),
        counts=(feature, int(phase.value)) if ope.kind == Ope.Kind.SUM and feature else None,
    )


def _basis(ope: Ope, paid: Ope | None) -> Basis:
    if is_billed(ope.license_source_id):
        return Basis.PAID
    if ope.license_source_id != FREE_LICENSE:
        return Basis.LICENCE
    return Basis.FREE if paid is None or ope.current.rank == 0 else Basis.PAID


def _free_plans(catalog: Catalog) -> dict[str, str]:
    free = {plan.family_id: plan.id for plan in catalog.plans.values() if plan.is_free}
    return {
        plan.id: free[plan.family_id]
        for plan in catalog.plans.values()
        if plan.family_id in free and plan.kind == "enum"
    }
