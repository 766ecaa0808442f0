"""
The limit that `webhook_accept.py` measures against: Django with one URL, no middleware, the signature and one INSERT.

    granian --interface wsgi bench.bare_webhook:application
"""

import json
import os

import django
import environ
import stripe
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": environ.Env().db_url("DATABASE_URL") | {"CONN_MAX_AGE": None}},
    INSTALLED_APPS=[],
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

SECRET = os.environ["STRIPE_WEBHOOK_SECRETS"]
INSERT = """
    INSERT INTO stripe_event (id, type, api_version, created_at, received_at, payload, next_at,
        account_id, attempts, lease_backend, outcome, last_error)
    VALUES (%s, %s, %s, now(), now(), %s, now(), '', 0, '', '', '') ON CONFLICT (id) DO NOTHING
"""


def webhook(request: HttpRequest) -> HttpResponse:
    payload = request.body
    stripe.WebhookSignature.verify_header(payload, request.headers["Stripe-Signature"], SECRET, 300)
    event = json.loads(payload)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [event["id"], event["type"], event["api_version"], payload.decode()])
    return HttpResponse(headers={"Content-Length": "0"})


urlpatterns = [path("webhooks/stripe", webhook)]
application = get_wsgi_application()
