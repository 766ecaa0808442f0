"""Having the sandbox keep the queue of the registrar's events."""

import json
import urllib.request

from .supervise import CannotStart

# The sandbox's own: they open nothing but the sandbox.
SANDBOX_ACCOUNT = "0" * 32
SANDBOX_QUEUE = "domain-events"
SANDBOX_TOKEN = "sandbox_queues_token"  # noqa: S105
# Ours gives a message up at its third failure; what is put back for other reasons may come far more often.
MAX_RETRIES = 100


def make_queue(sandbox_url: str) -> None:
    """
    Have the queue, and one for dead letters. Safe to repeat; what is in it stays.

    :raises CannotStart: the sandbox does not take it.
    """
    settings = {
        "account_id": SANDBOX_ACCOUNT,
        "queue_id": SANDBOX_QUEUE,
        "dead_letter_queue_id": f"{SANDBOX_QUEUE}-dead",
        "max_retries": MAX_RETRIES,
    }
    request = urllib.request.Request(  # noqa: S310  our own address
        f"{sandbox_url}/_sandbox/queues",
        method="PUT",
        data=json.dumps(settings).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return
    except OSError as error:
        raise CannotStart(f"The sandbox does not keep our queue: {error}") from error
