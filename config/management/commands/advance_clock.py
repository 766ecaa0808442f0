import json
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from config import clock
from config.passing_time import NotQuiet, let_run, pass_time
from config.receiver import receiving


class Command(BaseCommand):
    help = "Let business time pass in the sandbox: renewals, retries and due times happen on the way, each in its turn."

    def add_arguments(self, parser: ArgumentParser) -> None:
        how_far = parser.add_mutually_exclusive_group(required=True)
        how_far.add_argument("--days", type=float, help="so many days")
        how_far.add_argument("--hours", type=float, help="so many hours")
        how_far.add_argument("--to", type=_time, help="up to this time: 2027-01-31 or 2027-01-31T10:00:00, UTC")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("Time passes by itself in production; this command is for the sandbox.")
        start = clock.now()
        target = _target(start, options)
        if target < start:
            raise CommandError(f"It is {start:%Y-%m-%d %H:%M:%S} already, and the clock goes forward only.")
        stops = rows = 0
        bar = Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True))
        try:
            with receiving(), bar as progress:
                passing = progress.add_task(f"{start:%Y-%m-%d}", total=(target - start).total_seconds())
                for stop in pass_time(target):
                    stops, rows = stops + 1, rows + stop.rows
                    done_seconds = (stop.at - start).total_seconds()
                    progress.update(passing, completed=done_seconds, description=f"{stop.at:%Y-%m-%d}")
                let_run()
        except NotQuiet as error:
            raise CommandError(str(error)) from error
        summary = {"from": start.isoformat(), "to": target.isoformat(), "stops": stops, "rows": rows}
        self.stdout.write(
            json.dumps(summary)
            if options["json"]
            else f"It is {target:%Y-%m-%d %H:%M:%S} UTC now: {stops} stops, {rows} rows of work done on the way."
        )


def _time(text: str) -> datetime:
    """Return a time given without its zone as UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _target(start: datetime, options: dict[str, Any]) -> datetime:
    if options["to"] is not None:
        to: datetime = options["to"]
        return to
    return start + timedelta(days=options["days"] or 0, hours=options["hours"] or 0)
