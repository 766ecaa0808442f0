"""A worker that does nothing but tell services, until it is killed: `python -m tests.webhooks.fanout_worker`."""

import time

import django

django.setup()

from config import clock  # noqa: E402
from webhooks.fanout import fan_out_due  # noqa: E402

if __name__ == "__main__":
    while True:
        if not fan_out_due(now=clock.now()):
            time.sleep(0.01)
