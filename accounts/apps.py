from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who pays: accounts, zones, members, tokens, and the journal of what happened to them."""

    name = "accounts"
