"""Receipts over the API, with the official SDK."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from accounts.models import JournalEntry
from accounts.profile import set_buyer
from billing.invoicing import resolve
from billing.models.invoices import Invoice
from billing.models.reversals import Charge, CreditNote
from billing.receipts.document import Party
from billing.receipts.gather import document_of
from config import clock as business
from tests.admin.conftest import signed_in
from tests.stories.test_money_back import owing

pytestmark = pytest.mark.usefixtures("catalog")


@pytest.fixture
def agent(story):
    user, _ = User.objects.get_or_create(username="reader-of-papers", defaults={"is_staff": True, "is_superuser": True})
    return signed_in(user)


def test_the_receipt_of_what_was_bought_is_a_pdf(buyer, clock):
    clock.freeze()
    customer, other = buyer(), buyer()
    customer.buy()
    charge, entry = customer.sdk.billing.history.list(account_id=customer.account.pk)
    assert charge.receipt_id == entry.receipt_id

    answer = customer.sdk.accounts.receipts.pdf(entry.receipt_id, account_id=customer.account.pk)
    raw = customer.raw.get(f"/accounts/{customer.account.pk}/receipts/{entry.receipt_id}/pdf?doctype=invoice")

    assert answer.read().startswith(b"%PDF-")
    assert (raw.status_code, raw.headers["content-type"]) == (200, "application/pdf")
    assert raw.headers["content-disposition"] == f'inline; filename="invoice-{entry.external_invoice_id}.pdf"'
    refused = {
        "not theirs": other.raw.get(f"/accounts/{other.account.pk}/receipts/{entry.receipt_id}/pdf"),
        "no such kind": customer.raw.get(
            f"/accounts/{customer.account.pk}/receipts/{entry.receipt_id}/pdf?doctype=novel"
        ),
    }
    assert {name: a.status_code for name, a in refused.items()} == {"not theirs": 404, "no such kind": 400}
    assert Invoice.objects.filter(account=customer.account).count() == 1


def test_all_papers_name_the_company_and_its_tax_id_and_the_journal_names_neither(buyer, clock):
    clock.freeze()
    customer = buyer()
    customer.buy()
    account, charge = customer.account, Charge.objects.get(account=customer.account)
    resolve.refund(charge.pk, amount_minor=10_00, actor="agent:a", now=business.now())
    papers = [(charge.invoice_id, "invoice"), (charge.invoice_id, "receipt"), (charge.refunds.get().credit_note_id, "")]
    unnamed = {document_of(account.pk, *paper).buyer for paper in papers}

    for _ in range(2):
        set_buyer(account.pk, company=" Acme  GmbH", tax_id="de 811907980", actor="agent:a", now=business.now())

    assert unnamed == {Party(account.name, (account.subs_account.email, f"Account {account.pk}"))}
    lines = (account.name, account.subs_account.email, f"Account {account.pk}")
    assert {document_of(account.pk, *paper).buyer for paper in papers} == {Party("Acme GmbH", lines, "DE 811907980")}
    (told,) = JournalEntry.objects.filter(account=account, kind="account.buyer_changed")
    assert told.after == {"fields": ["company", "tax_id"]}
    assert "Acme" not in str(model_to_dict(told))


def test_a_credit_note_has_a_paper_of_its_own_and_stands_on_the_receipt(buyer, clock, agent):
    clock.freeze()
    customer, other = buyer(), buyer()
    customer.buy()
    invoice, charge = Invoice.objects.get(account=customer.account), Charge.objects.get(account=customer.account)
    resolve.refund(charge.pk, amount_minor=10_00, actor="agent:a", now=business.now())
    resolve.refund(charge.pk, amount_minor=5_00, to_credit=True, actor="agent:a", now=business.now())
    note, to_credit = CreditNote.objects.filter(invoice=invoice).order_by("asked_at", "-total_minor")

    receipt = document_of(customer.account.pk, invoice.pk)
    paper = document_of(customer.account.pk, note.pk)
    answer = customer.sdk.accounts.receipts.pdf(note.pk, account_id=customer.account.pk, doctype="credit_note")

    assert (receipt.balance_minor, receipt.given_back_minor) == (0, 15_00)
    assert [entry.what for entry in receipt.given_back] == [
        f"Credit note {note.number}: refunded to Visa …4242", f"Credit note {to_credit.number}: given as credit",
    ]  # fmt: skip
    assert (paper.about, paper.total_minor) == (invoice.number, 10_00)
    assert [(line.description, line.amount_minor) for line in paper.lines] == [("Pro plan", 10_00)]
    assert [(entry.what, entry.amount_minor) for entry in paper.entries] == [("Refunded to Visa …4242", 10_00)]
    assert answer.read().startswith(b"%PDF-")
    path = f"/accounts/{{}}/receipts/{note.pk}/pdf?doctype={{}}"
    assert customer.raw.get(path.format(customer.account.pk, "receipt")).status_code == 404
    assert other.raw.get(path.format(other.account.pk, "credit_note")).status_code == 404
    panel = reverse("admin:paper", args=[customer.account.pk, note.pk, "credit_note"])
    assert (agent.get(panel)["Content-Type"], Client().get(panel).status_code) == ("application/pdf", 302)
    assert agent.get(reverse("admin:paper", args=[other.account.pk, note.pk, "credit_note"])).status_code == 404


def test_what_is_given_up_shows_its_credit_note_and_asks_for_the_rest(clock, live_server_url):
    account, invoice = owing(plan="business")
    decided_on = invoice.period_start.date() + timedelta(days=5)
    resolve.mark_uncollectible(invoice.pk, decided_on=decided_on, actor="agent:a", now=business.now())
    invoice.refresh_from_db()

    paper = document_of(account.pk, invoice.pk)

    assert (paper.kind, paper.balance_minor) == ("invoice", invoice.remaining_minor)
    assert [entry.amount_minor for entry in paper.entries] == [invoice.credited_minor]
    assert paper.entries[0].what.startswith("Credit note ")
