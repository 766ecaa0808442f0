"""A domain goes to another account: free or not at all, and the debts of who had it go before it."""

from datetime import timedelta

import pytest

from accounts.create_account import create_account
from accounts.flags import AccountFlag
from accounts.models import JournalEntry, SubsAccount, Zone
from accounts.roles import Scope
from billing.add_zone import add_zone
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.close_account import close_account
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.move_zone import ZoneGone, move_zone
from billing.remove_zone import remove_zone
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.api.conftest import Api
from tests.billing.people import NEEDS_3DS, customer, wish
from tests.factories import service_token
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def destination():
    account, _ = customer()
    return account


def moved(zone, account):
    return move_zone(zone, account.pk, actor="system:tests", now=business.now())


def plans(zone):
    return [str(ope.current.value) for ope in Ope.objects.filter(object_id=zone.pk, deleted_date__isnull=True)]


def test_a_free_zone_is_free_in_its_new_account_under_a_new_id():
    (owner, zone), buyer = customer(), destination()

    there = moved(zone, buyer)

    zone.refresh_from_db()
    assert (there.account_id, there.name, there.deleted_at) == (buyer.pk, zone.name, None)
    assert zone.deleted_at is not None
    assert (plans(zone), plans(there)) == ([], ["free"])
    assert not Entitlement.objects.filter(zone_id=zone.pk).exists()
    assert set(Entitlement.objects.filter(zone_id=there.pk).values_list("account", flat=True)) == {buyer.pk}
    told = JournalEntry.objects.filter(kind="zone.moved", after__zone_id=zone.pk)
    assert {entry.account_id for entry in told} == {owner.pk, buyer.pk}


def test_moving_it_again_changes_nothing():
    (_, zone), buyer = customer(), destination()
    first = moved(zone, buyer)
    entries = JournalEntry.objects.filter(account=buyer).count()

    again = moved(Zone.objects.get(pk=zone.pk), buyer)
    from_there = moved(first, buyer)

    assert (again.pk, from_there.pk) == (first.pk, first.pk)
    assert JournalEntry.objects.filter(account=buyer).count() == entries


def test_a_paid_zone_stays_until_its_period_is_over(clock):
    clock.freeze()
    (account, zone), buyer = customer(), destination()
    submit(wish(account, zone))
    submit(wish(account, zone, plan_name="free"))

    with pytest.raises(ChangeRefused) as refused:
        moved(zone, buyer)
    end = Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True).current.ends_at
    list(pass_time(end + timedelta(hours=1)))

    assert refused.value.code == "zone_has_plan"
    assert plans(moved(zone, buyer)) == ["free"]


def test_a_zone_whose_payment_waits_stays():
    (account, zone), buyer = customer(card=NEEDS_3DS), destination()
    submit(wish(account, zone))

    with pytest.raises(ChangeRefused) as refused:
        moved(zone, buyer)

    assert refused.value.code == "change_in_flight"


def test_a_closed_account_takes_no_domain():
    (_, zone), buyer = customer(), destination()
    close_account(buyer.pk, actor="system:tests", now=business.now())

    with pytest.raises(ChangeRefused) as refused:
        moved(zone, buyer)

    zone.refresh_from_db()
    assert refused.value.code == "account_closed"
    assert zone.deleted_at is None


def test_what_neither_account_serves_can_not_be_moved():
    (_, zone), buyer = customer(), destination()
    remove_zone(zone, actor="system:tests", now=business.now())

    with pytest.raises(ZoneGone):
        moved(zone, buyer)


def owe(account, status="open", *, by_contract=False):
    """Have an account be asked for money that it does not pay; by contract, it has time for that."""
    with unguarded():
        return Invoice.objects.create(
            account=account, number=f"PGO-{account.pk[:8]}", status=status,
            stripe_invoice_id="" if by_contract else f"in_{account.pk}", reason="cycle", currency="usd",
            subtotal_minor=25_00, total_minor=25_00, period_start=business.now(),
            period_end=business.now() + timedelta(days=31), created_at=business.now(), finalized_at=business.now(),
            paid_at=business.now() if status == "paid" else None, paid_minor=25_00 if status == "paid" else 0,
        )  # fmt: skip


def flag(account):
    """Have an account flagged for a debt that is not here; of its type the brain takes no flag away."""
    with unguarded():
        SubsAccount.objects.filter(account=account).update(flags=AccountFlag.BAD_DEBT, account_type="partner")


DEBTS = [
    # what the former owner did                      refused for
    (lambda _owner: None,                            None),
    (lambda owner: owe(owner, "paid"),               None),
    (lambda owner: owe(owner, "void"),               None),
    (lambda owner: owe(owner, "open"),               "previous_owner_debt"),
    (lambda owner: owe(owner, by_contract=True),     None),
    (lambda owner: owe(owner, "uncollectible"),      "previous_owner_debt"),
    (flag,                                           "previous_owner_debt"),
]  # fmt: skip


@pytest.mark.parametrize(("debt", "code"), DEBTS)
def test_nothing_is_bought_for_a_domain_while_a_former_owner_owes(debt, code):
    (owner, zone), buyer = customer(), destination()
    there = moved(zone, buyer)
    debt(owner)

    refused = None
    try:
        submit(wish(buyer, there))
    except ChangeRefused as error:
        refused = error.code

    assert refused == code
    assert plans(there) == (["free"] if code else ["pro"])


def test_whoever_owes_does_not_come_back_as_somebody_else():
    owner, zone = customer()
    owe(owner, "uncollectible")
    remove_zone(zone, actor="system:tests", now=business.now())
    again = create_account(name="Again", email=f"again-{owner.pk}@example.com", actor="tests", now=business.now())
    there = add_zone(again.pk, name=zone.name, actor="tests", now=business.now())

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(again, there))

    assert [each.code for each in refused.value.refusals] == ["previous_owner_debt"]


def test_a_service_moves_a_domain(story):
    (owner, zone), buyer = customer(), destination()
    service = Api(service_token(Scope.CHANGES_WRITE))

    def ask(body, zone_id=zone.pk):
        return service.post(f"/zones/{zone_id}/move", body, prefix="/internal/v1")

    unknown, nowhere, empty = ask({"account_id": "0" * 32}), ask({"account_id": buyer.pk}, "0" * 32), ask({})
    made, again = ask({"account_id": buyer.pk.upper()}), ask({"account_id": buyer.pk})

    assert (unknown.status_code, nowhere.status_code, empty.status_code) == (404, 404, 400)
    assert made.json()["result"] == again.json()["result"]
    assert made.json()["result"] == {
        "id": Zone.objects.get(name=zone.name, deleted_at__isnull=True).pk, "name": zone.name, "account_id": buyer.pk,
    }  # fmt: skip
    assert not Zone.objects.filter(account=owner, deleted_at__isnull=True).exists()
