from django.urls import path

from . import identity, memberships, zones

urlpatterns = [
    path("user/tokens/verify", identity.TokenVerificationView.as_view()),
    path("accounts", identity.AccountsView.as_view()),
    path("accounts/<id:account_id>", identity.OneAccountView.as_view()),
    path("memberships", memberships.MembershipsView.as_view()),
    path("memberships/<id:membership_id>", memberships.MembershipView.as_view()),
    path("zones", zones.ZonesView.as_view()),
    path("zones/<id:zone_id>", zones.OneZoneView.as_view()),
]
