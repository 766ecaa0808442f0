"""Prove that Stripe's own settings are as PayGO needs them: docs/stripe_setup.md says why."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.catalog.lookup import current_catalog
from billing.cfstripe.errors import StripeDeclined, StripeRefused, StripeUnavailable
from billing.payments.check_setup import observe
from billing.payments.setup import BY_HAND, CHECKS, Seen, wrong
from config import clock


class Command(BaseCommand):
    help = "Let a renewal fail at Stripe in test mode, with a test clock, and check what Stripe does with it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--price", help="the monthly price to subscribe to, Stripe's id (one of the catalogue's)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:
        if not settings.STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")):
            raise CommandError("STRIPE_API_KEY is no test key. The settings are proved in test mode: use a key of it.")
        price_id = options["price"] or _monthly_price()
        if not price_id:
            raise CommandError("There is no monthly price at Stripe yet. Run `manage.py publish_catalog` first.")
        try:
            seen = observe(price_id, now=clock.now())
        except (StripeUnavailable, StripeRefused, StripeDeclined) as error:
            raise CommandError(
                f"Stripe did not do what was asked ({error}); nothing is known of its settings."
            ) from error
        self._tell(seen, as_json=options["json"])
        if wrong(seen):
            raise CommandError("Stripe's settings are not as they must be. See docs/stripe_setup.md.")

    def _tell(self, seen: Seen, *, as_json: bool) -> None:
        bad = wrong(seen)
        if as_json:
            said = {check.setting: check not in bad for check in CHECKS}
            self.stdout.write(json.dumps({"checks": said, "by_hand": [setting for setting, _ in BY_HAND]}))
            return
        for check in CHECKS:
            self.stdout.write(f"{'WRONG' if check in bad else 'ok   '} {check.setting}: {check.must_be}")
        for setting, must_be in BY_HAND:
            self.stdout.write(f"look  {setting}: {must_be}")


def _monthly_price() -> str:
    catalog = current_catalog()
    prices = (plan.prices.get("month") for plan in catalog.plans.values())
    return next((price.stripe_price_id for price in prices if price and price.stripe_price_id), "")
