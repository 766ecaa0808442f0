"""Every page of the panel: what it shows, what it hides, what it costs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Customer, JournalDelivery, SubsAccount
from billing.models.catalog import Price
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from config.panel.readonly import ReadOnlyPanel
from tests.admin import world
from tests.admin.conftest import signed_in
from tests.counting import count_statements
from tests.guard import unguarded
from tests.webhooks import payloads
from tests.webhooks import world as pipe
from webhooks.models import StripeEvent

PANELS = sorted(admin.site._registry.items(), key=lambda entry: entry[0]._meta.label)
EVERY_PANEL = pytest.mark.parametrize(("model", "panel"), PANELS, ids=[model.__name__ for model, _ in PANELS])

# Statements, the two of the login (session and user) counted in.
PAGE_BUDGET, LIST_BUDGET, INDEX_BUDGET = 15, 6, 10
# Words of rows in `world` that no page may show.
SECRETS = ("NEVER_SHOWN", "secret.person", "d16e57")


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def assert_reads_well(html: str) -> None:
    """No secret, no markup out of a customer's name, nothing that a template failed to find words for."""
    assert not [secret for secret in SECRETS if secret in html]
    assert "<b>GmbH</b>" not in html
    assert "object at 0x" not in html


@EVERY_PANEL
def test_a_list_shows_its_rows_at_a_fixed_price_and_never_counts(agent: Client, model: type[Model], panel: Any) -> None:
    with unguarded():
        world.publish_catalog()
    world.account_with_everything()

    with count_statements() as statements:
        response = agent.get(list_of(model))

    html = response.content.decode()
    assert response.status_code == 200
    assert page_of(model._default_manager.first()) in html
    assert_reads_well(html)
    assert len(statements) <= LIST_BUDGET, "\n".join(statements)
    assert not [statement for statement in statements if "COUNT(" in statement.upper() or "LIKE" in statement.upper()]


@EVERY_PANEL
def test_every_row_has_a_page_at_a_fixed_price(agent: Client, model: type[Model], panel: Any) -> None:
    with unguarded():
        world.publish_catalog()
    world.account_with_everything()

    for row in model._default_manager.all()[:12]:
        with count_statements() as statements:
            response = agent.get(page_of(row))

        assert response.status_code == 200
        assert_reads_well(response.content.decode())
        assert len(statements) <= PAGE_BUDGET, "\n".join(statements)


@pytest.mark.parametrize("plans", [1, 40])
def test_an_account_page_costs_the_same_whatever_the_account_owns(agent: Client, plans: int) -> None:
    account = world.account_with_everything(plans=plans)

    with count_statements() as statements:
        response = agent.get(page_of(account))

    assert response.status_code == 200
    assert len(statements) <= PAGE_BUDGET, "\n".join(statements)


def test_an_account_page_says_what_it_owns_owes_and_what_happened(agent: Client) -> None:
    account = world.account_with_everything(plans=2)

    html = agent.get(page_of(account)).content.decode()

    assert "Acme &amp; Söhne &lt;b&gt;GmbH&lt;/b&gt;" in html
    assert "$75.00 / month" in html, "two pro zones and one that ends with the period"
    assert "1 open invoice, the oldest of 2027-03-05" in html
    assert "A change was not made: the payment was declined" in html
    assert "visa …4242" in html
    assert "CANCEL SCHEDULED" in html
    assert "Good standing" in html
    assert "shared with another account" not in html


def test_an_account_page_names_what_restricts_the_account_and_whom_it_shares_its_customer_with(agent: Client) -> None:
    banned, other = world.account_with_everything(), world.account_with_everything(domain="other.example")
    with unguarded():
        SubsAccount.objects.filter(pk=banned.pk).update(
            flags=1 << 15 | 1 << 3, banned_at=datetime(2027, 3, 1, tzinfo=UTC), banned_rule="retries are exhausted"
        )
        customer = Customer.objects.get(pk=other.pk)
        Customer.objects.filter(pk=banned.pk).update(stripe_customer_id=customer.stripe_customer_id)

    html = agent.get(page_of(banned)).content.decode()

    assert "since 2027-03-01: retries are exhausted" in html
    assert "bad debt" in html
    assert "bits of others (0x8)" in html
    assert "shared with another account" in html


