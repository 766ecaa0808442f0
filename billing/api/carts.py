"""Several subscriptions at once."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactString
from accounts.api.envelope import answer
from accounts.api.paging import InvalidQuery
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..buy_cart import buy_cart
from .subscriptions import shapes_of
from .wants import WantedSubscriptions, placed, request_of

LONGEST_KEY = 255


class Cart(WantedSubscriptions):
    """The body of a cart. Who brings a coupon or a hold expects to pay less, or otherwise: there are none here."""

    user_is_on_session = serializers.BooleanField(required=False, default=True)
    coupon_code = ExactString(required=False, allow_null=True, default=None)
    payment_hold_id = serializers.IntegerField(required=False, allow_null=True, default=None)

    def validate_coupon_code(self, code: str | None) -> None:
        """Refuse any: nobody is charged in full who thinks otherwise."""
        if code is not None:
            raise serializers.ValidationError(
                "A cart takes no coupon. Redeem it for the account first: its credit is used before money is."
            )

    def validate_payment_hold_id(self, hold_id: int | None) -> None:
        """Refuse any: no payment is held in advance."""
        if hold_id is not None:
            raise serializers.ValidationError("No payments are held in advance. Leave it out.")


class CartView(AccountView):
    """`/accounts/{account_id}/bulk/subscriptions`: all of it in one payment, billed equally often, or nothing."""

    needs = {"POST": Permission.CHANGE_SUBSCRIPTIONS}

    def post(self, request: Request, account_id: str) -> Response:
        key: str = request.query_params.get("idemp_key", "")
        if len(key) > LONGEST_KEY or "\0" in key:
            raise InvalidQuery(f"idemp_key must be at most {LONGEST_KEY} characters.")
        body = Cart(data=request.data)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = body.validated_data
        change = request_of(
            account_id,
            [placed(each, account_id=account_id) for each in wanted["subscriptions"]],
            actor=self.caller.actor,
            on_session=wanted["user_is_on_session"],
        )
        buy_cart(change, key=key)
        return answer(shapes_of(self.caller, change.wants, account_id))
