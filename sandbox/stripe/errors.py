"""Stripe's refusals: HTTP status, type, code and the words, in the shape the SDK turns into its exceptions."""

from typing import Any

Object = dict[str, Any]


class StripeRefusal(Exception):
    """
    An answer that is not 200.

    `keeps_changes`: what the request did before it failed stands (a declined payment leaves its charge).
    `began`: the request was acted on, so its answer is kept under its idempotency key; Stripe keeps none for a
    request it refused to look at.
    """

    def __init__(
        self,
        status: int,
        error: Object,
        *,
        keeps_changes: bool = False,
        began: bool = True,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(error.get("message", ""))
        self.status = status
        self.error = {name: value for name, value in error.items() if value is not None}
        self.keeps_changes = keeps_changes
        self.began = began
        self.headers = headers or {}

    def body(self, request_id: str) -> Object:
        """Return the answer's body; `request_log_url` is left out, there is no dashboard to point to."""
        code = self.error.get("code")
        doc_url = {"doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"} if code else {}
        return {
            "error": {
                **doc_url,
                **self.error,
                "request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}",
            }
        }


def invalid(message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> StripeRefusal:
    """Refuse a request that was understood and cannot be done."""
    return StripeRefusal(status, {"type": "invalid_request_error", "message": message, "param": param, "code": code})


def malformed(message: str, *, param: str | None = None, code: str | None = None) -> StripeRefusal:
    """Refuse a request whose parameters make no sense; it never began."""
    error = {"type": "invalid_request_error", "message": message, "param": param, "code": code}
    return StripeRefusal(400, error, began=False)


def missing(kind: str, object_id: str, *, param: str = "id") -> StripeRefusal:
    """Refuse an id that names nothing: 404 for the object a path names, 400 for one a parameter names."""
    words = kind.replace("_", " ") if kind != "payment_method" else "PaymentMethod"
    error = {
        "type": "invalid_request_error",
        "code": "resource_missing",
        "message": f"No such {words}: '{object_id}'",
        "param": param,
    }
    return StripeRefusal(404 if param == "id" else 400, error)


def unauthorized(message: str) -> StripeRefusal:
    return StripeRefusal(401, {"type": "invalid_request_error", "message": message}, began=False)


def faulty(kind: str) -> StripeRefusal:
    """Refuse because a fault was asked for: too many requests, an object locked, a failure inside, an outage."""
    if kind == "rate_limit":
        error = {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests; slow down."}
        return StripeRefusal(429, error, began=False)
    if kind == "lock_timeout":
        message = "This object cannot be accessed right now because another API request or Stripe process is using it."
        error = {"type": "invalid_request_error", "code": "lock_timeout", "message": message}
        return StripeRefusal(429, error, began=False, headers={"stripe-should-retry": "true"})
    error = {"type": "api_error", "message": "Sorry, an unexpected error occurred on our side."}
    return StripeRefusal(503 if kind == "outage" else 500, error, began=False)


def card_refusal(error: Object) -> StripeRefusal:
    """Refuse because the bank did, or because it wants the customer; the attempt itself stands."""
    return StripeRefusal(402, {"type": "card_error", **error}, keeps_changes=True)
