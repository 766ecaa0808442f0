"""What agents can do about a change that waits for the end of the period: take it back."""

from datetime import datetime

from billing.cfstripe.errors import StripeUnavailable
from billing.change_subscription import take_back_changes
from billing.changes_calculator.licences import TRIAL
from billing.models.objectproducts import Ope
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.roles import Permission

from .words import billed


def _why_not(ope: Ope, at: datetime) -> str:
    if ope.deleted_date is not None or ope.scheduled is None:
        return "nothing waits for the end of its period"
    if ope.license_source_id == TRIAL:
        return "a trial ends by itself"
    return "its time has come" if ope.scheduled.starts_at <= at else ""


def _preview(asked: Asked[Ope]) -> Preview:
    ope = asked.row
    assert ope.scheduled is not None, "refused where nothing waits"
    return Preview(
        money=[("Renews at", billed(ope.current)), ("Instead of", billed(ope.scheduled)), ("Charged now", "nothing")],
        access=[("Stays", str(ope.current.value)), ("Instead of", f"{ope.scheduled.value}, from {_day(ope)} on")],
        also=[("With it", "whatever else of its subscription was to change then, and what hangs on it")],
    )


def _day(ope: Ope) -> str:
    return f"{ope.scheduled.starts_at:%Y-%m-%d}" if ope.scheduled else ""


def _take_back(asked: Asked[Ope]) -> str:
    """:raises ActRefused: Stripe was told of it, and does not answer now."""
    try:
        take_back_changes(asked.row.account_id, [asked.row.subscription_id], actor=asked.actor, now=asked.at)
    except StripeUnavailable as silence:
        raise ActRefused("Stripe does not answer. It is taken back by itself once it does.") from silence
    return "It was taken back. What is owned renews as it is."


TAKE_BACK: Act[Ope] = Act(
    name="take-back",
    label="Take the scheduled change back",
    sentence="Keep what is owned as it is: what waits for the end of the period does not happen.",
    permission=Permission.CHANGE,
    why_not=_why_not,
    preview=_preview,
    do=_take_back,
)