def test_an_account_of_which_nothing_is_known_yet_has_a_page(agent: Client) -> None:
    with unguarded():
        bare = Account.objects.create(name="bare", created_at=world.NOW)

    html = agent.get(page_of(bare)).content.decode()

    assert "It owns nothing yet." in html
    assert "No billing profile" in html


def test_a_change_shows_its_plan_in_words(agent: Client) -> None:
    account = world.account_with_everything()

    html = agent.get(page_of(ChangeWorkflow.objects.get(account=account))).content.decode()

    assert "Business, monthly, 60 × page_rules for the zone" in html
    assert "the customer must confirm the payment" in html
    assert "subscriptions.create" in html
    assert "default_incomplete" in html


def test_an_invoice_shows_lines_attempts_and_both_sides_of_the_ledger(agent: Client) -> None:
    account = world.account_with_everything()

    html = agent.get(page_of(Invoice.objects.get(account=account, status="paid"))).content.decode()

    assert "Pro Plan" in html
    assert "Succeeded" in html
    assert "what customers owe" in html
    assert html.count("what customers owe") == 2
    assert reverse("admin:billing_price_change", args=[quote("pro_month_v1")]) in html


def test_an_invoice_page_says_why_it_was_declined_and_what_went_back(agent: Client) -> None:
    account = world.account_with_everything()

    unpaid = agent.get(page_of(Invoice.objects.get(account=account, status="open"))).content.decode()
    paid = agent.get(page_of(Invoice.objects.get(account=account, status="paid"))).content.decode()

    assert "The card has not enough funds or is over its limit." in unpaid
    assert "tried again on the retry schedule" in unpaid
    assert "True debt" in unpaid
    assert paid.count("$5.00") == 3, "the note, what of it goes to the method, and the refund"


def test_the_state_of_an_ope_is_the_one_that_python_derives(agent: Client) -> None:
    world.account_with_everything()
    shown = {row.pk: row.derived_state for row in agent.get(list_of(Ope)).context["cl"].result_list}

    derived = {ope.pk: ope.state.value for ope in Ope.objects.all()}

    assert shown == derived
    assert set(derived.values()) == {OpeState.ACTIVE.value, OpeState.GRANTED.value, OpeState.CANCEL_SCHEDULED.value}


def test_the_index_counts_what_waits_and_leads_to_it(agent: Client) -> None:
    world.account_with_everything()
    waiting = JournalDelivery.objects.count()

    with count_statements() as statements:
        html = agent.get(reverse("admin:index")).content.decode()

    assert len(statements) <= INDEX_BUDGET, "\n".join(statements)
    assert f'<a class="ninja-link" href="{list_of(JournalDelivery)}">{waiting}</a>' in html
    assert f'<a class="ninja-link" href="{list_of(ChangeWorkflow)}">1</a>' in html
    assert "A zone was added" in html


def test_the_index_shows_how_far_events_went(agent: Client) -> None:
    _, customer_id = pipe.customer()
    for _ in range(3):
        pipe.arrive("customer.updated", payloads.customer(customer_id))
    pipe.arrive("charge.refunded", payloads.charge(customer_id))
    payloads.send(payloads.event("charge.updated", {"id": "ch_1", "object": "charge"}))

    html = " ".join(agent.get(reverse("admin:index")).content.decode().split())

    assert "27 types" in html
    assert "4 events in the inbox" in html
    assert '<span>customers</span><i style="width: 100%"></i><b>3</b>' in html
    assert '<span>dunning</span><i style="width: 33%"></i><b>1</b>' in html
    assert "<span>charge.updated</span>" in html


def test_what_does_not_exist_leads_back_to_the_index(agent: Client) -> None:
    response = agent.get(reverse("admin:accounts_account_change", args=["f" * 32]))

    assert response.status_code == 302
    assert response["Location"] == reverse("admin:index")


