"""The mapping account ↔ Stripe customer: made once, by whoever needs it first."""

from datetime import datetime, timedelta
from hashlib import sha256

from accounts import journal
from accounts.lock import account_lock
from accounts.models import Account, Customer

from .cfstripe import customers

# Stripe forgets idempotency keys after a day; before that, repeating the call is enough.
KEY_LIFETIME = timedelta(hours=23)


def ensure_customer(account_id: str, *, now: datetime) -> str:
    """
    Return the account's customer id at Stripe, making the customer if there is none. Safe to repeat.

    Not to be called in a transaction. The mapping's journal entry releases events that waited for it.

    :raises StripeUnavailable: Stripe did not answer; nothing is lost by asking again.
    """
    known = Customer.objects.filter(account=account_id).values_list("stripe_customer_id", flat=True).first()
    if known:
        return known
    account = Account.objects.select_related("subs_account").get(pk=account_id)
    return map_customer(account, now=now)


def rename_customer(account_id: str, *, key: str, now: datetime) -> None:
    """
    Have the account's customer at Stripe be called as the account is now. Not in a transaction; safe to repeat.

    `key` names the wish; the name belongs to the call's key, for it may be another one by the next try.

    :raises StripeUnavailable: Stripe did not answer; nothing is lost by asking again.
    """
    name = Account.objects.values_list("name", flat=True).get(pk=account_id)
    customers.rename(ensure_customer(account_id, now=now), name, key=f"{key}_{sha256(name.encode()).hexdigest()[:16]}")


def map_customer(account: Account, *, now: datetime) -> str:
    """Make the customer of an account that has none yet, write the mapping, and return the customer's id."""
    email = account.subs_account.email
    customer_id = ""
    if now - account.created_at > KEY_LIFETIME:
        customer_id = customers.find(account_id=account.pk, email=email)
    if not customer_id:
        customer_id = customers.create(account_id=account.pk, email=email, name=account.name)
    with account_lock(account.pk):
        _, is_new = Customer.objects.get_or_create(account=account, defaults={"stripe_customer_id": customer_id})
        if is_new:
            after = {"stripe_customer_id": customer_id}
            journal.emit(journal.Fact("customer.mapped", account.pk, "system:billing", after=after), at=now)
    return customer_id
