"""What Plan decides: every write and call of a change, as data that a workflow row can keep. Pure."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ..objectproducts.phases import Phase
from ..payments.paths import PaymentPath

STRIPE = "stripe"
"""The licence of an element that Stripe bills: its source is known when the subscription is."""


@dataclass(frozen=True, slots=True)
class ElementChange:
    """
    One OPE before and after; `after` None: it goes. `license_source` is STRIPE or an explicit licence (USER:free).
    `replaces_scheduled`: something of its subscription waits for the end of the period, and waits no longer.
    `later` is what follows `after` by itself, for what no Stripe subscription bills.
    """

    ope_id: str
    is_new: bool
    object_kind: str
    object_id: str
    product: str
    kind: str
    subscription_id: str
    before: Phase | None
    after: Phase | None
    license_source: str
    why: str
    replaces_scheduled: bool = False
    later: Phase | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the change as a workflow keeps it."""
        return {
            **asdict(self),
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json() if self.after else None,
            "later": self.later.to_json() if self.later else None,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "ElementChange":
        """Return the change that `to_json` stored."""
        phases = {
            name: Phase.from_json(stored[name]) if stored.get(name) else None for name in ("before", "after", "later")
        }
        return cls(**{**stored, **phases})


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One invoice line, in minor units, rounded once."""

    ope_id: str
    description: str
    price_id: str
    stripe_price_id: str
    quantity: int
    unit_amount_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class StripeCall:
    """One call with its exact parameters, and the object it is about: a repeat sends the same, byte for byte."""

    operation: str
    params: dict[str, Any]
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """
    The whole change. Nothing in `elements`: what is asked for is so already, and there is nothing to do.

    `scheduled` waits for the end of the period and is never charged now. `schedule_id` is the clock that the change
    joins, empty when it starts one or needs none. `due_now_minor` is what is charged now, before tax; periods are
    half-open and in business time (Stripe's own answer replaces them at the commit where Stripe begins the clock).
    `emptied` are the items at Stripe, by price, that bill nothing once it is paid; `refilled` the prices of items that
    billed nothing before it; `left` the other clocks that billed something of it until now.
    `credit_uses` are the credits that pay for a part of it (id, minor units); `due_now_minor` is what they leave.
    """

    path: PaymentPath
    currency: str
    interval: str
    due_now_minor: int
    period_start: datetime | None
    period_end: datetime | None
    elements: tuple[ElementChange, ...] = ()
    scheduled: tuple[ElementChange, ...] = ()
    lines: tuple[PlannedLine, ...] = ()
    calls: tuple[StripeCall, ...] = ()
    schedule_id: str = ""
    method_id: str = ""
    method_processor_id: str = ""
    claims: tuple[str, ...] = ()
    credit_uses: tuple[tuple[str, int], ...] = ()
    emptied: dict[str, str] = field(default_factory=dict)
    refilled: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.elements and not self.scheduled

    @property
    def zone_ids(self) -> list[str]:
        """The zones that get something by it."""
        return [e.object_id for e in self.elements if e.object_kind == "zone" and e.after is not None]

    def values_before(self) -> dict[str, str | None]:
        """Return what the changed OPEs were worth before, by id; None: they did not exist."""
        return {e.ope_id: _worth(e, e.before) for e in self.elements}

    def values_after(self) -> dict[str, str | None]:
        """Return what the changed OPEs are worth after it, by id; None: they are gone."""
        return {e.ope_id: _worth(e, e.after) for e in self.elements}

    def to_json(self) -> dict[str, Any]:
        """Return the change as a workflow keeps it."""
        stored = asdict(self)
        for name in ("period_start", "period_end"):
            stored[name] = stored[name].isoformat() if stored[name] else None
        stored["path"] = self.path.value
        stored["elements"] = [element.to_json() for element in self.elements]
        stored["scheduled"] = [element.to_json() for element in self.scheduled]
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "ChangeSet":
        """Return the change that `to_json` stored."""
        return cls(
            path=PaymentPath(stored["path"]),
            currency=stored["currency"],
            interval=stored["interval"],
            due_now_minor=stored["due_now_minor"],
            period_start=_time(stored["period_start"]),
            period_end=_time(stored["period_end"]),
            elements=tuple(ElementChange.from_json(element) for element in stored["elements"]),
            scheduled=tuple(ElementChange.from_json(element) for element in stored["scheduled"]),
            lines=tuple(PlannedLine(**line) for line in stored["lines"]),
            calls=tuple(StripeCall(**call) for call in stored["calls"]),
            schedule_id=stored["schedule_id"],
            method_id=stored["method_id"],
            method_processor_id=stored["method_processor_id"],
            claims=tuple(stored["claims"]),
            credit_uses=tuple((credit_id, part_minor) for credit_id, part_minor in stored.get("credit_uses", ())),
            emptied=stored["emptied"],
            refilled=tuple(stored["refilled"]),
            left=tuple(stored.get("left", ())),
        )


def _worth(element: ElementChange, phase: Phase | None) -> str | None:
    """What the journal says of a value; of a domain its plan: the name may be somebody's own."""
    if phase is None:
        return None
    return phase.rate_plan_id if element.object_kind == "domain" else str(phase.value)


def _time(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
