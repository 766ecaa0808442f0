"""Coupon codes: each gives promotional credit, once per account. There is no other discount machinery."""

from datetime import datetime, timedelta

from accounts.lock import account_lock

from ..models.credits import Coupon, Credit
from . import credits as customer_credits


class CouponRefused(Exception):
    """There is no such code, it is over, or the account has redeemed it; nothing was granted."""

    code = "coupon_refused"


def make_coupon(
    code: str,
    *,
    amount_minor: int,
    currency: str,
    credit_days: int | None = None,
    redeemable_until: datetime | None = None,
    actor: str,
    now: datetime,
) -> Coupon:
    """Put a code in place, in capitals, and return it; one that is there stays as it is."""
    coupon, _ = Coupon.objects.get_or_create(
        code=code.upper(),
        defaults={
            "amount_minor": amount_minor,
            "currency": currency,
            "credit_days": credit_days,
            "redeemable_until": redeemable_until,
            "actor": actor,
            "created_at": now,
        },
    )
    return coupon


def redeem(account_id: str, code: str, *, actor: str, now: datetime) -> Credit:
    """
    Turn a code into promotional credit of the account and return it.

    :raises CouponRefused: with a sentence that says why.
    """
    with account_lock(account_id):
        coupon = Coupon.objects.filter(code=code.strip().upper()).first()
        if coupon is None:
            raise CouponRefused("There is no such code. Check how it is written.")
        if coupon.redeemable_until is not None and now >= coupon.redeemable_until:
            raise CouponRefused("This code can't be redeemed any more.")
        if Credit.objects.filter(account=account_id, coupon=coupon).exists():
            raise CouponRefused("This account has redeemed this code already.")
        return customer_credits.grant(
            account_id,
            customer_credits.Grant(
                kind=Credit.Kind.PROMOTIONAL,
                amount_minor=coupon.amount_minor,
                currency=coupon.currency,
                source=f"coupon:{coupon.code}:{account_id}",
                expires_at=now + timedelta(days=coupon.credit_days) if coupon.credit_days else None,
                coupon_code=coupon.code,
            ),
            actor=actor,
            now=now,
        )
