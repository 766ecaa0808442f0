"""What is asked of Stripe, counted: each request that goes over the wire, by operation and answer."""

from typing import Any

import stripe
from prometheus_client import Counter, Histogram

CALLS = Counter("paygo_stripe_calls_total", "Requests to Stripe, by operation and status.", ["operation", "status"])
SECONDS = Histogram("paygo_stripe_seconds", "How long Stripe took to answer.", ["operation"])

# Words that stand where most paths have an id.
_NO_IDS = frozenset({"create_preview", "search", "test_clocks"})


class CountingClient(stripe.RequestsClient):
    """The SDK's own HTTP client, each of whose requests is counted, repeats too."""

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
        """Send a request; one that gets no answer counts as `none`."""
        operation, status = operation_of(method, url), "none"
        try:
            with SECONDS.labels(operation).time():
                answer = super().request(method, url, headers, post_data, **more)
            status = str(answer[1])
        finally:
            CALLS.labels(operation, status).inc()
        return answer


def operation_of(method: str, url: str) -> str:
    """Return a request's name without any id: `POST invoices/:id/pay`."""
    parts = url.partition("/v1/")[2].partition("?")[0].split("/")
    shown = [":id" if place % 2 and part not in _NO_IDS else part for place, part in enumerate(parts)]
    return f"{method.upper()} {'/'.join(shown)}"
