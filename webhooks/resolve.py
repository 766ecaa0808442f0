"""Whose is this object? A customer that we don't know stays unknown: none is made here."""

from dataclasses import replace

from django.db.models import QuerySet

from accounts.models import Customer
from billing.cfstripe import mirror
from billing.cfstripe.errors import StripeRefused
from billing.cfstripe.references import References, kind_of, references
from billing.models.stripe_mirror import StripeMirror

OUR_PRODUCT = "paygo"


def is_foreign(named: References) -> bool:
    """Return whether the object belongs to another product that bills through the same Stripe account."""
    return named.product not in ("", OUR_PRODUCT)


def accounts_of(named: References) -> QuerySet:  # type: ignore[type-arg]
    """
    Return a query for the ids of the accounts concerned, to be locked by the statement that runs it.

    The customer decides; an object that names none belongs to the account of what it points to. Two accounts
    in the answer share a customer, none means that the mapping is not known, or not yet.
    """
    if named.customer_id:
        return Customer.objects.filter(stripe_customer_id=named.customer_id).values("account_id")
    return StripeMirror.objects.filter(pk__in=named.object_ids).exclude(account_id="").values("account_id")


def completed(named: References) -> References:
    """
    Return the same with the customer that Stripe says what it points to is of; unchanged if Stripe names none.

    For an object that names no customer and came before the news of what it points to, such as a dispute before its
    payment. Not in a transaction: one call to Stripe, mostly.
    """
    for object_id in named.object_ids[1:]:  # the first is its own
        kind = kind_of(object_id)
        if not kind:
            continue
        try:
            customer_id = references(mirror.fetch(kind, object_id)).customer_id
        except StripeRefused:
            continue  # it is not there, or not any more
        if customer_id:
            return replace(named, customer_id=customer_id)
    return named
