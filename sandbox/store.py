"""The sandbox's file: every document by space and key, written in one transaction per mutating request."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Change = tuple[str, str, dict[str, Any] | None]


class Store:
    """
    Keep documents in `sandbox.sqlite3`.

    WAL with `synchronous=NORMAL`: what was committed survives a SIGKILL of the process at any moment. Rows keep the
    order in which they were first written, because Stripe lists newest first.
    """

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS document (position INTEGER PRIMARY KEY, space TEXT NOT NULL,"
            " key TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (space, key))"
        )

    def read(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (space, key, document) of everything, oldest first."""
        for space, key, body in self.connection.execute("SELECT space, key, body FROM document ORDER BY position"):
            yield space, key, json.loads(body)

    def write(self, changes: Iterable[Change]) -> None:
        """Write all changes or none; a document of None deletes its row."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            for space, key, document in changes:
                if document is None:
                    self.connection.execute("DELETE FROM document WHERE space = ? AND key = ?", (space, key))
                else:
                    self.connection.execute(
                        "INSERT INTO document (space, key, body) VALUES (?, ?, ?)"
                        " ON CONFLICT (space, key) DO UPDATE SET body = excluded.body",
                        (space, key, json.dumps(document, separators=(",", ":"))),
                    )
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self.connection.close()
