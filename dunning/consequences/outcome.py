"""How a consequence ends, or that it does not yet. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Done:
    """
    It is done, or with a `code` it never will be, and why: what it was for is gone, or the processor would not.

    `seen`: objects as the processor showed them, to be remembered. `details` go into the journal.
    """

    code: str = ""
    seen: tuple[dict[str, Any], ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


# What a consequence was for is gone: the invoice was paid, the account is clear again.
OVERTAKEN = "overtaken"


class MustWait(Exception):
    """Something else must end first; it is tried again at `next_at`."""

    def __init__(self, next_at: datetime) -> None:
        super().__init__(f"not before {next_at}")
        self.next_at = next_at
