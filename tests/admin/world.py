"""An account to whom everything has happened, as rows: what the panel's pages are tested with."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from accounts import journal
from accounts.create_account import create_account, create_zone
from accounts.journal_kinds import KINDS
from accounts.lock import account_lock
from accounts.models import Account, Customer, Notice, SubsStuckEvent, Zone, new_id
from accounts.stuck import open_stuck
from billing.catalog.load import activate, stage_prices
from billing.changes_calculator.steps import Step
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.credits import Credit, CreditUse
from billing.models.domains import DomainCharge, DomainEvent, PoisonMessage
from billing.models.invoices import BillingSchedule, Invoice, InvoiceLine, PaymentAttempt
from billing.models.ledger import LedgerEntry, LedgerTransaction
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.reversals import Charge, CreditNote, Refund
from billing.objectproducts.phases import Phase
from dunning.models.actions import DunningAction
from dunning.models.conclusions import DunningDecision, SubsDunning
from entitlements.models import Basis, Entitlement
from tests.guard import unguarded
from webhooks.models import StripeEvent

CATALOG = Path("billing/catalog/catalog.json")
NOW = datetime(2027, 3, 5, 10, 30, tzinfo=UTC)
PERIOD = {"period_start": NOW, "period_end": NOW + timedelta(days=31)}


def publish_catalog(*, sets: dict[str, list[str]] | None = None) -> None:
    """Put the catalogue file on sale, without Stripe; `sets` by plan: to whom alone it is sold."""
    catalog = json.loads(CATALOG.read_text())
    for plan in catalog["rate_plans"]:
        plan["sets"] = (sets or {}).get(plan["id"], plan["sets"])
    activate(catalog, stage_prices(catalog, actor="system:tests", now=NOW), actor="system:tests", now=NOW)


def phase(plan: str, *, rank: int, unit_amount_minor: int = 2500, value: str | int | None = None) -> Phase:
    """Return a monthly phase from NOW on."""
    return Phase(
        value=plan if value is None else value,
        rank=rank,
        rate_plan_id=plan,
        price_id=f"{plan}_month_v1" if unit_amount_minor else "",
        stripe_price_id="price_1Monthly" if unit_amount_minor else "",
        interval="month",
        unit_amount_minor=unit_amount_minor,
        billed_quantity=1 if unit_amount_minor else 0,
        currency="usd",
        starts_at=NOW,
        ends_at=NOW + timedelta(days=31),
    )


def own(account: Account, zone: Zone, current: Phase, scheduled: Phase | None = None, **signals: Any) -> Ope:
    """Give a zone a plan."""
    return Ope.objects.create(
        account=account,
        object_kind="zone",
        object_id=zone.pk,
        product="zone_plans",
        kind=Ope.Kind.ENUM,
        subscription_id=new_id(),
        value_phases=[part.to_json() for part in (current, scheduled) if part],
        license_source_id=signals.pop("license_source_id", "sub_1QpaidPlan:si_1QproMonthly"),
        created_date=NOW,
        **signals,
    )


def bill(account: Account, *, total_minor: int, status: str = "paid", number: str = "", **details: Any) -> Invoice:
    """Ask an account for money, for a plan."""
    is_paid = status == "paid"
    return Invoice.objects.create(
        account=account,
        number=number or f"PGO-{uuid4().hex[:8].upper()}",
        stripe_invoice_id=f"in_{uuid4().hex[:20]}",
        status=status,
        reason="purchase",
        currency="usd",
        subtotal_minor=total_minor,
        total_minor=total_minor,
        paid_minor=total_minor if is_paid else 0,
        created_at=details.pop("created_at", NOW),
        finalized_at=NOW,
        paid_at=NOW if is_paid else None,
        **PERIOD,
        **details,
    )


def waiting_change(account: Account, zone: Zone) -> ChangeWorkflow:
    """Start a purchase that waits for the customer."""
    after = phase("business", rank=2, unit_amount_minor=25000)
    workflow = ChangeWorkflow.objects.create(
        account=account,
        step=Step.AWAITING_PAYMENT.value,
        origin="dashboard",
        actor=f"customer:{account.pk}",
        request={
            "wants": [
                {
                    "object_kind": "zone",
                    "object_id": zone.pk,
                    "plan_name": "business",
                    "interval_name": "monthly",
                    "components": {"page_rules": 60},
                }
            ],
            "on_session": True,
        },
        request_digest="d16e57" * 10,
        plan={
            "path": "on_session_create",
            "currency": "usd",
            "interval": "month",
            "due_now_minor": 25000,
            "period_start": None,
            "period_end": None,
            "elements": [
                {
                    "ope_id": new_id(),
                    "is_new": True,
                    "object_kind": "zone",
                    "object_id": zone.pk,
                    "product": "zone_plans",
                    "kind": "enum",
                    "subscription_id": new_id(),
                    "before": phase("free", rank=0, unit_amount_minor=0).to_json(),
                    "after": after.to_json(),
                    "license_source": "stripe",
                    "why": "asked for",
                }
            ],
            "lines": [
                {
                    "ope_id": "",
                    "description": "Business Plan",
                    "price_id": "business_month_v1",
                    "stripe_price_id": "price_1Business",
                    "quantity": 1,
                    "unit_amount_minor": 25000,
                    "amount_minor": 25000,
                }
            ],
            "calls": [
                {
                    "operation": "subscriptions.create",
                    "params": {
                        "customer": "cus_9",
                        "items": [{"price": "price_1Business", "quantity": 1}],
                        "payment_behavior": "default_incomplete",
                        "client_secret": "pi_1_secret_NEVER_SHOWN",
                    },
                    "object_id": "",
                }
            ],
            "schedule_id": "",
            "method_id": "",
            "method_processor_id": "",
            "claims": [f"object:{zone.pk}"],
        },
        stripe_customer_id="cus_9",
        stripe_invoice_id=f"in_{uuid4().hex[:20]}",
        stripe_payment_intent_id=f"pi_{uuid4().hex[:20]}",
        stripe_subscription={"id": "sub_1Waiting", "status": "incomplete"},
        client_secret="pi_1_secret_NEVER_SHOWN",
        requested_at=NOW,
        expires_at=NOW + timedelta(hours=23),
        next_at=NOW,
    )
    ChangeClaim.objects.create(workflow=workflow, account=account, resource=f"object:{zone.pk}")
    return workflow


def _owing(account: Account) -> None:
    """What the brain concluded of it, and what it had done outside."""
    SubsDunning.objects.create(
        account=account, status="retrying", because="retries remain", level=2, retry_count=2, policy_version=1,
        inputs_digest="0" * 64, cause="invoice.payment_failed#4", decided_at=NOW,
    )  # fmt: skip
    kept = DunningDecision.objects.create(
        account=account, status="retrying", because="retries remain", level=2, policy_version=1,
        diff=[{"change": "SetBan", "on": False, "because": ""}], inputs_digest="0" * 64, cause="time", decided_at=NOW,
    )  # fmt: skip
    DunningAction.objects.create(
        account=account, decision=kept, kind="notify", rank=5, identity="payment_failed::2", asked_at=NOW,
        next_at=NOW, facts={"told": "payment_failed", "level": 2},
    )  # fmt: skip


@unguarded()
def account_with_everything(
    name: str = "Acme & Söhne <b>GmbH</b>", *, domain: str = "acme.example", plans: int = 1
) -> Account:
    """Make an account with one of everything and `plans` paid zones."""
    account = create_account(name=name, email=f"owner@{domain}", actor="customer:signup", now=NOW)
    Customer.objects.create(account=account, stripe_customer_id=f"cus_{uuid4().hex[:14]}")
    schedule = BillingSchedule.objects.create(
        account=account,
        interval="month",
        anchor_at=NOW,
        next_at=NOW + timedelta(days=31),
        owner="stripe",
        stripe_subscription_id=f"sub_{uuid4().hex[:20]}",
    )
    zones = [
        create_zone(account.pk, name=f"zone{number}.{domain}" if number else domain, actor="customer:owner", now=NOW)
        for number in range(plans + 2)
    ]
    opes = [own(account, zone, phase("pro", rank=1)) for zone in zones[:plans]]
    own(account, zones[-2], phase("free", rank=0, unit_amount_minor=0), license_source_id="USER:free")
    own(account, zones[-1], phase("pro", rank=1), phase("free", rank=0, unit_amount_minor=0))
    method = PaymentMethod.objects.create(
        account=account,
        processor="stripe",
        processor_id=f"pm_{uuid4().hex[:20]}",
        kind="card",
        brand="visa",
        last4="4242",
        expiry_month=4,
        expiry_year=2030,
        is_default=True,
        created_at=NOW,
    )
    for ope in opes:
        _paid(account, ope, method, schedule)
    _told_of_domains(account, domain)
    _declined(account, method)
    _credited(account)
    waiting_change(account, zones[0])
    _owing(account)
    Entitlement.objects.bulk_create(
        Entitlement(
            account=account,
            zone_id=zone.pk,
            feature=feature,
            allocation="max_count",
            value=20,
            basis=Basis.PAID,
            source_ope_id=opes[0].pk,
            valid_from=NOW,
            version=1,
            changed_at=NOW,
        )
        for zone in zones[:plans]
        for feature in ("page_rules", "waf_rules", "image_resizing")
    )
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE,
        external_id=f"evt_{uuid4().hex[:20]}",
        kind="invoice.payment_failed",
        reason=SubsStuckEvent.Reason.HANDLER_ERROR,
        signature="KeyError",
        customer_reference="cus_9",
        now=NOW,
    )
    SubsStuckEvent.objects.filter(kind="invoice.payment_failed").update(account=account)
    StripeEvent.objects.create(
        id=f"evt_{uuid4().hex[:20]}",
        type="invoice.paid",
        api_version="2026-10-28.endive",
        account_id=account.pk,
        created_at=NOW,
        received_at=NOW,
        processed_at=NOW,
        outcome="changed",
        next_at=NOW,
        payload={
            "data": {
                "object": {
                    "id": "in_1",
                    "object": "invoice",
                    "status": "paid",
                    "amount_paid": 2500,
                    "customer_email": "secret.person@acme.example",
                }
            }
        },
    )
    with account_lock(account.pk):
        journal.emit(
            _fact("change.requested", account, f"customer:{account.pk}"),
            _fact("change.committed", account, f"customer:{account.pk}"),
            _fact("change.declined", account, "system:resume", reason="card_declined"),
            _fact("change.requested", account, "agent:ann", reason="ticket 4711"),
            at=NOW + timedelta(hours=2),
        )
    return account


def keep_waiting(event: StripeEvent, *, reason: str = SubsStuckEvent.Reason.HANDLER_ERROR) -> None:
    """Have an event wait as stuck."""
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE,
        external_id=event.pk,
        kind=event.type,
        reason=SubsStuckEvent.Reason(reason),
        signature="KeyError in billing/x.py:y",
        customer_reference="cus_9",
        now=NOW,
    )


def _fact(kind: str, account: Account, actor: str, reason: str = "") -> journal.Fact:
    return journal.Fact(kind, account.pk, actor, reason, after=KINDS[kind].after.example)


def registrar_message(account: Account, domain: str, *, expires_at: datetime = NOW + timedelta(days=365)) -> str:
    """Return what the registrar says of a domain that was registered."""
    said = {
        "id": f"evt-{uuid4().hex[:12]}",
        "type": "registered",
        "account_id": account.pk,
        "occurred_at": NOW.isoformat(),
        "domain": {"name": domain, "expires_at": expires_at.isoformat(), "years": 1, "auto_renew": True},
        "contact": "secret.person@example.com",
    }
    return json.dumps(said)


def keep_aside(body: str) -> PoisonMessage:
    """Keep a message of the registrar's that could not be acted on."""
    poison = PoisonMessage.objects.create(id=f"evt-{uuid4().hex[:12]}", body=body, kept_at=NOW)
    open_stuck(
        source=SubsStuckEvent.Source.QUEUE,
        external_id=poison.pk,
        kind="domain.registered",
        reason=SubsStuckEvent.Reason.RETRIES_EXHAUSTED,
        signature="Account.DoesNotExist",
        customer_reference="",
        now=NOW,
    )
    return poison


