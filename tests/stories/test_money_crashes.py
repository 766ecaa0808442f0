"""
Death at boundaries of whatever moves money, and answers of Stripe's that are lost on their way: no double charge, no
lost payment, and everything goes on afterwards.
"""

import json
from contextlib import suppress
from datetime import timedelta

import pytest

from billing.cfstripe.client import RETRIES
from config.passing_time import pass_time
from tests.crash_points import boundaries, kill_at, leases_run_out, raise_at
from tests.invariants import assert_hold
from tests.money import money_of, nothing_differs
from tests.stories.money_acts import ACTS

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

# How many boundaries of each act are tried, spread over all of them; every one, both ways, in `make soak`.
RAISED, KILLED = 4, 2
READS = ("retrieve", "list", "search")


@pytest.fixture(autouse=True)
def _no_fault_outlives_its_test(sandbox):
    yield
    sandbox.delete("/_sandbox/faults")


def all_is_well(act, cases, clock, sandbox):
    """Let the workers look, let people ask again, and see that each act was done once and everything holds."""
    with leases_run_out():
        list(pass_time(clock.now() + timedelta(minutes=45)))
        for case in cases if act.again else ():
            act.again(case)
        list(pass_time(clock.now() + timedelta(minutes=45)))
    undone = [case for case in cases if not act.is_done(case)]
    assert undone == [], "\n".join(json.dumps(money_of(case.account), default=str) for case in undone)
    # An account of a contract alone, which lives in our books only, owns nothing that anybody derived.
    assert_hold(sandbox, *[case.account for case in cases if hasattr(case.account, "customer")])
    assert nothing_differs(cases[0].account)


def dies(act, clock, sandbox, *, raised, killed):
    """Try an act with an error at so many of its boundaries and a kill at so many; return their names."""
    first, *cases = act.prepare(clock, sandbox, 1 + raised + killed)
    names = boundaries(lambda: act.act(first))
    deaths = [(raise_at, number) for number in spread(len(names), raised)]
    deaths += [(kill_at, number) for number in spread(len(names), killed)]
    for (die, number), case in zip(deaths, cases, strict=True):
        die(lambda case=case: act.act(case), number)
    all_is_well(act, [first, *cases], clock, sandbox)
    return names


def spread(whole, parts):
    """Return `parts` numbers below `whole`, as far apart as can be, the last among them."""
    return [whole * (part + 1) // parts - 1 for part in range(parts)]


def loses_answers(act, clock, sandbox, stripe_calls, writes):
    """Try an act with the answer to each of these writes lost, again and again; return all that it made."""
    first, *cases = act.prepare(clock, sandbox, 1 + len(writes))
    before = stripe_calls()
    act.act(first)
    made = {each for each in stripe_calls() - before if each.rpartition(".")[2] not in READS}
    for operation, case in zip(sorted(writes), cases, strict=True):
        sandbox.post("/_sandbox/faults", {"kind": "cut", "operation": operation, "count": RETRIES + 1})
        with suppress(Exception):  # whatever it says: what became of it is looked at below
            act.act(case)
        sandbox.delete("/_sandbox/faults")
    all_is_well(act, [first, *cases], clock, sandbox)
    return made


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_death_at_a_boundary_charges_once_and_loses_nothing(clock, sandbox, act):
    assert len(dies(act, clock, sandbox, raised=RAISED, killed=KILLED)) >= RAISED


# Every write of each act at Stripe.
WRITES = {
    "finalise and collect": {"Invoice.update", "InvoiceItem.create", "Invoice.finalize_invoice", "Invoice.pay"},
    "pay": {"Invoice.pay"},
    "refund": {"CreditNote.create"},
    "credit": {"CreditNote.create"},
    "give up": {"CreditNote.create"},
}


@pytest.mark.parametrize("act", [act for act in ACTS if act.name in WRITES], ids=lambda act: act.name)
def test_an_answer_that_is_lost_is_found_out_and_nothing_is_done_twice(clock, sandbox, stripe_calls, act):
    writes = WRITES[act.name]

    assert loses_answers(act, clock, sandbox, stripe_calls, writes) == writes
