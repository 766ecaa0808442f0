"""One page that answers: what does this account own, what does it owe, and what happened?"""

from collections.abc import Sequence
from typing import Any

from django.db.models import BigIntegerField, Count, Min, OuterRef, Subquery, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Account, JournalEntry, Member, SubsStuckEvent, Zone
from billing.admin.changes import CHANGE_HEADERS, change_row
from billing.admin.invoices import INVOICE_HEADERS, invoice_row
from billing.admin.opes import OPE_HEADERS, ope_row, with_state
from billing.invoicing.states import InvoiceStatus
from billing.models.changes import ChangeWorkflow
from billing.models.credits import Credit
from billing.models.invoices import REMAINING, BillingSchedule, Invoice
from billing.models.ledger import LedgerTransaction
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from config.panel.cells import NOTHING, Tone, badge, code, day, lines, link, list_link, moment, money, with_note
from config.panel.sections import Card, Facts, Page, Table, Timeline
from dunning.models.conclusions import SubsDunning
from entitlements.models import Entitlement

from .standing import standing_of
from .timeline import happening, timeline
from .words import flags_in_words

# How many rows of each kind the page shows; the rest is a link away, so a large account costs no more than a small one.
OPES, INVOICES, HAPPENINGS, ASIDE = 30, 10, 40, 8
OWED = [InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value]


def account_page(account: Account) -> Page:
    """Return the whole page, with one statement for each kind of row that it shows."""
    journal = list(JournalEntry.objects.filter(account=account).order_by("-sequence")[:HAPPENINGS])
    waiting = ChangeWorkflow.objects.filter(account=account, finished_at__isnull=True).order_by("requested_at")[:10]
    opes = with_state(Ope.objects.filter(account=account, deleted_date__isnull=True)).order_by("object_id", "product")
    invoices = Invoice.objects.filter(account=account).order_by("-created_at")[:INVOICES]
    standing = standing_of(account)
    return Page(
        title=account.name,
        subtitle=with_note(badge(standing.word, standing.tone), code(account.pk)),
        cards=[
            _owns(account),
            _owes(account),
            Card("May buy", standing.word, standing.why, standing.tone),
            _happened(journal),
        ],
        sections=[
            Table(
                "Changes that wait",
                CHANGE_HEADERS,
                [change_row(workflow) for workflow in waiting],
                "No change is on its way.",
                more=list_link(ChangeWorkflow, "all changes", q=account.pk),
            ),
            Table(
                "What it owns",
                OPE_HEADERS,
                [ope_row(ope) for ope in opes[:OPES]],
                "It owns nothing yet.",
                more=list_link(Ope, "all, removed ones too", q=account.pk),
            ),
            Table(
                "Invoices",
                INVOICE_HEADERS,
                [invoice_row(invoice) for invoice in invoices],
                "Nothing was billed yet.",
                more=format_html(
                    "{} · {} · {} · {}",
                    list_link(Invoice, "all invoices", q=account.pk),
                    list_link(Credit, "credits", q=account.pk),
                    list_link(LedgerTransaction, "ledger", q=account.pk),
                    list_link(SubsDunning, "debt, and why", q=account.pk),
                ),
            ),
            Timeline(
                "What happened",
                timeline(journal),
                "Nothing happened yet.",
                more=list_link(JournalEntry, "the whole journal", q=account.pk),
            ),
        ],
        aside=[
            _profile(account),
            _processors(account),
            _methods(account),
            _zones(account),
            _members(account),
            _may_use(account),
            *_stuck(account),
        ],
    )


def _owns(account: Account) -> Card:
    """Say how many things are owned and what they cost together, per interval and currency."""
    now = "value_phases__0"
    sums = (
        Ope.objects.filter(account=account, deleted_date__isnull=True)
        .annotate(currency=KT(f"{now}__currency"), interval=KT(f"{now}__interval"))
        .values("currency", "interval")
        .annotate(count=Count("pk"), total_minor=Sum(Cast(KT(f"{now}__amount_minor"), BigIntegerField())))
        .order_by("currency", "interval")
    )
    rows = list(sums)
    costs = [f"{money(row['total_minor'], row['currency'])} / {row['interval']}" for row in rows if row["total_minor"]]
    count = sum(row["count"] for row in rows)
    products = f"{count} product{'' if count == 1 else 's'}"
    return Card(
        "Owns", lines(*costs) if costs else products, f"{products} in all" if costs else "nothing that costs", Tone.INFO
    )


def _owes(account: Account) -> Card:
    """Say what is open, from the invoices: an account owes what it was asked for and has not paid."""
    sums = (
        Invoice.objects.filter(account=account, status__in=OWED)
        .values("currency")
        .annotate(open_minor=Sum(REMAINING), count=Count("pk"), oldest=Min("created_at"))
        .order_by("currency")
    )
    rows = [row for row in sums if row["open_minor"]]
    if not rows:
        return Card("Owes", "nothing", "no invoice is open", Tone.GOOD)
    count, oldest = sum(row["count"] for row in rows), min(row["oldest"] for row in rows)
    detail = f"{count} open invoice{'' if count == 1 else 's'}, the oldest of {oldest:%Y-%m-%d}"
    return Card("Owes", lines(*(money(row["open_minor"], row["currency"]) for row in rows)), detail, Tone.BAD)


