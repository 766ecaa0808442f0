"""What agents can do about debt: have it looked at again, and forgive it. Flags and bans follow; nobody sets them."""

from dataclasses import asdict
from datetime import datetime

from billing.cfstripe.errors import StripeUnavailable
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import lines, money
from config.panel.roles import Permission

from ..forgive import forgive_debt, owed_invoices
from ..models.conclusions import SubsDunning
from ..recompute import Examined, examine, recompute
from .words import change_in_words


def _looked_at(asked: Asked[SubsDunning]) -> Examined:
    return examine([asked.row.pk], now=asked.at)[0]


def changes_in_words(examined: Examined) -> list[str]:
    """Return what must change for every store to say what is decided, as sentences."""
    return [change_in_words({"change": type(change).__name__, **asdict(change)}) for change in examined.needed]


def _preview_recompute(asked: Asked[SubsDunning]) -> Preview:
    examined = _looked_at(asked)
    decided = examined.decision
    return Preview(
        money=[("Charged", "nothing now; what is due is charged by itself")],
        access=[("Changes", lines(*changes_in_words(examined)) or "nothing: every store says the same")],
        also=[("Decided", f"{decided.status or 'hands off'}: {decided.because}")],
    )


def _recompute(asked: Asked[SubsDunning]) -> str:
    examined = recompute(asked.row.pk, cause=f"asked by {asked.actor}", actor=asked.actor, now=asked.at)
    return f"{len(examined.needed)} changes. {examined.decision.because.capitalize()}."


RECOMPUTE: Act[SubsDunning] = Act(
    name="recompute",
    label="Look again",
    sentence="Have the brain look at this account now. Below is what it would change.",
    permission=Permission.SUPPORT,
    preview=_preview_recompute,
    do=_recompute,
)


def _why_not_forgive(row: SubsDunning, at: datetime) -> str:
    return "" if owed_invoices(row.pk) else "nothing is owed"


def _preview_forgive(asked: Asked[SubsDunning]) -> Preview:
    owed = owed_invoices(asked.row.pk)
    return Preview(
        money=[
            ("Written off", lines(*(f"{money(each.remaining_minor, each.currency)} of {each}" for each in owed))),
            ("Charged or given back", "nothing"),
        ],
        access=[
            ("Restrictions for this debt", "are lifted"),
            ("What had ended", "stays ended; it can be bought again"),
        ],
        also=[("In the books", "the loss stands")],
    )


def _forgive(asked: Asked[SubsDunning]) -> str:
    """:raises ActRefused: Stripe is silent."""
    try:
        examined = forgive_debt(asked.row.pk, actor=asked.actor, reason=asked.reason, now=asked.at)
    except StripeUnavailable as silence:
        raise ActRefused("Stripe does not answer. It goes on by itself; look again in a moment.") from silence
    return f"The debt is written off. {examined.decision.because.capitalize()}."


FORGIVE: Act[SubsDunning] = Act(
    name="forgive",
    label="Forgive the debt",
    sentence="Write off all that is owed. What that means for the account is decided by itself.",
    permission=Permission.WRITE_OFF,
    why_not=_why_not_forgive,
    preview=_preview_forgive,
    do=_forgive,
    is_final=True,
)
