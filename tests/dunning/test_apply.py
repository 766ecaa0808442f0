"""What was decided becomes so: every store at once, never a part of it, at the same price however much there is."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import connection

from accounts.flags import AccountFlag
from accounts.lock import account_lock
from accounts.models import Customer, JournalEntry, SubsAccount
from billing.models.catalog import PlanEntitlement
from billing.models.invoices import Invoice, PaymentAttempt
from billing.models.reversals import CreditNote
from dunning.brakes import set_brake
from dunning.consequence_kinds import Consequence
from dunning.models.actions import DunningAction
from dunning.models.conclusions import BadInvoice, DunningDecision, DunningDue, SubsDunning
from dunning.outages import declare, end
from dunning.recompute import recompute
from dunning.rollout import roll_out
from entitlements.models import Entitlement
from tests.counting import count_statements
from tests.dunning.rows import BILLED_AT, account_of, bill, decline, opes_of, plan_of
from tests.guard import unguarded

WEEK = timedelta(days=7)
HOURS = (0, 24, 48, 72, 96, 120)


def look(account, now=BILLED_AT + WEEK, **more):
    return recompute(account.pk, cause="tests", now=now, **more)


def standing(account):
    """What each store says: status, level, flag, ban, since, method required."""
    profile = SubsAccount.objects.get(pk=account.pk)
    dunning = SubsDunning.objects.filter(pk=account.pk).first() or SubsDunning(status="clear")
    return (
        dunning.status,
        dunning.level,
        profile.has_bad_debt,
        profile.banned_at is not None,
        Customer.objects.get(pk=account.pk).bad_debt_since is not None,
        profile.payment_method_required_at is not None,
    )


def paid_features(account):
    """What the account may use of Pro alone."""
    granted = Entitlement.objects.filter(account=account).values_list("feature", "value")
    free = {(each.feature, repr(each.value)) for each in PlanEntitlement.objects.filter(rate_plan_id="free")}
    return {(feature, repr(value)) for feature, value in granted} - free


BAD = ("bad_debt", 6, True, True, True, True)


def exhausted(opes=1, invoices=1, **more):
    """An account whose renewals have failed six times."""
    account = account_of(**more)
    owned = [plan_of(account, subscription="sub_shared") for _ in range(opes)]
    for number in range(invoices):
        decline(bill(account, *owned, at=BILLED_AT + timedelta(seconds=number)), *HOURS)
    return account


@pytest.mark.django_db
def test_bad_debt_is_every_store_at_once(catalog):
    account = exhausted(opes=2)
    yearly = plan_of(account, until=BILLED_AT + timedelta(days=300))

    look(account)

    assert standing(account) == BAD
    note = CreditNote.objects.get(account=account)
    assert (note.status, note.total_minor, note.off_debt_minor) == ("asked", 2 * 1875, 3750), "21 of 28 days"
    assert [ope.current.value for ope in opes_of(account).exclude(pk=yearly.pk)] == ["free", "free"]
    assert opes_of(account).get(pk=yearly.pk).current.value == "pro", "what is paid ahead is only suspended"
    actions = DunningAction.objects.filter(account=account).order_by("rank", "identity")
    assert [each.kind for each in actions] == ["credit_note", "mark_uncollectible", "mirror", "notify"]
    assert BadInvoice.objects.get(account=account).bad_since == BILLED_AT + WEEK
    kinds = set(JournalEntry.objects.filter(account=account).values_list("kind", flat=True))
    assert {"dunning.decided", "credit_note.asked", "subscription.not_paid"} <= kinds


@pytest.mark.django_db
def test_asked_again_it_writes_nothing(catalog):
    account = exhausted()
    look(account)

    with count_statements() as statements:
        examined = look(account)

    assert examined.needed == ()
    assert [text for text in statements if not text.startswith("SELECT")] == []


@pytest.mark.django_db
def test_the_price_does_not_grow(catalog):
    counts = []
    look(exhausted())  # the catalogue is read once
    for opes, invoices in ((1, 1), (60, 60)):
        account = exhausted(opes, invoices)
        with count_statements() as statements:
            look(account)
        assert standing(account) == BAD
        counts.append(len(statements))

    assert counts[0] == counts[1], counts
    assert counts[0] <= 30, counts


@pytest.mark.django_db
def test_enterprise_is_reminded_and_partners_are_left_alone(catalog):
    contract, partner = exhausted(account_type="enterprise"), exhausted(account_type="partner")

    look(contract, BILLED_AT + timedelta(days=29))
    assert standing(contract)[:3] == ("clear", 0, False)
    assert DunningDue.objects.get(account=contract).next_at == BILLED_AT + timedelta(days=30)
    look(contract, BILLED_AT + timedelta(days=30))
    look(partner)

    assert standing(contract) == ("reminded", 0, False, False, False, False)
    assert [each.facts["told"] for each in DunningAction.objects.filter(account=contract)] == ["contract_overdue"]
    assert not SubsDunning.objects.filter(account=partner).exists()
    assert not DunningAction.objects.filter(account=partner).exists()


@pytest.mark.django_db
def test_the_latest_paid_lifts_all_and_what_was_paid_ahead_comes_back(catalog):
    account = exhausted(invoices=2)
    plan_of(account, until=BILLED_AT + timedelta(days=300))
    look(account)
    assert paid_features(account) == set()

    with unguarded():
        latest = Invoice.objects.filter(account=account).order_by("-finalized_at").first()
        Invoice.objects.filter(pk=latest.pk).update(
            status="paid", paid_at=BILLED_AT + WEEK, paid_minor=latest.total_minor
        )
    look(account, BILLED_AT + 2 * WEEK)

    dunning = SubsDunning.objects.get(pk=account.pk)
    assert (dunning.status, dunning.because) == ("clear", "progressive: latest paid")
    assert standing(account)[2:] == (False, False, False, False)
    assert DunningAction.objects.filter(account=account, facts__told="restored").count() == 1
    assert paid_features(account)


@pytest.mark.django_db
def test_who_is_only_observed_keeps_all_and_the_decision_is_kept_once(catalog):
    account = exhausted()
    roll_out(percent=0, is_observe_only=False, actor="system:tests", now=BILLED_AT)

    look(account)
    look(account, BILLED_AT + WEEK + timedelta(hours=1))

    assert [(each.status, each.is_observed) for each in DunningDecision.objects.filter(account=account)] == [
        ("bad_debt", True)
    ]
    assert not SubsAccount.objects.get(pk=account.pk).flags
    assert not SubsDunning.objects.filter(account=account).exists()
    roll_out(percent=100, is_observe_only=False, actor="system:tests", now=BILLED_AT)
    look(account)
    assert standing(account) == BAD


@pytest.mark.django_db
def test_a_brake_holds_back_all_of_it_or_nothing(catalog):
    account, now = exhausted(), BILLED_AT + WEEK
    set_brake(Consequence.RESTRICT, is_stopped=True, limit_per_hour=None, actor="agent:tests", now=now)

    look(account, now)

    assert not SubsDunning.objects.filter(account=account).exists()
    assert DunningDue.objects.get(account=account).next_at > now
    set_brake(Consequence.RESTRICT, is_stopped=False, limit_per_hour=None, actor="agent:tests", now=now)
    look(account, now)
    assert standing(account) == BAD


@pytest.mark.django_db
def test_an_outage_moves_nobody_and_everybody_is_looked_at_soon(catalog):
    account = account_of()
    decline(bill(account, plan_of(account)), 0, code="expired_card")
    declare(actor="agent:tests", now=BILLED_AT + timedelta(hours=100))

    look(account, BILLED_AT + timedelta(hours=127))
    assert SubsDunning.objects.get(account=account).status == "action_required"
    assert DunningDue.objects.get(account=account).next_at == BILLED_AT + timedelta(hours=127, minutes=10)

    end(actor="agent:tests", now=BILLED_AT + timedelta(hours=128))
    look(account, BILLED_AT + timedelta(hours=128))
    assert DunningDue.objects.get(account=account).next_at == BILLED_AT + timedelta(hours=126 + 28)
    look(account, BILLED_AT + timedelta(hours=126 + 28))
    assert standing(account)[0] == "bad_debt"


class Stop(Exception):
    """The process is gone at this statement."""


@pytest.mark.django_db(transaction=False)
def test_a_crash_anywhere_leaves_all_or_nothing(catalog):
    account = exhausted()
    with count_statements() as statements, pytest.raises(Stop), account_lock(account.pk):
        look(account)
        raise Stop
    writes = [number for number, text in enumerate(statements) if not text.startswith("SELECT")]
    assert len(writes) > 8

    for number in writes:
        seen = 0

        def strike(execute, sql, params, many, context, number=number):
            nonlocal seen
            if sql.split()[0].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
                seen += 1
                if seen == number + 1:
                    raise Stop
            return execute(sql, params, many, context)

        with connection.execute_wrapper(strike), pytest.raises(Stop):
            look(account)
        assert not SubsDunning.objects.filter(account=account).exists()
        assert not SubsAccount.objects.get(pk=account.pk).flags
        assert not DunningDecision.objects.filter(account=account).exists()
        assert not DunningAction.objects.filter(account=account).exists()
        assert not CreditNote.objects.filter(account=account).exists()
        assert opes_of(account).get().current.value == "pro"

    look(account)
    assert standing(account) == BAD


# --- Every combination of what the stores may say --------------------------------------------------------------------

FLAG, SINCE_SET, BANNED = (False, True), (False, True), (False, True)
TYPES = ("pay_go", "academic", "sponsored", "enterprise", "partner")
DEBTS = ("none", "fresh", "failed", "exhausted", "uncollectible", "paid_late", "in_flight", "must_act")


def with_debt(kind, account_type):
    account = account_of(account_type, usable=kind != "must_act")
    if kind == "none":
        return account
    opes = [plan_of(account)]
    at = BILLED_AT + WEEK - timedelta(hours=1) if kind in {"fresh", "must_act"} else BILLED_AT
    status = {"uncollectible": "uncollectible", "paid_late": "paid"}.get(kind, "open")
    invoice = bill(account, *opes, at=at, status=status, **({"paid_minor": 2500} if kind == "paid_late" else {}))
    decline(invoice, *{"failed": HOURS[:2], "exhausted": HOURS, "uncollectible": HOURS}.get(kind, ()))
    with unguarded():
        if kind in {"uncollectible", "paid_late"}:
            BadInvoice.objects.create(invoice=invoice, account=account, bad_since=BILLED_AT)
        if kind == "in_flight":
            decline(invoice, 0)
            PaymentAttempt.objects.filter(invoice=invoice).update(status="in_flight")
    return account


@pytest.mark.django_db
@pytest.mark.parametrize("account_type", TYPES)
@pytest.mark.parametrize("debt", DEBTS)
def test_whatever_the_stores_say_they_agree_afterwards_and_nothing_is_left_to_change(debt, account_type, catalog):
    for flag, since, banned in product(FLAG, SINCE_SET, BANNED):
        account = with_debt(debt, account_type)
        with unguarded():
            SubsAccount.objects.filter(pk=account.pk).update(
                flags=3 | (AccountFlag.BAD_DEBT if flag else 0),
                banned_at=BILLED_AT if banned else None,
                banned_rule="tests" if banned else "",
                payment_method_required_at=BILLED_AT if flag else None,
            )
            Customer.objects.filter(pk=account.pk).update(bad_debt_since=BILLED_AT if since else None)

        first = look(account)
        profile = SubsAccount.objects.get(pk=account.pk)
        said = (
            profile.has_bad_debt,
            Customer.objects.get(pk=account.pk).bad_debt_since is not None,
            profile.banned_at is not None,
        )

        assert profile.flags & 3 == 3, "bits of others stay"
        assert look(account).needed == ()
        if first.decision.status is None:
            assert said == (flag, since, banned)
            continue
        cell = first.decision.cell
        is_bad = first.decision.status.value == "bad_debt"
        assert said == (is_bad and cell.flags, is_bad and cell.flags, is_bad and cell.bans)
        assert SubsDunning.objects.filter(account=account).exists() or first.decision.because == "nothing owed"
        if account_type in {"enterprise", "partner"} or debt in {"none", "paid_late"}:
            assert not is_bad
        if account_type == "pay_go":
            assert is_bad is (debt in {"exhausted", "uncollectible"})
