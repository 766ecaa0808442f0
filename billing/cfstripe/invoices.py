"""Invoices at Stripe."""

from .client import client
from .errors import translated
from .reversals import OUR_ID
from .shapes import Raw, raw_of

WITH_PAYMENT = ["payments.data.payment.payment_intent", "confirmation_secret"]


def pay(invoice_id: str, *, method_processor_id: str, off_session: bool, key: str) -> Raw:
    """
    Return the invoice after charging it to this method.

    :raises StripeDeclined: the charge was refused; the invoice stays open.
    :raises StripeActionRequired: the bank asks the customer first; the invoice stays open.
    """
    with translated():
        invoice = client().v1.invoices.pay(
            invoice_id,
            {"payment_method": method_processor_id, "off_session": off_session, "expand": ["payments"]},
            {"idempotency_key": key},
        )
    return whole(raw_of(invoice))


def take_over(invoice_id: str, *, key: str) -> Raw:
    """Return the invoice after telling Stripe to leave it to us; look at its status: Stripe may have been first."""
    with translated():
        return raw_of(
            client().v1.invoices.update(
                invoice_id, {"auto_advance": False, "expand": [*WITH_PAYMENT]}, {"idempotency_key": key}
            )
        )


def finalize(invoice_id: str, *, key: str) -> Raw:
    """Return the draft, finalised: it has its number and can be paid; nothing is charged by this."""
    with translated():
        return raw_of(
            client().v1.invoices.finalize_invoice(
                invoice_id, {"auto_advance": False, "expand": [*WITH_PAYMENT]}, {"idempotency_key": key}
            )
        )


def retrieve(invoice_id: str) -> Raw:
    """Return the invoice as it is now, with its payment and the secret to confirm it."""
    with translated():
        return whole(raw_of(client().v1.invoices.retrieve(invoice_id, {"expand": [*WITH_PAYMENT]})))


def whole(raw: Raw) -> Raw:
    """
    Return an invoice with every line of it: by itself it shows no more than ten. No call where those are all.

    What an invoice bills is read from its lines, so one that is cut short must not get any further than this folder.
    """
    lines = raw.get("lines") or {}
    if not lines.get("has_more"):
        return raw
    with translated():
        pages = client().v1.invoices.line_items.list(raw["id"], {"limit": 100}).auto_paging_iter()
        every = [raw_of(line) for line in pages]
    return {**raw, "lines": {**lines, "data": every, "has_more": False}}


def of_subscription(subscription_id: str, *, limit: int) -> list[Raw]:
    """Return the newest invoices of a subscription with their payments, oldest first."""
    with translated():
        page = client().v1.invoices.list({"subscription": subscription_id, "limit": limit, "expand": ["data.payments"]})
    return [whole(raw_of(invoice)) for invoice in reversed(page.data)]


def void(invoice_id: str, *, key: str) -> Raw:
    """Return the invoice, void: nobody can pay it any more. Only an open invoice can be voided."""
    with translated():
        return raw_of(client().v1.invoices.void_invoice(invoice_id, {}, {"idempotency_key": key}))


def mark_uncollectible(invoice_id: str, *, key: str) -> Raw:
    """Return the open invoice, given up: it can still be paid or voided later."""
    with translated():
        return raw_of(client().v1.invoices.mark_uncollectible(invoice_id, {}, {"idempotency_key": key}))


def mark_paid_outside(invoice_id: str, *, key: str) -> Raw:
    """Return the invoice, paid without a charge: what is left of it was settled in another way."""
    with translated():
        return raw_of(client().v1.invoices.pay(invoice_id, {"paid_out_of_band": True}, {"idempotency_key": key}))


def set_metadata(invoice_id: str, metadata: dict[str, str], *, key: str) -> Raw:
    """Return the invoice after these metadata were written; others stay."""
    with translated():
        return whole(
            raw_of(client().v1.invoices.update(invoice_id, {"metadata": {**metadata}}, {"idempotency_key": key}))
        )


def create_one_off(
    customer_id: str, *, our_id: str, currency: str, amount_minor: int, description: str, key: str
) -> Raw:
    """Return a finalised invoice of one amount, which nobody but us collects. Three calls, each under its own key."""
    with translated():
        draft = client().v1.invoices.create(
            {
                "customer": customer_id,
                "currency": currency,
                "auto_advance": False,
                "pending_invoice_items_behavior": "exclude",
                "metadata": {OUR_ID: our_id},
            },
            {"idempotency_key": f"{key}_draft"},
        )
        client().v1.invoice_items.create(
            {
                "customer": customer_id,
                "invoice": draft.id,
                "currency": currency,
                "amount": amount_minor,
                "description": description,
            },
            {"idempotency_key": f"{key}_item"},
        )
    return finalize(draft.id, key=f"{key}_finalize")


def find_one_off(customer_id: str, *, our_id: str) -> Raw | None:
    """Return the invoice of this customer that carries our id, None if Stripe has made none. The newest hundred."""
    with translated():
        page = client().v1.invoices.list({"customer": customer_id, "limit": 100})
    found = (raw_of(invoice) for invoice in page.data)
    return next((invoice for invoice in found if (invoice.get("metadata") or {}).get(OUR_ID) == our_id), None)
