"""Who gets in: 401 for a bad token, 403 for the wrong role, scope or account, 404 for what is not yours to see."""

from datetime import timedelta

import pytest

from accounts.models import ApiToken, Member
from accounts.roles import Role, Scope
from accounts.tokens import digest
from config import clock
from tests.api.conftest import PREFIX, Api, codes
from tests.counting import count_statements
from tests.factories import clear, free_zone, service_token, token_for

pytestmark = pytest.mark.usefixtures("on_sale")

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer two words",
        "Basic dXNlcjpwYXNz",
        "Bearer \x00",
        "Bearer ünknown",
        "unknown",
    ],
)
def test_a_bad_header_is_401_and_never_403(header):
    api = Api()
    api.headers = {} if header is None else {"Authorization": header.encode().decode("latin-1")}

    response = api.get("/user/tokens/verify")

    assert (response.status_code, codes(response)) == (401, [10000])
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["X-Should-Retry"] == "false"


@pytest.mark.parametrize(
    ("column", "seconds", "status"),
    [
        ("expires_at", -1, 401),
        ("expires_at", 60, 200),
        ("revoked_at", -1, 401),
        ("revoked_at", 60, 401),
    ],
)
def test_an_expired_or_revoked_token_is_401(column, seconds, status):
    token = token_for(clear())
    ApiToken.objects.filter(digest=digest(token)).update(**{column: clock.machine_now() + seconds * SECOND})

    response = Api(token).get("/user/tokens/verify")

    assert response.status_code == status


def test_a_token_is_stored_as_its_digest_only():
    token = token_for(clear())

    (row,) = ApiToken.objects.filter(digest=digest(token)).values()

    assert token not in str(row)


def test_verify_says_which_token_and_until_when():
    expires_at = clock.machine_now() + timedelta(days=1)
    token = token_for(clear(), expires_at=expires_at)

    result = Api(token).get("/user/tokens/verify").json()["result"]

    assert result == {
        "id": ApiToken.objects.get(digest=digest(token)).pk,
        "status": "active",
        "expires_on": expires_at.isoformat().replace("+00:00", "Z"),
    }


def test_a_foreign_account_and_an_unknown_one_look_the_same():
    mine, foreign = clear(), clear()
    api = Api(token_for(mine))

    answers = [api.get(f"/accounts/{account_id}/subscriptions") for account_id in (foreign.pk, "0" * 32)]

    assert [(answer.status_code, codes(answer)) for answer in answers] == [(403, [10001])] * 2
    assert answers[0].json() == answers[1].json()


def test_a_foreign_zone_and_an_unknown_one_look_the_same():
    mine, foreign = clear(), clear()
    api = Api(token_for(mine))

    answers = [api.get(f"/zones/{zone_id}/subscription") for zone_id in (free_zone(foreign).pk, "0" * 32)]

    assert [(answer.status_code, codes(answer)) for answer in answers] == [(404, [7003])] * 2
    assert answers[0].json() == answers[1].json()


def test_a_removed_zone_is_gone():
    account = clear()
    zone = free_zone(account)
    api = Api(token_for(account))
    zone.deleted_at = clock.now()
    zone.save()

    assert api.get(f"/zones/{zone.pk}").status_code == 404


def test_a_token_for_some_accounts_reaches_no_other():
    here, there = clear(), clear()
    token = token_for(here, account_ids=[here.pk])
    person = ApiToken.objects.get(digest=digest(token)).person
    Member.objects.create(account=there, person=person, role=Role.SUPER_ADMINISTRATOR.value, created_at=clock.now())
    api = Api(token)

    assert api.get(f"/accounts/{here.pk}").status_code == 200
    assert api.get(f"/accounts/{there.pk}").status_code == 403
    assert [account["id"] for account in api.get("/accounts").json()["result"]] == [here.pk]


def test_a_member_who_leaves_is_out_at_once():
    account = clear()
    api = Api(token_for(account))
    Member.objects.filter(account=account).delete()

    assert api.get(f"/accounts/{account.pk}").status_code == 403
    assert api.get("/user/tokens/verify").status_code == 200


def test_a_service_sees_no_account():
    account = clear()
    zone = free_zone(account)
    api = Api(service_token(*Scope))

    statuses = [
        api.get(path).status_code for path in (f"/accounts/{account.pk}", f"/zones/{zone.pk}", "/accounts", "/zones")
    ]

    assert statuses == [403, 404, 403, 403]


def test_identifiers_are_taken_in_any_case():
    account = clear()
    zone = free_zone(account)
    api = Api(token_for(account))

    answers = [api.get(f"/accounts/{account.pk.upper()}"), api.get(f"/zones/{zone.pk.upper()}/subscription")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["result"]["id"] == account.pk


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/zones/", "/zones/123/subscription", "/accounts/%00", "/ö"])
@pytest.mark.parametrize("has_token", [True, False])
def test_an_unknown_path_is_404_in_the_envelope(path, has_token):
    api = Api(token_for(clear()) if has_token else None)

    response = api.get(path)

    assert (response.status_code, codes(response)) == (404, [7003])


@pytest.mark.parametrize("path", ["/client/v5/zones", "/client/v44"])
def test_other_paths_are_not_the_apis(path):
    assert "application/json" not in Api().client.get(path)["Content-Type"]


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_is_not_there_is_405(method):
    account = clear()
    zone = free_zone(account)

    response = Api(token_for(account)).call(method, f"/zones/{zone.pk}/subscription")

    assert (response.status_code, codes(response)) == (405, [7001])


def test_two_statements_authenticate_and_find_the_zone():
    account = clear()
    zone = free_zone(account)
    api = Api(token_for(account))

    with count_statements() as statements:
        response = api.call("POST", f"/zones/{zone.pk}/subscription", data="[", content_type="application/json")

    assert response.status_code == 400
    assert len(statements) <= 2


def test_the_page_of_errors_explains_each_where_a_refusal_points():
    error = Api().get("/user/tokens/verify").json()["errors"][0]
    page, _, anchor = error["documentation_url"].partition("#")

    response = Api().client.get(page.removeprefix("http://testserver"))

    assert page == f"http://testserver{PREFIX}/docs/errors"
    assert f'id="{anchor}"' in response.content.decode()
