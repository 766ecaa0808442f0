"""What the brain knows of an account: one field for each store's claim, gathered and never guessed. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.payments.declines import DeclineClass


class Debt(StrEnum):
    """How an invoice stands, as far as debt goes; drafts and void invoices are none."""

    OPEN = "open"
    UNCOLLECTIBLE = "uncollectible"
    PAID = "paid"


class DunningStatus(StrEnum):
    """What an account's debt means; stored in `subs_dunning.status`."""

    CLEAR = "clear"
    REMINDED = "reminded"
    RETRYING = "retrying"
    ACTION_REQUIRED = "action_required"
    BAD_DEBT = "bad_debt"


@dataclass(frozen=True, slots=True)
class Failure:
    """One charge that did not go through, when it was made, and what its decline means."""

    at: datetime
    decline_class: DeclineClass


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a processor did not answer, `[started_at, ended_at)`; `ended_at` None: it lasts."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method that is not deleted. `usable_since`: when it was added, or last became good to charge again."""

    id: str
    is_usable: bool
    usable_since: datetime


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """
    A finalised invoice. `remaining_minor`: what is unpaid, after credit notes.

    `bad_since`: when it was given up, by us or at Stripe; it is kept when the invoice is paid later. `failures`: in
    order of time. `has_untried`: only Stripe has charged it so far, by itself, and not to each method that there is.
    `live_ope_ids`: what it bills that still runs, and for whose current period nothing else was paid. `retry_at`: when
    it is charged next; with `put_off_at`, when that was tried and the processor did not answer, it waits out a backoff.
    """

    id: str
    debt: Debt
    currency: str
    remaining_minor: int
    finalized_at: datetime
    paid_at: datetime | None = None
    bad_since: datetime | None = None
    failures: tuple[Failure, ...] = ()
    is_in_flight: bool = False
    has_untried: bool = False
    is_credited: bool = False
    live_ope_ids: tuple[str, ...] = ()
    retry_at: datetime | None = None
    put_off_at: datetime | None = None

    @property
    def is_owed(self) -> bool:
        return self.debt is not Debt.PAID and self.remaining_minor > 0

    @property
    def ever_bad(self) -> bool:
        """Whether it was given up once, by us or at Stripe; one that was paid since has been bad all the same."""
        return self.bad_since is not None or self.debt is Debt.UNCOLLECTIBLE


@dataclass(frozen=True, slots=True)
class StoredDunning:
    """The account's row in subs_dunning: what was decided last."""

    status: DunningStatus = DunningStatus.CLEAR
    because: str = ""
    level: int = 0
    retry_count: int = 0
    recompute_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What the customer's metadata at Stripe says; None: Stripe has no customer to write it on."""

    bad_debt: bool
    account_type: str


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """
    The union of the stores about one account, as of one moment.

    Invoices: those that are owed, and those that ever became bad; the latest first. Nothing is left out because
    another store seems to say it already: where stores disagree, the brain heals them. `due_at`: when the brain looks
    again by itself. `is_observed`: it only looks, and changes nothing.
    """

    account_id: str
    as_of: datetime
    account_type: str
    is_merged: bool = False
    flags: int = 0
    has_bad_debt_flag: bool = False
    has_customer: bool = True
    bad_debt_since: datetime | None = None
    banned_at: datetime | None = None
    payment_method_required_at: datetime | None = None
    stored: StoredDunning = StoredDunning()
    mirrored: Mirrored | None = None
    due_at: datetime | None = None
    invoices: tuple[InvoiceFacts, ...] = ()
    methods: tuple[Method, ...] = ()
    outages: tuple[Outage, ...] = ()
    is_stuck_as_merged: bool = False
    is_observed: bool = False

    @property
    def owed(self) -> tuple[InvoiceFacts, ...]:
        """The invoices on which something is still to be paid, the latest first."""
        return tuple(invoice for invoice in self.invoices if invoice.is_owed)
