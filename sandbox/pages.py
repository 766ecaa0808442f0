"""The sandbox's three HTML pages. Every value is escaped: names and metadata come from anywhere."""

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

from .stripe.cards import CARDS
from .world import World

Document = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --paper: #f6f7f9; --card: #fff; --line: #dde1e8; --accent: #4f46e5 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --paper: #14171d; --card: #1c2129; --line: #2f3642; --accent: #8b85ff }
}
* { box-sizing: border-box }
body {
  margin: 0; padding: 2.5rem 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper)
}
main { max-width: 64rem; margin: auto }
main.narrow { max-width: 26rem }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.5rem; margin: 1rem 0
}
h1 { font-size: 1.4rem; margin: 0 0 .25rem } h2 { font-size: 1rem; margin: 0 0 .5rem }
p { margin: .25rem 0 1rem } small, .quiet { opacity: .7 }
.amount { font-size: 2rem; font-weight: 650; margin: .5rem 0 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: .9em; overflow-wrap: anywhere }
button, select {
  font: inherit; width: 100%; padding: .7rem; border-radius: 8px; border: 1px solid var(--line); margin: .25rem 0
}
select { background: var(--card); color: inherit }
button { cursor: pointer; font-weight: 600; background: transparent; color: inherit }
button#complete { background: var(--accent); border-color: var(--accent); color: #fff }
button:focus-visible, select:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
"""


def authentication(intent: Document, client_secret: str) -> str:
    """Return the page on which a person stands in for the bank's customer: Complete or Fail."""
    if intent["object"] == "payment_intent":
        what = f"<p class=amount>{_money(intent['amount'], intent['currency'])}</p>"
    else:
        what = "<p class=amount>Save a card</p>"
    status = escape(intent["status"].replace("_", " "))
    head = f"<h1>3D Secure</h1><p class=quiet>Test bank · <code>{escape(intent['id'])}</code> · {status}</p>{what}"
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        return _page("3D Secure", f"<section>{head}<p>Nothing is left to be done.</p></section>", narrow=True)

    chooser = _card_chooser() if intent["payment_method"] is None else ""
    form = (
        f'<form method="post" action="/_sandbox/authenticate">'
        f'<input type="hidden" name="client_secret" value="{escape(client_secret, quote=True)}">{chooser}'
        '<button id="complete" name="outcome" value="complete">Complete</button>'
        '<button id="fail" name="outcome" value="fail">Fail</button></form>'
    )
    words = "Choose a test card and pay with it." if chooser else "The bank wants to know that it is you."
    return _page("3D Secure", f"<section>{head}<p>{words}</p>{form}</section>", narrow=True)


def outcome(result: Document) -> str:
    """Return the page shown after Complete or Fail."""
    error = (result.get("error") or {}).get("message", "")
    status = escape(str(result.get("status", "done")).replace("_", " "))
    body = f"<h1 id=status>{status}</h1><p>{escape(error)}</p><p class=quiet>You may close this page.</p>"
    return _page("3D Secure", f"<section>{body}</section>", narrow=True)


def state(world: World) -> str:
    """Return the page of the sandbox's state: counts, latest calls and events, and what the clock will do."""
    spaces = sorted((name, len(documents)) for name, documents in world.documents.spaces.items())
    counts = [[escape(name), f"<td class=number>{count}"] for name, count in spaces]
    calls = [
        [_time(call["at"]), f"<code>{escape(call['request'])}</code>", str(call["status"])]
        for call in world.latest_calls
    ][:20]
    latest = []
    for event in world.documents.newest_first("event"):
        latest.append(
            [_time(event["created"]), f"<code>{escape(event['type'])}</code>",
             f"<code>{escape(str(event['data']['object'].get('id')))}</code>", str(event["pending_webhooks"])]
        )  # fmt: skip
        if len(latest) == 20:
            break
    agenda = [
        [_time(entry["due_at"]), escape(entry["act"]), f"<code>{escape(entry['object_id'])}</code>"]
        for entry in world.agenda.in_order()[:20]
    ]
    frozen = "frozen" if world.clock.is_frozen else "running"
    head = (
        f"<h1>Sandbox</h1><p class=quiet>{_time(world.clock.now())} · clock {frozen} · "
        f"<code>{escape(json.dumps(world.clock.setting))}</code></p>"
    )
    return _page(
        "Sandbox",
        head
        + _table("Objects", ("kind", "count"), counts)
        + _table("Agenda", ("due", "act", "object"), agenda)
        + _table("Latest events", ("at", "type", "object", "not taken"), latest)
        + _table("Latest calls", ("at", "request", "status"), calls),
    )


def _card_chooser() -> str:
    options = "".join(
        f'<option value="{escape(card.alias)}">{escape(card.brand)} •••• {card.last4}: {escape(card.meaning)}</option>'
        for card in CARDS
    )
    return f'<label for="card">Card</label><select id="card" name="card">{options}</select>'


def _table(title: str, columns: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{column}" for column in columns)
    body = "".join("<tr>" + "".join(cell if cell.startswith("<td") else f"<td>{cell}" for cell in row) for row in rows)
    return f"<section><h2>{title}</h2><table><tr>{head}{body or '<tr><td>none'}</table></section>"


def _page(title: str, body: str, *, narrow: bool = False) -> str:
    width = ' class="narrow"' if narrow else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main{width}>{body}</main></body></html>"
    )


def _money(amount_minor: int, currency: str) -> str:
    if currency in ("jpy", "krw"):
        return f"{amount_minor:,} {escape(currency.upper())}"
    return f"{amount_minor // 100:,}.{amount_minor % 100:02d} {escape(currency.upper())}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
