"""What the facts of a notice are called in its text, and how they look there, in the language that is active."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import formats

from config.panel.cells import money


def words_of(facts: Mapping[str, Any]) -> dict[str, object]:
    """
    Return the facts as a text says them.

    By the endings of their names: `due_minor` is the amount `due` in the facts' `currency`; `ends_at`, an ISO time, is
    the date `ends`. Any other stays as it is.
    """
    return dict(_word(name, value, facts) for name, value in facts.items())


def _word(name: str, value: Any, facts: Mapping[str, Any]) -> tuple[str, object]:
    if name.endswith("_minor"):
        return name.removesuffix("_minor"), money(value, str(facts["currency"]))
    if name.endswith("_at"):
        day = datetime.fromisoformat(value) if isinstance(value, str) else value
        return name.removesuffix("_at"), formats.date_format(day, "DATE_FORMAT")
    return name, value
