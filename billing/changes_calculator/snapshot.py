"""What Gather found: everything the pure stages may know. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..catalog.values import Catalog
from ..invoicing.spending import Spendable
from ..objectproducts.phases import Phase
from ..objectproducts.state import OpeState
from .proration import period_containing

# So long before its end a period is as it is: what waits for the end is being made.
LAST_CALL = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Element:
    """A live OPE of the account."""

    id: str
    object_kind: str
    object_id: str
    product: str
    kind: str
    subscription_id: str
    current: Phase
    scheduled: Phase | None
    license_source_id: str
    state: OpeState


@dataclass(frozen=True, slots=True)
class Method:
    """A usable payment method. `is_tired`: its card failed so often lately that its network forbids to try it again."""

    id: str
    processor_id: str
    is_default: bool
    is_tired: bool = False


@dataclass(frozen=True, slots=True)
class EmptyItem:
    """An item at Stripe that bills nothing: to be filled again, or gone in a moment (`is_going`)."""

    price_id: str
    item_id: str
    is_going: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    A live billing clock of the account; while one runs, further purchases of its interval join it.

    A customer has one clock per interval, and another of the same anchor only beyond Stripe's limits (`clocks.py`);
    `invoices_today` are those made for it within a day. `is_closing`: Stripe has been told what shrinks at the end of
    this period, and bills for less than we still give.
    """

    id: str
    interval: str
    anchor_at: datetime
    next_at: datetime
    stripe_subscription_id: str
    is_closing: bool = False
    empty_items: tuple[EmptyItem, ...] = ()
    invoices_today: int = 0
    is_left: bool = False

    @property
    def is_tidied(self) -> bool:
        """Whether items are being taken off this moment, so that Stripe must not be asked for anything else."""
        return self.is_left or any(item.is_going for item in self.empty_items)

    def is_closed_at(self, at: datetime) -> bool:
        """Whether nothing can grow on it any more before the next period: Stripe is told of the end, which is near."""
        return self.is_closing and at > self.next_at - LAST_CALL

    def period_at(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the period that contains `at`, counted from the anchor."""
        return period_containing(self.anchor_at, self.interval, at)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unfinished change and what it claims. `is_for_customer`: until they pay, nobody is working on it."""

    workflow_id: str
    request_digest: str
    resources: frozenset[str]
    is_for_customer: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    The account as it stands under its lock.

    `product_sets`: which plans that are not for everybody it may buy. `owed_by_former_owners`: those zones of the
    request whose domain another account had before that still owes money.
    """

    account_id: str
    account_is_contract: bool
    is_banned: bool
    has_bad_debt: bool
    owes_open_invoice: bool
    owned_objects: frozenset[str]
    stripe_customer_id: str
    catalog: Catalog
    methods: tuple[Method, ...] = ()
    needs_method: bool = False
    elements: tuple[Element, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    credits: tuple[Spendable, ...] = ()
    is_closed: bool = False
    product_sets: frozenset[str] = frozenset()
    owed_by_former_owners: frozenset[str] = frozenset()

    @property
    def owes(self) -> bool:
        """Whether nothing may grow: an invoice is unpaid, or the debt flag stands."""
        return self.has_bad_debt or self.owes_open_invoice

    def element(self, object_id: str, product: str) -> Element | None:
        """Return what fills a slot of an object now."""
        return next((e for e in self.elements if (e.object_id, e.product) == (object_id, product)), None)

    def components(self, object_id: str, subscription_id: str) -> list[Element]:
        """Return the bought components that hang on one subscription of an object."""
        return [
            e for e in self.elements if (e.object_id, e.subscription_id, e.kind) == (object_id, subscription_id, "sum")
        ]

    def schedule(self, interval: str) -> Schedule | None:
        """Return the clock of this interval that runs, if one does."""
        return next((schedule for schedule in self.schedules if schedule.interval == interval), None)

    def default_method(self) -> Method | None:
        """Return the method to charge: the default one, if it is usable."""
        return next((method for method in self.methods if method.is_default), None)
