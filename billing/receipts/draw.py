"""Draw a document as a PDF: A4, one column, the same bytes for the same document."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import font_roboto
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import FontFace
from fpdf.table import Table

from .document import TITLES, Document, DocumentKind, Party, day, money

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
COLUMNS = (70, 46, 14, 21, 23)
HEADINGS = ("Description", "Period", "Qty", "Unit price", "Amount")
STAMPS = {"paid": ("Paid", GOOD), "open": ("Due", OWED), "uncollectible": ("Due", OWED), "void": ("Void", GREY)}


class _Paper(FPDF):
    """Pages with who sells and where one is at their foot."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.document = document
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=24)
        self.add_font("Roboto", "", FONTS / "Roboto-Regular.ttf")
        self.add_font("Roboto", "B", FONTS / "Roboto-Bold.ttf")
        self.set_title(f"{TITLES[document.kind]} {document.number}")
        self.set_author(document.seller.name)
        self.set_creator("PayGO")
        self.set_producer("PayGO")
        self.set_lang("en")
        self.set_creation_date(document.issued_at.astimezone(UTC))

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


def draw(document: Document) -> bytes:
    """Return the document as a PDF. The same document is the same bytes, whenever and wherever it is drawn."""
    paper = _Paper(document)
    paper.add_page()
    _head(paper)
    _parties(paper)
    _lines(paper)
    _sums(paper)
    return bytes(paper.output())


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
    aligned = (Align.L, Align.L, Align.R, Align.R, Align.R)
    with paper.table(
        width=int(WIDTH),
        col_widths=COLUMNS,
        text_align=aligned,
        headings_style=heading,
        borders_layout="HORIZONTAL_LINES",
        line_height=5,
        padding=(1.4, 1.5),
    ) as table:
        _rows(table, document)
    paper.ln(3)


def _rows(table: Table, document: Document) -> None:
    row = table.row()
    for text in HEADINGS:
        row.cell(text)
    for line in document.lines:
        row = table.row()
        row.cell(line.description)
        row.cell(_period(line.starts_at, line.ends_at))
        row.cell(f"{line.quantity:,}".replace("-", "−"))
        row.cell(money(line.unit_amount_minor, document.currency))
        row.cell(money(line.amount_minor, document.currency))


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
    sums += [(f"{entry.what}, {day(entry.at)}", -entry.amount_minor) for entry in document.entries]
    height = 6.2 * (len(sums) + 1) + 4
    if paper.get_y() + height > paper.page_break_trigger:
        paper.add_page()
    for name, minor in sums:
        _sum(paper, name, money(minor, document.currency), bold=name == "Total")
    if document.kind is not DocumentKind.CREDIT_NOTE:
        stamp, colour = STAMPS.get(document.status, ("Due", OWED))
        paper.set_draw_color(*RULE)
        paper.line(MARGIN + 70, paper.get_y() + 1, MARGIN + WIDTH, paper.get_y() + 1)
        paper.ln(2)
        name = "Balance due" if document.balance_minor else f"Balance ({stamp.lower()})"
        _sum(paper, name, money(document.balance_minor, document.currency), bold=True, colour=colour)


def _sum(paper: _Paper, name: str, value: str, *, bold: bool, colour: tuple[int, int, int] = INK) -> None:
    paper.set_x(MARGIN + 70)
    paper.ink(9, INK if bold else GREY, bold=bold)
    paper.cell(72, 6.2, name)
    paper.ink(9, colour, bold=bold)
    paper.cell(32, 6.2, value, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
