from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """The Engine: what is bought, charged and told."""

    name = "billing"

    def import_models(self) -> None:
        """Load every file of `billing/models/`; its `__init__` stays empty, as all do."""
        super().import_models()
        package = import_module("billing.models")
        for module in iter_modules(package.__path__):
            import_module(f"billing.models.{module.name}")
