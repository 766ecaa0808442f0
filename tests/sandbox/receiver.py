"""A webhook endpoint for tests: checks each signature with the SDK, keeps what came, answers as told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

from .stripe_schema import check_event

SECRET = "whsec_of_the_test"


class Receiver(ThreadingHTTPServer):
    """Answers `status` to every delivery; `events` holds those whose signature was right, `forged` counts the rest."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.events: list[Any] = []
        self.forged = 0
        self.status = 200
        self.arrived = threading.Condition()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/webhooks/stripe"

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def wait_for(self, count: int) -> None:
        """Wait until so many deliveries came, five seconds at most."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.events) + self.forged >= count, timeout=5)
        assert came, f"{len(self.events)} events came: {self.types()}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.status
        with self.server.arrived:
            try:
                stripe.Webhook.construct_event(payload, self.headers["stripe-signature"], SECRET)
            except stripe.SignatureVerificationError:
                self.server.forged += 1
            else:
                event = json.loads(payload)
                check_event(event)
                self.server.events.append(event)
            self.server.arrived.notify_all()
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""
