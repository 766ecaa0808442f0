"""The inbox: what Stripe sent, and what came of it."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account
from config.panel.cells import NOTHING, Tone, badge, code, link, moment, number, tree
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page
from webhooks.handler_registry import endpoint_of
from webhooks.models import StripeEvent

from .acts import REPLAY_EVENT

# What of an event's object is shown. The rest may hold names and addresses, which nobody needs to see here.
SHOWN = (
    "object", "id", "status", "customer", "subscription", "invoice", "payment_intent", "billing_reason", "number",
    "currency", "amount", "amount_due", "amount_paid", "amount_remaining", "amount_refunded", "attempt_count",
    "next_payment_attempt", "collection_method", "cancel_at_period_end", "current_period_start", "current_period_end",
    "created", "livemode",
)  # fmt: skip

OUTCOMES = {
    StripeEvent.Outcome.CHANGED: Tone.GOOD,
    StripeEvent.Outcome.NOTHING: Tone.QUIET,
    StripeEvent.Outcome.FOREIGN: Tone.QUIET,
    StripeEvent.Outcome.STUCK: Tone.BAD,
}


def event_page(event: StripeEvent) -> Page:
    """Return the page of one event: what it says of which object, and what came of it."""
    data: dict[str, Any] = event.payload.get("data", {})
    shown = {name: data.get("object", {}).get(name) for name in SHOWN}
    changed = data.get("previous_attributes") or {}
    return Page(
        title=event.type,
        subtitle=_outcome(event),
        sections=[
            Facts(
                "What it says",
                [
                    ("Object", tree(shown)),
                    ("Changed fields", ", ".join(sorted(changed)) or NOTHING),
                ],
            ),
        ],
        aside=[
            Facts(
                "Event",
                [
                    ("Event id", code(event.pk)),
                    (
                        "Account",
                        link(Account, event.account_id, event.account_id) if event.account_id else "not known yet",
                    ),
                    ("Leads to", endpoint_of(event.type) or "nothing any more"),
                    ("API version", event.api_version or NOTHING),
                    ("Failed tries", number(event.attempts)),
                    ("Last error", event.last_error or NOTHING),
                ],
            ),
            Facts(
                "Times",
                [
                    ("Sent by Stripe", moment(event.created_at)),
                    ("Received", moment(event.received_at)),
                    ("Next try", moment(event.next_at) if event.processed_at is None else NOTHING),
                    ("Processed", moment(event.processed_at)),
                ],
            ),
        ],
    )


@admin.register(StripeEvent)
class StripeEventPanel(ReadOnlyPanel):
    title = "Inbox"
    acts = (REPLAY_EVENT,)
    page_of = event_page
    list_display = ("type", "outcome_shown", "identifier", "account_link", "attempts", "received", "processed")
    exact_fields = ("pk", "account_id")
    search_help_text = "evt_… or account id"
    ordering = ("-received_at",)

    @admin.display(description="Outcome")
    def outcome_shown(self, event: StripeEvent) -> SafeString:
        return _outcome(event)

    @admin.display(description="Event id")
    def identifier(self, event: StripeEvent) -> SafeString:
        return code(event.pk)

    @admin.display(description="Account")
    def account_link(self, event: StripeEvent) -> SafeString:
        return link(Account, event.account_id, f"{event.account_id[:8]}…") if event.account_id else NOTHING

    @admin.display(description="Received")
    def received(self, event: StripeEvent) -> SafeString:
        return moment(event.received_at)

    @admin.display(description="Processed")
    def processed(self, event: StripeEvent) -> SafeString:
        return moment(event.processed_at)


def _outcome(event: StripeEvent) -> SafeString:
    if event.processed_at is None:
        return badge("to be processed", Tone.WAITING)
    return badge(event.get_outcome_display(), OUTCOMES[StripeEvent.Outcome(event.outcome)])
