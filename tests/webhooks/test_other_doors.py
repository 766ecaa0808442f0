"""Stripe's events through Pub/Sub, and Braintree's notifications: only what is proven is kept, once, as it came."""

import base64
import json
from urllib.parse import urlencode

import braintree
import pytest
from braintree.util.crypto import Crypto
from django.test import Client

from accounts.models import JournalEntry, SubsStuckEvent
from tests.counting import count_statements
from webhooks.event_filter import LARGEST_PUSH
from webhooks.models import BraintreeEvent, StripeEvent

from . import payloads

TOKEN = "the token of the subscription"
PUBLIC, PRIVATE = "public_key_of_tests", "private_key_of_tests"


@pytest.fixture(autouse=True)
def _open(settings):
    settings.PUBSUB_TOKEN = TOKEN
    settings.BRAINTREE_MERCHANT_ID, settings.BRAINTREE_PUBLIC_KEY = "merchant_of_tests", PUBLIC
    settings.BRAINTREE_PRIVATE_KEY = PRIVATE
    from billing.braintree.client import gateway

    gateway.cache_clear()


def pushed(event, **around):
    """Return a push of Pub/Sub's that brings the event."""
    data = base64.b64encode(json.dumps(event).encode()).decode()
    return json.dumps({"message": {"data": data, "messageId": "1", "attributes": {}}, "subscription": "s"} | around)


def push(body, *, authorization=f"Bearer {TOKEN}", method="post"):
    headers = {"Authorization": authorization} if authorization else {}
    return getattr(Client(), method)("/webhooks/pubsub", data=body, content_type="application/json", headers=headers)


def good():
    return payloads.event("customer.updated", payloads.customer("cus_pushed"))


# body, authorization, status, stored
PUSHES = [
    (lambda: pushed(good()),                                        f"Bearer {TOKEN}",          200, True),
    (lambda: pushed(payloads.event("charge.updated", {"id": "ch"})), f"Bearer {TOKEN}",         200, False),
    (lambda: pushed(good()),                                        "",                         400, False),
    (lambda: pushed(good()),                                        f"Bearer {TOKEN}x",         400, False),
    (lambda: pushed(good()),                                        f"Basic {TOKEN}",           400, False),
    (lambda: pushed({"object": "event"}),                           f"Bearer {TOKEN}",          400, False),
    (lambda: json.dumps({"message": {"data": "no base64!"}}),       f"Bearer {TOKEN}",          400, False),
    (lambda: json.dumps({"message": {}}),                           f"Bearer {TOKEN}",          400, False),
    (lambda: json.dumps(good()),                                    f"Bearer {TOKEN}",          400, False),
    (lambda: "not json",                                            f"Bearer {TOKEN}",          400, False),
    (lambda: "x" * (LARGEST_PUSH + 1),                              f"Bearer {TOKEN}",          413, False),
]  # fmt: skip


@pytest.mark.parametrize(("body", "authorization", "status", "is_stored"), PUSHES)
def test_a_push_is_kept_if_its_token_fits(db, body, authorization, status, is_stored):
    before = StripeEvent.objects.count()

    answer = push(body(), authorization=authorization)

    assert (answer.status_code, answer.content) == (status, b"")
    assert StripeEvent.objects.count() == before + is_stored


def test_a_push_costs_one_statement_and_both_doors_lead_to_one_inbox(db):
    event = good()

    with count_statements() as statements:
        push(pushed(event))
    push(pushed(event))
    payloads.send(event)

    assert len(statements) == 1
    assert StripeEvent.objects.get(pk=event["id"]).payload == event


def test_a_door_without_a_token_is_closed(db, settings):
    settings.PUBSUB_TOKEN = settings.BRAINTREE_PRIVATE_KEY = ""

    assert push(pushed(good()), authorization="Bearer ").status_code == 404
    assert tell(notified("check")).status_code == 404
    assert Client().get("/webhooks/braintree?bt_challenge=20f9f8ed05f77439fe955c977e4c8a53").status_code == 400


