"""
Domains: bought by the year and paid at once, by an invoice of their own. Pure: what Validate and Plan do for them.

Nobody buys a domain here: the registrar tells of it, and what it tells becomes a change like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from ..objectproducts.phases import Phase
from ..payments.paths import PaymentPath
from .change_set import STRIPE, ChangeSet, ElementChange, PlannedLine, StripeCall
from .request import ChangeRequest, Origin, Refusal, Registration, RegistrationWish, Want
from .snapshot import Element, Snapshot

INTERVAL = "year"


def domain_id(name: str) -> str:
    """Return the identifier under which a domain is an object of its account."""
    return sha256(f"domain:{name.lower()}".encode()).hexdigest()[:32]


def plan_name_of(name: str) -> str:
    """Return what the catalogue calls a domain of this ending: `registrar_com`, `registrar_co_uk`."""
    return f"registrar_{name.lower().partition('.')[2].replace('.', '_')}"


@dataclass(frozen=True, slots=True)
class DomainRule:
    """One reason to refuse, and what the customer is told."""

    code: str
    message: str
    refuses: Callable[["_Case"], bool]


@dataclass(frozen=True, slots=True)
class _Case:
    request: ChangeRequest
    snapshot: Snapshot
    want: Want
    registration: Registration
    element: Element | None

    @property
    def is_paid_for(self) -> bool:
        return self.registration.wish is RegistrationWish.PAID


# All that apply are answered, in this order.
RULES: tuple[DomainRule, ...] = (
    DomainRule(
        "account_closed",
        "The account is closed. Nothing is bought or renewed for it any more.",
        lambda case: case.is_paid_for and case.snapshot.is_closed,
    ),
    DomainRule(
        "account_banned",
        "This account is restricted because of unpaid invoices. Pay them to lift the restriction.",
        lambda case: case.is_paid_for and case.snapshot.is_banned,
    ),
    DomainRule(
        "outstanding_balance",
        "No domain can be added until the outstanding balance is paid.",
        lambda case: case.is_paid_for and case.element is None and case.snapshot.owes,
    ),
    DomainRule(
        "change_not_offered",
        "Domains are registered, renewed and ended at the registrar, not here.",
        lambda case: case.request.origin is not Origin.CF_QUEUES,
    ),
    DomainRule(
        "unknown_plan",
        "Domains with this ending are not sold.",
        lambda case: case.is_paid_for and case.snapshot.catalog.find(case.want.plan_name) is None,
    ),
    DomainRule(
        "change_in_flight",
        "Another change of this domain waits for its payment. Wait until it has ended.",
        lambda case: any(
            f"object:{case.want.object_id}" in waits.resources and waits.request_digest != case.request.digest()
            for waits in case.snapshot.waiting
        ),
    ),
)


def validate_domains(request: ChangeRequest, snapshot: Snapshot) -> tuple[Refusal, ...]:
    """Return every reason to refuse, in the order of RULES."""
    cases = _cases(request, snapshot)
    return tuple(Refusal(rule.code, rule.message) for rule in RULES if any(rule.refuses(case) for case in cases))


def plan_domains(request: ChangeRequest, snapshot: Snapshot) -> ChangeSet:
    """
    Return what the registrar's wish makes of a domain; the empty ChangeSet where that is so already.

    Paid for: the years up to the new expiry, in full, whatever else is on the account; its credits pay no domain.
    The phase runs until the domain expires. Not to be renewed: nothing follows then. Ended: it goes now.
    """
    (case,) = _cases(request, snapshot)
    if case.is_paid_for:
        return _bought(case)
    element = case.element
    if element is None:
        return _change_set(())
    if case.registration.wish is RegistrationWish.ENDED:
        return _change_set((_change(case, element, None, later=None, why="the domain has ended at the registrar"),))
    nothing = None if case.registration.wish is RegistrationWish.RENEWS else _nothing_after(element.current)
    if (element.scheduled is None) == (nothing is None):
        return _change_set(())
    why = "it is renewed by itself" if nothing is None else "it is not renewed any more"
    return _change_set((_change(case, element, element.current, later=nothing, why=why),))


def _bought(case: _Case) -> ChangeSet:
    """The years that are asked for, unless they are paid already."""
    registration, element = case.registration, case.element
    if element is not None and element.current.ends_at and element.current.ends_at >= registration.expires_at:
        return _change_set(())
    plan = case.snapshot.catalog.find(case.want.plan_name)
    assert plan is not None, "Validate lets no unknown plan through"
    price, method = plan.prices[INTERVAL], case.snapshot.default_method()
    at = case.request.requested_at.replace(microsecond=0)
    after = Phase(
        value=registration.domain,
        rank=1,
        rate_plan_id=plan.id,
        price_id=price.id,
        # No item of a subscription bills it: its invoice does, line by line.
        stripe_price_id="",
        interval=INTERVAL,
        unit_amount_minor=price.unit_amount_minor,
        billed_quantity=registration.years,
        currency=price.currency,
        starts_at=at,
        ends_at=registration.expires_at,
    )
    begins_at = element.current.ends_at if element is not None and element.current.ends_at else at
    change = _change(case, element, after, later=None, why=f"the registrar asks for {registration.years} years")
    line = PlannedLine(
        ope_id=change.ope_id,
        description=f"{registration.domain}: {_years(registration.years)}",
        price_id=price.id,
        stripe_price_id="",
        quantity=registration.years,
        unit_amount_minor=price.unit_amount_minor,
        amount_minor=after.amount_minor,
    )
    return replace(
        _change_set((replace(change, product=plan.product, license_source=STRIPE),)),
        path=PaymentPath.ONE_OFF,
        currency=price.currency,
        interval=INTERVAL,
        due_now_minor=line.amount_minor,
        period_start=begins_at,
        period_end=registration.expires_at,
        lines=(line,),
        calls=(StripeCall("invoices.create", _params(case.request, line, begins_at, registration.expires_at)),),
        method_id=method.id if method else "",
        method_processor_id=method.processor_id if method else "",
        claims=(f"object:{case.want.object_id}",),
    )


def _params(request: ChangeRequest, line: PlannedLine, begins_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """The invoice and its one line, as Stripe is to have them."""
    return {
        "metadata": {"paygo_account": request.account_id, "paygo_workflow": request.id},
        "line": {
            "amount": line.amount_minor,
            "description": line.description,
            "period": {"start": int(begins_at.timestamp()), "end": int(ends_at.timestamp())},
        },
    }


def _change(
    case: _Case, element: Element | None, after: Phase | None, *, later: Phase | None, why: str
) -> ElementChange:
    return ElementChange(
        ope_id=element.id if element else _id(case, "ope"),
        is_new=element is None,
        object_kind=case.want.object_kind.value,
        object_id=case.want.object_id,
        product=element.product if element else case.want.plan_name,
        kind="enum",
        subscription_id=element.subscription_id if element else _id(case, "subscription"),
        before=element.current if element else None,
        after=after,
        license_source=element.license_source_id if element else STRIPE,
        why=why,
        later=later,
    )


def _nothing_after(current: Phase) -> Phase:
    """The empty value, from the domain's expiry on."""
    at_expiry = current.ends_at or current.starts_at
    return replace(
        current, value=0, rank=0, unit_amount_minor=0, billed_quantity=0, starts_at=at_expiry, ends_at=None
    )  # fmt: skip


def _change_set(elements: tuple[ElementChange, ...]) -> ChangeSet:
    return ChangeSet(
        path=PaymentPath.NOTHING_DUE,
        currency="",
        interval=INTERVAL,
        due_now_minor=0,
        period_start=None,
        period_end=None,
        elements=elements,
    )


def _cases(request: ChangeRequest, snapshot: Snapshot) -> list[_Case]:
    return [
        _Case(request, snapshot, want, want.registration, _element(snapshot, want.object_id))
        for want in request.wants
        if want.registration is not None
    ]


def _element(snapshot: Snapshot, object_id: str) -> Element | None:
    return next((element for element in snapshot.elements if element.object_id == object_id), None)


def _id(case: _Case, what: str) -> str:
    return sha256(f"{case.request.id}:{case.want.object_id}:{what}".encode()).hexdigest()[:32]


def _years(years: int) -> str:
    return f"{years} year" if years == 1 else f"{years} years"
