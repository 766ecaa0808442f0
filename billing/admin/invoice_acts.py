"""What agents can do about an invoice: charge it again, give a payment back, void it."""

from collections.abc import Mapping
from datetime import datetime

from django import forms

from billing.cfstripe.errors import StripeUnavailable
from billing.invoicing import acts, resolve
from billing.invoicing.states import ActKind, InvoiceStatus, allows
from billing.models.invoices import Invoice
from billing.models.methods import PaymentMethod
from billing.models.reversals import Charge, InvoiceAct
from billing.payments.candidates import candidates
from billing.payments.choose import next_method, why_not
from billing.payments.collect import collect
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import lines, money
from config.panel.roles import Permission

from .amounts import amount_field, amount_of, minor_of
from .credit_act import CREDIT

TO_METHOD, TO_CREDIT = "method", "credit"
NOT_NOW = "Stripe does not answer. What became of it is found out by itself; look again in a moment."


def _why_not_collect(invoice: Invoice, at: datetime) -> str:
    if invoice.status != InvoiceStatus.OPEN.value:
        return f"the invoice is {invoice.status}"
    return "" if invoice.stripe_invoice_id else "it is not collected by Stripe"


def _preview_collect(asked: Asked[Invoice]) -> Preview:
    """:raises ActRefused: no stored method may be charged now."""
    stored = candidates(asked.row, now=asked.at)
    chosen = next_method(stored, asked.at)
    named = {method.pk: str(method) for method in PaymentMethod.objects.filter(pk__in=[each.id for each in stored])}
    passed_over = [f"{named[each.id]}: {because}" for each in stored if (because := why_not(each, asked.at))]
    if chosen is None:
        raise ActRefused(f"No stored method may be charged now. {'; '.join(passed_over) or 'There is none'}.")
    return Preview(
        money=[
            ("Charged", money(asked.row.remaining_minor, asked.row.currency)),
            ("With", named[chosen.id]),
            ("If that is declined", "each other stored method in turn, until one pays"),
            ("Passed over", lines(*passed_over) or "none"),
        ],
        access=[("If it is paid", "what was restricted for this debt opens again")],
    )


def _collect(asked: Asked[Invoice]) -> str:
    """:raises ActRefused: Stripe is silent."""
    try:
        collect(asked.row, now=asked.at)
    except StripeUnavailable as silence:
        raise ActRefused(NOT_NOW) from silence
    asked.row.refresh_from_db()
    return "It is paid." if asked.row.status == InvoiceStatus.PAID.value else "It was not paid; the attempts say why."


COLLECT: Act[Invoice] = Act(
    name="collect",
    label="Retry the charge",
    sentence="Charge what is still owed to the stored methods now, in their order.",
    permission=Permission.COLLECT,
    why_not=_why_not_collect,
    preview=_preview_collect,
    do=_collect,
)


def _charge_of(invoice: Invoice) -> Charge | None:
    return invoice.charges.select_related("invoice").order_by("charged_at", "pk").last()


def _why_not_refund(invoice: Invoice, at: datetime) -> str:
    return "" if invoice.paid_minor else "nothing was paid on it"


def _refundable(asked: Asked[Invoice]) -> tuple[Charge, int]:
    """
    Return what is to be given back of which payment, in minor units.

    :raises ActRefused: so much of it can't be given back, or not now.
    """
    charge, amount_minor = _charge_of(asked.row), minor_of(asked.values["amount"], asked.row.currency)
    if charge is None:
        raise ActRefused("No payment that can be given back is known for this invoice.")
    if because := acts.why_not(asked.row, ActKind.CREDIT_NOTE):
        raise ActRefused(f"This can't be done: {because}.")
    left_minor = resolve.refundable_minor(charge)
    if amount_minor > left_minor:
        raise ActRefused(f"No more than {money(left_minor, asked.row.currency)} of the payment is left.")
    if because := resolve.why_not_refund(charge, amount_minor):
        raise ActRefused(f"This can't be refunded: {because}.")
    return charge, amount_minor


