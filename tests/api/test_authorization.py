"""
Who may call what: every endpoint there is, for every role, scope and owner.

The endpoints come from the URLconf, so one that is added without a permission, or that leaks, fails here.
"""

import itertools
import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api.identity import OneAccountView
from accounts.api.scope import AccountView, ApiView, ZoneView
from accounts.api.zones import OneZoneView
from accounts.roles import Permission, Role, Scope
from billing.api.paying import PayBadDebtView
from billing.api.payment_methods import ClientSecretView
from billing.models.changes import ChangeWorkflow
from config import api_errors
from config.openapi.describe import reference_page
from config.urls import API, INTERNAL_API
from tests.api.conftest import Api
from tests.factories import clear, free_zone, service_token, token_for

pytestmark = pytest.mark.usefixtures("on_sale")

# Views that anybody may see.
PUBLIC = {api_errors.errors_page, reference_page}

# Writes that ask for nothing but to be made, by the processor, which may not be there; who owes nothing has paid all.
WITHOUT_BODY = {
    (ClientSecretView, "POST"),
    (OneAccountView, "DELETE"),
    (OneZoneView, "DELETE"),
    (PayBadDebtView, "POST"),
}

# What each permission takes, written out once more: the table in accounts/roles.py must not be its own judge.
ALLOWED = {
    None: {(role, scope) for role in Role for scope in ("nothing", "read", "edit", "both")},
    Permission.READ: {(role, scope) for role in Role for scope in ("read", "both")},
    Permission.CHANGE_SUBSCRIPTIONS: {
        (role, scope) for role in (Role.SUPER_ADMINISTRATOR, Role.ADMINISTRATOR) for scope in ("edit", "both")
    },
    Permission.PAY: {(role, scope) for role in (Role.SUPER_ADMINISTRATOR, Role.BILLING) for scope in ("edit", "both")},
    Permission.ACT_FOR_ONESELF: {(role, scope) for role in Role for scope in ("edit", "both")},
    Permission.ADMINISTER: {(Role.SUPER_ADMINISTRATOR, scope) for scope in ("edit", "both")},
}
SCOPES = {
    "nothing": (),
    "read": (Scope.BILLING_READ,),
    "edit": (Scope.BILLING_EDIT,),
    "both": (Scope.BILLING_READ, Scope.BILLING_EDIT),
}


