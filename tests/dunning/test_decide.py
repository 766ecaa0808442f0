"""What debt means: every row of the policy, at its boundaries, and the scenarios that must hold."""

from dataclasses import replace

import pytest

from dunning.decide import ROWS, decide
from dunning.facts import Debt, DunningStatus
from dunning.policy import POLICY
from tests.dunning.cases import ACT, DEAD, NEVER, account, at, failed, invoice, paid, uncollectible

CLEAR, REMINDED, RETRYING = DunningStatus.CLEAR, DunningStatus.REMINDED, DunningStatus.RETRYING
ACTION, BAD = DunningStatus.ACTION_REQUIRED, DunningStatus.BAD_DEBT
DAYS = (0, 24, 48, 72, 96, 120)
OWING, FAILED_ONCE = invoice(), invoice(failures=failed(0))
CENT = invoice(remaining_minor=1)

DECISIONS = [
    # the account                                                        status    because                    level
    (account(uncollectible(), is_merged=True),                           None,     "merged account",             0),
    (account(uncollectible(), account_type="unheard_of"),                None,     "unknown account type",       0),
    (account(uncollectible(), account_type="partner"),                   None,     "type is skipped",            0),
    (account(account_type="partner"),                                    None,     "type is skipped",            0),
    (account(OWING, account_type="enterprise", hours=30 * 24 - 1),       CLEAR,    "nothing owed",               0),
    (account(OWING, account_type="enterprise", hours=30 * 24),           REMINDED, "contract is overdue",        0),
    (account(uncollectible(), account_type="msp", hours=30 * 24),        REMINDED, "contract is overdue",        0),
    (account(),                                                          CLEAR,    "nothing owed",               0),
    (account(invoice(remaining_minor=0)),                                CLEAR,    "nothing owed",               0),
    (account(uncollectible(remaining_minor=0), hours=200),               CLEAR,    "nothing owed",               0),
    (account(CENT),                                                      RETRYING, "retries remain",             0),
    (account(paid("b", hours=720, paid_hours=900), uncollectible(), hours=901), CLEAR, "progressive: latest paid", 0),
    (account(replace(FAILED_ONCE, is_in_flight=True)),                   None,     "payment in flight",          0),
    (account(replace(uncollectible(), is_in_flight=True), hours=200),    None,     "payment in flight",          0),
    (account(uncollectible(), hours=200),                                BAD,      "uncollectible debt",         6),
    (account(uncollectible(remaining_minor=1), hours=200),               BAD,      "uncollectible debt",         6),
    (account(invoice(failures=failed(*DAYS)), hours=120),                BAD,      "retries are exhausted",      6),
    (account(invoice(failures=failed(*DAYS[:5])), hours=120),            RETRYING, "retries remain",             5),
    (account(invoice(failures=failed(0, last=ACT)), hours=126),          BAD,      "retries are exhausted",      6),
    (account(invoice(failures=failed(0, last=ACT)), hours=125),          ACTION,   "the customer must act",      1),
    (account(invoice(failures=failed(0, 24, last=NEVER)), hours=25),     ACTION,   "the customer must act",      2),
    (account(OWING, methods=(DEAD,)),                                    ACTION,   "the customer must act",      0),
    (account(invoice(bad_since=at(1)), hours=2),                         BAD,      "retries are exhausted",      6),
    (account(FAILED_ONCE),                                               RETRYING, "retries remain",             1),
    (account(OWING, account_type="sponsored"),                           RETRYING, "retries remain",             0),
    (account(FAILED_ONCE, account_type="sponsored"),                     BAD,      "retries are exhausted",      6),
    (account(invoice(failures=failed(*DAYS)), account_type="academic", hours=719), RETRYING, "retries remain",   5),
    (account(invoice(failures=failed(*DAYS)), account_type="academic", hours=720), BAD, "retries are exhausted", 6),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "status", "because", "level"), DECISIONS)
