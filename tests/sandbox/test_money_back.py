"""Money that goes back: refunds, credit notes, disputes."""

import pytest
import stripe

from .conftest import NEW_YEAR, refused

DAY = 86_400


def paid(shop, card="visa", price=None):
    """Return (invoice, charge) of a subscription paid with that card."""
    subscription = shop.subscribe(shop.customer(card), price or shop.pro, expand=["latest_invoice.payments"])
    intent = shop.v1.payment_intents.retrieve(subscription.latest_invoice.payments.data[0].payment.payment_intent)
    return subscription.latest_invoice, shop.v1.charges.retrieve(intent.latest_charge)


def unpaid(shop):
    """Return an open renewal of 20.00 and its subscription."""
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")
    shop.sandbox.advance(days=32)
    return shop.v1.invoices.list({"subscription": subscription.id}).data[0], subscription


def test_a_refund_in_two_parts_and_never_more(shop, sandbox):
    _, charge = paid(shop)
    before = len(sandbox.event_types())

    part = shop.v1.refunds.create({"charge": charge.id, "amount": 5_00, "reason": "requested_by_customer"})
    too_much = refused(stripe.InvalidRequestError, shop.v1.refunds.create, {"charge": charge.id, "amount": 15_01})
    rest = shop.v1.refunds.create({"payment_intent": charge.payment_intent, "metadata": {"a": "1"}})
    again = refused(stripe.InvalidRequestError, shop.v1.refunds.create, {"charge": charge.id})

    assert (part.status, part.amount, rest.amount) == ("succeeded", 5_00, 15_00)
    assert "1500" in str(too_much)
    assert again.code == "charge_already_refunded"
    after = shop.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (after.amount_refunded, after.refunded) == (20_00, True)
    assert [refund.id for refund in after.refunds.data] == [rest.id, part.id]
    assert [refund.id for refund in shop.v1.refunds.list({"charge": charge.id}).data] == [rest.id, part.id]
    assert shop.v1.refunds.retrieve(part.id).reason == "requested_by_customer"
    assert sandbox.event_types(before) == ["refund.created", "charge.refunded"] * 2


def test_what_was_not_paid_is_not_refunded(shop):
    intent = shop.v1.payment_intents.create({"amount": 5_00, "currency": "usd"})

    refused(stripe.InvalidRequestError, shop.v1.refunds.create, {"payment_intent": intent.id})
    refused(stripe.InvalidRequestError, shop.v1.refunds.create, {})


@pytest.mark.parametrize(
    ("card", "at_first", "later", "kept"),
    [("refundFail", "succeeded", "failed", 20_00), ("pendingRefund", "pending", "succeeded", 0)],
)
def test_a_refund_may_end_later(shop, sandbox, card, at_first, later, kept):
    _, charge = paid(shop, card)
    made = shop.v1.refunds.create({"charge": charge.id})

    sandbox.advance(hours=1)

    assert (made.status, shop.v1.refunds.retrieve(made.id).status) == (at_first, later)
    assert charge.amount - shop.v1.charges.retrieve(charge.id).amount_refunded == kept
    assert sandbox.event_types()[-1] == ("refund.failed" if later == "failed" else "charge.refund.updated")


def test_a_refund_can_be_made_to_fail(shop, sandbox):
    _, charge = paid(shop)
    made = shop.v1.refunds.create({"charge": charge.id})

    sandbox.control("POST", "/_sandbox/refunds", {"refund": made.id, "outcome": "failed"})

    assert shop.v1.refunds.retrieve(made.id).failure_reason


