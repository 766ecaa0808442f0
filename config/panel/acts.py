"""
What an agent can do, as values: the one way in which NinjaPanel changes anything.

An act names its permission, the rows it is offered on, why it is not allowed right now, what it asks for beside the
reason and the ticket, what will happen, and the one use case that it calls. `act_page.py` does the rest, for all
acts alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django import forms

from .roles import Permission
from .sections import Section

Row = TypeVar("Row")

REASON_LENGTH, TICKET_LENGTH = 200, 150


class ActRefused(Exception):
    """An act can't be done as it was asked for; the message says what can be. Raised by a preview or by the act."""

    code = "act_refused"


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What will happen, as names and values: money and access first.

    What is shown here is what is agreed to: if it reads differently when the act is to be done, it is shown again.
    """

    money: Sequence[tuple[str, object]] = ()
    access: Sequence[tuple[str, object]] = ()
    also: Sequence[tuple[str, object]] = ()
    sections: Sequence[Section] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[Row]):
    """
    What somebody asks an act to do. `values` are those of the act's own fields.

    `key` is the same when the very same page is sent again: use it where doing twice would count twice. Reason and
    ticket reach every journal entry that is written meanwhile; a use case needs them only for a row of its own.
    """

    row: Row
    values: Mapping[str, Any]
    actor: str
    reason: str
    ticket: str
    key: str
    at: datetime
    permissions: frozenset[Permission]


def nothing_asked(row: Any) -> Mapping[str, forms.Field]:  # noqa: ARG001
    return {}


def nothing_known(row: Any) -> Mapping[str, object]:  # noqa: ARG001
    return {}


def always(row: Any, at: datetime) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Generic[Row]):
    """
    Something to be done to one row, or, in a panel's `list_acts`, to none in particular (`row` is None).

    `name` stands in the address, `label` on the button, `sentence` on the page. `why_not` is empty when it may be done
    now. `do` makes one call and returns what to tell the agent. `fields` and `initial` describe what is asked for.
    """

    name: str
    label: str
    sentence: str
    permission: Permission
    preview: Callable[[Asked[Row]], Preview]
    do: Callable[[Asked[Row]], str]
    why_not: Callable[[Row, datetime], str] = always
    fields: Callable[[Row], Mapping[str, forms.Field]] = nothing_asked
    initial: Callable[[Row], Mapping[str, object]] = nothing_known
    is_final: bool = field(default=False)  # it can't be taken back: the button says so


class WhyForm(forms.Form):
    """What every act is asked with."""

    reason = forms.CharField(
        min_length=5,
        max_length=REASON_LENGTH,
        help_text="Everybody reads it in the journal, for ever: no names, no addresses.",
    )
    ticket = forms.URLField(label="Ticket", max_length=TICKET_LENGTH, assume_scheme="https", help_text="Its address.")
    key = forms.RegexField("^[0-9a-f]{32}$", widget=forms.HiddenInput)
    previewed = forms.CharField(widget=forms.HiddenInput, required=False)


def form_of(act: Act[Any], row: Any) -> type[forms.Form]:
    """Return the act's form: its own fields, then the reason and the ticket."""
    own = dict(act.fields(row))
    assert not own.keys() & WhyForm.base_fields.keys(), f"{act.name}: these names are every act's"
    made: type[forms.Form] = type("ActForm", (WhyForm,), {**own, "field_order": [*own, *WhyForm.base_fields]})
    return made
