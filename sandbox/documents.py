"""Documents in memory, by space and key, with undo: what a request changed is written once, or not at all."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from .store import Change, Store

Document = dict[str, Any]
Place = tuple[str, str]

# A list filtered by one of these does not walk over every document of its kind.
# An underscored one says on the surface what the object says in its depth.
INDEXED_FIELDS = ("customer", "_subscription", "invoice", "subscription", "payment_intent", "charge", "product")


class Documents:
    """
    Hold every document and remember how each one looked before the current transaction touched it.

    The caller holds the world's lock. A document returned by `get` is read-only; `edit` returns the same document
    and notes it as changed. Keys beginning with "_" are the sandbox's own and never leave it.
    """

    def __init__(self, store: Store | None) -> None:
        self.store = store
        self.spaces: dict[str, dict[str, Document]] = {}
        self.index: dict[tuple[str, str, str], set[str]] = {}
        self.undo: list[tuple[Place, Document | None]] = []
        self.noted: set[Place] = set()
        self.position: dict[Place, int] = {}
        for space, key, document in store.read() if store else ():
            self.spaces.setdefault(space, {})[key] = document
            self._enter(space, key, document)

    def get(self, space: str, key: str) -> Document | None:
        return self.spaces.get(space, {}).get(key)

    def newest_first(self, space: str) -> Iterator[Document]:
        return reversed(self.spaces.get(space, {}).values())

    def oldest_first(self, space: str) -> list[Document]:
        return list(self.spaces.get(space, {}).values())

    def while_oldest(self, space: str, is_so: Callable[[Document], bool]) -> list[Document]:
        """Return the oldest documents of a space as long as they are so; looks at one more, not at all of them."""
        return list(takewhile(is_so, self.spaces.get(space, {}).values()))

    def where(self, space: str, field: str, value: str) -> Iterator[Document]:
        """Yield the documents of a space whose indexed `field` holds `value`, newest first."""
        keys = sorted(self.index.get((space, field, value), ()), key=lambda key: -self.position[space, key])
        return (self.spaces[space][key] for key in keys)

    def put(self, space: str, key: str, document: Document) -> Document:
        """Add a document, or replace the one at its place."""
        before = self.get(space, key)
        self._note(space, key, before)
        if before is not None:
            self._leave(space, key, before)
        self.spaces.setdefault(space, {})[key] = document
        self._enter(space, key, document)
        return document

    def edit(self, space: str, key: str) -> Document:
        """Return the document to be changed in place. An indexed field is changed by `put` of the whole."""
        document = self.spaces[space][key]
        self._note(space, key, document)
        return document

    def remove(self, space: str, key: str) -> None:
        """Take a document away; one that is not there is no error."""
        before = self.get(space, key)
        if before is not None:
            self._note(space, key, before)
            self._leave(space, key, before)
            del self.spaces[space][key]

    def before(self, space: str, key: str) -> Document | None:
        """Return how the document looked when the transaction began, None if it is new or untouched."""
        return next((before for place, before in self.undo if place == (space, key)), None)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo, when the block raises, what the block changed; the transaction goes on."""
        mark, noted, self.noted = len(self.undo), self.noted, set()
        try:
            yield
        except BaseException:
            self._roll_back_to(mark)
            self.noted = noted
            raise
        self.noted |= noted

    def roll_back(self) -> None:
        """Forget everything since the last commit."""
        self._roll_back_to(0)
        self.noted.clear()

    def commit(self, also: list[Change] | None = None) -> None:
        """Write what changed, and `also`, in one transaction of the store."""
        places = dict.fromkeys(place for place, _ in self.undo)
        changes: list[Change] = [(space, key, self.get(space, key)) for space, key in places]
        if self.store is not None and (changes or also):
            self.store.write([*changes, *(also or ())])
        self.undo.clear()
        self.noted.clear()

    def _note(self, space: str, key: str, document: Document | None) -> None:
        if (space, key) not in self.noted:
            self.noted.add((space, key))
            self.undo.append(((space, key), copied(document)))

    def _roll_back_to(self, mark: int) -> None:
        while len(self.undo) > mark:
            (space, key), before = self.undo.pop()
            now = self.get(space, key)
            if now is not None:
                self._leave(space, key, now)
                if before is None:
                    del self.spaces[space][key]
            if before is not None:
                self.spaces.setdefault(space, {})[key] = before
                self._enter(space, key, before)

    def _enter(self, space: str, key: str, document: Document) -> None:
        self.position.setdefault((space, key), len(self.position))
        for field in INDEXED_FIELDS:
            value = document.get(field)
            if isinstance(value, str):
                self.index.setdefault((space, field, value), set()).add(key)

    def _leave(self, space: str, key: str, document: Document) -> None:
        for field in INDEXED_FIELDS:
            value = document.get(field)
            if isinstance(value, str):
                self.index.get((space, field, value), set()).discard(key)


def copied(document: Document | None) -> Document | None:
    """Return a deep copy; through JSON, which for plain documents is several times faster than `deepcopy`."""
    return None if document is None else json.loads(json.dumps(document))
