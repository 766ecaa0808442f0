# ruff: noqa: E501  (a table: one operation, one line)
"""Every operation of Stripe's API that the sandbox imitates, on one page."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import (
    balance,
    charges,
    credit_notes,
    customers,
    disputes,
    events,
    invoice_items,
    invoice_payments,
    invoices,
    mandates,
    manual_invoices,
    payment_intents,
    payment_methods,
    previews,
    prices,
    products,
    refunds,
    search,
    setup_intents,
    sources,
    subscription_items,
    subscription_updates,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
from .params import Parser

Handler = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation, named as the SDK names it: what answers it and which parameters it takes."""

    method: str
    path: str
    operation: str
    handler: Handler
    parser: Parser


# Where two paths fit, the first wins: fixed words stand before {id}.
ROUTES = (
    Route("POST", "/v1/customers", "Customer.create", customers.create, customers.CREATE),
    Route("GET", "/v1/customers", "Customer.list", customers.list_customers, customers.LIST),
    Route("GET", "/v1/customers/search", "Customer.search", search.customers, search.SEARCH),
    Route("GET", "/v1/customers/{id}", "Customer.retrieve", customers.retrieve, customers.RETRIEVE),
    Route("POST", "/v1/customers/{id}", "Customer.update", customers.update, customers.UPDATE),
    Route("DELETE", "/v1/customers/{id}", "Customer.delete", customers.delete, customers.RETRIEVE),
    Route("GET", "/v1/customers/{id}/payment_methods", "CustomerPaymentMethod.list", customers.list_methods, customers.METHODS),
    Route("POST", "/v1/customers/{id}/balance_transactions", "CustomerBalanceTransaction.create", balance.create, balance.CREATE),
    Route("GET", "/v1/customers/{id}/balance_transactions", "CustomerBalanceTransaction.list", balance.list_transactions, balance.LIST),
    Route("GET", "/v1/customers/{id}/sources", "CustomerPaymentSource.list", sources.list_sources, sources.LIST),
    Route("POST", "/v1/customers/{id}/sources", "CustomerPaymentSource.create", sources.create, sources.CREATE),
    Route("POST", "/v1/customers/{customer}/sources/{id}", "CustomerPaymentSource.update", sources.update, sources.UPDATE),
    Route("DELETE", "/v1/customers/{customer}/sources/{id}", "CustomerPaymentSource.delete", sources.delete, sources.DELETE),
    Route("POST", "/v1/payment_methods", "PaymentMethod.create", payment_methods.create, payment_methods.CREATE),
    Route("GET", "/v1/payment_methods", "PaymentMethod.list", payment_methods.list_methods, payment_methods.LIST),
    Route("GET", "/v1/payment_methods/{id}", "PaymentMethod.retrieve", payment_methods.retrieve, payment_methods.RETRIEVE),
    Route("POST", "/v1/payment_methods/{id}", "PaymentMethod.update", payment_methods.update, payment_methods.UPDATE),
    Route("POST", "/v1/payment_methods/{id}/attach", "PaymentMethod.attach", payment_methods.attach, payment_methods.ATTACH),
    Route("POST", "/v1/payment_methods/{id}/detach", "PaymentMethod.detach", payment_methods.detach, payment_methods.DETACH),
    Route("POST", "/v1/setup_intents", "SetupIntent.create", setup_intents.create, setup_intents.CREATE),
    Route("GET", "/v1/setup_intents", "SetupIntent.list", setup_intents.list_intents, setup_intents.LIST),
    Route("GET", "/v1/setup_intents/{id}", "SetupIntent.retrieve", setup_intents.retrieve, setup_intents.RETRIEVE),
    Route("POST", "/v1/setup_intents/{id}", "SetupIntent.update", setup_intents.update, setup_intents.UPDATE),
    Route("POST", "/v1/setup_intents/{id}/confirm", "SetupIntent.confirm", setup_intents.confirm, setup_intents.CONFIRM),
    Route("POST", "/v1/setup_intents/{id}/cancel", "SetupIntent.cancel", setup_intents.cancel, setup_intents.CANCEL),
    Route("GET", "/v1/mandates/{id}", "Mandate.retrieve", mandates.retrieve, mandates.RETRIEVE),
    Route("POST", "/v1/products", "Product.create", products.create, products.CREATE),
    Route("GET", "/v1/products", "Product.list", products.list_products, products.LIST),
    Route("GET", "/v1/products/{id}", "Product.retrieve", products.retrieve, products.RETRIEVE),
    Route("POST", "/v1/products/{id}", "Product.update", products.update, products.UPDATE),
    Route("POST", "/v1/prices", "Price.create", prices.create, prices.CREATE),
    Route("GET", "/v1/prices", "Price.list", prices.list_prices, prices.LIST),
    Route("GET", "/v1/prices/{id}", "Price.retrieve", prices.retrieve, prices.RETRIEVE),
    Route("POST", "/v1/prices/{id}", "Price.update", prices.update, prices.UPDATE),
    Route("POST", "/v1/subscriptions", "Subscription.create", subscriptions.create, subscriptions.CREATE),
    Route("GET", "/v1/subscriptions", "Subscription.list", subscriptions.list_subscriptions, subscriptions.LIST),
    Route("GET", "/v1/subscriptions/search", "Subscription.search", search.subscriptions, search.SEARCH),
    Route("GET", "/v1/subscriptions/{id}", "Subscription.retrieve", subscriptions.retrieve, subscriptions.RETRIEVE),
    Route("POST", "/v1/subscriptions/{id}", "Subscription.update", subscription_updates.update, subscription_updates.UPDATE),
    Route("DELETE", "/v1/subscriptions/{id}", "Subscription.cancel", subscriptions.cancel, subscriptions.CANCEL),
    Route("POST", "/v1/subscriptions/{id}/resume", "Subscription.resume", subscriptions.resume, subscriptions.RESUME),
    Route("POST", "/v1/subscription_items", "SubscriptionItem.create", subscription_items.create, subscription_items.CREATE),
    Route("GET", "/v1/subscription_items", "SubscriptionItem.list", subscription_items.list_items, subscription_items.LIST),
    Route("GET", "/v1/subscription_items/{id}", "SubscriptionItem.retrieve", subscription_items.retrieve, subscription_items.RETRIEVE),
    Route("POST", "/v1/subscription_items/{id}", "SubscriptionItem.update", subscription_items.update, subscription_items.UPDATE),
    Route("DELETE", "/v1/subscription_items/{id}", "SubscriptionItem.delete", subscription_items.delete, subscription_items.DELETE),
    Route("POST", "/v1/invoices", "Invoice.create", manual_invoices.create, manual_invoices.CREATE),
    Route("POST", "/v1/invoices/create_preview", "Invoice.create_preview", previews.create_preview, previews.PREVIEW),
    Route("GET", "/v1/invoices", "Invoice.list", invoices.list_invoices, invoices.LIST),
    Route("GET", "/v1/invoices/search", "Invoice.search", search.invoices, search.SEARCH),
    Route("GET", "/v1/invoices/{id}", "Invoice.retrieve", invoices.retrieve, invoices.RETRIEVE),
    Route("POST", "/v1/invoices/{id}", "Invoice.update", invoices.update, invoices.UPDATE),
    Route("DELETE", "/v1/invoices/{id}", "Invoice.delete", manual_invoices.delete, manual_invoices.DELETE),
    Route("POST", "/v1/invoices/{id}/finalize", "Invoice.finalize_invoice", invoices.finalize_now, invoices.FINALIZE),
    Route("POST", "/v1/invoices/{id}/pay", "Invoice.pay", invoices.pay, invoices.PAY),
    Route("POST", "/v1/invoices/{id}/void", "Invoice.void_invoice", invoices.void, invoices.VOID),
    Route("POST", "/v1/invoices/{id}/mark_uncollectible", "Invoice.mark_uncollectible", invoices.give_up, invoices.MARK_UNCOLLECTIBLE),
    Route("POST", "/v1/invoices/{id}/send", "Invoice.send_invoice", manual_invoices.send, manual_invoices.SEND),
    Route("POST", "/v1/invoices/{id}/attach_payment", "Invoice.attach_payment", manual_invoices.attach_payment, manual_invoices.ATTACH),
    Route("GET", "/v1/invoices/{id}/lines", "InvoiceLineItem.list", invoices.list_lines, invoices.LINES),
    Route("POST", "/v1/invoiceitems", "InvoiceItem.create", invoice_items.create, invoice_items.CREATE),
    Route("GET", "/v1/invoiceitems", "InvoiceItem.list", invoice_items.list_items, invoice_items.LIST),
    Route("GET", "/v1/invoiceitems/{id}", "InvoiceItem.retrieve", invoice_items.retrieve, invoice_items.RETRIEVE),
    Route("POST", "/v1/invoiceitems/{id}", "InvoiceItem.update", invoice_items.update, invoice_items.UPDATE),
    Route("DELETE", "/v1/invoiceitems/{id}", "InvoiceItem.delete", invoice_items.delete, invoice_items.DELETE),
    Route("GET", "/v1/invoice_payments", "InvoicePayment.list", invoice_payments.list_payments, invoice_payments.LIST),
    Route("GET", "/v1/invoice_payments/{id}", "InvoicePayment.retrieve", invoice_payments.retrieve, invoice_payments.RETRIEVE),
    Route("POST", "/v1/payment_intents", "PaymentIntent.create", payment_intents.create, payment_intents.CREATE),
    Route("GET", "/v1/payment_intents", "PaymentIntent.list", payment_intents.list_intents, payment_intents.LIST),
    Route("GET", "/v1/payment_intents/{id}", "PaymentIntent.retrieve", payment_intents.retrieve, payment_intents.RETRIEVE),
    Route("POST", "/v1/payment_intents/{id}", "PaymentIntent.update", payment_intents.update, payment_intents.UPDATE),
    Route("POST", "/v1/payment_intents/{id}/confirm", "PaymentIntent.confirm", payment_intents.confirm, payment_intents.CONFIRM),
    Route("POST", "/v1/payment_intents/{id}/cancel", "PaymentIntent.cancel", payment_intents.cancel, payment_intents.CANCEL),
    Route("POST", "/v1/payment_intents/{id}/capture", "PaymentIntent.capture", payment_intents.capture, payment_intents.CAPTURE),
    Route("GET", "/v1/charges", "Charge.list", charges.list_charges, charges.LIST),
    Route("GET", "/v1/charges/{id}", "Charge.retrieve", charges.retrieve, charges.RETRIEVE),
    Route("POST", "/v1/refunds", "Refund.create", refunds.create, refunds.CREATE),
    Route("GET", "/v1/refunds", "Refund.list", refunds.list_refunds, refunds.LIST),
    Route("GET", "/v1/refunds/{id}", "Refund.retrieve", refunds.retrieve, refunds.RETRIEVE),
    Route("POST", "/v1/credit_notes", "CreditNote.create", credit_notes.create, credit_notes.CREATE),
    Route("GET", "/v1/credit_notes", "CreditNote.list", credit_notes.list_notes, credit_notes.LIST),
    Route("GET", "/v1/credit_notes/{id}", "CreditNote.retrieve", credit_notes.retrieve, credit_notes.RETRIEVE),
    Route("POST", "/v1/credit_notes/{id}/void", "CreditNote.void_credit_note", credit_notes.void, credit_notes.VOID),
    Route("GET", "/v1/disputes", "Dispute.list", disputes.list_disputes, disputes.LIST),
    Route("GET", "/v1/disputes/{id}", "Dispute.retrieve", disputes.retrieve, disputes.RETRIEVE),
    Route("POST", "/v1/disputes/{id}", "Dispute.update", disputes.update, disputes.UPDATE),
    Route("POST", "/v1/disputes/{id}/close", "Dispute.close", disputes.close, disputes.CLOSE),
    Route("GET", "/v1/radar/early_fraud_warnings", "EarlyFraudWarning.list", disputes.list_warnings, disputes.WARNINGS),
    Route("GET", "/v1/events", "Event.list", events.list_events, events.LIST),
    Route("GET", "/v1/events/{id}", "Event.retrieve", events.retrieve, events.RETRIEVE),
    Route("POST", "/v1/webhook_endpoints", "WebhookEndpoint.create", webhook_endpoints.create, webhook_endpoints.CREATE),
    Route("GET", "/v1/webhook_endpoints", "WebhookEndpoint.list", webhook_endpoints.list_endpoints, webhook_endpoints.LIST),
    Route("GET", "/v1/webhook_endpoints/{id}", "WebhookEndpoint.retrieve", webhook_endpoints.retrieve, webhook_endpoints.RETRIEVE),
    Route("POST", "/v1/webhook_endpoints/{id}", "WebhookEndpoint.update", webhook_endpoints.update, webhook_endpoints.UPDATE),
    Route("DELETE", "/v1/webhook_endpoints/{id}", "WebhookEndpoint.delete", webhook_endpoints.delete, webhook_endpoints.DELETE),
    Route("POST", "/v1/test_helpers/test_clocks", "TestClock.create", test_clocks.create, test_clocks.CREATE),
    Route("GET", "/v1/test_helpers/test_clocks", "TestClock.list", test_clocks.list_clocks, test_clocks.LIST),
    Route("GET", "/v1/test_helpers/test_clocks/{id}", "TestClock.retrieve", test_clocks.retrieve, test_clocks.RETRIEVE),
    Route("DELETE", "/v1/test_helpers/test_clocks/{id}", "TestClock.delete", test_clocks.delete, test_clocks.DELETE),
    Route("POST", "/v1/test_helpers/test_clocks/{id}/advance", "TestClock.advance", test_clocks.advance, test_clocks.ADVANCE),
)  # fmt: skip


def route_to(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the operation behind a request line and the ids its path names, None when it is not imitated."""
    for route, pattern in _patterns():
        if route.method == method and (match := pattern.fullmatch(path)):
            return route, match.groups()
    return None


@cache
def _patterns() -> tuple[tuple[Route, re.Pattern[str]], ...]:
    return tuple((route, re.compile(re.sub(r"\{\w+\}", "([^/]+)", route.path))) for route in ROUTES)
