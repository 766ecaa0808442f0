"""May a stored payment method be removed? Pure: an ordered table of reasons to keep it."""

from collections.abc import Callable
from dataclasses import dataclass

from ..changes_calculator.request import Refusal


@dataclass(frozen=True, slots=True)
class Needed:
    """What an account still pays with a method: by itself, or because it is the last one that can be charged."""

    is_being_charged: bool
    is_default: bool
    other_usable_methods: int
    has_paid_subscription: bool
    owes: bool
    waits_for_payment: bool

    @property
    def is_last(self) -> bool:
        return self.other_usable_methods == 0


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason to keep a method, and what the customer can do about it."""

    refusal: Refusal
    holds: Callable[[Needed], bool]


# Read from the top; the first that holds is told.
REASONS: tuple[Reason, ...] = (
    Reason(
        Refusal("method_in_use", "This method is being charged right now. Try again in a moment."),
        lambda needed: needed.is_being_charged,
    ),
    Reason(
        Refusal("method_in_use", "A change waits for a payment with this method. Complete it first, or let it expire."),
        lambda needed: needed.waits_for_payment,
    ),
    Reason(
        Refusal("method_needed", "An invoice is unpaid, and there is no other method to pay it. Pay it, or add one."),
        lambda needed: needed.owes and needed.is_last,
    ),
    Reason(
        Refusal("method_needed", "A paid subscription is charged to this method. Add another one first, or cancel."),
        lambda needed: needed.has_paid_subscription and needed.is_last,
    ),
    Reason(
        Refusal("method_is_default", "This is the primary method. Choose another as the primary one first."),
        lambda needed: needed.is_default and not needed.is_last,
    ),
)


def why_kept(needed: Needed) -> Refusal | None:
    """Return why the method must stay, None if it may go."""
    return next((reason.refusal for reason in REASONS if reason.holds(needed)), None)