@EVERY_PANEL
def test_nobody_can_edit_not_even_a_superuser(agent: Client, model: type[Model], panel: Any) -> None:
    world.account_with_everything()
    row, name = model._default_manager.first(), f"{model._meta.app_label}_{model._meta.model_name}"
    before = None if row is None else model._default_manager.filter(pk=row.pk).values().get()

    answers = [
        agent.post(f"{list_of(model)}add/", {"name": "new"}).status_code,
        agent.post(f"{list_of(model)}{'x' if row is None else row.pk}/delete/", {"post": "yes"}).status_code,
        agent.post(
            list_of(model), {"action": "delete_selected", "_selected_action": [getattr(row, "pk", "")]}
        ).status_code,
    ]

    assert isinstance(panel, ReadOnlyPanel)
    assert set(answers) <= {200, 302, 403, 404, 405}
    assert before is None or model._default_manager.filter(pk=row.pk).values().get() == before
    assert not admin.site._registry[model].get_actions(_request_of(agent))
    looks, acts = {f"{name}_changelist", f"{name}_change", f"{name}_look"}, {f"{name}_list_act", f"{name}_act"}
    assert {url.name for url in panel.get_urls() if url.name} == looks | acts


@EVERY_PANEL
def test_a_posted_page_changes_nothing(agent: Client, model: type[Model], panel: Any) -> None:
    with unguarded():
        world.publish_catalog()
    world.account_with_everything()
    row = model._default_manager.order_by("pk").first()
    before = model._default_manager.filter(pk=row.pk).values().get()

    agent.post(page_of(row), {field.name: "1" for field in model._meta.concrete_fields})

    assert model._default_manager.filter(pk=row.pk).values().get() == before


LOOKS: list[tuple[str, list[str], int]] = [
    # who                         may view                    status of the accounts' list
    ("a superuser",               ["*"],                      200),
    ("staff who may view them",   ["view_account"],           200),
    ("staff who may view others", ["view_zone"],              403),
    ("staff without permissions", [],                         403),
    ("nobody signed in",          ["-"],                      302),
]  # fmt: skip


@pytest.mark.parametrize(("who", "permissions", "status"), LOOKS, ids=[row[0] for row in LOOKS])
def test_who_may_look(db: None, who: str, permissions: list[str], status: int) -> None:
    user = User.objects.create_user("who", is_staff=True, is_superuser="*" in permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client() if permissions == ["-"] else signed_in(user)

    answer = client.get(list_of(Account))

    assert answer.status_code == status


def test_the_sidebar_names_only_what_one_may_view(db: None) -> None:
    user = User.objects.create_user("zoe", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_zone"))

    html = signed_in(user).get(list_of(world.Zone)).content.decode()

    assert list_of(world.Zone) in html
    assert list_of(Price) not in html


def test_logging_in_without_an_address_leads_to_the_index(db: None) -> None:
    User.objects.create_superuser("ann", password="a long enough password")
    login = Client().get(reverse("admin:login"))

    answer = Client().post(
        reverse("admin:login"), {"username": "ann", "password": "a long enough password", "next": login.context["next"]}
    )

    assert 'name="next" value="/ninja/" form="login-form"' in login.content.decode()
    assert answer["Location"] == reverse("admin:index")


def test_only_our_own_rows_are_in_the_panel() -> None:
    ours = {"accounts", "billing", "entitlements", "webhooks", "dunning", "observability"}

    assert {model._meta.app_label for model, _ in PANELS} <= ours
    assert "auth" not in {model._meta.app_label for model, _ in PANELS}


def _request_of(client: Client) -> Any:
    return client.get(reverse("admin:index")).wsgi_request


def test_an_identifier_that_reads_like_an_escape_is_found(agent: Client) -> None:
    with unguarded():
        event = StripeEvent.objects.create(
            id="evt_24x2Fy",
            type="invoice.paid",
            created_at=world.NOW,
            received_at=world.NOW,
            next_at=world.NOW,
            payload={},
        )

    listed = agent.get(list_of(StripeEvent)).content.decode()

    assert page_of(event) in listed
    assert agent.get(page_of(event)).status_code == 200
