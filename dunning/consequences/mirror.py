"""
The conclusion, copied to Stripe's metadata for those who still read it there. It decides nothing.

Five keys: `bad_debt` and `account_type` on the customer; `bad_debt_amount`, `bad_debt_paid` and `bad_debt_invoices`
on each invoice that ever was bad.
"""

import hashlib
import json
from datetime import datetime

from accounts.models import SubsAccount
from billing.cfstripe import customers, invoices
from billing.invoicing.states import InvoiceStatus
from billing.models.invoices import Invoice
from billing.models.stripe_mirror import StripeMirror

from ..models.actions import DunningAction
from ..models.conclusions import BadInvoice
from .outcome import OVERTAKEN, Done

# Stripe takes no longer value.
VALUE_LENGTH = 500


def mirror(action: DunningAction, *, now: datetime) -> Done:  # noqa: ARG001
    """
    Copy how the account stands by now, not how it stood when this was asked for: the last copy is right.

    Only what differs from what Stripe last showed is written. One call for each object that differs.
    """
    profile = SubsAccount.objects.select_related("account__customer").get(pk=action.account_id)
    customer = getattr(profile.account, "customer", None)
    if customer is None or not customer.stripe_customer_id:
        return Done(code=OVERTAKEN)
    wanted = {
        customer.stripe_customer_id: {
            "bad_debt": _word(profile.has_bad_debt),
            "account_type": profile.account_type,
        },
        **_of_invoices(action.account_id),
    }
    shown = dict(StripeMirror.objects.filter(pk__in=wanted).values_list("pk", "payload__metadata"))
    seen = []
    for object_id, metadata in wanted.items():
        known = shown.get(object_id) or {}
        if object_id != customer.stripe_customer_id and all(known.get(key) == metadata[key] for key in metadata):
            continue
        write = customers.set_metadata if object_id == customer.stripe_customer_id else invoices.set_metadata
        seen.append(write(object_id, metadata, key=_key(action, object_id, metadata)))
    return Done(seen=tuple(seen))


def _of_invoices(account_id: str) -> dict[str, dict[str, str]]:
    """What each invoice that ever was bad says of the debt, by its id at Stripe."""
    gone_bad = BadInvoice.objects.filter(account=account_id).values("pk")
    bad = list(Invoice.objects.filter(pk__in=gone_bad).exclude(stripe_invoice_id="").order_by("created_at", "pk"))
    owed = [invoice.stripe_invoice_id for invoice in bad if invoice.remaining_minor]
    ids = ",".join(owed)
    if len(ids) > VALUE_LENGTH:
        ids = ids[:VALUE_LENGTH].rpartition(",")[0]
    return {
        invoice.stripe_invoice_id: {
            "bad_debt_amount": str(invoice.remaining_minor),
            "bad_debt_paid": _word(invoice.status == InvoiceStatus.PAID.value),
            "bad_debt_invoices": ids,
        }
        for invoice in bad
    }


def _word(says_yes: bool) -> str:
    return "true" if says_yes else "false"


def _key(action: DunningAction, object_id: str, metadata: dict[str, str]) -> str:
    """Repeated, the same copy has the same key; another copy by the same action has another."""
    what = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()[:16]
    return f"mirror_{action.pk}_{object_id}_{action.attempts}_{what}"
