"""`manage.py up`: the whole platform on this machine."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console

from config import summary
from config.joining import prepared_directory
from config.local_platform import LocalPlatform
from config.parts import Parts, own
from config.supervise import CannotStart


class Command(BaseCommand):
    help = "Start everything: PostgreSQL, Valkey, the sandbox, the web server, worker and beat. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="of the web server (default: 8000, or the next free one)")
        parser.add_argument("--data-dir", type=Path, default=settings.DATA_DIR, help="where everything is kept")
        parser.add_argument("--no-demo", action="store_true", help="make no demo accounts at the first run")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("`up` is for the local profile; in production each process is started by itself.")
        os.umask(0o077)
        console = Console(highlight=False, soft_wrap=True)
        stop_asked = threading.Event()
        for asked_by in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked_by, lambda *_: _ask(stop_asked))
        try:
            self.run(console, stop_asked, **options)
        except CannotStart as refusal:
            raise CommandError(f"PayGO cannot run: {refusal}") from refusal

    def run(self, console: Console, stop_asked: threading.Event, **options: Any) -> None:
        """Start, say what there is, watch until we are asked to stop or something cannot be kept running."""
        data_dir = prepared_directory(options["data_dir"])
        lock = own(
            data_dir, seconds=60, say_waiting=lambda _: console.print("Waiting for a command that uses the data …")
        )
        platform = LocalPlatform(Parts(data_dir, owner="up", lock=lock), say=console.print, stop_asked=stop_asked)
        try:
            platform.start(web_port=options["port"], with_demo=not options["no_demo"])
            if not stop_asked.is_set():
                console.print(summary.of(platform))
            while not stop_asked.wait(0.2):
                platform.parts.watch(console.print)
        finally:
            console.print("Stopping …")
            platform.stop()
            console.print("Stopped. Everything is kept for the next `up`.")


def _ask(stop_asked: threading.Event) -> None:
    """Note that we shall stop; whoever asks a second time does not want to wait for anybody."""
    if stop_asked.is_set():
        sys.exit(1)
    stop_asked.set()
