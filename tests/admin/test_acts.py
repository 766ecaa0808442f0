"""Every act of the panel × everybody who may come: who may look at it and do it, and that the journal says so."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import JournalEntry
from config.panel import roles
from config.panel.acts import Act
from config.panel.roles import MAY, Permission, Role
from config.staff import apps_of_ours, give_role
from tests.admin import world
from tests.admin.conftest import signed_in
from tests.admin.examples import EXAMPLES, Example, stuck_event

WHY = {"reason": "the customer asked for it", "ticket": "https://tickets.example/4711", "key": "0" * 32}
EVERY_EXAMPLE = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.panel}.{example.act}")
DOABLE = pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if not e.told_by], ids=lambda example: f"{example.panel}.{example.act}"
)

# Who comes, and whether they get to the panel at all.
SOMEBODY = [*Role, "superuser", "staff without a role", "no staff", "inactive lead", "nobody"]


def panels() -> dict[str, Any]:
    return {model.__name__: panel for model, panel in admin.site._registry.items()}


def act_of(example: Example) -> tuple[Act[Any], bool]:
    """Return the act, and whether it is one of the list."""
    panel = panels()[example.panel]
    for act in panel.list_acts:
        if act.name == example.act:
            return act, True
    return next(act for act in panel.acts if act.name == example.act), False


def address_of(example: Example, row: Model) -> str:
    panel, (act, is_of_list) = panels()[example.panel], act_of(example)
    name = f"admin:{panel.opts.app_label}_{panel.opts.model_name}"
    if is_of_list:
        return reverse(f"{name}_list_act", args=[act.name])
    return reverse(f"{name}_act", args=[quote(str(row.pk)), act.name])


def page_of(example: Example, row: Model) -> str:
    panel = panels()[example.panel]
    name = f"admin:{panel.opts.app_label}_{panel.opts.model_name}"
    return reverse(f"{name}_changelist") if act_of(example)[1] else reverse(f"{name}_change", args=[quote(str(row.pk))])


def client_of(who: str) -> Client:
    if who == "nobody":
        return Client()
    user = User.objects.create_user(f"a {who}", is_staff=who != "no staff", is_superuser=who == "superuser")
    role = who.rsplit(maxsplit=1)[-1]
    if role in set(Role):
        user.groups.add(Group.objects.get(name=role))
    client = signed_in(user)
    if who.startswith("inactive"):
        User.objects.filter(pk=user.pk).update(is_active=False)
    return client


def status_for(who: str, permission: Permission) -> int:
    """Return what the table of roles says of somebody: shown, forbidden, or sent to sign in."""
    if who in {"nobody", "no staff", "inactive lead"}:
        return 302
    if who == "superuser":
        return 200
    return 200 if who in set(Role) and permission in MAY[Role(who)] else 403


def previewed(client: Client, address: str, values: dict[str, object]) -> dict[str, object]:
    """Look first, as people must; return what the page would send."""
    html = client.post(address, {**values, **WHY, "look": "yes"}).content.decode()
    found = re.search(r'name="previewed" value="(\w+)"', html)
    assert found, html
    return {**values, **WHY, "previewed": found[1], "do": "yes"}


@pytest.fixture(autouse=True)
def _roles(request: pytest.FixtureRequest) -> None:
    if "db" in request.fixturenames:
        request.getfixturevalue("db")
        roles.put_in_place(apps_of_ours())


def test_every_act_has_an_example_and_no_two_share_a_name() -> None:
    here = [(name, act.name) for name, panel in panels().items() for act in (*panel.acts, *panel.list_acts)]

    assert sorted(here) == sorted((example.panel, example.act) for example in EXAMPLES)
    assert len(here) == len(set(here))
    assert here


def test_an_act_is_the_only_way_and_says_what_it_needs() -> None:
    for panel in panels().values():
        assert panel.actions == ()
        for act in (*panel.acts, *panel.list_acts):
            assert isinstance(act.permission, Permission)
            assert roles.roles_with(act.permission), f"{act.name}: no role may do it"
            assert act.sentence.endswith(".")


@EVERY_EXAMPLE
def test_who_may_do_what(db: None, example: Example) -> None:
    row = example.allowed() if example.allowed else None
    act, _ = act_of(example)
    address = address_of(example, row)
    entries = JournalEntry.objects.count()

    statuses = {who: _knock(client_of(who), address, example) for who in SOMEBODY}

    assert statuses == {who: {status_for(who, act.permission)} for who in SOMEBODY}
    assert JournalEntry.objects.count() == entries, "to look, or to guess what the page would say, does nothing"


def _knock(client: Client, address: str, example: Example) -> set[int]:
    """Look, ask what would happen, and try to do it without having looked; return the answers' statuses."""
    sent = {**example.values, **WHY}
    return {
        client.get(address).status_code,
        client.post(address, {**sent, "look": "yes"}).status_code,
        client.post(address, {**sent, "previewed": "guessed", "do": "yes"}).status_code,
    }


