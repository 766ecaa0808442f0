"""A person is erased: what says who they are goes, ids and the journal stay, and nothing that is owed is forgotten."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.api.authentication import find_caller
from accounts.create_account import issue_token
from accounts.lock import account_lock
from accounts.models import Account, JournalEntry, Member, Notice, Person, SubsStuckEvent
from accounts.stuck import open_stuck
from billing.cfstripe.personal import without_personal_data
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.payments import methods
from config import clock
from tests.guard import unguarded

from . import payloads, world

pytestmark = pytest.mark.django_db

SECRETS = ("ada@example.com", "Ada Lovelace", "St James's Square", "+441234", "Lovelace Engines", "GB 123 4567 89")


def erase(email, *arguments):
    out = io.StringIO()
    call_command("erase_person", email, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def ada(db):
    """An account of one person of whom everything is known, and is over."""
    account, customer_id = world.customer()
    with unguarded():
        Account.objects.filter(pk=account.pk).update(name="Ada Lovelace")
        account.subs_account.email = "ada@example.com"
        account.subs_account.company, account.subs_account.tax_id = "Lovelace Engines", "GB 123 4567 89"
        account.subs_account.save()
        Person.objects.filter(memberships__account=account).update(email="ada@example.com")
    who = {
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "phone": "+441234",
        "address": {"line1": "St James's Square"},
    }
    told = world.arrive("customer.updated", payloads.customer(customer_id) | who)
    world.forward()
    with account_lock(account.pk):
        methods.remember(payloads.payment_method(customer_id), account_id=account.pk, now=clock.now())
        Notice.objects.create(
            account=account, kind="domain_unpaid", about="x", language="en", facts={"domain": "ada@example.com"},
            created_at=clock.now(), next_at=clock.now(), sent_at=clock.now(),
        )  # fmt: skip
    person = Person.objects.get(email="ada@example.com")
    token = issue_token(account.pk, person, name="Ada Lovelace", actor="system:tests", now=clock.now())
    assert world.outcome_of(told) == "nothing"
    return account, person, token


def everything():
    """Return all that every table says."""
    with connection.cursor() as cursor:
        tables = [table for table in connection.introspection.table_names(cursor) if not table.startswith("pg_")]
        said = []
        for table in tables:
            cursor.execute(f'SELECT json_agg(t) FROM "{table}" t')  # noqa: S608
            said.append((table, json.dumps(cursor.fetchone()[0])))
    return said


def test_nothing_says_who_they_were_and_the_journal_stays(ada):
    account, person, token = ada
    before = list(JournalEntry.objects.filter(account=account).order_by("sequence").values())
    assert {secret for secret in SECRETS if any(secret in said for _, said in everything())} == set(SECRETS)

    said = erase(" ADA@example.com", "--yes")

    assert [table for table, rows in everything() if any(secret in rows for secret in SECRETS)] == []
    assert f"{account.pk}: theirs, whole" in said
    assert "ada" not in said.lower()
    entries = list(JournalEntry.objects.filter(account=account).order_by("sequence").values())
    assert entries[: len(before)] == before
    assert [(entry["kind"], entry["after"]) for entry in entries[len(before) :]] == [
        ("person.erased", {"person_id": person.pk})
    ]
    assert not Member.objects.filter(account=account).exists()
    assert find_caller(token, machine_now=clock.machine_now()) is None
    assert not PaymentMethod.objects.filter(account=account).exclude(last4="").exists()


def test_the_second_time_there_is_nobody(ada):
    account, _, _ = ada
    erase("ada@example.com", "--yes")
    entries = JournalEntry.objects.filter(account=account).count()

    said = erase("ada@example.com", "--yes")

    assert "Nobody is known" in said
    assert JournalEntry.objects.filter(account=account).count() == entries


def test_without_yes_it_only_looks(ada):
    before = everything()

    said = erase("ada@example.com")

    assert "Nothing was changed" in said
    assert everything() == before


def owes(account, customer_id):
    world.open_invoice(account, payloads.invoice(customer_id) | {"status": "open"})


def awaits(account, _):
    ChangeWorkflow.objects.create(
        account=account, step="planned", origin="api", actor="system:tests", request={}, request_digest="", plan={},
        requested_at=clock.now(), next_at=clock.now(),
    )  # fmt: skip


def owns(account, _):
    Ope.objects.create(
        account=account, object_kind="account", object_id=account.pk, product="plan", kind="enum", subscription_id="0",
        value_phases=[{"rank": 1, "value": "pro"}], license_source_id="sub_1:si_1", created_date=clock.now(),
    )  # fmt: skip


def is_stuck(_, customer_id):
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE, external_id=payloads.new_id("evt"), kind="invoice.paid",
        reason=SubsStuckEvent.Reason.HANDLER_ERROR, signature="x", customer_reference=customer_id, now=clock.now(),
    )  # fmt: skip


def is_stuck_and_known(account, _):
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE, external_id=payloads.new_id("re"), kind="refund.failed",
        reason=SubsStuckEvent.Reason.REFUND_FAILED, signature="x", customer_reference="", account_id=account.pk,
        now=clock.now(),
    )  # fmt: skip


# what they do, what is said
NOT_OVER = [
    (owes,     "1 of its invoices are not paid"),
    (owns,     "1 things that it owns are not free"),
    (awaits,   "1 of its changes are under way"),
    (is_stuck, "1 things that came from outside wait as stuck"),
    (is_stuck_and_known, "1 things that came from outside wait as stuck"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "why"), NOT_OVER)
@pytest.mark.parametrize("arguments", [[], ["--yes"]])
def test_who_owes_owns_or_awaits_something_is_not_erased(ada, what, why, arguments):
    account, _, _ = ada
    with unguarded():
        what(account, account.customer.stripe_customer_id)
    before = everything()

    with pytest.raises(CommandError, match=f"Account {account.pk}: {why}"):
        erase("ada@example.com", *arguments)

    assert everything() == before


@pytest.mark.parametrize("status", ["paid", "void"])
def test_an_invoice_that_is_over_stays_and_is_not_in_the_way(ada, status):
    account, _, _ = ada
    with unguarded():
        world.open_invoice(account, payloads.invoice(account.customer.stripe_customer_id))
        Invoice.objects.filter(account=account).update(
            status=status, finalized_at=clock.now(), paid_at=clock.now() if status == "paid" else None
        )

    erase("ada@example.com", "--yes")

    assert Invoice.objects.filter(account=account).count() == 1


def test_an_account_with_another_member_keeps_its_name_and_loses_the_address(ada):
    account, person, _ = ada
    other, _ = world.customer()
    with unguarded():
        Member.objects.create(
            account=account, person=other.members.get().person, role="administrator", created_at=clock.now()
        )
        Member.objects.create(account=other, person=person, role="billing", created_at=clock.now())

    said = erase("ada@example.com", "--yes")

    account.refresh_from_db()
    account.subs_account.refresh_from_db()
    assert (account.name, account.subs_account.email) == ("Ada Lovelace", "")
    assert f"{account.pk}: theirs, its other members keep it" in said
    assert f"{other.pk}: a member" in said
    assert [member.account for member in other.members.get().person.memberships.order_by("created_at")] == [
        other,
        account,
    ]
    assert JournalEntry.objects.filter(account=other, kind="person.erased").count() == 1
    other.subs_account.refresh_from_db()
    assert other.subs_account.email
    assert other.name != "erased"


def test_ids_amounts_and_states_of_an_object_stay():
    raw = {
        "id": "ch_1", "amount": 5, "billing_details": {"name": "Ada"}, "receipt_email": "ada@example.com",
        "payment_method_details": {"card": {"last4": "4242", "brand": "visa"}}, "refunds": [{"id": "re_1", "name": "A"}],
    }  # fmt: skip

    assert without_personal_data(raw) == {
        "id": "ch_1", "amount": 5, "billing_details": None, "receipt_email": None,
        "payment_method_details": {"card": {"last4": None, "brand": "visa"}}, "refunds": [{"id": "re_1", "name": None}],
    }  # fmt: skip
