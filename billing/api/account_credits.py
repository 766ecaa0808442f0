"""What an account may spend before money is asked for, and the codes that add to it."""

from collections import Counter
from typing import Any

from django.db.models import F, Q
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactString
from accounts.api.envelope import answer, rfc3339
from accounts.api.scope import AccountView
from accounts.roles import Permission
from config import clock

from ..invoicing.coupons import redeem
from ..models.credits import Credit
from .shapes import dollars


class CouponBody(serializers.Serializer[Any]):
    """The code of a coupon, in any case."""

    coupon_code = ExactString(max_length=40)


class CreditsView(AccountView):
    """`/accounts/{account_id}/billing/credits`: what may still be spent, and redeeming the code of a coupon."""

    needs = {"GET": Permission.READ, "POST": Permission.PAY}

    def get(self, _request: Request, account_id: str) -> Response:
        # In the order in which they are spent: what expires first, first.
        left = Credit.objects.filter(account=account_id, ended_at__isnull=True, remaining_minor__gt=0)
        left = left.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now()))
        spendable = list(left.order_by(F("expires_at").asc(nulls_last=True), "granted_at", "pk"))
        totals: Counter[str] = Counter()
        for credit in spendable:
            totals[credit.currency] += credit.remaining_minor
        return answer(
            {
                "credits": [credit_shape(credit) for credit in spendable],
                "totals": [
                    {"currency": currency.upper(), "remaining": dollars(total_minor)}
                    for currency, total_minor in sorted(totals.items())
                ],
            }
        )

    def post(self, request: Request, account_id: str) -> Response:
        body = CouponBody(data=request.data)
        body.is_valid(raise_exception=True)
        code = body.validated_data["coupon_code"]
        return answer(credit_shape(redeem(account_id, code, actor=self.caller.actor, now=clock.now())))


def credit_shape(credit: Credit) -> dict[str, Any]:
    """Return a credit; `reserved` is the part of what remains that a payment under way will use."""
    return {
        "id": credit.pk,
        "kind": credit.kind,
        "amount": dollars(credit.amount_minor),
        "remaining": dollars(credit.remaining_minor),
        "reserved": dollars(credit.reserved_minor),
        "currency": credit.currency.upper(),
        "granted_on": rfc3339(credit.granted_at),
        "expires_on": rfc3339(credit.expires_at),
    }