def _told_of_domains(account: Account, domain: str) -> None:
    """Have a domain's payment be declined, its owner told, and a message of the registrar's be unreadable."""
    charge = DomainCharge.objects.create(
        account=account, kind="registered", domain=f"shop.{domain}", years=1, expires_at=NOW + timedelta(days=365),
        tries=1, outcome="payment_declined", ended_at=NOW, next_at=NOW,
    )  # fmt: skip
    DomainEvent.objects.create(
        id=f"evt-{uuid4().hex[:12]}", account=account, kind="registered", domain=charge.domain, occurred_at=NOW,
        processed_at=NOW, outcome="charge",
    )  # fmt: skip
    Notice.objects.create(
        account=account, kind="domain_unpaid", about=charge.pk, level=1, language="en",
        facts={"domain": charge.domain, "years": 1}, created_at=NOW, next_at=NOW,
    )  # fmt: skip
    keep_aside("no JSON, but secret.person@example.com")
    keep_aside(registrar_message(account, f"blog.{domain}"))


def _declined(account: Account, method: PaymentMethod) -> None:
    """Ask for money that the bank does not give."""
    invoice = bill(account, total_minor=2500, status="open", collection_failed="card_declined")
    PaymentAttempt.objects.create(
        account=account,
        invoice=invoice,
        method=method,
        status="failed",
        code="insufficient_funds",
        stripe_payment_intent_id=f"pi_{uuid4().hex[:20]}",
        on_session=False,
        amount_minor=2500,
        currency="usd",
        started_at=NOW,
        finished_at=NOW,
    )


