"""Who gets which row, when, and what happens to a row whose holder died."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from accounts.claim import LeaseLost, claim, finishing, give_back, give_back_failed, release, renew, take
from accounts.models import JournalDelivery, JournalEntry
from config import clock

pytestmark = pytest.mark.usefixtures("story")


@pytest.fixture
def consumer():
    """A consumer that nobody else has heard of, so that the rows are ours alone."""
    return f"t{clock.machine_now().timestamp():.6f}"[:16]


def delivery(consumer, *, due_in_seconds=0):
    now = clock.now()
    entry = JournalEntry.objects.create(kind="test", actor="system:tests", at=now, recorded_at=now)
    return JournalDelivery.objects.create(
        entry=entry, consumer=consumer, next_at=now + timedelta(seconds=due_in_seconds)
    )


def due(consumer, **changes):
    return claim(JournalDelivery, "consumer = %s", (consumer,), **({"now": clock.now()} | changes))


def test_due_rows_come_oldest_first_and_only_as_many_as_wanted(consumer):
    late, early, _ = delivery(consumer, due_in_seconds=-1), delivery(consumer, due_in_seconds=-2), delivery(consumer)

    assert [row.pk for row in due(consumer, limit=2)] == [early.pk, late.pk]


def test_a_row_that_is_not_due_yet_stays(consumer):
    row = delivery(consumer, due_in_seconds=60)

    assert due(consumer) == []
    assert [r.pk for r in due(consumer, now=row.next_at)] == [row.pk]


def test_a_leased_row_is_nobody_elses(consumer):
    delivery(consumer)

    assert len(due(consumer)) == 1
    assert due(consumer) == []


def test_a_row_given_back_waits_in_machine_time_and_counts_no_attempt(consumer):
    delivery(consumer)
    (row,) = due(consumer)

    give_back(row, for_seconds=60)
    assert due(consumer) == []
    give_back(row)

    assert JournalDelivery.objects.get(pk=row.pk).attempts == 0


def test_a_failed_row_counts_the_attempt_and_waits_in_business_time(consumer):
    delivery(consumer)
    (row,) = due(consumer)

    give_back_failed(row, next_at=clock.now() + timedelta(hours=1))

    assert due(consumer) == []
    (again,) = due(consumer, now=clock.now() + timedelta(hours=1))
    assert again.attempts == 1


def test_a_row_whose_holder_died_is_free_at_once(consumer):
    delivery(consumer)

    def take_and_die():
        due(consumer)
        connections.close_all()

    holder = threading.Thread(target=take_and_die)
    holder.start()
    holder.join()
    _wait_until_sessions_are_gone()

    assert len(due(consumer)) == 1


def _wait_until_sessions_are_gone():
    """The server notices a closed connection a moment after the client closed it."""
    with connection.cursor() as cursor:
        for _ in range(10_000):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            if cursor.fetchone()[0] == 1:
                return


def test_a_lost_lease_can_write_nothing(consumer):
    delivery(consumer)
    (mine,) = due(consumer)
    JournalDelivery.objects.filter(pk=mine.pk).update(lease_until=clock.machine_now() - timedelta(seconds=1))
    (theirs,) = due(consumer)

    for write in (renew, release):
        with pytest.raises(LeaseLost):
            write(mine, attempts=9)
    with pytest.raises(LeaseLost), finishing(mine):
        pass

    assert theirs.pk == mine.pk
    assert JournalDelivery.objects.get(pk=mine.pk).attempts == 0


def test_finishing_deletes_the_row_with_the_work(consumer):
    delivery(consumer)
    (row,) = due(consumer)

    with finishing(row):
        pass

    assert not JournalDelivery.objects.filter(pk=row.pk).exists()


def test_one_row_can_be_taken_before_it_is_due_unless_it_is_held(consumer):
    row = delivery(consumer, due_in_seconds=3600)

    taken = take(JournalDelivery, row.pk)

    assert taken is not None
    assert take(JournalDelivery, row.pk) is None
