from django.urls import path

from . import granted

urlpatterns = [
    path("accounts/<id:account_id>/entitlements", granted.AccountEntitlementsView.as_view()),
    path("zones/<id:zone_id>/entitlements", granted.ZoneEntitlementsView.as_view()),
]
