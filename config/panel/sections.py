"""What a page of NinjaPanel is made of: values that one template draws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from .cells import Figure, Tone
from .roles import Permission


@dataclass(frozen=True, slots=True)
class Card:
    """One answer, large, at the top of a page."""

    title: str
    answer: object
    detail: object = ""
    tone: Tone = Tone.QUIET


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values under each other."""

    title: str
    rows: Sequence[tuple[str, object]]
    template: ClassVar[str] = "ninja/facts.html"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; `empty` is the sentence that stands in place of no rows, `more` a link to the rest."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str
    more: object = ""
    template: ClassVar[str] = "ninja/table.html"

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The headers, each with whether figures stand under it."""
        return [
            (header, any(isinstance(row[position], Figure) for row in self.rows))
            for position, header in enumerate(self.headers)
        ]


@dataclass(frozen=True, slots=True)
class Happening:
    """One fact of a timeline, as a sentence."""

    at: datetime
    sentence: object
    detail: object = ""
    tone: Tone = Tone.QUIET


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened, newest first."""

    title: str
    happenings: Sequence[Happening]
    empty: str
    more: object = ""
    template: ClassVar[str] = "ninja/timeline.html"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a funnel: how many kinds it lets through, and beneath them how many came, of which kind."""

    title: str
    answer: object
    detail: object
    counts: Sequence[tuple[str, int]] = ()

    @property
    def bars(self) -> list[tuple[str, int, int]]:
        """The counts, each with its length in percent of the longest."""
        longest = max((count for _, count in self.counts), default=0) or 1
        return [(name, count, count * 100 // longest) for name, count in self.counts]


@dataclass(frozen=True, slots=True)
class Funnel:
    """What comes in on the left, and what is left of it further on."""

    title: str
    stages: Sequence[Stage]
    more: object = ""
    template: ClassVar[str] = "ninja/funnel.html"


Section = Facts | Funnel | Table | Timeline


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page: answers on top, sections below, the short ones aside."""

    title: str
    subtitle: object = ""
    cards: Sequence[Card] = ()
    sections: Sequence[Section] = ()
    aside: Sequence[Section] = field(default=())


@dataclass(frozen=True, slots=True)
class Overview:
    """A page about all rows of a list at once, offered above it. `page` is told what whoever looks may do."""

    name: str
    label: str
    page: Callable[[frozenset[Permission]], Page]