def _happened(journal: Sequence[JournalEntry]) -> Card:
    if not journal:
        return Card("Last happened", "nothing", "the journal is empty")
    latest = happening(journal[0])
    return Card("Last happened", moment(latest.at), latest.sentence)


def _profile(account: Account) -> Facts:
    profile = getattr(account, "subs_account", None)
    if profile is None:
        return Facts("Billing profile", [("Profile", "there is none")])
    flags = flags_in_words(profile.flags)
    return Facts(
        "Billing profile",
        [
            ("E-mail", profile.email),
            (
                "On its papers",
                with_note(profile.company or account.name, profile.tax_id and f"Tax ID {profile.tax_id}"),
            ),
            ("Type", profile.get_account_type_display()),
            ("Flags", lines(*(badge(flag, Tone.BAD) for flag in flags)) or "none is set"),
            ("Banned", with_note(moment(profile.banned_at), profile.banned_rule) if profile.banned_at else "no"),
            (
                "Payment method required",
                moment(profile.payment_method_required_at) if profile.payment_method_required_at else "no",
            ),
            ("Customer since", moment(account.created_at)),
        ],
    )


def _processors(account: Account) -> Facts:
    """Show the customers at the processors, and warn when another account has the same: nobody may act on those."""
    customer = getattr(account, "customer", None)
    schedules = BillingSchedule.objects.filter(account=account, ended_at__isnull=True).order_by("interval")[:ASIDE]
    billed = [
        with_note(f"each {schedule.interval}, next {schedule.next_at:%Y-%m-%d}", code(schedule.stripe_subscription_id))
        for schedule in schedules
    ]
    if customer is None:
        return Facts("At the processors", [("Stripe customer", "not made yet"), ("Billed", lines(*billed) or NOTHING)])
    stripe: SafeString = code(customer.stripe_customer_id)
    if account.shares_its_customer:  # type: ignore[attr-defined]  # annotated by AccountPanel
        stripe = lines(stripe, badge("shared with another account", Tone.BAD))
    return Facts(
        "At the processors",
        [
            ("Stripe customer", stripe),
            ("Braintree customer", code(customer.braintree_customer_id)),
            ("Bad debt since", moment(customer.bad_debt_since) if customer.bad_debt_since else "no bad debt"),
            ("Billed", lines(*billed) or "not yet"),
        ],
    )


def _methods(account: Account) -> Table:
    methods = PaymentMethod.objects.filter(account=account, deleted_at__isnull=True).order_by(
        "-is_default", "-created_at"
    )
    return Table(
        "Payment methods",
        ("Method", "Expires", ""),
        [_method_row(method) for method in methods[:ASIDE]],
        "It has none.",
    )


def _method_row(method: PaymentMethod) -> Sequence[object]:
    expires = (
        f"{method.expiry_month:02d}/{method.expiry_year}" if method.expiry_month and method.expiry_year else NOTHING
    )
    if not method.is_usable:
        return method, expires, badge(method.unusable_why, Tone.BAD)
    return method, expires, badge("default", Tone.GOOD) if method.is_default else ""


def _zones(account: Account) -> Table:
    zones = Zone.objects.filter(account=account, deleted_at__isnull=True).order_by("created_at", "pk")[:ASIDE]
    rows = [(link(Zone, zone.pk, zone.name), day(zone.created_at)) for zone in zones]
    return Table("Zones", ("Domain", "Since"), rows, "It has none.", more=list_link(Zone, "all zones", q=account.pk))


def _members(account: Account) -> Table:
    members = Member.objects.filter(account=account).select_related("person").order_by("created_at", "pk")[:ASIDE]
    rows: list[Sequence[Any]] = [
        (with_note(member.person.email, member.get_role_display().replace("_", " ")),) for member in members
    ]
    return Table("Members", ("Who",), rows, "It has none.")


def _may_use(account: Account) -> Table:
    """Say how many features are granted, for the account and for each zone; the zone's page names them."""
    name = Zone.objects.filter(pk=OuterRef("zone_id")).values("name")[:1]
    granted = (
        Entitlement.objects.filter(account=account)
        .values("zone_id", zone=Subquery(name))
        .annotate(features=Count("pk"))
    )
    rows = [
        (link(Zone, row["zone_id"], row["zone"]) if row["zone"] else "the whole account", f"{row['features']} features")
        for row in granted.order_by("zone_id")[:ASIDE]
    ]
    return Table(
        "May use", ("Where", "What"), rows, "Nothing is granted.", more=list_link(Entitlement, "all", q=account.pk)
    )


def _stuck(account: Account) -> list[Table]:
    """Show what is stuck; nothing at all when nothing is, as nearly always."""
    stuck = SubsStuckEvent.objects.filter(account=account, resolved_at__isnull=True).order_by("-stuck_at")[:ASIDE]
    rows = [(link(SubsStuckEvent, item.pk, item.kind), badge(item.get_reason_display(), Tone.BAD)) for item in stuck]
    return [Table("Stuck events", ("Event", "Why"), rows, "")] if rows else []