def _preview_refund(asked: Asked[Invoice]) -> Preview:
    (charge, amount_minor), currency = _refundable(asked), asked.row.currency
    is_to_credit = asked.values["to"] == TO_CREDIT
    return Preview(
        money=[
            ("Given back", money(amount_minor, currency)),
            ("To", "the account's credit" if is_to_credit else f"{_method_in_words(charge)}; the bank may take days"),
            ("Of the payment of", money(charge.amount_minor, currency)),
            ("Left of it afterwards", money(resolve.refundable_minor(charge) - amount_minor, currency)),
        ],
        access=[("Stays", "what the account has")],
        also=[("Paper", "a credit note of this invoice")],
    )


def _method_in_words(charge: Charge) -> str:
    return str(charge.attempt.method or "how it was paid")


def _refund(asked: Asked[Invoice]) -> str:
    charge, amount_minor = _refundable(asked)
    act = resolve.refund(
        charge.pk,
        amount_minor=amount_minor,
        to_credit=asked.values["to"] == TO_CREDIT,
        key=asked.key,
        actor=asked.actor,
        reason=asked.reason,
        now=asked.at,
    )
    return _told(act, f"{money(amount_minor, asked.row.currency)} was given back.")


def _refund_fields(invoice: Invoice) -> Mapping[str, forms.Field]:
    ways = [(TO_METHOD, "how it was paid"), (TO_CREDIT, "the account's credit")]
    return {"amount": amount_field(invoice.currency), "to": forms.ChoiceField(label="To", choices=ways)}


def _refund_begins_with(invoice: Invoice) -> Mapping[str, object]:
    charge = _charge_of(invoice)
    left_minor = resolve.refundable_minor(charge) if charge else 0
    return {"amount": amount_of(left_minor, invoice.currency), "to": TO_METHOD} if left_minor > 0 else {}


REFUND: Act[Invoice] = Act(
    name="refund",
    label="Refund",
    sentence="Give a payment, or a part of it, back, with a credit note.",
    permission=Permission.REFUND,
    why_not=_why_not_refund,
    preview=_preview_refund,
    do=_refund,
    fields=_refund_fields,
    initial=_refund_begins_with,
    is_final=True,
)


def _why_not_void(invoice: Invoice, at: datetime) -> str:
    return "" if allows(InvoiceStatus(invoice.status), ActKind.VOID) else f"the invoice is {invoice.status}"


def _preview_void(asked: Asked[Invoice]) -> Preview:
    """:raises ActRefused: a payment or something else of it is under way."""
    if because := acts.why_not(asked.row, ActKind.VOID):
        raise ActRefused(f"This can't be done: {because}.")
    return Preview(
        money=[("No longer owed", money(asked.row.remaining_minor, asked.row.currency)), ("Given back", "nothing")],
        access=[("Stays", "what the account has")],
    )


VOID: Act[Invoice] = Act(
    name="void",
    label="Void",
    sentence="Declare the invoice void, as if it had never been: for one that should not have been made.",
    permission=Permission.WRITE_OFF,
    why_not=_why_not_void,
    preview=_preview_void,
    do=lambda asked: _told(
        resolve.void(asked.row.pk, actor=asked.actor, reason=asked.reason, now=asked.at), "The invoice is void."
    ),
    is_final=True,
)

INVOICE_ACTS = (COLLECT, REFUND, CREDIT, VOID)


def _told(act: InvoiceAct, done: str) -> str:
    """
    Return how an act went: done, or written down and still to be done.

    :raises ActRefused: Stripe would not.
    """
    if act.refused_code:
        raise ActRefused(f"Stripe refused it ({act.refused_code}). Nothing was changed.")
    return done if act.done_at else "It is written down, and done as soon as Stripe answers."
