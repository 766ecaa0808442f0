"""The inbox: what Stripe sent, and what came of it."""

import inspect
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.admin.timeline import EVENT_PROCESSED
from accounts.admin.words import sentence
from accounts.models import Account, JournalEntry, SubsStuckEvent
from billing.cfstripe.personal import in_words_of_stripe
from config.panel.cells import NOTHING, Tone, badge, code, link, list_link, moment, number, tree
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page, Table
from webhooks.handler_registry import endpoint_of, handler_of
from webhooks.models import StripeEvent

from .acts import REPLAY_EVENT

# So many of its journal entries are shown; the rest stands in the journal.
ENTRIES = 50

OUTCOMES = {
    StripeEvent.Outcome.CHANGED: Tone.GOOD,
    StripeEvent.Outcome.NOTHING: Tone.QUIET,
    StripeEvent.Outcome.FOREIGN: Tone.QUIET,
    StripeEvent.Outcome.STUCK: Tone.BAD,
}


def event_page(event: StripeEvent) -> Page:
    """Return the page of one event: what it changed, which way it went, and what it says of which object."""
    data: dict[str, Any] = event.payload.get("data", {})
    changed = data.get("previous_attributes") or {}
    return Page(
        title=event.type,
        subtitle=_outcome(event),
        sections=[
            _changed(event),
            Facts(
                "What it says",
                [
                    ("Changed fields", ", ".join(sorted(changed)) or NOTHING),
                    ("Object", tree(in_words_of_stripe(data.get("object", {})))),
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
                    ("API version", event.api_version or NOTHING),
                ],
            ),
            Facts("Route", _route(event)),
            Facts("Attempts", _attempts(event)),
            Facts(
                "Times",
                [
                    ("Sent by Stripe", moment(event.created_at)),
                    ("Received", moment(event.received_at)),
                    ("Processed", moment(event.processed_at)),
                ],
            ),
        ],
    )


def _changed(event: StripeEvent) -> Table:
    """Show the journal entries that were written while it was processed, each with what was and what is."""
    entries = JournalEntry.objects.filter(correlation_id=event.pk).exclude(kind=EVENT_PROCESSED).order_by("pk")
    rows = [
        (link(JournalEntry, entry.pk, sentence(entry.kind)), tree(entry.before), tree(entry.after))
        for entry in entries[:ENTRIES]
    ]
    return Table(
        "What it changed",
        ("What", "Before", "After"),
        rows,
        "Nothing but what we know of its object." if event.processed_at else "Nothing yet.",
        more=list_link(JournalEntry, "in the journal", q=event.pk) if rows else "",
    )


def _route(event: StripeEvent) -> list[tuple[str, object]]:
    handler = handler_of(event.type)
    if handler is None:
        return [("Leads to", "nothing any more")]
    return [
        ("Endpoint", endpoint_of(event.type)),
        ("Which will", inspect.cleandoc(handler.__doc__ or "").partition("\n")[0]),
        ("Code", code(f"{handler.__module__.replace('.', '/')}.py: {handler.__name__}")),
    ]


def _attempts(event: StripeEvent) -> list[tuple[str, object]]:
    stuck = SubsStuckEvent.objects.filter(source=SubsStuckEvent.Source.STRIPE, external_id=event.pk).first()
    return [
        ("Failed", number(event.attempts)),
        ("Last error", event.last_error or NOTHING),
        ("Next", moment(event.next_at) if event.processed_at is None else NOTHING),
        ("Was stuck", link(SubsStuckEvent, stuck.pk, stuck.get_reason_display()) if stuck else "never"),
    ]


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
