"""`provision_account` and `simulate_card`: what scripts begin with."""

import io
import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, Member, Zone, new_id
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from tests.api.conftest import Api

pytestmark = pytest.mark.usefixtures("story", "catalog")

GOOD, NOT_A_TEST_CARD = "4242424242424242", "4111111111111111"


@pytest.fixture
def email():
    return f"{uuid4().hex}@example.com"


def domain():
    return f"{uuid4().hex}.example.com"


def provision(email, *arguments):
    out = io.StringIO()
    call_command("provision_account", "--name", "Acme", "--email", email, "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def simulate(*arguments):
    out = io.StringIO()
    call_command("simulate_card", *arguments, stdout=out)
    return out.getvalue()


def test_an_account_that_is_ready_to_buy(email):
    domains = [domain(), domain()]

    ready = provision(email, "--zone", domains[0], "--zone", domains[1], "--card", GOOD)

    assert set(ready) == {"account_id", "zone_ids", "token"}
    assert [Zone.objects.get(pk=zone_id).name for zone_id in ready["zone_ids"]] == domains
    assert PaymentMethod.objects.get(account=ready["account_id"], is_default=True).last4 == "4242"
    assert Ope.objects.filter(account=ready["account_id"], product="zone_plans").count() == 2
    state = Api(ready["token"]).get(f"/zones/{ready['zone_ids'][0]}/subscription").json()["result"]["state"]
    assert state == "Provisioned"


def test_the_same_address_again_is_the_same_account_with_a_new_token(email):
    first = provision(email, "--zone", (kept := domain()))

    again = provision(email.upper(), "--zone", kept.upper(), "--zone", domain())

    assert again["account_id"] == first["account_id"]
    assert again["zone_ids"][0] == first["zone_ids"][0]
    assert len(again["zone_ids"]) == 2
    assert again["token"] != first["token"]
    assert [Api(t["token"]).get(f"/accounts/{first['account_id']}").status_code for t in (first, again)] == [200, 200]


def test_another_role_the_second_time_is_the_members_from_then_on(email):
    first = provision(email)

    provision(email, "--role", "read_only")

    assert Member.objects.get(account=first["account_id"]).role == "read_only"


def test_the_role_is_the_members(email):
    ready = provision(email, "--role", "read_only", "--zone", domain())

    assert Member.objects.get(account=ready["account_id"]).role == "read_only"
    answer = Api(ready["token"]).post(f"/zones/{ready['zone_ids'][0]}/subscription", {"rate_plan": {"id": "pro"}})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "arguments",
    [
        ("--card", NOT_A_TEST_CARD),
        ("--card", "4242"),
        ("--card", "visa"),
        ("--zone", "not a domain"),
        ("--zone", "localhost"),
        ("--role", "emperor"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(email, arguments):
    with pytest.raises(CommandError):
        provision(email, *arguments)

    assert not Account.objects.filter(subs_account__email=email).exists()


def test_an_address_that_is_none_is_refused():
    with pytest.raises(CommandError, match="e-mail"):
        provision("nobody")


def test_a_domain_of_somebody_else_is_refused(email):
    provision(email, "--zone", (taken := domain()))

    with pytest.raises(CommandError, match="served already"):
        provision(f"other-{email}", "--zone", taken)


def test_without_json_it_is_readable(email):
    out = io.StringIO()

    call_command("provision_account", "--name", "Acme", "--email", email, stdout=out)

    assert "account  " in out.getvalue()
    assert "token    " in out.getvalue()


def test_the_cards_are_the_sandboxs_own(sandbox):
    listed = json.loads(simulate("--list", "--json"))

    assert listed == sandbox.get("/_sandbox/cards")["cards"]
    assert {"number", "brand", "behaviour"} == set(listed[0])
    assert all(card["number"] in simulate("--list") for card in listed)


def test_a_card_becomes_the_default(email):
    account_id = provision(email, "--card", GOOD)["account_id"]

    simulate("--account", account_id, "--card", "5555 5555 5555 4444")

    assert PaymentMethod.objects.get(account=account_id, is_default=True).last4 == "4444"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--account", "x"),
        ("--card", GOOD),
        ("--account", new_id(), "--card", GOOD),
        ("--account", "x", "--card", "1"),
    ],
)
def test_half_a_wish_is_refused(arguments):
    with pytest.raises(CommandError):
        simulate(*arguments)


def test_an_unlisted_card_is_not_stored(email):
    account_id = provision(email)["account_id"]

    with pytest.raises(CommandError, match="not one of the test cards"):
        simulate("--account", account_id, "--card", NOT_A_TEST_CARD)

    assert not PaymentMethod.objects.filter(account=account_id).exists()


def test_against_stripe_itself_there_are_no_cards(settings):
    settings.STRIPE_API_KEY = "sk_test_of_stripes"

    with pytest.raises(CommandError, match="not to the sandbox"):
        simulate("--list")
