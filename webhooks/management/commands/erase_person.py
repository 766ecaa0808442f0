"""`manage.py erase_person`: what says who somebody is, taken away for good."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.lock import AccountBusy
from config import clock

from ...erase_person import CannotErase, erase_person, in_the_way, known


class Command(BaseCommand):
    help = (
        "Erase a person: their address, names and cards, here. Looks only, unless --yes is given. See docs/erasing.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's address")
        parser.add_argument("--yes", action="store_true", help="erase them; it can't be taken back")

    def handle(self, *_args: object, **options: Any) -> None:
        """Say what is known, then erase it if that is asked for. The address itself is never printed."""
        try:
            found = (
                erase_person(options["email"], actor="system:erase_person", now=clock.now())
                if options["yes"]
                else known(options["email"])
            )
        except (CannotErase, AccountBusy) as refused:
            raise CommandError(f"Nothing was erased.\n{refused}") from refused
        if found.is_nobody:
            self.stdout.write("Nobody is known by this address. There is nothing to erase.")
            return
        for account_id in found.own:
            whole = "whole" if account_id in found.sole else "its other members keep it"
            self.stdout.write(f"  account {account_id}: theirs, {whole}")
        for account_id in found.others:
            self.stdout.write(f"  account {account_id}: a member")
        if options["yes"]:
            self.stdout.write("They were erased. Erase them at the processor too, or its next event brings them back.")
        elif reasons := in_the_way(found):
            raise CommandError("\n".join(("They could not be erased yet.", *reasons)))
        else:
            self.stdout.write("They would be erased. Nothing was changed; repeat it with --yes.")
