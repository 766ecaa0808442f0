"""What billing's states are called when people read them, and in which colour. Pure."""

from typing import Any

from billing.changes_calculator.steps import Step
from billing.invoicing.states import InvoiceStatus
from billing.objectproducts.phases import Phase
from billing.objectproducts.state import OpeState
from config.panel.cells import Tone, money

STATES: dict[OpeState, tuple[Tone, str]] = {
    OpeState.DELETED:             (Tone.QUIET,   "it was removed"),
    OpeState.CHANGING:            (Tone.WAITING, "a change holds it; until that ends the current value is owned"),
    OpeState.PENDING:             (Tone.WAITING, "it waits to be billed"),
    OpeState.CANCEL_SCHEDULED:    (Tone.WAITING, "it ends with the period"),
    OpeState.DOWNGRADE_SCHEDULED: (Tone.WAITING, "it becomes smaller with the next period"),
    OpeState.GRANTED:             (Tone.INFO,    "it was given; Stripe does not bill it"),
    OpeState.ACTIVE:              (Tone.GOOD,    "it is billed by Stripe"),
}  # fmt: skip

STEPS: dict[Step, tuple[Tone, str]] = {
    Step.PLANNED:          (Tone.WAITING, "written down, nothing asked of Stripe yet"),
    Step.PAYING:           (Tone.WAITING, "the payment is being asked for"),
    Step.AWAITING_PAYMENT: (Tone.WAITING, "the customer must confirm the payment"),
    Step.STOPPING:         (Tone.WAITING, "being given up; Stripe is told so"),
    Step.REFUNDING:        (Tone.WAITING, "paid, but it can't be made; the money is going back"),
    Step.COMMITTED:        (Tone.GOOD,    "paid for and in effect"),
    Step.DECLINED:         (Tone.BAD,     "the payment was declined; nothing changed"),
    Step.EXPIRED:          (Tone.QUIET,   "the payment was not confirmed in time; nothing changed"),
    Step.ABANDONED:        (Tone.QUIET,   "given up; nothing changed"),
    Step.REFUNDED:         (Tone.BAD,     "paid, but it could not be made; the money went back"),
}  # fmt: skip

INVOICES: dict[InvoiceStatus, Tone] = {
    InvoiceStatus.DRAFT:         Tone.QUIET,
    InvoiceStatus.OPEN:          Tone.WAITING,
    InvoiceStatus.PAID:          Tone.GOOD,
    InvoiceStatus.UNCOLLECTIBLE: Tone.BAD,
    InvoiceStatus.VOID:          Tone.QUIET,
}  # fmt: skip

# Who bills an OPE, by what its license source begins with.
LICENCES = {
    "sub_":      "Stripe, each period",
    "in_":       "Stripe, once",
    "ADMIN:":    "nobody, an agent gave it",
    "USER:":     "nobody, it is free",
    "CONTRACT:": "a contract",
    "PENDING:":  "nobody yet",
}  # fmt: skip


def licence_in_words(license_source_id: str) -> str:
    """Return who bills an OPE."""
    return next((words for prefix, words in LICENCES.items() if license_source_id.startswith(prefix)), "unknown")


def billed(phase: Phase) -> str:
    """Return what a phase costs: `$25.00 / month`, `no charge`, or `$5.00 / month for 2`."""
    if phase.amount_minor == 0:
        return "no charge"
    price = f"{money(phase.amount_minor, phase.currency)} / {phase.interval}"
    return f"{price} for {phase.billed_quantity}" if phase.billed_quantity > 1 else price


def request_in_words(request: dict[str, Any]) -> str:
    """Return what a change asked for: `pro, monthly, for the zone`; several are told apart by semicolons."""
    return "; ".join(_want_in_words(want) for want in request["wants"])


def _want_in_words(want: dict[str, Any]) -> str:
    interval = f", {want['interval_name']}" if want["interval_name"] else ""
    parts = "".join(f", {value} × {name}" for name, value in want["components"].items())
    return f"{want['plan_name']}{interval}{parts} for the {want['object_kind']}"
