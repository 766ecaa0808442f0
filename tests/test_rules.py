"""
The rules of the house, each a test. What a test can't see it says.

They read the source as a tree, so a rule holds for code that no other test runs; `tests/guard.py` watches the
same stores while the tests run, raw SQL included.
"""

import ast
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models, transaction
from django.db.models import NOT_PROVIDED

from accounts.stores import GUARDED_TABLES, STORES
from billing.cfstripe.client import NetworkInTransaction, client
from config.apps import NinjaPanelConfig
from tests.source import APPS, APPS_HERE, INSIDE, OURS, ROOT, calls, dotted, files, imports, module, sql_texts, tree

PURE = (
    "accounts.flags",
    "accounts.journal_events",
    "accounts.limits",
    "accounts.journal_fields",
    "accounts.journal_kinds",
    "accounts.journal_schemas",
    "accounts.notices.kinds",
    "accounts.retry",
    "accounts.roles",
    "accounts.stores",
    "billing.catalog.read",
    "billing.catalog.values",
    "billing.cfstripe.personal",
    "billing.changes_calculator.billed",
    "billing.changes_calculator.change_set",
    "billing.changes_calculator.clocks",
    "billing.changes_calculator.granted",
    "billing.changes_calculator.in_the_way",
    "billing.changes_calculator.letting_go",
    "billing.changes_calculator.licences",
    "billing.changes_calculator.method_first",
    "billing.changes_calculator.domains",
    "billing.changes_calculator.switch_interval",
    "billing.changes_calculator.wish",
    "billing.changes_calculator.targets",
    "billing.changes_calculator.lines",
    "billing.changes_calculator.items",
    "billing.changes_calculator.directions",
    "billing.changes_calculator.credited",
    "billing.changes_calculator.plan",
    "billing.changes_calculator.prices",
    "billing.changes_calculator.proration",
    "billing.changes_calculator.request",
    "billing.changes_calculator.settled",
    "billing.changes_calculator.snapshot",
    "billing.changes_calculator.split",
    "billing.changes_calculator.steps",
    "billing.changes_calculator.validate",
    "billing.cfstripe.references",
    "billing.cfstripe.method_shapes",
    "billing.cfstripe.reversals",
    "billing.cfstripe.shapes",
    "billing.invoicing.books",
    "billing.invoicing.credit_notes",
    "billing.invoicing.postings",
    "billing.invoicing.spending",
    "billing.invoicing.compare",
    "billing.invoicing.states",
    "billing.objectproducts.phases",
    "billing.objectproducts.state",
    "billing.payments.choose",
    "billing.payments.declines",
    "billing.payments.paths",
    "billing.payments.removal",
    "billing.payments.setup",
    "billing.queues.read_event",
    "dunning.changes",
    "dunning.consequence_kinds",
    "dunning.consequences.outcome",
    "dunning.consequences.ready",
    "dunning.decide",
    "dunning.facts",
    "dunning.policy",
    "dunning.retry",
    "dunning.simulate",
    "billing.receipts.document",
    "entitlements.derive",
    "webhooks.failures",
    "webhooks.handlers.arrival",
)
IMPURE = ("django", "rest_framework", "celery", "stripe", "braintree", "cloudflare", "psycopg", "redis", "config.clock")

# A door translates, makes one call and translates back; nothing else imports it.
DOORS = frozenset({"api", "internal_api", "self_serve_ui", "admin", "tasks", "views", "urls", "management"})
# What stands above the apps, and may therefore look into their doors.
ABOVE = (
    "config.api_errors",
    "config.celery",
    "config.management",
    "config.openapi",
    "config.receiver",
    "config.site",
    "config.urls",
    "config.wsgi",
)

# Longer than 300 lines, and why that is one thing.
LONG = {
    "accounts/journal_kinds.py": "one table, a row for each kind of fact",
    "accounts/models.py": "the facade's tables, of which none has any behaviour",
}


# --- What stands where -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PURE)
def test_a_pure_file_imports_nothing_of_the_world(name: str) -> None:
    code = f"import sys, {name}; print([m for m in {IMPURE!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr or done.stdout


