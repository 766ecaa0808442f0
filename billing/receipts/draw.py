"""Draw a document as a PDF: A4, one column, the same bytes for the same document."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import font_roboto
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos
from fpdf.fonts import FontFace

from .document import TITLES, Document, DocumentKind, Line, Party, day, money

FONTS = Path(font_roboto.__file__).parent / "files"
INK, GREY, RULE, SHADE, GOOD, OWED = (
    (32, 33, 36),
    (110, 113, 118),
    (214, 217, 221),
    (246, 247, 249),
    (24, 128, 56),
    (179, 38, 30),
)
MARGIN, WIDTH = 18.0, 174.0
# Where the sums begin, from the margin, and how much of that their names may take.
SUMS_AT, NAME_WIDTH = 70.0, 78.0
# What stands over the columns, and how wide they are; a credit note says nothing of numbers and prices.
COLUMNS = {"Description": 70, "Period": 46, "Qty": 14, "Unit price": 21, "Amount": 23}
NOTE_COLUMNS = {"Description": 98, "Period": 50, "Amount": 26}
STAMPS = {"paid": ("Paid", GOOD), "open": ("Due", OWED), "uncollectible": ("Due", OWED), "void": ("Void", GREY)}


class _Paper(FPDF):
    """Pages with who sells and where one is at their foot."""

    def __init__(self, document: Document, fonts: Sequence[Path]) -> None:
        super().__init__(format="A4")
        self.document = document
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=24)
        self.add_font("Roboto", "", FONTS / "Roboto-Regular.ttf")
        self.add_font("Roboto", "B", FONTS / "Roboto-Bold.ttf")
        self.letters = set(self.fonts["roboto"].cmap)  # type: ignore[union-attr]  # a font of a file has one
        if not self.letters.issuperset(map(ord, _letters_of(document))):
            self._add_others(fonts)
        self.set_title(f"{TITLES[document.kind]} {document.number}")
        self.set_author(document.seller.name)
        self.set_creator("PayGO")
        self.set_producer("PayGO")
        self.set_lang("en")
        self.set_creation_date(document.issued_at.astimezone(UTC))

    def _add_others(self, fonts: Sequence[Path]) -> None:
        """Have letters that Roboto lacks drawn by other fonts, the first that has them."""
        for number, file in enumerate(fonts):
            for style in ("", "B"):
                self.add_font(f"Other{number}", style, file)
            self.letters |= set(self.fonts[f"other{number}"].cmap)  # type: ignore[union-attr]
        self.set_fallback_fonts([f"Other{number}" for number in range(len(fonts))], exact_match=False)

    def normalize_text(self, text: str) -> str:
        """Return the text with a mark in place of each letter that no font has, which nobody must take for nothing."""
        told: str = super().normalize_text(text)
        return "".join(letter if ord(letter) in self.letters or letter.isspace() else "?" for letter in told)

    def footer(self) -> None:
        """Write the foot of each page."""
        seller = self.document.seller
        self.set_y(-18)
        self.set_draw_color(*RULE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ink(7.5, GREY)
        told = " · ".join(
            part for part in (seller.name, *seller.lines, seller.tax_id and f"Tax ID {seller.tax_id}") if part
        )
        self.cell(WIDTH - 24, 7, told)
        self.cell(24, 7, f"Page {self.page_no()} of {{nb}}", align=Align.R)

    def ink(self, size: float, colour: tuple[int, int, int] = INK, *, bold: bool = False) -> None:
        """Choose how the next words look."""
        self.set_font("Roboto", "B" if bold else "", size)
        self.set_text_color(*colour)


def draw(document: Document, fonts: Sequence[Path] = ()) -> bytes:
    """
    Return the document as a PDF. The same document is the same bytes, whenever it is drawn.

    `fonts` are files with letters of other scripts than Latin, Greek and Cyrillic, read only if they are needed.
    """
    paper = _Paper(document, fonts)
    paper.add_page()
    _head(paper)
    _parties(paper)
    _lines(paper)
    _sums(paper)
    return bytes(paper.output())


def _letters_of(document: Document) -> set[str]:
    parties = (document.seller, document.buyer)
    texts = [text for party in parties for text in (party.name, *party.lines, party.tax_id)]
    texts += [line.description for line in document.lines]
    texts += [entry.what for entry in (*document.entries, *document.given_back)]
    return {letter for letter in "".join(texts) if not letter.isspace()}


def _head(paper: _Paper) -> None:
    document = paper.document
    paper.ink(20, bold=True)
    paper.cell(WIDTH / 2, 10, TITLES[document.kind])
    paper.ink(13, GREY, bold=True)
    paper.cell(WIDTH / 2, 10, document.seller.name, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(3)
    facts = [("Number", document.number), ("Date of issue", day(document.issued_at))]
    if document.about:
        facts.append(("For invoice", document.about))
    if document.paid_at is not None:
        facts.append(("Date paid", day(document.paid_at)))
    for name, value in facts:
        paper.ink(9, GREY)
        paper.cell(30, 5.2, name)
        paper.ink(9, bold=name == "Number")
        paper.cell(60, 5.2, value, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(5)


def _parties(paper: _Paper) -> None:
    top = paper.get_y()
    bottoms = []
    for position, (title, party) in enumerate((("From", paper.document.seller), ("Billed to", paper.document.buyer))):
        paper.set_xy(MARGIN + position * WIDTH / 2, top)
        bottoms.append(_party(paper, title, party))
    paper.set_xy(MARGIN, max(bottoms) + 6)


def _party(paper: _Paper, title: str, party: Party) -> float:
    left, width = paper.get_x(), WIDTH / 2 - 6
    paper.ink(8, GREY)
    paper.multi_cell(width, 5, title, new_x=XPos.LEFT, new_y=YPos.NEXT)
    paper.ink(9.5, bold=True)
    paper.multi_cell(width, 5, party.name, align=Align.L, new_x=XPos.LEFT, new_y=YPos.NEXT)
    paper.ink(9)
    for text in (*party.lines, *([f"Tax ID {party.tax_id}"] if party.tax_id else [])):
        paper.set_x(left)
        paper.multi_cell(width, 4.8, text, align=Align.L, new_x=XPos.LEFT, new_y=YPos.NEXT)
    return paper.get_y()


def _lines(paper: _Paper) -> None:
    document = paper.document
    amount, word = document.balance_minor, "due"
    if document.kind is DocumentKind.RECEIPT:
        amount, word = document.due_minor, "paid"
    elif document.kind is DocumentKind.CREDIT_NOTE:
        amount, word = document.total_minor, "credited"
    paper.ink(14, bold=True)
    when = day(document.paid_at if word == "paid" and document.paid_at else document.issued_at)
    paper.cell(WIDTH, 9, f"{money(amount, document.currency)} {word} on {when}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(3)
    paper.ink(8.5)
    paper.set_draw_color(*RULE)
    heading = FontFace(emphasis="BOLD", color=GREY, fill_color=SHADE)
    columns = NOTE_COLUMNS if document.kind is DocumentKind.CREDIT_NOTE else COLUMNS
    with paper.table(
        width=int(WIDTH),
        col_widths=tuple(columns.values()),
        text_align=tuple(Align.L if name in ("Description", "Period") else Align.R for name in columns),
        headings_style=heading,
        borders_layout="HORIZONTAL_LINES",
        line_height=5,
        padding=(1.4, 1.5),
    ) as table:
        for cells in (tuple(columns), *(_cells(line, document) for line in document.lines)):
            row = table.row()
            for text in cells:
                row.cell(text)
    paper.ln(3)


def _cells(line: Line, document: Document) -> tuple[str, ...]:
    period = _period(line.starts_at, line.ends_at) if line.starts_at and line.ends_at else ""
    amount = money(line.amount_minor, document.currency)
    if document.kind is DocumentKind.CREDIT_NOTE:
        return line.description, period, amount
    quantity = "" if line.quantity is None else f"{line.quantity:,}".replace("-", "−")
    unit = "" if line.unit_amount_minor is None else money(line.unit_amount_minor, document.currency)
    return line.description, period, quantity, unit, amount


def _period(starts_at: datetime, ends_at: datetime) -> str:
    """The first and the last day: a period ends before the day it ends on begins to be billed again."""
    last = max(starts_at, ends_at - timedelta(days=1))
    return day(starts_at) if last.date() == starts_at.date() else f"{day(starts_at)} – {day(last)}"


def _sums(paper: _Paper) -> None:
    document = paper.document
    sums = [("Subtotal", document.subtotal_minor)]
    if document.tax_minor:
        sums.append(("Tax", document.tax_minor))
    sums.append(("Total", document.total_minor))
    if document.carried_minor:
        way = "from an earlier" if document.carried_minor > 0 else "to the next"
        sums.append((f"Carried {way} invoice", document.carried_minor))
    is_note = document.kind is DocumentKind.CREDIT_NOTE
    # Of a credit note these are no deductions: they say where its amount goes.
    after = [(entry, entry.amount_minor if is_note else -entry.amount_minor) for entry in document.entries]
    height = 6.2 * (len(sums) + len(after) + len(document.given_back) + 3) + 8
    if paper.get_y() + min(height, 80) > paper.page_break_trigger:
        paper.add_page()
    for name, minor in sums:
        _sum(paper, name, money(minor, document.currency), bold=name == "Total")
    for entry, minor in after:
        _sum(paper, f"{entry.what}, {day(entry.at)}", money(minor, document.currency))
    if not is_note:
        _balance(paper)
    elif document.status == "void":
        _sum(paper, "Taken back: this credit note no longer holds", "", bold=True)
    if document.given_back:
        _went_back(paper)


def _balance(paper: _Paper) -> None:
    document = paper.document
    stamp, colour = STAMPS.get(document.status, ("Due", OWED))
    _rule(paper)
    name = "Balance due" if document.balance_minor else f"Balance ({stamp.lower()})"
    _sum(paper, name, money(document.balance_minor, document.currency), bold=True, colour=colour)


def _went_back(paper: _Paper) -> None:
    """What went back since: it changes nothing about the balance."""
    document = paper.document
    paper.ln(3)
    for entry in document.given_back:
        _sum(paper, f"{entry.what}, {day(entry.at)}", money(entry.amount_minor, document.currency))
    _rule(paper)
    _sum(paper, "Given back in all", money(document.given_back_minor, document.currency), bold=True)


def _rule(paper: _Paper) -> None:
    paper.set_draw_color(*RULE)
    paper.line(MARGIN + SUMS_AT, paper.get_y() + 1, MARGIN + WIDTH, paper.get_y() + 1)
    paper.ln(2)


def _sum(paper: _Paper, name: str, value: str, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
    """Write one name with its amount; a long name goes on below itself, never over the amount."""
    paper.set_x(MARGIN + SUMS_AT)
    paper.ink(9, INK if bold else GREY, bold=bold)
    top = paper.get_y()
    height = paper.multi_cell(NAME_WIDTH, 5, name, align=Align.L, dry_run=True, output=MethodReturnValue.HEIGHT)
    if top + float(str(height)) > paper.page_break_trigger:
        paper.add_page()
        top = paper.get_y()
    paper.set_xy(MARGIN + SUMS_AT, top)
    paper.multi_cell(NAME_WIDTH, 5, name, align=Align.L)
    bottom = paper.get_y()
    paper.set_xy(MARGIN + SUMS_AT + NAME_WIDTH, top)
    paper.ink(9, colour, bold=bold)
    paper.cell(WIDTH - SUMS_AT - NAME_WIDTH, 5, value, align=Align.R)
    paper.set_xy(MARGIN, bottom + 1.2)
