"""What the other tests rely on."""

import os
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction

from accounts.create_account import create_account
from accounts.models import JournalDelivery, Person
from config import clock as clock_of_the_application
from tests import parts
from tests.counting import count_statements


def test_the_worker_has_its_own_database_with_the_schema(db):
    assert connection.settings_dict["NAME"] == f"worker_{parts.worker_name()}"
    assert Person.objects.filter(email="nobody@example.com").count() == 0


def test_statements_are_counted_and_transaction_control_is_not(db):
    with count_statements() as statements, transaction.atomic():
        Person.objects.create(email="counted@example.com", created_at=clock_of_the_application.now())
        with transaction.atomic():
            assert Person.objects.filter(email="counted@example.com").exists()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 100")
            cursor.execute("WITH one AS (SELECT 1) SELECT * FROM one")
            with cursor.copy("COPY (SELECT 1) TO STDOUT") as copy:
                assert list(copy.rows()) == [("1",)]

    assert [statement.split()[0] for statement in statements] == ["INSERT", "SELECT", "SET", "WITH", "COPY"]


def test_a_story_commits_and_leaves_its_rows(story):
    person = Person.objects.create(
        email=f"committed-{os.getpid()}@example.com", created_at=clock_of_the_application.now()
    )

    connection.close()

    assert Person.objects.filter(pk=person.pk).exists()


def test_connections_give_up_on_locks_and_say_who_they_are(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('application_name')")
        row = cursor.fetchone()

    assert row == ("2s", "paygo")
    assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"] is True


def test_the_clock_stands_moves_and_runs_on(story, clock):
    stands_at = clock.freeze()

    assert clock.now() == stands_at
    assert clock.advance(days=3) == stands_at + timedelta(days=3)
    clock.run_on()
    assert stands_at + timedelta(days=3) < clock.now() < stands_at + timedelta(days=3, minutes=1)


def test_work_that_a_story_leaves_undone_sleeps(story):
    now = clock_of_the_application.now()
    account = create_account(name="Left behind", email="left@example.com", actor="test", now=now)

    parts.put_leftovers_to_sleep()

    assert {row.next_at.year for row in JournalDelivery.objects.filter(account_id=account.pk)} == {2999}
