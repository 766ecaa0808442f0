"""
Who runs the parts of a data directory, and who uses them.

Two locks. `owner.lock`: held by the one process that runs the parts. `users.lock`: shared by every
command that uses them; the owner that gets it alone knows that nobody does. The kernel releases both
when their holder ends, however it ends, so nothing here can be stale but `parts.json`, and that one
counts only while its writer holds `owner.lock`.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .credentials import write_privately


@dataclass(frozen=True, slots=True)
class RunningParts:
    """What `parts.json` says: how to reach the parts, their processes, and what runs them."""

    owner_pid: int
    owner: str  # "up" or "command"
    environment: dict[str, str]
    pids: dict[str, int]


class Lock:
    """A lock file of a data directory, held from `take…` until this process ends or releases it."""

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take_shared(self) -> None:
        """Wait for it and hold it together with others."""
        fcntl.flock(self.handle, fcntl.LOCK_SH)

    def take_alone(self) -> bool:
        """Hold it alone, if that is possible right now. Return whether it is held."""
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_held_alone(self) -> bool:
        """Say whether somebody else holds it alone. Must not be asked while this object holds it."""
        try:
            fcntl.flock(self.handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        self.release()
        return False

    def release(self) -> None:
        fcntl.flock(self.handle, fcntl.LOCK_UN)


def owner_lock(data_dir: Path) -> Lock:
    """Return the lock of who runs the parts, not yet taken."""
    return Lock(data_dir / "owner.lock")


def users_lock(data_dir: Path) -> Lock:
    """Return the lock of who uses the parts, not yet taken."""
    return Lock(data_dir / "users.lock")


def publish(data_dir: Path, parts: RunningParts) -> None:
    """Tell commands how to reach the parts. The caller holds `owner.lock`."""
    write_privately(
        data_dir / "parts.json",
        {"owner_pid": parts.owner_pid, "owner": parts.owner, "environment": parts.environment, "pids": parts.pids},
    )


def withdraw(data_dir: Path) -> None:
    """Tell commands that there are no parts (yet, or any more). The caller holds `owner.lock`."""
    (data_dir / "parts.json").unlink(missing_ok=True)


def published(data_dir: Path) -> RunningParts | None:
    """Return what the owner told, None if it has not told yet or is gone."""
    try:
        told = json.loads((data_dir / "parts.json").read_text())
    except FileNotFoundError:
        return None
    parts = RunningParts(told["owner_pid"], told["owner"], told["environment"], told["pids"])
    return parts if Path(f"/proc/{parts.owner_pid}").exists() else None
