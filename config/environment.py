"""Reading one environment variable: the value, or one sentence that says what is wrong with it."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def is_given(name: str) -> bool:
    """Say whether the variable holds anything; an empty one counts as absent."""
    return bool(os.environ.get(name, "").strip())


def text(name: str, *, default: str | None = None, at_least: int = 1) -> str:
    """
    Return the variable's text, without the white space around it.

    :raises ImproperlyConfigured: it is absent and has no default, or is shorter than `at_least`.
    """
    value = str(env.str(name)).strip() if is_given(name) else default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set; see .env.example for what belongs there.")
    if len(value) < at_least:
        raise ImproperlyConfigured(f"{name} is too short: it needs at least {at_least} characters.")
    return value


def number(name: str, *, default: int) -> int:
    """Return a whole number from 1, or refuse."""
    value = text(name, default=str(default))
    if not (value.isascii() and value.isdecimal() and int(value) >= 1):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number, 1 or more.")
    return int(value)


def choice(name: str, options: Sequence[str], *, default: str) -> str:
    """Return one of `options`, or refuse."""
    value = text(name, default=default)
    if value not in options:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be {' or '.join(options)}.")
    return value


def words(name: str, *, default: Sequence[str] | None = None) -> list[str]:
    """Return the parts of a comma-separated list, in order, without empty ones."""
    if not is_given(name) and default is not None:
        return list(default)
    parts = [part.strip() for part in text(name).split(",")]
    if not any(parts):
        raise ImproperlyConfigured(f"{name} holds no value between its commas.")
    return [part for part in parts if part]


def url(name: str, schemes: Sequence[str], *, default: str | None = None) -> str:
    """
    Return a URL of one of `schemes` with a host and a readable port.

    The refusal names the variable and what it should look like, never the value: it may hold a password.
    """
    value = text(name, default=default)
    try:
        parts = urlsplit(value)
        is_readable = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_readable = False
    if not is_readable:
        raise ImproperlyConfigured(f"{name} cannot be read; it should look like {schemes[0]}://host:port/…")
    return value


def database(name: str, *, default: str | None = None) -> dict[str, object]:
    """Return Django's settings of the PostgreSQL database that the variable's URL names."""
    value = url(name, ("postgres", "postgresql"), default=default)
    settings: dict[str, object] = env.db_url_config(value)
    if not settings.get("NAME"):
        raise ImproperlyConfigured(f"{name} names no database; it should end in /name.")
    return settings


def mail_server(name: str, *, default: str | None = None) -> dict[str, object]:
    """Return Django's settings of the mail server that the variable's URL names."""
    settings: dict[str, object] = env.email_url_config(url(name, ("smtp+tls", "smtp+ssl", "smtp"), default=default))
    return settings


def directory(name: str, *, default: Path) -> Path:
    """Return an absolute path; a file in its place is refused, a missing directory is not."""
    path = Path(text(name, default=str(default))).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ImproperlyConfigured(f"{name} is {path}, which is a file; it must be a directory.")
    return path
