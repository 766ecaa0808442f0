"""Values as NinjaPanel shows them. Whatever comes from outside is escaped here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

NOTHING = mark_safe('<span class="ninja-quiet">–</span>')

# Currencies whose smallest unit is not a hundredth, as Stripe counts them.
DECIMALS = dict.fromkeys(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"], 0
) | dict.fromkeys(["bhd", "jod", "kwd", "omr", "tnd"], 3)  # fmt: skip
SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}

# Never shown, wherever they stand in what we stored: whoever reads them could act as somebody else.
SECRET_WORDS = ("secret", "digest", "token", "password", "signature", "nonce")


class Tone(Enum):
    """What a badge's colour says; the value is its style."""

    GOOD = "good"
    INFO = "info"
    WAITING = "waiting"
    BAD = "bad"
    QUIET = "quiet"


class Figure(SafeString):
    """A cell with a number in it: figures stand under figures, at the right."""


def money(amount_minor: int, currency: str) -> str:
    """Return an amount for people: `$1,234.50`, `-$5.00`, `¥`-like currencies as `500 JPY`. Exact, no floats."""
    decimals = DECIMALS.get(currency.lower(), 2)
    units, rest = divmod(abs(amount_minor), 10**decimals)
    number = f"{units:,}.{rest:0{decimals}d}" if decimals else f"{units:,}"
    minus = "-" if amount_minor < 0 else ""
    sign = SIGNS.get(currency.lower())
    return f"{minus}{sign}{number}" if sign else f"{minus}{number} {currency.upper()}"


def amount(amount_minor: int, currency: str) -> Figure:
    """Return an amount as a cell."""
    return Figure(format_html('<span class="ninja-amount">{}</span>', money(amount_minor, currency)))


def number(value: int) -> Figure:
    """Return a count as a cell."""
    return Figure(format_html('<span class="ninja-amount">{}</span>', f"{value:,}"))


def moment(at: datetime | None) -> SafeString:
    """Return a time in UTC to the minute; the exact one shows when pointed at."""
    if at is None:
        return NOTHING
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M}")


def day(at: datetime | None) -> SafeString:
    """Return the day of a time in UTC."""
    return (
        NOTHING
        if at is None
        else format_html('<time datetime="{0}" title="{0}">{1}</time>', at.isoformat(), f"{at:%Y-%m-%d}")
    )


def period(start: datetime, end: datetime | None) -> SafeString:
    """Return a half-open period by its days."""
    until = f"{end:%Y-%m-%d}" if end else "…"
    return format_html("<span class='ninja-nowrap'>{} → {}</span>", f"{start:%Y-%m-%d}", until)


def badge(text: str, tone: Tone) -> SafeString:
    """Return a word on a colour."""
    return format_html('<span class="ninja-badge ninja-{}">{}</span>', tone.value, text)


def code(identifier: str) -> SafeString:
    """Return an identifier, to be read letter by letter and copied."""
    return format_html('<code class="ninja-code" title="{0}">{0}</code>', identifier) if identifier else NOTHING


def link(model: type[Model], pk: object, text: object) -> SafeString:
    """Return a link to the page of one object. Asks the database nothing."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(str(pk))])
    return format_html('<a class="ninja-link" href="{}">{}</a>', address, text)


def list_link(model: type[Model], text: object, **query: str) -> SafeString:
    """Return a link to the list of a kind of object, searched for `q`."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=query)
    return format_html('<a class="ninja-link" href="{}">{}</a>', address, text)


def act_link(model: type[Model], act: str, text: object, **begun_with: str) -> SafeString:
    """Return a link to an act of a list, with what its form begins with."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_list_act"
    address = reverse(name, args=[act], query={field: value for field, value in begun_with.items() if value})
    return format_html('<a class="ninja-link" href="{}">{}</a>', address, text)


def nowrap(text: str) -> SafeString:
    """Return a text that stays on one line."""
    return format_html('<span class="ninja-nowrap">{}</span>', text)


def yes_no_or(value: object) -> str:
    """Return a stored value in words: yes and no for truths, what it holds by name or one after the other, itself."""
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{_words(name)} {yes_no_or(part)}" for name, part in sorted(value.items()))
        case list() | tuple():
            return ", ".join(yes_no_or(part) for part in value) or "none"
    return str(value)


def lines(*parts: object) -> SafeString:
    """Return several values under each other in one cell, without those that are empty."""
    return format_html_join("", "<div>{}</div>", ((part,) for part in parts if part))


def with_note(text: object, note: object) -> SafeString:
    """Return a value with a quieter remark under it."""
    return format_html('{}<div class="ninja-note">{}</div>', text, note) if note else format_html("{}", text)


def tree(value: Any) -> SafeString:
    """Return stored JSON as nested lists of names and values; what is secret is left out."""
    if isinstance(value, Mapping):
        shown = [(_words(name), tree(part)) for name, part in value.items() if part not in (None, "", [], {})
                 and not is_secret(str(name))]  # fmt: skip
        rows = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", shown)
        return format_html('<dl class="ninja-tree">{}</dl>', rows) if shown else NOTHING
    if isinstance(value, Sequence) and not isinstance(value, str):
        if all(not isinstance(part, (Mapping, list)) for part in value):
            return format_html("{}", ", ".join(str(part) for part in value)) if value else NOTHING
        return format_html(
            '<ol class="ninja-tree">{}</ol>', format_html_join("", "<li>{}</li>", ((tree(p),) for p in value))
        )
    return NOTHING if value is None else format_html("{}", yes_no_or(value))


def is_secret(name: str) -> bool:
    """Return whether a field of this name may hold what nobody should read."""
    return any(word in name.lower() for word in SECRET_WORDS)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
