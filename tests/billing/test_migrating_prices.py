"""What was sold keeps its price, until the catalogue's own door carries today's to those who have it."""

import copy
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from billing.catalog.publish import publish
from billing.change_subscription import take_back_changes
from billing.changes_calculator.request import Outcome
from billing.changes_calculator.scheduled import NothingScheduled
from billing.changes_calculator.submit import submit
from billing.management.commands.publish_catalog import DEFAULT_FILE
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.models.price_migrations import PriceMigration
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, more, wish
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

TODAY = json.loads(DEFAULT_FILE.read_text())


def with_pro_at(amount_minor):
    changed = copy.deepcopy(TODAY)
    for plan in changed["rate_plans"]:
        for price in plan["prices"]:
            if (plan["id"], price["frequency"]) == ("pro", "monthly"):
                price["amount_minor"] = amount_minor
    return changed


@pytest.fixture
def raised(clock, tmp_path):
    """A customer who has Pro at 25.00 and is in the middle of the month; Pro costs 30.00 from now on."""
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, components=more("page_rules", 25)))
    clock.advance(days=3)
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(with_pro_at(3000)))
    with unguarded():  # as the catalogue of all tests is
        publish(with_pro_at(3000), actor="tests", now=business.now())
    yield account, zone, file
    with unguarded():
        publish(TODAY, actor="tests", now=business.now())


def migrate(account, file, *arguments):
    out = io.StringIO()
    asked = ["--migrate-subscribers", "--account", account.pk, "--json", *arguments]
    call_command("publish_catalog", str(file), *asked, stdout=out)
    return json.loads(out.getvalue())["migration"]


def pro_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def test_what_was_sold_keeps_its_price_through_changes_and_renewals(raised):
    account, zone, _ = raised
    schedule = BillingSchedule.objects.get(account=account)

    assert submit(wish(account, zone)).outcome is Outcome.UNCHANGED
    submit(wish(account, zone, components=more("page_rules", 30)))

    assert pro_of(zone).current.unit_amount_minor == 2500
    list(pass_time(schedule.next_at + timedelta(hours=3)))
    assert Invoice.objects.get(account=account, reason="cycle").total_minor == 2500 + 1000


def test_a_dry_run_says_what_it_would_do_and_does_nothing(raised):
    account, zone, file = raised

    said = migrate(account, file)

    assert said == {"dry_run": True, "accounts": 1, "components": 1, "before_minor": 2500, "after_minor": 3000}
    assert pro_of(zone).scheduled is None
    assert not PriceMigration.objects.filter(account=account).exists()


def test_a_new_price_holds_from_the_next_period_and_charges_nothing_before(raised, stripe_calls):
    account, zone, file = raised
    schedule = BillingSchedule.objects.get(account=account)

    said = migrate(account, file, "--apply")
    again = migrate(account, file, "--apply")

    assert again == said == {"dry_run": False, "accounts": 1, "scheduled": 1, "refused": {}}
    assert (pro_of(zone).current.unit_amount_minor, pro_of(zone).scheduled.unit_amount_minor) == (2500, 3000)
    assert Invoice.objects.filter(account=account).count() == 1
    list(pass_time(schedule.next_at + timedelta(hours=3)))
    assert (pro_of(zone).current.unit_amount_minor, pro_of(zone).scheduled) == (3000, None)
    renewal = Invoice.objects.get(account=account, reason="cycle")
    assert (renewal.status, renewal.total_minor) == ("paid", 3000 + 500)
    assert migrate(account, file)["components"] == 0


def test_a_new_price_stands_in_nobodys_way_and_is_not_taken_back(raised):
    account, zone, file = raised
    migrate(account, file, "--apply")

    with pytest.raises(NothingScheduled):
        take_back_changes(account.pk, [pro_of(zone).subscription_id], actor="tests", now=business.now())
    assert submit(wish(account, zone)).outcome is Outcome.UNCHANGED
    submit(wish(account, zone, plan_name="business"))

    assert (pro_of(zone).current.value, pro_of(zone).scheduled) == ("business", None)


def test_whoever_does_not_want_the_new_price_ends_before_it(raised):
    account, zone, file = raised
    schedule = BillingSchedule.objects.get(account=account)
    migrate(account, file, "--apply")

    assert submit(wish(account, zone, plan_name="free")).outcome is Outcome.SCHEDULED

    list(pass_time(schedule.next_at + timedelta(hours=3)))
    assert pro_of(zone).current.value == "free"
    assert Invoice.objects.filter(account=account).count() == 1


def test_who_waits_for_something_else_is_refused_reported_and_looked_at_again(raised):
    account, zone, file = raised
    submit(wish(account, zone, components=more("page_rules", 20)))

    said = migrate(account, file, "--apply")

    assert said["refused"] == {"change_scheduled": 1}
    take_back_changes(account.pk, [pro_of(zone).subscription_id], actor="tests", now=business.now())
    assert migrate(account, file, "--apply") == {"dry_run": False, "accounts": 1, "scheduled": 1, "refused": {}}


def test_what_ends_has_no_new_price(raised):
    account, zone, file = raised
    submit(wish(account, zone, plan_name="free"))

    assert migrate(account, file)["components"] == 0


def test_doing_it_is_said_together_with_what():
    with pytest.raises(CommandError):
        call_command("publish_catalog", "--apply")
