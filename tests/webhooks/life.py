"""
A whole life of an account's events: bought, renewed for months, declined, recovered, disputed, paid back.

Lived at Stripe while nobody told us of it: what we know of it, we know from these events, in whatever order and number
they come.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Account, SubsStuckEvent
from billing.cfstripe import customers, payment_methods, subscriptions
from billing.cfstripe.client import client
from billing.cfstripe.events import pages_since
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice, InvoiceLine, PaymentAttempt
from billing.models.ledger import LedgerEntry
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.reversals import Charge, Dispute, Refund
from billing.models.stripe_mirror import StripeMirror
from config import sandbox_control
from entitlements.models import Entitlement
from tests.billing.people import DECLINED, GOOD, customer, wish
from webhooks.backfill import backfill
from webhooks.handler_registry import is_ours
from webhooks.models import StripeEvent

from . import payloads, world

MONTHS = 11
Object = dict[str, Any]

# What earlier stories left undone sleeps until then.
ASLEEP = datetime(2900, 1, 1, tzinfo=UTC)


def lived(business_clock: Any) -> tuple[Account, datetime, list[Object]]:
    """Let an account live for a year at Stripe alone; return it, when that began, and its events, oldest first."""
    began_at = business_clock.advance(days=45)
    account, zone = customer()
    submit(wish(account, zone))
    customer_id = account.customer.stripe_customer_id
    v1 = client().v1
    for month in range(MONTHS):
        if month == 5:
            _use_card(customer_id, DECLINED, key=f"{account.pk}_bad")
        business_clock.advance(days=31)
        business_clock.advance(hours=2)
        if month == 5:
            _use_card(customer_id, GOOD, key=f"{account.pk}_good")
            for unpaid in v1.invoices.list({"customer": customer_id, "status": "open"}).data:
                v1.invoices.pay(unpaid.id)
    paid = [
        intent for intent in v1.payment_intents.list({"customer": customer_id}).data if intent.status == "succeeded"
    ]
    v1.refunds.create({"payment_intent": paid[0].id, "amount": 500})
    for payment, outcome in zip(paid[1:], ("won", "lost"), strict=False):
        dispute = sandbox_control.post("/_sandbox/disputes", {"charge": payment.latest_charge, "reason": "fraudulent"})
        business_clock.advance(days=3)
        sandbox_control.post("/_sandbox/disputes", {"dispute": dispute["dispute"], "outcome": outcome})
    business_clock.advance(hours=1)
    told = [event for page in pages_since(began_at, undelivered_only=False) for event in page if is_ours(event["type"])]
    return account, began_at, told[::-1]


def _use_card(customer_id: str, number: str, *, key: str) -> None:
    """Have everything that falls due charged to this card from now on."""
    method = payment_methods.attach_test_card(customer_id, number=number, key=key)
    customers.set_default_method(customer_id, method.id, key=key)
    for subscription in client().v1.subscriptions.list({"customer": customer_id}).data:
        subscriptions.set_default_method(subscription.id, method.id, key=key)


def replayed_straight(events: list[Object]) -> None:
    """Have the events arrive as they happened, each once."""
    for event in events:
        assert payloads.send(event).status_code == 200
    all_forwarded()


def replayed(events: list[Object], *, began_at: datetime, luck: random.Random) -> None:
    """Have the events arrive in any order, some twice, some never; then ask for those that never came."""
    coming = [event for event in events if luck.random() > 0.15]
    coming += luck.sample(coming, len(coming) // 5)
    luck.shuffle(coming)
    for event in coming:
        assert payloads.send(event).status_code == 200
        if luck.random() < 0.2:
            forwarded()
    forwarded()
    # Asked as it is every quarter of an hour, then: today Stripe has forgotten what is older than thirty days.
    backfill(since=began_at, now=began_at)
    all_forwarded()


def forwarded(*, later: timedelta = timedelta()) -> None:
    while world.forward(later=later):
        continue


def all_forwarded() -> None:
    """Forward what there is, and then what told of a payment before we knew it and waits for its next try."""
    forwarded()
    forwarded(later=timedelta(hours=1))


@contextmanager
def undone() -> Iterator[None]:
    """Take back what is written meanwhile. To the code under test there is no transaction around it."""
    block: Any = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


def end_state(account: Account, *, since: datetime) -> Object:
    """Return all that the events may have led to, without ids that we make up and times at which we looked."""
    stuck = {"resolved_at": None, "source": "stripe", "stuck_at__gte": since}
    invoices = {invoice.pk: invoice.stripe_invoice_id for invoice in Invoice.objects.filter(account=account)}
    of = {"account": account}
    return {
        "invoices": _rows(Invoice, of, "stripe_invoice_id", "status", "total_minor", "paid_minor", "reason"),
        "lines": _rows(InvoiceLine, {"invoice__account": account}, "invoice__stripe_invoice_id", "amount_minor", "ope_id"),
        "attempts": _rows(PaymentAttempt, of, "invoice__stripe_invoice_id", "status", "amount_minor"),
        "ledger": _balances(of),
        "methods": _rows(PaymentMethod, of, "processor_id", "is_usable", "last4"),
        "charges": _rows(Charge, of, "processor_payment_id", "amount_minor", "refunded_minor"),
        "refunds": _rows(Refund, of, "charge__processor_payment_id", "amount_minor"),
        "disputes": _rows(Dispute, of, "stripe_dispute_id", "charge__processor_payment_id", "status", "amount_minor"),
        "owned": _rows(Ope, of, "id", "value_phases", "license_source_id"),
        "billed": _rows(BillingSchedule, of, "stripe_subscription_id", "next_at", "ended_at"),
        "may use": _rows(Entitlement, of, "zone_id", "feature", "value", "valid_until"),
        "mirror": _mirrored(account),
        "stuck": _rows(SubsStuckEvent, stuck, "kind", "reason"),
        "waiting": StripeEvent.objects.filter(processed_at=None, next_at__lt=ASLEEP).count(),
        "known": len(invoices),
    }  # fmt: skip


def _balances(of: dict[str, object]) -> dict[str, int]:
    """Return what stands in each book."""
    balances: Counter[str] = Counter()
    for book, amount_minor in LedgerEntry.objects.filter(**of).values_list("book", "amount_minor"):
        balances[book] += amount_minor
    return dict(balances)


def _mirrored(account: Account) -> list[str]:
    """All of every object but what changes without an event."""
    known = StripeMirror.objects.filter(account_id=account.pk).values_list("kind", "payload")
    return sorted(repr((kind, sorted((payload | {"next_invoice_sequence": 0}).items()))) for kind, payload in known)


def _rows(model: Any, of: Object, *columns: str) -> list[str]:
    return sorted(repr(row) for row in model.objects.filter(**of).values_list(*columns))
