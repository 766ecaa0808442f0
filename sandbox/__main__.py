"""`python -m sandbox`: start the sandbox on 127.0.0.1 and serve until told to stop."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from .delivery import Courier
from .server import SandboxServer
from .timekeeper import Timekeeper
from .world import World


def main() -> None:
    """Serve one data directory; `--memory` keeps nothing. Prints one line when it answers."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for Stripe on this machine.")
    parser.add_argument("--port", type=int, default=12111, help="0 picks a free one")
    parser.add_argument("--data-dir", type=Path, default=Path(".local/sandbox"))
    parser.add_argument("--memory", action="store_true", help="keep nothing on disk")
    options = parser.parse_args()

    world = World.open(None if options.memory else options.data_dir)
    try:
        server = SandboxServer(world, options.port)
    except OSError as error:
        sys.exit(f"The sandbox cannot listen on 127.0.0.1:{options.port}: {error.strerror}. Choose another --port.")
    threads = (Timekeeper(world), Courier(world))
    for thread in threads:
        thread.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serving = {"poll_interval": 0.05}
    threading.Thread(target=server.serve_forever, kwargs=serving, name="server", daemon=True).start()
    sys.stdout.write(f"sandbox ready on {server.url}\n")
    sys.stdout.flush()

    stop.wait()
    server.shutdown()
    for thread in threads:
        thread.stop()
    world.close()


if __name__ == "__main__":
    main()
