"""The ledger's books, and the facts that may be posted to them: one table each. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Book(StrEnum):
    """Where money stands; the value is stored. Debits are positive: what we have or are owed. Credits are negative."""

    RECEIVABLE = "receivable"
    DISPUTED = "disputed"
    REBILLABLE = "rebillable"
    CARRIED_FORWARD = "carried_forward"
    CASH_STRIPE = "cash_stripe"
    CASH_BRAINTREE = "cash_braintree"
    CASH_OUTSIDE = "cash_outside"
    REFUND_DUE = "refund_due"
    CUSTOMER_CREDIT = "customer_credit"
    REVENUE = "revenue"
    TAX_PAYABLE = "tax_payable"
    CREDIT_GIVEN = "credit_given"
    WRITTEN_OFF = "written_off"


class FactKind(StrEnum):
    """What happened; the value is stored."""

    FINALIZED = "finalized"
    PAID = "paid"
    PAID_ELSEWHERE = "paid_elsewhere"
    OVERPAID = "overpaid"
    VOIDED = "voided"
    CREDIT_GRANTED = "credit_granted"
    CREDIT_USED = "credit_used"
    CREDIT_ENDED = "credit_ended"
    CREDIT_NOTE = "credit_note"
    CREDIT_NOTE_VOIDED = "credit_note_voided"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    WRITTEN_OFF = "written_off"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of fact in words, and the books that it may move; the first of them usually on the debit side."""

    words: str
    books: tuple[Book, ...]


BOOKS: dict[Book, str] = {
    Book.RECEIVABLE:      "what customers owe",
    Book.DISPUTED:        "what banks took back while a dispute is open",
    Book.REBILLABLE:      "what disputes lost to us, not billed again yet",
    Book.CARRIED_FORWARD: "cents too few to charge, carried to the next invoice",
    Book.CASH_STRIPE:     "what Stripe holds for us",
    Book.CASH_BRAINTREE:  "what Braintree holds for us",
    Book.CASH_OUTSIDE:    "what was paid outside of both processors",
    Book.REFUND_DUE:      "what is to go back to customers",
    Book.CUSTOMER_CREDIT: "credit that customers have left",
    Book.REVENUE:         "what was sold",
    Book.TAX_PAYABLE:     "what belongs to tax offices",
    Book.CREDIT_GIVEN:    "credit that we gave away",
    Book.WRITTEN_OFF:     "debt that nobody will pay",
}  # fmt: skip

_SALE = (Book.RECEIVABLE, Book.REVENUE, Book.TAX_PAYABLE, Book.CARRIED_FORWARD)
_DISPUTE = (Book.DISPUTED, Book.CASH_STRIPE, Book.CASH_BRAINTREE)
_CASH = (Book.CASH_STRIPE, Book.CASH_BRAINTREE, Book.CASH_OUTSIDE)

FACTS: dict[FactKind, Fact] = {
    FactKind.FINALIZED:      Fact("An invoice was finalised", (*_SALE, Book.REBILLABLE)),
    FactKind.PAID:           Fact("An invoice was paid", (*_CASH, Book.RECEIVABLE)),
    FactKind.PAID_ELSEWHERE: Fact("An invoice was paid by another way than its own", (*_CASH, Book.RECEIVABLE)),
    FactKind.OVERPAID:       Fact(
        "What was given up or credited was paid all the same", (Book.RECEIVABLE, Book.WRITTEN_OFF, Book.REFUND_DUE)
    ),
    FactKind.VOIDED:         Fact("An invoice was voided", (*_SALE, Book.REBILLABLE, Book.REFUND_DUE)),
    FactKind.CREDIT_GRANTED: Fact(
        "Credit was granted", (Book.CREDIT_GIVEN, Book.CASH_OUTSIDE, Book.REFUND_DUE, Book.CUSTOMER_CREDIT)
    ),
    FactKind.CREDIT_USED:    Fact("Credit paid for a part of an invoice", (Book.CUSTOMER_CREDIT, Book.REVENUE)),
    FactKind.CREDIT_ENDED:   Fact("Unused credit ended", (Book.CUSTOMER_CREDIT, Book.CREDIT_GIVEN)),
    FactKind.CREDIT_NOTE:    Fact("A credit note made an invoice smaller", (*_SALE, Book.REBILLABLE, Book.REFUND_DUE)),
    FactKind.CREDIT_NOTE_VOIDED: Fact(
        "A credit note was taken back", (*_SALE, Book.REBILLABLE, Book.REFUND_DUE)
    ),
    FactKind.REFUND:         Fact("Money went back to the customer", (Book.REFUND_DUE, *_CASH)),
    FactKind.REFUND_FAILED:  Fact("A refund came back to us", (*_CASH, Book.REFUND_DUE)),
    FactKind.WRITTEN_OFF:    Fact("A debt was written off", (Book.WRITTEN_OFF, Book.RECEIVABLE)),
    FactKind.DISPUTE_OPENED: Fact("A bank took a payment back for a dispute", _DISPUTE),
    FactKind.DISPUTE_WON:    Fact("A dispute was won", _DISPUTE),
    FactKind.DISPUTE_LOST:   Fact("A dispute was lost", (Book.REBILLABLE, Book.DISPUTED)),
    FactKind.CORRECTED:      Fact("An earlier transaction was corrected", tuple(Book)),
}  # fmt: skip

# What an account's balance is made of: what it owes, less the credit that it has left.
BALANCE = (Book.RECEIVABLE, Book.CUSTOMER_CREDIT)
