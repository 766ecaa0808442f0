from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class WiringConfig(AppConfig):
    """The wiring itself is an app: it brings the commands that run the whole thing."""

    name = "config"
    default = True


class NinjaPanelConfig(admin_apps.AdminConfig):
    """Django's admin with our site in the default's place, so that `admin.register` registers at ours."""

    default = False
    default_site = "config.site.NinjaPanel"
