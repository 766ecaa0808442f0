from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class WiringConfig(AppConfig):
    """The wiring itself is an app: it brings the commands that run the whole thing."""

    name = "config"
    default = True


class NinjaPanelConfig(admin_apps.SimpleAdminConfig):
    """
    Django's admin with our site in the default's place, so that `admin.register` registers at ours.

    Loads our own apps' `admin` files, those of a package one by one because its `__init__` is empty. What
    other packages would register, such as Django's users, has no place in a panel that only reads.
    """

    default = False
    default_site = "config.site.NinjaPanel"

    def ready(self) -> None:
        super().ready()
        for app in apps.get_app_configs():
            place = Path(app.path)
            if place.parent == settings.BASE_DIR and ((place / "admin").is_dir() or (place / "admin.py").is_file()):
                package = import_module(f"{app.name}.admin")
                for module in iter_modules(getattr(package, "__path__", ())):
                    import_module(f"{package.__name__}.{module.name}")
