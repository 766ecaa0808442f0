#!/usr/bin/env python
"""Django's command line, which first joins or starts the parts that the command needs."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from config.joining import join_parts
        from config.supervise import CannotStart
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed here: run `make install`, then `.venv/bin/python manage.py …`.")
    try:
        join_parts(sys.argv)
        settings.PROFILE  # noqa: B018  read now, so that a wrong value is one sentence and no traceback
    except (CannotStart, ImproperlyConfigured) as refusal:
        sys.exit(f"PayGO cannot start: {refusal}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
