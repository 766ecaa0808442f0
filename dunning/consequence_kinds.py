"""What leaves the database after a decision: every kind of consequence, in the order in which they hold. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Consequence(StrEnum):
    """A kind of consequence; the value is stored in `dunning_action.kind` and names its brake."""

    RESTRICT = "restrict"
    CREDIT_NOTE = "credit_note"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"
    MIRROR = "mirror"
    CANCEL_ITEMS = "cancel_items"
    NOTIFY = "notify"


class Told(StrEnum):
    """What a NOTIFY tells; stored in its `facts["told"]`."""

    PAYMENT_FAILED = "payment_failed"  # one for each level, 1 to 5
    ACTION_REQUIRED = "action_required"
    BAD_DEBT = "bad_debt"
    RESTORED = "restored"
    CONTRACT_OVERDUE = "contract_overdue"  # to our own finance, not to the customer


@dataclass(frozen=True, slots=True)
class Kind:
    """
    `rank`: an action waits until every action of its decision with a lower rank has ended. `is_outside`: it is a row of
    `dunning_action` and is carried out after the commit; the other one is the commit itself, and is only braked.
    """

    rank: int
    is_outside: bool
    in_words: str


KINDS: dict[Consequence, Kind] = {
    Consequence.RESTRICT:           Kind(0, False, "flag, ban and cancel, all in one transaction"),
    Consequence.CREDIT_NOTE:        Kind(1, True,  "credit the unused time on the invoice, at Stripe too"),
    Consequence.MARK_UNCOLLECTIBLE: Kind(2, True,  "mark the invoice uncollectible at Stripe"),
    Consequence.MIRROR:             Kind(3, True,  "copy the conclusion to Stripe's metadata"),
    Consequence.CANCEL_ITEMS:       Kind(4, True,  "let Stripe bill only what is left of a clock"),
    Consequence.NOTIFY:             Kind(5, True,  "tell somebody by e-mail, once"),
}  # fmt: skip