def test_the_import_linter_checks_the_same_pure_files() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    linted = next(contract["source_modules"] for contract in contracts if contract["name"].startswith("A pure file"))

    assert sorted(linted) == sorted(PURE)


def test_whoever_says_pure_is_on_the_list_of_the_pure() -> None:
    """Catches a file that calls itself pure and is not tested to be. Words, sentences and tables of doors are free."""
    claiming = {
        module(path)
        for path in files(*APPS_HERE)
        if re.search(r"\bPure\b", ast.get_docstring(tree(path)) or "") and not DOORS & set(module(path).split("."))
    }

    assert claiming <= set(PURE), claiming - set(PURE)


def test_every_init_is_empty() -> None:
    """A package that imports on entry makes its pure files unimportable without Django."""
    packages = [path for folder in (*OURS, "tests") for path in (ROOT / folder).rglob("__init__.py")]

    assert [path for path in packages if path.read_text()] == []
    assert packages


def test_a_file_is_named_for_a_verb_a_stage_or_an_object() -> None:
    shapeless = {"services", "utils", "helpers", "managers", "signals", "misc", "common"}

    assert [path for path in files(tests_too=True) if path.stem in shapeless] == []


def test_nothing_is_named_probation() -> None:
    named = [path for path in files() if "probation" in path.read_text().lower()]
    tables = [model._meta.db_table for model in apps.get_models() if "probation" in model._meta.db_table]

    assert (named, tables) == ([], [])


def test_no_file_is_long_without_a_reason() -> None:
    long = {path.relative_to(ROOT).as_posix() for path in files() if len(path.read_text().splitlines()) > 300}

    assert long == set(LONG), "split it, or say in LONG which one thing it is; take out what became short"


# --- Which way things depend -----------------------------------------------------------------------------------------


def test_every_foreign_key_points_left() -> None:
    """import-linter can't see a key that is named by a string."""
    place = {name: position for position, name in enumerate(APPS)}
    wrong = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in place
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and place.get(field.related_model._meta.app_label, 0) > place[model._meta.app_label]
    ]

    assert wrong == []


def test_nothing_but_a_door_imports_a_door() -> None:
    wrong = [
        f"{module(path)} imports {name}"
        for path in files()
        if not DOORS & set(module(path).split(".")) and not module(path).startswith(ABOVE)
        for name in imports(path)
        if name.split(".")[0] in APPS and DOORS & set(name.split(".")[1:])
    ]

    assert wrong == []


def test_the_sandbox_and_the_apps_know_nothing_of_each_other() -> None:
    sandbox = [f"{module(path)} imports {name}" for path in files("sandbox") for name in imports(path)
               if name.split(".")[0] in (*APPS, "config")]  # fmt: skip
    others = [f"{module(path)} imports {name}" for path in files() if path.relative_to(ROOT).parts[0] != "sandbox"
              for name in imports(path) if name.split(".")[0] == "sandbox"]  # fmt: skip

    assert (sandbox, others) == ([], [])


@pytest.mark.parametrize(
    ("sdk", "folder"),
    [("stripe", "billing.cfstripe"), ("braintree", "billing.braintree"), ("cloudflare", "billing.queues")],
)
def test_an_sdk_is_imported_in_its_one_folder(sdk: str, folder: str) -> None:
    outside = [module(path) for path in files() if any(name.split(".")[0] == sdk for name in imports(path))]

    assert [name for name in outside if not name.startswith(f"{folder}.")] == []


# --- Time, waking, locks ---------------------------------------------------------------------------------------------

TIME = {
    "timezone.now", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
    "Now", "TransactionNow", "StatementTimestamp",
}  # fmt: skip


