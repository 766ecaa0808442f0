"""Bill what the internal clock is due for: contracts, and whoever else Stripe does not bill."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from billing.invoicing.internal_clock import BATCH, bill_until
from billing.invoicing.internal_due import Forecast, forecast
from config import clock


class Command(BaseCommand):
    help = (
        "Make the invoices of the internal clock. Stop it anywhere, run it twice at once: each period is billed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until", type=_time, help="bill periods that begin by then (now, unless you say earlier)")
        parser.add_argument("--dry-run", action="store_true", help="say what would be billed, and write nothing")
        parser.add_argument("--batch", type=_positive, default=BATCH, help="so many clocks in one transaction")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        now = clock.now()
        until: datetime = options["until"] or now
        if until > now:
            raise CommandError(f"It is {now:%Y-%m-%d %H:%M:%S}: a period is billed when it begins, not before.")
        due = forecast(until)
        invoices = 0
        if not options["dry_run"]:
            invoices = self._bill(until, now, due, batch=options["batch"])
        if options["json"]:
            said = {
                "until": until.isoformat(),
                "dry_run": options["dry_run"],
                "due": due.clocks,
                "totals_minor": due.totals_minor,
                "invoices": invoices,
            }
            self.stdout.write(json.dumps(said))
            return
        totals = ", ".join(f"{minor / 100:,.2f} {currency.upper()}" for currency, minor in due.totals_minor.items())
        self.stdout.write(
            f"{due.clocks} clocks are due by {until:%Y-%m-%d %H:%M}: {totals or 'nothing'}. Nothing was written."
            if options["dry_run"]
            else f"{invoices} invoices were made."
        )

    def _bill(self, until: datetime, now: datetime, due: Forecast, *, batch: int) -> int:
        columns = TextColumn("Billing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        invoices = 0
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("billing", total=due.clocks)
            for billed in bill_until(until, now=now, batch=batch):
                invoices += billed.invoices
                progress.advance(bar, billed.schedules)
        return invoices


def _time(text: str) -> datetime:
    """Return a time given without its zone as UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
