import json
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand

from accounts.roles import Role
from billing.changes_calculator.request import ChangeRequest, ObjectKind, Origin, PaymentDeclined, Want
from billing.changes_calculator.submit import submit
from billing.payments.manage_methods import remove_method, stored_methods
from billing.payments.methods import store_test_card
from billing.provision_account import provision_account
from config import clock

ACTOR = "system:load_demo_accounts"


@dataclass(frozen=True, slots=True)
class Demo:
    """
    An account to look at: what it is called, the card it stores, what it buys and what that comes to.

    `next_card` takes the first one's place once it has bought: its renewal is charged to that.
    """

    name: str
    card: str | None
    plan_name: str
    what: str
    next_card: str = ""


DEMOS = (
    Demo("free",     "4242424242424242", "",    "a free zone and a good card: buy something"),
    Demo("paying",   "4242424242424242", "pro", "Pro, paid"),
    Demo("waiting",  "4000002500003155", "pro", "Pro, waiting for 3D Secure"),
    Demo("declined", "4000000000000002", "pro", "Pro was declined: still free"),
    Demo("owing",    "4242424242424242", "business",
         "Business, paid; its card fails from now on: advance_clock --days 40 leads to bad debt", "4000000000000341"),
)  # fmt: skip


class Command(BaseCommand):
    help = "Make the demo accounts, always the same ones; running it again only issues new tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a list of accounts with their tokens")

    def handle(self, *_args: object, **options: Any) -> None:
        accounts = [self._load(demo) for demo in DEMOS]
        if options["json"]:
            self.stdout.write(json.dumps(accounts))
            return
        for account in accounts:
            self.stdout.write("  ".join(account.values()))

    def _load(self, demo: Demo) -> dict[str, str]:
        ready = provision_account(
            name=f"Demo {demo.name}",
            email=f"{demo.name}@demo.example",
            zones=[f"{demo.name}.example"],
            card=demo.card,
            role=Role.SUPER_ADMINISTRATOR,
            actor=ACTOR,
            now=clock.now(),
        )
        if demo.plan_name:
            self._buy(demo, ready.account_id, ready.zone_ids[0])
        if demo.next_card:
            self._replace_card(demo, ready.account_id)
        return {
            "name": demo.name,
            "what": demo.what,
            "account_id": ready.account_id,
            "zone_id": ready.zone_ids[0],
            "token": ready.token,
        }

    def _replace_card(self, demo: Demo, account_id: str) -> None:
        """Have the account's only card be the other one; once that is so nothing is done again."""
        stored = stored_methods(account_id)
        if any(method.last4 == demo.next_card[-4:] for method in stored):
            return
        store_test_card(account_id, number=demo.next_card, actor=ACTOR, now=clock.now())
        for method in stored:
            remove_method(account_id, method.pk, actor=ACTOR, now=clock.now())

    def _buy(self, demo: Demo, account_id: str, zone_id: str) -> None:
        wish = ChangeRequest(
            account_id=account_id,
            wants=(Want(ObjectKind.ZONE, zone_id, demo.plan_name, "monthly"),),
            origin=Origin.DASHBOARD,
            actor=ACTOR,
            on_session=True,
            requested_at=clock.now(),
        )
        try:
            submit(wish)
        except PaymentDeclined:
            self.stderr.write(f"{demo.name}: declined, as it should be")
