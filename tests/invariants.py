"""
What must hold of an account whenever nothing is under way: our rows against each other, and against Stripe's numbers.

`assert_hold(sandbox, accounts)` after any history, whatever went wrong in it. A check is a row of INVARIANTS; to add
one, write the function that yields a sentence for each breach.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Sum

from accounts.lock import account_lock
from accounts.models import Account, JournalDelivery, JournalEntry
from billing.changes_calculator.steps import Step
from billing.entitle import entitle
from billing.invoicing.ledger import Book
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice, InvoiceLine, PaymentAttempt
from billing.models.ledger import LedgerEntry
from billing.models.objectproducts import Ope
from billing.models.reversals import Charge, CreditNote, Dispute
from billing.models.scheduled import Sslc
from config import clock
from tests.outside import Sandbox
from webhooks.models import StripeEvent

LIVE = {"active", "trialing", "past_due", "unpaid", "incomplete"}


@dataclass
class View:
    """One account, as our rows and Stripe's objects have it; each part is read when a check asks for it."""

    account_id: str
    sandbox: Sandbox
    now: datetime

    @cached_property
    def customer_id(self) -> str:
        customer = getattr(Account.objects.select_related("customer").get(pk=self.account_id), "customer", None)
        return customer.stripe_customer_id if customer else ""

    @cached_property
    def invoices(self) -> list[Invoice]:
        return list(Invoice.objects.filter(account=self.account_id))

    @cached_property
    def opes(self) -> list[Ope]:
        return list(Ope.objects.filter(account=self.account_id, deleted_date__isnull=True))

    @cached_property
    def workflows(self) -> list[ChangeWorkflow]:
        return list(ChangeWorkflow.objects.filter(account=self.account_id))

    @cached_property
    def unfinished(self) -> set[str]:
        return {workflow.pk for workflow in self.workflows if workflow.finished_at is None}

    @cached_property
    def their_invoices(self) -> list[dict[str, Any]]:
        return self._listed("invoices", "&expand[]=data.payments")

    @cached_property
    def their_credit_notes(self) -> list[dict[str, Any]]:
        return self._listed("credit_notes")

    @cached_property
    def their_balance_minor(self) -> int:
        """What the customer's balance adds to the next invoice."""
        return int(self.sandbox.get(f"/v1/customers/{self.customer_id}")["balance"]) if self.customer_id else 0

    @cached_property
    def charges(self) -> list[dict[str, Any]]:
        return [charge for charge in self._listed("charges") if charge["status"] == "succeeded"]

    @cached_property
    def disputes(self) -> list[dict[str, Any]]:
        """Of this customer's charges; those that only ask took no money and are left out."""
        found = [dispute for each in self.charges if each["disputed"] for dispute in self._disputes_of(each["id"])]
        return [dispute for dispute in found if not dispute["status"].startswith("warning_")]

    def _disputes_of(self, charge_id: str) -> list[dict[str, Any]]:
        return list(self.sandbox.get(f"/v1/disputes?charge={charge_id}&limit=100")["data"])

    @cached_property
    def subscriptions(self) -> list[dict[str, Any]]:
        return self._listed("subscriptions", "&status=all")

    def books(self) -> dict[str, int]:
        """Return what stands in each book, in minor units."""
        rows = LedgerEntry.objects.filter(account=self.account_id).values_list("book").annotate(Sum("amount_minor"))
        return defaultdict(int, rows)

    def _listed(self, kind: str, more: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = ""
        while self.customer_id:
            page = self.sandbox.get(f"/v1/{kind}?customer={self.customer_id}&limit=100{more}{after}")
            found += page["data"]
            if not page["has_more"]:
                break
            after = f"&starting_after={found[-1]['id']}"
        return found


def charged_once(view: View) -> Iterator[str]:
    invoice_of = Counter()
    for theirs in view.their_invoices:
        paid = [p for p in theirs["payments"]["data"] if p["status"] == "paid"]
        if len(paid) > 1 or sum(p["amount_paid"] or 0 for p in paid) > theirs["amount_due"]:
            yield f"{theirs['id']} of {theirs['amount_due']} is paid {[p['amount_paid'] for p in paid]}"
        invoice_of.update(p["payment"].get("payment_intent") for p in paid)
    for charge in view.charges:
        if invoice_of[charge["payment_intent"]] != 1:
            yield f"{charge['id']} of {charge['amount']} belongs to {invoice_of[charge['payment_intent']]} paid invoices"


def one_attempt_at_a_time(view: View) -> Iterator[str]:
    attempts = PaymentAttempt.objects.filter(account=view.account_id)
    for attempt in attempts.filter(status__in=["in_flight", "unknown"]):
        yield f"the attempt {attempt.pk} is {attempt.status} and nobody is working on it"
    succeeded = Counter(attempts.filter(status="succeeded").values_list("invoice", flat=True))
    for invoice in view.invoices:
        if invoice.paid_minor and succeeded[invoice.pk] != 1:
            yield f"{invoice} is paid by {succeeded[invoice.pk]} attempts"


def money_is_conserved(view: View) -> Iterator[str]:
    books = view.books()
    if sum(books.values()):
        yield f"the ledger adds up to {sum(books.values())}"
    cash_minor = sum(charge["amount_captured"] - charge["amount_refunded"] for charge in view.charges)
    cash_minor -= sum(dispute["amount"] for dispute in view.disputes if dispute["status"] != "won")
    if books[Book.CASH_STRIPE] != cash_minor:
        yield f"the ledger has {books[Book.CASH_STRIPE]} at Stripe, and Stripe {cash_minor}"
    owed_minor = sum(invoice.remaining_minor for invoice in view.invoices)
    if books[Book.RECEIVABLE] != owed_minor:
        yield f"the ledger is owed {books[Book.RECEIVABLE]}, the invoices {owed_minor}"


def invoices_are_stripes(view: View) -> Iterator[str]:
    theirs = {raw["id"]: raw for raw in view.their_invoices}
    ours = {invoice.stripe_invoice_id: invoice for invoice in view.invoices if invoice.stripe_invoice_id}
    for stripe_id, invoice in ours.items():
        raw = theirs.get(stripe_id)
        seen, here = _numbers(raw) if raw else {}, _our_numbers(invoice)
        if seen != here:
            yield f"{stripe_id} is {here} here and {seen} at Stripe"
    for stripe_id, raw in theirs.items():
        if stripe_id not in ours and raw["amount_paid"]:
            yield f"{stripe_id} is paid {raw['amount_paid']} and nothing was committed or refunded"


def _numbers(raw: dict[str, Any]) -> dict[str, object]:
    """Return what an invoice of Stripe's says of itself in figures; a draft has no ending balance yet."""
    carried = 0 if raw["status"] == "draft" else raw["starting_balance"] - raw["ending_balance"]
    return {
        "number": raw["number"] or "",
        "status": raw["status"],
        "currency": raw["currency"],
        "subtotal": raw["subtotal"],
        "tax": sum(tax["amount"] for tax in raw["total_taxes"]),
        "total": raw["total"],
        "carried": carried,
        "credited": raw["pre_payment_credit_notes_amount"],
        "paid": raw["amount_paid"],
    }


def _our_numbers(invoice: Invoice) -> dict[str, object]:
    notes = CreditNote.objects.filter(invoice=invoice, status="issued", is_ours=False)
    return {
        "number": invoice.number,
        "status": invoice.status,
        "currency": invoice.currency,
        "subtotal": invoice.subtotal_minor,
        "tax": invoice.tax_minor,
        "total": invoice.total_minor,
        "carried": invoice.carried_minor,
        "credited": sum(notes.values_list("off_debt_minor", flat=True)),
        "paid": invoice.paid_minor,
    }


def what_goes_back_is_stripes(view: View) -> Iterator[str]:
    """Credit notes, refunds and disputes are the same on both sides, and so is the customer's balance."""
    ours = Charge.objects.filter(account=view.account_id).exclude(amount_minor=0)
    refunded = {charge.processor_payment_id: (charge.amount_minor, charge.refunded_minor) for charge in ours}
    theirs = {charge["payment_intent"]: (charge["amount"], charge["amount_refunded"]) for charge in view.charges}
    if refunded != theirs:
        yield f"charges and what went back of them are {refunded} here and {theirs} at Stripe"
    notes = CreditNote.objects.filter(account=view.account_id).exclude(stripe_credit_note_id="")
    credited = {note.stripe_credit_note_id: (note.status, note.total_minor, note.tax_minor) for note in notes}
    said = {
        raw["id"]: (raw["status"], raw["total"], sum(tax["amount"] for tax in raw["total_taxes"]))
        for raw in view.their_credit_notes
    }
    if credited != said:
        yield f"credit notes are {credited} here and {said} at Stripe"
    disputed = {
        dispute.stripe_dispute_id: (dispute.status, dispute.amount_minor)
        for dispute in Dispute.objects.filter(account=view.account_id).exclude(status__startswith="warning_")
    }
    taken = {raw["id"]: (raw["status"], raw["amount"]) for raw in view.disputes}
    if disputed != taken:
        yield f"disputes are {disputed} here and {taken} at Stripe"
    carried_minor = view.books()[Book.CARRIED_FORWARD]
    if carried_minor != view.their_balance_minor:
        yield f"carried forward is {carried_minor} here, and the customer's balance {view.their_balance_minor}"


def nothing_can_be_paid_for_in_vain(view: View) -> Iterator[str]:
    awaited = {w.stripe_invoice_id for w in view.workflows if w.finished_at is None}
    ours = {invoice.stripe_invoice_id for invoice in view.invoices}
    for raw in view.their_invoices:
        if raw["status"] == "open" and raw["id"] not in ours | awaited:
            yield f"{raw['id']} is open at Stripe, and no change waits for it"
    for raw in view.subscriptions:
        known = BillingSchedule.objects.filter(stripe_subscription_id=raw["id"], ended_at__isnull=True).exists()
        waits = any(
            (w.stripe_subscription or {}).get("id") == raw["id"] and w.pk in view.unfinished for w in view.workflows
        )
        if raw["status"] in LIVE and not raw["cancel_at_period_end"] and not known and not waits:
            yield f"{raw['id']} is {raw['status']} at Stripe, and nobody here knows of it"


def stripe_bills_what_is_owned(view: View) -> Iterator[str]:
    billed = {i["id"]: (raw, i) for raw in view.subscriptions for i in raw["items"]["data"] if raw["status"] in LIVE}
    owned: Counter[str] = Counter()
    prices = {}
    for ope in view.opes:
        if ope.license_source_id.startswith("sub_"):
            item_id = ope.license_source_id.partition(":")[2]
            owned[item_id] += ope.current.billed_quantity
            prices[item_id] = ope.current.stripe_price_id
    told = Sslc.objects.filter(account=view.account_id, ended_at__isnull=True, applied_at__isnull=False)
    closing = set(told.values_list("schedule__stripe_subscription_id", flat=True))
    for item_id, quantity in owned.items():
        raw, item = billed.get(item_id, ({"id": ""}, None))
        if raw["id"] in closing:
            continue  # Stripe has the next period's items already
        seen = (item["price"]["id"], item["quantity"]) if item else None
        if seen != (prices[item_id], quantity):
            yield f"of {item_id} {(prices[item_id], quantity)} is owned, and Stripe bills {seen}"
    for item_id, (raw, item) in billed.items():
        ends = raw["id"] in closing or raw["cancel_at_period_end"] or raw["status"] == "incomplete"
        if item["quantity"] and item_id not in owned and not ends:
            yield f"Stripe bills {item['quantity']} at {item_id}, and nobody owns that"


def what_is_granted_is_paid(view: View) -> Iterator[str]:
    for ope in view.opes:
        phase = ope.current
        if not ope.license_source_id.startswith("sub_") or phase.ends_at is None or phase.ends_at <= view.now:
            continue
        lines = InvoiceLine.objects.filter(ope=ope.pk, invoice__status="paid", period_end__gte=phase.ends_at)
        if not lines.exists():
            yield f"{ope.pk} ({ope.product}) is owned until {phase.ends_at}, and no paid invoice says so"


def entitlements_are_derived(view: View) -> Iterator[str]:
    with transaction.atomic():
        with account_lock(view.account_id):
            fact = entitle(view.account_id, view.opes, now=view.now)
        transaction.set_rollback(True)
    if fact is not None:
        yield f"what may be used is not what is owned: {fact.before} should be {fact.after}"


def debt_is_marked_everywhere(view: View) -> Iterator[str]:
    account = Account.objects.select_related("subs_account", "customer").get(pk=view.account_id)
    customer = getattr(account, "customer", None)
    since = customer.bad_debt_since if customer else None
    if account.subs_account.has_bad_debt != (since is not None):
        yield f"the debt flag is {account.subs_account.has_bad_debt}, bad_debt_since {since}"


def every_fact_is_journaled_and_told(view: View) -> Iterator[str]:
    entries = list(JournalEntry.objects.filter(account=view.account_id).order_by("sequence"))
    if [entry.sequence for entry in entries] != list(range(1, len(entries) + 1)):
        yield f"the journal is numbered {[entry.sequence for entry in entries]}"
    committed = Counter(entry.cause for entry in entries if entry.kind == "change.committed")
    for workflow in view.workflows:
        wanted = int(workflow.step == Step.COMMITTED.value)
        if committed[workflow.pk] != wanted:
            yield f"{workflow} has {committed[workflow.pk]} entries of its commit"
    for delivery in JournalDelivery.objects.filter(account_id=view.account_id, next_at__lte=view.now):
        yield f"{delivery.consumer} was not told of journal entry {delivery.entry_id}"
    for event in StripeEvent.objects.filter(account_id=view.account_id, processed_at__isnull=True):
        if event.next_at <= view.now:
            yield f"{event} is neither processed nor stuck"


def nothing_is_left_behind(view: View) -> Iterator[str]:
    for workflow in view.workflows:
        if workflow.finished_at is None and workflow.step != Step.AWAITING_PAYMENT.value:
            yield f"{workflow} is unfinished"
    for claim in ChangeClaim.objects.filter(account=view.account_id):
        if claim.workflow_id not in view.unfinished:
            yield f"{claim.resource} is claimed by {claim.workflow_id}, which is over"
    for ope in view.opes:
        if ope.workflow_id and ope.workflow_id not in view.unfinished:
            yield f"{ope.pk} is changed by {ope.workflow_id}, which is over"


INVARIANTS: tuple[tuple[int, Callable[[View], Iterable[str]]], ...] = (
    (1, charged_once),
    (1, one_attempt_at_a_time),
    (2, money_is_conserved),
    (2, invoices_are_stripes),
    (2, what_goes_back_is_stripes),
    (2, nothing_can_be_paid_for_in_vain),
    (3, stripe_bills_what_is_owned),
    (3, what_is_granted_is_paid),
    (3, entitlements_are_derived),
    (4, debt_is_marked_everywhere),
    (5, every_fact_is_journaled_and_told),
    (6, nothing_is_left_behind),
)  # fmt: skip


def breaches(sandbox: Sandbox, account_id: str) -> list[str]:
    """Return a sentence for each invariant that does not hold of an account, with its number."""
    view = View(account_id, sandbox, clock.now())
    return [f"{number} {check.__name__}: {said}" for number, check in INVARIANTS for said in check(view)]


def assert_hold(sandbox: Sandbox, *accounts: Account) -> None:
    """Assert that every invariant holds of these accounts."""
    broken = {account.pk: said for account in accounts if (said := breaches(sandbox, account.pk))}
    assert not broken, "\n".join(f"{pk}: {line}" for pk, said in broken.items() for line in said)
