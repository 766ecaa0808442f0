from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from config.panel.roles import MAY, Role
from config.staff import give_role


class Command(BaseCommand):
    help = "Let somebody work with NinjaPanel, in one of its roles; makes their login if they have none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = "; ".join(f"{role}: {', '.join(sorted(MAY[role])) or 'only looks'}" for role in Role)
        parser.add_argument("username")
        parser.add_argument("role", choices=list(Role), type=Role, help=what)

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            login = give_role(options["username"], options["role"])
        except Group.DoesNotExist:
            raise CommandError("The roles are not in place yet. Run `manage.py prepare` first.") from None
        said = f"{login.username} is now {options['role']}."
        self.stdout.write(f"{said} Their password, shown once: {login.password}" if login.password else said)
