from django.urls import path

from . import plans, subscriptions, workflows

urlpatterns = [
    path("zones/<id:zone_id>/subscription", subscriptions.ZoneSubscriptionView.as_view()),
    path("zones/<id:zone_id>/subscriptions", subscriptions.ZoneSubscriptionsView.as_view()),
    path("zones/<id:zone_id>/available_plans", plans.AvailablePlansView.as_view()),
    path("zones/<id:zone_id>/available_plans/<str:name>", plans.AvailablePlanView.as_view()),
    path("zones/<id:zone_id>/available_rate_plans", plans.AvailableRatePlansView.as_view()),
    path("accounts/<id:account_id>/subscriptions", subscriptions.AccountSubscriptionsView.as_view()),
    path(
        "accounts/<id:account_id>/subscriptions/<id:subscription_id>", subscriptions.AccountSubscriptionView.as_view()
    ),
    path("accounts/<id:account_id>/workflows/<id:workflow_id>", workflows.WorkflowView.as_view()),
]
