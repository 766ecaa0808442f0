"""What a failed charge means, what happens next, and what the customer is told: one table. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ..changes_calculator.request import Refusal


class DeclineClass(StrEnum):
    """What follows from a decline, from the mildest to the strictest."""

    RETRY_SOON = "retry_soon"
    RETRY_ON_SCHEDULE = "retry_on_schedule"
    CUSTOMER_MUST_ACT = "customer_must_act"
    NEVER_AGAIN = "never_again"


@dataclass(frozen=True, slots=True)
class Next:
    """
    What happens after a decline of one class.

    `retry_after` is the earliest that the same method may be charged again by ourselves; None: not by time alone.
    `stops_method`: nobody ever charges this method again, the customer neither.
    """

    retry_after: timedelta | None
    stops_method: bool
    in_words: str


NEXT: dict[DeclineClass, Next] = {
    DeclineClass.RETRY_SOON:        Next(timedelta(hours=1), False, "tried again soon"),
    DeclineClass.RETRY_ON_SCHEDULE: Next(timedelta(hours=12), False, "tried again on the retry schedule"),
    DeclineClass.CUSTOMER_MUST_ACT: Next(None, False, "not tried again until the customer does something about it"),
    DeclineClass.NEVER_AGAIN:       Next(None, True, "never charged again with this method"),
}  # fmt: skip

# Card networks fine those who knock too often; the strictest of them allows 15 tries of a card in 30 days.
CAP_TRIES = 15
CAP_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Decline:
    """One decline code: its class, and a sentence for the customer that says what to do."""

    decline_class: DeclineClass
    told: str


_SOON, _SCHEDULE = DeclineClass.RETRY_SOON, DeclineClass.RETRY_ON_SCHEDULE
_ACT, _NEVER = DeclineClass.CUSTOMER_MUST_ACT, DeclineClass.NEVER_AGAIN

# Of a card that was lost, stolen or suspected, the customer learns no more than that it was declined: whoever tries
# it may not be its owner.
_DECLINED = "The payment was declined. Use another payment method, or ask your bank."
_ASK_BANK = "Your bank declined the payment. Ask it why, or use another payment method."
_FUNDS = "The card has not enough funds or is over its limit. Use another payment method, or try again later."
_EXPIRED = "The card has expired. Enter its new details, or use another payment method."
_DETAILS = "The card's details are not right. Correct them, or use another payment method."
_KIND = "The card can't be used for this kind of payment. Use another payment method."
_LATER = "Your bank could not answer. Try again in a little while, or use another payment method."
_PIN = "The card asks for a PIN, which can't be entered here. Use another payment method."
_CONFIRM = "Your bank asks you to confirm this payment. Pay while you are signed in, and confirm it there."
_TWICE = "A payment of this amount was made moments ago. See whether it went through before you try again."
_TEST = "This is a test card, or a real one where only test cards are taken. Use another payment method."

# Stripe's decline codes, and the error codes of its own that stand where there is none.
DECLINES: dict[str, Decline] = {
    "approve_with_id":                   Decline(_SOON, _LATER),
    "authentication_required":           Decline(_ACT, _CONFIRM),
    "call_issuer":                       Decline(_SCHEDULE, _ASK_BANK),
    "card_declined":                     Decline(_SCHEDULE, _DECLINED),
    "card_not_supported":                Decline(_ACT, _KIND),
    "card_velocity_exceeded":            Decline(_SCHEDULE, _FUNDS),
    "currency_not_supported":            Decline(_ACT, _KIND),
    "do_not_honor":                      Decline(_SCHEDULE, _ASK_BANK),
    "do_not_try_again":                  Decline(_NEVER, _DECLINED),
    "duplicate_transaction":             Decline(_ACT, _TWICE),
    "expired_card":                      Decline(_ACT, _EXPIRED),
    "fraudulent":                        Decline(_NEVER, _DECLINED),
    "generic_decline":                   Decline(_SCHEDULE, _DECLINED),
    "incorrect_address":                 Decline(_ACT, _DETAILS),
    "incorrect_cvc":                     Decline(_ACT, _DETAILS),
    "incorrect_number":                  Decline(_ACT, _DETAILS),
    "incorrect_pin":                     Decline(_ACT, _PIN),
    "incorrect_zip":                     Decline(_ACT, _DETAILS),
    "insufficient_funds":                Decline(_SCHEDULE, _FUNDS),
    "invalid_account":                   Decline(_NEVER, _ASK_BANK),
    "invalid_amount":                    Decline(_SCHEDULE, _ASK_BANK),
    "invalid_cvc":                       Decline(_ACT, _DETAILS),
    "invalid_expiry_month":              Decline(_ACT, _DETAILS),
    "invalid_expiry_year":               Decline(_ACT, _DETAILS),
    "invalid_number":                    Decline(_ACT, _DETAILS),
    "invalid_pin":                       Decline(_ACT, _PIN),
    "issuer_not_available":              Decline(_SOON, _LATER),
    "live_mode_test_card":               Decline(_NEVER, _TEST),
    "lost_card":                         Decline(_NEVER, _DECLINED),
    "merchant_blacklist":                Decline(_NEVER, _DECLINED),
    "new_account_information_available": Decline(_ACT, _DETAILS),
    "no_action_taken":                   Decline(_SCHEDULE, _ASK_BANK),
    "not_permitted":                     Decline(_ACT, _ASK_BANK),
    "offline_pin_required":              Decline(_ACT, _PIN),
    "online_or_offline_pin_required":    Decline(_ACT, _PIN),
    "pickup_card":                       Decline(_NEVER, _DECLINED),
    "pin_try_exceeded":                  Decline(_ACT, _PIN),
    "processing_error":                  Decline(_SOON, _LATER),
    "reenter_transaction":               Decline(_SOON, _LATER),
    "restricted_card":                   Decline(_NEVER, _DECLINED),
    "revocation_of_all_authorizations":  Decline(_NEVER, _ASK_BANK),
    "revocation_of_authorization":       Decline(_NEVER, _ASK_BANK),
    "security_violation":                Decline(_SCHEDULE, _ASK_BANK),
    "service_not_allowed":               Decline(_ACT, _KIND),
    "stolen_card":                       Decline(_NEVER, _DECLINED),
    "stop_payment_order":                Decline(_NEVER, _ASK_BANK),
    "test_mode_live_card":               Decline(_NEVER, _TEST),
    "testmode_decline":                  Decline(_NEVER, _TEST),
    "transaction_not_allowed":           Decline(_ACT, _ASK_BANK),
    "try_again_later":                   Decline(_SOON, _LATER),
    "withdrawal_count_limit_exceeded":   Decline(_SCHEDULE, _FUNDS),
}  # fmt: skip

# What the card networks advise beside the code. Advice makes a decline stricter, never milder.
ADVICE: dict[str, DeclineClass] = {
    "confirm_card_data": DeclineClass.CUSTOMER_MUST_ACT,
    "do_not_try_again":  DeclineClass.NEVER_AGAIN,
    "try_again_later":   DeclineClass.RETRY_SOON,
}  # fmt: skip

# A code that Stripe has made since is an ordinary decline.
_UNKNOWN = Decline(_SCHEDULE, _DECLINED)
_STRICTNESS = {decline_class: rank for rank, decline_class in enumerate(DeclineClass)}

AUTHENTICATION_REQUIRED = Refusal(
    "authentication_required",
    "Your bank asks you to confirm this payment and nothing was changed. Try again while you are signed in.",
)
PROCESSOR_REFUSED = Refusal(
    "processor_refused",
    "The payment processor did not take this payment and nothing was changed. Contact support.",
)


def classify(code: str, advice_code: str | None) -> DeclineClass:
    """Return what follows from a decline: the stricter of what its code means and what the network advises."""
    advised = ADVICE.get(advice_code or "", DeclineClass.RETRY_SOON)
    return max(DECLINES.get(code, _UNKNOWN).decline_class, advised, key=_STRICTNESS.__getitem__)


def told(code: str) -> str:
    """Return what the customer is told of this decline: a sentence about it, and one about what to do."""
    return DECLINES.get(code, _UNKNOWN).told


def refusal(code: str) -> Refusal:
    """Return the refusal of a change whose payment was declined."""
    return Refusal("payment_declined", f"{told(code)} Nothing was changed.")


# Where nothing but the fact is known; its code is that of every declined payment.
PAYMENT_DECLINED = refusal("card_declined")
