"""Stuck events: what came from outside, could not be processed, and waits for somebody."""

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account, SubsStuckEvent
from config.panel.cells import NOTHING, Tone, badge, code, link, moment, number
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page
from webhooks.admin.acts import REPLAY_GROUP, REPLAY_STUCK, SETTLE_STUCK, TAKE_STUCK
from webhooks.models import StripeEvent

from .stuck_groups import BY_CAUSE
from .words import STUCK_REASONS, actor_in_words


def stuck_page(item: SubsStuckEvent) -> Page:
    """Return the page of one stuck event: what it is, why it waits and since when."""
    is_event = item.source == item.Source.STRIPE and item.reason != item.Reason.REFUND_FAILED
    return Page(
        title=item.kind,
        subtitle=_state(item),
        sections=[
            Facts(
                "Why it waits",
                [
                    ("Reason", item.get_reason_display()),
                    ("Which means", STUCK_REASONS[SubsStuckEvent.Reason(item.reason)]),
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
                        link(StripeEvent, item.external_id, item.external_id) if is_event else code(item.external_id),
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
    acts = (REPLAY_STUCK, TAKE_STUCK, SETTLE_STUCK)
    list_acts = (REPLAY_GROUP,)
    overviews = (BY_CAUSE,)
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
