"""Rate limits: counted per token and per account, before anything begins, with Redis and without."""

from datetime import UTC, datetime, timedelta

import pytest
import redis

from accounts import limits, throttle
from accounts.limits import Limit, Of, windows
from accounts.models import RequestCount
from accounts.throttle import TooManyRequests, admit
from tests.api.conftest import Api, codes
from tests.factories import clear, free_zone, token_for

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

COUNTED = [
    # method  account  the counters it adds to
    ("GET",    "",     ["token"]),
    ("GET",    "a",    ["token", "account"]),
    ("POST",   "a",    ["token", "account", "account_writes"]),
    ("DELETE", "a",    ["token", "account", "account_writes"]),
    ("POST",   "",     ["token"]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "account_id", "names"), COUNTED)
def test_what_a_request_is_counted_against(method, account_id, names):
    found = windows(token_id="t", account_id=account_id, method=method, machine_now=NOON)

    assert [window.limit.name for window in found] == names


@pytest.mark.parametrize(("after_seconds", "left"), [(0, 300), (299, 1), (299.5, 0.5), (300, 300)])
def test_a_window_ends_on_the_clock(after_seconds, left):
    window, *_ = windows(token_id="t", account_id="", method="GET", machine_now=NOON + timedelta(seconds=after_seconds))

    assert window.seconds_left == left
    assert window.key.endswith(str(int((NOON.timestamp() + after_seconds) // 300)))


@pytest.fixture
def small(monkeypatch):
    """Limits that a test can reach."""
    table = (
        Limit("token", Of.TOKEN, requests=3, seconds=300),
        Limit("account", Of.ACCOUNT, requests=5, seconds=300),
        Limit("account_writes", Of.ACCOUNT, requests=1, seconds=60, writes_only=True),
    )
    monkeypatch.setattr(limits, "LIMITS", table)


@pytest.fixture
def without_redis(monkeypatch):
    def gone(*_: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(throttle, "_count_in_redis", gone)
    monkeypatch.setattr(throttle, "_broken_until", 0.0)


@pytest.fixture(params=["redis", "postgres"])
def either(request):
    if request.param == "postgres":
        request.getfixturevalue("without_redis")
    return request.param


@pytest.mark.usefixtures("on_sale", "small")
def test_the_next_request_over_the_limit_is_told_when_to_come_back(either):
    api = Api(token_for(clear()))

    answers = [api.get("/accounts") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert codes(answers[-1]) == [971]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 300
    assert "X-Should-Retry" not in answers[-1]
    assert RequestCount.objects.exists() == (either == "postgres")


@pytest.mark.usefixtures("on_sale", "small")
def test_an_account_is_counted_over_all_its_tokens_and_zones(either):
    account = clear()
    zone = free_zone(account)
    apis = [Api(token_for(account)) for _ in range(3)]

    statuses = [api.get(f"/accounts/{account.pk}").status_code for api in apis for _ in range(1)]
    statuses += [api.get(f"/zones/{zone.pk}").status_code for api in apis]

    assert statuses == [200] * 5 + [429]
    assert Api(token_for(clear())).get("/accounts").status_code == 200, "nobody else is meant"


@pytest.mark.usefixtures("on_sale", "small")
def test_writes_have_a_limit_of_their_own_and_a_refused_one_begins_nothing(either):
    account = clear()
    zone = free_zone(account)
    path, body = f"/zones/{zone.pk}/subscription", {"rate_plan": {"id": "nothing"}}

    statuses = [Api(token_for(account)).post(path, body).status_code for _ in range(2)]

    assert statuses == [400, 429]
    assert Api(token_for(account)).get(path).status_code == 200


@pytest.mark.usefixtures("db", "small", "without_redis")
def test_what_is_over_goes():
    for minutes in (0, 10, 20):
        admit(token_id="t", account_id="", method="GET", machine_now=NOON + timedelta(minutes=minutes))

    assert RequestCount.objects.count() == 1


@pytest.mark.usefixtures("db", "small", "without_redis")
def test_a_redis_that_is_gone_is_not_asked_every_time(monkeypatch):
    asked = []

    def gone(*_: object) -> None:
        asked.append(1)
        raise redis.TimeoutError

    monkeypatch.setattr(throttle, "_count_in_redis", gone)

    for _ in range(3):
        admit(token_id="t", account_id="", method="GET", machine_now=NOON)
    with pytest.raises(TooManyRequests):
        admit(token_id="t", account_id="", method="GET", machine_now=NOON)

    assert asked == [1]
