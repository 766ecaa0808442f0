"""Telling the sandbox where our webhooks are, run after run."""

import json
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit

from .supervise import CannotStart

PATH = "/webhooks/stripe"


def point_webhooks(sandbox_url: str, *, api_key: str, web_url: str, secret: str) -> None:
    """
    Have the sandbox send every event to this web server, signed with this secret. Safe to repeat.

    An endpoint of an earlier run, at another port, is moved here: what it still waits to deliver comes too.

    :raises CannotStart: the sandbox does not take it.
    """
    ours = f"{web_url}{PATH}"
    bearer = {"Authorization": f"Bearer {api_key}"}
    try:
        endpoints = _call("GET", f"{sandbox_url}/v1/webhook_endpoints?limit=100", None, bearer)["data"]
        earlier = [known for known in endpoints if known["url"] != ours and _is_local(known["url"])]
        for endpoint in earlier if all(known["url"] != ours for known in endpoints) else ():
            _call("POST", f"{sandbox_url}/v1/webhook_endpoints/{endpoint['id']}", urlencode({"url": ours}), bearer)
            break
        body = json.dumps({"url": ours, "secret": secret, "enabled_events": ["*"]})
        _call("PUT", f"{sandbox_url}/_sandbox/endpoints", body, {"Content-Type": "application/json"})
    except OSError as error:
        raise CannotStart(f"The sandbox does not take our webhook address: {error}") from error


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.hostname == "127.0.0.1" and parts.path == PATH


def _call(method: str, url: str, body: str | None, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(url, method=method, data=body.encode() if body else None, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  our own address
        answer: dict[str, Any] = json.load(response)
    return answer
