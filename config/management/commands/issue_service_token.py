"""`manage.py issue_service_token`: what a service calls the internal API with."""

import json
from typing import Any

from django.core.management import BaseCommand, CommandParser

from accounts.issue_service_token import SERVICE_SCOPES, issue_service_token
from accounts.roles import Scope
from config import clock


class Command(BaseCommand):
    help = "Issue a token for a service. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="of the service")
        parser.add_argument(
            "--scope", type=Scope, choices=SERVICE_SCOPES, action="append", required=True, metavar="SCOPE",
            help=f"may be repeated: {', '.join(scope.value for scope in SERVICE_SCOPES)}",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print name, scopes and token as JSON, no more")

    def handle(self, *_args: object, **options: Any) -> None:
        """Issue it and show it."""
        scopes = list(dict.fromkeys(options["scope"]))
        token = issue_service_token(
            name=options["name"], scopes=scopes, actor="system:issue_service_token", now=clock.now()
        )
        shown = {"name": options["name"], "scopes": [scope.value for scope in scopes], "token": token}
        self.stdout.write(json.dumps(shown) if options["json"] else f"{token}\nThe token is shown this once.")
