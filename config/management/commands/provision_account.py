"""`manage.py provision_account`: an account ready to buy, for scripts and for trying things out."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.create_account import InvalidDetail, ZoneTaken
from accounts.notices.kinds import LANGUAGES
from accounts.roles import Role
from billing.payments.methods import UnknownTestCard
from billing.provision_account import Provisioned, provision_account
from config import clock, sandbox_cards
from config.sandbox_cards import NoSandbox


class Command(BaseCommand):
    help = "Make an account with zones, a card and an API token. The same e-mail again: the same account, a new token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="of the account")
        parser.add_argument("--email", required=True, help="of its first member; bills go there")
        parser.add_argument("--zone", action="append", default=[], metavar="DOMAIN", help="may be repeated")
        parser.add_argument(
            "--card", metavar="NUMBER", help="a test card, stored as the default; see simulate_card --list"
        )
        parser.add_argument(
            "--role", type=Role, choices=list(Role), default=Role.SUPER_ADMINISTRATOR, metavar="ROLE",
            help=f"of the member: {', '.join(role.value for role in Role)}",
        )  # fmt: skip
        parser.add_argument("--language", choices=LANGUAGES, help="of the e-mails it gets; a new account's alone")
        parser.add_argument("--json", action="store_true", help="print account_id, zone_ids and token as JSON, no more")

    def handle(self, *_args: object, **options: Any) -> None:
        """Look at the card first, so that a wrong one leaves nothing behind."""
        card = options["card"].replace(" ", "") if options["card"] else None
        try:
            if card and (refusal := sandbox_cards.refusal_of(card)):
                raise CommandError(refusal)
            ready = provision_account(
                name=options["name"],
                email=options["email"],
                zones=options["zone"],
                card=card,
                role=options["role"],
                language=options["language"],
                actor="system:provision_account",
                now=clock.now(),
            )
        except (InvalidDetail, ZoneTaken, UnknownTestCard, NoSandbox) as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(json.dumps(asdict(ready)) if options["json"] else _summary(ready))


def _summary(ready: Provisioned) -> str:
    zones = "\n".join(f"  zone     {zone_id}" for zone_id in ready.zone_ids)
    return f"  account  {ready.account_id}\n{zones}\n  token    {ready.token}\nThe token is shown this once."
