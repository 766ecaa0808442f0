"""Every Stripe event type that we act on, and the one function that acts on it."""

from .handlers import invoices, payment_methods
from .handlers.arrival import Handler
from .handlers.recording import recorded

ROUTES: dict[str, Handler] = {
    "customer.subscription.created":   recorded,
    "customer.subscription.deleted":   recorded,
    "customer.subscription.updated":   recorded,
    "customer.updated":                recorded,
    "invoice.created":                 invoices.noticed,
    "invoice.finalized":               invoices.noticed,
    "invoice.paid":                    invoices.paid,
    "invoice.payment_action_required": invoices.noticed,
    "invoice.payment_failed":          invoices.noticed,
    "invoice.voided":                  invoices.noticed,
    "payment_intent.payment_failed":   recorded,
    "payment_intent.succeeded":        recorded,
    "payment_method.attached":         payment_methods.attached,
    "setup_intent.succeeded":          payment_methods.confirmed,
}  # fmt: skip


def is_ours(event_type: str) -> bool:
    """Stripe knows some 275 types; the rest are answered 200, counted and dropped."""
    return event_type in ROUTES
