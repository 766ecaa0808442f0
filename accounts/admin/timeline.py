"""A journal entry as a line of a timeline."""

from accounts.models import JournalEntry
from config.panel.cells import Tone, link
from config.panel.sections import Happening

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
