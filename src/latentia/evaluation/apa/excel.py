"""Tables of the APA as a workbook, in which a number is a number and only looks rounded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from latentia.evaluation.apa.table import Cell, Document, Run, Styled, Table, plain
from latentia.evaluation.table_writing import writer_of_sheets

WIDEST, NARROWEST, PARAGRAPH = 40, 9, 100
"""Widths of columns, in characters."""
FONT = {"font_name": "Times New Roman", "font_size": 11}
TOP, BOTTOM = {"top": 1}, {"bottom": 1}
WHOLE = {"count": "#,##0", "degrees": "0"}


def as_xlsx(document: Document) -> bytes:
    """Return a workbook with a sheet for each table, and one for the paragraphs."""
    written = io.BytesIO()
    with writer_of_sheets().Workbook(written, {"in_memory": True}) as book:
        for label, table in document.numbered():
            _fill(book, book.add_worksheet(label), label, table, document.words["note"])
        if document.paragraphs:
            sheet = book.add_worksheet(document.words["text"])
            sheet.set_column(0, 0, PARAGRAPH)
            wrap = book.add_format({**FONT, "text_wrap": True, "valign": "top"})
            for place, part in enumerate(document.paragraphs):
                sheet.write_string(2 * place, 0, part.heading, book.add_format({"bold": True}))
                _write(book, sheet, (2 * place + 1, 0), part.text, wrap)
    return written.getvalue()


def number_format(cell: Cell) -> str:
    """Return how Excel is to print a number, as `Cell.text` does."""
    if cell.kind in WHOLE:
        return WHOLE[cell.kind]
    places = "0" * cell.digits
    if cell.kind == "p":
        return '[<0.001]"< .001";[>0.999]"> .999";.000'
    return f".{places}" if cell.kind == "bounded" else f"#,##0.{places}"


def _fill(book: Any, sheet: Any, label: str, table: Table, note: str) -> None:
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, label, book.add_format({**FONT, "bold": True}))
    sheet.write_string(1, 0, plain(table.title), book.add_format({**FONT, "italic": True}))
    row, spans = 3, table.spans()
    if spans:
        _span(book, sheet, row, spans)
        row += 1
    for place, column in enumerate(table.columns):
        line = BOTTOM if spans else TOP | BOTTOM
        align = {"align": "right" if place else "left"}
        _write(book, sheet, (row, place), column.title, book.add_format({**FONT, **line, **align}))
    last = row + len(table.rows), row + len(table.rows) + len(table.totals)
    for place, cells in enumerate((*table.rows, *table.totals), start=row + 1):
        line = BOTTOM if place in last else {}
        for across, cell in enumerate(cells):
            _write_cell(book, sheet, (place, across), cell, line)
    if table.note:
        whole = (Run(note, italic=True), Run(" "), *table.note)
        _write(book, sheet, (last[1] + 2, 0), whole, book.add_format(FONT))
    for place in range(len(table.columns)):
        words = [plain(table.columns[place].title), *(cells[place].text for cells in table.rows)]
        width = min(WIDEST, max(map(len, words)) + 2)
        sheet.set_column(place, place, max(NARROWEST, width))


def _span(book: Any, sheet: Any, row: int, spans: Sequence[tuple[Styled, int]]) -> None:
    place = 0
    for under, count in spans:
        look = {**FONT, **TOP, "align": "center"} | (BOTTOM if under else {})
        if count > 1:
            sheet.merge_range(row, place, row, place + count - 1, "", book.add_format(look))
        _write(book, sheet, (row, place), under, book.add_format(look))
        place += count


def _write(book: Any, sheet: Any, where: tuple[int, int], text: Styled, look: Any) -> None:
    """Write styled text; a single run is one string, as Excel has it."""
    if not text:
        sheet.write_blank(*where, None, look)
    elif len(text) == 1:
        look.set_italic(text[0].italic)
        sheet.write_string(*where, text[0].text, look)
    else:
        slopes = {slope: book.add_format({**FONT, "italic": slope}) for slope in (False, True)}
        pieces = [piece for run in text for piece in (slopes[run.italic], run.text)]
        sheet.write_rich_string(*where, *pieces, look)


def _write_cell(
    book: Any, sheet: Any, where: tuple[int, int], cell: Cell, line: dict[str, int]
) -> None:
    look = {**FONT, **line, "bold": cell.bold, "align": "right" if where[1] else "left"}
    if cell.is_number:
        look["num_format"] = number_format(cell)
        sheet.write_number(*where, cell.value, book.add_format(look))
    elif cell.text == "":
        sheet.write_blank(*where, None, book.add_format(look))
    else:
        sheet.write_string(*where, cell.text, book.add_format(look))
