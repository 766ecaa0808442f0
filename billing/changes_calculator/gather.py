"""Stage 1 of 4, Gather: read everything the decision needs. No call to Stripe, and a fixed number of statements."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, JSONObject

from accounts.flags import AccountFlag
from accounts.models import CONTRACT_TYPES, Account, Zone

from ..catalog.lookup import VERSION_ON_SALE, catalog_at
from ..invoicing.spending import Spendable
from ..invoicing.states import InvoiceStatus
from ..models.changes import ChangeWorkflow
from ..models.credits import Credit
from ..models.empty_items import EmptyItem as EmptyItemRow
from ..models.invoices import BillingSchedule, Invoice
from ..models.left_clocks import LeftClock
from ..models.methods import PaymentMethod
from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from ..payments.tries import methods_of_tired_cards
from .request import ChangeRequest
from .snapshot import Element, EmptyItem, Method, Schedule, Snapshot, Waiting
from .steps import Step

A_DAY = timedelta(days=1)
# What a contract is billed for is paid by its terms: while it is open nobody is late, and nobody can pay it here.
_IS_DUE = Q(status=InvoiceStatus.OPEN.value) & ~Q(stripe_invoice_id="")
# What was given up restricts by the flag alone: debt that was lifted is still owed, and restricts nobody.
DUE = Invoice.objects.filter(_IS_DUE)
UNPAID = Invoice.objects.filter(_IS_DUE | Q(status=InvoiceStatus.UNCOLLECTIBLE.value))


def gather(request: ChangeRequest) -> Snapshot:
    """
    Return the account as it stands, for one change.

    Call it under the account's lock to act on what it says; a preview may call it without. Six statements,
    whatever the account owns; the catalogue's rows only after a publication.
    """
    account = _account(request)
    customer = getattr(account, "customer", None)
    stored = _methods(account.pk, request.requested_at)
    needs_method = _needs_method(account, stored)
    return Snapshot(
        account_id=account.pk,
        account_is_contract=account.subs_account.account_type in CONTRACT_TYPES,
        is_banned=account.subs_account.banned_at is not None,
        has_bad_debt=account.subs_account.has_bad_debt,
        owes_open_invoice=account.owes_open_invoice,
        owned_objects=frozenset(account.owned_zones) | {account.pk},
        stripe_customer_id=customer.stripe_customer_id if customer else "",
        catalog=catalog_at(account.catalog_version),
        # Who is there confirms a method with the payment.
        methods=() if needs_method and request.on_session else stored,
        needs_method=needs_method,
        elements=_elements(account.pk),
        schedules=_schedules(account.pk, request.requested_at),
        waiting=_waiting(account.pk),
        credits=_credits(account.spendable_credits),
        is_closed=account.closed_at is not None,
        product_sets=frozenset(account.subs_account.product_sets or ()),
        owed_by_former_owners=frozenset(account.owed_zones),
    )


def _needs_method(account: Any, stored: tuple[Method, ...]) -> bool:
    """Whether what is stored may not be charged: it has failed for good, or the default card too often lately."""
    if account.subs_account.payment_method_required_at is not None:
        return True
    return any(method.is_default and method.is_tired for method in stored)


def _account(request: ChangeRequest) -> Any:
    """Return the account with what one statement says of it beside: debts, zones, credits, the catalogue's version."""
    accounts = Account.objects.select_related("subs_account", "customer").annotate(
        owes_open_invoice=Exists(DUE.filter(account=request.account_id)),
        owned_zones=ArraySubquery(_zones(request).values("pk")),
        owed_zones=ArraySubquery(_owed_by_former_owners(_zones(request)).values("pk")),
        catalog_version=VERSION_ON_SALE,
        spendable_credits=ArraySubquery(_spendable(request)),
    )
    return accounts.get(pk=request.account_id)


def _zones(request: ChangeRequest) -> QuerySet[Zone, Any]:
    """Those zones of the request that are the account's."""
    return Zone.objects.filter(pk__in=request.object_ids, account=request.account_id, deleted_at__isnull=True)


def _owed_by_former_owners(zones: QuerySet[Zone, Any]) -> QuerySet[Zone, Any]:
    """Those of the zones whose domain another account had, which still owes: an unpaid invoice, or the debt flag."""
    has_debt = Q(Exists(UNPAID.filter(account=OuterRef("account")))) | Q(debt__gt=0)
    former = Zone.objects.filter(name=OuterRef("name"), deleted_at__isnull=False).exclude(account=OuterRef("account"))
    of_debtors = former.annotate(debt=F("account__subs_account__flags").bitand(AccountFlag.BAD_DEBT.value))
    return zones.filter(Exists(of_debtors.filter(has_debt)))


