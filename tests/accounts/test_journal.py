from uuid import uuid4

import pytest

from accounts import journal
from accounts.create_account import create_account
from accounts.journal_kinds import KINDS, Consumer
from accounts.lock import account_lock
from accounts.models import JournalDelivery, JournalEntry
from config import clock
from tests.counting import count_statements

pytestmark = pytest.mark.usefixtures("story")


@pytest.fixture
def account():
    name = uuid4().hex[:12]
    return create_account(name=name, email=f"{name}@example.com", actor="system:tests", now=clock.now())


def fact(account, kind="zone.created"):
    kept = KINDS[kind].after.example if kind in KINDS else {}
    return journal.Fact(kind, account.pk, "system:tests", after=kept)


def sequences(account):
    return list(JournalEntry.objects.filter(account=account).order_by("pk").values_list("sequence", "kind"))


def waiting(account):
    return set(JournalDelivery.objects.filter(account_id=account.pk).values_list("entry__kind", "consumer"))


def test_entries_are_numbered_in_order_within_the_account(account):
    with account_lock(account.pk):
        journal.emit(fact(account), fact(account, "token.issued"), at=clock.now())
        journal.emit(fact(account), at=clock.now())

    assert sequences(account) == [
        (1, "account.created"), (2, "member.added"), (3, "zone.created"), (4, "token.issued"), (5, "zone.created"),
    ]  # fmt: skip


def test_each_consumer_of_a_kind_gets_a_delivery_by_the_same_statement(account):
    with account_lock(account.pk), count_statements() as statements:
        journal.emit(fact(account, "customer.mapped"), fact(account), at=clock.now())

    assert len(statements) == 1
    assert waiting(account) == {
        ("account.created", "billing"), ("account.created", "fanout"), ("member.added", "fanout"),
        ("customer.mapped", "pipe"), ("zone.created", "fanout"),
    }  # fmt: skip


def test_an_entry_needs_the_accounts_lock_and_a_transaction(account):
    with pytest.raises(AssertionError, match="one transaction"):
        journal.emit(fact(account), at=clock.now())

    other = create_account(name="x", email=f"{uuid4().hex}@example.com", actor="system:tests", now=clock.now())
    with pytest.raises(AssertionError, match="not locked"), account_lock(other.pk):
        journal.emit(fact(account), at=clock.now())


def test_an_unknown_kind_is_refused(account):
    with pytest.raises(KeyError), account_lock(account.pk):
        journal.emit(fact(account, "unheard.of"), at=clock.now())


def test_what_fails_to_be_delivered_waits_and_holds_up_nothing(account):
    with account_lock(account.pk):
        journal.emit(fact(account, "customer.mapped"), fact(account, "customer.mapped"), at=clock.now())
    mine = list(JournalDelivery.objects.filter(account_id=account.pk, consumer="pipe").order_by("pk"))
    acted = []

    def act(delivery):
        acted.append(delivery.pk)
        if delivery.pk == mine[0].pk:
            raise RuntimeError("not today")

    journal.deliver(Consumer.PIPE, act, now=clock.now(), limit=1000)

    assert {row.pk for row in mine} <= set(acted)
    (left,) = JournalDelivery.objects.filter(account_id=account.pk, consumer="pipe")
    assert (left.pk, left.attempts) == (mine[0].pk, 1)
    assert left.next_at > clock.now()
