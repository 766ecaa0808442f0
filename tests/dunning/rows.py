"""Rows of accounts that owe, written directly: as many as a test needs, as fast as the database takes them."""

from datetime import timedelta
from itertools import count

from accounts.models import Customer, new_id
from billing.models.invoices import Invoice, InvoiceLine, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from tests.factories import SINCE, AccountFactory, OpeFactory, ZoneFactory, phase_of
from tests.guard import unguarded

_NUMBER = count(1)
BILLED_AT = SINCE + timedelta(days=31)


@unguarded()
def account_of(account_type="pay_go", *, usable=True):
    """An account with a customer at Stripe and one card."""
    account = AccountFactory.create(profile__account_type=account_type)
    Customer.objects.create(account=account, stripe_customer_id=f"cus_{new_id()}")
    PaymentMethod.objects.create(
        account=account,
        processor="stripe",
        processor_id=f"pm_{new_id()}",
        kind="card",
        brand="visa",
        last4=f"{next(_NUMBER) % 10000:04}",
        is_default=True,
        is_usable=usable,
        unusable_why="" if usable else "lost_card",
        created_at=SINCE,
    )
    return account


@unguarded()
def plan_of(account, *, until=BILLED_AT, subscription=""):
    """A zone on Pro that Stripe bills; its paid period ends at `until`."""
    zone = ZoneFactory.create(account=account)
    return OpeFactory.create(
        zone=zone,
        phase=phase_of("pro", ends_at=until),
        license_source_id=f"{subscription or 'sub_' + new_id()}:si_1",
    )


@unguarded()
def bill(account, *opes, at=BILLED_AT, status="open", amount_minor=2500, **columns):
    """A renewal of these OPEs that was finalised at `at`, for 28 days in advance."""
    values = {"finalized_at": at, "paid_at": at if status == "paid" else None, "stripe_invoice_id": f"in_{new_id()}"}
    invoice = Invoice.objects.create(
        account=account,
        number=f"T-{next(_NUMBER)}",
        status=status,
        reason="cycle",
        currency="usd",
        subtotal_minor=amount_minor * max(len(opes), 1),
        total_minor=amount_minor * max(len(opes), 1),
        period_start=at,
        period_end=at + timedelta(days=28),
        created_at=at,
        **(values | columns),
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            ope=ope,
            description="Pro",
            price_id="pro_month_v1",
            quantity=1,
            unit_amount_minor=amount_minor,
            amount_minor=amount_minor,
            in_advance=True,
            period_start=at,
            period_end=at + timedelta(days=28),
        )
        for ope in opes or (None,)
    )
    return invoice


@unguarded()
def decline(invoice, *hours, code="insufficient_funds"):
    """Charges of ours that failed so many hours after the invoice was finalised."""
    method = PaymentMethod.objects.filter(account=invoice.account).first()
    PaymentAttempt.objects.bulk_create(
        PaymentAttempt(
            account=invoice.account,
            invoice=invoice,
            method=method,
            status="failed",
            on_session=False,
            amount_minor=invoice.total_minor,
            currency="usd",
            code=code,
            started_at=invoice.finalized_at + timedelta(hours=hour),
            finished_at=invoice.finalized_at + timedelta(hours=hour),
        )
        for hour in hours
    )


def opes_of(account):
    return Ope.objects.filter(account=account, deleted_date__isnull=True)
