"""iAPI: what our own services ask for with a service's token, off-session."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiToken, JournalEntry, Notice
from accounts.roles import Scope
from billing.changes_calculator.request import PaymentDeclined
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from tests.api.conftest import Api
from tests.billing.people import DECLINED, NEEDS_3DS, customer, wish

pytestmark = pytest.mark.usefixtures("story", "catalog")

PREFIX = "/internal/v1"


def issue(*arguments):
    out = io.StringIO()
    call_command("issue_service_token", "--name", "importer", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def service():
    return Api(json.loads(issue("--scope", "changes:write", "--json"))["token"])


def pro(account, zone, **fields):
    return {"account_id": account.pk, "subscriptions": [{"zone": {"id": zone.pk}, "rate_plan": {"id": "pro"}} | fields]}


def ask(service, path, body):
    return service.post(path, body, prefix=PREFIX)


def test_a_change_is_paid_off_session_and_can_be_polled(service):
    account, zone = customer()

    made, again = (ask(service, "/changes", pro(account, zone)).json()["result"] for _ in range(2))

    assert (made["outcome"], again["outcome"], again["workflow_id"]) == ("committed", "unchanged", None)
    assert [(each["state"], each["rate_plan"]["id"]) for each in made["subscriptions"]] == [("Paid", "pro")]
    workflow = ChangeWorkflow.objects.get(pk=made["workflow_id"])
    assert (workflow.origin, workflow.request["on_session"]) == ("iapi", False)
    assert workflow.actor.startswith("service:")
    polled = service.call("GET", f"/workflows/{workflow.pk}", prefix=PREFIX).json()["result"]
    assert (polled["state"], polled["account_id"], polled["client_secret"]) == ("committed", account.pk, None)
    assert Invoice.objects.filter(account=account).count() == 1


def test_an_ending_is_scheduled(service):
    account, zone = customer()
    ask(service, "/changes", pro(account, zone))

    ended = ask(service, "/changes", pro(account, zone, cancel=True)).json()["result"]

    assert ended["outcome"] == "scheduled"
    assert ended["subscriptions"][0]["scheduled_change"]["plan"] == "free"


def test_a_service_grants_what_is_then_not_billed(service):
    account, zone = customer(card=None)

    granted = ask(service, "/changes", pro(account, zone, licence={"granted_by": "ADMIN:outage"})).json()["result"]

    (subscription,) = granted["subscriptions"]
    assert (granted["outcome"], subscription["state"], subscription["price"]) == ("committed", "Provisioned", 0)
    assert not Invoice.objects.filter(account=account).exists()


LICENCES = [
    # the licence                                               status, code
    ({"granted_by": "USER:trial", "ends_on": "2099-01-01T00:00:00Z"}, 200, None),
    ({"granted_by": "USER:trial", "ends_on": "2001-01-01T00:00:00Z"}, 400, 1321),
    ({"granted_by": "USER:trial"},                                    400, 1001),
    ({"granted_by": "sub_1:si_1"},                                    400, 1001),
    ({"granted_by": "USER:free"},                                     400, 1001),
    ({},                                                              400, 1001),
]  # fmt: skip


@pytest.mark.parametrize(("licence", "status", "code"), LICENCES)
def test_a_licence_makes_sense_or_is_refused(service, licence, status, code):
    account, zone = customer(card=None)

    answer = ask(service, "/changes", pro(account, zone, licence=licence))

    assert (answer.status_code, next((error["code"] for error in answer.json()["errors"]), None)) == (status, code)


@pytest.mark.parametrize(
    ("card", "code", "notice"),
    [(DECLINED, 1400, "change_declined"), (NEEDS_3DS, 1401, "change_needs_confirmation")],
)
def test_nobody_is_there_to_help_a_card_so_the_customer_is_told(service, card, code, notice):
    account, zone = customer(card=card)

    answer = ask(service, "/changes", pro(account, zone))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (402, code)
    assert not Invoice.objects.filter(account=account).exists()
    told = Notice.objects.get(account=account)
    assert (told.kind, told.facts["what"], told.facts["due_minor"]) == (notice, "Pro plan", 2500)
    assert ChangeWorkflow.objects.get(pk=told.about).refusal_message == answer.json()["errors"][0]["message"]


def test_a_customer_who_is_there_reads_the_answer_and_gets_no_letter(service):
    account, zone = customer(card=DECLINED)

    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone))

    assert not Notice.objects.filter(account=account).exists()


def test_a_preview_makes_nothing(service, stripe_calls):
    account, zone = customer()
    before = stripe_calls()

    shown = ask(service, "/changes/preview", pro(account, zone)).json()["result"]

    assert (shown["due_now"], shown["tax_included"], stripe_calls()) == (25.0, False, before)
    assert not ChangeWorkflow.objects.filter(account=account).exists()


BODIES = [
    # the body                                                        status  code
    ({},                                                                 400, 1001),
    ({"account_id": "0" * 32, "subscriptions": []},                      400, 1001),
    ({"account_id": 7, "subscriptions": [{"rate_plan": {"id": "pro"}}]}, 400, 1001),
    ({"account_id": "0" * 32, "subscriptions": [{"rate_plan": {"id": "pro"}}]}, 404, 7003),
    ({"account_id": "nobody", "subscriptions": [{"rate_plan": {"id": "pro"}}]}, 404, 7003),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/changes", "/changes/preview"])
@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_what_makes_no_sense(service, path, body, status, code):
    answer = ask(service, path, body)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_a_path_that_leads_nowhere_is_said_in_the_envelope(service):
    answer = service.call("GET", "/nowhere", prefix=PREFIX)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)


def test_a_service_token_is_shown_once_and_its_scopes_are_kept():
    shown = json.loads(issue("--scope", "changes:write", "--scope", "usage:write", "--scope", "usage:write", "--json"))

    row = ApiToken.objects.get(prefix=shown["token"][:8])
    assert (row.name, row.person, row.scopes) == ("importer", None, [Scope.CHANGES_WRITE, Scope.USAGE_WRITE])
    assert JournalEntry.objects.filter(kind="token.issued", account=None, after__prefix=row.prefix).count() == 1
    assert "shown this once" in issue("--scope", "status:read")


@pytest.mark.parametrize("arguments", [(), ("--scope", "billing:edit"), ("--scope", "everything")])
def test_a_service_gets_no_token_without_a_scope_of_services(arguments):
    with pytest.raises(CommandError):
        issue(*arguments)
