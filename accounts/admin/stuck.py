"""Stuck events: what came from outside, could not be processed, and waits for somebody."""

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account, SubsStuckEvent
from config.panel.cells import NOTHING, Tone, badge, code, link, moment, number
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page
from webhooks.admin.acts import REPLAY_GROUP, REPLAY_STUCK, TAKE_STUCK
from webhooks.models import StripeEvent

from .words import actor_in_words

# Why an event waits, and what takes it up again.
REASONS = {
    SubsStuckEvent.Reason.UNKNOWN_CUSTOMER: "no account has this customer yet; it is taken up when one does",
    SubsStuckEvent.Reason.MERGED_ACCOUNT: "several accounts share this customer; somebody must say whose it is",
    SubsStuckEvent.Reason.VERSION: "it was written in an API version that is not spoken here",
    SubsStuckEvent.Reason.HANDLER_ERROR: "acting on it failed; mend the cause, then replay it",
    SubsStuckEvent.Reason.RETRIES_EXHAUSTED: "it failed too often; mend the cause, then replay it",
}


def stuck_page(item: SubsStuckEvent) -> Page:
    """Return the page of one stuck event: what it is, why it waits and since when."""
    at_stripe = item.source == SubsStuckEvent.Source.STRIPE
    return Page(
        title=item.kind,
        subtitle=_state(item),
        sections=[
            Facts(
                "Why it waits",
                [
                    ("Reason", item.get_reason_display()),
                    ("Which means", REASONS[SubsStuckEvent.Reason(item.reason)]),
                    ("Error", item.signature),
                    ("Tries", number(item.attempts)),
                    ("Looked after by", _owner(item)),
                ],
            ),
        ],
        aside=[
            Facts(
                "Where it comes from",
                [
                    ("Source", item.get_source_display()),
                    (
                        "Event",
                        link(StripeEvent, item.external_id, item.external_id) if at_stripe else code(item.external_id),
                    ),
                    ("Customer there", code(item.customer_reference)),
                    ("Account", link(Account, item.account_id, item.account.name) if item.account else NOTHING),
                ],
            ),
            Facts("Times", [("Stuck", moment(item.stuck_at)), ("Taken up again", moment(item.resolved_at))]),
        ],
    )


@admin.register(SubsStuckEvent)
class StuckEventPanel(ReadOnlyPanel):
    title = "Stuck events"
    acts = (REPLAY_STUCK, TAKE_STUCK)
    list_acts = (REPLAY_GROUP,)
    page_of = stuck_page
    list_display = ("kind", "state", "reason_in_words", "signature", "external_id", "owned", "attempts", "stuck")
    exact_fields = ("external_id", "customer_reference", "account_id", "signature")
    search_help_text = "evt_…, cus_…, account id or the whole error"
    ordering = ("-pk",)

    @admin.display(description="State")
    def state(self, item: SubsStuckEvent) -> SafeString:
        return _state(item)

    @admin.display(description="Why")
    def reason_in_words(self, item: SubsStuckEvent) -> str:
        return item.get_reason_display()

    @admin.display(description="Looked after by")
    def owned(self, item: SubsStuckEvent) -> str:
        return _owner(item)

    @admin.display(description="Since")
    def stuck(self, item: SubsStuckEvent) -> SafeString:
        return moment(item.stuck_at)


def _owner(item: SubsStuckEvent) -> str:
    return actor_in_words(item.owner) if item.owner else "nobody"


def _state(item: SubsStuckEvent) -> SafeString:
    return badge("taken up", Tone.GOOD) if item.resolved_at else badge("waits", Tone.BAD)
