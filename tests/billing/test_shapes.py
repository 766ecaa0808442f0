"""Both generations of payloads say the same: before 31 March 2025, and since."""

import pytest

from billing.cfstripe.method_shapes import read_method
from billing.cfstripe.references import references
from billing.cfstripe.shapes import read_finalization_error, read_invoice, read_subscription, time_of

START, END = 1_741_000_000, 1_743_678_400

LINE = {"id": "il_1", "object": "line_item", "amount": 2500, "currency": "usd", "description": "1 x Pro", "quantity": 1,
        "period": {"start": START, "end": END}}  # fmt: skip
INVOICE = {
    "id": "in_1", "object": "invoice", "amount_paid": 2700, "billing_reason": "subscription_cycle", "created": START,
    "currency": "usd", "customer": "cus_1", "number": "A-1", "status": "paid", "subtotal": 2500, "total": 2700,
    "status_transitions": {"finalized_at": START + 3600, "paid_at": START + 3700, "voided_at": None},
}  # fmt: skip
OLD_INVOICE = INVOICE | {
    "subscription": "sub_1", "payment_intent": "pi_1", "charge": "ch_1", "tax": 200, "paid": True,
    "lines": {"data": [LINE | {"price": {"id": "price_1", "object": "price"}, "subscription_item": "si_1"}]},
}  # fmt: skip
NEW_INVOICE = INVOICE | {
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", "metadata": {}}},
    "payments": {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]},
    "total_taxes": [{"amount": 150}, {"amount": 50}],
    "lines": {"data": [LINE | {
        "pricing": {"type": "price_details", "price_details": {"price": "price_1", "product": "prod_1"}},
        "parent": {"subscription_item_details": {"subscription": "sub_1", "subscription_item": "si_1"}},
    }]},
}  # fmt: skip


def test_an_invoice_says_the_same_in_both_generations():
    old, new = read_invoice(OLD_INVOICE), read_invoice(NEW_INVOICE)

    assert old == new
    assert (new.subscription_id, new.payment_intent_id, new.tax_minor, new.subtotal_minor) == (
        "sub_1",
        "pi_1",
        200,
        2500,
    )
    assert (new.lines[0].price_id, new.lines[0].item_id) == ("price_1", "si_1")


@pytest.mark.parametrize(
    "payment_intent", ["pi_1", {"id": "pi_1", "object": "payment_intent"}], ids=["an id", "expanded"]
)
def test_what_may_be_expanded_is_read_either_way(payment_intent):
    assert read_invoice(OLD_INVOICE | {"payment_intent": payment_intent}).payment_intent_id == "pi_1"


def test_an_invoice_of_no_subscription_and_no_payment_says_so():
    old = OLD_INVOICE | {"subscription": None, "payment_intent": None, "tax": None, "lines": {"data": []}}
    new = NEW_INVOICE | {"parent": None, "payments": {"data": []}, "total_taxes": [], "lines": {"data": []}}

    assert read_invoice(old) == read_invoice(new)
    assert (read_invoice(new).subscription_id, read_invoice(new).tax_minor) == ("", 0)


CARRIED = [
    # status  before  after   carried
    ("paid",     0,     49,     -49),  # too little to charge
    ("paid",     0,      0,       0),
    ("open",    49,      0,      49),  # collects it
    ("paid",    30,     40,     -10),  # still too little
    ("void",    49,      0,      49),  # what Stripe puts back is no part of the invoice
    ("draft",   49,   None,       0),  # not known before it is finalised
]  # fmt: skip


@pytest.mark.parametrize(("status", "before", "after", "carried"), CARRIED)
def test_what_the_balance_adds_to_an_invoice_is_carried(status, before, after, carried):
    raw = NEW_INVOICE | {"status": status, "starting_balance": before, "ending_balance": after}

    assert read_invoice(raw).carried_minor == carried


SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "status": "active",
    "customer": "cus_1",
    "billing_cycle_anchor": START,
}
ITEM = {"id": "si_1", "object": "subscription_item", "price": {"id": "price_1"}, "quantity": 2}


def test_a_period_is_read_from_the_subscription_or_from_its_items():
    period = {"current_period_start": START, "current_period_end": END}
    old = read_subscription(SUBSCRIPTION | period | {"items": {"data": [ITEM]}})
    new = read_subscription(SUBSCRIPTION | {"items": {"data": [ITEM | period]}})

    assert old == new
    assert (new.items[0].period_start, new.items[0].period_end) == (time_of(START), time_of(END))


def test_a_card_of_the_older_form_reads_like_a_payment_method():
    card = {"exp_month": 8, "exp_year": 2030, "last4": "4242"}
    old = {"id": "card_1", "object": "card", "brand": "Visa", "customer": "cus_1"} | card
    new = {
        "id": "card_1",
        "object": "payment_method",
        "type": "card",
        "customer": "cus_1",
        "card": {"brand": "visa"} | card,
    }

    assert read_method(old) == read_method(new)


FINALIZATION_ERRORS = [
    (None,                                                                 ""),
    ({"type": "invalid_request_error", "code": "customer_tax_location_invalid"}, "customer_tax_location_invalid"),
    ({"type": "api_error", "code": None},                                  "api_error"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code"), FINALIZATION_ERRORS)
def test_why_an_invoice_is_no_invoice_yet(error, code):
    assert read_finalization_error({"last_finalization_error": error}) == code


POINTING = [
    (OLD_INVOICE,                                                           "cus_1", {"in_1", "sub_1", "pi_1", "ch_1"}),
    (NEW_INVOICE,                                                           "cus_1", {"in_1", "sub_1"}),
    ({"id": "ch_1", "object": "charge", "customer": None, "invoice": "in_1"}, "",    {"ch_1", "in_1"}),
    ({"id": "cus_1", "object": "customer"},                                 "cus_1", {"cus_1"}),
    ({"id": "mandate_1", "object": "mandate", "payment_method": "pm_1"},    "",      {"mandate_1", "pm_1"}),
    ({"id": "du_1", "object": "dispute", "charge": {"id": "ch_1"}, "payment_intent": "pi_1"}, "", {"du_1", "ch_1", "pi_1"}),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "customer_id", "object_ids"), POINTING)
def test_whom_and_what_an_object_points_to(raw, customer_id, object_ids):
    named = references(raw)

    assert (named.customer_id, set(named.object_ids)) == (customer_id, object_ids)
    assert named.object_ids[0] == raw["id"], "its own comes first"
