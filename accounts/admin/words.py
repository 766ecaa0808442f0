"""What accounts' facts are called when people read them."""

from accounts.flags import AccountFlag
from accounts.journal_kinds import KINDS
from accounts.models import SubsStuckEvent

# Who acted, by what stands before the colon of `actor`.
ACTORS = {"customer": "the customer", "agent": "agent", "service": "service", "system": "the system"}


# Why something waits, and what takes it up again.
STUCK_REASONS = {
    SubsStuckEvent.Reason.UNKNOWN_CUSTOMER: "no account has this customer yet; it is taken up when one does",
    SubsStuckEvent.Reason.MERGED_ACCOUNT: "several accounts share this customer; somebody must say whose it is",
    SubsStuckEvent.Reason.VERSION: "it was written in an API version that is not spoken here",
    SubsStuckEvent.Reason.HANDLER_ERROR: "acting on it failed; mend the cause, then replay it",
    SubsStuckEvent.Reason.RETRIES_EXHAUSTED: "it failed too often; mend the cause, then replay it",
    SubsStuckEvent.Reason.NO_HANDLER: "nothing acts on it by itself; see to what it tells, then settle it",
    SubsStuckEvent.Reason.REFUND_FAILED: "the bank gave the money back; give it in another way, then settle this",
}


def flags_in_words(flags: int) -> list[str]:
    """Return a word for each flag that is set; bits that others own are given as they are."""
    named = [flag.name.lower().replace("_", " ") for flag in AccountFlag(flags) if flag.name]
    others = flags & ~sum(AccountFlag)
    return [*named, f"bits of others ({others:#x})"] if others else named


def sentence(kind: str) -> str:
    """Return what a kind of journal entry says; a kind that is no longer written keeps its name."""
    return KINDS[kind].sentence if kind in KINDS else kind


def actor_in_words(actor: str) -> str:
    """Return `customer:ab…` as `the customer`, `agent:ann` as `agent ann`."""
    role, _, name = actor.partition(":")
    who = ACTORS.get(role)
    if who is None:
        return actor
    return who if role == "customer" or not name else f"{who} ({name})" if who.startswith("the ") else f"{who} {name}"
