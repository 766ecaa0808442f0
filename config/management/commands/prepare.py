"""`manage.py prepare`: bring the database to what this code expects."""

import fcntl
import os
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command, get_commands
from django.db import connection

from config import credentials, schema
from config.panel import roles
from config.schema import ROOT
from config.staff import apps_of_ours


class Command(BaseCommand):
    help = "Apply migrations, publish the catalogue, and make NinjaPanel's roles and its first user. Safe to repeat."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Do it all, one process of this data directory at a time; a second one finds it done."""
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (settings.DATA_DIR / "prepare.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            call_command("migrate", interactive=False, verbosity=0)
            if "publish_catalog" in get_commands():
                call_command("publish_catalog", str(ROOT / "billing" / "catalog" / "catalog.json"), stdout=self.stdout)
            roles.put_in_place(apps_of_ours())
            self.make_first_user()
            connection.close()
            schema.mark_current(os.environ["DATABASE_URL"])

    def make_first_user(self) -> None:
        """Make `admin` with the password of `credentials.json`, unless NinjaPanel has a user already."""
        users = get_user_model()._default_manager
        if settings.IS_LOCAL and not users.exists():
            password = credentials.load(settings.DATA_DIR)["ninja_password"]
            get_user_model().objects.create_superuser("admin", password=password)
