from django.apps import AppConfig


class EntitlementsConfig(AppConfig):
    """What an account may use."""

    name = "entitlements"
