"""The steps of a change, and which of them end it. Pure."""

from enum import StrEnum


class Step(StrEnum):
    """Where a change stands; everything before COMMITTED is the Green Zone, in which stopping is always right."""

    PLANNED = "planned"
    PAYING = "paying"
    AWAITING_PAYMENT = "awaiting_payment"
    STOPPING = "stopping"
    REFUNDING = "refunding"
    COMMITTED = "committed"
    DECLINED = "declined"
    EXPIRED = "expired"
    ABANDONED = "abandoned"
    REFUNDED = "refunded"

    @classmethod
    def finished(cls) -> list[str]:
        """Return the steps at which a change has ended, well or not."""
        return [step.value for step in cls if step in _FINISHED]

    @classmethod
    def unfinished(cls) -> list[str]:
        """Return the steps from which a change goes on."""
        return [step.value for step in cls if step not in _FINISHED]


_FINISHED = frozenset({Step.COMMITTED, Step.DECLINED, Step.EXPIRED, Step.ABANDONED, Step.REFUNDED})
