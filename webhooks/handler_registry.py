"""Every Stripe event type that we act on, and the one function that acts on it."""

from .handlers import (
    customers,
    disputes,
    dunning,
    invoices,
    mandates,
    overdue,
    payment_actions,
    payment_methods,
    payments,
    pending_updates,
    subscriptions,
)
from .handlers.arrival import Handler

# A function's file is its endpoint: eleven, each with one use case of the engine behind it.
ROUTES: dict[str, Handler] = {
    "charge.dispute.closed":                        disputes.refresh,
    "charge.dispute.created":                       disputes.refresh,
    "charge.refunded":                              dunning.refunded,
    "credit_note.created":                          invoices.credited,
    "customer.source.updated":                      customers.source_updated,
    "customer.subscription.created":                subscriptions.refresh,
    "customer.subscription.deleted":                subscriptions.refresh,
    "customer.subscription.pending_update_applied": pending_updates.decided,
    "customer.subscription.pending_update_expired": pending_updates.decided,
    "customer.subscription.updated":                subscriptions.refresh,
    "customer.updated":                             customers.refresh,
    "invoice.created":                              invoices.refresh,
    "invoice.finalization_failed":                  invoices.not_finalized,
    "invoice.finalized":                            dunning.owed,
    "invoice.marked_uncollectible":                 dunning.owed,
    "invoice.overdue":                              overdue.refresh,
    "invoice.paid":                                 dunning.paid,
    "invoice.payment_action_required":              payment_actions.required,
    "invoice.payment_failed":                       dunning.owed,
    "invoice.voided":                               invoices.refresh,
    "mandate.updated":                              mandates.refresh,
    "payment_intent.payment_failed":                payments.refresh,
    "payment_intent.succeeded":                     payments.refresh,
    "payment_method.attached":                      payment_methods.remember,
    "payment_method.automatically_updated":         payment_methods.remember,
    "refund.failed":                                payments.refund_failed,
    "setup_intent.succeeded":                       mandates.confirmed,
}  # fmt: skip


def is_ours(event_type: str) -> bool:
    """Stripe knows some 275 types; the rest are answered 200, counted and dropped."""
    return event_type in ROUTES


def handler_of(event_type: str) -> Handler | None:
    """Return what acts on a type; None for one that is dropped."""
    return ROUTES.get(event_type)


def endpoint_of(event_type: str) -> str:
    """Return the endpoint that a type leads to; empty for one that is dropped."""
    return ROUTES[event_type].__module__.rpartition(".")[2] if event_type in ROUTES else ""
