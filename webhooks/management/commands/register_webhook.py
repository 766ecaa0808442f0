from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webhooks.registration import OtherVersion, register


class Command(BaseCommand):
    help = "Have Stripe send the events that we act on, and no others, to this address. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="such as https://billing.example.com/webhooks/stripe")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            registered = register(options["url"])
        except OtherVersion as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"{registered.endpoint_id}: {len(registered.added)} types added, {len(registered.removed)} removed."
        )
        if registered.secret:
            self.stdout.write(f"Put this into STRIPE_WEBHOOK_SECRETS; it is shown once: {registered.secret}")
