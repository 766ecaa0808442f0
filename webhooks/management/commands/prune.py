"""`manage.py prune`: have what is old forgotten now; beat does the same, a batch at a time."""

from typing import Any

from django.core.management import BaseCommand

from ...prune import prune_inbox


class Command(BaseCommand):
    help = "Empty the payloads of events that were processed 90 days ago or earlier."

    def handle(self, *_args: object, **_options: Any) -> None:
        """Batch by batch until nothing is old."""
        pruned = 0
        while taken := prune_inbox():
            pruned += taken
        self.stdout.write(f"{pruned} payloads were emptied.")
