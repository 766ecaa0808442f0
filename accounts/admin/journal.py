"""The journal as people read it, and who has not been told of it yet."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, JournalDelivery, JournalEntry
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from config.panel.cells import NOTHING, Tone, code, link, moment, number, tree, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Happening, Page, Table
from webhooks.models import StripeEvent

from .words import actor_in_words, sentence

# What the kinds of entries tell an agent at a glance; the others are neutral.
TONES = {
    "account.created": Tone.INFO,
    "change.committed": Tone.GOOD,
    "change.declined": Tone.BAD,
    "change.expired": Tone.BAD,
    "change.abandoned": Tone.WAITING,
    "change.awaiting_payment": Tone.WAITING,
    "stuck.opened": Tone.BAD,
    "stuck.released": Tone.GOOD,
}


def happening(entry: JournalEntry) -> Happening:
    """Return an entry as a line of a timeline: the sentence, then who did it and why."""
    details = [f"by {actor_in_words(entry.actor)}", entry.reason]
    return Happening(
        at=entry.at,
        sentence=link(JournalEntry, entry.pk, sentence(entry.kind)),
        detail=" · ".join(detail for detail in details if detail),
        tone=TONES.get(entry.kind, Tone.QUIET),
    )


def entry_page(entry: JournalEntry) -> Page:
    """Return the page of one entry: what changed from what to what, who did it and what led to it."""
    deliveries = JournalDelivery.objects.filter(entry=entry).order_by("consumer")
    return Page(
        title=sentence(entry.kind),
        subtitle=with_note(moment(entry.at), f"by {actor_in_words(entry.actor)}"),
        sections=[
            Facts("What changed", [("Before", tree(entry.before)), ("After", tree(entry.after))]),
            Table("Still to be told", ("Consumer", "Next try", "Failed tries"),
                  [(d.consumer, moment(d.next_at), number(d.attempts)) for d in deliveries],
                  "Everybody who must know of it has been told."),
        ],
        aside=[
            Facts("Entry", [
                ("Account", link(Account, entry.account_id, entry.account.name) if entry.account else "the catalogue's or the pipe's"),
                ("Number", f"{entry.sequence} of this account" if entry.sequence else "–"),
                ("Kind", code(entry.kind)),
                ("By", entry.actor),
                ("Because", entry.reason or NOTHING),
                ("Led to by", cause_link(entry.cause)),
                ("Request", code(entry.correlation_id)),
            ]),
            Facts("Times", [("Happened", moment(entry.at)), ("Written down", moment(entry.recorded_at))]),
        ],
    )  # fmt: skip


def cause_link(cause: str) -> object:
    """Return what led to an entry, as a link where its page is known; `cause` is `kind:id`."""
    kind, _, identifier = cause.partition(":")
    model = CAUSES.get(kind)
    return link(model, identifier, cause) if model and identifier else cause or NOTHING


CAUSES = {"workflow": ChangeWorkflow, "invoice": Invoice, "stripe": StripeEvent}


@admin.register(JournalEntry)
class JournalEntryPanel(ReadOnlyPanel):
    page_of = entry_page
    list_display = ("happened", "sentence", "account_link", "by", "reason")
    exact_fields = ("account_id",)
    search_help_text = "Account id"
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        return super().get_queryset(request).select_related("account")

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
            Facts("Delivery", [
                ("Entry", link(JournalEntry, delivery.entry_id, sentence(delivery.entry.kind))),
                ("Consumer", delivery.consumer),
                ("Failed tries", number(delivery.attempts)),
                ("Next try", moment(delivery.next_at)),
                ("Taken until", moment(delivery.lease_until)),
            ]),
        ],
    )  # fmt: skip


@admin.register(JournalDelivery)
class JournalDeliveryPanel(ReadOnlyPanel):
    page_of = delivery_page
    list_display = ("what", "consumer", "next_try", "attempts")
    exact_fields = ("entry_id",)
    search_help_text = "Number of the journal entry"
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalDelivery]:
        return super().get_queryset(request).select_related("entry")

    @admin.display(description="What")
    def what(self, delivery: JournalDelivery) -> str:
        return sentence(delivery.entry.kind)

    @admin.display(description="Next try")
    def next_try(self, delivery: JournalDelivery) -> SafeString:
        return moment(delivery.next_at)
