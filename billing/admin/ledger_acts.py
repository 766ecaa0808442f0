"""What can be done about the ledger: nothing is edited, a mistake is corrected by another transaction."""

from collections.abc import Mapping
from decimal import Decimal

from django import forms

from billing.invoicing import ledger
from billing.invoicing.books import BOOKS, Book
from billing.models.ledger import LedgerTransaction
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import money
from config.panel.roles import Permission

from .amounts import amount_field, minor_of


def _currency(fact: LedgerTransaction) -> str:
    return str(fact.entries.values_list("currency", flat=True)[0])


def _amounts(asked: Asked[LedgerTransaction], currency: str) -> Mapping[Book, int]:
    """:raises ActRefused: it would move nothing."""
    debit, credit = Book(asked.values["debit"]), Book(asked.values["credit"])
    if debit is credit:
        raise ActRefused("A correction moves an amount from one book to another. Choose two.")
    amount_minor = minor_of(Decimal(asked.values["amount"]), currency)
    return {debit: amount_minor, credit: -amount_minor}


def _preview(asked: Asked[LedgerTransaction]) -> Preview:
    currency = _currency(asked.row)
    moved = []
    for book, amount_minor in _amounts(asked, currency).items():
        stands_minor = ledger.balance_minor(asked.row.account_id, book, currency=currency)
        way = f"{money(stands_minor, currency)} → {money(stands_minor + amount_minor, currency)}"
        moved.append((f"{'Debit' if amount_minor > 0 else 'Credit'}: {BOOKS[book]}", way))
    return Preview(
        money=[*moved, ("Charged or given back", "nothing: the books alone change")],
        access=[("Stays", "what the account has")],
        also=[("Corrected", asked.row.source), ("Itself", "stays as it is")],
    )


def _correct(asked: Asked[LedgerTransaction]) -> str:
    ledger.correct(
        asked.row.pk,
        _amounts(asked, _currency(asked.row)),
        key=asked.key,
        actor=asked.actor,
        reason=asked.reason,
        now=asked.at,
    )
    return "The correction was posted."


def _fields(fact: LedgerTransaction) -> Mapping[str, forms.Field]:
    books = [(book.value, f"{book.value.replace('_', ' ')}: {words}") for book, words in BOOKS.items()]
    return {
        "debit": forms.ChoiceField(label="Debit", choices=books),
        "credit": forms.ChoiceField(label="Credit", choices=books),
        "amount": amount_field(_currency(fact)),
    }


CORRECT: Act[LedgerTransaction] = Act(
    name="correct",
    label="Correct",
    sentence="Post another transaction that names this one, to put right what it got wrong.",
    permission=Permission.WRITE_OFF,
    preview=_preview,
    do=_correct,
    fields=_fields,
    is_final=True,
)
