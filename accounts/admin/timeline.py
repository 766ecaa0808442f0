"""Journal entries as the lines of a timeline."""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from accounts.models import JournalEntry
from config.panel.cells import Tone, link, money
from config.panel.sections import Happening

from .words import actor_in_words, sentence

# What the kinds of entries tell an agent at a glance; the others are neutral.
TONES = {
    "account.created": Tone.INFO,
    "change.committed": Tone.GOOD,
    "change.declined": Tone.BAD,
    "change.expired": Tone.BAD,
    "change.awaiting_payment": Tone.WAITING,
    "change.refunded": Tone.BAD,
    "change.refunding": Tone.WAITING,
    "payment.failed": Tone.BAD,
    "payment.succeeded": Tone.GOOD,
    "stuck.opened": Tone.BAD,
    "stuck.released": Tone.GOOD,
    "stuck.settled": Tone.GOOD,
    "subscription.renewed": Tone.GOOD,
}

EVENT_PROCESSED = "stripe.event_processed"

Stored = dict[str, Any]


def timeline(entries: Iterable[JournalEntry]) -> list[Happening]:
    """Return entries, newest first, as lines; events of Stripe's that follow each other are one line."""
    told: list[Happening] = []
    for kind, run in groupby(entries, key=lambda entry: entry.kind):
        if kind == EVENT_PROCESSED:
            told.append(_events(list(run)))
        else:
            told += [happening(entry) for entry in run]
    return told


def happening(entry: JournalEntry) -> Happening:
    """Return an entry as a line: the sentence, then what it was about, who did it and why."""
    details = [_about(entry), f"by {actor_in_words(entry.actor)}", entry.reason]
    return Happening(
        at=entry.at,
        sentence=link(JournalEntry, entry.pk, sentence(entry.kind)),
        detail=" · ".join(detail for detail in details if detail),
        tone=TONES.get(entry.kind, Tone.QUIET),
    )


def _events(entries: list[JournalEntry]) -> Happening:
    """Return several events as one line that names each type once, the newest first."""
    if len(entries) == 1:
        return happening(entries[0])
    types = dict.fromkeys(str(entry.after.get("type", "")) for entry in entries)
    newest = entries[0]
    return Happening(
        at=newest.at,
        sentence=link(JournalEntry, newest.pk, f"{len(entries)} events from Stripe were processed"),
        detail=", ".join(types),
    )


def _about(entry: JournalEntry) -> str:
    """Return the details that a kind of entry keeps; nothing for one that was written before they were kept."""
    about = ABOUT.get(entry.kind)
    return about(entry.before, entry.after) if about else ""


def _values(before: Stored, after: Stored) -> str:
    was, now = before.get("opes") or {}, after.get("opes") or {}
    moves = [f"{was.get(ope) or 'nothing'} → {value or 'nothing'}" for ope, value in now.items()]
    return ", ".join([*moves, *([_sum("paid_minor", after)] if after.get("paid_minor") else [])])


def _sum(name: str, stored: Stored) -> str:
    return money(stored[name], stored["currency"]) if stored.get(name) is not None and "currency" in stored else ""


def _debt(_before: Stored, after: Stored) -> str:
    return f"{str(after.get('status', '')).replace('_', ' ')}: {after.get('because', '')}"


ABOUT: dict[str, Callable[[Stored, Stored], str]] = {
    "change.committed":       _values,
    "change.declined":        lambda _, after: str(after.get("code", "")),
    "change.refunded":        lambda _, after: _sum("paid_minor", after),
    "change.refunding":       lambda _, after: _sum("paid_minor", after),
    "change.requested":       lambda _, after: _sum("due_now_minor", after),
    "dunning.act_done":       lambda _, after: str(after.get("act", "")).replace("_", " "),
    "dunning.act_refused":    lambda _, after: f"{after.get('act', '')}: {after.get('code', '')}".replace("_", " "),
    "dunning.decided":        _debt,
    "entitlements.changed":   lambda before, after: f"{len(before.keys() | after.keys())} features",
    "invoice.act_asked":      lambda _, after: str(after.get("act", "")).replace("_", " "),
    "invoice.act_done":       lambda _, after: str(after.get("act", "")).replace("_", " "),
    "invoice.updated":        lambda _, after: str(after.get("status") or after.get("collection_failed") or ""),
    "member.added":           lambda _, after: str(after.get("role", "")).replace("_", " "),
    "notice.sent":            lambda _, after: str(after.get("kind", "")).replace("_", " "),
    "notice.written":         lambda _, after: str(after.get("kind", "")).replace("_", " "),
    "payment.attempted":      lambda _, after: _sum("amount_minor", after),
    "payment.failed":         lambda _, after: f"{_sum('amount_minor', after)} {after.get('code', '')}".strip(),
    "payment.succeeded":      lambda _, after: _sum("amount_minor", after),
    "stripe.event_processed": lambda _, after: str(after.get("type", "")),
    "stuck.opened":           lambda _, after: str(after.get("type", "")),
    "subscription.renewed":   lambda _, after: f"until {str(after['until'])[:10]}" if "until" in after else "",
}  # fmt: skip
