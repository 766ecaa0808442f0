"""What the brain's words are called when people read them, and in which colour. Pure."""

from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.panel.cells import Tone, badge, moment

from ..facts import DunningStatus

STATUSES: dict[str, tuple[Tone, str]] = {
    DunningStatus.CLEAR.value:           (Tone.GOOD,    "nothing restricts it"),
    DunningStatus.REMINDED.value:        (Tone.INFO,    "a contract is overdue; people talk to people"),
    DunningStatus.RETRYING.value:        (Tone.WAITING, "charges failed, and more will be tried"),
    DunningStatus.ACTION_REQUIRED.value: (Tone.WAITING, "nothing can be charged before the customer has acted"),
    DunningStatus.BAD_DEBT.value:        (Tone.BAD,     "nothing more is tried; the debt restricts the account"),
    "":                                  (Tone.QUIET,   "hands off: what stands stays as it is"),
}  # fmt: skip

LEVELS = ("clear", "notice", "warning", "warning", "warning", "last warning", "bad debt")

# A change as `dunning_decision.diff` keeps it, in words; its other members fill the gaps.
CHANGES: dict[str, tuple[str, str]] = {
    "SetDunning":               ("What was decided is written down", ""),
    "SetBadDebtFlag":           ("Bad debt is flagged", "The bad-debt flag goes"),
    "SetBadDebtSince":          ("The customer is in bad debt from now on", "The customer is not in bad debt any more"),
    "SetBan":                   ("The account is banned: nothing can be bought", "The ban is lifted"),
    "SetPaymentMethodRequired": ("A payment method is asked for first", "No payment method is asked for any more"),
    "GiveUp":                   ("The invoice is given up; what will not be used is credited", ""),
    "CancelWhatItBills":        ("What the invoice bills ends", ""),
    "SetRetry":                 ("The invoice is charged again", "The invoice is not charged again"),
    "Mirror":                   ("Stripe's copy says the same", ""),
    "OpenStuck":                ("Somebody must look: two accounts share a customer", ""),
}  # fmt: skip


def change_in_words(change: dict[str, Any]) -> str:
    """Return one change as a sentence, with what it says where that is more than yes or no."""
    name = str(change.get("change", ""))
    if name == "SetDunning" and (wanted := change.get("wanted")):
        return f"{str(wanted['status']).replace('_', ' ').capitalize()}, level {wanted['level']}"
    if name == "SetRetry" and change.get("at"):
        return format_html("The invoice is charged {}", moment(datetime.fromisoformat(str(change["at"]))))
    does, undoes = CHANGES.get(name, (name, ""))
    is_off = change.get("on") is False or (name == "SetRetry" and change.get("at") is None)
    return undoes if is_off and undoes else does


def status_badge(status: str) -> SafeString:
    return badge(status.replace("_", " ") or "hands off", STATUSES[status][0])
