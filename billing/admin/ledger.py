"""The ledger: each financial fact with its two sides, by account, invoice, kind of fact and day; and balances."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.invoicing.books import BALANCE, BOOKS, Book, FactKind
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerEntry, LedgerTransaction
from config.panel.cells import (
    NOTHING,
    Tone,
    amount,
    badge,
    code,
    lines,
    link,
    list_link,
    moment,
    money,
    nowrap,
    with_note,
)
from config.panel.readonly import Lookup, ReadOnlyPanel, any_of
from config.panel.sections import Facts, Page, Table

from .ledger_acts import CORRECT

TRANSACTION_HEADERS = ("Fact", "Invoice", "Debit", "Credit", "Posted")
# How people write a day or a month, in UTC.
DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
OUR_ID = re.compile("[0-9a-fA-F]{32}")
SHOWN, NAMED = 200, 1000


def transaction_row(fact: LedgerTransaction) -> Sequence[object]:
    """Return the cells of one transaction whose entries were fetched, under TRANSACTION_HEADERS."""
    return (
        with_note(link(LedgerTransaction, fact.pk, fact.get_kind_display()), code(fact.source)),
        link(Invoice, fact.invoice_id, nowrap(str(fact.invoice))) if fact.invoice_id else NOTHING,
        _side(fact, sign=1),
        _side(fact, sign=-1),
        moment(fact.posted_at),
    )


def balances_of(account_id: str) -> Table:
    """Return what stands in each book of an account, by currency. One statement."""
    sums = (
        LedgerEntry.objects.filter(account=account_id)
        .values("currency", "book")
        .annotate(total=Sum("amount_minor"))
        .order_by("currency", "book")
    )
    rows: list[Sequence[object]] = []
    owed: dict[str, int] = {}
    for each in sums:
        book, currency = Book(each["book"]), each["currency"]
        owed[currency] = owed.get(currency, 0) + (each["total"] if book in BALANCE else 0)
        if each["total"]:
            rows.append((with_note(BOOKS[book], book.value), *_debit_and_credit(each["total"], currency)))
    for currency, total in owed.items():
        what = "has more than it owes" if total < 0 else "owes, less the credit that it has"
        rows.append(
            (with_note(badge("Balance", Tone.INFO), f"what the account {what}"), *_debit_and_credit(total, currency))
        )
    return Table("What stands in the account's books", ("Book", "Debit", "Credit"), rows, "Nothing was posted for it.")


def transaction_page(fact: LedgerTransaction) -> Page:
    """Return the page of one transaction: its entries, which sum to zero, and what it belongs to."""
    entries = list(fact.entries.order_by("pk")[:SHOWN])
    corrections = list(fact.corrections.order_by("posted_at", "pk")[:SHOWN])
    rows = [
        (with_note(entry.get_book_display(), entry.book), *_debit_and_credit(entry.amount_minor, entry.currency))
        for entry in entries
    ]
    for currency in dict.fromkeys(entry.currency for entry in entries):
        debit_minor = sum(e.amount_minor for e in entries if e.currency == currency and e.amount_minor > 0)
        credit_minor = -sum(e.amount_minor for e in entries if e.currency == currency and e.amount_minor < 0)
        word = badge("Sum", Tone.GOOD if debit_minor == credit_minor else Tone.BAD)
        rows.append((word, amount(debit_minor, currency), amount(credit_minor, currency)))
    return Page(
        title=fact.get_kind_display(),
        subtitle=code(fact.source),
        sections=[
            Table("Entries", ("Book", "Debit", "Credit"), rows, "It has no entries."),
            balances_of(fact.account_id),
        ],
        aside=[
            Facts(
                "Where it belongs",
                [
                    ("Account", link(Account, fact.account_id, fact.account.name)),
                    (
                        "Invoice",
                        link(Invoice, fact.invoice_id, nowrap(str(fact.invoice))) if fact.invoice_id else NOTHING,
                    ),
                    ("Posted", moment(fact.posted_at)),
                    (
                        "Corrects",
                        link(LedgerTransaction, fact.corrects_id, fact.corrects) if fact.corrects_id else NOTHING,
                    ),
                    (
                        "Corrected by",
                        lines(*(link(LedgerTransaction, each.pk, moment(each.posted_at)) for each in corrections))
                        or "nothing",
                    ),
                    ("All of the account", list_link(LedgerTransaction, "its ledger", q=fact.account_id)),
                    ("Transaction id", code(fact.pk)),
                ],
            )
        ],
    )


def _side(fact: LedgerTransaction, *, sign: int) -> SafeString:
    """The entries of one side, each with its book."""
    of_side = [entry for entry in fact.entries.all() if entry.amount_minor * sign > 0]
    return lines(*(f"{money(abs(each.amount_minor), each.currency)} {each.book.replace('_', ' ')}" for each in of_side))


def _debit_and_credit(amount_minor: int, currency: str) -> tuple[object, object]:
    shown = amount(abs(amount_minor), currency)
    return (shown, "") if amount_minor >= 0 else ("", shown)


def narrowed(rows: QuerySet[LedgerTransaction], term: str) -> QuerySet[LedgerTransaction]:
    """
    Return those of the transactions that one word of a search names: a day or month, a kind of fact, or exactly an
    account, an invoice, or the name of a fact. Each by an index.
    """
    if found := DAY.fullmatch(term):
        year, month, day = int(found[1]), int(found[2]), found[3]
        try:
            start = datetime(year, month, int(day or 1), tzinfo=UTC)
            end = start + timedelta(days=1) if day else (start + timedelta(days=31)).replace(day=1)
        except (ValueError, OverflowError):
            return rows.none()
        return rows.filter(posted_at__gte=start, posted_at__lt=end)
    kind = term.lower().replace("-", "_")
    if kind in set(FactKind):
        return rows.filter(kind=kind)
    if OUR_ID.fullmatch(term) and Account.objects.filter(pk=term.lower()).exists():
        return rows.filter(account=term.lower())
    names: tuple[dict[str, object], ...] = (
        {"pk": term},
        {"source": term},
        {"invoice_id": term},
        {"invoice__number": term.upper()},
    )
    found_ids = any_of(
        [
            *(Lookup(LedgerTransaction, "pk", having) for having in names),
            Lookup(LedgerTransaction, "pk", {"invoice__stripe_invoice_id": term}),
        ]
    )
    if found_ids is None:
        return rows.none()
    # Asked first: as a part of the other query they would be guessed to be many, and the ledger read whole.
    return rows.filter(pk__in=[each["pk"] for each in found_ids[:NAMED]])


@admin.register(LedgerTransaction)
class LedgerPanel(ReadOnlyPanel):
    title = "Ledger"
    page_of = transaction_page
    list_display = ("fact", "account_link", "invoice_link", "debit", "credit", "posted")
    list_select_related = ("account", "invoice")
    # What a search may name; how is said by `narrowed`.
    exact_fields = ("account_id", "invoice_id", "source")
    search_help_text = "Account id, invoice number, fact (refund, paid, written-off …), day or month; several narrow"
    ordering = ("-posted_at", "-pk")
    acts = (CORRECT,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return transactions with their entries: one statement more, whatever the number."""
        return super().get_queryset(request).prefetch_related("entries")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the transactions that every word of the term names."""
        for term in search_term.split()[:4]:
            queryset = narrowed(queryset, term)
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; above it, if one account is searched for, what stands in its books."""
        ids = [term.lower() for term in request.GET.get("q", "").split() if OUR_ID.fullmatch(term)]
        balances = [balances_of(account_id) for account_id in ids[:1]]
        above = [table for table in balances if table.rows]
        return super().changelist_view(request, {"above": above} | (extra_context or {}))

    @admin.display(description="Fact")
    def fact(self, fact: LedgerTransaction) -> SafeString:
        return with_note(fact.get_kind_display(), code(fact.source))

    @admin.display(description="Account")
    def account_link(self, fact: LedgerTransaction) -> SafeString:
        return link(Account, fact.account_id, fact.account.name)

    @admin.display(description="Invoice")
    def invoice_link(self, fact: LedgerTransaction) -> SafeString:
        return link(Invoice, fact.invoice_id, nowrap(str(fact.invoice))) if fact.invoice_id else NOTHING

    @admin.display(description="Debit")
    def debit(self, fact: LedgerTransaction) -> SafeString:
        return _side(fact, sign=1)

    @admin.display(description="Credit")
    def credit(self, fact: LedgerTransaction) -> SafeString:
        return _side(fact, sign=-1)

    @admin.display(description="Posted")
    def posted(self, fact: LedgerTransaction) -> SafeString:
        return moment(fact.posted_at)
