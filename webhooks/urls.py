from django.urls import path

from . import views

urlpatterns = [
    path("braintree", views.braintree, name="webhooks-braintree"),
    path("pubsub", views.pubsub, name="webhooks-pubsub"),
    path("stripe", views.stripe, name="webhooks-stripe"),
]
