"""How values read in the panel."""

from datetime import UTC, datetime

import pytest
from django.utils.safestring import SafeString

from accounts.admin.timeline import ABOUT, TONES, happening, timeline
from accounts.admin.words import actor_in_words, flags_in_words, sentence
from accounts.journal_kinds import KINDS
from accounts.models import JournalEntry
from config.panel.cells import Figure, amount, code, money, number, tree, yes_no_or
from config.panel.sections import Table

NOW = datetime(2027, 3, 5, 10, 30, tzinfo=UTC)

VALUES = [
    (True,                     "yes"),
    (False,                    "no"),
    (50,                       "50"),
    ({"max": 20, "min": 1},    "max 20, min 1"),
    ([1, 2],                   "1, 2"),
    ([],                       "none"),
    ("business",               "business"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "words"), VALUES)
def test_a_stored_value_is_said_in_words(value: object, words: str) -> None:
    assert yes_no_or(value) == words


AMOUNTS = [
    # minor units  currency  as people read it
    (0,            "usd",    "$0.00"),
    (1,            "usd",    "$0.01"),
    (-1,           "usd",    "-$0.01"),
    (99,           "USD",    "$0.99"),
    (100,          "usd",    "$1.00"),
    (123_456_789,  "usd",    "$1,234,567.89"),
    (-250_000,     "eur",    "-€2,500.00"),
    (5_00,         "chf",    "5.00 CHF"),
    (500,          "jpy",    "500 JPY"),
    (-1_234_567,   "jpy",    "-1,234,567 JPY"),
    (1_005,        "kwd",    "1.005 KWD"),
    (10**17 + 1,   "usd",    "$1,000,000,000,000,000.01"),
]  # fmt: skip


@pytest.mark.parametrize(("amount_minor", "currency", "read"), AMOUNTS)
def test_money(amount_minor: int, currency: str, read: str) -> None:
    assert money(amount_minor, currency) == read


FLAGS = [
    (0,                   []),
    (1 << 15,             ["bad debt"]),
    (1 << 15 | 1 << 14,   ["bad debt", "bits of others (0x4000)"]),
    (1 << 16,             ["bits of others (0x10000)"]),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "words"), FLAGS)
def test_flags_in_words(flags: int, words: list[str]) -> None:
    assert flags_in_words(flags) == words


ACTORS = [
    ("customer:0f",     "the customer"),
    ("agent:ann",       "agent ann"),
    ("service:workers", "service workers"),
    ("system:resume",   "the system (resume)"),
    ("system",          "the system"),
    ("a stranger",      "a stranger"),
]  # fmt: skip


@pytest.mark.parametrize(("actor", "words"), ACTORS)
def test_actor_in_words(actor: str, words: str) -> None:
    assert actor_in_words(actor) == words


def test_every_kind_of_entry_has_a_sentence_and_one_of_yesterday_keeps_its_name() -> None:
    assert all(sentence(kind) == KINDS[kind].sentence for kind in KINDS)
    assert sentence("dunning.of_old") == "dunning.of_old"


def test_what_is_stored_is_escaped_wherever_it_stands() -> None:
    attack = "<script>alert(1)</script>"

    cells = [tree({attack: attack}), tree([{"a": [attack]}]), tree([attack]), tree(attack), code(attack)]

    assert all(isinstance(cell, SafeString) for cell in cells)
    assert not [cell for cell in cells if "<script>" in cell]


def test_a_tree_leaves_out_what_is_secret_or_empty_at_any_depth() -> None:
    stored = {
        "client_secret": "s1", "kept": {"request_digest": "s2", "shown": True, "none": None},
        "list": [{"token": "s3", "id": 7}],
    }  # fmt: skip

    html = tree(stored)

    assert not [secret for secret in ("s1", "s2", "s3") if secret in html]
    assert "yes" in html
    assert "7" in html
    assert "none" not in html


def test_figures_stand_at_the_right_under_their_header() -> None:
    table = Table("t", ("What", "Count", "Costs"), [("a", number(1200), amount(5, "usd"))], "")

    assert table.columns == [("What", False), ("Count", True), ("Costs", True)]
    assert isinstance(number(1), Figure)
    assert "1,200" in number(1200)


def entry(
    kind: str, *, after: dict[str, object] | None = None, before: dict[str, object] | None = None
) -> JournalEntry:
    return JournalEntry(pk=1, kind=kind, actor="system:pipe", after=after or {}, before=before or {}, at=NOW)


ABOUTS = [
    # kind                     before                     after                                     the line's detail begins
    ("change.committed",       {"opes": {"1": "free"}},   {"opes": {"1": "pro"}, "paid_minor": 2500, "currency": "usd"},
                                                                                                    "free → pro, $25.00 ·"),
    ("change.committed",       {"opes": {"1": None}},     {"opes": {"1": "free"}},                  "nothing → free ·"),
    ("change.committed",       {"opes": {"1": "pro"}},    {"opes": {"1": None}},                    "pro → nothing ·"),
    ("change.requested",       {},                        {"due_now_minor": 0, "currency": "usd"},  "$0.00 ·"),
    ("entitlements.changed",   {"a": 1, "b": 1},          {"b": 2, "c": 3},                         "3 features ·"),
    ("payment.failed",         {},                        {"amount_minor": 5, "currency": "usd", "code": "card_declined"},
                                                                                                    "$0.05 card_declined ·"),
    ("subscription.renewed",   {},                        {"until": "2027-04-05T10:30:00Z"},        "until 2027-04-05 ·"),
    ("zone.created",           {},                        {"zone_id": "1"},                         "by the system (pipe)"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after", "begins"), ABOUTS)
def test_a_line_says_what_an_entry_is_about(
    kind: str, before: dict[str, object], after: dict[str, object], begins: str
) -> None:
    assert str(happening(entry(kind, before=before, after=after)).detail).startswith(begins)


@pytest.mark.parametrize("kind", sorted(ABOUT))
def test_an_entry_from_before_its_details_were_kept_still_reads(kind: str) -> None:
    assert "by the system (pipe)" in str(happening(entry(kind)).detail)


def test_every_kind_that_has_details_or_a_tone_is_written() -> None:
    assert ABOUT.keys() | TONES.keys() <= KINDS.keys()


def test_events_that_follow_each_other_are_one_line() -> None:
    event = "stripe.event_processed"
    entries = [
        entry(event, after={"type": "invoice.paid"}),
        entry(event, after={"type": "charge.succeeded"}),
        entry(event, after={"type": "invoice.paid"}),
        entry("change.committed"),
        entry(event, after={"type": "customer.updated"}),
    ]

    lines = timeline(entries)

    assert len(lines) == 3
    assert "3 events from Stripe were processed" in str(lines[0].sentence)
    assert lines[0].detail == "invoice.paid, charge.succeeded"
    assert str(lines[2].detail).startswith("customer.updated · ")
