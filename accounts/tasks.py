"""What wakes the facade. It looks for due rows until there are none."""

from config import clock
from config.celery import task

from .notices.send import send_due


@task("accounts.send_notices")
def send_notices() -> None:
    """Send the e-mails that are due."""
    while send_due(now=clock.now()):
        continue
