"""The web entry: `granian --interface wsgi config.wsgi:application`."""

import os
import sys
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Only machines call these, thousands of times a second, with proofs of their own: no cookie, page or form is involved.
SHORT_PATHS = ("/webhooks/",)

try:
    _full = get_wsgi_application()
except ImproperlyConfigured as refusal:
    sys.exit(f"PayGO cannot start: {refusal}")


class _ShortRequest(WSGIRequest):
    """A request whose body is read as bytes, by the view: there is no form in it, and no type to look for."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:  # noqa: ARG002  Django's signature
        self.content_type, self.content_params = "", {}


class _ShortHandler(WSGIHandler):
    """Django's handler without middleware, which would double what such a request costs."""

    request_class = _ShortRequest

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002  Django's signature
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        django_handler: Any = self
        self._middleware_chain = convert_exception_to_response(django_handler._get_response)


_short = _ShortHandler()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Hand the request to the handler that its path needs."""
    handler = _short if environ["PATH_INFO"].startswith(SHORT_PATHS) else _full
    return handler(environ, start_response)