def test_a_credit_note_lowers_an_open_invoice(shop, sandbox):
    invoice, _ = unpaid(shop)
    line = invoice.lines.data[0].id
    before = len(sandbox.event_types())

    note = shop.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "lines": [{"type": "invoice_line_item", "invoice_line_item": line, "amount": 16_77}],
            "reason": "order_change",
            "memo": "Unused days",
        }
    )
    lowered = shop.v1.invoices.retrieve(invoice.id, {"expand": ["payments"]})
    shop.give_card(invoice.customer, "visa")
    settled = shop.v1.invoices.pay(invoice.id)

    assert (note.total, note.type, note.pre_payment_amount) == (16_77, "pre_payment", 16_77)
    assert (lowered.amount_remaining, lowered.pre_payment_credit_notes_amount) == (3_23, 16_77)
    assert lowered.payments.data[0].amount_requested == 3_23
    assert (settled.status, settled.amount_paid) == ("paid", 3_23)
    assert sandbox.event_types(before)[:2] == ["credit_note.created", "invoice.updated"]


def test_a_credit_note_for_all_of_an_open_invoice_pays_it(shop):
    invoice, subscription = unpaid(shop)

    shop.v1.credit_notes.create({"invoice": invoice.id, "amount": 20_00})

    assert shop.v1.invoices.retrieve(invoice.id).status == "paid"
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_credit_note_of_an_open_invoice_can_be_voided(shop):
    invoice, _ = unpaid(shop)
    note = shop.v1.credit_notes.create({"invoice": invoice.id, "amount": 5_00})

    voided = shop.v1.credit_notes.void_credit_note(note.id)

    assert (voided.status, shop.v1.invoices.retrieve(invoice.id).amount_remaining) == ("void", 20_00)
    refused(stripe.InvalidRequestError, shop.v1.credit_notes.void_credit_note, note.id)


def test_a_credit_note_of_a_paid_invoice_says_where_the_money_goes(shop):
    invoice, charge = paid(shop)

    note = shop.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "lines": [
                {"type": "custom_line_item", "unit_amount": 6_00, "quantity": 2, "description": "Goodwill"},
            ],
            "refund_amount": 5_00,
            "credit_amount": 4_00,
            "out_of_band_amount": 3_00,
        }
    )

    assert (note.total, note.post_payment_amount, note.refunds[0].amount_refunded) == (12_00, 12_00, 5_00)
    assert shop.v1.charges.retrieve(charge.id).amount_refunded == 5_00
    assert shop.v1.customers.retrieve(invoice.customer).balance == -4_00
    assert shop.v1.invoices.retrieve(invoice.id).post_payment_credit_notes_amount == 12_00
    assert [found.id for found in shop.v1.credit_notes.list({"invoice": invoice.id}).data] == [note.id]
    assert shop.v1.credit_notes.retrieve(note.id).number.endswith("-CN-01")
    refused(stripe.InvalidRequestError, shop.v1.credit_notes.void_credit_note, note.id)


def test_a_credit_note_takes_up_a_refund_that_was_made(shop):
    invoice, charge = paid(shop)
    refund = shop.v1.refunds.create({"charge": charge.id, "amount": 7_00})

    note = shop.v1.credit_notes.create({"invoice": invoice.id, "amount": 7_00, "refunds": [{"refund": refund.id}]})

    assert (note.refunds[0].refund, note.refunds[0].amount_refunded) == (refund.id, 7_00)


@pytest.mark.parametrize(
    "said",
    [
        {"amount": 20_01, "refund_amount": 20_01},
        {"amount": 10_00, "refund_amount": 9_99},
        {"amount": 10_00},
        {"amount": 0},
        {"lines": [{"type": "invoice_line_item", "invoice_line_item": "il_x", "amount": 1}], "credit_amount": 1},
    ],
)
def test_credit_notes_that_do_not_add_up_are_refused(shop, said):
    invoice, _ = paid(shop)

    refused(stripe.InvalidRequestError, shop.v1.credit_notes.create, {"invoice": invoice.id, **said})