def test_time_is_read_through_the_two_clocks_alone() -> None:
    """
    Catches calls by these names and model fields that fill themselves; not SQL's own now(), which the next test reads.

    The sandbox is another world with a clock of its own: there, `sandbox/clock.py` and the deliveries' machine time.
    """
    wrong = [
        f"{module(path)}:{call.lineno} calls {dotted(call.func)}"
        for path in files(*INSIDE)
        if module(path) != "config.clock"
        for call in calls(path)
        if ".".join(dotted(call.func).split(".")[-2:]) in TIME or dotted(call.func) in TIME
    ]
    by_itself = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in APPS
        for field in model._meta.concrete_fields
        if getattr(field, "auto_now", False)
        or getattr(field, "auto_now_add", False)
        or (field.db_default is not models.NOT_PROVIDED and isinstance(field, models.DateField))
    ]

    assert (wrong, by_itself) == ([], [])


def test_sql_of_ours_does_not_ask_the_server_for_the_time() -> None:
    asks = re.compile(
        r"\b(now|clock_timestamp|statement_timestamp)\s*\(\s*\)|\bcurrent_(timestamp|date)\b", re.IGNORECASE
    )
    wrong = [f"{module(path)}:{line}" for path in files(*APPS_HERE) for line, text in sql_texts(path)
             if asks.search(text)]  # fmt: skip

    assert wrong == []


def test_rows_are_locked_in_two_places_alone() -> None:
    locks = re.compile(
        r"\bFOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE)\b|\bFOR\s+KEY\s+SHARE\b|\bLOCK\s+TABLE\b|pg_advisory", re.IGNORECASE
    )
    by_orm = {
        module(path) for path in files() for call in calls(path) if dotted(call.func).endswith("select_for_update")
    }
    by_sql = {module(path) for path in files() for _, text in sql_texts(path) if locks.search(text)}

    assert by_orm == {"accounts.lock"}
    assert by_sql == {"accounts.claim"}


def test_workers_are_woken_in_one_place_and_never_told_when() -> None:
    """Due times live in PostgreSQL: a broker that loses everything must cost a second, not a promise."""
    sends = {"send_task", "delay", "apply_async", "apply"}
    wrong = [
        f"{module(path)}:{call.lineno}"
        for path in files()
        for call in calls(path)
        if (dotted(call.func).split(".")[-1] in sends and module(path) != "config.wake")
        or {keyword.arg for keyword in call.keywords} & {"eta", "countdown"}
    ]

    assert wrong == []


def test_no_processor_is_called_in_a_transaction(db: None) -> None:
    """The client refuses, in production too; a test's own transaction is looked through."""
    assert client() is not None

    with pytest.raises(NetworkInTransaction), transaction.atomic():
        client()

    assert connection.in_atomic_block, "the test's own"


# --- Who writes ------------------------------------------------------------------------------------------------------

TABLE_OF = {model.__name__: model._meta.db_table for model in apps.get_models() if model._meta.app_label in APPS}
WRITES = {
    "create",
    "bulk_create",
    "bulk_update",
    "update",
    "delete",
    "get_or_create",
    "update_or_create",
    "acreate",
    "aupdate",
}
MANAGERS = {"objects", "_default_manager", "_base_manager"}


def test_a_store_is_written_by_its_writers_alone() -> None:
    """
    Catches `Model.objects.filter().update()` and its like on a guarded model by name, SQL that names a guarded table,
    and `row.save()` or `row.delete()` in a module that imports guarded models without being a writer of any of them.

    It does not see which columns are set, nor models that reach a function as an argument: the guard does.
    """
    writers = {
        table: {w for group in groups for w in group.writers}
        for store in STORES
        for table, groups in store.tables.items()
    }
    changes = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)\"?", re.IGNORECASE)
    wrong: list[str] = []
    for path in files(*INSIDE):
        name, known = module(path), {imported.split(".")[-1] for imported in imports(path)}
        mine = {table for table in GUARDED_TABLES if name in writers[table]}
        for call in calls(path):
            method, root = dotted(call.func).split(".")[-1], _root_model(call.func)
            if method in WRITES and root and TABLE_OF.get(root) in GUARDED_TABLES - mine:
                wrong.append(f"{name}:{call.lineno} writes {TABLE_OF[root]}")
            instance = isinstance(call.func, ast.Attribute) and method in {"save", "delete"} and not root
            guarded = {TABLE_OF[model] for model in known & set(TABLE_OF)} & GUARDED_TABLES
            if instance and guarded and not guarded & mine and name not in NOT_ROWS:
                wrong.append(f"{name}:{call.lineno} saves a row, perhaps of {', '.join(sorted(guarded))}")
        for line, text in sql_texts(path):
            written = {found.lower() for found in changes.findall(text)} & GUARDED_TABLES - mine
            wrong += [f"{name}:{line} writes {table} in SQL" for table in sorted(written)]

    assert wrong == []


