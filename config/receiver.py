"""A web server for the sandbox's events, for the time of a command that runs without `up`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings

from .ownership import published
from .webhook_address import point_webhooks
from .wsgi import application


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Leave the terminal to the command."""


@contextmanager
def receiving() -> Iterator[None]:
    """
    Have the sandbox's events received: by the web server of `up` where it runs, else by one in this process.

    The endpoint is moved here and stays; the next `up` moves it back, with whatever waits to be delivered.
    """
    running = published(settings.DATA_DIR)
    if running is not None and running.owner == "up":
        yield
        return
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, name="receiver", daemon=True).start()
        point_webhooks(
            settings.STRIPE_API_BASE,
            api_key=settings.STRIPE_API_KEY,
            web_url=f"http://127.0.0.1:{server.server_port}",
            secret=settings.STRIPE_WEBHOOK_SECRETS[0],
        )
        yield
        server.shutdown()
