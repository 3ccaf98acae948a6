"""Tables of the APA as a file of Word, each on one page where it fits."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from latentia.errors import InputError
from latentia.evaluation.apa.table import Document, Row, Styled, Table, plain
from latentia.models.factors.summary import text_width

FONT, HANGUL = "Times New Roman", "Batang"
BODY, SMALL, SMALLER = 12, 10, 8.5
"""Points of the text, of tables and notes, and of a table that then fits an upright page."""
PAGE, MARGIN = (8.5, 11.0), 1.0
"""Inches. A table that is too wide all the same stands on a page on its side."""
GAP, MARGINS = 0.19, 0.1
"""Inches that a column takes beside its letters, and those of them that stay white."""
LETTER, CAPITAL, POINT = 0.071, 0.1, 0.04
"""Inches at most of a letter or a digit of a table, of a capital, of a point or a space."""


def package() -> Any:
    """Return the package that writes .docx, or say how it is got."""
    try:
        import docx
    except ImportError:
        raise InputError(
            "the package that writes .docx is not there: pip install 'latentia[word]', or choose "
            ".html, which Word opens"
        ) from None
    return docx


def as_docx(document: Document) -> bytes:
    """Return a file of Word with tables, figures and paragraphs, in this order."""
    docx = package()
    book = docx.Document()
    _set_style(docx, book)
    book.core_properties.title, book.core_properties.author = document.title, ""
    on_its_side = False
    for place, (label, table) in enumerate(document.numbered()):
        too_wide = _points(table) < SMALLER
        if too_wide != on_its_side or not place:
            on_its_side = too_wide
            _begin_section(docx, book, on_its_side, first=not place)
        _heading(book, label, table.title, document.language)
        _add_table(docx, book, table)
        _note(docx, book, document.words["note"], table.note)
    if on_its_side:
        _begin_section(docx, book, False, first=False)
    for label, figure in document.numbered_figures():
        _heading(book, label, figure.title, document.language)
        width = min(figure.inches[0], PAGE[0] - 2 * MARGIN)
        width = min(width, (PAGE[1] - 3.5) * figure.inches[0] / figure.inches[1])
        book.add_picture(io.BytesIO(figure.png), width=docx.shared.Inches(width))
        _note(docx, book, document.words["note"], figure.note)
    for part in document.paragraphs:
        _heading(book, part.heading)
        paragraph = book.add_paragraph()
        paragraph.paragraph_format.first_line_indent = docx.shared.Inches(0.5)
        paragraph.paragraph_format.line_spacing = 2.0
        _write(paragraph, part.text)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _widths(table: Table) -> list[float]:
    """Return the inches that each column takes."""
    rows = [[cell.text for cell in row] for row in (*table.rows, *table.totals)]
    words = zip([plain(column.title) for column in table.columns], *rows)
    return [GAP + max(map(_inches, column)) for column in words]


def _points(table: Table) -> float:
    """Return the size of a table's letters: the usual one, or what fits an upright page."""
    room = (PAGE[0] - 2 * MARGIN) / sum(_widths(table))
    return SMALL if room >= 1 else SMALL * room


def _inches(text: str) -> float:
    capitals, points = sum(map(str.isupper, text)), sum(sign in " .,()[]" for sign in text)
    return CAPITAL * capitals + POINT * points + LETTER * (text_width(text) - capitals - points)


def _set_style(docx: Any, book: Any) -> None:
    style = book.styles["Normal"]
    style.font.name, style.font.size = FONT, docx.shared.Pt(BODY)
    style.element.rPr.rFonts.set(docx.oxml.ns.qn("w:eastAsia"), HANGUL)
    style.paragraph_format.space_after = docx.shared.Pt(0)


def _begin_section(docx: Any, book: Any, on_its_side: bool, *, first: bool) -> None:
    section = book.sections[0] if first else book.add_section()
    sides = [docx.shared.Inches(side) for side in (PAGE[::-1] if on_its_side else PAGE)]
    section.page_width, section.page_height = sides
    section.orientation = docx.enum.section.WD_ORIENT(int(on_its_side))
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, docx.shared.Inches(MARGIN))


def _heading(book: Any, label: str, title: Styled = (), language: str = "") -> None:
    paragraph = book.add_paragraph()
    paragraph.add_run(label).bold = True
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = book.styles["Normal"].font.size * 2
    if title:
        below = book.add_paragraph()
        below.paragraph_format.keep_with_next = True
        below.paragraph_format.space_after = book.styles["Normal"].font.size // 2
        # In a title in italics, a symbol in italics stands upright; Hangul has none.
        for run in title:
            below.add_run(run.text).italic = run.italic != (language == "en")


def _note(docx: Any, book: Any, word: str, note: Styled) -> None:
    if not note:
        return
    paragraph = book.add_paragraph()
    paragraph.paragraph_format.space_before = docx.shared.Pt(4)
    paragraph.add_run(word).italic = True
    paragraph.add_run(" ")
    _write(paragraph, note)
    for run in paragraph.runs:
        run.font.size = docx.shared.Pt(SMALL)


