import threading
from uuid import uuid4

import pytest
from django.db import connection, connections

from accounts.create_account import create_account
from accounts.lock import AccountBusy, account_lock, holds_lock, lock_accounts
from accounts.models import Account, Zone
from config import clock
from tests.counting import count_statements
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("story")


@pytest.fixture
def account():
    name = uuid4().hex[:12]
    return create_account(name=name, email=f"{name}@example.com", actor="system:tests", now=clock.now())


def elsewhere(work):
    """Do something in another session and return what it raised."""
    raised = []

    def run():
        try:
            work()
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def take_it(account, **how):
    with account_lock(account.pk, **how):
        pass


def test_a_lock_that_is_held_is_busy_elsewhere_and_free_again_afterwards(account):
    with account_lock(account.pk):
        refused = elsewhere(lambda: take_it(account, wait=False))

    assert isinstance(refused, AccountBusy)
    assert elsewhere(lambda: take_it(account, wait=False)) is None


def test_waiting_is_bounded(account):
    with account_lock(account.pk):
        assert isinstance(elsewhere(lambda: take_it(account)), AccountBusy)


def test_child_rows_of_a_locked_account_can_be_inserted_elsewhere(account):
    def insert():
        with unguarded():
            Zone.objects.create(account=account, name=f"{account.name}.example", created_at=clock.now())

    with account_lock(account.pk):
        assert elsewhere(insert) is None


def test_taking_a_held_lock_again_costs_nothing(account):
    with account_lock(account.pk), count_statements() as statements:
        take_it(account)

    assert len(statements) == 0


def test_a_lock_is_known_to_be_held_only_inside(account):
    with account_lock(account.pk):
        assert holds_lock(account.pk)

    assert not holds_lock(account.pk)
    assert not connection.in_atomic_block


def test_looking_up_and_locking_is_one_statement(account):
    wanted = Account.objects.filter(name=account.name).values("pk")

    with count_statements() as statements, lock_accounts(wanted) as found:
        assert found == (account.pk,)

    assert len(statements) == 1


def test_an_account_that_does_not_exist_can_not_be_locked():
    with pytest.raises(Account.DoesNotExist), account_lock("0" * 32):
        pass
