"""Many accounts with many events, each of which has one effect that can be counted."""

from collections import defaultdict
from dataclasses import dataclass

from accounts.models import Account, JournalDelivery, JournalEntry
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from billing.models.methods import PaymentMethod
from tests.guard import unguarded
from webhooks.event_filter import store_fetched
from webhooks.models import StripeEvent

from . import payloads, world
from .telling import Heard, out_of_order, told_of

EACH = 10  # events of an account


@dataclass(frozen=True, slots=True)
class Member:
    account: Account
    event_ids: list[str]


def arrived(accounts: int) -> list[Member]:
    """Let so many accounts' events arrive, those of all mixed."""
    with unguarded():
        people = [world.customer() for _ in range(accounts)]
        waiting = {account.pk: [payloads.invoice(customer_id) for _ in range(3)] for account, customer_id in people}
        for account, _ in people:
            for raw in waiting[account.pk]:
                world.open_invoice(account, raw)
    members = {account.pk: Member(account, []) for account, _ in people}
    for number in range(EACH):
        for account, customer_id in people:
            event = _event(number, customer_id, waiting[account.pk])
            assert store_fetched(event)
            members[account.pk].event_ids.append(event["id"])
    return list(members.values())


def _event(number: int, customer_id: str, waiting: list[payloads.Object]) -> payloads.Object:
    """Three invoices paid, three methods, and what only keeps the mirror up to date."""
    if number % 3 == 0 and number < 9:
        raw = waiting[number // 3]
        # Which names its payment: what does not is asked from Stripe, where nobody knows of these.
        paid = payloads.invoice(customer_id, status="paid", id=raw["id"], payment_intent=payloads.new_id("pi"))
        return payloads.event("invoice.paid", paid, created=raw["created"] + 1)
    if number % 3 == 1 and number < 9:
        return payloads.event("payment_method.attached", payloads.payment_method(customer_id))
    return payloads.event("payment_intent.succeeded", payloads.payment_intent(customer_id))


def problems(members: list[Member], heard: list[Heard]) -> list[str]:
    """
    Return what is not as it must be: each event's effect once, each journalled once, nothing held, nothing undelivered.

    `heard` is what a service read: all it had to be told, each account's in order within its topic.
    """
    ids = [event_id for member in members for event_id in member.event_ids]
    accounts = [member.account.pk for member in members]
    found = []
    outcomes = set(StripeEvent.objects.filter(pk__in=ids).values_list("outcome", flat=True))
    if not outcomes <= {"changed", "nothing"}:
        found.append(f"outcomes {outcomes}")
    if held := StripeEvent.objects.filter(pk__in=ids, lease_token__isnull=False).count():
        found.append(f"{held} events are held")
    of = JournalEntry.objects.filter(account__in=accounts)
    causes = sorted(of.filter(kind="stripe.event_processed").values_list("cause", flat=True))
    if causes != sorted(f"stripe:{event_id}" for event_id in ids):
        found.append(f"{len(causes)} entries of processed events for {len(ids)} events")
    per_account = {
        "invoices paid": Invoice.objects.filter(account__in=accounts, status="paid").count(),
        "payments posted": LedgerTransaction.objects.filter(account__in=accounts, kind="paid").count(),
        "payments told": of.filter(kind="payment.succeeded").count(),
        "methods stored": PaymentMethod.objects.filter(account__in=accounts).count(),
        "methods told": of.filter(kind="payment_method.stored").count(),
    }
    found += [f"{what}: {count}" for what, count in per_account.items() if count != 3 * len(members)]
    for account in accounts:
        sequences = list(of.filter(account=account).order_by("sequence").values_list("sequence", flat=True))
        if sequences != list(range(1, len(sequences) + 1)):
            found.append(f"{account}: its journal has gaps")
    if left := JournalDelivery.objects.filter(account_id__in=accounts).count():
        found.append(f"{left} deliveries are left")
    return found + _misheard(members, heard)


def _misheard(members: list[Member], heard: list[Heard]) -> list[str]:
    numbers: dict[str, set[int]] = defaultdict(set)
    for each in heard:
        numbers[each.key].add(each.sequence)
    missed = [member.account.pk for member in members if numbers[member.account.pk] != set(told_of(member.account))]
    found = [f"{account}: a service did not hear all of it" for account in missed]
    return found + [f"{each.key}: {each.sequence} came late in {each.topic}" for each in out_of_order(heard)]
