import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from billing import migrate_prices
from billing.catalog.publish import publish
from billing.catalog.read import CatalogError
from config import clock

DEFAULT_FILE = Path(__file__).resolve().parents[2] / "catalog" / "catalog.json"


class Command(BaseCommand):
    help = (
        "Put a catalogue file on sale, here and at Stripe. Publishing the same file again changes nothing. "
        "Those who subscribed before keep their prices unless --migrate-subscribers is said."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
        parser.add_argument(
            "--migrate-subscribers",
            action="store_true",
            help="show what carrying today's prices to existing subscribers would do; nothing is done without --apply",
        )
        parser.add_argument("--apply", action="store_true", help="do it: from each subscription's next period on")
        parser.add_argument("--account", action="append", default=[], help="only this account; may be repeated")
        parser.add_argument("--json", action="store_true", help="say what was done as JSON")

    def handle(self, *_args: object, file: Path, **options: Any) -> None:
        if options["apply"] and not options["migrate_subscribers"]:
            raise CommandError("--apply goes with --migrate-subscribers.")
        try:
            catalog = json.loads(file.read_text())
            publication = publish(catalog, actor="system:publish_catalog", now=clock.now())
        except FileNotFoundError as error:
            raise CommandError(f"There is no file {file}.") from error
        except json.JSONDecodeError as error:
            raise CommandError(f"{file} is not JSON: {error}") from error
        except CatalogError as error:
            raise CommandError(str(error)) from error
        said: dict[str, Any] = {
            "catalog_version": publication.version,
            "prices_added": list(publication.prices_added),
            "prices_retired": list(publication.prices_retired),
        }
        if options["migrate_subscribers"]:
            said["migration"] = (
                self._migrate(options["account"]) if options["apply"] else self._preview(options["account"])
            )
        self.stdout.write(json.dumps(said) if options["json"] else _in_words(said))

    def _preview(self, only: list[str]) -> dict[str, Any]:
        found = migrate_prices.plan_migration(only=only)
        return {
            "dry_run": True,
            "accounts": found.accounts,
            "components": found.components,
            "before_minor": found.before_minor,
            "after_minor": found.after_minor,
        }

    def _migrate(self, only: list[str]) -> dict[str, Any]:
        """Do it, with a progress bar where somebody watches; interrupted, the same command goes on from there."""
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        total = migrate_prices.begin_migration(only=only)
        with Progress(*columns, console=Console(stderr=True), disable=not self.stderr.isatty()) as progress:
            bar = progress.add_task("Accounts", total=total)
            for _row in migrate_prices.migrate(now=clock.now(), only=only):
                progress.advance(bar)
        done = migrate_prices.report(only=only)
        return {
            "dry_run": False,
            "accounts": done.accounts,
            "scheduled": done.scheduled,
            "refused": dict(done.refused),
        }


def _in_words(said: dict[str, Any]) -> str:
    added, retired = len(said["prices_added"]), len(said["prices_retired"])
    words = [f"Catalogue version {said['catalog_version']}: {added} prices added, {retired} retired."]
    migration = said.get("migration")
    if migration and migration["dry_run"]:
        words.append(
            f"{migration['accounts']} accounts have {migration['components']} components at prices no longer sold. "
            f"Together they would be billed {migration['after_minor'] / 100:.2f} instead of "
            f"{migration['before_minor'] / 100:.2f} per period. Nothing was done: add --apply."
        )
    elif migration:
        refused = ", ".join(f"{count} {code}" for code, count in sorted(migration["refused"].items())) or "none"
        words.append(
            f"{migration['accounts']} accounts: {migration['scheduled']} subscriptions cost today's price from their "
            f"next period on; refused: {refused}."
        )
    return "\n".join(words)
