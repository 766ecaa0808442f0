"""One box finds an account by whatever one has in hand: exactly, and by an index."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from accounts.admin.search import accounts_found
from accounts.models import Account, Customer, Zone
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.stripe_mirror import StripeMirror
from tests.admin import world
from tests.counting import count_statements
from tests.guard import unguarded
from webhooks.models import StripeEvent

# The two of the login are counted in.
SEARCH_BUDGET = 3 + 2


def mirrored(account: Account) -> str:
    with unguarded():
        StripeMirror.objects.create(
            id="ch_1Charge", kind="charge", account_id=account.pk, payload={}, seen_at=world.NOW
        )
    return "ch_1Charge"


TERMS: dict[str, Callable[[Account], str]] = {
    "account id": lambda a: a.pk,
    "account id in capitals, with spaces": lambda a: f"  {a.pk.upper()} ",
    "e-mail of a member": lambda _: "Owner@Acme.Example",
    "domain": lambda _: "acme.example",
    "domain of a zone": lambda _: "zone1.acme.example.",
    "last 4": lambda _: "4242",
    "invoice number": lambda a: str(Invoice.objects.filter(account=a).first()).lower(),
    "cus_": lambda a: Customer.objects.get(pk=a.pk).stripe_customer_id,
    "sub_": lambda a: BillingSchedule.objects.get(account=a).stripe_subscription_id,
    "in_": lambda a: Invoice.objects.filter(account=a).first().stripe_invoice_id,
    "in_ of a change": lambda a: ChangeWorkflow.objects.get(account=a).stripe_invoice_id,
    "pi_": lambda a: PaymentAttempt.objects.filter(account=a).first().stripe_payment_intent_id,
    "pi_ of a change": lambda a: ChangeWorkflow.objects.get(account=a).stripe_payment_intent_id,
    "pm_": lambda a: PaymentMethod.objects.get(account=a).processor_id,
    "evt_": lambda a: StripeEvent.objects.get(account_id=a.pk).pk,
    "any other Stripe id": mirrored,
    "zone id": lambda a: Zone.objects.filter(account=a).first().pk,
    "OPE id": lambda a: Ope.objects.filter(account=a).first().pk,
    "subscription id": lambda a: Ope.objects.filter(account=a).first().subscription_id,
    "change id": lambda a: ChangeWorkflow.objects.get(account=a).pk,
}

NOTHING = [
    "acme",                     # part of a name
    "acme.exampl",              # part of a domain
    "%",                        # what a pattern would match anything with
    "owner@acme",
    "424",
    "0" * 32,
    "cus_nobody",
    "' OR 1=1 --",
    "\N{SNOWMAN}",
    "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS.keys())
def test_a_term_leads_to_the_account(agent: Client, term: Callable[[Account], str]) -> None:
    account = world.account_with_everything()
    with unguarded():
        Account.objects.create(name="somebody else", created_at=world.NOW)
    searched = term(account)

    with count_statements() as statements:
        answer = agent.get(reverse("admin:accounts_account_changelist"), {"q": searched})

    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:accounts_account_change", args=[account.pk])
    assert len(statements) <= SEARCH_BUDGET, "\n".join(statements)


@pytest.mark.parametrize("term", NOTHING)
def test_what_is_not_exact_finds_nothing(agent: Client, term: str) -> None:
    world.account_with_everything()

    answer = agent.get(reverse("admin:accounts_account_changelist"), {"q": term})

    assert answer.status_code == 200
    assert list(answer.context["cl"].result_list) == []
    assert "Nothing has exactly" in answer.content.decode()


def test_several_accounts_are_listed(agent: Client) -> None:
    for domain in ("one.example", "two.example"):
        world.account_with_everything(domain=domain)

    answer = agent.get(reverse("admin:accounts_account_changelist"), {"q": "4242"})

    assert len(answer.context["cl"].result_list) == 2


SHAPES = [
    "a" * 32,
    "owner@acme.example",
    "cus_1",
    "sub_1",
    "in_1",
    "pi_1",
    "pm_1",
    "evt_1",
    "ch_1",
    "acme.example",
    "4242",
    "PGO-1",
]


@pytest.fixture(scope="module")
def untouched(untouched_database: str) -> Iterator[psycopg.Connection]:
    """Plans there depend on no other test, and read a table whole only where no index has what is asked for."""
    with psycopg.connect(untouched_database) as connection:
        for choice in ("seqscan", "mergejoin", "hashjoin", "sort"):
            connection.execute(f"SET enable_{choice} = off")
        yield connection


@pytest.mark.parametrize("term", SHAPES)
def test_each_kind_of_term_is_looked_up_in_indexes(db: None, untouched: psycopg.Connection, term: str) -> None:
    found = accounts_found(term)
    assert found is not None
    statement, values = found.query.sql_with_params()

    row = untouched.execute(f"EXPLAIN (FORMAT JSON) {statement}", values).fetchone()

    assert row is not None
    assert read_whole(row[0][0]["Plan"]) == []


def read_whole(node: dict[str, Any]) -> list[str]:
    """Return the relations that a plan reads from end to end: an index without a condition is no better than a table."""
    is_whole = "Scan" in node["Node Type"] and not {"Index Cond", "Recheck Cond"} & node.keys()
    below = [name for child in node.get("Plans", ()) for name in read_whole(child)]
    return [*([node["Relation Name"]] if is_whole and "Relation Name" in node else []), *below]
