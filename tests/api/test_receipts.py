"""Receipts over the API, with the official SDK."""

import pytest

from billing.models.invoices import Invoice

pytestmark = pytest.mark.usefixtures("catalog")


def test_the_receipt_of_what_was_bought_is_a_pdf(buyer, clock):
    clock.freeze()
    customer, other = buyer(), buyer()
    customer.buy()
    (entry,) = customer.sdk.billing.history.list(account_id=customer.account.pk)

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
