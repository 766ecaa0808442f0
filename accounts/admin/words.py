"""What accounts' facts are called when people read them. Pure."""

from accounts.flags import AccountFlag
from accounts.journal_kinds import KINDS

# Who acted, by what stands before the colon of `actor`.
ACTORS = {"customer": "the customer", "agent": "agent", "service": "service", "system": "the system"}


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
