"""Where e-mails go on one machine: to standard error, as text alone; standard output belongs to commands."""

import sys
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import console


class EmailBackend(console.EmailBackend):
    """Writes each message as its plain text; a page of HTML says the same, and nobody reads it in a terminal."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stream = sys.stderr

    def write_message(self, message: EmailMessage) -> None:
        super().write_message(
            EmailMessage(message.subject, message.body, message.from_email, message.to, headers=message.extra_headers)
        )
