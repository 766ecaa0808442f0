"""What `up` shows when everything runs: where things are, how to get in, what to try."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .local_platform import LocalPlatform


def of(platform: "LocalPlatform") -> RenderableType:
    """Return the summary of a running platform. Lines that people copy stand outside of frames."""
    places = Table.grid(padding=(0, 2))
    for name, value in _places(platform):
        places.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    demo: list[dict[str, str]] = platform.parts.secrets.get("demo_accounts") or []
    parts: list[RenderableType] = [Panel(places, title="PayGO is running", title_align="left", border_style="green")]
    if demo:
        parts += [*_accounts(demo), Text(), *_to_try(platform, demo), Text()]
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


def _accounts(demo: list[dict[str, str]]) -> list[Text]:
    """Return three lines for each account; in a table's cells the ids and tokens would be cut."""
    return [
        line
        for account in demo
        for line in (
            Text(f"{account['name']}: {account['what']}", style="bold"),
            Text(f"  account {account['account_id']}  zone {account['zone_id']}"),
            Text(f"  token   {account['token']}"),
        )
    ]


def _to_try(platform: "LocalPlatform", demo: list[dict[str, str]]) -> list[Text]:
    """Return commands that work as they stand, with the first account."""
    account = demo[0]
    api = f"{platform.url}/client/v4"
    curl = f"curl -H 'Authorization: Bearer {account['token']}'"
    plan = '{"rate_plan": {"id": "pro"}, "frequency": "monthly"}'
    buy = f"-H 'Content-Type: application/json' -d '{plan}' {api}/zones/{account['zone_id']}/subscription"
    return [
        Text("To try:", style="bold"),
        Text(f"  {curl} {api}/accounts/{account['account_id']}/subscriptions"),
        Text(f"  {curl} {buy}"),
        Text(
            "  The `client_secret` of a subscription that waits for its payment completes the 3D Secure address above."
        ),
    ]
