"""What the panel says of events: what one changed, which way it went, and what waits for the same cause."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from accounts.models import JournalEntry, SubsStuckEvent, Zone
from billing.models.methods import PaymentMethod
from config.panel.roles import Role, put_in_place
from config.staff import apps_of_ours
from tests.admin import world
from tests.admin.conftest import signed_in
from tests.admin.test_pages import page_of
from tests.counting import count_statements
from tests.webhooks import payloads
from tests.webhooks import world as pipe
from webhooks.models import StripeEvent
from webhooks.replay import replay

BY_CAUSE = "admin:accounts_subsstuckevent_look"


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def test_an_event_page_says_what_it_changed_and_which_way_it_went(agent: Client) -> None:
    account, customer_id = pipe.customer()
    event = pipe.arrive("payment_method.attached", payloads.payment_method(customer_id))
    other = pipe.arrive("payment_method.attached", payloads.payment_method(customer_id))
    pipe.forward()

    said = text_of(agent.get(page_of(event)).content.decode())

    (entry,) = JournalEntry.objects.filter(correlation_id=event.pk, kind="payment_method.stored")
    assert PaymentMethod.objects.filter(account=account).count() == 2
    assert entry.after["payment_method_id"] in said
    assert JournalEntry.objects.get(correlation_id=other.pk, kind="payment_method.stored").pk != entry.pk
    assert "Endpoint payment_methods" in said
    assert "Which will Keep the method among the account's, as it is now." in said
    assert "webhooks/handlers/payment_methods.py: remember" in said
    assert "Failed 0" in said
    assert "Was stuck never" in said


def test_an_event_page_shows_ids_and_states_and_nobodys_address(agent: Client) -> None:
    _, customer_id = pipe.customer()
    invoice = payloads.invoice(customer_id, hosted_invoice_url="https://pay.example/secret", memo="for Zoe")
    event = pipe.arrive("invoice.created", invoice | {"customer_email": "zoe@example.com", "customer_name": "Zoe"})

    html = agent.get(page_of(event)).content.decode()

    assert invoice["id"] in html
    assert "(text)" in html
    assert not [private for private in ("pay.example", "zoe@", "Zoe") if private in html]


def test_an_event_that_changed_nothing_says_so(agent: Client) -> None:
    event = pipe.arrive("customer.updated", payloads.customer(pipe.customer()[1]))
    before = text_of(agent.get(page_of(event)).content.decode())
    pipe.forward()

    after = text_of(agent.get(page_of(event)).content.decode())

    assert "What it changed Nothing yet." in before
    assert "What it changed Nothing but what we know of its object." in after


def test_an_event_that_was_stuck_leads_to_why(agent: Client) -> None:
    account, customer_id = pipe.unmapped_account(), payloads.new_id("cus")
    event = pipe.arrive("customer.updated", payloads.customer(customer_id))
    pipe.forward()
    item = SubsStuckEvent.objects.get(external_id=event.pk)

    html = agent.get(page_of(event)).content.decode()

    assert page_of(item) in html
    pipe.map_customer(account, customer_id)
    replay(StripeEvent.objects.filter(pk=event.pk), now=world.NOW)
    pipe.forward()
    assert page_of(item) in agent.get(page_of(event)).content.decode()


@pytest.fixture
def waiting(db: None) -> None:
    """Three of one cause, one of another, and one that was taken up again."""
    causes = [("invoice.paid", "handler_error")] * 3 + [("invoice.paid", "version"), ("customer.updated", "version")]
    for number, (kind, reason) in enumerate(causes):
        event = pipe.arrive(kind, payloads.invoice("cus_9") if kind == "invoice.paid" else payloads.customer("cus_9"))
        StripeEvent.objects.filter(pk=event.pk).update(processed_at=world.NOW, outcome="stuck")
        world.keep_waiting(event, reason=reason)
        if number == 4:
            replay(StripeEvent.objects.filter(pk=event.pk), now=world.NOW)


def test_what_waits_for_one_cause_is_one_line_and_is_replayed_from_there(agent: Client, waiting: None) -> None:
    with count_statements() as statements:
        html = agent.get(reverse(BY_CAUSE, args=["by-cause"])).content.decode()

    said = text_of(html)
    assert len(statements) <= 4, "\n".join(statements)
    assert said.index("invoice.paid Handler Error") < said.index("invoice.paid Version")
    assert "KeyError in billing/x.py:y 3 2027-03-05 10:30" in said
    assert "customer.updated" not in said
    (address, *others) = re.findall('href="([^"]+do/replay-group/[^"]+)"', html)
    assert len(others) == 1

    preview = text_of(agent.get(unescape(address)).content.decode())

    assert "invoice.paid Handler Error KeyError in billing/x.py:y 2027-03-05 10:30 3" in preview
    assert "Version KeyError" not in preview


@pytest.mark.parametrize(("role", "may"), [(Role.OPERATOR, True), (Role.AGENT, False), (Role.VIEWER, False)])
def test_only_who_may_replay_is_led_to_it(waiting: None, role: Role, may: bool) -> None:
    put_in_place(apps_of_ours())
    somebody = User.objects.create_user("bob", is_staff=True)
    somebody.groups.add(Group.objects.get(name=role))

    html = signed_in(somebody).get(reverse(BY_CAUSE, args=["by-cause"])).content.decode()

    assert ("do/replay-group/" in html) is may
    assert ("needs the role" in html) is not may


def test_every_list_leads_to_its_overviews_and_nothing_else_is_found(agent: Client) -> None:
    listed = agent.get(reverse("admin:accounts_subsstuckevent_changelist")).content.decode()

    assert reverse(BY_CAUSE, args=["by-cause"]) in listed
    assert agent.get(reverse(BY_CAUSE, args=["by-colour"])).status_code == 404


def test_what_a_request_writes_is_found_by_the_id_it_was_answered_with(agent: Client) -> None:
    event = world.account_with_everything() and StripeEvent.objects.get()
    address = reverse("admin:webhooks_stripeevent_act", args=[event.pk, "replay"])
    shown = agent.get(address).content.decode()
    key, digest = (re.search(f'name="{name}" value="([^"]+)"', shown)[1] for name in ("key", "previewed"))  # type: ignore[index]

    answer = agent.post(
        address,
        {"reason": "mended it", "ticket": "https://t.example/1", "key": key, "previewed": digest, "do": "yes"},
    )

    written = JournalEntry.objects.filter(correlation_id=answer["X-Request-Id"])
    assert list(written.values_list("kind", flat=True)) == ["stripe.event_replayed"]
    assert Zone.objects.exists()
