"""What `/metrics` says, to whom, and that it is one number however many processes counted."""

import os
import re
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.test import Client

from billing.cfstripe.counted import operation_of
from tests.admin import world
from tests.admin.conftest import signed_in
from tests.source import ROOT

TOKEN = b"a token of twenty characters"


def read(client: Client, **fields: str) -> str:
    return client.get("/metrics", **fields).content.decode()


def client_of(who: str) -> Client:
    if who in {"staff", "customer"}:
        return signed_in(User.objects.create_user(who, is_staff=who == "staff"))
    return Client(headers={"Authorization": f"Bearer {who}"} if who != "nobody" else {})


READERS = [
    # who                       from where      local   status
    ("nobody",                  "10.0.0.8",     True,   404),
    ("nobody",                  "127.0.0.1",    True,   200),
    ("nobody",                  "127.0.0.1",    False,  404),
    ("customer",                "10.0.0.8",     False,  404),
    ("staff",                   "10.0.0.8",     False,  200),
    (TOKEN.decode(),            "10.0.0.8",     False,  200),
    (TOKEN.decode()[:-1],       "10.0.0.8",     False,  404),
    ("",                        "10.0.0.8",     False,  404),
]  # fmt: skip


@pytest.mark.parametrize(("who", "address", "is_local", "status"), READERS)
def test_it_is_not_public(db, settings, who, address, is_local, status):
    settings.METRICS_TOKEN, settings.IS_LOCAL = TOKEN, is_local

    assert client_of(who).get("/metrics", REMOTE_ADDR=address).status_code == status


def test_without_a_token_no_token_fits(db, settings):
    settings.METRICS_TOKEN, settings.IS_LOCAL = b"", False

    assert client_of("").get("/metrics", REMOTE_ADDR="10.0.0.8").status_code == 404


def test_the_database_says_what_waits(db):
    world.account_with_everything()

    said = read(Client())

    assert 'paygo_stuck_events{reason="handler_error",source="stripe"} 1.0' in said
    assert 'paygo_workflows{step="awaiting_payment"} 1.0' in said
    assert re.search(r'paygo_journal_undelivered\{consumer="billing"\} [1-9]', said)
    assert re.search(r'paygo_journal_lag_seconds\{consumer="billing"\} \d', said)
    assert "paygo_inbox_events 0.0" in said
    assert "paygo_database_up 1.0" in said
    assert "acme" not in said.lower()


OPERATIONS = [
    ("post", "http://127.0.0.1:1/v1/invoices/in_1Abc/pay",              "POST invoices/:id/pay"),
    ("get",  "https://api.stripe.com/v1/prices?lookup_keys[0]=secret",  "GET prices"),
    ("get",  "https://api.stripe.com/v1/products/pro",                  "GET products/:id"),
    ("post", "https://api.stripe.com/v1/invoices/create_preview",       "POST invoices/create_preview"),
    ("get",  "https://api.stripe.com/v1/subscriptions/search?query=x",  "GET subscriptions/search"),
    ("post", "https://api.stripe.com/v1/customers/cus_1/sources/card_1", "POST customers/:id/sources/:id"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url", "operation"), OPERATIONS)
def test_a_call_to_stripe_is_counted_without_ids(method, url, operation):
    assert operation_of(method, url) == operation


COUNT_ONE = """
import django; django.setup()
from webhooks.event_filter import VERDICTS
VERDICTS.labels("stored").inc()
"""
READ = """
import django; django.setup()
from django_prometheus.exports import ExportToDjangoView
print(ExportToDjangoView(None).content.decode())
"""


def test_what_two_processes_counted_is_added_up(tmp_path):
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT_ONE], cwd=ROOT, env=environment, check=True)
    said = subprocess.run(
        [sys.executable, "-c", READ], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )

    assert 'paygo_webhook_requests_total{verdict="stored"} 2.0' in said.stdout
