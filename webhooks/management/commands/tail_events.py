"""`manage.py tail_events`: what services are told, as it goes."""

import json
from datetime import datetime
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from accounts.journal_events import TYPE_PREFIX
from accounts.journal_kinds import KINDS

from ...tail import follow


class Command(BaseCommand):
    help = "Show the events that services are told of, as they arrive."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default="", help="the id of the one account to show; all otherwise")
        parser.add_argument(
            "--from",
            type=_moment,
            dest="since",
            metavar="TIME",
            help="begin there, 2027-03-05T10:30Z say; now otherwise",
        )
        parser.add_argument("--json", action="store_true", help="print each event as JSON, one a line")
        parser.add_argument("--until-quiet", action="store_true", help="end when nothing has come for a second")

    def handle(self, *_args: object, **options: Any) -> None:
        """Show one after another until interrupted."""
        try:
            for heard in follow(since=options["since"], account_id=options["account"].lower()):
                if heard is not None:
                    self.stdout.write(json.dumps(heard[1]) if options["json"] else _line(*heard))
                elif options["until_quiet"]:
                    return
        except KeyboardInterrupt:
            return


def _line(topic: str, event: dict[str, Any]) -> str:
    kind = event["type"].removeprefix(TYPE_PREFIX)
    said = KINDS[kind].sentence if kind in KINDS else kind
    whose = f"{event['subject']} {int(event['sequence'])}" if "subject" in event else "-"
    return f"{event['time']}  {whose}  {topic}  {said}  {json.dumps(event['data']['after'])}"


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(f"--from {text} is no time with its zone, such as 2027-03-05T10:30Z.")
    return moment
