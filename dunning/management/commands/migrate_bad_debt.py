"""Turn debt that stands in Stripe's metadata into credit notes; dry unless it is told to apply."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from config import clock
from dunning.migrate_bad_debt import how_many, migrate

SHOWN = 20


class Command(BaseCommand):
    help = "Credit what an invoice asks for beyond its metadata's bad_debt_amount. Stop it anywhere, run it again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="issue the notes; without it nothing is written")
        parser.add_argument("--json", action="store_true", help="print one JSON object for each invoice")

    def handle(self, *_args: object, **options: Any) -> None:
        credited, refused, count = Counter[str](), Counter[str](), 0
        columns = TextColumn("Reading"), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("reading", total=how_many())
            for found in migrate(is_dry=not options["apply"], now=clock.now()):
                count += 1
                progress.advance(bar)
                if found.code:
                    refused[found.code] += 1
                else:
                    credited[found.currency] += found.credit_minor
                if options["json"]:
                    self.stdout.write(json.dumps(asdict(found) | {"credit_minor": found.credit_minor}))
                elif count <= SHOWN:
                    self.stdout.write(
                        f"{found.account_id} {found.invoice_id}: asks for {found.asks_for_minor}, owed is "
                        f"{found.owed_minor} {found.currency}{f' ({found.code})' if found.code else ''}"
                    )
        if options["json"]:
            return
        ending = "were credited" if options["apply"] else "would be credited; nothing was written, --apply does it"
        amounts = ", ".join(f"{minor / 100:,.2f} {currency.upper()}" for currency, minor in credited.items())
        self.stdout.write(f"{count - refused.total()} invoices, {amounts or 'nothing'}: {ending}.")
        for code, number in refused.items():
            self.stdout.write(f"{number} not: {code}. Run it again.")
