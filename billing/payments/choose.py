"""Which stored method does automatic collection charge next? Pure: a table of reasons to pass one over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .declines import CAP_TRIES, NEXT, DeclineClass, classify


@dataclass(frozen=True, slots=True)
class LastTry:
    """The last time that this method was tried for this invoice, and how it failed."""

    at: datetime
    code: str
    advice_code: str

    @property
    def decline_class(self) -> DeclineClass:
        return classify(self.code, self.advice_code)


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A stored method. `tries_of_card`: failed tries of the same card within the cap's period, for any invoice.

    `is_disputed`: a payment that was made with this method was disputed, and the dispute is not won. `is_authorised`:
    no mandate says that it may not be charged while the customer is away.
    """

    id: str
    is_usable: bool
    is_default: bool
    created_at: datetime
    updated_at: datetime | None
    tries_of_card: int
    last_try: LastTry | None
    is_disputed: bool = False
    is_authorised: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a method is passed over; `because` is for people."""

    because: str
    holds: Callable[[Candidate, datetime], bool]


def _waits_for_customer(candidate: Candidate) -> bool:
    """Whether it failed for a reason that time does not mend, and nothing about it has changed since."""
    last = candidate.last_try
    if last is None or NEXT[last.decline_class].retry_after is not None:
        return False
    return candidate.updated_at is None or candidate.updated_at <= last.at


def _was_just_tried(candidate: Candidate, now: datetime) -> bool:
    last = candidate.last_try
    wait = NEXT[last.decline_class].retry_after if last else None
    return last is not None and wait is not None and now < last.at + wait


# Read from the top; the first that holds is the reason.
PASSED_OVER: tuple[Reason, ...] = (
    Reason("it may not be charged any more", lambda method, _now: not method.is_usable),
    Reason("its customer has revoked it",    lambda method, _now: not method.is_authorised),
    Reason("a payment it made is disputed",  lambda method, _now: method.is_disputed),
    Reason("its card was tried too often",   lambda method, _now: method.tries_of_card >= CAP_TRIES),
    Reason("the customer must act first",    lambda method, _now: _waits_for_customer(method)),
    Reason("it was tried a moment ago",      _was_just_tried),
)  # fmt: skip


def why_not(method: Candidate, now: datetime) -> str:
    """Return why automatic collection passes this method over, empty if it doesn't."""
    return next((reason.because for reason in PASSED_OVER if reason.holds(method, now)), "")


def next_method(methods: Sequence[Candidate], now: datetime) -> Candidate | None:
    """Return the method to charge: the primary one, then the others, the oldest first; None if all are passed over."""
    in_order = sorted(methods, key=lambda method: (not method.is_default, method.created_at, method.id))
    return next((method for method in in_order if not why_not(method, now)), None)
