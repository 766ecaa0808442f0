"""
What stands in for the Dashboard on one machine: where the links of e-mails lead when no other address is configured.

The Dashboard itself is somebody else's program, and speaks the API. So this page says what the link is about, and the
calls of the API that do it. It shows nothing that the API would not need a token for, but what a change was for.
"""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.models.changes import ChangeWorkflow

Step = tuple[str, str]  # what it does, and the command


@require_safe
def dashboard_page(request: HttpRequest, account_id: str, rest: str) -> HttpResponse:
    """Show how to do what an e-mail's link is about."""
    api = request.build_absolute_uri("/client/v4")
    about, steps = _of(account_id, rest.strip("/").split("/"), api)
    shown = {"about": about, "steps": steps, "account_id": account_id, "bank": _bank(), "docs": f"{api}/docs"}
    return render(request, "dashboard/page.html", shown)


def _of(account_id: str, path: list[str], api: str) -> tuple[str, list[Step]]:
    """Return what the link is about, and what can be done: the first part of the path says which."""
    account = f"{api}/accounts/{account_id}"
    match path:
        case ["billing", "changes", workflow_id]:
            workflow = ChangeWorkflow.objects.filter(account=account_id, pk=workflow_id).first()
            if workflow is None:
                raise Http404
            return "a change of your subscriptions", [
                ("What became of it", _curl("GET", f"{account}/workflows/{workflow_id}")),
                _another_card(account_id),
                ("Make the change again, while you are here", _curl("POST", *_again(account, workflow))),
            ]
        case ["domains", domain]:
            return f"the domain {domain}", [
                _another_card(account_id),
                ("It is tried again by itself; look what was paid", _curl("GET", f"{account}/billing/history")),
            ]
        case _:
            return "your subscriptions and bills", [
                ("What you have", _curl("GET", f"{account}/subscriptions")),
                ("What is unpaid", _curl("GET", f"{account}/billing/unpaid-invoice")),
                _another_card(account_id),
                ("Pay the oldest bill", _curl("POST", f"{account}/pay-invoice", {})),
            ]


def _again(account: str, workflow: ChangeWorkflow) -> tuple[str, dict[str, Any]]:
    """Return the call that asks for the same again: a cart, whose key may be used once."""
    wants = [
        {
            **({"zone": {"id": want["object_id"]}} if want["object_kind"] == "zone" else {}),
            "rate_plan": {"id": want["plan_name"]},
            **({"frequency": want["interval_name"]} if want["interval_name"] else {}),
            **({"component_values": [{"name": name, "value": value} for name, value in want["components"].items()]}
               if want["components"] else {}),
            **({"cancel": True} if want["is_cancellation"] else {}),
        }
        for want in workflow.request["wants"]
    ]  # fmt: skip
    return f"{account}/bulk/subscriptions?idemp_key=again-{workflow.pk[:12]}", {"subscriptions": wants}


def _another_card(account_id: str) -> Step:
    return (
        "Store another card, which becomes the primary one",
        f".venv/bin/python manage.py simulate_card --account {account_id} --card 4242424242424242",
    )


def _curl(method: str, address: str, body: dict[str, Any] | None = None) -> str:
    said = f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'" if body is not None else ""
    return f"curl -X {method} -H \"Authorization: Bearer $TOKEN\"{said} '{address}'"


def _bank() -> str:
    """The page of the sandbox's bank, where a payment is confirmed; empty where Stripe itself is used."""
    base = str(settings.STRIPE_API_BASE or "")
    return f"{base}/_sandbox/authenticate?client_secret=" if base else ""
