"""May this account buy and use? In one word, with why. Pure: it reads what dunning concluded and concludes nothing."""

from dataclasses import dataclass

from accounts.flags import AccountFlag, has_flag
from accounts.models import Account
from config.panel.cells import Tone


@dataclass(frozen=True, slots=True)
class Standing:
    word: str
    why: str
    tone: Tone


def standing_of(account: Account) -> Standing:
    """Return the account's standing; the gravest restriction that holds is the one named."""
    profile = getattr(account, "subs_account", None)
    if account.closed_at:
        return Standing("Closed", f"since {account.closed_at:%Y-%m-%d}", Tone.QUIET)
    if profile is None:
        return Standing("No billing profile", "the account was never set up for billing", Tone.BAD)
    if profile.banned_at:
        return Standing("Banned", f"since {profile.banned_at:%Y-%m-%d}: {profile.banned_rule}", Tone.BAD)
    if has_flag(profile.flags, AccountFlag.BAD_DEBT):
        return Standing("Bad debt", "what is owed was not paid in time", Tone.BAD)
    if profile.payment_method_required_at:
        return Standing("Payment method required", f"since {profile.payment_method_required_at:%Y-%m-%d}", Tone.WAITING)
    return Standing("Good standing", "nothing restricts it", Tone.GOOD)
