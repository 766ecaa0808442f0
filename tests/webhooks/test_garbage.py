"""Five hundred requests that nobody honest sends: each is answered rightly, nothing is kept, nothing is told."""

import json
import logging
import random

import pytest
from django.test import Client

from webhooks.models import BraintreeEvent, StripeEvent

from . import payloads

MARK = "zoe.secret@example.com"
SEEDS = range(10)
REQUESTS = 50


def good() -> str:
    return json.dumps(payloads.event("customer.updated", payloads.customer("cus_garbage", email=MARK)))


def bitten(luck: random.Random, text: str) -> bytes:
    """Cut, swap, double or replace a part of a text."""
    body = bytearray(text.encode())
    for _ in range(luck.randint(1, 12)):
        at = luck.randrange(len(body))
        match luck.randrange(4):
            case 0:
                del body[at : at + luck.randint(1, 40)]
            case 1:
                body[at] = luck.randrange(256)
            case 2:
                body[at:at] = body[at : at + 20]
            case 3:
                body[at:at] = luck.choice([b"\0", b"\xff\xfe", b'"', b"}", b"[" * 500, b"\\ud800", b"1e999"])
    return bytes(body) or b"x"


def signature(luck: random.Random, body: bytes) -> str:
    """A signature that does not fit the body, however much it looks like one."""
    honest = payloads.signature(good())
    return luck.choice([
        honest, honest[:-1], honest.replace("v1", "v0"), honest.replace("t=", "t=x"), honest[::-1], "", "t=,v1=", "=",
        "t=9999999999999999999,v1=00", "v1=" + "a" * 5000, "ü", "t=1;v1=2", f"t={luck.randrange(10**12)},v1={luck.random()}",
        f"{honest},{honest}",
    ])  # fmt: skip


def headers(luck: random.Random) -> dict[str, str]:
    return luck.choice([
        {}, {"X-Forwarded-For": "' OR 1=1"}, {"Content-Encoding": "gzip"}, {"Transfer-Encoding": "chunked"},
        {"Accept": "\\x00"}, {"Cookie": "sessionid=" + "x" * 3000}, {"Authorization": "Bearer " + "y" * 200},
    ])  # fmt: skip


def anything(luck: random.Random) -> tuple[str, str, bytes, str]:
    """Return method, path, body and content type of one request."""
    path = luck.choice(["/webhooks/stripe"] * 3 + ["/webhooks/pubsub", "/webhooks/braintree"])
    method = luck.choice(["POST"] * 8 + ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    body = luck.choice([
        lambda: bitten(luck, good()),
        lambda: luck.randbytes(luck.randint(0, 3000)),
        lambda: json.dumps(luck.choice([None, 1, [], {}, "x", {"message": {"data": MARK}}, {"id": {"a": []}}])).encode(),
        lambda: b"bt_signature=a|b&bt_payload=" + luck.randbytes(50),
        lambda: good().encode(),
    ])()  # fmt: skip
    kind = luck.choice(
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
    )
    return method, path, body, kind


@pytest.mark.parametrize("seed", SEEDS)
def test_garbage_is_answered_and_leaves_nothing(db, settings, caplog, seed):
    settings.PUBSUB_TOKEN, settings.BRAINTREE_MERCHANT_ID = "the token of the subscription", "m"
    settings.BRAINTREE_PUBLIC_KEY, settings.BRAINTREE_PRIVATE_KEY = "public", "private"
    luck = random.Random(seed)
    kept = StripeEvent.objects.count(), BraintreeEvent.objects.count()

    answers = []
    for _ in range(REQUESTS):
        method, path, body, kind = anything(luck)
        signed = {"Stripe-Signature": signature(luck, body)} | headers(luck)
        answer = Client().generic(method, path, body, content_type=kind, headers=signed)
        answers.append((method, answer.status_code, answer.content))

    assert {status for method, status, _ in answers if method == "POST"} <= {400, 413}
    assert {status for method, status, _ in answers if method not in {"POST", "HEAD"}} <= {405}
    assert {content for _, _, content in answers} == {b""}
    assert (StripeEvent.objects.count(), BraintreeEvent.objects.count()) == kept
    assert MARK not in caplog.text
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_honest_body_in_the_same_words_is_kept(db):
    """The test above can fail: the very body that it bites is taken when nobody bites it."""
    before = StripeEvent.objects.count()

    assert payloads.send(good()).status_code == 200
    assert StripeEvent.objects.count() == before + 1


def test_signed_garbage_is_answered_too(db, caplog):
    """Whoever has the secret and sends nonsense gets no traceback out of it either."""
    luck = random.Random(7)
    for _ in range(100):
        body = bitten(luck, good())
        try:
            text = body.decode()
        except UnicodeDecodeError:
            continue
        assert payloads.send(text).status_code in {200, 400}

    assert "Traceback" not in caplog.text
    assert MARK not in caplog.text
