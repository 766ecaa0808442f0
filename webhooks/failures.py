"""Where did it fail? In words that can be kept and grouped by: values may be somebody's name. Pure."""

import traceback
from pathlib import PurePath


def place_of(error: BaseException) -> str:
    """Return the error's class and the innermost line of this project that it passed through, ≤ 200 characters."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    if not ours:
        return type(error).__name__[:200]
    path = PurePath(ours[-1].filename)
    return f"{type(error).__name__} in {path.parent.name}/{path.name}:{ours[-1].name}"[:200]
