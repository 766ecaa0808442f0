"""What must change: the stores agree afterwards, and then nothing is left to change."""

import itertools
from dataclasses import replace

import pytest

from dunning.changes import (
    CancelWhatItBills,
    GiveUp,
    Mirror,
    OpenStuck,
    SetBadDebtFlag,
    SetBadDebtSince,
    SetBan,
    SetDunning,
    SetPaymentMethodRequired,
    SetRetry,
    changes,
)
from dunning.decide import decide
from dunning.facts import Debt, DunningStatus, Mirrored, StoredDunning
from dunning.policy import POLICY
from tests.dunning.cases import ACT, CARD, DEAD, account, at, failed, invoice, paid, uncollectible

DAYS = (0, 24, 48, 72, 96, 120)
BANNED = {"has_bad_debt_flag": True, "bad_debt_since": at(1), "banned_at": at(1), "payment_method_required_at": at(1)}


def kinds(facts):
    return [type(change) for change in changes(facts, decide(facts, POLICY))]


def test_an_account_in_order_needs_nothing():
    clear = account(stored=StoredDunning(because="nothing owed"), mirrored=Mirrored(False, "pay_go"))

    assert changes(clear, decide(clear, POLICY)) == ()


def test_the_end_of_the_retries_is_everything_at_once():
    facts = account(
        invoice(failures=failed(*DAYS), live_ope_ids=("pro",)), hours=120, mirrored=Mirrored(False, "pay_go")
    )

    assert kinds(facts) == [
        GiveUp, SetDunning, SetBadDebtFlag, SetBadDebtSince, SetBan, CancelWhatItBills, SetPaymentMethodRequired, Mirror,
    ]  # fmt: skip


# the type, which of flag, since, ban and cancellation bad debt brings
BRINGS = [
    ("pay_go",    (True, True, True, True)),
    ("academic",  (True, True, False, False)),
    ("sponsored", (False, False, False, True)),
]  # fmt: skip


@pytest.mark.parametrize(("account_type", "brings"), BRINGS)
def test_the_type_says_what_bad_debt_brings(account_type, brings):
    facts = account(uncollectible(live_ope_ids=("pro",)), hours=2000, account_type=account_type)

    wanted = (SetBadDebtFlag, SetBadDebtSince, SetBan, CancelWhatItBills)

    assert tuple(kind in kinds(facts) for kind in wanted) == brings


def test_nothing_is_done_twice_to_an_account_that_is_flagged_already():
    facts = account(uncollectible(is_credited=True), hours=200, **BANNED | {"payment_method_required_at": None})

    assert kinds(facts) == [SetDunning]


def test_payment_takes_everything_back_in_one_go():
    facts = account(paid(paid_hours=300), hours=301, mirrored=Mirrored(True, "pay_go"), **BANNED)

    assert kinds(facts) == [
        SetDunning, SetBadDebtFlag, SetBadDebtSince, SetBan, SetPaymentMethodRequired, Mirror,
    ]  # fmt: skip


@pytest.mark.parametrize("more", [{"is_merged": True}, {"account_type": "partner"}, {"account_type": "unheard_of"}])
def test_hands_off_means_that_no_store_changes(more):
    facts = account(uncollectible(), hours=200, **more)

    assert set(kinds(facts)) <= {OpenStuck}


def test_a_payment_in_flight_neither_restricts_nor_lifts():
    pending = replace(uncollectible(), is_in_flight=True)

    assert kinds(account(pending, hours=200)) == kinds(account(pending, hours=200, **BANNED)) == []


# methods, the last failure, is a method required first
REQUIRED = [
    ((CARD,),                                  failed(0),            False),
    ((CARD,),                                  failed(0, last=ACT),  True),
    ((DEAD,),                                  failed(0),            True),
    ((replace(CARD, usable_since=at(1)),),     failed(0, last=ACT),  False),
    ((CARD,),                                  failed(*DAYS),        True),
    ((replace(CARD, usable_since=at(121)),),   failed(*DAYS),        False),
]  # fmt: skip


@pytest.mark.parametrize(("methods", "failures", "is_required"), REQUIRED)
def test_a_method_is_required_of_whoever_has_none_that_could_be_charged(methods, failures, is_required):
    facts = account(invoice(failures=failures), hours=121, methods=methods)

    assert (SetPaymentMethodRequired in kinds(facts)) is is_required


def test_a_planned_charge_goes_when_its_invoice_is_paid_and_stays_when_it_is_right():
    wrong = invoice("a", debt=Debt.PAID, remaining_minor=0, retry_at=at(24))
    right = invoice("b", hours=1, failures=failed(1), retry_at=at(25))
    facts = account(wrong, right, hours=2)

    planned = [change for change in changes(facts, decide(facts, POLICY)) if isinstance(change, SetRetry)]

    assert planned == [SetRetry("a", None)]


