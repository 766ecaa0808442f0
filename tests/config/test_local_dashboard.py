"""Where the links of e-mails lead on one machine: to the calls that do what the e-mail asks for."""

import re
import shlex

import pytest
from django.conf import settings
from django.test import Client

from accounts.notices.kinds import KINDS
from billing.changes_calculator.request import Origin, PaymentDeclined
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.payments.methods import store_test_card
from config import clock as business
from tests.api.conftest import Api
from tests.billing.people import GOOD, NEEDS_3DS, customer, more, wish
from tests.factories import token_for

pytestmark = pytest.mark.usefixtures("story", "catalog")


def commands(html: str) -> list[list[str]]:
    """The commands that the page says, as a shell would read them."""
    text = html.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
    return [shlex.split(each) for each in re.findall(r"<pre>(curl .*?|\.venv.*?)</pre>", text, re.DOTALL)]


def test_a_change_that_wants_its_customer_is_made_again_by_the_command_on_the_page():
    account, zone = customer(card=NEEDS_3DS)
    request = wish(account, zone, components=more("page_rules", 25), origin=Origin.IAPI, on_session=False)
    with pytest.raises(PaymentDeclined):
        submit(request)
    workflow = ChangeWorkflow.objects.get(account=account)

    page = Client().get(f"/dashboard/{account.pk}/billing/changes/{workflow.pk}")
    look, card, again = commands(page.content.decode())
    store_test_card(card[card.index("--account") + 1], number=GOOD, actor="tests", now=business.now())
    path = again[-1].removeprefix("http://testserver/client/v4")
    answer = Api(token_for(account)).call(
        "POST", path, data=again[again.index("-d") + 1], content_type="application/json"
    )

    assert page.status_code == 200
    assert look[-1].endswith(f"/workflows/{workflow.pk}")
    (bought,) = answer.json()["result"]
    assert (bought["state"], bought["rate_plan"]["id"]) == ("Paid", "pro")
    assert {each["name"]: each["value"] for each in bought["component_values"]}["page_rules"] == 25


@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if not kind.to_finance))
def test_every_notice_leads_somewhere(kind):
    account, zone = customer(card=None)
    submit(wish(account, zone))
    workflow = ChangeWorkflow.objects.get(account=account)
    facts = {"domain": "acme.example", "account_id": account.pk, "about": workflow.pk, "invoice_id": workflow.pk}

    path = KINDS[kind].link.format(**facts)

    assert Client().get(f"/dashboard{path}").status_code == 200


def test_somebody_elses_change_is_not_there():
    account, _ = customer(card=None)
    other, zone = customer(card=None)
    submit(wish(other, zone))
    workflow = ChangeWorkflow.objects.get(account=other)

    assert Client().get(f"/dashboard/{account.pk}/billing/changes/{workflow.pk}").status_code == 404


def test_it_is_the_address_in_e_mails_on_one_machine():
    assert settings.DASHBOARD_URL.endswith("/dashboard")
