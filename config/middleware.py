"""What every answer of the web server carries: a request id and a content security policy."""

from collections.abc import Callable
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse

from .correlation import part_of

Next = Callable[[HttpRequest], HttpResponse]

_STRICT = (
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; connect-src 'self'; "
    "font-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'"
)
# unfold is built on Alpine, which compiles the expressions in its attributes, and sets styles from them.
_NINJA_PANEL = _STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)

# First prefix that fits.
POLICIES = (
    ("/ninja/", _NINJA_PANEL),
    ("/", _STRICT),
)  # fmt: skip


class RequestId:
    """Give each request an id: in every log line and journal entry of it, and in the answer's X-Request-Id."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id), part_of(request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class ContentSecurityPolicy:
    """Send the policy of the page's prefix, unless the view sent its own."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = next(policy for prefix, policy in POLICIES if request.path.startswith(prefix))
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
