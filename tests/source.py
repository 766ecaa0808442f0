"""Our source as the rules of the house read it: files, what they import, what they call, the SQL in them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# From left to right: each may import what stands before it.
APPS = ("accounts", "entitlements", "billing", "dunning", "webhooks", "observability")
OURS = tuple(name for name in (*APPS, "config", "sandbox") if (ROOT / name).is_dir())
APPS_HERE = tuple(name for name in APPS if name in OURS)
# All but the other world, which has rules of its own.
INSIDE = tuple(name for name in OURS if name != "sandbox")


def files(*folders: str, tests_too: bool = False) -> list[Path]:
    """Return our Python files, without migrations: they are made by a machine and never edited."""
    found = [path for folder in folders or OURS for path in (ROOT / folder).rglob("*.py")]
    if tests_too:
        found += [path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports, at its top or inside a function."""
    package = module(path).split(".")[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            yield from (f"{start}.{name.name}" for name in node.names)


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for an attribute of a name, and only the last part when it hangs on something else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def sql_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a file with their lines, f-strings joined, docstrings left out: SQL is among them."""
    parsed = tree(path)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(parsed)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {id(part) for node in ast.walk(parsed) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(parsed):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inside:
            yield node.lineno, node.value
