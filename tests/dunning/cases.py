"""Accounts that owe, for tables: a moment, and short words for what happened in the hours before it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from billing.payments.declines import DeclineClass
from dunning.facts import AccountFacts, Debt, Failure, InvoiceFacts, Method

BEGAN_AT = datetime(2027, 3, 1, tzinfo=UTC)
SOON, SCHEDULE = DeclineClass.RETRY_SOON, DeclineClass.RETRY_ON_SCHEDULE
ACT, NEVER = DeclineClass.CUSTOMER_MUST_ACT, DeclineClass.NEVER_AGAIN
CARD = Method("card", is_usable=True, usable_since=BEGAN_AT - timedelta(days=100))
DEAD = replace(CARD, is_usable=False)


def at(hours: float) -> datetime:
    """So many hours after the first invoice was finalised."""
    return BEGAN_AT + timedelta(hours=hours)


def failed(*hours: float, last: DeclineClass = SCHEDULE) -> tuple[Failure, ...]:
    """Charges that failed at these hours, all with a soft decline but the last."""
    return tuple(Failure(at(hour), last if n == len(hours) - 1 else SCHEDULE) for n, hour in enumerate(hours))


def invoice(
    name: str = "a", *, debt: Debt = Debt.OPEN, hours: float = 0, failures: tuple[Failure, ...] = (), **more: object
) -> InvoiceFacts:
    """An invoice of 20.00 that was finalised at `hours`."""
    values: dict[str, object] = {"currency": "usd", "remaining_minor": 20_00} | more
    return InvoiceFacts(id=name, debt=debt, finalized_at=at(hours), failures=failures, **values)  # type: ignore[arg-type]


def uncollectible(name: str = "a", *, hours: float = 0, **more: object) -> InvoiceFacts:
    """An invoice that was given up five days after it was finalised."""
    return invoice(name, debt=Debt.UNCOLLECTIBLE, hours=hours, **{"bad_since": at(hours + 120)} | more)


def paid(name: str = "a", *, hours: float = 0, paid_hours: float, **more: object) -> InvoiceFacts:
    """An invoice that had been given up and was paid later."""
    values = {"bad_since": at(hours + 120), "paid_at": at(paid_hours), "remaining_minor": 0} | more
    return invoice(name, debt=Debt.PAID, hours=hours, **values)


def account(*invoices: InvoiceFacts, hours: float = 1, account_type: str = "pay_go", **more: object) -> AccountFacts:
    """An account with these invoices and a usable card, `hours` after the first was finalised."""
    latest_first = tuple(sorted(invoices, key=lambda each: each.finalized_at, reverse=True))
    values: dict[str, object] = {"methods": (CARD,)} | more
    return AccountFacts("0" * 32, at(hours), account_type, invoices=latest_first, **values)  # type: ignore[arg-type]
