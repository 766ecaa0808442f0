"""What the door answers, what it stores, and what that costs."""

import json
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client

from config import clock
from tests.counting import count_statements, counted
from webhooks.event_filter import LARGEST_PAYLOAD, LONGEST_ID, Verdict
from webhooks.handler_registry import ROUTES
from webhooks.models import StripeEvent

from . import payloads

TOLERANCE = timedelta(seconds=300)
MOMENT = timedelta(seconds=2)


def verdicts(verdict: Verdict) -> float:
    return counted("paygo_webhook_requests_total", verdict=verdict.value)


def good(**fields: str) -> str:
    return json.dumps(payloads.event("customer.updated", payloads.customer("cus_good"), **fields))


def unhandled() -> str:
    return json.dumps(payloads.event("charge.updated", {"id": "ch_1", "object": "charge"}))


def of_size(size: int) -> str:
    text = good()
    return text + " " * (size - len(text))


def signed(text: str) -> str:
    return payloads.signature(text)


def signed_with_other_secret(text: str) -> str:
    return payloads.signature(text, secret="whsec_of_somebody_else")


def signed_with_second_secret(text: str) -> str:
    return payloads.signature(text, secret="whsec_rolling")


def signed_before(age: timedelta):
    return lambda text: payloads.signature(text, at=clock.machine_now() - age)


def signed_over_another_body(text: str) -> str:
    return payloads.signature(text.replace("cus_good", "cus_evil"))


def given(header: str):
    return lambda _: header


# body, signature, status, verdict, stored
TABLE = [
    (good(),                        signed,                            200, Verdict.STORED,       True),
    (good(),                        signed_with_second_secret,         200, Verdict.STORED,       True),
    (good(),                        signed_before(TOLERANCE - MOMENT), 200, Verdict.STORED,       True),
    (good(),                        signed_before(TOLERANCE + MOMENT), 400, Verdict.BADLY_SIGNED, False),
    (good(),                        signed_with_other_secret,          400, Verdict.BADLY_SIGNED, False),
    (good(),                        signed_over_another_body,          400, Verdict.BADLY_SIGNED, False),
    (good(),                        given(""),                         400, Verdict.UNSIGNED,     False),
    (good(),                        given("t=1,v1"),                   400, Verdict.BADLY_SIGNED, False),
    (good(),                        given("nonsense"),                 400, Verdict.BADLY_SIGNED, False),
    (unhandled(),                   signed,                            200, Verdict.UNHANDLED,    False),
    ("not json",                    signed,                            400, Verdict.UNREADABLE,   False),
    ("[]",                          signed,                            400, Verdict.UNREADABLE,   False),
    ("[" * 100_000,                 signed,                            400, Verdict.UNREADABLE,   False),
    ('{"object": "event"}',         signed,                            400, Verdict.UNREADABLE,   False),
    (good().replace("evt_", ""),    signed,                            200, Verdict.STORED,       True),
    (good(id="e" * LONGEST_ID),     signed,                            200, Verdict.STORED,       True),
    (good(id="e" * (LONGEST_ID + 1)), signed,                          400, Verdict.UNREADABLE,   False),
    (good().replace('"event"', "1"), signed,                           400, Verdict.UNREADABLE,   False),
    (of_size(LARGEST_PAYLOAD),      signed,                            200, Verdict.STORED,       True),
    (of_size(LARGEST_PAYLOAD + 1),  signed,                            413, Verdict.TOO_LARGE,    False),
]  # fmt: skip


@pytest.mark.parametrize(("body", "signature", "status", "verdict", "is_stored"), TABLE)
def test_each_request_is_answered_counted_and_kept_or_not(db, settings, body, signature, status, verdict, is_stored):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_tests", "whsec_rolling"]
    before, kept = verdicts(verdict), StripeEvent.objects.count()

    answer = Client().post(
        "/webhooks/stripe", data=body, content_type="application/json", headers={"Stripe-Signature": signature(body)}
    )

    assert (answer.status_code, answer.content) == (status, b"")
    assert verdicts(verdict) == before + 1
    assert StripeEvent.objects.count() == kept + is_stored


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_only_post_is_taken(db, method):
    before = verdicts(Verdict.WRONG_METHOD)

    answer = getattr(Client(), method)("/webhooks/stripe")

    assert (answer.status_code, answer.content, answer["Allow"]) == (405, b"", "POST")
    assert verdicts(Verdict.WRONG_METHOD) == before + 1


def test_an_event_costs_one_statement_and_is_kept_as_it_came(db):
    sent = payloads.event("customer.updated", payloads.customer("cus_ünïcode", name="Zoë 😀"))

    with count_statements() as statements:
        payloads.send(sent)

    assert len(statements) == 1
    kept = StripeEvent.objects.get(pk=sent["id"])
    assert kept.payload == sent
    assert (kept.type, kept.api_version, kept.created_at.timestamp()) == (
        "customer.updated", sent["api_version"], sent["created"],
    )  # fmt: skip
    assert (kept.processed_at, kept.attempts, kept.outcome) == (None, 0, "")


@pytest.mark.parametrize(
    ("request_of", "statements_allowed"),
    [(unhandled, 0), (lambda: "not json", 0), (lambda: of_size(LARGEST_PAYLOAD + 1), 0)],
)
def test_what_is_not_kept_costs_no_statement(db, request_of, statements_allowed):
    body = request_of()

    with count_statements() as statements:
        payloads.send(body)

    assert len(statements) == statements_allowed


def test_a_repeat_is_answered_and_kept_once(db):
    sent = payloads.event("customer.updated", payloads.customer("cus_repeated"))

    answers = [payloads.send(sent).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert StripeEvent.objects.filter(pk=sent["id"]).count() == 1


def test_a_repeat_with_other_contents_changes_nothing(db):
    sent = payloads.event("customer.updated", payloads.customer("cus_first"))
    payloads.send(sent)

    payloads.send(sent | {"data": {"object": payloads.customer("cus_second")}})

    assert StripeEvent.objects.get(pk=sent["id"]).payload["data"]["object"]["id"] == "cus_first"


def test_unhandled_types_are_counted_each(db):
    before = counted("paygo_webhook_dropped_total", type="charge.updated")

    payloads.send(unhandled())

    assert counted("paygo_webhook_dropped_total", type="charge.updated") == before + 1


def test_another_api_version_is_kept(db):
    sent = payloads.event("customer.updated", payloads.customer("cus_old"), api_version="2020-08-27")

    answer = payloads.send(sent)

    assert answer.status_code == 200
    assert StripeEvent.objects.get(pk=sent["id"]).api_version == "2020-08-27"


def test_what_the_database_cannot_hold_is_refused(story):
    sent = payloads.event("customer.updated", payloads.customer("cus_nul", name="a\0b"))

    answer = payloads.send(sent)

    assert answer.status_code == 400
    assert not StripeEvent.objects.filter(pk=sent["id"]).exists()


def test_a_connection_that_the_server_dropped_costs_no_event(story):
    first, second = (payloads.event("customer.updated", payloads.customer("cus_dropped")) for _ in range(2))
    payloads.send(first)
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    answer = payloads.send(second)

    assert answer.status_code == 200
    assert StripeEvent.objects.filter(pk=second["id"]).exists()


def test_no_payload_and_no_secret_reaches_the_log(db, caplog):
    body = good()

    payloads.send(body)
    Client().post("/webhooks/stripe", data=body, content_type="application/json", headers={"Stripe-Signature": "t=1"})

    assert "cus_good" not in caplog.text
    assert "whsec" not in caplog.text


def test_the_registry_is_sorted():
    assert list(ROUTES) == sorted(ROUTES)
