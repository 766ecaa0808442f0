"""Whose is this object? Looks things up only: a customer that we don't know stays unknown."""

from django.db.models import QuerySet

from accounts.models import Customer
from billing.cfstripe.references import References
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
