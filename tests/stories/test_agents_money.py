"""What an agent's acts about money do at the sandbox, and what the journal says of them."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import JournalEntry
from billing.invoicing import resolve
from billing.invoicing.ledger import owed_minor
from billing.models.credits import Credit
from billing.models.reversals import Charge, InvoiceAct, Refund
from billing.payments.methods import store_test_card
from config import clock as business
from tests.admin.conftest import signed_in
from tests.billing.people import GOOD
from tests.stories.test_money_back import bought, let_pass, owing

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")

WHY = {"reason": "the customer asked for it", "ticket": "https://tickets.example/4711"}


@pytest.fixture
def agent(story: None) -> Client:
    return signed_in(User.objects.create_superuser(f"ann-{uuid4().hex[:8]}", password=None))


def ask(agent, invoice, act, **values):
    """Look at an act, and confirm what was shown; return the answer."""
    address = reverse("admin:billing_invoice_act", args=[invoice.pk, act])
    sent = {**values, **WHY, "key": uuid4().hex}
    shown = agent.post(address, {**sent, "look": "yes"}).content.decode()
    found = re.search(r'name="previewed" value="(\w+)"', shown)
    return agent.post(address, {**sent, "previewed": found[1] if found else "", "do": "yes"}, follow=True)


def written_by(agent_name, account):
    return [
        (entry.kind, entry.reason.split(" · ")[-1])
        for entry in JournalEntry.objects.filter(account=account, actor__startswith=f"agent:{agent_name}")
    ]


def test_an_agent_gives_a_part_back(agent):
    account, invoice = bought()

    told = ask(agent, invoice, "refund", amount="10.00", to="method").content.decode()
    let_pass(seconds=5)

    assert "$10.00 was given back." in told
    assert list(Refund.objects.filter(account=account).values_list("amount_minor", "status")) == [(10_00, "succeeded")]
    written = written_by("ann", account)
    assert {"credit_note.asked", "invoice.act_asked", "refund.made"} <= {kind for kind, _ in written}
    assert {why for _, why in written} == {f"{WHY['reason']} [{WHY['ticket']}]"}


def test_more_than_was_paid_is_not_given_back(agent):
    account, invoice = bought()

    told = ask(agent, invoice, "refund", amount="25.01", to="method")

    assert told.status_code == 409
    assert "No more than $25.00 of the payment is left." in told.content.decode()
    assert not Refund.objects.filter(account=account).exists()


def test_the_same_page_sent_many_times_at_once_gives_back_once():
    account, _ = bought()
    charge, key = Charge.objects.get(account=account), uuid4().hex

    def send(_):
        try:
            act = resolve.refund(charge.pk, amount_minor=10_00, key=key, actor="agent:a", now=business.now())
            return act.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as together:
        told = list(together.map(send, range(4)))
    later = resolve.refund(charge.pk, amount_minor=10_00, key=key, actor="agent:a", now=business.now())

    assert {*told, later.pk} == {key}
    assert Refund.objects.filter(account=account).count() == 1
    charge.refresh_from_db()
    assert charge.refunded_minor == 10_00


def test_an_agent_gives_credit_instead(agent):
    account, invoice = bought()

    ask(agent, invoice, "refund", amount="25.00", to="credit")

    assert Credit.objects.get(account=account).remaining_minor == 25_00
    assert not Refund.objects.filter(account=account).exists()


def test_an_agent_has_a_renewal_charged_again_with_the_card_that_pays(agent):
    account, invoice = owing(plan="pro")
    let_pass(hours=13)  # its last try is no moment ago by then

    declined = ask(agent, invoice, "collect").content.decode()
    refused = ask(agent, invoice, "collect")
    store_test_card(account.pk, number=GOOD, actor="system:tests", now=business.now())
    told = ask(agent, invoice, "collect").content.decode()

    invoice.refresh_from_db()
    assert "It was not paid; the attempts say why." in declined
    assert refused.status_code == 409
    assert "it was tried a moment ago" in refused.content.decode()
    assert "It is paid." in told
    assert (invoice.status, owed_minor(account.pk, currency="usd")) == ("paid", 0)
    assert {kind for kind, _ in written_by("ann", account)} >= {"payment.attempted", "payment.succeeded"}


def test_an_agent_voids_what_should_not_have_been_billed(agent):
    account, invoice = owing(plan="pro")

    told = ask(agent, invoice, "void").content.decode()
    again = ask(agent, invoice, "void")

    invoice.refresh_from_db()
    assert "The invoice is void." in told
    assert again.status_code == 409
    assert (invoice.status, owed_minor(account.pk, currency="usd")) == ("void", 0)
    assert InvoiceAct.objects.filter(invoice=invoice, kind="void").count() == 1
    assert {kind for kind, _ in written_by("ann", account)} >= {"invoice.act_asked", "invoice.act_done"}
