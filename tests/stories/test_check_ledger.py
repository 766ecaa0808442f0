"""The nightly check: it finds nothing where all is well, and each difference that there is."""

import pytest
import structlog
from celery.schedules import crontab

from billing.invoicing.check_ledger import check_ledger, report_differences
from billing.models.invoices import Invoice
from config.celery import app
from tests.guard import unguarded
from tests.money import nothing_differs
from tests.stories.test_money_back import bought


def found_of(account):
    return {found.check for _, findings in check_ledger() for found in findings if found.account_id == account.pk}


PLANTED = [
    # a column that is not what it should be    the checks that find it
    ({"carried_minor": 49},                     {"carried", "mirror"}),
    ({"paid_minor": 24_99},                     {"mirror"}),
    ({"subtotal_minor": 26_00, "total_minor": 26_00}, {"lines", "mirror"}),
    ({"status": "uncollectible", "paid_at": None, "paid_minor": 0}, {"balances", "receivables"}),
]  # fmt: skip


@pytest.mark.usefixtures("story", "catalog", "live_server_url")
def test_each_difference_is_found_and_named():
    account, invoice = bought()
    assert nothing_differs(account)
    right = Invoice.objects.filter(pk=invoice.pk).values().get()

    for columns, checks in PLANTED:
        with unguarded():
            Invoice.objects.filter(pk=invoice.pk).update(**columns)
        assert found_of(account) == checks, columns
        with structlog.testing.capture_logs() as logs:
            differing = report_differences()
        assert differing >= len(checks)
        assert {log["check"] for log in logs if log.get("account_id") == account.pk} == checks
        with unguarded():
            Invoice.objects.filter(pk=invoice.pk).update(**{name: right[name] for name in columns})

    assert nothing_differs(account)


def test_it_is_asked_each_night_however_often_beat_is_started():
    entry = app.conf.beat_schedule["billing.check_ledger"]

    assert entry["schedule"] == crontab(minute="0", hour="3")
