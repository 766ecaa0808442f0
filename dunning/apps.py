from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class DunningConfig(AppConfig):
    """What is owed and what follows."""

    name = "dunning"

    def import_models(self) -> None:
        """Load every file of `dunning/models/`; its `__init__` stays empty, as all do."""
        super().import_models()
        package = import_module("dunning.models")
        for module in iter_modules(package.__path__):
            import_module(f"dunning.models.{module.name}")
