"""
The page of an act: what will happen, then, with a reason and a ticket, do it. The same for every act.

The permission is asked for on each request. What was shown is what is done: an act whose preview reads differently by
the time it is confirmed is shown again instead.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from config import clock
from config.behalf import Behalf, acting

from .acts import Act, Asked, Preview, form_of
from .roles import permissions_of, roles_with

CHANGED = "What will happen has changed since you looked. Read it again."


@dataclass(frozen=True, slots=True)
class Offer:
    """A button. Not allowed when `why_not` says something; then it is shown all the same, with that."""

    label: str
    address: str
    why_not: str
    is_final: bool


@dataclass(slots=True)
class _Shown:
    """What the page shows, as far as it is known."""

    form: forms.Form
    preview: Preview | None = None
    refusal: str = ""
    remark: str = ""


def offer(act: Act[Any], row: Any, *, request: HttpRequest, at: datetime, address: str) -> Offer:
    """Return an act as a button on a row's page. One without the permission learns which roles have it."""
    why_not = _not_permitted(act, request) or act.why_not(row, at)
    return Offer(act.label, address, why_not, act.is_final)


def act_page(
    request: HttpRequest, panel: Any, act: Act[Any], row: Any, *, back: str, where: dict[str, Any]
) -> HttpResponse:
    """Show what an act would do, or do it and go `back`."""
    if _not_permitted(act, request):
        raise PermissionDenied
    at = clock.now()
    why_not = act.why_not(row, at)
    shown = _shown(request, panel, act, row, at) if not why_not else _Shown(form_of(act, row)(), refusal=why_not)
    if isinstance(shown, str):
        messages.success(request, shown)
        return HttpResponseRedirect(back)
    context = panel.admin_site.each_context(request) | where | {
        "act": act,
        "row": row,
        "back": back,
        "form": shown.form,
        "preview": shown.preview,
        "refusal": shown.refusal,
        "remark": shown.remark,
        "is_possible": not why_not,
        "has_own_fields": bool(act.fields(row)),
        "digest": _digest(shown.preview),
    }  # fmt: skip
    request.current_app = panel.admin_site.name
    status = HTTPStatus.CONFLICT if shown.refusal and request.method == "POST" else HTTPStatus.OK
    return TemplateResponse(request, "ninja/act.html", context, status=status)


def _shown(request: HttpRequest, panel: Any, act: Act[Any], row: Any, at: datetime) -> _Shown | str:
    """Return what to show, or, once the act is done, what to tell."""
    form_class = form_of(act, row)
    if request.method != "POST":
        return _first_look(request, panel, act, row, at, form_class)
    form = form_class(request.POST)
    shown = _Shown(form)
    own_is_valid = form.is_valid() or not form.errors.keys() & act.fields(row).keys()
    if not own_is_valid:
        return shown
    asked = _asked(request, act, row, at, form.cleaned_data)
    try:
        shown.preview = act.preview(asked)
        if "do" not in request.POST or not form.is_valid():
            return shown
        if request.POST.get("previewed") != _digest(shown.preview):
            shown.remark = CHANGED
            return shown
        with acting(Behalf(asked.actor, f"{asked.reason} [{asked.ticket}]")):
            return act.do(asked)
    except Exception as error:
        shown.refusal = panel.admin_site.refusal_in_words(error)
        if not shown.refusal:
            raise
        return shown


def _first_look(
    request: HttpRequest, panel: Any, act: Act[Any], row: Any, at: datetime, form_class: type[forms.Form]
) -> _Shown:
    """Show the form, and what will happen if what it begins with is enough to know."""
    own = act.fields(row).keys()
    initial = {**act.initial(row), **{name: value for name, value in request.GET.items() if name in own}}
    shown = _Shown(form_class(initial={**initial, "key": uuid4().hex}))
    begun_with = form_class(initial)
    begun_with.is_valid()
    if begun_with.errors.keys() & own:
        return shown
    try:
        shown.preview = act.preview(_asked(request, act, row, at, begun_with.cleaned_data))
    except Exception as error:
        shown.refusal = panel.admin_site.refusal_in_words(error)
        if not shown.refusal:
            raise
    return shown


def _asked(request: HttpRequest, act: Act[Any], row: Any, at: datetime, cleaned: dict[str, Any]) -> Asked[Any]:
    return Asked(
        row=row,
        values={name: cleaned.get(name) for name in act.fields(row)},
        actor=f"agent:{request.user.get_username()}",
        reason=cleaned.get("reason", ""),
        ticket=cleaned.get("ticket", ""),
        key=cleaned.get("key", ""),
        at=at,
        permissions=permissions_of(request.user),
    )


def _not_permitted(act: Act[Any], request: HttpRequest) -> str:
    if act.permission in permissions_of(request.user):
        return ""
    return f"needs the role {' or '.join(roles_with(act.permission))}"


def _digest(preview: Preview | None) -> str:
    """Return a name for what a preview says."""
    return hashlib.sha256(repr(preview).encode()).hexdigest()[:32] if preview else ""
