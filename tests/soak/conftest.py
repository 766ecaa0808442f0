"""The long runs: collected by `make soak` alone. Each writes what it did and found to `docs/soak`."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

collect_ignore_glob = [] if os.environ.get("SOAK") else ["test_*.py"]
REPORTS = Path(__file__).resolve().parent.parent.parent / "docs" / "soak"


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """
    Write lines down as the test goes; at its end they are a page of `docs/soak`, named for the test's file.

    `report("line", table=rows)`: a sentence, and after it rows of which the first is the heading.
    """
    lines: list[str] = []
    started_at = time.monotonic()

    def note(sentence: str, *, table: tuple[tuple[object, ...], ...] = ()) -> None:
        lines.extend([sentence, ""])
        for position, row in enumerate(table):
            lines.append("| " + " | ".join(str(cell) for cell in row) + " |")
            if position == 0:
                lines.append("|" + "---|" * len(row))
        if table:
            lines.append("")

    yield note
    name = request.path.stem.removeprefix("test_")
    seconds = time.monotonic() - started_at
    title = f"# {name.replace('_', ' ').capitalize()}"
    how = f"`make soak`, `{request.path.relative_to(REPORTS.parent.parent)}`: {seconds:.0f} seconds."
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"{name}.md").write_text("\n".join([title, "", how, "", *lines]).rstrip() + "\n")
