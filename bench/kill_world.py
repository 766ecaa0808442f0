"""
The two ends of `kill.py`, each a process of its own: the accounts that buy, and what must be true in the end.

    python -m bench.kill_world provision COUNT THREADS  > purchases.json
    python -m bench.kill_world judge                    < purchases.json
"""

import json
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models import Sum  # noqa: E402

from accounts.models import JournalDelivery, SubsStuckEvent  # noqa: E402
from accounts.roles import Role  # noqa: E402
from billing.cfstripe.client import client  # noqa: E402
from billing.models.changes import ChangeClaim, ChangeWorkflow  # noqa: E402
from billing.models.invoices import Invoice, PaymentAttempt  # noqa: E402
from billing.models.ledger import LedgerEntry  # noqa: E402
from billing.models.objectproducts import Ope  # noqa: E402
from billing.objectproducts.state import OpeState  # noqa: E402
from billing.provision_account import provision_account  # noqa: E402
from config import clock  # noqa: E402
from entitlements.models import Entitlement  # noqa: E402
from webhooks.models import StripeEvent  # noqa: E402

CARD = "4242424242424242"
PRO_MINOR = 2500
QUIET_SECONDS = 40.0
# When work waits for a later try, nobody wants to wait as long: the business clock is moved on.
HURRY_SECONDS = 60


def main() -> None:
    match sys.argv[1:]:
        case ["provision", count, threads]:
            json.dump([asdict(purchase) for purchase in provision(int(count), threads=int(threads))], sys.stdout)
        case ["judge"]:
            reference, *purchases = (Purchase(**purchase) for purchase in json.load(sys.stdin))
            json.dump(left_undone() + differences(reference, purchases), sys.stdout)
        case _:
            sys.exit(__doc__)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A zone to buy Pro for, in an account of its own with a good card."""

    account_id: str
    zone_id: str
    token: str


def provision(count: int, *, threads: int) -> list[Purchase]:
    """Make the accounts, before anything is killed."""

    def one(number: int) -> Purchase:
        ready = provision_account(
            name=f"buyer {number}",
            email=f"buyer-{number}@example.com",
            zones=[f"buyer-{number}.example"],
            card=CARD,
            role=Role.SUPER_ADMINISTRATOR,
            actor="system:bench",
            now=clock.now(),
        )
        connections.close_all()
        return Purchase(ready.account_id, ready.zone_ids[0], ready.token)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(count)))


def left_undone() -> list[str]:
    """Wait until nothing is left to do, and return what is if that does not happen."""
    started_at = time.monotonic()
    hurried_seconds = 0
    while (undone := _undone()) and time.monotonic() < started_at + QUIET_SECONDS:
        if time.monotonic() - started_at > 3 * (1 + hurried_seconds // HURRY_SECONDS):
            hurried_seconds += HURRY_SECONDS
            _sandbox("POST", "/_sandbox/clock", {"offset_seconds": hurried_seconds})
        time.sleep(0.2)
    return [f"after {QUIET_SECONDS:.0f} seconds: {what}" for what in undone]


def _undone() -> list[str]:
    counts = {
        "changes are unfinished": ChangeWorkflow.objects.filter(finished_at__isnull=True).count(),
        "claims are held": ChangeClaim.objects.count(),
        "journal rows are not delivered": JournalDelivery.objects.count(),
        "events are not processed": StripeEvent.objects.filter(processed_at__isnull=True).count(),
        "webhooks have not arrived": _sandbox("GET", "/_sandbox/pending")["webhooks"],
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


def differences(reference: Purchase, purchases: Sequence[Purchase]) -> list[str]:
    """Return how the end differs from each having bought Pro exactly once; `reference` did so undisturbed."""
    everybody = [reference, *purchases]
    expected = len(everybody)
    paid_invoices = Invoice.objects.filter(status="paid", total_minor=PRO_MINOR, paid_minor=PRO_MINOR)
    customers_charged = Counter(
        charge.customer for charge in client().v1.charges.list({"limit": 100}).auto_paging_iter() if charge.paid
    )
    live = [
        subscription
        for subscription in client().v1.subscriptions.list({"limit": 100, "status": "all"}).auto_paging_iter()
        if subscription.status not in {"canceled", "incomplete_expired"}
    ]
    cash_minor = LedgerEntry.objects.filter(book="cash_stripe").aggregate(sum=Sum("amount_minor"))["sum"]
    facts: list[tuple[str, object, object]] = [
        ("committed paid changes", _committed(), expected),
        ("invoices", Invoice.objects.count(), expected),
        ("paid invoices", paid_invoices.count(), expected),
        ("accounts with an invoice", paid_invoices.values("account").distinct().count(), expected),
        ("succeeded attempts", PaymentAttempt.objects.filter(status="succeeded").count(), expected),
        ("charges at Stripe", sum(customers_charged.values()), expected),
        ("customers charged", len(customers_charged), expected),
        ("live subscriptions at Stripe", len(live), expected),
        ("their states", {subscription.status for subscription in live}, {"active"}),
        ("the sum of the ledger", LedgerEntry.objects.aggregate(sum=Sum("amount_minor"))["sum"], 0),
        ("cash at Stripe by the ledger", cash_minor, expected * PRO_MINOR),
        ("stuck events", SubsStuckEvent.objects.filter(resolved_at__isnull=True).count(), 0),
    ]
    found = [f"{what}: {is_so}, not {should}" for what, is_so, should in facts if is_so != should]
    owned = _owned(reference)
    return found + [
        f"zone {purchase.zone_id} has {_owned(purchase)}, not {owned}"
        for purchase in purchases
        if _owned(purchase) != owned
    ]


def _committed() -> int:
    return ChangeWorkflow.objects.filter(step="committed").exclude(stripe_invoice_id="").count()


def _owned(purchase: Purchase) -> dict[str, Any]:
    """Return what the zone has and may use, in values that are the same for everybody who bought the same."""
    elements = Ope.objects.filter(account=purchase.account_id, deleted_date__isnull=True)
    features = Entitlement.objects.filter(account=purchase.account_id)
    return {
        "elements": {(ope.product, str(ope.current.value), OpeState(ope.state).name) for ope in elements},
        "features": {row.feature: row.value for row in features},
        "for whom": {row.zone_id in ("", purchase.zone_id) for row in features},
        "until": {row.valid_until == elements[0].current.ends_at for row in features},
    }


def _sandbox(method: str, path: str, said: object = None) -> dict[str, Any]:
    """Ask the sandbox; one that was killed a moment ago is back in a moment."""
    request = urllib.request.Request(
        f"{settings.STRIPE_API_BASE}{path}",
        method=method,
        data=json.dumps(said).encode() if said else None,
        headers={"Content-Type": "application/json"},
    )
    for _ in range(50):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except ConnectionError:
            time.sleep(0.2)
        except OSError as error:
            if not isinstance(getattr(error, "reason", None), ConnectionError):
                raise
            time.sleep(0.2)
    raise RuntimeError("The sandbox did not come back.")


if __name__ == "__main__":
    main()
