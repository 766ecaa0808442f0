"""The HTTP server on 127.0.0.1: Stripe's API on `/v1`, Queues on `/client/v4`, the controls on `/_sandbox`."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .control import Control
from .queues.api import PREFIX, QueuesApi
from .stripe.api import ApiRequest, StripeApi
from .world import World

LARGEST_BODY = 4 * 1024 * 1024


class SandboxServer(ThreadingHTTPServer):
    """Serve one world; each connection has a thread, the world's lock keeps them apart."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world: World, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.stripe = StripeApi(world)
        self.queues = QueuesApi(world)
        self.control = Control(world)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Read one request, ask the right door, write the answer."""

    protocol_version = "HTTP/1.1"
    server: SandboxServer

    def setup(self) -> None:
        super().setup()
        # Answers are written in one piece; waiting to fill a packet would add 40 ms to each.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_call(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._write(413, b"{}", {"content-type": "application/json"})
            return
        body = self.rfile.read(length).decode("utf-8", errors="replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if url.path.startswith("/_sandbox"):
            page = self.server.control.answer(self.command, url.path, url.query, body, headers)
            self._write(page.status, page.body, {"content-type": page.content_type})
            return
        if url.path.startswith(PREFIX):
            status, said = self.server.queues.answer(self.command, url.path, body, headers)
            self._write(status, said, {"content-type": "application/json"})
            return
        answer = self.server.stripe.answer(ApiRequest(self.command, url.path, url.query, body, headers))
        if answer.is_cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._write(
            answer.status,
            answer.encoded(),
            {"content-type": "application/json", "request-id": answer.request_id, **answer.headers},
        )

    def do_GET(self) -> None:
        self.handle_one_call()

    def do_POST(self) -> None:
        self.handle_one_call()

    def do_PUT(self) -> None:
        self.handle_one_call()

    def do_DELETE(self) -> None:
        self.handle_one_call()

    def _write(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing: the latest calls are on the page of state."""
