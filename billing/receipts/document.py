"""What a customer files: an invoice, a receipt or a credit note, as plain values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Currencies whose minor unit is not a hundredth, and how the usual ones are written.
DECIMALS = dict.fromkeys(("clp", "jpy", "krw", "vnd"), 0) | dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3)
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


class DocumentKind(StrEnum):
    """What the paper is; the value is the API's `doctype`."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"


TITLES = {
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.RECEIPT: "Receipt",
    DocumentKind.CREDIT_NOTE: "Credit note",
}


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys: a name, further lines (address, e-mail), and a tax id if there is one."""

    name: str
    lines: tuple[str, ...] = ()
    tax_id: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line; the period `[starts_at, ends_at)` is shown with its last day. Amounts in minor units, before tax.

    What a credit note takes off a line is no number of anything at a price: both are None there.
    """

    description: str
    starts_at: datetime | None
    ends_at: datetime | None
    quantity: int | None
    unit_amount_minor: int | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to an amount, in minor units: it was paid, credited, or went back."""

    at: datetime
    what: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Document:
    """
    Everything on the paper. `about` is the invoice that a credit note corrects, empty otherwise.

    `entries` lower what is to be paid; of a credit note they say where its amount goes. `given_back` is what went back
    of what was paid: the balance is the same as before.

    `carried_minor`: cents that an invoice too small to charge left to this one; negative: left by this one to the next.
    """

    kind: DocumentKind
    number: str
    status: str
    issued_at: datetime
    paid_at: datetime | None
    currency: str
    seller: Party
    buyer: Party
    lines: Sequence[Line]
    tax_minor: int
    total_minor: int
    entries: Sequence[Entry] = ()
    given_back: Sequence[Entry] = ()
    about: str = ""
    carried_minor: int = 0

    @property
    def due_minor(self) -> int:
        """What it asks for in all."""
        return self.total_minor + self.carried_minor

    @property
    def subtotal_minor(self) -> int:
        return self.total_minor - self.tax_minor

    @property
    def given_back_minor(self) -> int:
        """What went back in all of what was paid."""
        return sum(entry.amount_minor for entry in self.given_back)

    @property
    def balance_minor(self) -> int:
        """What remains to be paid: nothing of a void one, and nothing of a credit note."""
        if self.status == "void" or self.kind is DocumentKind.CREDIT_NOTE:
            return 0
        return self.due_minor - sum(entry.amount_minor for entry in self.entries)


def money(amount_minor: int, currency: str) -> str:
    """Return an amount as people write it: $1,234.50, −€3.00, ¥500, 12.00 SEK."""
    decimals = DECIMALS.get(currency, 2)
    units, rest = divmod(abs(amount_minor), 10**decimals)
    number = f"{units:,}.{rest:0{decimals}d}" if decimals else f"{units:,}"
    minus = "−" if amount_minor < 0 else ""
    sign = SIGNS.get(currency)
    return f"{minus}{sign}{number}" if sign else f"{minus}{number} {currency.upper()}"


def day(at: datetime) -> str:
    """Return a day in UTC that nobody reads wrongly: 3 Mar 2026."""
    return f"{at.day} {at:%b %Y}"
