"""
How each change is paid: "live payment" means that this table decides `payment_behavior` on every call. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum


class PaymentPath(StrEnum):
    """The ways money is asked for; stored with the plan."""

    NOTHING_DUE = "nothing_due"
    METHOD_FIRST = "method_first"
    METHOD_THEN_UPDATE = "method_then_update"
    ON_SESSION_CREATE = "on_session_create"
    OFF_SESSION_CREATE = "off_session_create"
    ON_SESSION_UPDATE = "on_session_update"
    OFF_SESSION_UPDATE = "off_session_update"
    ONE_OFF = "one_off"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    What a path means at Stripe. `payment_behavior` empty: no subscription is paid by it.

    By METHOD_THEN_UPDATE nothing is charged before the customer has confirmed a method: those stored have failed, and
    Stripe would charge the default one of them by itself. Once confirmed it is an ON_SESSION_UPDATE.
    """

    payment_behavior: str
    off_session: bool


BEHAVIOUR: dict[PaymentPath, Behaviour] = {
    PaymentPath.NOTHING_DUE:        Behaviour("", off_session=False),
    PaymentPath.METHOD_FIRST:       Behaviour("", off_session=False),
    PaymentPath.ON_SESSION_CREATE:  Behaviour("default_incomplete", off_session=False),
    PaymentPath.OFF_SESSION_CREATE: Behaviour("error_if_incomplete", off_session=True),
    PaymentPath.ON_SESSION_UPDATE:  Behaviour("pending_if_incomplete", off_session=False),
    PaymentPath.OFF_SESSION_UPDATE: Behaviour("error_if_incomplete", off_session=True),
    PaymentPath.METHOD_THEN_UPDATE: Behaviour("pending_if_incomplete", off_session=False),
    PaymentPath.ONE_OFF:            Behaviour("", off_session=True),
}  # fmt: skip


def path_of(*, joins_clock: bool, on_session: bool, needs_method: bool = False) -> PaymentPath:
    """
    Return the path of a change that Stripe bills: it joins a subscription that there is, or makes one.

    `needs_method`: nothing that is stored may be charged. A subscription that is made waits for a method by itself.
    """
    if joins_clock:
        if on_session and needs_method:
            return PaymentPath.METHOD_THEN_UPDATE
        return PaymentPath.ON_SESSION_UPDATE if on_session else PaymentPath.OFF_SESSION_UPDATE
    return PaymentPath.ON_SESSION_CREATE if on_session else PaymentPath.OFF_SESSION_CREATE
