"""The paper: what stands on it, to the cent, in any of its alphabets, and always the same bytes."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.receipts.document import Document, DocumentKind, Entry, Line, Party, money
from billing.receipts.draw import draw

START, END, PAID = (datetime(2026, month, day, 10, tzinfo=UTC) for month, day in ((1, 31), (2, 28), (2, 3)))
PAPER = Document(
    kind=DocumentKind.RECEIPT,
    number="A1B2C3D4-0007",
    status="paid",
    issued_at=START,
    paid_at=PAID,
    currency="usd",
    seller=Party("PayGO Inc.", ("101 Townsend Street",), "US 12-3456789"),
    buyer=Party("Ελληνική Łódź Київ GmbH", ("billing@acme.example",), "DE 811907980"),
    lines=(
        Line("Business plan", START, END, 1, 250_00, 250_00),
        Line("Unused time: Pro", START, END, -1, 25_00, -12_34),
    ),
    tax_minor=11_93,
    total_minor=249_59,
    entries=(Entry(START, "Promotional credit", 10_00), Entry(PAID, "Paid with Visa …4242", 239_59)),
)

MONEY = [
    # minor     currency  written
    (0,         "usd",    "$0.00"),
    (5,         "usd",    "$0.05"),
    (1234_50,   "usd",    "$1,234.50"),
    (-3_00,     "eur",    "−€3.00"),
    (500,       "jpy",    "¥500"),
    (12_00,     "sek",    "12.00 SEK"),
]  # fmt: skip


@pytest.mark.parametrize(("minor", "currency", "written"), MONEY)
def test_money_is_written_as_people_write_it(minor, currency, written):
    assert money(minor, currency) == written


BALANCES = [
    # what it is                                                         balance
    (PAPER,                                                              0),
    (replace(PAPER, entries=PAPER.entries[:1], status="open"),           239_59),
    (replace(PAPER, entries=(), status="open", kind=DocumentKind.INVOICE), 249_59),
    (replace(PAPER, entries=(), status="void", kind=DocumentKind.INVOICE), 0),
    (replace(PAPER, entries=(), kind=DocumentKind.CREDIT_NOTE),          0),
    (replace(PAPER, carried_minor=49),                                   49),
    (replace(PAPER, total_minor=49, carried_minor=-49, entries=()),      0),
]  # fmt: skip


@pytest.mark.parametrize(("paper", "balance_minor"), BALANCES)
def test_the_balance_is_what_remains_to_be_paid(paper, balance_minor):
    assert paper.balance_minor == balance_minor


def words_of(pdf, tmp_path):
    (tmp_path / "paper.pdf").write_bytes(pdf)
    shown = subprocess.run(["pdftotext", "-layout", tmp_path / "paper.pdf", "-"], capture_output=True, check=True)
    return " ".join(shown.stdout.decode().split())


@pytest.fixture
def reader():
    """The machine's own reader of PDFs, or skip what needs it, and say so."""
    import shutil

    if shutil.which("pdftotext") is None:
        pytest.skip("NO READER: pdftotext is missing, so what stands on the paper was not read")


def test_everything_stands_on_the_paper(reader, tmp_path):
    words = words_of(draw(PAPER), tmp_path)

    for told in (
        "Receipt", "A1B2C3D4-0007", "PayGO Inc.", "US 12-3456789", "Ελληνική Łódź Київ GmbH", "DE 811907980",
        "$249.59 paid on 3 Feb 2026", "31 Jan 2026 – 27 Feb 2026", "−$12.34", "Subtotal $237.66", "Tax $11.93",
        "Total $249.59", "Promotional credit, 31 Jan 2026 −$10.00", "Visa …4242, 3 Feb 2026 −$239.59",
        "Balance (paid) $0.00", "Page 1 of 1",
    ):  # fmt: skip
        assert told in words, told


def test_what_is_open_says_what_is_due_and_a_credit_note_what_it_corrects(reader, tmp_path):
    invoice = replace(PAPER, kind=DocumentKind.INVOICE, status="open", paid_at=None, entries=(), lines=PAPER.lines * 30)
    note = replace(PAPER, kind=DocumentKind.CREDIT_NOTE, about="A1B2C3D4-0006", entries=(), paid_at=None)

    said, corrected = words_of(draw(invoice), tmp_path), words_of(draw(note), tmp_path)

    assert ("Invoice" in said, "Balance due $249.59" in said, "Page 2 of" in said) == (True, True, True)
    assert ("Credit note" in corrected, "For invoice A1B2C3D4-0006" in corrected) == (True, True)
    assert "Balance" not in corrected


def test_the_same_paper_is_the_same_bytes():
    assert draw(PAPER) == draw(PAPER)
    assert draw(PAPER) != draw(replace(PAPER, total_minor=249_60))
