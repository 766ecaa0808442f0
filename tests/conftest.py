"""
The ground that tests stand on. Import order matters here: the settings read the environment once.

- `db`: the worker's database, rolled back after the test.
- `story`: the same database, committed for good; make fresh accounts, clean nothing.
- `sandbox`, `stripe_calls`, `clock`: the worker's sandbox, what was called there, its clock.
- `catalog`: the project's catalogue, published there.
- `live_server_url`: the application over HTTP, with the sandbox's webhooks pointed at it.
- `page` (of pytest-playwright): the machine's own Chromium.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import outside, parts

if "DJANGO_SETTINGS_MODULE" in os.environ:
    raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests set it themselves, after what the settings read.")
run = parts.join_run()

import django  # noqa: E402
import stripe  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from config.queue_address import make_queue  # noqa: E402
from tests.guard import JournalGuard  # noqa: E402
from tests.live_server import LiveServer  # noqa: E402

# How long the SDK waits between its tries is for a network; an outage of the sandbox would cost minutes of it.
stripe.HTTPClient.INITIAL_DELAY = 0.01

CONTROLLERS_CHILDREN = pytest.StashKey[list[Any]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the parts in the first process, and give each process that runs tests its own database."""
    if config.option.collectonly or config.option.help:
        return
    if not parts.is_worker():
        config.stash[CONTROLLERS_CHILDREN] = parts.start(run)
    if parts.is_worker() or not config.getoption("tx", None):
        parts.create_worker_database(run)
    else:
        # pytest-django would load a worker's settings by it before the worker's environment is set.
        del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    connections.close_all()
    for child in config.stash.get(CONTROLLERS_CHILDREN, []):
        child.stop()


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """Do nothing, in the place of pytest-django's: the database is a copy of the template already."""


@pytest.fixture(scope="session")
def untouched_database() -> Iterator[str]:
    """The URL of a database of the same schema that never held a row and knows nothing of any."""
    with parts.fresh_database(run, "untouched") as url:
        yield url


@pytest.fixture(autouse=True)
def _journal_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a store of an account changed without a journal entry, or by another's hand."""
    if request.path.name == "test_guard.py":
        yield
        return
    with JournalGuard().watching() as guard:
        yield
    assert guard.violations == []


@pytest.fixture
def db(db: None) -> None:
    """pytest-django's, with what stories committed out of sight until the test is rolled back; the catalogue stays."""
    parts.hide_what_stories_left()


@pytest.fixture
def story(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """
    Let the test and the live server use the database with real transactions.

    Work that the story leaves undone sleeps afterwards, so that no later test's workers take it up, and what the
    sandbox planned never happens: a later test that lets years pass would renew every subscription there is. A fault
    that did not strike strikes nobody else.
    """
    sandbox = request.getfixturevalue("sandbox") if "sandbox" in request.fixturenames else None
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    parts.put_leftovers_to_sleep()
    if sandbox:
        sandbox.delete("/_sandbox/agenda")
        sandbox.delete("/_sandbox/faults")
        sandbox.delete("/_sandbox/queues/messages")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[outside.Sandbox]:
    """This worker's sandbox, started at first use. `str(sandbox)` is its address, the settings' STRIPE_API_BASE."""
    started = outside.start_sandbox(settings.DATA_DIR)
    make_queue(str(started))
    yield started
    started.child.stop()


@pytest.fixture(scope="session")
def catalog(sandbox: outside.Sandbox, django_db_setup: None, django_db_blocker: Any) -> None:
    """The project's catalogue on sale in this worker's database and sandbox."""
    from billing.catalog.publish import publish
    from billing.management.commands.publish_catalog import DEFAULT_FILE
    from config import clock

    with django_db_blocker.unblock():
        publish(json.loads(DEFAULT_FILE.read_text()), actor="system:tests", now=clock.now())


@pytest.fixture
def clock(sandbox: outside.Sandbox) -> Iterator[outside.BusinessClock]:
    """Freeze and move business time; after the test it runs on from where it was left."""
    business_clock = outside.BusinessClock(sandbox)
    yield business_clock
    business_clock.run_on()


@pytest.fixture
def stripe_calls(sandbox: outside.Sandbox) -> Callable[[], Counter[str]]:
    """Count the operations that the sandbox answers from here on; call it to read the counts."""
    sandbox.delete("/_sandbox/calls")

    def read() -> Counter[str]:
        return Counter(sandbox.get("/_sandbox/calls")["calls"])

    return read


@pytest.fixture(scope="session")
def _live_server() -> Iterator[LiveServer]:
    server = LiveServer()
    yield server
    server.stop()


@pytest.fixture
def live_server_url(story: None, sandbox: outside.Sandbox, _live_server: LiveServer) -> Iterator[str]:
    """The application's address; every event that happens in the sandbox meanwhile is sent to its `/webhooks/stripe`."""
    endpoint = sandbox.put(
        "/_sandbox/endpoints",
        {
            "url": f"{_live_server.url}/webhooks/stripe",
            "secret": settings.STRIPE_WEBHOOK_SECRETS[0],
            "enabled_events": ["*"],
        },
    )
    yield _live_server.url
    sandbox.delete(f"/v1/webhook_endpoints/{endpoint['id']}")
    _live_server.wait_until_idle()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Have playwright drive the machine's own Chromium, or skip what needs it, and say so."""
    if not parts.CHROMIUM.exists():
        pytest.skip(f"NO BROWSER: {parts.CHROMIUM} is missing, so what people see in one was not tested")
    # Playwright leaves its event loop running in this thread; Django would refuse every query after it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return browser_type_launch_args | {
        "executable_path": str(parts.CHROMIUM),
        "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }
