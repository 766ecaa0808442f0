"""What the other tests rely on."""

import os

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Person
from config import clock
from tests import parts
from tests.counting import count_statements


def test_the_worker_has_its_own_database_with_the_schema(db):
    assert connection.settings_dict["NAME"] == f"worker_{parts.worker_name()}"
    assert Person.objects.filter(email="nobody@example.com").count() == 0


def test_statements_are_counted_and_transaction_control_is_not(db):
    with count_statements() as statements, transaction.atomic():
        Person.objects.create(email="counted@example.com", created_at=clock.now())
        with transaction.atomic():
            assert Person.objects.filter(email="counted@example.com").exists()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 100")
            cursor.execute("WITH one AS (SELECT 1) SELECT * FROM one")
            with cursor.copy("COPY (SELECT 1) TO STDOUT") as copy:
                assert list(copy.rows()) == [("1",)]

    assert [statement.split()[0] for statement in statements] == ["INSERT", "SELECT", "SET", "WITH", "COPY"]


def test_a_story_commits_and_leaves_its_rows(story):
    person = Person.objects.create(email=f"committed-{os.getpid()}@example.com", created_at=clock.now())

    connection.close()

    assert Person.objects.filter(pk=person.pk).exists()


def test_connections_give_up_on_locks_and_say_who_they_are(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('application_name')")
        row = cursor.fetchone()

    assert row == ("2s", "paygo")
    assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"] is True
