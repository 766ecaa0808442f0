"""The catalogue file, read and checked. Pure: JSON in, rows out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

INTERVALS = {"monthly": "month", "yearly": "year"}
MONTHS = {"month": 1, "year": 12}


class CatalogError(ValueError):
    """The file can't be published; the message names the row and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price as the file wants it today; `series` names what is priced."""

    series: str
    interval: str
    currency: str
    unit_amount_minor: int


@dataclass(frozen=True, slots=True)
class ComponentRow:
    rate_plan_id: str
    name: str
    kind: str
    included: int
    price_series: str


def read_prices(catalog: dict[str, Any]) -> list[PriceRow]:
    """
    Return every price that the file asks for, plans first.

    A component's unit price is given per month; a yearly plan's components cost twelve times that per year.

    :raises CatalogError: a frequency that we don't bill, or a negative or fractional amount.
    """
    currency = str(catalog["currency"]).lower()
    prices: dict[tuple[str, str], PriceRow] = {}
    for plan in catalog["rate_plans"]:
        for price in plan["prices"]:
            interval = _interval(plan, price["frequency"])
            amount_minor = _amount(f"{plan['id']} {interval}", price["amount_minor"])
            prices[plan["id"], interval] = PriceRow(plan["id"], interval, currency, amount_minor)
    for plan in catalog["rate_plans"]:
        intervals = {_interval(plan, price["frequency"]) for price in plan["prices"]}
        for row, component in _sold(catalog, plan):
            for interval in sorted(intervals):
                amount_minor = _amount(row.name, component["unit_price_minor"]) * MONTHS[interval]
                key = (row.price_series, interval)
                prices[key] = PriceRow(row.price_series, interval, currency, amount_minor)
    return list(prices.values())


def read_components(catalog: dict[str, Any], plan: dict[str, Any]) -> list[ComponentRow]:
    """Return the plan's components; those that can't be bought beyond what is included have no price series."""
    sold = {row.name: row for row, _ in _sold(catalog, plan)}
    return [
        sold.get(c["name"]) or ComponentRow(plan["id"], c["name"], c["kind"], c["default"], "")
        for c in plan["components"]
    ]


def _sold(catalog: dict[str, Any], plan: dict[str, Any]) -> Iterator[tuple[ComponentRow, dict[str, Any]]]:
    for component in plan["components"]:
        if component["kind"] == "sum" and component["unit_price_minor"] is not None:
            series = _series(catalog, plan, component)
            yield ComponentRow(plan["id"], component["name"], "sum", component["default"], series), component


def _series(catalog: dict[str, Any], plan: dict[str, Any], component: dict[str, Any]) -> str:
    """Plans that ask the same for a component share its price; a plan that asks otherwise has one of its own."""
    name = str(component["name"])
    amounts = [c["unit_price_minor"] for p in catalog["rate_plans"] for c in p["components"] if c["name"] == name]
    common = max(set(amounts), key=lambda amount: (amounts.count(amount), amount or 0))
    return name if component["unit_price_minor"] == common else f"{plan['id']}_{name}"


def _interval(plan: dict[str, Any], frequency: str) -> str:
    if frequency not in INTERVALS:
        raise CatalogError(f"{plan['id']}: frequency {frequency!r} is none of {', '.join(INTERVALS)}.")
    return INTERVALS[frequency]


def _amount(what: str, amount: object) -> int:
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        raise CatalogError(f"{what}: the amount {amount!r} is not a whole number of minor units, 0 or more.")
    return amount
