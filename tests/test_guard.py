"""The watch over unjournalled writes sees what it should, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from accounts import journal
from accounts.create_account import create_account
from accounts.lock import account_lock
from accounts.models import Account, JournalEntry, Person, SubsAccount
from tests.guard import ROOT, JournalGuard, deviations, unguarded, writers_of

NOW = datetime(2027, 3, 5, 10, 30, tzinfo=UTC)


@pytest.fixture
def account(db: None) -> Account:
    with unguarded():
        account = Account.objects.create(name="watched", created_at=NOW)
        SubsAccount.objects.create(account=account, email="watched@example.com")
    return account


def change(account: Account) -> None:
    SubsAccount.objects.filter(pk=account.pk).update(email="changed@example.com")


def write_down(account: Account) -> None:
    journal.emit(journal.Fact("token.issued", account.pk, "system:tests", after={"prefix": "pgo_1a2b"}), at=NOW)


def bare(account: Account) -> None:
    change(account)


def in_a_transaction(account: Account) -> None:
    with transaction.atomic():
        change(account)


def entry_in_the_next_transaction(account: Account) -> None:
    with transaction.atomic():
        change(account)
    with account_lock(account.pk):
        write_down(account)


def second_transaction_of_two(account: Account) -> None:
    with account_lock(account.pk):
        change(account)
        write_down(account)
    with transaction.atomic():
        change(account)


def raw_in_a_cte(account: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH changed AS (UPDATE subs_account SET email = 'raw@example.com' WHERE account_id = %s RETURNING 1) "
            "SELECT * FROM changed",
            [account.pk],
        )


def after_a_failed_savepoint(account: Account) -> None:
    with transaction.atomic():
        change(account)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError


def journalled(account: Account) -> None:
    with account_lock(account.pk):
        change(account)
        write_down(account)


def journalled_first(account: Account) -> None:
    with account_lock(account.pk):
        write_down(account)
        with transaction.atomic():
            change(account)


def nested(account: Account) -> None:
    with account_lock(account.pk):
        with transaction.atomic():
            change(account)
        write_down(account)


def rolled_back(account: Account) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        change(account)
        raise ZeroDivisionError


def no_row_hit(account: Account) -> None:
    SubsAccount.objects.filter(pk="0" * 32).update(email="nobody@example.com")


def unguarded_table(account: Account) -> None:
    Person.objects.create(email="somebody@example.com", created_at=NOW)


def exempt(account: Account) -> None:
    with unguarded():
        change(account)


def only_read_and_locked(account: Account) -> None:
    with account_lock(account.pk):
        JournalEntry.objects.filter(account=account).exists()


BROKEN = [
    bare,
    in_a_transaction,
    entry_in_the_next_transaction,
    second_transaction_of_two,
    raw_in_a_cte,
    after_a_failed_savepoint,
]
KEPT = [journalled, journalled_first, nested, rolled_back, no_row_hit, unguarded_table, exempt, only_read_and_locked]


@pytest.mark.parametrize("act", BROKEN)
def test_a_change_without_an_entry_is_complained_of_once(account: Account, act: Callable[[Account], None]) -> None:
    with JournalGuard().watching() as guard:
        act(account)

    assert guard.violations == ["subs_account: written without a journal entry in the same transaction"]


@pytest.mark.parametrize("act", KEPT)
def test_what_keeps_the_rule_is_let_be(account: Account, act: Callable[[Account], None]) -> None:
    with JournalGuard().watching() as guard:
        act(account)

    assert guard.violations == []


def test_nothing_is_left_behind(db: None) -> None:
    exit_of_django, wrappers = transaction.Atomic.__exit__, list(connection.execute_wrappers)

    with JournalGuard().watching():
        pass

    assert transaction.Atomic.__exit__ is exit_of_django
    assert connection.execute_wrappers == wrappers


def test_real_transactions_are_judged_too(story: None) -> None:
    with unguarded():
        committed = Account.objects.create(name="really committed", created_at=NOW)
        SubsAccount.objects.create(account=committed, email="real@example.com")

    with JournalGuard().watching() as guard:
        in_a_transaction(committed)
        journalled(committed)

    assert len(guard.violations) == 1


def test_a_writer_that_is_none_of_the_tables_is_complained_of(account: Account) -> None:
    intruder = {"__name__": "billing.api.intruder", "change": SubsAccount.objects.filter(pk=account.pk).update}
    code = compile("change(email='intruder@example.com')", str(ROOT / "billing/api/intruder.py"), "exec")

    with JournalGuard().watching() as guard, account_lock(account.pk):
        exec(code, intruder)  # noqa: S102  a module that must never exist
        write_down(account)

    assert guard.violations == ["subs_account: written by billing.api.intruder, and only accounts.profile may"]


def test_the_writer_that_the_store_names_is_let_be(db: None) -> None:
    with JournalGuard().watching() as guard:
        create_account(name="made properly", email="made@example.com", actor="system:tests", now=NOW)

    assert guard.violations == []


WRITERS = [
    # statement                                                            may be sent by
    ('INSERT INTO "subs_account" ("account_id", "flags") VALUES (1, 0)',   {"accounts.profile", "dunning.apply"}),
    ('UPDATE "subs_account" SET "email" = %s WHERE "flags" = 1',           {"accounts.profile"}),
    ('UPDATE "subs_account" SET "flags" = %s',                             {"dunning.apply"}),
    ('UPDATE "subs_account" SET "flags" = %s, "email" = %s',               set()),
    ("UPDATE subs_account SET flags = flags | 1 FROM account WHERE TRUE",  {"dunning.apply"}),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "writers"), WRITERS)
def test_each_column_group_has_its_writers(sql: str, writers: set[str]) -> None:
    assert writers_of("subs_account", sql) == writers


HELD = [
    # kind                     after                                               what is wrong with it
    ("zone.created",           {"zone_id": "0" * 32},                              []),
    ("zone.created",           {},                                                 ["$ 'zone_id' is a required property"]),
    ("zone.created",           {"zone_id": "acme.example"},                        ["$.zone_id 'acme.example' does not match"]),
    ("zone.created",           {"zone_id": "0" * 32, "name": "acme.example"},      ["$ Additional properties are not allowed"]),
    ("subscription.renewed",   {"invoice_id": "0" * 32, "opes": ("1" * 32,), "until": NOW}, []),
    ("nobody.knows",           {"anything": 1},                                    []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "after", "wrong"), HELD)
def test_a_fact_holds_what_its_kind_says(kind: str, after: dict[str, object], wrong: list[str]) -> None:
    found = deviations(journal.Fact(kind, None, "system:tests", after=after))

    assert len(found) == len(wrong)
    assert all(part in sentence for part, sentence in zip(wrong, found, strict=True))


def test_a_fact_that_does_not_is_complained_of(account: Account) -> None:
    with JournalGuard().watching() as guard, account_lock(account.pk):
        journal.emit(journal.Fact("zone.created", account.pk, "system:tests"), at=NOW)

    assert len(guard.violations) == 1
