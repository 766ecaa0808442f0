"""One screen that says why an account is treated as it is: what it owes, what each store says, which rule decided."""

from collections.abc import Sequence

from django.db.models import OuterRef, Subquery
from django.utils.html import format_html

from accounts.models import Account
from billing.invoicing.states import InvoiceStatus
from billing.models.invoices import Invoice, PaymentAttempt
from config import clock
from config.panel.cells import (
    NOTHING,
    Tone,
    badge,
    code,
    lines,
    link,
    list_link,
    moment,
    money,
    nowrap,
    number,
    with_note,
)
from config.panel.sections import Card, Facts, Page, Table

from .. import why
from ..facts import InvoiceFacts
from ..models.actions import DunningAction
from ..models.conclusions import DunningDecision, SubsDunning
from ..recompute import Examined, examine
from .acts import changes_in_words
from .consequences import ACTION_HEADERS, action_row
from .words import LEVELS, STATUSES, change_in_words, status_badge

SHOWN = 20


def why_page(row: SubsDunning) -> Page:
    """Return the page of one account: the rule that decided, what each store says, what was done, and the history."""
    (examined,) = examine([row.pk], now=clock.now())
    actions = DunningAction.objects.filter(account=row.pk).select_related("invoice").order_by("-asked_at", "rank")
    decisions = DunningDecision.objects.filter(account=row.pk).order_by("-decided_at", "-pk")[:SHOWN]
    return Page(
        title=f"Why: {row.account.name}",
        subtitle=with_note(status_badge(row.status), row.because),
        cards=_cards(row, examined),
        sections=[
            Table(
                "What is owed, and what was given up before",
                ("Invoice", "Owed", "Charges that failed", "What comes next"),
                _invoice_rows(examined),
                "Nothing is owed, and nothing was ever given up.",
            ),
            Table(
                "What each store says",
                ("Store", "About", "Says", "Since"),
                [
                    (code(claim.store), claim.about, claim.says, moment(claim.since) if claim.since else NOTHING)
                    for claim in why.claims(examined.facts)
                ],
                "No store says anything.",
            ),
            Table(
                "What is done outside",
                ACTION_HEADERS,
                [action_row(action) for action in actions[:SHOWN]],
                "Nothing had to be done outside.",
                more=list_link(DunningAction, "all of it", q=row.pk),
            ),
            Table(
                "Decisions",
                ("Decided", "Status", "Because", "What it changed", "Cause"),
                [_decision_row(decision) for decision in decisions],
                "Nothing was ever decided.",
            ),
        ],
        aside=[_rules(examined), _aside(row, examined)],
    )


def _cards(row: SubsDunning, examined: Examined) -> list[Card]:
    owed = examined.facts.owed
    debts: dict[str, int] = {}
    for invoice in owed:
        debts[invoice.currency] = debts.get(invoice.currency, 0) + invoice.remaining_minor
    tone, meaning = STATUSES[row.status]
    next_at = min((retry.at for retry in examined.decision.retries), default=None)
    drift = changes_in_words(examined)
    return [
        Card("Status", row.status.replace("_", " ").capitalize(), meaning, tone),
        Card(
            "Owed",
            lines(*(money(minor, currency) for currency, minor in debts.items())) or "nothing",
            f"on {len(owed)} invoice{'s' if len(owed) > 1 else ''}" if owed else "every invoice is settled",
            Tone.BAD if owed else Tone.GOOD,
        ),
        Card("Next charge", moment(next_at) if next_at else "none", f"level {row.level}: {LEVELS[row.level]}"),
        Card(
            "Would change now",
            f"{len(drift)} things" if drift else "nothing",
            lines(*drift) if drift else "every store says the same",
            Tone.BAD if drift else Tone.GOOD,
        ),
    ]


def _invoice_rows(examined: Examined) -> list[Sequence[object]]:
    """What is known of each invoice that matters, the latest first. One statement."""
    failed = PaymentAttempt.objects.filter(invoice=OuterRef("pk"), status=PaymentAttempt.Status.FAILED)
    last = failed.order_by("-started_at").values("code")[:1]
    found = Invoice.objects.filter(pk__in=[each.id for each in examined.facts.invoices]).annotate(
        last_code=Subquery(last)
    )
    invoices = {invoice.pk: invoice for invoice in found}
    return [
        (
            with_note(link(Invoice, each.id, nowrap(str(invoices[each.id]))), moment(each.finalized_at)),
            with_note(money(each.remaining_minor, each.currency), _of_which(invoices[each.id])),
            _failures(each, invoices[each.id].last_code),
            _what_comes(each, examined),
        )
        for each in examined.facts.invoices
    ]


def _of_which(invoice: Invoice) -> str:
    billed = f"of {money(invoice.total_minor, invoice.currency)}"
    if not invoice.credited_minor:
        return billed
    return f"{billed}, {money(invoice.credited_minor, invoice.currency)} credited"


def _failures(invoice: InvoiceFacts, last_code: str | None) -> object:
    if not invoice.failures:
        return "none"
    return with_note(format_html("{}, the last {}", len(invoice.failures), moment(invoice.failures[-1].at)), last_code)


def _what_comes(invoice: InvoiceFacts, examined: Examined) -> object:
    if invoice.paid_at is not None:
        return with_note(badge("paid", Tone.GOOD), moment(invoice.paid_at))
    if invoice.bad_since is not None or invoice.debt.value == InvoiceStatus.UNCOLLECTIBLE.value:
        return with_note(badge("given up", Tone.BAD), moment(invoice.bad_since) if invoice.bad_since else "at Stripe")
    if invoice.is_in_flight:
        return badge("a payment is under way", Tone.WAITING)
    charged_at = next((retry.at for retry in examined.decision.retries if retry.invoice_id == invoice.id), None)
    return format_html("charged {}", moment(charged_at)) if charged_at else "no charge by itself"


def _rules(examined: Examined) -> Facts:
    """The policy's rows in their order; those after the one that decided were not come to."""
    return Facts(
        "The first rule that applies decides",
        [(tried.because, _answer(tried)) for tried in why.rows_tried(examined.facts)],
    )


def _answer(tried: why.Tried) -> object:
    if not tried.is_reached:
        return NOTHING
    return status_badge(tried.status) if tried.applies else "no"


def _decision_row(decision: DunningDecision) -> Sequence[object]:
    changed = [change_in_words(change) for change in decision.diff]
    return (
        moment(decision.decided_at),
        status_badge(decision.status),
        with_note(decision.because, "observed only: nothing was written" if decision.is_observed else ""),
        lines(*changed),
        with_note(code(decision.cause), f"policy {decision.policy_version}"),
    )


def _aside(row: SubsDunning, examined: Examined) -> Facts:
    return Facts(
        "Where it belongs",
        [
            ("Account", link(Account, row.pk, row.account.name)),
            ("Type", examined.facts.account_type),
            ("Treated as", examined.decision.cell.treatment.value),
            ("Policy", number(row.policy_version)),
            ("Decided", moment(row.decided_at)),
            ("Because of", code(row.cause)),
            ("Looked at again", moment(examined.facts.due_at) if examined.facts.due_at else "when something happens"),
            ("Inputs", code(row.inputs_digest[:12])),
        ],
    )
