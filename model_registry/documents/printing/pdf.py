"""A document as PDF, the only module that knows the library which writes it (fpdf2).

The fonts hold Latin, Greek and Cyrillic letters; a character they lack is written by its number, so none is lost
unseen. The same document gives the same bytes. Its outline and title are there for readers; HTML is the form for a
screen reader, as the library writes no tags.
"""

from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from model_registry.documents.models import Document
from model_registry.documents.printing import content
from model_registry.documents.printing.content import Content, Section, Table

NAME = "pdf"
_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "DejaVu"
_BODY, _SMALL = 9.5, 8.0
_LINE_MM = 5.0
# Of a table's row: characters of a cell times columns, and breaks of lines; with the widest letters it fits a page.
_MOST_IN_A_ROW, _MOST_BREAKS = 1_800, 10


class _Sheet(FPDF):
    """Pages with the document's title and their number at the foot."""

    foot = ""

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(_FAMILY, size=_SMALL)
        self.cell(0, 8, f"{self.foot[:80]} · {self.page_no()}", align="R")


def write(row: Document) -> bytes:
    """Return the PDF of a kept document."""
    printed = content.of(row)
    pdf = _Sheet(format="A4")
    for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font(_FAMILY, style, _FONTS / file)
    letters = {letter for font in pdf.fonts.values() if isinstance(font, TTFFont) for letter in font.cmap}
    pdf.foot = _shown(printed.title, letters)
    pdf.set_title(pdf.foot)
    pdf.set_lang("en")
    pdf.set_creation_date(row.made_at)
    pdf.set_margin(18)
    pdf.set_auto_page_break(auto=True, margin=18)
    pdf.add_page()
    _write(pdf, printed, letters)
    return bytes(pdf.output())


def _write(pdf: FPDF, printed: Content, letters: set[int]) -> None:
    pdf.set_font(_FAMILY, "B", 16)
    _text(pdf, _shown(printed.title, letters), height=8)
    _facts(pdf, printed.about, letters)
    for section in printed.sections:
        _section(pdf, section, letters)


def _section(pdf: FPDF, section: Section, letters: set[int]) -> None:
    pdf.ln(3)
    pdf.start_section(section.title, strict=False)
    pdf.set_font(_FAMILY, "B", 12)
    _text(pdf, section.title, height=7)
    for text in section.texts:
        pdf.set_font(_FAMILY, size=_BODY)
        _text(pdf, _shown(text, letters))
        pdf.ln(1.5)
    _facts(pdf, section.facts, letters)
    for item in section.items:
        pdf.set_font(_FAMILY, size=_BODY)
        _text(pdf, f"• {_shown(item, letters)}")
    for table in section.tables:
        _table(pdf, table, letters)


def _facts(pdf: FPDF, facts: content.Pairs, letters: set[int]) -> None:
    for name, value in facts:
        pdf.set_font(_FAMILY, "B", _SMALL)
        _text(pdf, _shown(name, letters))
        pdf.set_font(_FAMILY, size=_BODY)
        _text(pdf, _shown(value, letters))


def _table(pdf: FPDF, table: Table, letters: set[int]) -> None:
    pdf.ln(1.5)
    pdf.set_font(_FAMILY, "B", _SMALL)
    _text(pdf, table.caption)
    if not _fits(table, letters):
        for row_of_table in table.rows:
            _facts(pdf, list(zip(table.columns, row_of_table, strict=True)), letters)
            pdf.ln(1.5)
        return
    pdf.set_font(_FAMILY, size=_SMALL)
    with pdf.table(headings_style=FontFace(emphasis="BOLD"), line_height=_LINE_MM, text_align="LEFT") as rows:
        for cells in (table.columns, *table.rows):
            row = rows.row()
            for cell in cells:
                row.cell(_shown(cell, letters))


def _fits(table: Table, letters: set[int]) -> bool:
    """Return whether each row is lower than a page: the library writes no row that goes on on the next one."""
    most = _MOST_IN_A_ROW // len(table.columns)
    return all(
        len(_shown(cell, letters)) <= most and cell.count("\n") <= _MOST_BREAKS for row in table.rows for cell in row
    )


def _text(pdf: FPDF, text: str, *, height: float = _LINE_MM) -> None:
    pdf.multi_cell(0, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _shown(text: str, letters: set[int]) -> str:
    """Return a text with the characters that the fonts lack written by number, such as ``[U+4E2D]``."""
    lined = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(each if each == "\n" or ord(each) in letters else f"[U+{ord(each):04X}]" for each in lined)