# Modules whose `.save()` or `.delete()` is no row's of a guarded table.
NOT_ROWS: frozenset[str] = frozenset()


def test_every_writer_that_a_store_names_stands_or_belongs_to_an_app_that_is_not_installed_yet() -> None:
    named = {
        writer for store in STORES for groups in store.tables.values() for group in groups for writer in group.writers
    }

    missing = {writer for writer in named if not (ROOT / f"{writer.replace('.', '/')}.py").exists()}

    installed = {config.name for config in apps.get_app_configs()}
    assert {writer.split(".")[0] for writer in missing} <= set(APPS) - installed, missing


def test_every_guarded_table_exists() -> None:
    assert set(TABLE_OF.values()) >= GUARDED_TABLES


def test_what_the_database_fills_in_python_knows_too() -> None:
    """A row that was made and not read back holds an expression in the place of the default: it is not empty, but true."""
    unknown = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in APPS
        for field in model._meta.concrete_fields
        if field.has_db_default() and field.default is NOT_PROVIDED
    ]

    assert unknown == []


def test_models_have_no_logic_in_save_and_nobody_listens_to_signals() -> None:
    overridden = [
        f"{model._meta.label}.{name}"
        for model in apps.get_models()
        if model._meta.app_label in APPS
        for name in ("save", "delete", "save_base", "full_clean", "clean")
        if name in vars(model)
    ]
    signals = ("django.db.models.signals", "django.dispatch", "django.core.signals")
    listening = [
        f"{module(path)} imports {name}" for path in files() for name in imports(path) if name.startswith(signals)
    ]

    assert (overridden, listening) == ([], [])


def test_an_error_is_never_passed_over_in_silence() -> None:
    """Catches `except Exception: pass` and the bare one; to name the one error that is expected is allowed."""
    wrong = [
        f"{module(path)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in {"Exception", "BaseException"})
        and all(isinstance(statement, ast.Pass) or _is_ellipsis(statement) for statement in node.body)
    ]

    assert wrong == []


# --- The panel -------------------------------------------------------------------------------------------------------


def test_every_action_of_the_panel_declares_whom_it_needs() -> None:
    """Django runs an action without `permissions` for staff who may only look."""
    wrong = [
        f"{type(panel).__name__}.{action}"
        for panel in admin.site._registry.values()
        for action in panel.actions
        if not getattr(_action(panel, action), "allowed_permissions", ())
    ]

    assert wrong == []
    assert not [name for name, _ in admin.site.actions if not getattr(_, "allowed_permissions", ())]


def test_every_admin_file_is_loaded() -> None:
    """Their packages' `__init__` stay empty, so the panel's app loads them one by one."""
    assert isinstance(apps.get_app_config("admin"), NinjaPanelConfig)

    missing = [
        module(path)
        for path in files(*APPS_HERE)
        if "admin" in path.with_suffix("").parts and module(path) not in sys.modules
    ]

    assert missing == []


def _root_model(function: ast.AST) -> str:
    """Return `Model` for `Model.objects.filter(…).update`, and nothing for a call on anything else."""
    node: Any = function
    chain: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            chain.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) and node.id in TABLE_OF and set(chain) & MANAGERS else ""


def _action(panel: Any, action: Any) -> Any:
    return action if callable(action) else getattr(panel, action)


def _is_ellipsis(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is Ellipsis
    )
