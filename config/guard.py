"""
What ends our children when we were killed without a chance to: `python -m config.guard MARK POSTGRES_DIRECTORY`.

The kernel ends the processes we started ourselves, but not theirs: granian's and celery's workers would
go on. The guard waits until its standard input closes, which only the end of its parent does.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

from .supervise import kill_all, processes_in, processes_with_mark

# How long the database has to take its own processes along.
GRACE_SECONDS = 0.5


def start(mark: str, postgres_directory: Path) -> subprocess.Popen[bytes]:
    """Start the guard of this process, and return it; close its standard input to let it go."""
    return subprocess.Popen(  # noqa: S603  our own command line
        [sys.executable, "-m", "config.guard", mark, str(postgres_directory)],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).resolve().parent.parent,
        start_new_session=True,
    )


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    mark, postgres_directory = sys.argv[1], Path(sys.argv[2])
    sys.stdin.buffer.read()
    give_up_at = time.monotonic() + GRACE_SECONDS
    while processes_in(postgres_directory) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    kill_all(lambda: [*processes_with_mark(mark), *processes_in(postgres_directory)])


if __name__ == "__main__":
    main()
