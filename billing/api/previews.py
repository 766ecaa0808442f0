"""What a change would cost, before it is asked for."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import answer, rfc3339
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..changes_calculator.change_set import ChangeSet, ElementChange, PlannedLine
from ..changes_calculator.preview import preview
from ..objectproducts.phases import Phase
from .shapes import FREQUENCY, dollars
from .wants import PlacedSubscription, WantedSubscriptions, placed, request_of


class PreviewView(AccountView):
    """
    `/accounts/{account_id}/subscriptions/preview`: the bill of what a purchase, change or cart would do, not done.

    The body is that of a change, with the `zone` it is for, or that of a cart.
    """

    needs = {"POST": Permission.READ}

    def post(self, request: Request, account_id: str) -> Response:
        wants = [placed(wanted, account_id=account_id) for wanted in wishes(request.data)]
        return answer(preview_shape(preview(request_of(account_id, wants, actor=self.caller.actor))))


def wishes(data: Any) -> list[dict[str, Any]]:
    """
    Return what a body wants, one thing or a cart.

    :raises ValidationError: it makes no sense.
    """
    if isinstance(data, dict) and "subscriptions" in data:
        cart = WantedSubscriptions(data=data)
        cart.is_valid(raise_exception=True)
        return list(cart.validated_data["subscriptions"])
    one = PlacedSubscription(data=data)
    one.is_valid(raise_exception=True)
    return [one.validated_data]


def preview_shape(change: ChangeSet) -> dict[str, Any]:
    """Return what happens now and what at the end of the period; amounts in dollars, before tax."""
    return {
        "due_now": dollars(change.due_now_minor),
        "currency": (change.currency or "usd").upper(),
        "tax_included": False,
        "lines": [_line(line) for line in change.lines],
        "changes_now": [_change(element) for element in change.elements],
        "changes_at_period_end": [
            _change(element) | {"applies_on": rfc3339(element.after.starts_at) if element.after else None}
            for element in change.scheduled
        ],
    }


def _line(line: PlannedLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "quantity": line.quantity,
        "unit_price": dollars(line.unit_amount_minor),
        "amount": dollars(line.amount_minor),
    }


def _change(element: ElementChange) -> dict[str, Any]:
    return {
        "object": {"type": element.object_kind, "id": element.object_id},
        "subscription_id": element.subscription_id,
        "product": element.product,
        "before": _phase(element.before),
        "after": _phase(element.after),
        "because": element.why,
    }


def _phase(phase: Phase | None) -> dict[str, Any] | None:
    """What holds, None for nothing: an add-on or component that is not there."""
    if phase is None or (phase.rank == 0 and not isinstance(phase.value, str)):
        return None
    return {
        "rate_plan": {"id": phase.rate_plan_id},
        "value": phase.value,
        "price": dollars(phase.amount_minor),
        "frequency": FREQUENCY[phase.interval],
    }
