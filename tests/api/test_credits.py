"""An account's credits over the API: what may be spent, in which order, and the code of a coupon."""

from datetime import timedelta

import pytest

from accounts.api.envelope import rfc3339
from accounts.lock import account_lock
from billing.invoicing.coupons import make_coupon
from billing.invoicing.credits import Grant, grant, take_back
from billing.models.credits import Credit
from config import clock as business
from tests.api.conftest import Api
from tests.api.contract import deviations
from tests.factories import clear, token_for
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("on_sale")


def give(account, now, amount_minor, *, days=None, currency="usd", kind=Credit.Kind.GOODWILL):
    expires_at = now + timedelta(days=days) if days else None
    wanted = Grant(
        kind=kind, amount_minor=amount_minor, currency=currency, source=f"test:{amount_minor}", expires_at=expires_at
    )
    with account_lock(account.pk):
        return grant(account.pk, wanted, actor="agent:a", now=now)


def test_what_is_left_is_listed_in_the_order_it_is_spent_with_a_total_of_each_currency(clock):
    clock.freeze()
    now = business.now()
    account = clear()
    give(account, now, 10_01)
    give(account, now, 5_00, days=9, kind=Credit.Kind.PROMOTIONAL)
    give(account, now + timedelta(seconds=1), 7_00, currency="eur")
    take_back(give(account, now, 3_00).pk, actor="agent:a", now=now)
    give(clear(), now, 99_00)
    api = Api(token_for(account))

    seen = api.get(f"/accounts/{account.pk}/billing/credits").json()["result"]

    assert [(c["kind"], c["remaining"], c["reserved"], c["expires_on"] is None) for c in seen["credits"]] == [
        ("promotional", 5.0, 0.0, False), ("goodwill", 10.01, 0.0, True), ("goodwill", 7.0, 0.0, True),
    ]  # fmt: skip
    assert seen["totals"] == [{"currency": "EUR", "remaining": 7.0}, {"currency": "USD", "remaining": 15.01}]


def balance(account):
    result = Api(token_for(account)).get(f"/accounts/{account.pk}/billing/credits").json()["result"]
    assert deviations("billing.credits.get", result) == []
    return {name: value for name, value in result.items() if name not in ("credits", "totals")}


def test_the_balance_is_of_the_currency_that_is_spent_first_and_what_a_payment_under_way_uses_is_not_in_it(clock):
    clock.freeze()
    now = business.now()
    nobody, spent, account, forever = clear(), clear(), clear(), clear()
    take_back(give(spent, now, 3_00).pk, actor="agent:a", now=now)
    give(account, now, 8_00, currency="eur")
    soon, later = give(account, now, 10_00, days=9), give(account, now + timedelta(seconds=1), 30_00, days=20)
    with unguarded(), account_lock(account.pk):
        Credit.objects.filter(pk=soon.pk).update(remaining_minor=5_00, reserved_minor=2_00)
    give(forever, now, 11_00)
    give(forever, now, 12_00, days=9)

    nothing = dict.fromkeys(
        ("currency", "percent_consumed", "valid_from", "valid_to", "days_remaining", "projected_depletion_date")
    ) | {"has_record": False, "eligible": False, "confirmed_balance_cents": 0, "original_amount_cents": 0}
    assert balance(nobody) == nothing
    assert balance(spent) == nothing | {"has_record": True}
    assert balance(account) == {
        "has_record": True,
        "eligible": True,
        "currency": "USD",
        "confirmed_balance_cents": 33_00,
        "original_amount_cents": 40_00,
        "percent_consumed": 12.5,
        "valid_from": rfc3339(now),
        "valid_to": rfc3339(later.expires_at),
        "days_remaining": 20,
        "projected_depletion_date": None,
    }
    assert (balance(forever)["confirmed_balance_cents"], balance(forever)["valid_to"]) == (23_00, None)


def test_a_code_is_redeemed_once_per_account(clock):
    clock.freeze()
    now = business.now()
    account = clear()
    make_coupon("WELCOME-20", amount_minor=20_00, currency="usd", actor="agent:a", now=now)
    api, path = Api(token_for(account)), f"/accounts/{account.pk}/billing/credits"

    answers = [api.post(path, {"coupon_code": code}) for code in ("welcome-20", "WELCOME-20", "NO-SUCH", 5)]

    assert answers[0].json()["result"]["remaining"] == 20.0
    assert [(a.status_code, a.json()["errors"][0]["code"]) for a in answers[1:]] == [
        (400, 1412), (400, 1412), (400, 1001),
    ]  # fmt: skip
    assert Credit.objects.get(account=account).remaining_minor == 20_00
