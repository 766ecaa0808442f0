"""Which operations of Stripe's we use, from where, and under which key: read from the source, written as a document."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stripe import StripeClient

ROOT = Path(__file__).resolve().parent.parent.parent
CFSTRIPE = ROOT / "billing" / "cfstripe"
APPS = ("accounts", "billing", "config", "dunning", "entitlements", "observability", "webhooks")
MOST_OPERATIONS = 45
SETTING_UP = ("test_helpers.", "webhook_endpoints.")

HEAD = """# Calls to Stripe

Every operation of Stripe's that the system uses: {count} of the {most} that it allows itself (test clocks, with which
`manage.py check_stripe_setup` proves settings, and the address for webhooks, which is set once, are not counted).
Only `billing/cfstripe/`
calls Stripe, never in a transaction, and each call that changes something carries a key of ours, so that repeating it
does nothing twice.

`manage.py describe_stripe_calls` writes this page from the source.

| operation | HTTP | function | called from | idempotency key |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One place in `billing/cfstripe/` that calls Stripe. `key` is the expression; empty: the call only reads."""

    operation: str
    http: str
    function: str
    callers: tuple[str, ...]
    key: str


def document() -> str:
    """Return the page, whole."""
    calls = find_calls()
    count = len(used(calls))
    rows = "".join(
        f"| `{call.operation}` | {call.http} | `{call.function}` | {', '.join(f'`{name}`' for name in call.callers)} |"
        f" {f'`{call.key}`' if call.key else ''} |\n"
        for call in calls
    )
    return HEAD.format(count=count, most=MOST_OPERATIONS) + rows


def used(calls: list[Call]) -> set[str]:
    """Return the operations of the running system: those of SETTING_UP serve only who sets it up, by hand."""
    return {call.operation for call in calls if not call.operation.startswith(SETTING_UP)}


def find_calls() -> list[Call]:
    """Return every call, by operation and function."""
    callers = _callers()
    found = []
    for path in sorted(CFSTRIPE.glob("*.py")):
        for function in ast.parse(path.read_text()).body:
            if isinstance(function, ast.FunctionDef):
                for operation, key in _operations(function):
                    place = f"{path.stem}.{function.name}"
                    found.append(Call(operation, _http(operation), place, callers.get(place, ()), key))
    return sorted(set(found), key=lambda call: (call.operation, call.function, call.key))


def _operations(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield each `client().v1.resource.method(…)` in a function, with the expression of its key."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Call, ast.Attribute)):
            called = node.func if isinstance(node, ast.Call) else node
            found = re.fullmatch(r"client\(\)\.v1\.([\w.]+\.\w+)", ast.unparse(called))
            if found and isinstance(node, ast.Call):
                yield found.group(1), _key(node)


def _key(call: ast.Call) -> str:
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, ast.Dict):
            for name, value in zip(argument.keys, argument.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == "idempotency_key":
                    return ast.unparse(value)
    return ""


def _http(operation: str) -> str:
    """Return method and path, as the SDK itself has them."""
    service: object = StripeClient("sk_test_for_its_source").v1
    *resources, method = operation.split(".")
    for resource in resources:
        service = getattr(service, resource)
    source = inspect.getsource(getattr(type(service), method))
    found = re.search(r'_request\(\s*"(\w+)",\s*"(/v1/[^"]+)"', source)
    assert found is not None, f"the SDK's {operation} is written otherwise"
    return f"{found.group(1).upper()} {found.group(2)}"


def _callers() -> dict[str, tuple[str, ...]]:
    """Return for each function of `billing/cfstripe/` the modules that name it."""
    named: dict[str, set[str]] = {}
    for path in sorted(path for app in APPS for path in (ROOT / app).rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text())
        modules, functions = _imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                named.setdefault(f"{modules[node.value.id]}.{node.attr}", set()).add(module)
            if isinstance(node, ast.Name) and node.id in functions:
                named.setdefault(functions[node.id], set()).add(module)
    return {place: tuple(sorted(modules)) for place, modules in named.items()}


def _imported(tree: ast.Module) -> tuple[dict[str, str], dict[str, str]]:
    """Return what a file calls the modules, and the functions, that it takes from cfstripe."""
    modules: dict[str, str] = {}
    functions: dict[str, str] = {}
    names = {path.stem for path in CFSTRIPE.glob("*.py")}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            source = (node.module or "").rpartition(".")[2]
            if source == "cfstripe" or (node.level == 1 and not node.module and alias.name in names):
                modules[alias.asname or alias.name] = alias.name
            elif source in names:
                functions[alias.asname or alias.name] = f"{source}.{alias.name}"
    return modules, functions
