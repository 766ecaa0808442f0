"""`manage.py describe_stripe_calls`: write `docs/stripe_calls.md` from the source."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from billing.cfstripe.describe import document


class Command(BaseCommand):
    help = "Write docs/stripe_calls.md: every operation of Stripe's that we use, from where and under which key."

    def handle(self, *_args: object, **_options: Any) -> None:
        """Replace the page."""
        page = Path(settings.BASE_DIR) / "docs" / "stripe_calls.md"
        page.write_text(document())
        self.stdout.write(f"{page} is written.")
