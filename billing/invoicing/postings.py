"""What each financial fact means in the books: amounts that sum to zero, debits positive. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from .books import FACTS, Book, FactKind


@dataclass(frozen=True, slots=True)
class Posting:
    """
    One fact to post: amounts in minor units per book, debits positive; those of 0 are left out.

    `source` names the fact: what was posted under it once is never posted again. `corrects` is the transaction that a
    correction is about.
    """

    kind: FactKind
    source: str
    amounts: tuple[tuple[Book, int], ...]
    corrects: str = ""

    def __post_init__(self) -> None:
        assert sum(amount for _, amount in self.amounts) == 0, f"{self.source} does not sum to zero"
        strange = {book for book, amount in self.amounts if amount} - set(FACTS[self.kind].books)
        assert not strange, f"{self.kind} does not move {strange}"


def finalized(invoice_id: str, *, subtotal_minor: int, tax_minor: int, carried_minor: int) -> Posting:
    """
    Return what it means that an invoice was finalised: the customer owes what it comes to.

    What was carried here from invoices too small to charge is owed now; what is carried on is owed later.
    """
    amounts = (
        (Book.RECEIVABLE, subtotal_minor + tax_minor + carried_minor),
        (Book.REVENUE, -subtotal_minor),
        (Book.TAX_PAYABLE, -tax_minor),
        (Book.CARRIED_FORWARD, -carried_minor),
    )
    return Posting(FactKind.FINALIZED, f"finalized:{invoice_id}", amounts)


def rebilled(invoice_id: str, *, total_minor: int, carried_minor: int) -> Posting:
    """
    Return what it means that the invoice of a lost dispute was finalised: it was sold before, and is owed again.

    Cents are carried to it and on from it as with any other.
    """
    amounts = (
        (Book.RECEIVABLE, total_minor + carried_minor),
        (Book.REBILLABLE, -total_minor),
        (Book.CARRIED_FORWARD, -carried_minor),
    )
    return Posting(FactKind.FINALIZED, f"finalized:{invoice_id}", amounts)


def paid(invoice_id: str, *, paid_minor: int) -> Posting:
    """Return what it means that Stripe collected an invoice: it owes us what the customer owed."""
    amounts = ((Book.CASH_STRIPE, paid_minor), (Book.RECEIVABLE, -paid_minor))
    return Posting(FactKind.PAID, f"paid:{invoice_id}", amounts)


def paid_elsewhere(reference: str, *, book: Book, amount_minor: int) -> Posting:
    """Return what it means that an invoice was paid past Stripe's own collection; `reference` names the payment."""
    amounts = ((book, amount_minor), (Book.RECEIVABLE, -amount_minor))
    return Posting(FactKind.PAID_ELSEWHERE, f"paid_elsewhere:{reference}", amounts)


def voided(invoice_id: str, *, standing: Mapping[Book, int]) -> Posting:
    """
    Return what it means that an invoice was voided: all that stands in the books for it is taken back.

    What credit had paid of it is due to the customer, until the credit has it again.
    """
    amounts = {book: -amount_minor for book, amount_minor in standing.items()}
    due_minor = amounts.pop(Book.CUSTOMER_CREDIT, 0)
    amounts[Book.REFUND_DUE] = amounts.get(Book.REFUND_DUE, 0) + due_minor
    return Posting(FactKind.VOIDED, f"voided:{invoice_id}", tuple(amounts.items()))


@dataclass(frozen=True, slots=True)
class Surplus:
    """What of a payment was owed no more, in minor units: because it was written off, or because it was credited."""

    written_off_minor: int = 0
    credited_minor: int = 0

    def __bool__(self) -> bool:
        return bool(self.written_off_minor or self.credited_minor)


def overpaid(invoice_id: str, surplus: Surplus) -> Posting:
    """Return what it means that such a payment came: there is no loss, and what was credited is the customer's."""
    amounts = (
        (Book.RECEIVABLE, surplus.written_off_minor + surplus.credited_minor),
        (Book.WRITTEN_OFF, -surplus.written_off_minor),
        (Book.REFUND_DUE, -surplus.credited_minor),
    )
    return Posting(FactKind.OVERPAID, f"overpaid:{invoice_id}", amounts)


def written_off(invoice_id: str, *, amount_minor: int) -> Posting:
    """Return what it means that what was left of a debt is given up."""
    amounts = ((Book.WRITTEN_OFF, amount_minor), (Book.RECEIVABLE, -amount_minor))
    return Posting(FactKind.WRITTEN_OFF, f"written_off:{invoice_id}", amounts)


