"""The journal as people read it, and who has not been told of it yet."""

import re

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account, JournalDelivery, JournalEntry
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from config.panel.cells import NOTHING, code, link, list_link, moment, number, tree, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page, Table
from webhooks.models import StripeEvent

from .words import actor_in_words, sentence

_OUR_ID = re.compile("[0-9a-f]{32}")


def entry_page(entry: JournalEntry) -> Page:
    """Return the page of one entry: what changed from what to what, who did it and what led to it."""
    deliveries = JournalDelivery.objects.filter(entry=entry).order_by("consumer")
    return Page(
        title=sentence(entry.kind),
        subtitle=with_note(moment(entry.at), f"by {actor_in_words(entry.actor)}"),
        sections=[
            Facts("What changed", [("Before", tree(entry.before)), ("After", tree(entry.after))]),
            Table(
                "Still to be told",
                ("Consumer", "Next try", "Failed tries"),
                [(d.consumer, moment(d.next_at), number(d.attempts)) for d in deliveries],
                "Everybody who must know of it has been told.",
            ),
        ],
        aside=[
            Facts(
                "Entry",
                [
                    (
                        "Account",
                        link(Account, entry.account_id, entry.account.name)
                        if entry.account
                        else "the catalogue's or the pipe's",
                    ),
                    ("Number", f"{entry.sequence} of this account" if entry.sequence else "–"),
                    ("Kind", code(entry.kind)),
                    ("By", entry.actor),
                    ("Because", entry.reason or NOTHING),
                    ("Led to by", cause_link(entry)),
                    ("Part of", part_of_link(entry)),
                ],
            ),
            Facts("Times", [("Happened", moment(entry.at)), ("Written down", moment(entry.recorded_at))]),
        ],
    )


def part_of_link(entry: JournalEntry) -> object:
    """Return the event or request that an entry was written in, as a link to all that was written then."""
    part_of = entry.correlation_id
    return list_link(JournalEntry, code(part_of), q=part_of) if part_of else NOTHING


def cause_link(entry: JournalEntry) -> object:
    """Return what led to an entry, as a link where its page is known: a change, an invoice, an event."""
    cause = entry.cause
    if _OUR_ID.fullmatch(cause):
        return (
            link(ChangeWorkflow, cause, "a change")
            if entry.kind.startswith("change.")
            else link(Invoice, cause, "an invoice")
        )
    if cause.startswith("stripe:evt_"):
        return link(StripeEvent, cause.removeprefix("stripe:"), cause)
    if cause.startswith("in_"):
        return list_link(Invoice, cause, q=cause)
    return cause or NOTHING


@admin.register(JournalEntry)
class JournalEntryPanel(ReadOnlyPanel):
    title = "Journal"
    page_of = entry_page
    list_display = ("happened", "sentence", "account_link", "by", "reason")
    list_select_related = ("account",)
    exact_fields = ("account_id", "correlation_id")
    search_help_text = "Account id, evt_… or the id of a request"
    ordering = ("-pk",)

    @admin.display(description="When")
    def happened(self, entry: JournalEntry) -> SafeString:
        return moment(entry.at)

    @admin.display(description="What")
    def sentence(self, entry: JournalEntry) -> str:
        return sentence(entry.kind)

    @admin.display(description="Account")
    def account_link(self, entry: JournalEntry) -> SafeString:
        return link(Account, entry.account_id, entry.account.name) if entry.account else NOTHING

    @admin.display(description="By")
    def by(self, entry: JournalEntry) -> str:
        return actor_in_words(entry.actor)


def delivery_page(delivery: JournalDelivery) -> Page:
    """Return the page of one delivery: who must be told of what, and how that goes."""
    return Page(
        title=f"{sentence(delivery.entry.kind)}, for {delivery.consumer}",
        sections=[
            Facts(
                "Delivery",
                [
                    ("Entry", link(JournalEntry, delivery.entry_id, sentence(delivery.entry.kind))),
                    ("Consumer", delivery.consumer),
                    ("Failed tries", number(delivery.attempts)),
                    ("Next try", moment(delivery.next_at)),
                    ("Taken until", moment(delivery.lease_until)),
                ],
            ),
        ],
    )


@admin.register(JournalDelivery)
class JournalDeliveryPanel(ReadOnlyPanel):
    title = "Undelivered"
    page_of = delivery_page
    list_display = ("what", "consumer", "next_try", "attempts")
    list_select_related = ("entry",)
    exact_fields = ("entry_id",)
    search_help_text = "Number of the journal entry"
    ordering = ("pk",)

    @admin.display(description="What")
    def what(self, delivery: JournalDelivery) -> str:
        return sentence(delivery.entry.kind)

    @admin.display(description="Next try")
    def next_try(self, delivery: JournalDelivery) -> SafeString:
        return moment(delivery.next_at)
