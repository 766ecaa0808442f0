"""
What the documents say of each operation: by method and path, what it answers and what it takes.

An operation that is not here is described all the same, by its address, its parameters and its docstring.
"""

from dataclasses import dataclass
from typing import Any

from . import examples as e


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter; `choices` are all that it may be, the first is what it is when it is left out."""

    name: str
    says: str
    choices: tuple[str, ...] = ()
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """An example of the result (a list: of one that has several) and of the body, and the query's parameters."""

    result: Any
    body: Any = None
    query: tuple[Query, ...] = ()


PAGES = (Query("page", "which page, from 1", is_number=True), Query("per_page", "how many, up to 50", is_number=True))
DIRECTION = Query("direction", "of the order", ("asc", "desc"))
KEY = Query("idemp_key", "names this cart: the same key again buys nothing again")
NAME = Query("name", "the whole name")
ZONES = (
    Query("match", "whether all of the filters must fit, or any", ("all", "any")),
    Query("order", "what the list is ordered by", ("name", "account.id", "account.name")),
    Query("status", "of the zone", ("active", "initializing", "pending", "moved")),
    Query("account.id", "the account's id"),
    Query("account.name", "the account's whole name"),
)
MEMBERSHIPS = (
    Query("order", "what the list is ordered by", ("id", "account.name", "status")),
    Query("status", "of the membership", ("accepted", "pending", "rejected")),
)

USER_BILLED = ("id", "type", "action", "description", "amount", "currency", "occurred_at")
_SUBSCRIPTION = "/accounts/{account_id}/subscriptions/{subscription_id}"

