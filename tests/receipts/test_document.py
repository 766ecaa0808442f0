"""The paper: what stands on it, to the cent, in any of its alphabets, and always the same bytes."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

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


def test_what_went_back_stands_below_a_balance_that_it_does_not_change(reader, tmp_path):
    paper = replace(
        PAPER,
        given_back=(
            Entry(PAID, "Credit note CN-1: refunded to Visa …4242", 10_00),
            Entry(PAID, "Given as credit", 5_00),
        ),
    )

    words = words_of(draw(paper), tmp_path)

    assert paper.balance_minor == 0
    for told in ("Balance (paid) $0.00", "Credit note CN-1: refunded to Visa …4242, 3 Feb 2026 $10.00",
                 "Given as credit, 3 Feb 2026 $5.00", "Given back in all $15.00"):  # fmt: skip
        assert told in words, told


def test_a_credit_note_says_where_its_amount_goes_and_nothing_of_prices(reader, tmp_path):
    lines = (Line("Business plan", START, END, None, None, 100_00),)
    note = replace(
        PAPER, kind=DocumentKind.CREDIT_NOTE, lines=lines, tax_minor=5_00, total_minor=105_00, paid_at=None,
        entries=(Entry(START, "Off what was owed", 80_00), Entry(START, "Refunded to Visa …4242", 25_00)), about="A-6",
    )  # fmt: skip

    words = words_of(draw(note), tmp_path)
    taken_back = words_of(draw(replace(note, status="void")), tmp_path)

    for told in ("$105.00 credited on 31 Jan 2026", "Business plan 31 Jan 2026 – 27 Feb 2026 $100.00", "Tax $5.00",
                 "Off what was owed, 31 Jan 2026 $80.00", "Refunded to Visa …4242, 31 Jan 2026 $25.00"):  # fmt: skip
        assert told in words, told
    assert "Qty" not in words
    assert "no longer holds" in taken_back


NAMES = [
    # name                  as it stands on the paper without other fonts
    ("Żółć Ðurić GmbH",     "Żółć Ðurić GmbH"),
    ("Ελληνική Київ",       "Ελληνική Київ"),
    ("漢字商事 Ltd",          "???? Ltd"),
    ("Acme 🚀",             "Acme ?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "written"), NAMES)
def test_a_letter_that_no_font_has_is_marked(reader, tmp_path, caplog, name, written):
    words = words_of(draw(replace(PAPER, buyer=Party(name))), tmp_path)

    assert written in words
    assert name not in caplog.text


def test_other_fonts_are_used_for_what_roboto_lacks(reader, tmp_path):
    font = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not font.exists():
        pytest.skip(f"NO FONT: {font} is missing, so letters of other fonts were not drawn")

    words = words_of(draw(replace(PAPER, buyer=Party("Հայկ ⚕ ქართული")), [font]), tmp_path)

    assert "Հայկ ⚕ ქართული" in words


def test_a_long_invoice_goes_on_under_the_same_headings_and_sums_up_at_its_end(reader, tmp_path):
    many = tuple(replace(PAPER.lines[0], description=f"Plan for zone {n}", amount_minor=1_00) for n in range(150))
    words = words_of(draw(replace(PAPER, lines=many, tax_minor=0, total_minor=150_00, entries=())), tmp_path)

    pages = words.count("Description Period Qty Unit price Amount")
    assert pages > 3
    assert f"Page {pages} of {pages}" in words or f"of {pages + 1}" in words
    assert all(f"Plan for zone {n} " in words for n in range(150))
    assert words.index("Plan for zone 149") < words.index("Subtotal $150.00") < words.index("Total $150.00")
