"""What an account may spend before money is asked for, and the codes that add to it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
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
        now = clock.now()
        left = Credit.objects.filter(account=account_id, ended_at__isnull=True, remaining_minor__gt=0)
        left = left.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        spendable = list(left.order_by(F("expires_at").asc(nulls_last=True), "granted_at", "pk"))
        totals: Counter[str] = Counter()
        for credit in spendable:
            totals[credit.currency] += credit.remaining_minor
        has_record = bool(spendable) or Credit.objects.filter(account=account_id).exists()
        return answer(
            {
                **balance_shape(spendable, has_record=has_record, now=now),
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


def balance_shape(spendable: Sequence[Credit], *, has_record: bool, now: datetime) -> dict[str, Any]:
    """
    Return the balance, of the currency that is spent first, as of `now`.

    Confirmed is what no payment under way will use. It is valid to the last expiry, for ever if a part never expires;
    when it will be spent is not guessed.
    """
    currency = spendable[0].currency if spendable else None
    counted = [credit for credit in spendable if credit.currency == currency]
    amount_minor = sum(credit.amount_minor for credit in counted)
    remaining_minor = sum(credit.remaining_minor for credit in counted)
    expiries = [credit.expires_at for credit in counted if credit.expires_at is not None]
    valid_to = max(expiries) if expiries and len(expiries) == len(counted) else None
    return {
        "has_record": has_record,
        "eligible": any(credit.remaining_minor > credit.reserved_minor for credit in counted),
        "currency": currency.upper() if currency else None,
        "confirmed_balance_cents": remaining_minor - sum(credit.reserved_minor for credit in counted),
        "original_amount_cents": amount_minor,
        "percent_consumed": round(100 * (amount_minor - remaining_minor) / amount_minor, 2) if counted else None,
        "valid_from": rfc3339(min(credit.granted_at for credit in counted)) if counted else None,
        "valid_to": rfc3339(valid_to),
        "days_remaining": (valid_to - now).days if valid_to else None,
        "projected_depletion_date": None,
    }


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
