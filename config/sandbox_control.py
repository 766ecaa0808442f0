"""The sandbox's controls, by HTTP; there are none when the processor is the real one."""

import json
import urllib.request
from typing import Any

from django.conf import settings

TIMEOUT_SECONDS = 60.0


def get(path: str) -> dict[str, Any]:
    """Return what a control says."""
    return _call("GET", path, None)


def post(path: str, said: dict[str, Any]) -> dict[str, Any]:
    """Tell a control something and return its answer."""
    return _call("POST", path, json.dumps(said).encode())


def _call(method: str, path: str, body: bytes | None) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  our own address, from the settings
        f"{settings.STRIPE_API_BASE}{path}", method=method, data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
    return answer
