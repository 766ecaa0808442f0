"""Stage 3 of 4, Plan: decide what to write and what to ask of Stripe. Pure; sync_save.py does it."""

from hashlib import sha256

from ..catalog.values import ComponentItem, PlanItem, PriceItem
from ..objectproducts.phases import Phase
from ..payments.paths import BEHAVIOUR, PaymentPath, path_of
from .change_set import STRIPE, ChangeSet, ElementChange, PlannedLine, StripeCall
from .proration import period_containing
from .request import ChangeRequest
from .snapshot import Element, Snapshot
from .validate import Wish, consider

FREE_LICENSE = "USER:free"


def plan(request: ChangeRequest, snapshot: Snapshot) -> ChangeSet:
    """
    Return everything that turns `snapshot` into what `request` asks for.

    A purchase charges its first period in full, in advance, in minor units. What is so already comes back as the
    empty ChangeSet: clients repeat their requests.

    :raises AssertionError: Validate would have refused this request (a bug of the caller).
    """
    wish = consider(request, snapshot)
    assert wish.plan is not None, "Validate lets no unknown plan through"
    if wish.already_holds and not wish.changes_components:
        return _nothing(wish.element)
    if wish.plan.is_free:
        return _free(wish, wish.plan)
    assert wish.price is not None, "Validate lets no unsold frequency through"
    return _purchase(wish, wish.plan, wish.price)


def _nothing(element: Element | None) -> ChangeSet:
    phase = element.current if element else None
    return ChangeSet(
        path=PaymentPath.NOTHING_DUE,
        currency=phase.currency if phase else "",
        interval=phase.interval if phase else "",
        due_now_minor=0,
        period_start=None,
        period_end=None,
    )


def _free(wish: Wish, plan_item: PlanItem) -> ChangeSet:
    """The free tier is a row like any other, so that each zone always has one."""
    price = next(iter(plan_item.prices.values()))
    after = _phase(wish, plan_item, price, value=plan_item.id, rank=plan_item.rank, billed_quantity=1)
    element = _element_change(wish, plan_item.product, "enum", after, FREE_LICENSE, price, why="the free tier")
    return ChangeSet(
        path=PaymentPath.NOTHING_DUE,
        currency=price.currency,
        interval=price.interval,
        due_now_minor=0,
        period_start=None,
        period_end=None,
        elements=(element,),
    )


def _purchase(wish: Wish, plan_item: PlanItem, price: PriceItem) -> ChangeSet:
    tier = _phase(wish, plan_item, price, value=plan_item.id, rank=plan_item.rank, billed_quantity=1)
    elements = [_element_change(wish, plan_item.product, "enum", tier, STRIPE, price, why="bought")]
    lines = [_line(elements[0], f"{plan_item.public_name}", price)]
    for component, count in _bought_components(wish, plan_item):
        unit = component.prices[price.interval]
        extra = count - component.included
        phase = _phase(wish, plan_item, unit, value=count, rank=count, billed_quantity=extra)
        elements.append(_element_change(wish, component.name, "sum", phase, STRIPE, unit, why="bought with the plan"))
        lines.append(_line(elements[-1], f"{plan_item.public_name}: {component.name.replace('_', ' ')}", unit))

    due_now_minor = sum(line.amount_minor for line in lines)
    path = path_of(due_now_minor=due_now_minor, on_session=wish.request.on_session)
    method = wish.snapshot.default_method()
    return ChangeSet(
        path=path,
        currency=price.currency,
        interval=price.interval,
        due_now_minor=due_now_minor,
        period_start=tier.starts_at,
        period_end=tier.ends_at,
        elements=tuple(elements),
        lines=tuple(lines),
        calls=(_create_call(wish.request, lines, path, method.processor_id if method else ""),),
        method_id=method.id if method else "",
        method_processor_id=method.processor_id if method else "",
        claims=(f"object:{wish.request.object_id}", f"clock:{price.interval}"),
    )


def _create_call(
    request: ChangeRequest, lines: list[PlannedLine], path: PaymentPath, method_processor_id: str
) -> StripeCall:
    """The customer is added when it is known: a first purchase makes it."""
    behaviour = BEHAVIOUR[path]
    params: dict[str, object] = {
        "items": [{"price": line.stripe_price_id, "quantity": line.quantity} for line in lines],
        "payment_behavior": behaviour.payment_behavior,
        "billing_mode": {"type": "flexible"},
        "payment_settings": {"save_default_payment_method": "on_subscription"},
        "metadata": {"paygo_account": request.account_id, "paygo_workflow": request.id},
        "expand": ["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    }
    if behaviour.off_session:
        params["off_session"] = True
    if method_processor_id:
        params["default_payment_method"] = method_processor_id
    return StripeCall("subscriptions.create", params)


def _phase(
    wish: Wish, plan_item: PlanItem, price: PriceItem, *, value: str | int, rank: int, billed_quantity: int
) -> Phase:
    """A paid phase ends with its first period; what is free goes on until something changes it."""
    starts_at = wish.request.requested_at.replace(microsecond=0)
    is_paid = price.unit_amount_minor > 0
    return Phase(
        value=value,
        rank=rank,
        rate_plan_id=plan_item.id,
        price_id=price.id,
        interval=price.interval,
        unit_amount_minor=price.unit_amount_minor,
        billed_quantity=billed_quantity,
        currency=price.currency,
        starts_at=starts_at,
        ends_at=period_containing(starts_at, price.interval, starts_at)[1] if is_paid else None,
    )


def _element_change(
    wish: Wish, product: str, kind: str, after: Phase, license_source: str, price: PriceItem, *, why: str
) -> ElementChange:
    request = wish.request
    current = wish.snapshot.element(request.object_id, product)
    plan_element = wish.element
    return ElementChange(
        ope_id=current.id if current else _id(request, product),
        is_new=current is None,
        object_kind=request.object_kind.value,
        object_id=request.object_id,
        product=product,
        kind=kind,
        subscription_id=plan_element.subscription_id if plan_element else _id(request, "subscription"),
        before=current.current if current else None,
        after=after,
        license_source=license_source,
        stripe_price_id=price.stripe_price_id,
        why=why,
    )


def _line(element: ElementChange, description: str, price: PriceItem) -> PlannedLine:
    phase = element.after
    return PlannedLine(
        ope_id=element.ope_id,
        description=description,
        price_id=price.id,
        stripe_price_id=price.stripe_price_id,
        quantity=phase.billed_quantity,
        unit_amount_minor=phase.unit_amount_minor,
        amount_minor=phase.amount_minor,
    )


def _bought_components(wish: Wish, plan_item: PlanItem) -> list[tuple[ComponentItem, int]]:
    """The components of which more is wanted than the plan includes."""
    wanted = {component.name: component.value for component in wish.request.components}
    return [
        (component, wanted[component.name])
        for component in plan_item.components
        if wanted.get(component.name, component.included) > component.included
    ]


def _id(request: ChangeRequest, what: str) -> str:
    """An identifier that planning the same request again gives again."""
    return sha256(f"{request.id}:{request.object_id}:{what}".encode()).hexdigest()[:32]
