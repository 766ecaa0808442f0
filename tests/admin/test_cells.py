"""How values read in the panel."""

import pytest
from django.utils.safestring import SafeString

from accounts.admin.words import actor_in_words, flags_in_words, sentence
from accounts.journal import KINDS
from config.panel.cells import Figure, amount, code, money, number, tree
from config.panel.sections import Table

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
