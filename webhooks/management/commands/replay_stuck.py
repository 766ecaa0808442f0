from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import SubsStuckEvent
from config import clock
from webhooks.models import StripeEvent
from webhooks.replay import Group, events_of, replay


class Command(BaseCommand):
    """Have webhook events taken up again."""

    help = "Replay Stripe events that wait as stuck (all, or a group), or any one event by its id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event_ids", nargs="*", metavar="EVENT", help="evt_…, stuck or processed; none: all stuck")
        parser.add_argument("--reason", choices=SubsStuckEvent.Reason.values, help="only those stuck for this reason")
        parser.add_argument("--type", help="only events of this type")
        parser.add_argument("--signature", help="only those with this signature")
        parser.add_argument("--customer", help="only those of this customer of Stripe's (cus_…)")
        parser.add_argument("--dry-run", action="store_true", help="show what would be replayed, and change nothing")

    def handle(self, *_args: object, **options: Any) -> None:
        group = Group(
            reason=options["reason"] or "",
            kind=options["type"] or "",
            signature=options["signature"] or "",
            customer=options["customer"] or "",
        )
        if options["event_ids"] and group != Group():
            raise CommandError("Give the ids of events, or what the stuck ones have in common, not both.")
        if options["event_ids"]:
            events = StripeEvent.objects.filter(pk__in=options["event_ids"])
        else:
            events = events_of(group.items())
            for row in group.counts():
                self.stdout.write("{count:6}  {reason}  {kind}  {signature}".format(**row))
        if options["dry_run"]:
            self.stdout.write(f"{events.count()} would be replayed.")
        else:
            self.stdout.write(f"{replay(events, now=clock.now())} are due again.")
