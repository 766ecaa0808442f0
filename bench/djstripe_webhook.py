"""
The peer that `webhook_apply.py` measures against: Django with dj-stripe's own webhook view, and nothing else.

    python -m bench.djstripe_webhook                        prepare its database; prints the path of its endpoint
    granian --interface wsgi bench.djstripe_webhook:application

It runs in an environment of its own (`requirements-djstripe.txt`) and imports nothing of the project.
"""

import os
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings

database = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.path.lstrip("/"),
            "USER": database.username,
            "PASSWORD": database.password,
            "HOST": database.hostname,
            "PORT": database.port,
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    },
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
    USE_TZ=True,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    MIGRATION_MODULES=dict.fromkeys(["auth", "contenttypes", "djstripe"]),  # tables as they are now, at once
    STRIPE_API_HOST=os.environ["STRIPE_API_BASE"],
    STRIPE_API_VERSION=os.environ["PEER_API_VERSION"],
    STRIPE_LIVE_MODE=False,
    STRIPE_TEST_SECRET_KEY=os.environ["STRIPE_API_KEY"],
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path, reverse  # noqa: E402

urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
application = get_wsgi_application()


def prepare() -> None:
    """Make its tables, the Stripe account that its key is of (so that it asks for none), and its endpoint."""
    from djstripe.enums import APIKeyType
    from djstripe.models import Account, APIKey, WebhookEndpoint

    call_command("migrate", run_syncdb=True, verbosity=0)
    account = Account.objects.create(id="acct_bench", livemode=False, stripe_data={"id": "acct_bench"})
    APIKey.objects.update_or_create(
        secret=os.environ["STRIPE_API_KEY"],
        defaults={
            "type": APIKeyType.secret, "livemode": False, "djstripe_owner_account": account, "id": "key_bench",
        },
    )  # fmt: skip
    endpoint = WebhookEndpoint.objects.create(
        id="we_bench", livemode=False, djstripe_owner_account=account, enabled_events=["*"], status="enabled",
        url="http://127.0.0.1/", secret=os.environ["STRIPE_WEBHOOK_SECRETS"].split(",")[0], stripe_data={},
    )  # fmt: skip
    sys.stdout.write(reverse("djstripe:djstripe_webhook_by_uuid", kwargs={"uuid": endpoint.djstripe_uuid}))


if __name__ == "__main__":
    prepare()
