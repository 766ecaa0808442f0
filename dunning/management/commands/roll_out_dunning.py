"""For how many accounts the brain acts; and how what it only observed compares with what stands."""

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import clock
from dunning.report import parity
from dunning.rollout import roll_out


class Command(BaseCommand):
    help = "Have the brain act for a part of the accounts and only observe the others; report how they compare."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--percent", type=int, help="act for so many percent of all accounts")
        parser.add_argument("--observe-only", action="store_true", help="act for nobody, and keep what would be done")
        parser.add_argument("--parity", action="store_true", help="report only; changes nothing")
        parser.add_argument("--days", type=int, default=30, help="report on decisions of so many days")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        now = clock.now()
        if not options["parity"]:
            if options["percent"] is None:
                raise CommandError("Say --percent N, or --parity for the report.")
            try:
                roll_out(
                    percent=options["percent"], is_observe_only=options["observe_only"], actor="system:command", now=now
                )
            except ValueError as error:
                raise CommandError(str(error)) from error
        found = parity(since=now - timedelta(days=options["days"]))
        if options["json"]:
            self.stdout.write(json.dumps({"agree": found.agree, "differ": found.differ, "differing": found.differing}))
            return
        self.stdout.write(f"Of what was only observed, {found.agree} agree with what stands and {found.differ} do not.")
        for account_id, stands, decided in found.differing:
            self.stdout.write(f"  {account_id}: {stands}, decided {decided}")