def gateway(private_key=PRIVATE):
    return braintree.BraintreeGateway(
        braintree.Configuration(
            environment=braintree.Environment.Sandbox,
            merchant_id="merchant_of_tests",
            public_key=PUBLIC,
            private_key=private_key,
        )
    )


def notified(kind, *, private_key=PRIVATE):
    """Return a notification as Braintree's own SDK makes one."""
    form = gateway(private_key).webhook_testing.sample_notification(kind, "the_id")
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in form.items()}


def tell(form):
    """Send a notification as Braintree does: as a plain form."""
    kind = "application/x-www-form-urlencoded"
    return Client().post("/webhooks/braintree", data=urlencode(form), content_type=kind)


ASK = {
    "dispute_opened", "dispute_won", "dispute_lost", "transaction_settlement_declined", "payment_method_revoked_by_customer",
}  # fmt: skip
KINDS = [
    "dispute_opened", "dispute_won", "dispute_lost", "transaction_settled", "transaction_settlement_declined",
    "transaction_disbursed", "payment_method_revoked_by_customer", "check",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_braintree_signed_is_kept_once_as_it_came(db, kind):
    form = notified(kind)

    answers = [tell(form).status_code for _ in range(2)]

    assert answers == [200, 200]
    kept = BraintreeEvent.objects.get(kind=kind)
    assert (kept.kind, kept.payload) == (kind, form["bt_payload"])
    assert kept.created_at.tzinfo is not None
    waiting = SubsStuckEvent.objects.values_list("source", "external_id", "reason", "signature", "attempts")
    assert list(waiting) == ([("braintree", kept.pk, "no_handler", kind, 1)] if kind in ASK else [])
    assert JournalEntry.objects.filter(kind="stuck.opened", cause=f"braintree:{kept.pk}").exists() is (kind in ASK)


UNREADABLE = [
    "<notification><kind>dispute_opened</kind></notification>",
    "<notification><kind>dispute_opened</kind><timestamp>soon</timestamp></notification>",
    "no XML at all",
    "",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_braintree_signed_and_nobody_can_read_waits_for_somebody(db, text):
    payload = base64.encodebytes(text.encode()).decode()
    signature = f"{PUBLIC}|{Crypto.sha1_hmac_hash(PRIVATE, payload)}"

    answers = [tell({"bt_payload": payload, "bt_signature": signature}).status_code for _ in range(2)]

    kept = BraintreeEvent.objects.get()
    item = SubsStuckEvent.objects.get()
    assert (answers, kept.kind, kept.payload) == ([200, 200], "unreadable", payload)
    assert (item.source, item.external_id, item.kind, item.reason) == (
        "braintree", kept.pk, "unreadable", "handler_error",
    )  # fmt: skip
    assert item.signature


FORGED = [
    # what is sent                                                                              status
    (lambda: notified("check", private_key="another"),                                          400),
    (lambda: notified("check") | {"bt_signature": ""},                                          400),
    (lambda: notified("check") | {"bt_signature": "x|y"},                                       400),
    (lambda: notified("check") | {"bt_payload": ""},                                            400),
    (lambda: notified("check") | {"bt_payload": "é"},                                           400),
    (lambda: notified("check") | {"bt_payload": notified("dispute_won")["bt_payload"]},         400),
    (dict,                                                                                400),
    (lambda: {"bt_payload": "x" * 300_000, "bt_signature": "a|b"},                              413),
]  # fmt: skip


@pytest.mark.parametrize(("form", "status"), FORGED)
def test_what_braintree_did_not_sign_is_not_kept(db, form, status):
    answer = tell(form())

    assert (answer.status_code, answer.content) == (status, b"")
    assert not BraintreeEvent.objects.exists()


def test_the_address_is_proven_to_be_ours():
    challenge = "20f9f8ed05f77439fe955c977e4c8a53"

    answer = Client().get(f"/webhooks/braintree?bt_challenge={challenge}")
    nonsense = Client().get("/webhooks/braintree?bt_challenge=%3Cscript%3E")

    assert answer.content.decode() == gateway().webhook_notification.verify(challenge)
    assert answer["Content-Type"] == "text/plain"
    assert (nonsense.status_code, nonsense.content) == (400, b"")