def test_decide(facts, status, because, level):
    decision = decide(facts, POLICY)

    assert (decision.status, decision.because, decision.level) == (status, because, level)


def test_every_row_has_its_case():
    assert {because for _, _, because, _ in DECISIONS} == {row.because for row in ROWS}


LIFTS = [
    # what was paid, and what was not                                                                  status
    ((uncollectible("a"), uncollectible("b", hours=720)),                                              BAD),
    ((uncollectible("a"), paid("b", hours=720, paid_hours=900)),                                       CLEAR),
    ((paid("a", paid_hours=900), uncollectible("b", hours=720)),                                       BAD),
    ((uncollectible("a"), uncollectible("b", hours=720, remaining_minor=5_00)),                        BAD),
    ((uncollectible("a"), invoice("c", debt=Debt.PAID, hours=800, paid_at=at(900), remaining_minor=0)), BAD),
    # An open invoice from before the payment must be paid too; one that came later runs its own course.
    ((uncollectible("a"), paid("b", hours=720, paid_hours=900), invoice("c", hours=900)),              BAD),
    ((uncollectible("a"), paid("b", hours=720, paid_hours=900), invoice("c", hours=901)),              RETRYING),
    ((uncollectible("a"), paid("b", hours=720, paid_hours=900), uncollectible("c", hours=1000)),       BAD),
    ((paid("a", paid_hours=200), invoice("c", hours=720)),                                             RETRYING),
]  # fmt: skip


@pytest.mark.parametrize(("invoices", "status"), LIFTS)
def test_restrictions_go_when_the_latest_bad_invoice_is_paid_in_full(invoices, status):
    assert decide(account(*invoices, hours=1200), POLICY).status is status


def test_a_type_that_must_pay_everything_is_not_lifted_by_the_latest():
    latest_paid = (uncollectible("a"), paid("b", hours=720, paid_hours=900))

    assert decide(account(*latest_paid, hours=1200, account_type="academic"), POLICY).status is BAD


def test_when_older_invoices_are_paid_the_next_stands_where_its_own_charges_have_brought_it():
    younger = invoice("c", hours=48, failures=failed(48, 72, 96))
    older = invoice("a", failures=failed(0, 24, 48, 72, 96))

    before = decide(account(older, younger, hours=97), POLICY)
    moved = decide(account(younger, hours=97), POLICY)

    assert (before.level, moved.level) == (5, 3)
    assert [retry.at for retry in moved.retries] == [at(120)]


def test_each_open_invoice_is_charged_on_its_own_schedule():
    older, younger = invoice("a", failures=failed(0)), invoice("b", hours=10, failures=failed(10))

    decision = decide(account(older, younger, hours=11), POLICY)

    assert {retry.invoice_id: retry.at for retry in decision.retries} == {"a": at(24), "b": at(34)}


def test_bad_debt_is_summed_over_its_invoices_and_other_invoices_are_still_tried():
    facts = account(uncollectible("a"), uncollectible("b", hours=10), invoice("c", hours=190), hours=200)

    decision = decide(facts, POLICY)

    assert [each.id for each in decision.bad] == ["b", "a"]
    assert [retry.invoice_id for retry in decision.retries] == ["c"]


@pytest.mark.parametrize(("invoices", "hours", "wake_hours"), [
    ((invoice(failures=failed(0)),),               1, 126),
    ((invoice(failures=failed(0)),),             126, None),
    ((invoice(failures=failed(0, last=ACT)),),   125, 126),
    ((uncollectible(),),                         200, None),
    ((),                                           1, None),
])  # fmt: skip
def test_the_moment_at_which_time_alone_changes_the_answer_is_known(invoices, hours, wake_hours):
    wake_at = decide(account(*invoices, hours=hours), POLICY).wake_at

    assert wake_at == (None if wake_hours is None else at(wake_hours))


def test_a_contract_is_asked_about_again_when_it_falls_due():
    assert decide(account(OWING, account_type="msp"), POLICY).wake_at == at(30 * 24)
