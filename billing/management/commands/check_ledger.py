"""`manage.py check_ledger`: does the ledger agree with invoices, credits, refunds and Stripe? For every night."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.invoicing.check_ledger import check_ledger

SHOWN = 20


class Command(BaseCommand):
    help = "Compare the ledger with invoices, credits, refunds and Stripe. The exit code is 1 when anything differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object per finding, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        differing = 0
        for check, found in check_ledger():
            differing += len(found)
            if options["json"]:
                for finding in found:
                    self.stdout.write(json.dumps(asdict(finding)))
                continue
            self.stdout.write(f"{'ok' if not found else len(found):>6}  {check.sentence}")
            for finding in found[:SHOWN]:
                self.stdout.write(
                    f"        account {finding.account_id}, {finding.about}: "
                    f"is {finding.is_minor}, should be {finding.should_be_minor}"
                )
        if differing:
            raise CommandError(f"{differing} differences.", returncode=1)
