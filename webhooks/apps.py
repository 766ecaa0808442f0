from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The Pipe: in from Stripe, out to the services. It decides nothing."""

    name = "webhooks"
