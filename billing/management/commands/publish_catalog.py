import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.catalog.publish import publish
from billing.catalog.read import CatalogError
from config import clock

DEFAULT_FILE = Path(__file__).resolve().parents[2] / "catalog" / "catalog.json"


class Command(BaseCommand):
    help = "Put a catalogue file on sale, here and at Stripe. Publishing the same file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)

    def handle(self, *_args: object, file: Path, **_options: Any) -> None:
        try:
            catalog = json.loads(file.read_text())
            publication = publish(catalog, actor="system:publish_catalog", now=clock.now())
        except FileNotFoundError as error:
            raise CommandError(f"There is no file {file}.") from error
        except json.JSONDecodeError as error:
            raise CommandError(f"{file} is not JSON: {error}") from error
        except CatalogError as error:
            raise CommandError(str(error)) from error
        added, retired = len(publication.prices_added), len(publication.prices_retired)
        self.stdout.write(f"Catalogue version {publication.version}: {added} prices added, {retired} retired.")
