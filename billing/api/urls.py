from django.urls import path

from . import (
    account_credits,
    cancel_reasons,
    carts,
    history,
    paying,
    payment_methods,
    plans,
    previews,
    receipts,
    subscriptions,
    user_history,
    user_subscriptions,
    workflows,
)

urlpatterns = [
    path("zones/<id:zone_id>/subscription", subscriptions.ZoneSubscriptionView.as_view()),
    path("zones/<id:zone_id>/subscriptions", subscriptions.ZoneSubscriptionsView.as_view()),
    path("zones/<id:zone_id>/available_plans", plans.AvailablePlansView.as_view()),
    path("zones/<id:zone_id>/available_plans/<str:name>", plans.AvailablePlanView.as_view()),
    path("zones/<id:zone_id>/available_rate_plans", plans.AvailableRatePlansView.as_view()),
    path("billing/rate_plans/<str:name>", plans.RatePlanView.as_view()),
    path("accounts/<id:account_id>/subscriptions", subscriptions.AccountSubscriptionsView.as_view()),
    path("accounts/<id:account_id>/subscriptions/preview", previews.PreviewView.as_view()),
    path("accounts/<id:account_id>/subscriptions/cancel-downgrade", subscriptions.CancelDowngradeView.as_view()),
    path(
        "accounts/<id:account_id>/subscriptions/<id:subscription_id>", subscriptions.AccountSubscriptionView.as_view()
    ),
    path(
        "accounts/<id:account_id>/subscriptions/<id:subscription_id>/cancel-reason",
        cancel_reasons.CancelReasonView.as_view(),
    ),
    path("accounts/<id:account_id>/bulk/subscriptions", carts.CartView.as_view()),
    path("accounts/<id:account_id>/client-secret", payment_methods.ClientSecretView.as_view()),
    path("accounts/<id:account_id>/payment-methods", payment_methods.PaymentMethodsView.as_view()),
    path("accounts/<id:account_id>/payment-methods/<id:method_id>", payment_methods.PaymentMethodView.as_view()),
    path(
        "accounts/<id:account_id>/payment-methods/<id:method_id>/set-as-default",
        payment_methods.DefaultMethodView.as_view(),
    ),
    path("accounts/<id:account_id>/pay-invoice", paying.PayInvoiceView.as_view()),
    path("accounts/<id:account_id>/pay-bad-debt", paying.PayBadDebtView.as_view()),
    path("accounts/<id:account_id>/receipts/<id:receipt_id>/pdf", receipts.ReceiptView.as_view()),
    path("accounts/<id:account_id>/billing/unpaid-invoice", paying.UnpaidInvoiceView.as_view()),
    path("accounts/<id:account_id>/billing/bad-debt", paying.BadDebtView.as_view()),
    path("accounts/<id:account_id>/billing/credits", account_credits.CreditsView.as_view()),
    path("accounts/<id:account_id>/billing/history", history.BillingHistoryView.as_view()),
    path("accounts/<id:account_id>/workflows/<id:workflow_id>", workflows.WorkflowView.as_view()),
    path("user/billing/history", user_history.UserBillingHistoryView.as_view()),
    path("user/subscriptions", user_subscriptions.UserSubscriptionsView.as_view()),
    path("user/subscriptions/<id:subscription_id>", user_subscriptions.UserSubscriptionView.as_view()),
]
