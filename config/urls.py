"""Every door on one page."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, register_converter

from accounts.api.paths import HexId
from config import api_errors
from config.health import healthz, readyz
from config.local_dashboard import dashboard_page
from config.metrics import metrics
from config.openapi.describe import DASHBOARD_API, document_of, reference_page
from config.openapi.describe import INTERNAL_API as INTERNAL_DOCUMENT

register_converter(HexId, "id")

API = "client/v4/"
INTERNAL_API = "internal/v1/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("webhooks/", include("webhooks.urls")),
    path(API, include("accounts.api.urls")),
    path(API, include("billing.api.urls")),
    path(API, include("entitlements.api.urls")),
    path(INTERNAL_API, include("accounts.internal_api.urls")),
    path(INTERNAL_API, include("billing.internal_api.urls")),
    path(f"{API}schema", document_of(DASHBOARD_API)),
    path(f"{API}docs", reference_page),
    path(f"{INTERNAL_API}schema", document_of(INTERNAL_DOCUMENT)),
    path(f"{API}docs/errors", api_errors.errors_page, name="api-errors"),
    path("ninja/", admin.site.urls),
]

if settings.IS_LOCAL:
    urlpatterns.append(path("dashboard/<id:account_id>/<path:rest>", dashboard_page))

handler400 = api_errors.bad_request
handler404 = api_errors.not_found
handler500 = api_errors.server_error
