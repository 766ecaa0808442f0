"""Compare what our own clock would have billed with what Stripe billed, to the cent."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from billing.invoicing.shadow import compare_all, differing, to_compare, without_renewal
from config import clock


class Command(BaseCommand):
    help = "Compare each renewal of Stripe's with the bill we would have made; report every difference there ever was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        now = clock.now()
        columns = TextColumn("Comparing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        compared = 0
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("comparing", total=to_compare())
            for _ in compare_all(now=now):
                compared += 1
                progress.advance(bar)
        found, missing = differing(), without_renewal(now=now)
        if options["json"]:
            said = {
                "compared": compared,
                "differing": [asdict(each) | {"period_start": each.period_start.isoformat()} for each in found],
                "without_renewal": [
                    {"account_id": each.account_id, "schedule_id": each.pk, "due_at": each.next_at.isoformat()}
                    for each in missing
                ],
            }
            self.stdout.write(json.dumps(said))
            return
        for each in found:
            for difference in each.differences:
                self.stdout.write(
                    f"{each.account_id} invoice {each.number} of {each.period_start:%Y-%m-%d}: {difference.code} of "
                    f"{difference.what}: ours {difference.ours}, Stripe's {difference.theirs}"
                )
        for clock_row in missing:
            self.stdout.write(f"{clock_row.account_id}: no renewal since {clock_row.next_at:%Y-%m-%d %H:%M:%S}")
        self.stdout.write(f"{compared} renewals compared, {len(found)} differ, {len(missing)} clocks were not renewed.")
