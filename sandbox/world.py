"""The sandbox's world: its documents, clock, agenda and calls, behind one lock."""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .agenda import Agenda
from .clock import Clock
from .documents import Document, Documents
from .store import Change, Store


@dataclass(frozen=True, slots=True)
class Cause:
    """The API request that events of this moment name; both are None when the clock caused them."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class World:
    """
    Everything the sandbox knows. Objects are one space per kind ("customer", "invoice" …), named as Stripe names
    them in `object`; what is not an object has a space of its own ("answer", "agenda", "delivery", "fault").
    """

    clock: Clock
    documents: Documents
    lock: threading.RLock = field(default_factory=threading.RLock)
    cause: Cause = Cause()
    calls: Counter[str] = field(default_factory=Counter)
    latest_calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=50))
    emitted: dict[tuple[str, str], Document] = field(default_factory=dict)
    wakers: list[threading.Event] = field(default_factory=list)

    @classmethod
    def open(cls, data_dir: Path | None) -> "World":
        """Return the world kept in `data_dir`, or a fresh one in memory when there is no directory."""
        store = None
        if data_dir is not None:
            data_dir.mkdir(parents=True, exist_ok=True)
            store = Store(data_dir / "sandbox.sqlite3")
        world = cls(clock=Clock(data_dir and data_dir / "clock.json"), documents=Documents(store))
        world.calls.update({call["operation"]: call["count"] for call in world.documents.newest_first("call")})
        return world

    @property
    def agenda(self) -> Agenda:
        return Agenda(self.documents)

    def now(self) -> int:
        """Return business time in whole Unix seconds, as Stripe writes it."""
        return int(self.clock.now())

    @contextmanager
    def transaction(self, cause: Cause = Cause()) -> Iterator[None]:
        """
        Run the block alone, then write everything it changed in one transaction; nothing if it raises.

        The threads that deliver webhooks and work off the agenda are woken afterwards.
        """
        with self.lock:
            self.cause = cause
            self.emitted.clear()
            try:
                yield
                if self.documents.undo:
                    self.documents.commit(also=self._counted_calls())
                    self.wake()
            except BaseException:
                self.documents.roll_back()
                raise
            finally:
                self.cause = Cause()

    def wake(self) -> None:
        """Let the threads that deliver and that keep time look at once for what is due."""
        for waker in self.wakers:
            waker.set()

    def add(self, document: Document) -> Document:
        """Keep a new object under its `object` and `id`."""
        return self.documents.put(document["object"], document["id"], document)

    def edit(self, document: Document) -> Document:
        """Return the object to be changed in place (see `Documents.edit`)."""
        return self.documents.edit(document["object"], document["id"])

    def count_call(self, operation: str) -> None:
        """Count an API call, holding the lock. It is written with the next change and never undone."""
        self.calls[operation] += 1

    def forget_calls(self) -> None:
        """Start counting from zero."""
        with self.transaction():
            self.calls.clear()
            for call in list(self.documents.newest_first("call")):
                self.documents.remove("call", call["operation"])

    def close(self) -> None:
        """Write the last counts and let go of the file. Nothing acknowledged depends on this being reached."""
        with self.lock:
            self.documents.commit(also=self._counted_calls())
            if self.documents.store is not None:
                self.documents.store.close()

    def _counted_calls(self) -> list[Change]:
        return [("call", name, {"operation": name, "count": count}) for name, count in self.calls.items()]
