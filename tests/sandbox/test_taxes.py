"""Tax: one rate on everything, added line by line, and taken back by credit notes as they say."""

import pytest
import stripe

from .conftest import refused


@pytest.fixture(autouse=True)
def _taxed(sandbox):
    sandbox.control("PUT", "/_sandbox/settings", {"tax_percent": 7.25})
    yield
    sandbox.control("PUT", "/_sandbox/settings", {"tax_percent": 0})


def test_tax_is_added_to_an_invoice_and_its_lines(shop):
    subscription = shop.subscribe(shop.customer(), shop.pro, expand=["latest_invoice"])
    invoice = subscription.latest_invoice

    assert (invoice.subtotal, invoice.total_excluding_tax, invoice.total, invoice.amount_paid) == (
        20_00, 20_00, 21_45, 21_45,
    )  # fmt: skip
    (tax,) = invoice.total_taxes
    assert (tax.amount, tax.tax_behavior, tax.taxable_amount) == (1_45, "exclusive", 20_00)
    assert [line.taxes[0].amount for line in invoice.lines.data] == [1_45]


def test_a_credit_note_gives_back_the_tax_that_it_says(shop):
    subscription = shop.subscribe(shop.customer(), shop.pro, expand=["latest_invoice"])
    invoice = subscription.latest_invoice
    rate = invoice.total_taxes[0].tax_rate_details.tax_rate
    line = {
        "type": "custom_line_item", "description": "A part", "quantity": 1, "unit_amount": 10_00,
        "tax_amounts": [{"amount": 73, "tax_rate": rate, "taxable_amount": 10_00}],
    }  # fmt: skip

    wrong = {"invoice": invoice.id, "lines": [line], "refund_amount": 10_00}
    refused(stripe.InvalidRequestError, shop.v1.credit_notes.create, wrong)
    note = shop.v1.credit_notes.create(wrong | {"refund_amount": 10_73})

    assert (note.subtotal, note.total, [tax.amount for tax in note.total_taxes]) == (10_00, 10_73, [73])
