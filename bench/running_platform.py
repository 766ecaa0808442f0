"""A real `manage.py up` of one's own, and the processes that it consists of, to be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ground import ROOT

START_SECONDS = 300.0
# What a caller's environment may say about databases and processors of its own; `up` brings its own.
_SETTINGS = ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE")


@dataclass(frozen=True, slots=True)
class RunningPlatform:
    """One `up` in a data directory of its own, answering at `url`."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    url: str

    def parts(self) -> dict[str, int]:
        """Return the main process of each part, by the part's name."""
        return dict(self._published()["pids"])

    def environment(self) -> dict[str, str]:
        """Return the settings with which a process uses the same database, broker and sandbox."""
        return dict(self._published()["environment"])

    def processes_of(self, part: str) -> list[int]:
        """Return every process of a part that runs now, its main one first."""
        return _with_descendants(self.parts().get(part, 0))

    def said(self) -> str:
        """Return the last lines of everything it wrote."""
        logs = [self.data_dir / "up.log", *sorted(self.data_dir.glob("logs/*.log"))]
        return "".join(f"\n== {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in logs)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                return (self.data_dir / "parts.json").exists()
        except OSError:
            return False

    def _published(self) -> dict[str, dict[str, str]]:
        published: dict[str, dict[str, str]] = json.loads((self.data_dir / "parts.json").read_text())
        return published


@contextmanager
def running_platform(data_dir: Path) -> Iterator[RunningPlatform]:
    """
    Start the whole platform on free ports, without demo accounts; stop it at the end.

    :raises RuntimeError: it does not come up; with what it said.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    given = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    given = {name: value for name, value in given.items() if not name.startswith(("STRIPE_", "PAYGO_"))}
    with (data_dir / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port), "--data-dir", str(data_dir)],
            cwd=ROOT,
            env=given,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    platform = RunningPlatform(process, data_dir, f"http://127.0.0.1:{port}")
    try:
        give_up_at = time.monotonic() + START_SECONDS
        while not platform.is_ready():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"The platform did not come up:{platform.said()}")
            time.sleep(0.1)
        yield platform
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()  # its guard takes everything else along
            process.wait()


def _with_descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            children.setdefault(_parent_of(name), []).append(int(name))
    found = [pid] if pid and Path(f"/proc/{pid}").exists() else []
    for one in found:
        found.extend(children.get(one, ()))
    return found


def _parent_of(pid: str) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it ended meanwhile
        return 0
    return int(stat.rpartition(")")[2].split()[1])
