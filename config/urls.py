"""Every door on one page."""

from django.contrib import admin
from django.urls import include, path

from config.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("webhooks/", include("webhooks.urls")),
    path("ninja/", admin.site.urls),
]
