"""
The account's settings that a Stripe dashboard would hold: what happens when a renewal cannot be collected.

No settings of Stripe's: `charge_seconds`, how long a bank takes to answer a charge that Stripe makes by itself, and
`tax_percent`, the one rate of tax that is added to every invoice made from then on.
"""

from typing import Any

from sandbox.world import World

Object = dict[str, Any]

# As the platform wants it: Stripe retries nothing, leaves subscriptions past due and invoices open.
DEFAULTS: Object = {
    "retry_hours": [],
    "failed_subscription": "past_due",
    "failed_invoice": "open",
    "charge_seconds": 0,
    "tax_percent": 0,
}
CHOICES = {
    "failed_subscription": ("past_due", "unpaid", "canceled"),
    "failed_invoice": ("open", "uncollectible"),
}


def read(world: World) -> Object:
    """Return the settings in force."""
    return {**DEFAULTS, **(world.documents.get("setting", "billing") or {})}


def change(world: World, said: Object) -> Object:
    """
    Change settings; those not named stay.

    :raises ValueError: an unknown setting or value.
    """
    for name, value in said.items():
        if name == "retry_hours":
            if not all(isinstance(hours, int | float) and hours > 0 for hours in value):
                raise ValueError("retry_hours is a list of hours")
        elif name == "charge_seconds":
            if not isinstance(value, int) or value < 0:
                raise ValueError("charge_seconds is a whole number, 0 or more")
        elif name == "tax_percent":
            if not isinstance(value, int | float) or not 0 <= value <= 100:
                raise ValueError("tax_percent is a number from 0 to 100")
        elif value not in CHOICES.get(name, ()):
            raise ValueError(f"{name} is one of {', '.join(CHOICES.get(name, ('no setting',)))}")
    return world.documents.put("setting", "billing", {**read(world), **said})
