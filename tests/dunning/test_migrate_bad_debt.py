"""Debt of older accounts, which stands in metadata alone, becomes what their invoices ask for; dry first, once."""

import pytest

from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from config import clock as business
from config.passing_time import pass_time
from dunning.migrate_bad_debt import migrate, owed_by
from tests.dunning.acting import owing, stripe_sdk
from tests.dunning.rows import account_of, bill

SAID = [
    ({"bad_debt_amount": "3226"}, 32_26),
    ({"bad_debt_amount": "32.26"}, 32_26),
    ({"bad_debt_amount": "0"}, 0),
    ({"bad_debt_amount": "3226", "bad_debt_paid": "true"}, 0),
    ({"bad_debt_amount": "3226", "bad_debt_paid": "false"}, 32_26),
    ({"bad_debt_amount": "32.265"}, None),
    ({"bad_debt_amount": "-1"}, None),
    ({"bad_debt_amount": "NaN"}, None),
    ({"bad_debt_amount": ""}, None),
]


@pytest.mark.parametrize(("metadata", "owed_minor"), SAID)
def test_what_metadata_say(metadata, owed_minor):
    assert owed_by(metadata) == owed_minor


@pytest.mark.usefixtures("db", "catalog")
def test_an_invoice_that_stripe_does_not_know_stops_no_other():
    account = account_of()
    ids = [bill(account, amount_minor=5_00).pk for _ in range(2)]

    found = list(migrate(is_dry=False, now=business.now()))

    assert [(each.invoice_id, each.code, each.owed_minor) for each in found] == [
        (pk, "refused_by_processor", 5_00) for pk in sorted(ids)
    ]


@pytest.mark.usefixtures("story", "catalog", "live_server_url")
def test_an_older_debt_is_credited_once(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox)
    api = stripe_sdk(sandbox).invoices
    api.update(invoice.stripe_invoice_id, {"metadata": {"bad_debt_amount": "32.26"}})
    list(pass_time(business.now()))
    mine = lambda found: [each for each in found if each.account_id == account.pk]  # noqa: E731

    dry = mine(migrate(is_dry=True, now=business.now()))
    invoice.refresh_from_db()
    asked_for_minor = invoice.remaining_minor
    done = mine(migrate(is_dry=False, now=business.now()))
    again = mine(migrate(is_dry=False, now=business.now()))

    invoice.refresh_from_db()
    assert [(each.owed_minor, each.code) for each in dry] == [(32_26, "")]
    assert ([each.credit_minor for each in done], again) == ([asked_for_minor - 32_26], [])
    assert invoice.remaining_minor == 32_26
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 32_26