NEW_CARD = replace(CARD, usable_since=at(26.2))

# when it is planned, when the processor last did not answer, the methods, whether another time is written
PUT_OFF = [
    (25,   None, (CARD,),     False),
    (26,   None, (CARD,),     False),
    (26.6, None, (CARD,),     True),
    (26.6, 26.1, (CARD,),     False),
    (26.6, 26.1, (NEW_CARD,), True),
    (26.6, 26.3, (NEW_CARD,), False),
    (26.4, 26.1, (NEW_CARD,), False),
    (None, None, (CARD,),     True),
]  # fmt: skip


@pytest.mark.parametrize(("planned", "put_off", "methods", "is_written"), PUT_OFF)
def test_a_charge_that_is_put_off_keeps_its_backoff_and_a_new_method_is_charged_at_once(
    planned, put_off, methods, is_written
):
    failures = failed(0) if methods == (CARD,) else failed(0, last=ACT)
    owed = invoice(
        failures=failures,
        retry_at=None if planned is None else at(planned),
        put_off_at=None if put_off is None else at(put_off),
    )
    facts = account(owed, hours=26.5, methods=methods)
    due_at = at(24) if methods == (CARD,) else NEW_CARD.usable_since

    written = [change for change in changes(facts, decide(facts, POLICY)) if isinstance(change, SetRetry)]

    assert written == ([SetRetry("a", due_at)] if is_written else [])


def every_account():
    """Every combination of what the stores may claim, the contradictory ones too."""
    invoices = (
        (),
        (invoice(failures=failed(0)),),
        (invoice(failures=failed(0, last=ACT)),),
        (invoice(failures=failed(*DAYS), live_ope_ids=("pro",)),),
        (uncollectible(live_ope_ids=("pro",)),),
        (uncollectible(is_credited=True),),
        (uncollectible(), uncollectible("b", hours=10)),
        (uncollectible(), paid("b", hours=10, paid_hours=150)),
        (uncollectible(), paid("b", hours=10, paid_hours=150), invoice("c", hours=160, failures=failed(160))),
        (paid(paid_hours=150, retry_at=at(150)),),
        (invoice(failures=failed(0), retry_at=at(500), put_off_at=at(150)),),
        (replace(uncollectible(), is_in_flight=True),),
    )
    stores = itertools.product(
        (False, True),
        (None, at(5)),
        (None, at(5)),
        (None, at(5)),
        (StoredDunning(), StoredDunning(DunningStatus.BAD_DEBT, "uncollectible debt", 6)),
        (None, Mirrored(False, "pay_go"), Mirrored(True, "msp")),
        ((CARD,), ()),
    )
    types = ("pay_go", "academic", "sponsored", "enterprise", "partner")
    for flag, since, banned, required, stored, mirrored, methods in stores:
        for account_type, owed, is_merged in itertools.product(types, invoices, (False, True)):
            yield account(
                *owed,
                hours=2000,
                account_type=account_type,
                is_merged=is_merged,
                has_bad_debt_flag=flag,
                bad_debt_since=since,
                banned_at=banned,
                payment_method_required_at=required,
                stored=stored,
                mirrored=mirrored,
                methods=methods,
            )


def test_over_every_combination_the_stores_agree_afterwards_and_nothing_is_left_to_change():
    seen = 0
    for facts in every_account():
        decision = decide(facts, POLICY)
        needed = changes(facts, decision)
        healed = facts
        for change in needed:
            healed = change.applied_to(healed)

        assert changes(healed, decide(healed, POLICY)) == ()
        seen += 1
        if decision.status is None:
            assert {type(change) for change in needed} <= {OpenStuck}
            continue
        is_bad, cell = decision.status is DunningStatus.BAD_DEBT, decision.cell
        assert (healed.stored.status, healed.stored.because) == (decision.status, decision.because)
        assert healed.has_bad_debt_flag is (healed.bad_debt_since is not None) is (is_bad and cell.flags)
        assert (healed.banned_at is not None) is (is_bad and cell.bans)
        assert healed.mirrored in (None, Mirrored(is_bad and cell.flags, facts.account_type))
        bad = [each for each in healed.invoices if each.id in {given_up.id for given_up in decision.bad}]
        assert all(each.bad_since and each.is_credited for each in bad)
        assert not cell.cancels or not any(each.live_ope_ids for each in bad)
    assert seen == 2 * 2 * 2 * 2 * 2 * 3 * 2 * 5 * 12 * 2