def _given_back(attempt: PaymentAttempt, amount_minor: int) -> None:
    """Have a part of a payment be given back."""
    of = {"account": attempt.account, "currency": attempt.currency}
    charge = Charge.objects.create(
        **of,
        attempt=attempt,
        invoice=attempt.invoice,
        amount_minor=attempt.amount_minor,
        refunded_minor=amount_minor,
        charged_at=NOW,
    )
    note = CreditNote.objects.create(
        **of,
        invoice=attempt.invoice,
        status="issued",
        why="refund",
        subtotal_minor=amount_minor,
        total_minor=amount_minor,
        to_method_minor=amount_minor,
        actor="agent:ann",
        asked_at=NOW,
        issued_at=NOW,
    )
    Refund.objects.create(
        **of, charge=charge, credit_note=note, status="succeeded", amount_minor=amount_minor, asked_at=NOW, ended_at=NOW
    )


def _credited(account: Account) -> None:
    """Have credit of which a part paid for an invoice."""
    credit = Credit.objects.create(
        account=account,
        kind=Credit.Kind.GOODWILL,
        amount_minor=10_00,
        remaining_minor=7_00,
        currency="usd",
        source=f"agent:{uuid4().hex}",
        actor="agent:ann",
        reason="sorry for the outage",
        granted_at=NOW,
        expires_at=NOW + timedelta(days=90),
    )
    CreditUse.objects.create(
        credit=credit,
        account=account,
        invoice=Invoice.objects.filter(account=account, status="paid").first(),
        amount_minor=3_00,
        status="used",
        reserved_at=NOW,
    )


