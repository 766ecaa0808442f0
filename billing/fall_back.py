"""What was to be bought by itself was not paid: what is free takes its place, and the customer is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from accounts import journal
from accounts.lock import account_lock
from accounts.notices.tell import tell

from .catalog.lookup import current_catalog
from .catalog.values import Catalog
from .changes_calculator.apply_scheduled import finish
from .changes_calculator.save import save_phases
from .models.objectproducts import Ope
from .models.scheduled import Sslc
from .objectproducts.phases import Phase


def fall_back(sslc: Sslc, opes: Sequence[Ope], *, notice: str, kind: str, code: str, now: datetime) -> None:
    """
    End these OPEs with what is free, in one transaction with the notice and a journal entry of this kind.

    `code` says why nothing was bought.
    """
    catalog = current_catalog()
    chosen = [ope.scheduled for ope in opes if ope.scheduled and ope.scheduled.rank > 0]
    facts = {
        "what": catalog.plans[chosen[0].rate_plan_id].public_name,
        "due_minor": sum(phase.amount_minor for phase in chosen),
        "currency": chosen[0].currency,
        "ends_at": sslc.applies_at.isoformat(),
    }
    with account_lock(sslc.account_id):
        for ope in opes:
            ope.value_phases = [ope.value_phases[0], free_phase(ope, catalog, now).to_json()]
        save_phases(opes)
        tell(sslc.account_id, notice, about=sslc.pk, facts=facts, now=now)
        after = {"subscription_id": sslc.subscription_id, "opes": sslc.ope_ids, "code": code}
        fact = journal.Fact(kind, sslc.account_id, "system:billing", cause=sslc.pk, after=after)
        journal.emit(fact, at=now)
        finish(sslc, now=now)


def free_phase(ope: Ope, catalog: Catalog, now: datetime) -> Phase:
    """Return what a tier falls back to, the empty value for anything else."""
    ended = replace(ope.current, rank=0, starts_at=now, ends_at=None, billed_quantity=0, value=0)
    plan = catalog.plans[ope.current.rate_plan_id]
    free = next((tier for tier in catalog.tiers(plan.family_id) if tier.is_free), None)
    if ope.kind != Ope.Kind.ENUM or plan.kind != "enum" or free is None:
        return ended
    price = next(iter(free.prices.values()))
    return replace(
        ended,
        value=free.id,
        rate_plan_id=free.id,
        price_id=price.id,
        stripe_price_id=price.stripe_price_id,
        interval=price.interval,
        unit_amount_minor=price.unit_amount_minor,
        billed_quantity=1,
    )