def _spendable(request: ChangeRequest) -> QuerySet[Credit, Any]:
    """What of the account's credits neither is spent, nor kept for something else, nor has expired."""
    credits_left = Credit.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=request.requested_at),
        account=request.account_id,
        ended_at__isnull=True,
        remaining_minor__gt=F("reserved_minor"),
    )
    return credits_left.values(
        found=JSONObject(
            id="id",
            available_minor=F("remaining_minor") - F("reserved_minor"),
            currency="currency",
            expires_at="expires_at",
            granted_at="granted_at",
        )
    )


def _credits(found: list[dict[str, Any]]) -> tuple[Spendable, ...]:
    return tuple(
        Spendable(
            id=row["id"],
            available_minor=row["available_minor"],
            currency=row["currency"],
            expires_at=datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
            granted_at=datetime.fromisoformat(row["granted_at"]),
        )
        for row in found
    )


def _methods(account_id: str, at: datetime) -> tuple[Method, ...]:
    mine = PaymentMethod.objects.filter(account=account_id, processor=PaymentMethod.Processor.STRIPE)
    is_tired = Q(pk__in=methods_of_tired_cards([account_id], now=at))
    usable = mine.filter(is_usable=True, deleted_at__isnull=True).annotate(
        is_tired=ExpressionWrapper(is_tired, output_field=BooleanField())
    )
    return tuple(
        Method(method.pk, method.processor_id, is_default=method.is_default, is_tired=method.is_tired)
        for method in usable.order_by("-is_default", "created_at")
    )


def _elements(account_id: str) -> tuple[Element, ...]:
    return tuple(
        Element(
            id=ope.pk,
            object_kind=ope.object_kind,
            object_id=ope.object_id,
            product=ope.product,
            kind=ope.kind,
            subscription_id=ope.subscription_id,
            current=ope.current,
            scheduled=ope.scheduled,
            license_source_id=ope.license_source_id,
            state=ope.state,
        )
        for ope in Ope.objects.filter(account=account_id, deleted_date__isnull=True)
    )


def _schedules(account_id: str, at: datetime) -> tuple[Schedule, ...]:
    is_told = Q(applied_at__isnull=False) | Q(is_telling=True)
    told = Sslc.objects.filter(is_told, schedule=OuterRef("pk"), ended_at__isnull=True)
    left = LeftClock.objects.filter(schedule=OuterRef("pk"))
    empty = EmptyItemRow.objects.filter(schedule=OuterRef("pk")).order_by("stripe_price_id")
    fields = JSONObject(price_id="stripe_price_id", item_id="stripe_item_id", is_going="is_going")
    live = BillingSchedule.objects.filter(
        account=account_id, ended_at__isnull=True, owner=BillingSchedule.Owner.STRIPE
    ).annotate(
        is_closing=Exists(told),
        is_left=Exists(left),
        invoices_today=_invoices_since(at - A_DAY),
        empty=ArraySubquery(empty.values(item=fields)),
    )
    return tuple(
        Schedule(
            id=row.pk,
            interval=row.interval,
            anchor_at=row.anchor_at,
            next_at=row.next_at,
            stripe_subscription_id=row.stripe_subscription_id,
            is_closing=row.is_closing,
            invoices_today=row.invoices_today,
            is_left=row.is_left,
            empty_items=tuple(EmptyItem(**item) for item in row.empty),
        )
        for row in live.order_by("anchor_at", "pk")
    )


def _invoices_since(since: datetime) -> Any:
    """How many invoices a clock's subscription got: those on record, and those of changes that came to nothing."""
    kept = Invoice.objects.filter(schedule=OuterRef("pk"), created_at__gt=since).values("schedule")
    asked = ChangeWorkflow.objects.annotate(of_schedule=KT("plan__schedule_id")).exclude(stripe_invoice_id="")
    lost = asked.filter(
        account=OuterRef("account"), requested_at__gt=since, of_schedule=OuterRef("pk"), invoice__isnull=True
    )
    counted = (Subquery(rows.annotate(n=Count("pk")).values("n")) for rows in (kept, lost.values("account")))
    first, second = (Coalesce(each, 0) for each in counted)
    return first + second


def _waiting(account_id: str) -> tuple[Waiting, ...]:
    unfinished = ChangeWorkflow.objects.filter(account=account_id, finished_at__isnull=True)
    resources: dict[tuple[str, str, str], set[str]] = {}
    for pk, digest, step, resource in unfinished.values_list("pk", "request_digest", "step", "claims__resource"):
        resources.setdefault((pk, digest, step), set()).add(resource)
    return tuple(
        Waiting(pk, digest, frozenset(claimed), is_for_customer=step == Step.AWAITING_PAYMENT.value)
        for (pk, digest, step), claimed in resources.items()
    )
