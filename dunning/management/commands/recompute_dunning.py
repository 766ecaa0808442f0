"""Have the brain look at one account or at everybody, or say what it would change."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from accounts.models import SubsAccount
from config import clock
from dunning.recompute_many import recompute_each
from dunning.report import Report, batches


class Command(BaseCommand):
    help = (
        "Look at what is owed and make every store say what follows. Stop it anywhere, run it twice: nothing is lost."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--account", help="one account's id")
        which.add_argument("--all", action="store_true", help="everybody")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and write nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        account_id: str = options["account"] or ""
        profiles = SubsAccount.objects.filter(pk=account_id) if account_id else SubsAccount.objects.all()
        total = profiles.count()
        if account_id and not total:
            raise CommandError(f"There is no account {account_id}.")
        report, now = Report(), clock.now()
        columns = TextColumn("Looking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("looking", total=total)
            for batch in batches(account_id=account_id, now=now):
                for examined in batch:
                    report.add(examined)
                if not options["dry_run"]:
                    report.failed += recompute_each(batch, actor="system:command", now=now)
                progress.advance(bar, len(batch))
        self.stdout.write(json.dumps(report.to_json()) if options["json"] else _words(report, options["dry_run"]))


def _words(report: Report, is_dry: bool) -> str:
    ending = "would change. Nothing was written." if is_dry else "changed."
    lines = [f"{report.looked_at} accounts were looked at; {report.to_change} {ending}"]
    if report.failed:
        lines.append(f"{report.failed} were busy or failed; the brain looks at them again by itself.")
    for (before, after, because), count in sorted(report.transitions.items()):
        lines.append(f"  {before} → {after or 'hands off'}: {count} ({because})")
    lines += [f"  {name}: {count}" for name, count in sorted(report.changes.items())]
    if report.accounts:
        lines.append(
            "Accounts: " + ", ".join(report.accounts) + (" …" if report.to_change > len(report.accounts) else "")
        )
    return "\n".join(lines)
