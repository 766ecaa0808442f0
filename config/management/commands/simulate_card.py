"""`manage.py simulate_card`: the test cards, and giving one to an account."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from billing.payments.methods import UnknownTestCard, store_test_card
from config import clock, sandbox_cards
from config.sandbox_cards import NoSandbox


class Command(BaseCommand):
    help = "List the test cards, or make one an account's default payment method."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="show every test card and how its bank answers")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--account", metavar="ID", help="who gets the card")
        parser.add_argument("--card", metavar="NUMBER", help="one of the listed cards")

    def handle(self, *_args: object, **options: Any) -> None:
        """Do one of the two."""
        try:
            if options["list"]:
                self._list(as_json=options["json"])
            elif options["account"] and options["card"]:
                self._store(options["account"].lower(), options["card"].replace(" ", ""), as_json=options["json"])
            else:
                raise CommandError("Say --list, or --account and --card.")
        except NoSandbox as refusal:
            raise CommandError(str(refusal)) from refusal

    def _list(self, *, as_json: bool) -> None:
        cards = sandbox_cards.listed_cards()
        if as_json:
            self.stdout.write(json.dumps([asdict(card) for card in cards]))
            return
        for card in cards:
            self.stdout.write(f"{card.number:<16}  {card.brand:<10}  {card.behaviour}")

    def _store(self, account_id: str, number: str, *, as_json: bool) -> None:
        if refusal := sandbox_cards.refusal_of(number):
            raise CommandError(refusal)
        if not Account.objects.filter(pk=account_id).exists():
            raise CommandError("There is no account with this id.")
        try:
            method = store_test_card(account_id, number=number, actor="system:simulate_card", now=clock.now())
        except UnknownTestCard as refusal_to_store:
            raise CommandError(str(refusal_to_store)) from refusal_to_store
        stored = {
            "account_id": account_id,
            "payment_method_id": method.pk,
            "brand": method.brand,
            "last4": method.last4,
        }
        self.stdout.write(json.dumps(stored) if as_json else f"{method} is the account's default now.")
