"""Log lines: readable by machines in production, and never about people."""

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
import structlog

from config import logs

NAME = "tests.lines"


@pytest.fixture
def written() -> Iterator[Callable[..., StringIO]]:
    """Have what is logged as NAME formatted as the settings would, and kept."""
    logger = logging.getLogger(NAME)

    def keep(*, as_json: bool) -> StringIO:
        options = dict(logs.configure(as_json=as_json)["formatters"]["lines"])
        handler = logging.StreamHandler(StringIO())
        handler.setFormatter(options.pop("()")(**options))
        logger.handlers, logger.propagate = [handler], False
        return handler.stream

    yield keep
    logger.handlers, logger.propagate = [], True
    logs.configure(as_json=False)


def test_our_lines_and_other_peoples_are_json_with_the_same_keys(written):
    lines = written(as_json=True)

    structlog.get_logger(NAME).warning("wake.lost", task="webhooks.forward")
    logging.getLogger(NAME).error("broken: %s", "pipe")

    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert {**ours, "timestamp": ""} == {
        "event": "wake.lost", "level": "warning", "logger": NAME, "task": "webhooks.forward", "timestamp": "",
    }  # fmt: skip
    assert {**theirs, "timestamp": ""} == {"event": "broken: pipe", "level": "error", "logger": NAME, "timestamp": ""}


def test_what_names_a_person_is_kept_out(written):
    lines = written(as_json=True)

    structlog.get_logger(NAME).error("profile.changed", account_id="a" * 32, email="ada@example.com", last4="4242")

    line = json.loads(lines.getvalue())
    assert (line["account_id"], line["email"], line["last4"]) == ("a" * 32, "[private]", "[private]")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_local_variables(written, as_json):
    lines = written(as_json=as_json)
    card = "42" * 8

    try:
        raise ValueError(f"declined, {len(card)} digits")
    except ValueError:
        structlog.get_logger(NAME).exception("payment.broken")

    assert "ValueError: declined, 16 digits" in lines.getvalue()
    assert card not in lines.getvalue()
