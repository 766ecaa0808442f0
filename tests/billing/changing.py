"""The changes whose crash points are tried: each as an account before it, the act, and what must be so in the end."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from accounts.models import Account, SubsAccount, Zone
from billing.add_zone import add_zone
from billing.buy_cart import buy_cart
from billing.changes_calculator.apply_scheduled import apply_due
from billing.changes_calculator.request import ComponentValue, ObjectKind, PaymentDeclined, Want
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.scheduled import NothingScheduled, take_back
from billing.changes_calculator.submit import submit
from billing.changes_calculator.tidy import tidy_due
from billing.models.changes import ChangeWorkflow
from billing.models.objectproducts import Ope
from billing.payments.methods import store_test_card
from config import clock
from tests.billing.people import DECLINED, GOOD, NEEDS_3DS, customer, wish
from tests.guard import unguarded
from tests.outside import Sandbox
from tests.parts import put_leftovers_to_sleep


@dataclass
class World:
    """An account with a zone, and what a change wants to remember."""

    sandbox: Sandbox
    account: Account
    zone: Zone
    others: list[Zone] = field(default_factory=list)
    key: str = field(default_factory=lambda: uuid4().hex)

    def owned(self, zone: Zone | None = None) -> Ope:
        return Ope.objects.get(
            object_id=(zone or self.zone).pk, product="zone_plans", account=self.account, deleted_date__isnull=True
        )

    @property
    def plan(self) -> str:
        return str(self.owned().current.value)

    @property
    def scheduled(self) -> str:
        phase = self.owned().scheduled
        return str(phase.value) if phase else ""

    def buy(self, plan_name: str, zone: Zone | None = None, **details: object) -> None:
        submit(wish(self.account, zone or self.zone, plan_name, **details))  # type: ignore[arg-type]

    def add_zone(self) -> Zone:
        zone = add_zone(self.account.pk, name=f"{uuid4().hex[:12]}.example", actor="system:tests", now=clock.now())
        self.others.append(zone)
        return zone

    def confirm(self) -> None:
        """The customer completes what their bank asks, whatever waits for it; then the workers look."""
        for workflow in ChangeWorkflow.objects.filter(account=self.account, step="awaiting_payment"):
            with suppress(AssertionError):  # completed before
                said = {"client_secret": workflow.client_secret, "outcome": "complete"}
                is_for_method = workflow.client_secret.startswith("seti_")
                self.sandbox.post("/_sandbox/authenticate", said | ({"card": "visa"} if is_for_method else {}))

    def end_of_period(self):  # type: ignore[no-untyped-def]
        end = self.owned().current.ends_at
        assert end is not None
        return end


@dataclass(frozen=True, slots=True)
class Change:
    """
    One kind of change. `act` may be asked again after a death, as clients and workers do; then `is_done` must hold.

    `later` is how long after now the workers look that take it up.
    """

    name: str
    prepare: Callable[[World], object]
    act: Callable[[World], object]
    is_done: Callable[[World], bool]
    card: str | None = GOOD
    later: Callable[[World], timedelta] = lambda _world: timedelta(minutes=10)

    def world(self, sandbox: Sandbox) -> World:
        """Return an account that stands before this change; for the workers there is no other."""
        put_leftovers_to_sleep()
        account, zone = customer(card=self.card)
        world = World(sandbox, account, zone)
        self.prepare(world)
        return world


def nothing(_world: World) -> None:
    """A new account."""


def owns(plan_name: str) -> Callable[[World], None]:
    return lambda world: world.buy(plan_name)


def shrinks(world: World, plan_name: str = "free") -> None:
    """Owns Business, and less is scheduled."""
    world.buy("business")
    world.buy(plan_name)


def is_told(world: World) -> None:
    """What is scheduled is known to Stripe."""
    shrinks(world, "pro")
    apply_due(now=world.end_of_period() - timedelta(hours=5))


def left_an_item_empty(world: World) -> None:
    """Two zones moved on from Pro, whose item bills nothing now."""
    world.buy("pro")
    second = world.add_zone()
    world.buy("business", second)
    world.buy("business")


def buys_with_3ds(world: World) -> None:
    world.buy("pro")
    world.confirm()
    resume_due(now=clock.now() + timedelta(minutes=10))


def must_give_a_method(world: World) -> None:
    """Owns Pro; what is stored may not be charged."""
    world.buy("pro")
    with unguarded():
        SubsAccount.objects.filter(pk=world.account.pk).update(payment_method_required_at=clock.now())


def gives_a_method(world: World) -> None:
    world.buy("business")
    world.confirm()
    resume_due(now=clock.now() + timedelta(minutes=10))


def declined(world: World) -> None:
    with suppress(PaymentDeclined):
        world.buy("pro")


def cart(world: World) -> None:
    wants = tuple(Want(ObjectKind.ZONE, each.pk, "pro", "monthly") for each in (world.zone, *world.others))
    buy_cart(wish(world.account, world.zone, wants=wants), key=world.key)


def left_behind(world: World) -> None:
    """Somebody died right after the first commit of a purchase."""
    from tests.crash_points import boundaries, raise_at

    names = boundaries(lambda: None)
    assert names == []
    raise_at(lambda: world.buy("pro"), 2)


def taken_back(world: World) -> None:
    with suppress(NothingScheduled):
        take_back(
            world.account.pk,
            world.owned().subscription_id,
            actor="system:tests",
            now=world.end_of_period() - timedelta(hours=1),
        )


def before_end(hours: float) -> Callable[[World], timedelta]:
    return lambda world: world.end_of_period() - timedelta(hours=hours) - clock.now()


def more_rules(world: World) -> None:
    world.buy("pro", components=(ComponentValue("page_rules", 30),))


def waits_for_pro(world: World) -> None:
    """A purchase waits for the bank, and the next card needs none."""
    world.buy("pro")
    store_test_card(world.account.pk, number=GOOD, actor="system:tests", now=clock.now())


def closes_for_another(world: World) -> None:
    """Stripe knows what shrinks on the clock; another zone is free."""
    is_told(world)
    world.add_zone()


CHANGES = (
    Change("create", nothing, lambda w: w.buy("pro"), lambda w: w.plan == "pro"),
    Change("create without a customer", nothing, lambda w: (w.buy("pro"), w.confirm()), lambda w: w.plan in {"pro", "free"}, card=None),
    Change("create, 3DS", nothing, buys_with_3ds, lambda w: w.plan == "pro", card=NEEDS_3DS),
    Change("create, declined", nothing, declined, lambda w: w.plan == "free", card=DECLINED),
    Change("upgrade", owns("pro"), lambda w: w.buy("business"), lambda w: w.plan == "business"),
    Change("upgrade, method first", must_give_a_method, gives_a_method, lambda w: w.plan == "business"),
    Change("more of a component", owns("pro"), more_rules, lambda w: Ope.objects.filter(account=w.account, product="page_rules").count() == 1),
    Change("cart", lambda w: w.add_zone(), cart, lambda w: [w.plan, w.owned(w.others[0]).current.value] == ["pro", "pro"]),
    Change("resume", left_behind, lambda _w: resume_due(now=clock.now()), lambda w: w.plan == "pro"),
    Change("downgrade", owns("business"), lambda w: w.buy("pro"), lambda w: (w.plan, w.scheduled) == ("business", "pro")),
    Change("cancel", owns("pro"), lambda w: w.buy("free"), lambda w: (w.plan, w.scheduled) == ("pro", "free")),
    Change("SSLC told", shrinks, lambda w: apply_due(now=w.end_of_period() - timedelta(hours=5)), lambda w: w.plan == "business", later=before_end(4)),
    Change("SSLC taken back", is_told, taken_back, lambda w: (w.plan, w.scheduled) == ("business", ""), later=before_end(0.9)),
    Change("tidy", left_an_item_empty, lambda _w: tidy_due(now=clock.now() + timedelta(seconds=31)), lambda w: w.plan == "business"),
    Change("monthly to yearly", owns("pro"), lambda w: w.buy("pro", interval_name="yearly"), lambda w: w.owned().current.interval == "year"),
    Change("yearly to monthly", lambda w: w.buy("pro", interval_name="yearly"), lambda w: w.buy("pro"), lambda w: w.owned().current.interval == "year" and w.scheduled == "pro"),
    Change("makes way", waits_for_pro, lambda w: w.buy("business", supersedes=True), lambda w: w.plan == "business", card=NEEDS_3DS),
    Change("opened again", closes_for_another, lambda w: w.buy("pro", w.others[0]), lambda w: w.owned(w.others[0]).current.value == "pro"),
)  # fmt: skip