def test_a_line_is_credited_once(shop):
    customer = shop.customer()
    draft = shop.v1.invoices.create({"customer": customer.id})
    for amount in (20_00, 200_00):
        shop.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": "usd"}
        )
    invoice = shop.v1.invoices.finalize_invoice(draft.id)
    line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id}
    shop.v1.credit_notes.create({"invoice": invoice.id, "lines": [{**line, "amount": 15_00}]})

    refused(
        stripe.InvalidRequestError,
        shop.v1.credit_notes.create,
        {"invoice": invoice.id, "lines": [{**line, "amount": 5_01}]},
    )
    shop.v1.credit_notes.create({"invoice": invoice.id, "lines": [{**line, "amount": 5_00}]})

    assert shop.v1.invoices.retrieve(invoice.id).amount_remaining == 200_00


@pytest.mark.parametrize("ending", ["void_invoice", "mark_uncollectible"])
def test_what_is_given_up_is_not_credited(shop, ending):
    invoice, _ = unpaid(shop)
    getattr(shop.v1.invoices, ending)(invoice.id)

    refused(stripe.InvalidRequestError, shop.v1.credit_notes.create, {"invoice": invoice.id, "amount": 1_00})


@pytest.mark.parametrize(
    ("evidence", "status", "last"),
    [
        ("winning_evidence", "won", ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        ("losing_evidence", "lost", ["charge.dispute.updated", "charge.dispute.closed"]),
        ("something else", "under_review", ["charge.dispute.updated"]),
    ],
)
def test_a_disputed_charge_is_answered(shop, sandbox, evidence, status, last):
    _, charge = paid(shop, "createDispute")
    sandbox.advance(seconds=1)
    dispute = shop.v1.disputes.list({"charge": charge.id}).data[0]
    refused(stripe.InvalidRequestError, shop.v1.refunds.create, {"charge": charge.id})

    answered = shop.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": evidence}, "metadata": {"a": "1"}}
    )

    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 20_00)
    assert shop.v1.charges.retrieve(charge.id).disputed
    assert answered.status == status
    assert sandbox.event_types()[-len(last) :] == last


def test_an_unanswered_dispute_is_lost(shop, sandbox):
    _, charge = paid(shop, "createDisputeProductNotReceived")
    sandbox.advance(days=8)

    dispute = shop.v1.disputes.list({"charge": charge.id}).data[0]

    assert (dispute.status, dispute.evidence_details.past_due) == ("lost", True)
    refused(stripe.InvalidRequestError, shop.v1.disputes.close, dispute.id)
    refused(stripe.InvalidRequestError, shop.v1.disputes.update, dispute.id, {"metadata": {"a": "1"}})


def test_an_inquiry_takes_no_money(shop, sandbox):
    _, charge = paid(shop, "createDisputeInquiry")
    sandbox.advance(seconds=1)
    dispute = shop.v1.disputes.list({"payment_intent": charge.payment_intent}).data[0]

    closed = shop.v1.disputes.close(dispute.id)

    assert (dispute.status, closed.status) == ("warning_needs_response", "warning_closed")
    assert "charge.dispute.funds_withdrawn" not in sandbox.event_types()
    assert not shop.v1.charges.retrieve(charge.id).disputed


def test_any_charge_can_be_disputed_and_decided(shop, sandbox):
    _, charge = paid(shop)
    opened = sandbox.control("POST", "/_sandbox/disputes", {"charge": charge.id, "reason": "subscription_canceled"})[1]

    decided = sandbox.control("POST", "/_sandbox/disputes", {"dispute": opened["dispute"], "outcome": "won"})[1]

    assert (opened["status"], decided["status"]) == ("needs_response", "won")
    assert shop.v1.disputes.retrieve(opened["dispute"]).reason == "subscription_canceled"


def test_a_fraud_warning(shop, sandbox):
    _, charge = paid(shop, "createIssuerFraudRecord")

    sandbox.advance(seconds=1)

    warnings = shop.v1.radar.early_fraud_warnings.list({"charge": charge.id}).data
    assert [warning.actionable for warning in warnings] == [True]
    assert sandbox.event_types()[-1] == "radar.early_fraud_warning.created"
    assert warnings[0].created == NEW_YEAR + 1
