"""The application over HTTP, in this process: what it does can be watched, and waited for."""

import threading
import time
from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Keep the test's output to what failed."""


class LiveServer:
    """A threaded server at a free port, from its making until `stop`."""

    def __init__(self) -> None:
        self._application = StaticFilesHandler(get_wsgi_application())
        self._busy = 0
        self._guard = threading.Lock()
        self._server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
        self._server.daemon_threads = True
        self._server.set_app(self._answer)
        threading.Thread(target=self._server.serve_forever, name="live server", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_until_idle(self, *, seconds: float = 10.0) -> None:
        """Wait until no request is being answered."""
        give_up_at = time.monotonic() + seconds
        while self._busy:
            assert time.monotonic() < give_up_at, f"{self._busy} requests are still being answered"
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer completely before the first byte leaves, so that "answered" means that nothing goes on here."""
        with self._guard:
            self._busy += 1
        try:
            response = self._application(environ, start_response)
            try:
                return [b"".join(response)]
            finally:
                response.close()
        finally:
            with self._guard:
                self._busy -= 1
