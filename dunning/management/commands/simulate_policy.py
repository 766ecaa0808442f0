"""Say how many accounts would change state if a cell of the dunning policy were another, before it is edited."""

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from accounts.models import SubsAccount
from config import clock
from dunning.decide import decide
from dunning.policy import POLICY
from dunning.report import batches
from dunning.simulate import UnknownCell, with_cells

HANDS_OFF = "hands off"


class Command(BaseCommand):
    help = "Count, per transition, which accounts another policy would treat differently. It writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cell", action="append", required=True, help="type.member=value; may be given again")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            wanted = with_cells(POLICY, options["cell"])
        except UnknownCell as error:
            raise CommandError(str(error)) from error
        looked_at, transitions = 0, Counter[tuple[str, str, str]]()
        columns = TextColumn("Looking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("looking", total=SubsAccount.objects.count())
            for batch in batches(now=clock.now()):
                for examined in batch:
                    looked_at += 1
                    then = decide(examined.facts, wanted)
                    before, after = examined.decision.status or HANDS_OFF, then.status or HANDS_OFF
                    if before != after:
                        transitions[before, after, then.because] += 1
                progress.advance(bar, len(batch))
        self.stdout.write(_as_json(looked_at, transitions) if options["json"] else _words(looked_at, transitions))


def _as_json(looked_at: int, transitions: Counter[tuple[str, str, str]]) -> str:
    rows = [
        {"from": before, "to": after, "because": because, "accounts": count}
        for (before, after, because), count in sorted(transitions.items())
    ]
    return json.dumps({"looked_at": looked_at, "would_change": sum(transitions.values()), "transitions": rows})


def _words(looked_at: int, transitions: Counter[tuple[str, str, str]]) -> str:
    lines = [f"{looked_at} accounts were looked at; {sum(transitions.values())} would be in another state."]
    lines += [
        f"  {before} → {after}: {count} ({because})" for (before, after, because), count in sorted(transitions.items())
    ]
    return "\n".join([*lines, "Nothing was written."])
