"""`manage.py consume_domain_events`: take the registrar's messages from their queue until it is empty."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from billing.queues.client import is_configured
from billing.queues.domain_events import consume_due, replay_poison
from config import clock


class Command(BaseCommand):
    help = "Act on what the registrar tells of domains. The worker does the same, every few seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--replay", nargs="*", metavar="ID", help="act on stuck messages once more: these, or all of them"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Say how many messages there were."""
        if options["replay"] is not None:
            worked, failed = replay_poison(options["replay"], now=clock.now())
            self.stdout.write(f"{len(worked)} stuck messages were acted on; {len(failed)} are stuck still.")
            return
        if not is_configured():
            raise CommandError("There is no queue to read: set CF_QUEUES_QUEUE_ID (see .env.example).")
        total = 0
        while taken := consume_due(now=clock.now()):
            total += taken
        self.stdout.write(f"{total} messages were taken.")
