"""
What runs the parts for commands while `up` does not: `python -m config.keep_parts DATA_DIRECTORY`.

A process apart, because commands may overlap: the parts must outlive the command that needed them first.
It stops them when no command holds `users.lock` any more. Says "ready", or why not, on standard output.
"""

import signal
import sys
import threading
from pathlib import Path

from . import ownership
from .parts import Parts, own
from .supervise import CannotStart


def main() -> None:
    data_dir = Path(sys.argv[1])
    users = ownership.users_lock(data_dir)
    stop_asked = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the command, which then lets us go
    signal.signal(signal.SIGTERM, lambda *_: stop_asked.set())
    parts: Parts | None = None
    try:
        # Somebody who only looked whether it is held holds it for an instant, too.
        lock = own(data_dir, seconds=2, say_waiting=lambda _: None)
        parts = Parts(data_dir, owner="command", lock=lock)
        parts.start()
        _tell("ready")
        while not stop_asked.wait(0.2) and not users.take_alone():
            parts.watch(lambda _: None)
    except CannotStart as refusal:
        _tell(str(refusal))
        sys.exit(1)
    finally:
        if parts:
            parts.stop()


def _tell(sentence: str) -> None:
    """Say one line to whoever started us; after that nobody may be there any more."""
    try:
        print(sentence, flush=True)  # noqa: T201  the line that the command waits for
        sys.stdout.close()
    except BrokenPipeError:
        sys.stdout = None


if __name__ == "__main__":
    main()
