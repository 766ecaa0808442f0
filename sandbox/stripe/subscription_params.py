"""What creating and updating a subscription may both say."""

from .params import boolean, clearable, count, group, integer, many, metadata, one_of, text
from .prices import PRICE_DATA

BEHAVIOR = one_of("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
PRORATION = one_of("always_invoice", "create_prorations", "none")
COLLECTION = one_of("charge_automatically", "send_invoice")
FEEDBACK = one_of(
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex",
    "too_expensive", "unused",
)  # fmt: skip
ADDED = group(
    price=text,
    price_data=PRICE_DATA,
    quantity=count,
    metadata=metadata,
    period=group(
        start=group({"type": one_of("now", "timestamp")}, timestamp=integer),
        end=group({"type": one_of("timestamp")}, timestamp=integer),
    ),
)
PAYMENT_SETTINGS = group(
    save_default_payment_method=one_of("off", "on_subscription"),
    payment_method_types=clearable(many(text)),
    payment_method_options=group(card=group(request_three_d_secure=text)),
)
CANCELLATION = group(comment=clearable(text), feedback=clearable(FEEDBACK))
NO_TAX = group({"enabled": one_of("false")})
SAID = {
    "automatic_tax": NO_TAX,
    "add_invoice_items": many(ADDED),
    "cancel_at": clearable(integer),
    "cancel_at_period_end": boolean,
    "collection_method": COLLECTION,
    "days_until_due": count,
    "default_payment_method": clearable(text),
    "description": clearable(text),
    "metadata": metadata,
    "off_session": boolean,
    "payment_behavior": BEHAVIOR,
    "payment_settings": PAYMENT_SETTINGS,
    "proration_behavior": PRORATION,
}
