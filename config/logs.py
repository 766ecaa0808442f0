"""Logs to standard error: JSON lines in production, readable lines locally. Ids only, never people."""

from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Keys whose values would name a person, a card or a secret, wherever a caller passes them.
PRIVATE_KEYS = frozenset({
    "address", "authorization", "card", "city", "client_secret", "cookie", "email", "first_name", "headers", "ip",
    "last4", "last_name", "name", "number", "password", "payload", "phone", "postal_code", "secret", "tax_id", "token",
    "username",
})  # fmt: skip


def without_private_keys(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep the keys of private values, so that the line still says what it was about, and drop the values."""
    return {key: "[private]" if key in PRIVATE_KEYS else value for key, value in event.items()}


def configure(*, as_json: bool) -> dict[str, Any]:
    """
    Set structlog up and return Django's LOGGING, so that both write the same lines.

    Tracebacks come without local variables: those hold what the keys above keep out.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        without_private_keys,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    ending: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Django's own handlers would write everything twice; its refused requests (4xx) are no news.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "axes": {"level": "CRITICAL"},  # its lines name people
            "httpx": {"level": "WARNING"},  # as for Stripe below
            "celery": {"level": "WARNING"},  # beat would write four lines a second
            "kombu": {"level": "WARNING"},
            "django_migration_linter": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},  # a line for each call and each answer
        },
    }
