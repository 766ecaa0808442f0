import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.cfstripe.errors import StripeUnavailable
from config import clock
from webhooks.backfill import TooLongAgo, backfill

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """Return the time that `36h`, `2d` or an ISO date says; a time without a zone is UTC."""
    if ago := re.fullmatch(r"(\d{1,5})([mhd])", text):
        return clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("give 90m, 36h, 2d, or a time such as 2027-03-05T10:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Ask Stripe for the events since then, and take up those that never arrived here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=moment, required=True, help="90m, 36h, 2d, or a time; 30 days at most")
        parser.add_argument("--undelivered", action="store_true", help="only those that Stripe says it can't deliver")
        parser.add_argument("--dry-run", action="store_true", help="say how many are missing, and store none")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            found = backfill(
                since=options["since"],
                undelivered_only=options["undelivered"],
                is_dry_run=options["dry_run"],
                now=clock.now(),
            )
        except TooLongAgo as refusal:
            raise CommandError(str(refusal)) from None
        except StripeUnavailable:
            raise CommandError("Stripe does not answer. What was stored stays; run this again.") from None
        what = "are missing" if options["dry_run"] else "were missing and are due now"
        self.stdout.write(f"{found.listed} events, {found.ours} of types that we act on; {found.missing} {what}.")
