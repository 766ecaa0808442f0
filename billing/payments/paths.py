"""
How each change is paid: "live payment" means that this table decides `payment_behavior` on every call. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum


class PaymentPath(StrEnum):
    """The ways money is asked for; stored with the plan."""

    NOTHING_DUE = "nothing_due"
    METHOD_FIRST = "method_first"
    ON_SESSION_CREATE = "on_session_create"
    OFF_SESSION_CREATE = "off_session_create"
    ON_SESSION_UPDATE = "on_session_update"
    OFF_SESSION_UPDATE = "off_session_update"
    ONE_OFF = "one_off"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a path means at Stripe. `payment_behavior` empty: no subscription is paid by it."""

    payment_behavior: str
    off_session: bool


BEHAVIOUR: dict[PaymentPath, Behaviour] = {
    PaymentPath.NOTHING_DUE:        Behaviour("", off_session=False),
    PaymentPath.METHOD_FIRST:       Behaviour("", off_session=False),
    PaymentPath.ON_SESSION_CREATE:  Behaviour("default_incomplete", off_session=False),
    PaymentPath.OFF_SESSION_CREATE: Behaviour("error_if_incomplete", off_session=True),
    PaymentPath.ON_SESSION_UPDATE:  Behaviour("pending_if_incomplete", off_session=False),
    PaymentPath.OFF_SESSION_UPDATE: Behaviour("error_if_incomplete", off_session=True),
    PaymentPath.ONE_OFF:            Behaviour("", off_session=True),
}  # fmt: skip


def path_of(*, joins_clock: bool, on_session: bool) -> PaymentPath:
    """Return the path of a change that Stripe bills: it joins a subscription that there is, or makes one."""
    if joins_clock:
        return PaymentPath.ON_SESSION_UPDATE if on_session else PaymentPath.OFF_SESSION_UPDATE
    return PaymentPath.ON_SESSION_CREATE if on_session else PaymentPath.OFF_SESSION_CREATE
