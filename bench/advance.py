"""
How long does a year take, and does it grow with the number of accounts alone?

    python -m bench.advance [--accounts N] [--months M]

Prints one JSON line. A quarter of the accounts lives through the months first, then all of them in a world of their
own, in the same run: the ratio of what one account costs per month in each says how cost grows. 1 is linear.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PURCHASES_AN_HOUR = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--world", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.world:
        print(json.dumps(live(options.accounts, options.months)))
        return
    few, many = (world(accounts, options.months) for accounts in (options.accounts // 4, options.accounts))
    print(
        json.dumps(
            {
                "bench": "advance",
                **many,
                "seconds_per_account_month": round(each(many), 4),
                "few": few,
                "growth": round(each(many) / each(few), 3),
                "goal": "growth about 1",
            }
        )
    )


def each(lived: dict[str, float]) -> float:
    return lived["seconds"] / lived["account_months"]


def world(accounts: int, months: int) -> dict[str, float]:
    """Let so many accounts live in a process and a data directory of their own; return what it took."""
    with tempfile.TemporaryDirectory(prefix="paygo-bench-") as name:
        Path(name).chmod(0o755)
        environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        environment |= {"PAYGO_DATA_DIR": name, "DJANGO_SETTINGS_MODULE": "config.settings"}
        command = (sys.executable, "-m", "bench.advance", "--world", f"--accounts={accounts}", f"--months={months}")
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
        answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return answer


def live(accounts: int, months: int) -> dict[str, float]:
    """Buy Pro monthly for each account, some an hour, then let the months pass; count what happened in them."""
    from config.joining import join_parts

    join_parts(["bench", "advance"])
    import django

    django.setup()
    from datetime import timedelta

    from billing.changes_calculator.proration import period_containing
    from billing.models.invoices import Invoice
    from config import clock
    from config.passing_time import pass_time
    from config.receiver import receiving
    from webhooks.models import StripeEvent

    with receiving():
        for bought in range(0, accounts, PURCHASES_AN_HOUR):
            for number in range(bought, min(bought + PURCHASES_AN_HOUR, accounts)):
                buy(number)
            list(pass_time(clock.now() + timedelta(hours=1)))
        events, start = StripeEvent.objects.count(), time.monotonic()
        end = clock.now()
        for _ in range(months):
            end = period_containing(end, "month", end)[1]
        stops = sum(1 for _ in pass_time(end))
        seconds = time.monotonic() - start
    unpaid = Invoice.objects.exclude(status="paid").count()
    assert unpaid == 0, f"{unpaid} invoices are not paid"
    billed = Invoice.objects.filter(reason="cycle").count()
    assert billed == accounts * months, f"{billed} renewals instead of {accounts * months}"
    return {
        "accounts": accounts,
        "months": months,
        "account_months": billed,
        "stops": stops,
        "events": StripeEvent.objects.count() - events,
        "seconds": round(seconds, 1),
    }


def buy(number: int) -> None:
    """Make one customer and sell Pro, monthly."""
    from accounts.roles import Role
    from billing.changes_calculator.request import ChangeRequest, ObjectKind, Origin, Want
    from billing.changes_calculator.submit import submit
    from billing.provision_account import provision_account
    from config import clock

    ready = provision_account(
        name=f"bench {number}",
        email=f"bench{number}@example.com",
        zones=[f"bench{number}.example"],
        card="4242424242424242",
        role=Role.SUPER_ADMINISTRATOR,
        actor="system:bench",
        now=clock.now(),
    )
    want = Want(ObjectKind.ZONE, ready.zone_ids[0], "pro", "monthly")
    submit(
        ChangeRequest(
            account_id=ready.account_id,
            wants=(want,),
            origin=Origin.SYSTEM,
            actor="system:bench",
            on_session=True,
            requested_at=clock.now(),
        )
    )


if __name__ == "__main__":
    main()