def credit_note(
    note_id: str, *, subtotal_minor: int, tax_minor: int, off_debt_minor: int, is_of_dispute: bool = False
) -> Posting:
    """
    Return what it means that a credit note was issued: less was sold, less is owed, and the rest is to go back.

    On the invoice of a lost dispute nothing was sold, so what is no longer to be billed again is all there is.
    """
    back_minor = subtotal_minor + tax_minor - off_debt_minor
    sold = (
        ((Book.REBILLABLE, subtotal_minor + tax_minor),)
        if is_of_dispute
        else ((Book.REVENUE, subtotal_minor), (Book.TAX_PAYABLE, tax_minor))
    )
    amounts = (*sold, (Book.RECEIVABLE, -off_debt_minor), (Book.REFUND_DUE, -back_minor))
    return Posting(FactKind.CREDIT_NOTE, f"credit_note:{note_id}", amounts)


def credit_note_voided(note_id: str, issued: Posting) -> Posting:
    """Return what it means that a credit note was taken back: the opposite of its issue."""
    amounts = tuple((book, -amount_minor) for book, amount_minor in issued.amounts)
    return Posting(FactKind.CREDIT_NOTE_VOIDED, f"credit_note_voided:{note_id}", amounts)


def refunded(refund_id: str, *, amount_minor: int, book: Book = Book.CASH_STRIPE) -> Posting:
    """Return what it means that a processor sends money back."""
    return Posting(FactKind.REFUND, f"refund:{refund_id}", ((Book.REFUND_DUE, amount_minor), (book, -amount_minor)))


def refund_failed(refund_id: str, *, amount_minor: int, book: Book = Book.CASH_STRIPE) -> Posting:
    """Return what it means that a refund came back: the money is here, and still due to the customer."""
    amounts = ((book, amount_minor), (Book.REFUND_DUE, -amount_minor))
    return Posting(FactKind.REFUND_FAILED, f"refund_failed:{refund_id}", amounts)


def credit_granted(credit_id: str, *, amount_minor: int, paid_by: Book) -> Posting:
    """Return what it means that credit was granted: given away, bought, or instead of a refund (`paid_by`)."""
    amounts = ((paid_by, amount_minor), (Book.CUSTOMER_CREDIT, -amount_minor))
    return Posting(FactKind.CREDIT_GRANTED, f"credit_granted:{credit_id}", amounts)


def credit_used(use_id: str, *, amount_minor: int) -> Posting:
    """
    Return what it means that credit paid for a part of an invoice.

    The invoice shows it as a line below zero, so that its finalisation posted less revenue by as much.
    """
    amounts = ((Book.CUSTOMER_CREDIT, amount_minor), (Book.REVENUE, -amount_minor))
    return Posting(FactKind.CREDIT_USED, f"credit_used:{use_id}", amounts)


def credit_given_back(use_id: str, *, source: str, amount_minor: int) -> Posting:
    """Return what it means that credit which paid for a part of an invoice is there again; `source` is why."""
    amounts = ((Book.REFUND_DUE, amount_minor), (Book.CUSTOMER_CREDIT, -amount_minor))
    return Posting(FactKind.CREDIT_GRANTED, f"credit_given_back:{use_id}:{source}", amounts)


def credit_ended(credit_id: str, *, part: str, amount_minor: int) -> Posting:
    """Return what it means that unused credit expired or was taken back; `part` tells several ends of one apart."""
    amounts = ((Book.CUSTOMER_CREDIT, amount_minor), (Book.CREDIT_GIVEN, -amount_minor))
    return Posting(FactKind.CREDIT_ENDED, f"credit_ended:{credit_id}:{part}", amounts)


def dispute_opened(dispute_id: str, *, amount_minor: int, book: Book = Book.CASH_STRIPE) -> Posting:
    """Return what it means that a bank took a payment back: it is neither ours nor a debt until that is decided."""
    amounts = ((Book.DISPUTED, amount_minor), (book, -amount_minor))
    return Posting(FactKind.DISPUTE_OPENED, f"dispute_opened:{dispute_id}", amounts)


def dispute_won(dispute_id: str, *, amount_minor: int, book: Book = Book.CASH_STRIPE) -> Posting:
    """Return what it means that a dispute was won: the money is back."""
    amounts = ((book, amount_minor), (Book.DISPUTED, -amount_minor))
    return Posting(FactKind.DISPUTE_WON, f"dispute_won:{dispute_id}", amounts)


def dispute_lost(dispute_id: str, *, amount_minor: int) -> Posting:
    """Return what it means that a dispute was lost: the money is gone, and to be billed anew."""
    amounts = ((Book.REBILLABLE, amount_minor), (Book.DISPUTED, -amount_minor))
    return Posting(FactKind.DISPUTE_LOST, f"dispute_lost:{dispute_id}", amounts)


def corrected(transaction_id: str, *, key: str, amounts: Mapping[Book, int]) -> Posting:
    """Return a correction of a transaction, which itself stays as it is; `key` tells several of one apart."""
    assert any(amounts.values()), "a correction that moves nothing corrects nothing"
    return Posting(
        FactKind.CORRECTED, f"corrected:{transaction_id}:{key}", tuple(amounts.items()), corrects=transaction_id
    )
