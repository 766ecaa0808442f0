"""Every door on one page."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("ninja/", admin.site.urls),
]
