"""iAPI: services read on in the journal from wherever they were."""

import threading
from time import monotonic

import pytest
from django.db import connections

from accounts.issue_service_token import issue_service_token
from accounts.lock import account_lock
from accounts.models import JournalEntry
from accounts.roles import Scope
from config import clock
from tests.api.conftest import Api
from tests.webhooks.telling import happen, in_valkey, new_account
from webhooks.fanout import fan_out_due

pytestmark = pytest.mark.usefixtures("story")


def api_of(*scopes):
    return Api(issue_service_token(name="reader", scopes=scopes, actor="system:tests", now=clock.now()))


@pytest.fixture
def service():
    return api_of(Scope.JOURNAL_READ)


def read(service, query=""):
    answer = service.call("GET", f"/journal{query}", prefix="/internal/v1")
    assert answer.status_code == 200, answer.content
    return answer.json()["result"]


def read_on(service, after):
    """
    Return what was told after `after`, as far as everything that is in the journal now.

    A snapshot counts the transactions of the whole server: those of the tests beside this one hold the reader back too.
    """
    events, newest, deadline = [], newest_id(), monotonic() + 30
    while after < newest:
        assert monotonic() < deadline, f"the journal was not told from {after} to {newest}"
        page = read(service, f"?after={after}")
        events, after = events + page["events"], page["next"]
    return events, after


def newest_id():
    return JournalEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]


def test_an_accounts_journal_is_read_page_by_page_and_is_what_the_stream_carried(service):
    account = new_account()
    for _ in range(3):
        happen(account)
    fan_out_due(now=clock.now())

    events, after, more = [], 0, True
    while more:
        page = read(service, f"?account_id={account.pk.upper()}&after={after}&limit=2")
        events, after, more = events + page["events"], page["next"], page["has_more"]

    assert sorted(events, key=lambda event: event["sequence"]) == sorted(
        (heard.event for heard in in_valkey(account)), key=lambda event: event["sequence"]
    )
    assert [int(event["sequence"]) for event in events] == [1, 2, 3, 4, 5]
    assert read(service, f"?account_id={account.pk}&after=5") == {"events": [], "next": 5, "has_more": False}
    assert read(service, f"?account_id={'0' * 32}")["events"] == []


def test_the_whole_journal_waits_for_what_is_slow_to_commit(service):
    start = newest_id()
    slow, quick = new_account(), new_account()
    written, go_on = threading.Event(), threading.Event()

    def commit_late():
        with account_lock(slow.pk):
            happen(slow)
            written.set()
            assert go_on.wait(20)
        connections.close_all()

    writer = threading.Thread(target=commit_late)
    writer.start()
    assert written.wait(20)
    happen(quick)
    during = read(service, f"?after={start}")
    assert [event["type"] for event in during["events"] if event["subject"] == quick.pk][2:] == []
    go_on.set()
    writer.join()
    told, end = read_on(service, during["next"])

    seen = [(event["subject"], int(event["sequence"])) for event in during["events"] + told]
    assert [number for subject, number in seen if subject == slow.pk] == [1, 2, 3]
    assert [number for subject, number in seen if subject == quick.pk] == [1, 2, 3]
    assert read(service, f"?after={end}")["events"] == []


REFUSED = [
    ("?after=-1", 400), ("?after=x", 400), ("?after=" + "9" * 19, 400), ("?limit=0", 400), ("?limit=1001", 400),
    ("?account_id=acme", 400), ("?account_id=", 400), ("?limit=1000&after=9223372036854775807", 200),
]  # fmt: skip


@pytest.mark.parametrize(("query", "status"), REFUSED)
def test_what_makes_no_sense_is_refused(service, query, status):
    assert service.call("GET", f"/journal{query}", prefix="/internal/v1").status_code == status


@pytest.mark.parametrize("scope", [scope for scope in Scope if not scope.value.startswith("billing:")])
def test_only_who_may_read_it_does(scope):
    status = api_of(scope).call("GET", "/journal", prefix="/internal/v1").status_code

    assert status == (200 if scope is Scope.JOURNAL_READ else 403)
