"""What stories about consequences share: an account that owes, and a decision's actions, written as the brain does."""

from datetime import timedelta

import stripe
from django.conf import settings

from accounts.lock import account_lock
from accounts.profile import set_account_type
from billing.changes_calculator.submit import submit
from billing.invoicing import issue_credit_note, resolve
from billing.invoicing.credit_notes import Destination
from billing.models.invoices import Invoice
from billing.models.methods import PaymentMethod
from config import clock as business
from config.passing_time import pass_time
from dunning.consequence_kinds import KINDS, Consequence
from dunning.models.actions import DunningAction
from dunning.models.conclusions import DunningDecision
from tests.billing.people import customer, wish
from tests.guard import unguarded


def stripe_sdk(sandbox):
    """Somebody who works at Stripe past us."""
    return stripe.StripeClient(settings.STRIPE_API_KEY, base_addresses={"api": str(sandbox)}).v1


def turn(sandbox, account, outcome):
    """Have the account's card answer like this from now on."""
    card = PaymentMethod.objects.get(account=account, is_default=True)
    sandbox.post("/_sandbox/payment_methods", {"payment_method": card.processor_id, "outcome": outcome})


def owing(sandbox, plan="business", *, outcome="insufficient_funds", account_type=None):
    """An account whose first renewal is open, because its card was declined; returned with the invoice."""
    account, zone = customer()
    submit(wish(account, zone, plan))
    turn(sandbox, account, outcome)
    if account_type is not None:
        set_account_type(account.pk, account_type, actor="agent:tests", now=business.now())
    list(pass_time(Invoice.objects.get(account=account).period_end + timedelta(minutes=5)))
    return account, Invoice.objects.filter(account=account).latest("created_at")


def decision(account, *, now=None):
    return DunningDecision.objects.create(
        account=account, status="bad_debt", because="retries are exhausted", level=6, policy_version=1,
        inputs_digest="x", cause="test", decided_at=now or business.now(),
    )  # fmt: skip


def act(kept, kind, identity, **columns):
    now = business.now()
    return DunningAction.objects.create(
        account_id=kept.account_id, decision=kept, kind=kind.value, rank=KINDS[kind].rank, identity=identity,
        asked_at=now, next_at=now, **columns,
    )  # fmt: skip


def give_up(account, invoice, *, told=True):
    """Write what a decision to give an invoice up asks for outside: the note, the mark, the copy and the notice."""
    now = business.now()
    with account_lock(account.pk), unguarded():
        kept = decision(account, now=now)
        division = resolve.honest_credit(invoice, decided_on=now.date())
        off_debt_minor = min(division.total_minor, invoice.remaining_minor)
        if division.total_minor:
            note = issue_credit_note.ask(
                invoice,
                division,
                Destination(off_debt_minor, to_credit_minor=division.total_minor - off_debt_minor),
                why="honest_debt",
                actor="system:dunning",
                now=now,
            )
            act(kept, Consequence.CREDIT_NOTE, invoice.pk, invoice=invoice, credit_note=note)
        act(kept, Consequence.MARK_UNCOLLECTIBLE, invoice.pk, invoice=invoice)
        act(kept, Consequence.MIRROR, kept.pk)
        if told:
            facts = {"told": "bad_debt", "level": 6, "invoice_ids": [invoice.pk], "currency": "usd"}
            act(kept, Consequence.NOTIFY, f"bad_debt:{invoice.pk}:6", invoice=invoice, facts=facts)
    return kept
