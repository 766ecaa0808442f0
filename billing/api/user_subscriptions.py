"""The subscriptions of every account that the caller reaches, without naming the account."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import answer, whole_list
from accounts.api.scope import ApiView
from accounts.roles import Permission
from config import clock

from ..change_subscription import end_subscription
from ..subscriptions import Subscription, subscription_by_id, subscriptions_of_accounts
from .subscriptions import found, put, shape_for


class UserSubscriptionsView(ApiView):
    """`/user/subscriptions`: all of them, account by account."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request) -> Response:
        subscriptions = subscriptions_of_accounts(self.caller.accounts_where(Permission.READ))
        return whole_list([shape_for(self.caller, each) for each in subscriptions])


class UserSubscriptionView(ApiView):
    """`/user/subscriptions/{subscription_id}`: one. DELETE says the id at the top too: the SDK looks for it there."""

    needs = {
        "GET": Permission.READ,
        "PUT": Permission.CHANGE_SUBSCRIPTIONS,
        "DELETE": Permission.CHANGE_SUBSCRIPTIONS,
    }

    def get(self, _request: Request, subscription_id: str) -> Response:
        return answer(shape_for(self.caller, self._mine(subscription_id, Permission.READ)))

    def put(self, request: Request, subscription_id: str) -> Response:
        subscription = self._mine(subscription_id, Permission.CHANGE_SUBSCRIPTIONS)
        return answer(put(request, self.caller, subscription))

    def delete(self, _request: Request, subscription_id: str) -> Response:
        subscription = self._mine(subscription_id, Permission.CHANGE_SUBSCRIPTIONS)
        end_subscription(subscription, actor=self.caller.actor, now=clock.now())
        response = answer({"subscription_id": subscription.id})
        response.data["subscription_id"] = subscription.id
        return response

    def _mine(self, subscription_id: str, permission: Permission) -> Subscription:
        subscription = found(subscription_by_id(list(self.caller.roles), subscription_id))
        if not self.caller.may(permission, subscription.account_id):
            raise PermissionDenied
        return subscription
