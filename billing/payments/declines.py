"""What a customer is told when a payment did not go through. Pure."""

from ..changes_calculator.request import Refusal

PAYMENT_DECLINED = Refusal(
    "payment_declined",
    "The payment was declined and nothing was changed. Use another payment method, or ask your bank.",
)
AUTHENTICATION_REQUIRED = Refusal(
    "authentication_required",
    "Your bank asks you to confirm this payment and nothing was changed. Try again while you are signed in.",
)
PROCESSOR_REFUSED = Refusal(
    "processor_refused",
    "The payment processor did not take this payment and nothing was changed. Contact support.",
)
