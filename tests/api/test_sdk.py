"""
Every method of the official SDK that the Dashboard API answers for plans, subscriptions, accounts and members.

One customer's story, method by method: each good call is one request, and what comes back is held against the contract,
to the letter. Each bad one is refused with its code and sent once, though the SDK repeats what it thinks may pass.
"""

from collections.abc import Callable
from typing import Any

import cloudflare
import httpx
import pytest

from accounts.models import Account, Member, Person
from accounts.roles import Role
from config import clock as business
from tests.api.conftest import PRO, Buyer
from tests.api.contract import METHODS, deviations

pytestmark = pytest.mark.usefixtures("catalog")

NOBODY = "0" * 32
BUSINESS: dict[str, Any] = {"frequency": "monthly", "rate_plan": {"id": "business"}}
FREE: dict[str, Any] = {"rate_plan": {"id": "free"}}
WORKERS: dict[str, Any] = {"frequency": "monthly", "rate_plan": {"id": "workers_paid"}}


class Watched(httpx.HTTPTransport):
    """A network that keeps each answer as it came."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[httpx.Response] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        response.read()
        self.answers.append(response)
        return response


class World:
    """The customer, and the ids that calls need."""

    def __init__(self, customer: Buyer) -> None:
        self.sdk, self.account, self.zone = customer.sdk, customer.account.pk, customer.zone.pk
        self.customer = customer
        self.name = customer.account.name
        self.member = Member.objects.get(account=customer.account).pk
        self.plan = customer.plan().id

    def another(self) -> str:
        """Return a membership of an account that somebody else administers too."""
        member = Member.objects.exclude(account=self.account).get(
            person__memberships=self.member, account__name=f"{self.name} again"
        )
        other = Person.objects.create(email=f"{member.pk}@example.com", created_at=business.now())
        Member.objects.create(
            account=member.account, person=other, role=Role.SUPER_ADMINISTRATOR.value, created_at=business.now()
        )
        return str(member.pk)


Call = Callable[[World], Any]

# In this order: what one buys, another reads.
GOOD: list[tuple[str, Call]] = [
    ("user.tokens.verify", lambda w: w.sdk.user.tokens.verify()),
    ("accounts.list", lambda w: w.sdk.accounts.list()),
    ("accounts.get", lambda w: w.sdk.accounts.get(account_id=w.account)),
    ("accounts.create", lambda w: w.sdk.accounts.create(name=f"{w.name} again", standalone=True, type="standard")),
    ("accounts.update", lambda w: w.sdk.accounts.update(account_id=w.account, id=w.account, name="N", type="standard")),
    ("memberships.list", lambda w: w.sdk.memberships.list(status="accepted", order="account.name")),
    ("memberships.get", lambda w: w.sdk.memberships.get(w.member)),
    ("memberships.update", lambda w: w.sdk.memberships.update(w.member, status="accepted")),
    ("memberships.delete", lambda w: w.sdk.memberships.delete(w.another())),
    ("zones.list", lambda w: w.sdk.zones.list(match="any", order="name")),
    ("zones.get", lambda w: w.sdk.zones.get(zone_id=w.zone)),
    ("zones.plans.list", lambda w: w.sdk.zones.plans.list(zone_id=w.zone)),
    ("zones.plans.get", lambda w: w.sdk.zones.plans.get("pro", zone_id=w.zone)),
    ("zones.rate_plans.get", lambda w: w.sdk.zones.rate_plans.get(zone_id=w.zone)),
    ("billing.rate_plans.get", lambda w: w.sdk.billing.rate_plans.get("business")),
    ("zones.subscriptions.create", lambda w: w.sdk.zones.subscriptions.create(zone_id=w.zone, **PRO)),
    ("zones.subscriptions.get", lambda w: w.sdk.zones.subscriptions.get(zone_id=w.zone)),
    ("zones.subscriptions.update", lambda w: w.sdk.zones.subscriptions.update(zone_id=w.zone, **BUSINESS)),
    ("accounts.subscriptions.get", lambda w: w.sdk.accounts.subscriptions.get(account_id=w.account)),
    ("accounts.subscriptions.get", lambda w: w.sdk.accounts.subscriptions.get(zone_id=w.zone)),
    ("accounts.subscriptions.get_by_identifier",
     lambda w: w.sdk.accounts.subscriptions.get_by_identifier(w.plan, account_id=w.account)),
    ("accounts.subscriptions.update",
     lambda w: w.sdk.accounts.subscriptions.update(w.plan, account_id=w.account, **BUSINESS)),
    ("accounts.subscriptions.create", lambda w: w.sdk.accounts.subscriptions.create(account_id=w.account, **WORKERS)),
    ("accounts.subscriptions.bulk.create",
     lambda w: w.sdk.accounts.subscriptions.bulk.create(
         account_id=w.account, idemp_key="one", subscriptions=[{"zone": {"id": w.zone}, **BUSINESS}])),
    ("user.subscriptions.get", lambda w: w.sdk.user.subscriptions.get()),
    ("user.subscriptions.update", lambda w: w.sdk.user.subscriptions.update(w.plan, **PRO)),
    ("accounts.subscriptions.cancel_downgrade",
     lambda w: w.sdk.accounts.subscriptions.cancel_downgrade(account_id=w.account, subscription_ids=[w.plan])),
    ("user.subscriptions.delete", lambda w: w.sdk.user.subscriptions.delete(w.plan)),
    ("accounts.subscriptions.delete", lambda w: w.sdk.accounts.subscriptions.delete(w.plan, account_id=w.account)),
    ("accounts.subscriptions.cancel_reason.create",
     lambda w: w.sdk.accounts.subscriptions.cancel_reason.create(w.plan, account_id=w.account, other="We moved.")),
    ("accounts.subscriptions.cancel_reason.get",
     lambda w: w.sdk.accounts.subscriptions.cancel_reason.get(w.plan, account_id=w.account)),
    ("zones.entitlements.list", lambda w: w.sdk.zones.entitlements.list(zone_id=w.zone)),
    ("accounts.entitlements.list", lambda w: w.sdk.accounts.entitlements.list(account_id=w.account)),
    ("billing.history.list", lambda w: w.sdk.billing.history.list(account_id=w.account)),
    ("billing.credits.get", lambda w: w.sdk.billing.credits.get(account_id=w.account)),
    ("user.billing.history.list", lambda w: w.sdk.user.billing.history.list(order="occurred_at")),
    ("accounts.delete", lambda w: w.sdk.accounts.delete(account_id=w.account)),
]  # fmt: skip

BAD: list[tuple[str, Call, int, int]] = [
    ("user.tokens.verify", lambda w: w.sdk.with_options(api_token="x").user.tokens.verify(), 401, 10000),
    ("accounts.list", lambda w: w.sdk.accounts.list(direction="up"), 400, 1003),  # type: ignore[arg-type]
    ("accounts.get", lambda w: w.sdk.accounts.get(account_id=NOBODY), 403, 10001),
    ("accounts.create", lambda w: w.sdk.accounts.create(name=" "), 400, 1001),
    ("accounts.create", lambda w: w.sdk.accounts.create(name="x", type="enterprise"), 400, 1001),
    ("accounts.create", lambda w: w.sdk.accounts.create(name="x", unit={"id": "1"}), 400, 1001),
    ("accounts.update", lambda w: w.sdk.accounts.update(account_id=w.account, id=NOBODY, name="x", type="standard"),
     400, 1001),
    ("accounts.update",
     lambda w: w.sdk.accounts.update(account_id=w.account, id=w.account, name="x", type="enterprise"), 400, 1001),
    ("accounts.update",
     lambda w: w.sdk.accounts.update(account_id=w.account, id=w.account, name="x", type="standard",
                                     settings={"enforce_twofactor": True}), 400, 1001),
    ("accounts.delete", lambda w: w.sdk.accounts.delete(account_id=NOBODY), 403, 10001),
    ("memberships.list", lambda w: w.sdk.memberships.list(order="x"), 400, 1003),  # type: ignore[arg-type]
    ("memberships.get", lambda w: w.sdk.memberships.get(NOBODY), 404, 7003),
    ("memberships.update", lambda w: w.sdk.memberships.update(w.member, status="rejected"), 400, 1001),
    ("memberships.delete", lambda w: w.sdk.memberships.delete(w.member), 400, 1062),
    ("zones.list", lambda w: w.sdk.zones.list(match="some"), 400, 1003),  # type: ignore[arg-type]
    ("zones.get", lambda w: w.sdk.zones.get(zone_id=NOBODY), 404, 7003),
    ("zones.plans.list", lambda w: w.sdk.zones.plans.list(zone_id=NOBODY), 404, 7003),
    ("zones.plans.get", lambda w: w.sdk.zones.plans.get("nope", zone_id=w.zone), 404, 7003),
    ("zones.rate_plans.get", lambda w: w.sdk.zones.rate_plans.get(zone_id=NOBODY), 404, 7003),
    ("billing.rate_plans.get", lambda w: w.sdk.billing.rate_plans.get("nope"), 404, 7003),
    ("zones.subscriptions.create", lambda w: w.sdk.zones.subscriptions.create(zone_id=w.zone, rate_plan={"id": "nope"}),
     400, 1303),
    ("zones.subscriptions.get", lambda w: w.sdk.zones.subscriptions.get(zone_id=NOBODY), 404, 7003),
    ("zones.subscriptions.update", lambda w: w.sdk.zones.subscriptions.update(zone_id=w.zone, **WORKERS), 400, 1304),
    ("zones.subscriptions.create",
     lambda w: w.sdk.zones.subscriptions.create(zone_id=w.zone, frequency="weekly", rate_plan={"id": "free"}), 400, 1310),
    ("zones.subscriptions.update",
     lambda w: w.sdk.zones.subscriptions.update(zone_id=w.zone, frequency="quarterly", rate_plan={"id": "free"}),
     400, 1310),
    ("accounts.subscriptions.get", lambda w: w.sdk.accounts.subscriptions.get(account_id=NOBODY), 403, 10001),
    ("accounts.subscriptions.get_by_identifier",
     lambda w: w.sdk.accounts.subscriptions.get_by_identifier(NOBODY, account_id=w.account), 404, 7003),
    ("accounts.subscriptions.update",
     lambda w: w.sdk.accounts.subscriptions.update(w.plan, account_id=w.account, rate_plan={"id": "nope"}),
     400, 1303),
    ("accounts.subscriptions.create",
     lambda w: w.sdk.accounts.subscriptions.create(account_id=w.account, **PRO), 400, 1304),
    ("accounts.subscriptions.bulk.create",
     lambda w: w.sdk.accounts.subscriptions.bulk.create(account_id=w.account, idemp_key="two", subscriptions=[]),
     400, 1001),
    ("user.subscriptions.get", lambda w: w.sdk.with_options(api_token="x").user.subscriptions.get(), 401, 10000),
    ("user.subscriptions.update", lambda w: w.sdk.user.subscriptions.update(NOBODY, **PRO), 404, 7003),
    ("user.subscriptions.delete", lambda w: w.sdk.user.subscriptions.delete(NOBODY), 404, 7003),
    ("accounts.subscriptions.cancel_downgrade",
     lambda w: w.sdk.accounts.subscriptions.cancel_downgrade(account_id=w.account, subscription_ids=[w.plan]),
     400, 1314),
    ("accounts.subscriptions.delete",
     lambda w: w.sdk.accounts.subscriptions.delete(NOBODY, account_id=w.account), 404, 7003),
    ("accounts.subscriptions.cancel_reason.create",
     lambda w: w.sdk.accounts.subscriptions.cancel_reason.create(w.plan, account_id=w.account), 400, 1001),
    ("accounts.subscriptions.cancel_reason.get",
     lambda w: w.sdk.accounts.subscriptions.cancel_reason.get(w.plan, account_id=w.account), 404, 7003),
    ("zones.entitlements.list", lambda w: w.sdk.zones.entitlements.list(zone_id=NOBODY), 404, 7003),
    ("accounts.entitlements.list", lambda w: w.sdk.accounts.entitlements.list(account_id=NOBODY), 403, 10001),
    ("billing.history.list", lambda w: w.sdk.billing.history.list(account_id=NOBODY), 403, 10001),
    ("billing.credits.get", lambda w: w.sdk.billing.credits.get(account_id=NOBODY), 403, 10001),
    ("user.billing.history.list", lambda w: w.sdk.user.billing.history.list(occurred_at="soon"), 400, 1003),
]  # fmt: skip

# Those of paying and of payment methods are driven in test_paying.py.
PAYING = (
    "accounts.client_secret.",
    "accounts.pay_bad_debt.",
    "accounts.pay_invoice.",
    "accounts.payment_methods.",
    "billing.bad_debt.",
    "billing.unpaid_invoice.",
)


def test_the_tables_are_whole():
    ours = {method for method in METHODS if not method.startswith(PAYING)}

    assert ({method for method, _ in GOOD}, {method for method, *_ in BAD}) == (ours, ours)


def test_every_good_call_is_answered_as_the_contract_says(buyer):
    network = Watched()
    world = World(buyer(transport=network))
    wrong: list[tuple[str, Any]] = []

    for method, call in GOOD:
        network.answers.clear()
        try:
            call(world)
        except cloudflare.APIStatusError as error:
            wrong.append((method, error.response.text))
            continue
        (answer,) = network.answers
        result = answer.json()["result"]
        found = [each for each in deviations(method, result) if not _is_an_addons_name(each, method)]
        wrong += [(method, each) for each in found]
        wrong += [] if result else [(method, "an empty answer proves nothing")]

    assert wrong == []


def test_every_bad_call_has_its_code_and_is_sent_once(buyer):
    network = Watched()
    world = World(buyer(transport=network))
    wrong: list[tuple[str, Any]] = []

    for method, call, status, code in BAD:
        network.answers.clear()
        try:
            call(world)
        except cloudflare.APIStatusError as error:
            was = (error.status_code, error.errors[0].code, len(network.answers))
            wrong += [] if was == (status, code, 1) else [(method, was)]
        else:
            wrong.append((method, network.answers[0].text))

    assert wrong == []


def test_one_opens_an_account_once_and_reaches_it_with_the_same_token(buyer):
    customer = buyer()
    name = f"{customer.account.name} two"

    opened = [customer.sdk.accounts.create(name=name).id for _ in range(3)]

    assert len(set(opened)) == 1
    assert customer.sdk.accounts.get(account_id=opened[0]).name == name
    assert list(Account.objects.get(pk=opened[0]).journal.order_by("sequence").values_list("kind", flat=True)) == [
        "account.created", "member.added", "token.issued",
    ]  # fmt: skip
    person = Person.objects.get(memberships__account=opened[0])
    foreign = buyer()
    assert foreign.sdk.accounts.create(name=name).id != opened[0], "a name is nobody's alone"
    assert person.memberships.count() == 2


def test_who_left_reaches_the_account_no_more(buyer):
    customer = buyer()
    world = World(customer)
    opened = customer.sdk.accounts.create(name=f"{world.name} again").id

    customer.sdk.memberships.delete(world.another())

    with pytest.raises(cloudflare.PermissionDeniedError):
        customer.sdk.accounts.get(account_id=opened)
    assert Account.objects.get(pk=opened).journal.order_by("sequence").last().kind == "member.removed"


def _is_an_addons_name(deviation: str, method: str) -> bool:
    """Return whether this is only the name of an add-on: the contract knows those of zones' plans."""
    return ".rate_plan.id:" in deviation and "workers_paid" in deviation and "subscriptions" in method
