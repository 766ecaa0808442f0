"""What a data directory keeps secret: `credentials.json`, readable by its owner alone, made at the first run."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

_NAMES = ("postgres_password", "valkey_password", "secret_key", "webhook_secret", "ninja_password")


def load(data_dir: Path) -> dict[str, Any]:
    """Return the credentials; what is missing is made up and kept, so that every run finds the same."""
    path = data_dir / "credentials.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    made = {name: _made_up(name) for name in _NAMES if name not in known}
    return keep(data_dir, made) if made else known


def keep(data_dir: Path, more: dict[str, Any]) -> dict[str, Any]:
    """Add to the credentials, atomically, and return all of them."""
    path = data_dir / "credentials.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    write_privately(path, known | more)
    return known | more


def write_privately(path: Path, content: dict[str, Any]) -> None:
    """Replace a file by this content as JSON, atomically; nobody but the owner can ever read it."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _made_up(name: str) -> str:
    match name:
        case "secret_key":
            return secrets.token_urlsafe(50)
        case "webhook_secret":
            return f"whsec_{secrets.token_hex(24)}"
        case _:
            return secrets.token_urlsafe(18)