def patterns(resolver=None, prefix=""):
    """Yield (path with its converters, view) of every door under the prefixes of the two APIs."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith((API, INTERNAL_API)):
            yield path, getattr(entry.callback, "cls", entry.callback)


GUARDED = [(path, view) for path, view in patterns() if view not in PUBLIC and not path.endswith("/schema")]
EVERY_ENDPOINT = [(path, view, method) for path, view in GUARDED for method in view.needs]
ENDPOINTS = [(path, view, method) for path, view, method in EVERY_ENDPOINT if path.startswith(API)]
OF_SERVICES = [(path, view, method) for path, view, method in EVERY_ENDPOINT if path.startswith(INTERNAL_API)]


def status_of(token, method, path, *, account_id="", zone_id="", inner_id="0" * 32):
    """Call an endpoint and return the status; no body, so that a permitted write is refused only after the door."""
    path = path.replace("<id:account_id>", account_id).replace("<id:zone_id>", zone_id)
    return Api(token).call(method, "/" + re.sub(r"<\w+:\w+>", inner_id, path), prefix="").status_code


def test_every_endpoint_is_guarded():
    assert {(path, view) for path, view in GUARDED if not issubclass(view, ApiView)} == set()
    assert len(GUARDED) >= 15


@pytest.mark.parametrize(("path", "view"), GUARDED)
def test_an_endpoint_offers_the_methods_that_it_guards(path, view):
    offered = {method.upper() for method in view.http_method_names if hasattr(view, method)} - {"HEAD", "OPTIONS"}

    assert offered == set(view.needs)


@pytest.mark.parametrize(("path", "view"), GUARDED)
def test_a_view_resolves_what_its_path_names(path, view):
    assert issubclass(view, AccountView) == ("<id:account_id>" in path)
    assert issubclass(view, ZoneView) == ("<id:zone_id>" in path)


@pytest.mark.parametrize(("path", "view", "method"), ENDPOINTS)
def test_own(path, view, method):
    account = clear()
    combinations = list(itertools.product(Role, SCOPES))

    statuses = {
        (role, scopes): status_of(
            token_for(account, role=role, scopes=SCOPES[scopes]),
            method,
            path,
            account_id=account.pk,
            zone_id=free_zone(account).pk,  # one each: whoever may, removes it
        )
        for role, scopes in combinations
    }

    refused = {combination for combination, status in statuses.items() if status == 403}
    assert refused == set(combinations) - ALLOWED[view.needs[method]]
    let_in = {200, 404} if method == "GET" else {400, 404}
    if (view, method) in WITHOUT_BODY:
        let_in = {200, 503}
    assert set(statuses.values()) <= {403} | let_in


@pytest.mark.parametrize(("path", "view", "method"), ENDPOINTS)
def test_foreign_and_unknown_are_refused_alike(path, view, method):
    foreign = clear()
    foreign_zone = free_zone(foreign)
    refusal = {AccountView: 403, ZoneView: 404}

    for scopes in SCOPES.values():
        token = token_for(clear(), scopes=scopes)
        statuses = [
            status_of(token, method, path, account_id=account_id, zone_id=zone_id)
            for account_id, zone_id in ((foreign.pk, foreign_zone.pk), ("0" * 32, "0" * 32))
        ]
        expected = next((status for base, status in refusal.items() if issubclass(view, base)), statuses[0])
        assert statuses == [expected, expected]


@pytest.mark.parametrize(("path", "view", "method"), OF_SERVICES)
def test_a_service_may_what_its_scopes_say(path, view, method):
    statuses = {scope: status_of(service_token(scope), method, path) for scope in Scope}

    assert {scope for scope, status in statuses.items() if status != 403} == {view.needs[method]}
    assert statuses[view.needs[method]] in ({200, 400, 404} if method == "GET" else {400, 404})


@pytest.mark.parametrize(("path", "view", "method"), OF_SERVICES)
def test_a_person_is_no_service_whatever_the_token_says(path, view, method):
    assert status_of(token_for(clear(), scopes=tuple(Scope)), method, path) == 403


@pytest.mark.parametrize(("path", "view", "method"), ENDPOINTS)
def test_a_service_is_nobodys_member(path, view, method):
    account = clear()
    zone = free_zone(account)

    status = status_of(service_token(*Scope), method, path, account_id=account.pk, zone_id=zone.pk)

    assert status == (404 if issubclass(view, ZoneView) else 403) or view.needs[method] is None


@pytest.mark.parametrize(("path", "view", "method"), EVERY_ENDPOINT)
def test_nobody_without_a_token_is_let_in(path, view, method):
    account = clear()
    zone = free_zone(account)

    assert status_of(None, method, path, account_id=account.pk, zone_id=zone.pk) == 401
    assert status_of("unknown", method, path, account_id=account.pk, zone_id=zone.pk) == 401


def test_what_is_inside_a_foreign_account_is_not_found_through_an_own_one():
    mine, foreign = clear(), clear()
    token = token_for(mine)
    zone = free_zone(foreign)
    subscription_id = zone.account.opes.get().subscription_id
    workflow = ChangeWorkflow.objects.create(
        account=foreign, step="declined", origin="dashboard", actor="customer:x", request={}, request_digest="",
        plan={}, requested_at=zone.created_at, finished_at=zone.created_at, next_at=zone.created_at,
    )  # fmt: skip

    assert Api(token).get(f"/accounts/{mine.pk}/subscriptions/{subscription_id}").status_code == 404
    assert Api(token).get(f"/accounts/{mine.pk}/workflows/{workflow.pk}").status_code == 404
    for path in (f"/accounts/{mine.pk}/subscriptions/{subscription_id}", f"/user/subscriptions/{subscription_id}"):
        assert Api(token).call("DELETE", path).status_code == 404
        assert (
            Api(token)
            .call("PUT", path, data='{"rate_plan": {"id": "pro"}}', content_type="application/json")
            .status_code
            == 404
        )
    assert (
        Api(token)
        .post(f"/accounts/{mine.pk}/subscriptions/{subscription_id}/cancel-reason", {"other": "x"})
        .status_code
        == 404
    )
    take_back = {"subscription_ids": [subscription_id]}
    assert Api(token).post(f"/accounts/{mine.pk}/subscriptions/cancel-downgrade", take_back).status_code == 404
    bought = Api(token).post(
        f"/accounts/{mine.pk}/subscriptions", {"rate_plan": {"id": "pro"}, "zone": {"id": zone.pk}}
    )
    assert (bought.status_code, bought.json()["errors"][0]["code"]) == (400, 1304)
    membership_id = foreign.members.create(
        person=mine.members.get().person, role="read_only", created_at=zone.created_at
    ).pk
    limited = token_for(mine, account_ids=[mine.pk])
    assert Api(limited).get(f"/memberships/{membership_id}").status_code == 404


def test_what_one_may_read_of_another_account_one_may_not_therefore_change():
    mine, theirs = clear(), clear()
    zone = free_zone(theirs)
    token = token_for(mine)
    theirs.members.create(person=mine.members.get().person, role=Role.READ_ONLY.value, created_at=zone.created_at)
    path = f"/user/subscriptions/{zone.account.opes.get().subscription_id}"

    assert Api(token).get(path).status_code == 200
    assert Api(token).call("DELETE", path).status_code == 403


def test_lists_hold_only_what_is_the_callers():
    mine, foreign = clear(), clear()
    my_zone, _ = free_zone(mine), free_zone(foreign)
    api = Api(token_for(mine))

    assert [account["id"] for account in api.get("/accounts").json()["result"]] == [mine.pk]
    assert [zone["id"] for zone in api.get("/zones").json()["result"]] == [my_zone.pk]
    assert api.get(f"/zones?account.id={foreign.pk}").json()["result"] == []
    assert len(api.get(f"/accounts/{mine.pk}/subscriptions").json()["result"]) == 1
