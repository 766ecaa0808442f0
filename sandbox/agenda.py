"""What the sandbox will do by itself, and when: one document per intended act, worked off in order of time."""

from .documents import Document, Documents


class Agenda:
    """
    The acts that wait for their time: an incomplete subscription that expires, a draft that is finalised, a renewal.

    An act is named by what is done and to which object, so planning it again moves it instead of doing it twice.
    """

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def plan(self, act: str, object_id: str, due_at: float) -> None:
        """Do `act` to the object at `due_at` (Unix seconds of business time), and at no other time."""
        self.documents.put("agenda", f"{act}:{object_id}", {"act": act, "object_id": object_id, "due_at": due_at})

    def drop(self, act: str, object_id: str) -> None:
        """Do not do it after all; if it was not planned, nothing changes."""
        self.documents.remove("agenda", f"{act}:{object_id}")

    def planned_at(self, act: str, object_id: str) -> float | None:
        entry = self.documents.get("agenda", f"{act}:{object_id}")
        return None if entry is None else entry["due_at"]

    def next(self) -> Document | None:
        """Return the earliest act; of two due at the same second the one planned first."""
        return min(self.documents.oldest_first("agenda"), key=_due_at, default=None)

    def in_order(self) -> list[Document]:
        """Return everything planned, earliest first."""
        return sorted(self.documents.oldest_first("agenda"), key=_due_at)


def _due_at(entry: Document) -> float:
    return float(entry["due_at"])
