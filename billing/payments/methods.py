"""The only writer of `payment_method`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from accounts import journal
from accounts.lock import account_lock, holds_lock

from ..cfstripe import customers, payment_methods, subscriptions
from ..cfstripe.errors import StripeDeclined, StripeRefused
from ..cfstripe.method_shapes import MethodFacts, read_method
from ..cfstripe.shapes import Raw
from ..customers import ensure_customer
from ..models.invoices import BillingSchedule
from ..models.methods import PaymentMethod


class UnknownTestCard(ValueError):
    """Not a test card: no other number is ever taken."""

    code = "unknown_test_card"


def store_test_card(account_id: str, *, number: str, actor: str, now: datetime) -> PaymentMethod:
    """
    Attach a test card to the account's customer, as the default, and return it. For sandboxes and demos.

    :raises UnknownTestCard: the number is not on the processor's list of test cards.
    """
    customer_id = ensure_customer(account_id, now=now)
    key = f"card_{uuid4().hex}"
    try:
        facts = payment_methods.attach_test_card(customer_id, number=number, key=key)
    except (StripeRefused, StripeDeclined) as error:
        raise UnknownTestCard(
            "This is not a test card that can be stored. `simulate_card --list` shows them."
        ) from error
    charge_from_now_on(account_id, customer_id, facts.id, key=f"{key}_default")
    with account_lock(account_id):
        PaymentMethod.objects.filter(account=account_id, is_default=True).update(is_default=False)
        return _store(account_id, facts, is_default=True, actor=actor, now=now)


def remember(raw: Raw, *, account_id: str, now: datetime, actor: str = "system:pipe") -> bool:
    """
    Store a method that the processor says is attached to the account's customer; False if we know it as it is.

    The caller holds the account's lock. The first method of an account becomes its default.
    """
    facts = read_method(raw)
    known = PaymentMethod.objects.filter(processor_id=facts.id, processor=PaymentMethod.Processor.STRIPE).first()
    if known is not None:
        return _refresh(known, facts, now=now)
    has_default = PaymentMethod.objects.filter(account=account_id, is_default=True, deleted_at__isnull=True).exists()
    _store(account_id, facts, is_default=not has_default, actor=actor, now=now)
    return True


def forget(account_ids: Sequence[str]) -> None:
    """Forget the numbers' last digits and expiries in these accounts, which are locked; the methods' ids stay."""
    PaymentMethod.objects.filter(account__in=account_ids).update(last4="", expiry_month=None, expiry_year=None)


def make_default(method: PaymentMethod, *, actor: str, now: datetime) -> None:
    """Write that a method is the account's primary one. Under the account's lock; nothing if it is so already."""
    assert holds_lock(method.account_id)
    if PaymentMethod.objects.filter(pk=method.pk, is_default=True).exists():
        return
    PaymentMethod.objects.filter(account=method.account_id, is_default=True).update(is_default=False)
    PaymentMethod.objects.filter(pk=method.pk).update(is_default=True)
    after = {"payment_method_id": method.pk, "is_default": True}
    journal.emit(journal.Fact("payment_method.stored", method.account_id, actor, after=after), at=now)


def note_edited(method: PaymentMethod, *, actor: str, now: datetime) -> None:
    """Write that somebody changed what the processor knows of a method. Under the account's lock."""
    assert holds_lock(method.account_id)
    PaymentMethod.objects.filter(pk=method.pk).update(updated_at=now)
    after = {"payment_method_id": method.pk}
    journal.emit(journal.Fact("payment_method.updated", method.account_id, actor, after=after), at=now)


def remove(method: PaymentMethod, *, actor: str, now: datetime) -> None:
    """Write that a method is gone; what was paid with it still names it. Under the account's lock; safe to repeat."""
    assert holds_lock(method.account_id)
    stored = PaymentMethod.objects.filter(pk=method.pk, deleted_at__isnull=True)
    if stored.update(deleted_at=now, is_default=False):
        after = {"payment_method_id": method.pk}
        journal.emit(journal.Fact("payment_method.removed", method.account_id, actor, after=after), at=now)


def stop_charging(method: PaymentMethod, *, why: str, now: datetime) -> None:
    """
    Write that a method is never charged again, and why. Nothing is written where that stands already.

    Under the account's lock. It stays the default one, if it was: what replaces it is the customer's to choose.
    """
    assert holds_lock(method.account_id)
    if not PaymentMethod.objects.filter(pk=method.pk, is_usable=True).update(is_usable=False, unusable_why=why):
        return
    method.is_usable, method.unusable_why = False, why
    after = {"payment_method_id": method.pk, "why": why}
    journal.emit(journal.Fact("payment_method.stopped", method.account_id, "system:billing", after=after), at=now)


def charge_from_now_on(account_id: str, customer_id: str, method_processor_id: str, *, key: str) -> None:
    """Have Stripe charge this method for everything: a subscription's own default would go before the customer's."""
    customers.set_default_method(customer_id, method_processor_id, key=key)
    live = BillingSchedule.objects.filter(account=account_id, ended_at__isnull=True).exclude(stripe_subscription_id="")
    for subscription_id in live.values_list("stripe_subscription_id", flat=True):
        subscriptions.set_default_method(subscription_id, method_processor_id, key=key)


def _store(account_id: str, facts: MethodFacts, *, is_default: bool, actor: str, now: datetime) -> PaymentMethod:
    method, _ = PaymentMethod.objects.update_or_create(
        processor=PaymentMethod.Processor.STRIPE,
        processor_id=facts.id,
        defaults={"is_default": is_default},
        create_defaults={
            "account_id": account_id,
            "kind": facts.kind,
            "brand": facts.brand,
            "last4": facts.last4,
            "expiry_month": facts.expiry_month,
            "expiry_year": facts.expiry_year,
            "is_default": is_default,
            "created_at": now,
        },
    )
    after = {"payment_method_id": method.pk, "is_default": is_default}
    journal.emit(journal.Fact("payment_method.stored", account_id, actor, after=after), at=now)
    return method


def _refresh(method: PaymentMethod, facts: MethodFacts, *, now: datetime) -> bool:
    if (method.expiry_month, method.expiry_year, method.last4) == (facts.expiry_month, facts.expiry_year, facts.last4):
        return False
    method.expiry_month, method.expiry_year, method.last4 = facts.expiry_month, facts.expiry_year, facts.last4
    method.updated_at = now
    method.save(update_fields=["expiry_month", "expiry_year", "last4", "updated_at"])
    after = {"payment_method_id": method.pk}
    journal.emit(journal.Fact("payment_method.updated", method.account_id, "system:pipe", after=after), at=now)
    return True
