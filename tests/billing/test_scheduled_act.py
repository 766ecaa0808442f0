"""An agent takes back what waits for the end of the period, as the customer could."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import JournalEntry
from billing.changes_calculator.submit import submit
from billing.models.objectproducts import Ope
from tests.admin.conftest import signed_in
from tests.admin.test_acts import WHY, previewed
from tests.billing.people import customer, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def agent(name: str) -> Client:
    return signed_in(User.objects.create_superuser(name, password=None))


def test_what_was_scheduled_is_taken_back_and_says_who_did_so():
    account, zone = customer()
    submit(wish(account, zone))
    submit(wish(account, zone, plan_name="free"))
    ope = Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)
    address, who = reverse("admin:billing_ope_act", args=[ope.pk, "take-back"]), agent(f"ann-{account.pk[:8]}")

    done = who.post(address, previewed(who, address, {}))
    again = who.post(address, {**WHY, "do": "yes"})

    ope.refresh_from_db()
    assert (done.status_code, again.status_code) == (302, 409)
    assert (str(ope.current.value), ope.scheduled) == ("pro", None)
    entry = JournalEntry.objects.get(account=account, kind="change.taken_back")
    assert entry.actor == f"agent:ann-{account.pk[:8]}"
    assert WHY["reason"] in entry.reason