def _paid(account: Account, ope: Ope, method: PaymentMethod, schedule: BillingSchedule) -> None:
    invoice = bill(account, total_minor=2500, schedule=schedule)
    InvoiceLine.objects.create(
        invoice=invoice,
        ope=ope,
        description="Pro Plan",
        price_id="pro_month_v1",
        quantity=1,
        unit_amount_minor=2500,
        amount_minor=2500,
        in_advance=True,
        **PERIOD,
    )
    attempt = PaymentAttempt.objects.create(
        account=account,
        invoice=invoice,
        method=method,
        status="succeeded",
        on_session=True,
        amount_minor=2500,
        currency="usd",
        stripe_payment_intent_id=f"pi_{uuid4().hex[:20]}",
        started_at=NOW,
        finished_at=NOW,
    )
    _given_back(attempt, 5_00)
    for kind, sides in (("finalized", (("receivable", 2500), ("revenue", -2500))),
                        ("paid", (("cash_stripe", 2500), ("receivable", -2500)))):  # fmt: skip
        posted = LedgerTransaction.objects.create(
            account=account, kind=kind, source=f"{kind}:{invoice.pk}", invoice=invoice, posted_at=NOW
        )
        LedgerEntry.objects.bulk_create(
            LedgerEntry(transaction=posted, account=account, book=book, amount_minor=amount_minor, currency="usd")
            for book, amount_minor in sides
        )
