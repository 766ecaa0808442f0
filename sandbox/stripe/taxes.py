"""Tax upon lines: one rate for the whole account, added to what a line costs, rounded line by line."""

from fractions import Fraction
from typing import Any

from .periods import rounded_half_up

Object = dict[str, Any]

RATE_ID = "txr_sandbox"


def taxed(lines: list[Object], percent: float) -> list[Object]:
    """Return the lines with the tax on each; a line below zero takes tax off."""
    return [{**line, "taxes": _taxes(line["amount"], percent)} for line in lines]


def totals(lines: list[Object]) -> Object:
    """Return what lines come to, before tax and with it, and the tax by rate."""
    subtotal = sum(line["amount"] for line in lines)
    taxes = [tax for line in lines for tax in line["taxes"]]
    amount = sum(tax["amount"] for tax in taxes)
    whole = (
        {**taxes[0], "amount": amount, "taxable_amount": sum(tax["taxable_amount"] for tax in taxes)} if taxes else None
    )
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": subtotal + amount,
        "total_excluding_tax": subtotal,
        "total_taxes": [whole] if whole else [],
    }


def tax(amount: int, *, taxable: int, rate_id: str = RATE_ID) -> Object:
    """Return one tax as lines, invoices and credit notes show it."""
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": rate_id},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def _taxes(amount: int, percent: float) -> list[Object]:
    return [tax(rounded_half_up(Fraction(str(percent)) * amount / 100), taxable=amount)] if percent else []
