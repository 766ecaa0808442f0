"""Credit pays for a change before money does. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..invoicing.spending import Spendable, spend
from .change_set import ChangeSet, PlannedLine

CREDIT_PRODUCT = "paygo_credit"
DESCRIPTION = "Credit"
# What is bought from a subscription; a domain is never paid by credit.
PAID_BY_CREDIT = frozenset({"subscriptions.create", "subscriptions.update"})


def paid_by_credit(change: ChangeSet, credits_left: Iterable[Spendable], *, at: datetime) -> ChangeSet:
    """
    Return the change with as much of it paid by credit as there is, and no more than it costs.

    The credit is a line below zero, on the same invoice by the same call. Which credits it is made of is part of the
    plan: they are reserved when the change begins, used when it is committed, and free again if it is not.
    """
    if change.due_now_minor <= 0 or not change.calls or change.calls[-1].operation not in PAID_BY_CREDIT:
        return change
    uses = spend(change.due_now_minor, credits_left, currency=change.currency)
    credit_minor = sum(part_minor for _, part_minor in uses)
    if not credit_minor:
        return change
    *others, call = change.calls
    added = [*call.params.get("add_invoice_items", []), _item(change, credit_minor, at)]
    line = PlannedLine(
        ope_id="",
        description=DESCRIPTION,
        price_id="",
        stripe_price_id="",
        quantity=1,
        unit_amount_minor=-credit_minor,
        amount_minor=-credit_minor,
    )
    return replace(
        change,
        due_now_minor=change.due_now_minor - credit_minor,
        lines=(*change.lines, line),
        calls=(*others, replace(call, params=call.params | {"add_invoice_items": added})),
        credit_uses=uses,
    )


def _item(change: ChangeSet, credit_minor: int, at: datetime) -> dict[str, Any]:
    item: dict[str, Any] = {
        "price_data": {"currency": change.currency, "product": CREDIT_PRODUCT, "unit_amount": -credit_minor},
        "quantity": 1,
    }
    if change.period_end is not None:
        start = {"type": "timestamp", "timestamp": int(at.timestamp())}
        item["period"] = {"start": start, "end": {"type": "timestamp", "timestamp": int(change.period_end.timestamp())}}
    return item