def _write(paragraph: Any, text: Styled) -> None:
    for run in text:
        paragraph.add_run(run.text).italic = True if run.italic else None


def _add_table(docx: Any, book: Any, table: Table) -> None:
    spans = table.spans()
    header = 1 + bool(spans)
    n_rows = header + len(table.rows) + len(table.totals)
    grid = book.add_table(n_rows, len(table.columns))
    grid.autofit = False
    cells = [list(row.cells) for row in grid.rows]
    points = _points(table)
    points = SMALL if points < SMALLER else points
    for across, width in enumerate(_widths(table)):
        width *= points / SMALL
        grid.columns[across].width = docx.shared.Inches(width)
        for line in cells:
            line[across].width = docx.shared.Inches(width)
    _narrow(docx, grid)
    if spans:
        _span(docx, cells[0], spans)
    for cell, column in zip(cells[header - 1], table.columns):
        _fill(docx, cell, column.title, first=cell is cells[header - 1][0])
    for line, row in zip(cells[header:], (*table.rows, *table.totals)):
        _fill_row(docx, line, row)
    for run in (run for line in cells for cell in line for run in cell.paragraphs[0].runs):
        run.font.size = docx.shared.Pt(round(2 * points) / 2)
    rules = {header - 1: ["bottom"], n_rows - 1: ["bottom"], header + len(table.rows) - 1: []}
    rules[header + len(table.rows) - 1] = ["bottom"]
    for place, sides in rules.items():
        _rule(docx, cells[place], sides)
    _rule(docx, cells[0], ["top"])
    for row in grid.rows:
        _keep_whole(docx, row)
    for row in grid.rows[:header]:
        row._tr.get_or_add_trPr().append(docx.oxml.OxmlElement("w:tblHeader"))


def _narrow(docx: Any, grid: Any) -> None:
    """Leave little white at the sides of a cell."""
    margins = docx.oxml.OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = docx.oxml.OxmlElement(f"w:{side}")
        margin.set(docx.oxml.ns.qn("w:w"), str(round(MARGINS / 2 * 1440)))
        margin.set(docx.oxml.ns.qn("w:type"), "dxa")
        margins.append(margin)
    look = grid._tbl.tblPr.find(docx.oxml.ns.qn("w:tblLook"))
    grid._tbl.tblPr.insert([*grid._tbl.tblPr].index(look), margins)


def _span(docx: Any, cells: list[Any], spans: Sequence[tuple[Styled, int]]) -> None:
    place = 0
    for under, count in spans:
        whole = cells[place].merge(cells[place + count - 1])
        if under:
            _fill(docx, whole, under, first=False)
            whole.paragraphs[0].alignment = docx.enum.text.WD_ALIGN_PARAGRAPH.CENTER
            _rule(docx, [whole], ["bottom"])
        place += count


def _fill_row(docx: Any, cells: Sequence[Any], row: Row) -> None:
    for place, (cell, value) in enumerate(zip(cells, row)):
        paragraph = _paragraph(docx, cell, first=place == 0)
        run = paragraph.add_run(value.text)
        run.bold = True if value.bold else None


def _fill(docx: Any, cell: Any, text: Styled, *, first: bool) -> None:
    _write(_paragraph(docx, cell, first=first), text)


def _paragraph(docx: Any, cell: Any, *, first: bool) -> Any:
    paragraph, sides = cell.paragraphs[0], docx.enum.text.WD_ALIGN_PARAGRAPH
    paragraph.alignment = sides.LEFT if first else sides.RIGHT
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = docx.shared.Pt(1.5)
    properties = cell._tc.get_or_add_tcPr()
    if properties.find(docx.oxml.ns.qn("w:noWrap")) is None:
        properties.append(docx.oxml.OxmlElement("w:noWrap"))
    return paragraph


def _rule(docx: Any, cells: Sequence[Any], sides: Sequence[str]) -> None:
    """Draw a line at sides of cells; Word wants the parts of a cell in its own order."""
    for cell in cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(docx.oxml.ns.qn("w:tcBorders"))
        if borders is None:
            borders = docx.oxml.OxmlElement("w:tcBorders")
            after = properties.find(docx.oxml.ns.qn("w:noWrap"))
            places = [*properties]
            properties.insert(places.index(after) if after in places else len(places), borders)
        for side in sides:
            line = docx.oxml.OxmlElement(f"w:{side}")
            for key, value in {"val": "single", "sz": "6", "space": "0", "color": "auto"}.items():
                line.set(docx.oxml.ns.qn(f"w:{key}"), value)
            borders.insert(0 if side == "top" else len(borders), line)


def _keep_whole(docx: Any, row: Any) -> None:
    """Let no page end within a row."""
    row._tr.get_or_add_trPr().append(docx.oxml.OxmlElement("w:cantSplit"))
