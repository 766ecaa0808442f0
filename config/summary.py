"""What `up` shows when everything runs: where things are, how to get in, what to try."""

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .local_platform import LocalPlatform

# Columns that people copy.
UNBROKEN = frozenset({"account_id", "zone_id", "token"})


def of(platform: "LocalPlatform") -> RenderableType:
    """Return the summary of a running platform. Lines that people copy stand outside of frames."""
    places = Table.grid(padding=(0, 2))
    for name, value in _places(platform):
        places.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    demo: list[dict[str, Any]] = platform.parts.secrets.get("demo_accounts") or []
    parts: list[RenderableType] = [Panel(places, title="PayGO is running", title_align="left", border_style="green")]
    if demo:
        parts += [_accounts(demo), Text(), *_to_try(platform, demo[0])]
    parts.append(Text("Ctrl-C stops everything; nothing is lost.", style="dim"))
    return Group(*parts)


def _places(platform: "LocalPlatform") -> list[tuple[str, str]]:
    places = [
        ("API", f"{platform.url}/client/v4"),
        ("NinjaPanel", f"{platform.url}/ninja/"),
        ("  login", f"admin / {platform.parts.secrets['ninja_password']}"),
        ("Health", f"{platform.url}/readyz"),
    ]
    if platform.sandbox_url:
        places += [
            ("Sandbox", f"{platform.sandbox_url}/_sandbox/"),
            ("3D Secure", f"{platform.sandbox_url}/_sandbox/authenticate?client_secret=…"),
        ]
    data_dir = platform.parts.data_dir
    return [*places, ("Data, logs", str(data_dir)), ("Secrets", str(data_dir / "credentials.json"))]


def _accounts(demo: list[dict[str, Any]]) -> Table:
    table = Table(title="Demo accounts", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in demo[0]:
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column in UNBROKEN)
    for account in demo:
        table.add_row(*(str(value) for value in account.values()))
    return table


def _to_try(platform: "LocalPlatform", account: dict[str, Any]) -> list[Text]:
    api = f"{platform.url}/client/v4/accounts/{account.get('account_id', '…')}"
    return [
        Text("To try:", style="bold"),
        Text(f"  curl -H 'Authorization: Bearer {account.get('token', '…')}' {api}/subscriptions"),
    ]
