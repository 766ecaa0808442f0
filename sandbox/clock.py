"""Business time of the sandbox, shared with the application through one small file in the data directory."""

import json
import os
import time
from pathlib import Path


class ClockMovesForwardOnly(Exception):
    """The clock was asked to go back; nothing was changed."""


class Clock:
    """
    Tell the sandbox's time and keep `<data-dir>/clock.json` true.

    The file is absent (real time), `{"offset_seconds": float}` or `{"frozen_at": unix seconds}`. It is replaced
    atomically and by the sandbox alone, so a reader in another process never sees half of it.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.setting: dict[str, float] = {}
        if path is not None and path.exists():
            self.setting = json.loads(path.read_text())

    @property
    def is_frozen(self) -> bool:
        return "frozen_at" in self.setting

    def now(self) -> float:
        """Return business time in Unix seconds."""
        if self.is_frozen:
            return self.setting["frozen_at"]
        return time.time() + self.setting.get("offset_seconds", 0.0)

    def freeze(self, at: float) -> None:
        """Stop the clock at `at`, which is now or later."""
        self._require_forward(at)
        self._replace({"frozen_at": at})

    def run_with_offset(self, offset_seconds: float) -> None:
        """Let the clock run, that far ahead of real time; never earlier than it stands now."""
        self._require_forward(time.time() + offset_seconds)
        self._replace({"offset_seconds": offset_seconds})

    def move_to(self, at: float) -> None:
        """Go to `at`: a frozen clock stays frozen there, a running one runs on from there."""
        if self.is_frozen:
            self.freeze(at)
        else:
            self.run_with_offset(at - time.time())

    def _require_forward(self, at: float) -> None:
        # A running clock moves while a request travels; one second of tolerance keeps "now" from counting as the past.
        tolerance_seconds = 0.0 if self.is_frozen else 1.0
        if at < self.now() - tolerance_seconds:
            raise ClockMovesForwardOnly(f"the clock stands at {self.now()}, {at} is earlier")

    def _replace(self, setting: dict[str, float]) -> None:
        self.setting = setting
        if self.path is None:
            return
        draft = self.path.with_suffix(".json.new")
        draft.write_text(json.dumps(setting))
        os.replace(draft, self.path)
