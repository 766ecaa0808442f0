"""Random histories of one account: changes of all kinds, with the processor failing under them; a seed replays one."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from accounts.lock import AccountBusy
from accounts.models import Account, Zone
from billing.add_zone import add_zone
from billing.cfstripe.errors import StripeUnavailable
from billing.changes_calculator.request import ChangeRefused, PaymentDeclined, PaymentUnavailable
from billing.changes_calculator.scheduled import NothingScheduled, TooLate, take_back
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.objectproducts import Ope
from billing.payments.methods import store_test_card
from config import clock
from config.passing_time import pass_time
from tests.billing.people import DECLINED, GOOD, NEEDS_3DS, customer, more, wish
from tests.outside import Sandbox

FAULTS = (
    {"kind": "rate_limit", "count": 2},
    {"kind": "lock_timeout", "count": 2},
    {"kind": "server_error", "count": 2},
    {"kind": "time_out", "count": 3, "seconds": 0.05},
    {"kind": "cut", "count": 1},
    {"kind": "cut", "count": 3},
    {"kind": "outage", "minutes": 60},
)
# What a customer may be answered; anything else is a fault of ours.
CALM = (ChangeRefused, PaymentDeclined, PaymentUnavailable, AccountBusy, NothingScheduled, TooLate, StripeUnavailable)


class History:
    """One account, and dice that decide what happens to it."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox, self.dice = sandbox, random.Random(seed)
        self.account, zone = customer(card=self.dice.choice([GOOD, GOOD, NEEDS_3DS]))
        self.zones = [zone, self._zone(), self._zone()]
        self.told: Counter[str] = Counter()

    def live(self, steps: int) -> Account:
        """Let so many things happen, most of them with a fault on; then let all come to rest."""
        for _ in range(steps):
            if self.dice.random() < 0.7:
                fault = self.dice.choice(FAULTS)
                self.told[f"fault: {fault['kind']}"] += 1
                self.sandbox.post("/_sandbox/faults", fault)
            self._act()
            self._let_time_pass()
        self.sandbox.delete("/_sandbox/faults")
        # Twice: what waited for the outage may wait for the customer then.
        for _ in range(2):
            list(pass_time(clock.now() + timedelta(hours=2)))
            self._confirm()
        list(pass_time(clock.now() + timedelta(hours=2)))
        return self.account

    def _act(self) -> None:
        act: Callable[[], object] = self.dice.choice(
            [self._buy, self._buy, self._buy, self._end, self._take_back, self._confirm, self._other_card]
        )
        name = act.__name__.strip("_").replace("_", " ")
        try:
            act()
        except CALM as error:
            name = f"{name}: {type(error).__name__} {getattr(error, 'code', '')}".rstrip()
        self.told[name] += 1

    def _buy(self) -> None:
        zone, plan_name = self.dice.choice(self.zones), self.dice.choice(["pro", "business"])
        rules = more("page_rules", self.dice.randrange(50, 90)) if self.dice.random() < 0.4 else ()
        interval_name = self.dice.choice(["monthly", "monthly", "yearly"])
        submit(wish(self.account, zone, plan_name, interval_name, rules))

    def _end(self) -> None:
        submit(wish(self.account, self.dice.choice(self.zones), "free"))

    def _take_back(self) -> None:
        owned = Ope.objects.get(
            object_id=self.dice.choice(self.zones).pk, product="zone_plans", deleted_date__isnull=True
        )
        take_back(self.account.pk, owned.subscription_id, actor="system:tests", now=clock.now())

    def _confirm(self) -> None:
        """The customer completes, or fails, what their bank asks; what is over by then stays over."""
        for workflow in ChangeWorkflow.objects.filter(account=self.account, step="awaiting_payment"):
            outcome = self.dice.choice(["complete", "complete", "fail"])
            said = {"client_secret": workflow.client_secret, "outcome": outcome}
            try:
                self.sandbox.post("/_sandbox/authenticate", said)
            except AssertionError:
                self.told["too late to confirm"] += 1

    def _other_card(self) -> None:
        if not self.sandbox.get("/_sandbox/faults"):
            store_test_card(
                self.account.pk,
                number=self.dice.choice([GOOD, GOOD, NEEDS_3DS, DECLINED]),
                actor="system:tests",
                now=clock.now(),
            )

    def _let_time_pass(self) -> None:
        hours = self.dice.choice([0, 0, 0.2, 2, 30, 200])
        if hours > 2:
            self._confirm()  # or it is looked at every ten minutes, for a day
        if hours:
            list(pass_time(clock.now() + timedelta(hours=hours)))

    def _zone(self) -> Zone:
        name = f"{self.dice.randrange(10**12)}-{self.account.name}.example"
        return add_zone(self.account.pk, name=name, actor="system:tests", now=clock.now())
