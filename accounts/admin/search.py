"""One box that finds accounts by whatever an agent was given. Exact and by index, or not at all."""

import re
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account, Customer, Member, SubsAccount, Zone
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.stripe_mirror import StripeMirror
from config.panel.readonly import Lookup, any_of
from webhooks.models import StripeEvent

HINT = "Account id, e-mail address, domain, invoice number, last 4, or any Stripe id"

Lookups = Callable[[str], tuple[Lookup, ...]]


def accounts_found(term: str) -> QuerySet[Any] | None:
    """Return a query for the ids of the accounts that `term` leads to, None if it can't lead to any. Sends nothing."""
    term = term.strip()
    lookups = next((lookups for shape, lookups in SHAPES if shape.fullmatch(term)), None)
    return any_of(lookups(term)) if lookups else None


def _our_id(term: str) -> tuple[Lookup, ...]:
    term = term.lower()
    return (
        Lookup(Account, "pk", {"pk": term}),
        Lookup(Zone, "account_id", {"pk": term}),
        Lookup(Ope, "account_id", {"pk": term}),
        Lookup(Ope, "account_id", {"subscription_id": term}),
        Lookup(Invoice, "account_id", {"pk": term}),
        Lookup(ChangeWorkflow, "account_id", {"pk": term}),
        Lookup(PaymentMethod, "account_id", {"pk": term}),
    )


def _email(term: str) -> tuple[Lookup, ...]:
    return (
        Lookup(SubsAccount, "account_id", {"email": term.lower()}),
        Lookup(Member, "account_id", {"person__email": term.lower()}),
    )


def _stripe_id(term: str) -> tuple[Lookup, ...]:
    kinds = STRIPE_IDS.get(term.split("_", maxsplit=1)[0], ())
    return (
        *(Lookup(model, "account_id", {name: term}) for model, name in kinds),
        Lookup(PaymentMethod, "account_id", {"processor": PaymentMethod.Processor.STRIPE, "processor_id": term}),
        Lookup(StripeMirror, "account_id", {"pk": term}),
    )


def _domain(term: str) -> tuple[Lookup, ...]:
    return (Lookup(Zone, "account_id", {"name": term.lower().rstrip("."), "deleted_at__isnull": True}),)


def _last4(term: str) -> tuple[Lookup, ...]:
    return (Lookup(PaymentMethod, "account_id", {"last4": term}), *_number(term))


def _number(term: str) -> tuple[Lookup, ...]:
    return (
        Lookup(Invoice, "account_id", {"number": term.upper()}),
        Lookup(Customer, "account_id", {"braintree_customer_id": term}),
        Lookup(PaymentMethod, "account_id", {"processor": PaymentMethod.Processor.BRAINTREE, "processor_id": term}),
    )


# Where each kind of Stripe id is kept. Every other kind is looked for among the objects we have seen.
STRIPE_IDS: dict[str, tuple[tuple[type[Any], str], ...]] = {
    "cus": ((Customer, "stripe_customer_id"),),
    "sub": ((BillingSchedule, "stripe_subscription_id"),),
    "in":  ((Invoice, "stripe_invoice_id"), (ChangeWorkflow, "stripe_invoice_id")),
    "pi":  ((PaymentAttempt, "stripe_payment_intent_id"), (ChangeWorkflow, "stripe_payment_intent_id")),
    "evt": ((StripeEvent, "pk"),),
}  # fmt: skip

# What a term looks like decides where it is looked for; the first shape that fits.
SHAPES: tuple[tuple[re.Pattern[str], Lookups], ...] = (
    (re.compile(r"[0-9a-fA-F]{32}"),              _our_id),
    (re.compile(r"[^@\s]+@[^@\s]+"),              _email),
    (re.compile(r"[a-z]{2,12}(_test)?_\w{3,240}"), _stripe_id),
    (re.compile(r"[\w-]+(\.[\w-]+)+\.?"),         _domain),
    (re.compile(r"\d{4}"),                        _last4),
    (re.compile(r"[\w-]{3,64}"),                  _number),
)  # fmt: skip
