"""Amounts that agents fill in: exact, in the smallest unit of their currency."""

from decimal import Decimal

from django import forms

from config.panel.cells import DECIMALS


def amount_field(currency: str) -> forms.Field:
    """Return the field for an amount above zero in this currency."""
    places = DECIMALS.get(currency, 2)
    least = Decimal(1).scaleb(-places)
    return forms.DecimalField(
        label=f"Amount, {currency.upper()}", min_value=least, max_digits=12, decimal_places=places
    )


def minor_of(amount: Decimal, currency: str) -> int:
    """Return what was filled in, in minor units."""
    return int(amount.scaleb(DECIMALS.get(currency, 2)))


def amount_of(amount_minor: int, currency: str) -> Decimal:
    """Return minor units as they are filled in."""
    return Decimal(amount_minor).scaleb(-DECIMALS.get(currency, 2))
