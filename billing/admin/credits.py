"""Credits: what accounts may spend before money is asked for, until when, and what they paid for."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.invoicing.credits import take_back
from billing.models.changes import ChangeWorkflow
from billing.models.credits import Credit, CreditUse
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from config import clock
from config.panel.acts import Act, Asked, Preview
from config.panel.cells import NOTHING, Tone, amount, badge, code, link, moment, money, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.roles import Permission
from config.panel.sections import Card, Facts, Page, Table

from .ledger import TRANSACTION_HEADERS, transaction_row

USES = {
    CreditUse.Status.RESERVED: (Tone.WAITING, "kept for it"),
    CreditUse.Status.USED: (Tone.GOOD, "paid a part of it"),
    CreditUse.Status.FREED: (Tone.QUIET, "let go again"),
}
SHOWN = 200


def standing(credit: Credit, at: datetime) -> tuple[Tone, str]:
    """Return where a credit stands, in one word."""
    if credit.ended_at is not None:
        return Tone.QUIET, "ended"
    if credit.expires_at is not None and credit.expires_at <= at:
        return Tone.QUIET, "expired"
    if credit.remaining_minor == 0:
        return Tone.QUIET, "spent"
    return (Tone.WAITING, "reserved") if credit.reserved_minor == credit.remaining_minor else (Tone.GOOD, "spendable")


def credit_page(credit: Credit) -> Page:
    """Return the page of one credit: what is left of it, what it paid for, and its facts in the ledger."""
    tone, word = standing(credit, clock.now())
    uses = list(
        CreditUse.objects.filter(credit=credit)
        .select_related("invoice", "workflow")
        .order_by("-reserved_at", "-pk")[:SHOWN]
    )
    posted = LedgerTransaction.objects.filter(_facts_of(credit, uses))
    posted = posted.select_related("invoice").prefetch_related("entries").order_by("posted_at", "pk")
    used_minor = sum(use.amount_minor - use.given_back_minor for use in uses if use.status == CreditUse.Status.USED)
    return Page(
        title=f"{credit.get_kind_display()} credit of {money(credit.amount_minor, credit.currency)}",
        subtitle=with_note(badge(word, tone), credit.reason),
        cards=[
            Card("Granted", money(credit.amount_minor, credit.currency), moment(credit.granted_at)),
            Card("Used", money(used_minor, credit.currency), "paid for invoices, less what came back"),
            Card("Left", money(credit.remaining_minor, credit.currency), _reserved(credit), tone),
            Card("Expires", moment(credit.expires_at) if credit.expires_at else "never"),
        ],
        sections=[
            Table(
                "Applied where",
                ("State", "Amount", "Came back", "Invoice", "Change", "Since"),
                [_use_row(use, credit.currency) for use in uses],
                "Nothing of it was used yet.",
            ),
            Table(
                "Ledger",
                TRANSACTION_HEADERS,
                [transaction_row(each) for each in posted],
                "Nothing was posted for it.",
            ),
        ],
        aside=[
            Facts(
                "Where it comes from",
                [
                    ("Account", link(Account, credit.account_id, credit.account.name)),
                    ("Kind", credit.get_kind_display()),
                    ("Coupon", code(credit.coupon_id or "")),
                    ("Given by", credit.actor),
                    ("For", code(credit.source)),
                    ("Ended", moment(credit.ended_at)),
                    ("Credit id", code(credit.pk)),
                ],
            )
        ],
    )


def _facts_of(credit: Credit, uses: Sequence[CreditUse]) -> Q:
    """What the ledger calls the facts about a credit; found by the index of their names."""
    names = [f"credit_granted:{credit.pk}", *(f"credit_used:{use.pk}" for use in uses)]
    names += [f"credit_ended:{credit.pk}:{part}" for part in ("expired", "taken_back", *(use.pk for use in uses))]
    facts = Q(source__in=names)
    for use in uses:
        if use.given_back_minor:
            facts |= Q(source__startswith=f"credit_given_back:{use.pk}:")
    return facts


def _reserved(credit: Credit) -> str:
    return f"{money(credit.reserved_minor, credit.currency)} of it reserved" if credit.reserved_minor else ""


def _use_row(use: CreditUse, currency: str) -> Sequence[object]:
    tone, words = USES[CreditUse.Status(use.status)]
    return (
        with_note(badge(use.get_status_display(), tone), words),
        amount(use.amount_minor, currency),
        amount(use.given_back_minor, currency),
        link(Invoice, use.invoice_id, use.invoice) if use.invoice_id else NOTHING,
        link(ChangeWorkflow, use.workflow_id, "the change") if use.workflow_id else NOTHING,
        moment(use.reserved_at),
    )


def _unused_minor(credit: Credit) -> int:
    return credit.remaining_minor - credit.reserved_minor


def _why_not_take_back(credit: Credit, at: datetime) -> str:
    if credit.ended_at is not None:
        return "it has ended"
    return "" if _unused_minor(credit) else "nothing of it is left that is neither used nor reserved"


TAKE_BACK: Act[Credit] = Act(
    name="take-back",
    label="Take back",
    sentence="End the credit now: what is neither used nor reserved can't be spent any more.",
    permission=Permission.CREDIT,
    why_not=_why_not_take_back,
    preview=lambda asked: Preview(
        money=[
            ("Taken back", money(_unused_minor(asked.row), asked.row.currency)),
            ("Still reserved, and spent if that is paid", money(asked.row.reserved_minor, asked.row.currency)),
        ],
        access=[("Stays", "what the account has")],
    ),
    do=lambda asked: _take_back(asked),
    is_final=True,
)


def _take_back(asked: Asked[Credit]) -> str:
    taken_minor = take_back(asked.row.pk, actor=asked.actor, reason=asked.reason, now=asked.at)
    return f"{money(taken_minor, asked.row.currency)} was taken back."


@admin.register(Credit)
class CreditPanel(ReadOnlyPanel):
    title = "Credits"
    page_of = credit_page
    list_display = ("kind_shown", "account_link", "granted", "left", "standing_shown", "expires", "granted_on")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id", "coupon_id", "source")
    search_help_text = "Account id, coupon code, or what it was given for"
    ordering = ("-granted_at", "-pk")
    acts = (TAKE_BACK,)

    @admin.display(description="Credit")
    def kind_shown(self, credit: Credit) -> SafeString:
        return with_note(credit.get_kind_display(), code(credit.source))

    @admin.display(description="Account")
    def account_link(self, credit: Credit) -> SafeString:
        return link(Account, credit.account_id, credit.account.name)

    @admin.display(description="Granted")
    def granted(self, credit: Credit) -> SafeString:
        return amount(credit.amount_minor, credit.currency)

    @admin.display(description="Left")
    def left(self, credit: Credit) -> SafeString:
        return with_note(amount(credit.remaining_minor, credit.currency), _reserved(credit))

    @admin.display(description="Standing")
    def standing_shown(self, credit: Credit) -> SafeString:
        tone, word = standing(credit, clock.now())
        return badge(word, tone)

    @admin.display(description="Expires")
    def expires(self, credit: Credit) -> SafeString:
        return moment(credit.expires_at)

    @admin.display(description="Granted on")
    def granted_on(self, credit: Credit) -> SafeString:
        return moment(credit.granted_at)