@EVERY_EXAMPLE
def test_its_button_is_there_for_every_role_and_says_who_may(db: None, example: Example) -> None:
    row = example.allowed() if example.allowed else None
    act, _ = act_of(example)
    who_may = f"needs the role {' or '.join(roles.roles_with(act.permission))}"

    pages = {role: client_of(role).get(page_of(example, row)).content.decode() for role in Role}

    offered = {role for role, html in pages.items() if f'href="{address_of(example, row)}"' in html}
    told = {role for role, html in pages.items() if who_may in html}
    assert offered == set(roles.roles_with(act.permission))
    assert told >= set(Role) - offered


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.refused], ids=lambda e: f"{e.panel}.{e.act}")
def test_what_is_not_allowed_right_now_is_disabled_and_says_why(agent: Client, example: Example) -> None:
    row = example.refused()
    act, _ = act_of(example)
    why_not = act.why_not(row, world.NOW)
    entries = JournalEntry.objects.count()

    button = agent.get(page_of(example, row)).content.decode()
    page = agent.get(address_of(example, row)).content.decode()
    forced = agent.post(address_of(example, row), {**example.values, **WHY, "do": "yes"})

    assert why_not
    assert why_not in button
    assert f'href="{address_of(example, row)}"' not in button
    assert why_not in page
    assert forced.status_code == 409
    assert JournalEntry.objects.count() == entries


@DOABLE
def test_it_is_done_once_confirmed_and_the_journal_says_who_and_why(agent: Client, example: Example) -> None:
    row = example.allowed()
    address = address_of(example, row)
    before = JournalEntry.objects.count()

    sent = previewed(agent, address, dict(example.values))
    unsaid = agent.post(address, {**sent, "reason": ""})
    done = agent.post(address, sent)

    assert unsaid.status_code == 200
    assert "This field is required." in unsaid.content.decode()
    assert (done.status_code, done["Location"]) == (302, page_of(example, row))
    written = JournalEntry.objects.order_by("pk")[before:]
    assert {entry.actor for entry in written} == {"agent:ann"}
    assert {entry.reason.split(" · ")[-1] for entry in written} == {f"{WHY['reason']} [{WHY['ticket']}]"}


REFUSED_REASONS = [
    # reason                        ticket                                what is said
    ("",                            WHY["ticket"],                        "This field is required."),
    ("ok",                          WHY["ticket"],                        "at least 5 characters"),
    ("x" * 201,                     WHY["ticket"],                        "at most 200 characters"),
    (WHY["reason"],                 "",                                   "This field is required."),
    (WHY["reason"],                 "4711",                               "Enter a valid URL."),
    (WHY["reason"],                 "javascript:alert(1)",                "Enter a valid URL."),
    (WHY["reason"],                 f"https://t.example/{'4' * 150}",     "at most 150 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "ticket", "said"), REFUSED_REASONS)
def test_a_reason_and_a_ticket_are_needed(agent: Client, reason: str, ticket: str, said: str) -> None:
    example = EXAMPLES[0]
    row = example.allowed()
    sent = previewed(agent, address_of(example, row), {})
    entries = JournalEntry.objects.count()

    answer = agent.post(address_of(example, row), {**sent, "reason": reason, "ticket": ticket})

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert JournalEntry.objects.count() == entries


def test_what_reads_differently_by_now_is_shown_again(agent: Client) -> None:
    """Somebody else's event began to wait between the look and the click: it is not replayed unseen."""
    example = next(e for e in EXAMPLES if e.act == "replay-group")
    address = address_of(example, example.allowed())
    sent = previewed(agent, address, dict(example.values))
    stuck_event(domain="later.example")
    entries = JournalEntry.objects.count()

    answer = agent.post(address, sent)

    assert "has changed since you looked" in answer.content.decode()
    assert JournalEntry.objects.count() == entries


def test_a_refusal_is_a_sentence(agent: Client) -> None:
    example = next(e for e in EXAMPLES if e.act == "replay-group")
    address = address_of(example, example.allowed())

    answer = agent.post(address, {**WHY, "kind": "no.such", "do": "yes"})

    assert answer.status_code == 409
    assert "Nothing like that waits." in answer.content.decode()


def test_an_act_that_does_not_exist_is_not_found(agent: Client) -> None:
    row = EXAMPLES[0].allowed()

    assert agent.get(f"{page_of(EXAMPLES[0], row)}do/burn/").status_code == 404
    assert agent.get(reverse("admin:webhooks_stripeevent_list_act", args=["burn"])).status_code == 404


def test_the_groups_are_what_the_table_says_whatever_they_were(db: None) -> None:
    viewer, lead = Group.objects.get(name="viewer"), Group.objects.get(name="lead")
    viewer.permissions.set(lead.permissions.all())

    roles.put_in_place(apps_of_ours())

    assert not [p for p in viewer.permissions.all() if not p.codename.startswith("view_")]
    held = {p.codename for p in lead.permissions.filter(content_type__app_label=roles.LABEL)}
    assert held == {permission.value for permission in MAY[Role.LEAD]}


def test_a_role_is_given_in_place_of_another(db: None) -> None:
    first = give_role("zoe", Role.LEAD)
    second = give_role("zoe", Role.VIEWER)

    user = User.objects.get(username="zoe")
    assert first.password
    assert user.check_password(first.password)
    assert second.password == ""
    assert [group.name for group in user.groups.all()] == ["viewer"]
    assert user.is_staff
    assert not user.is_superuser
