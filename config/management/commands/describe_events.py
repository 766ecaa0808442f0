"""`manage.py describe_events`: the schemas and examples in `docs/events/`, from the registry of the journal's kinds."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.journal_schemas import files

FOLDER = settings.BASE_DIR / "docs" / "events"


class Command(BaseCommand):
    help = "Write docs/events/: a JSON Schema and an example for each kind of event that services are told of."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the files are not up to date")

    def handle(self, *_args: object, **options: Any) -> None:
        """Compare, then write and delete what differs."""
        wanted = files()
        stored = {path.name: path.read_text() for path in FOLDER.glob("*")} if FOLDER.exists() else {}
        differs = sorted(name for name in wanted.keys() | stored.keys() if wanted.get(name) != stored.get(name))
        if options["check"]:
            if differs:
                raise CommandError(f"Run `manage.py describe_events`: {', '.join(differs)} would change.")
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in differs:
            if name in wanted:
                (FOLDER / name).write_text(wanted[name])
            else:
                (FOLDER / name).unlink()
        self.stdout.write(f"{len(wanted)} files, {len(differs)} changed.")