DASHBOARD: dict[tuple[str, str], Operation] = {
    ("GET", "/user/tokens/verify"): Operation({"id": e.ACCOUNT_ID, "status": "active", "expires_on": None}),
    ("GET", "/accounts"): Operation([e.ACCOUNT], query=(*PAGES, NAME, DIRECTION)),
    ("POST", "/accounts"): Operation(e.ACCOUNT, {"name": "Acme"}),
    ("GET", "/accounts/{account_id}"): Operation(e.ACCOUNT),
    ("PUT", "/accounts/{account_id}"): Operation(e.ACCOUNT, {"name": "Acme"}),
    ("DELETE", "/accounts/{account_id}"): Operation({"id": e.ACCOUNT_ID}),
    ("GET", "/memberships"): Operation([e.MEMBERSHIP], query=(*PAGES, NAME, DIRECTION, *MEMBERSHIPS)),
    ("GET", "/memberships/{membership_id}"): Operation(e.MEMBERSHIP),
    ("PUT", "/memberships/{membership_id}"): Operation(e.MEMBERSHIP, {"status": "accepted"}),
    ("DELETE", "/memberships/{membership_id}"): Operation({"id": e.MEMBERSHIP["id"]}),
    ("GET", "/zones"): Operation([e.ZONE], query=(*PAGES, NAME, DIRECTION, *ZONES)),
    ("GET", "/zones/{zone_id}"): Operation(e.ZONE),
    ("GET", "/zones/{zone_id}/subscription"): Operation(e.SUBSCRIPTION),
    ("POST", "/zones/{zone_id}/subscription"): Operation(e.SUBSCRIPTION, e.PURCHASE),
    ("PUT", "/zones/{zone_id}/subscription"): Operation(e.SUBSCRIPTION, e.CHANGE),
    ("GET", "/zones/{zone_id}/subscriptions"): Operation([e.SUBSCRIPTION]),
    ("POST", "/zones/{zone_id}/subscriptions"): Operation(e.SUBSCRIPTION, e.PURCHASE),
    ("PUT", "/zones/{zone_id}/subscriptions"): Operation(e.SUBSCRIPTION, e.CHANGE),
    ("GET", "/zones/{zone_id}/available_plans"): Operation([e.PLAN]),
    ("GET", "/zones/{zone_id}/available_plans/{name}"): Operation(e.PLAN),
    ("GET", "/zones/{zone_id}/available_rate_plans"): Operation([e.OFFER]),
    ("GET", "/zones/{zone_id}/entitlements"): Operation([e.ENTITLEMENT]),
    ("GET", "/billing/rate_plans/{name}"): Operation(e.PRICED),
    ("GET", "/accounts/{account_id}/entitlements"): Operation([e.ENTITLEMENT]),
    ("GET", "/accounts/{account_id}/subscriptions"): Operation([e.SUBSCRIPTION]),
    ("POST", "/accounts/{account_id}/subscriptions"): Operation(e.SUBSCRIPTION, {"rate_plan": {"id": "workers_paid"}}),
    ("POST", "/accounts/{account_id}/subscriptions/preview"): Operation(
        e.PREVIEW, {"zone": {"id": e.ZONE_ID}, **e.CHANGE}
    ),
    ("POST", "/accounts/{account_id}/subscriptions/cancel-downgrade"): Operation(
        [e.SUBSCRIPTION], {"subscription_ids": [e.SUBSCRIPTION_ID]}
    ),
    ("GET", _SUBSCRIPTION): Operation(e.SUBSCRIPTION),
    ("PUT", _SUBSCRIPTION): Operation(e.SUBSCRIPTION, e.CHANGE),
    ("DELETE", _SUBSCRIPTION): Operation({"subscription_id": e.SUBSCRIPTION_ID}),
    ("GET", f"{_SUBSCRIPTION}/cancel-reason"): Operation(e.REASON),
    ("POST", f"{_SUBSCRIPTION}/cancel-reason"): Operation(e.REASON, e.REASON),
    ("POST", "/accounts/{account_id}/bulk/subscriptions"): Operation([e.SUBSCRIPTION], e.CART, (KEY,)),
    ("GET", "/accounts/{account_id}/billing/history"): Operation(
        [e.BILLED],
        query=(
            *PAGES,
            Query("status", "Paid, Unpaid, Resolved, Refunded, Pending, Failed or Credited"),
            Query("type", "of the entry: invoice, charge, refund or credit"),
        ),
    ),
    ("GET", "/accounts/{account_id}/billing/credits"): Operation(
        e.CREDIT_BALANCE | {"credits": [e.CREDIT], "totals": [{"currency": "USD", "remaining": 12.5}]}
    ),
    ("POST", "/accounts/{account_id}/billing/credits"): Operation(e.CREDIT, {"coupon_code": "WELCOME-20"}),
    ("GET", "/accounts/{account_id}/billing/unpaid-invoice"): Operation({"invoices": [e.UNPAID]}),
    ("GET", "/accounts/{account_id}/billing/bad-debt"): Operation(
        {"bad_debt_status": "unpaid", "total_debt_amount": 25.0, "already_paid": 0.0, "invoices": [e.UNPAID]}
    ),
    ("POST", "/accounts/{account_id}/pay-invoice"): Operation({"client_secret": None}, {"invoice_id": e.INVOICE_ID}),
    ("POST", "/accounts/{account_id}/pay-bad-debt"): Operation(
        {"client_secret": None}, {"payment_method_id": e.METHOD_ID}
    ),
    ("GET", "/accounts/{account_id}/workflows/{workflow_id}"): Operation(e.WORKFLOW),
    ("GET", "/user/billing/history"): Operation(
        [{name: e.BILLED[name] for name in USER_BILLED} | {"zone": {"name": "acme.example"}}],
        query=(
            *PAGES,
            Query("order", "what the list is ordered by", ("occurred_at", "action", "type")),
            Query("action", "why it was billed, as in the answers"),
            Query("type", "of the entry: invoice"),
            Query("occurred_at", "exactly when"),
        ),
    ),
    ("GET", "/user/subscriptions"): Operation([e.SUBSCRIPTION]),
    ("GET", "/user/subscriptions/{subscription_id}"): Operation(e.SUBSCRIPTION),
    ("PUT", "/user/subscriptions/{subscription_id}"): Operation(e.SUBSCRIPTION, e.CHANGE),
    ("DELETE", "/user/subscriptions/{subscription_id}"): Operation({"subscription_id": e.SUBSCRIPTION_ID}),
}

INTERNAL: dict[tuple[str, str], Operation] = {
    ("POST", "/changes"): Operation(e.MADE, {"account_id": e.ACCOUNT_ID, **e.CART}),
    ("POST", "/changes/preview"): Operation(e.PREVIEW, {"account_id": e.ACCOUNT_ID, **e.CART}),
    ("GET", "/workflows/{workflow_id}"): Operation({"account_id": e.ACCOUNT_ID} | e.WORKFLOW),
    ("POST", "/zones/{moved_id}/move"): Operation(
        {"id": e.ZONE_ID, "name": "acme.example", "account_id": e.ACCOUNT_ID}, {"account_id": e.ACCOUNT_ID}
    ),
}
