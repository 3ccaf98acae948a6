"""Tables of the APA as text, in columns of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latentia.evaluation.apa.table import Document, Styled, Table, plain
from latentia.models.factors.summary import text_width, wrapped

GAP = "  "


def as_text(document: Document) -> str:
    """Return tables and paragraphs as text, each paragraph a line; figures are left out."""
    parts = [
        "\n".join([label, *_table(table, document.words["note"])])
        for label, table in document.numbered()
    ]
    told = [f"{part.heading}\n\n{plain(part.text)}" for part in document.paragraphs]
    return "\n\n\n".join([document.title, *parts, *told]) + "\n"


def _table(table: Table, note: str) -> Iterator[str]:
    cells = [[cell.text for cell in row] for row in (*table.rows, *table.totals)]
    titles = [plain(column.title) for column in table.columns]
    widths = [max(map(text_width, column)) for column in zip(titles, *cells)]
    spans = table.spans()
    _widen(widths, spans)
    rule = "─" * (sum(widths) + len(GAP) * (len(widths) - 1))
    yield from (plain(table.title), rule)
    if spans:
        yield _spanning(spans, widths)
    yield from (_line(titles, widths), rule)
    yield from (_line(row, widths) for row in cells[: len(table.rows)])
    if table.totals:
        yield rule
        yield from (_line(row, widths) for row in cells[len(table.rows) :])
    yield rule
    if table.note:
        yield wrapped(f"{note} {plain(table.note)}")


def _widen(widths: list[int], spans: Sequence[tuple[Styled, int]]) -> None:
    """Widen the last column below a title that its columns have no room for."""
    place = 0
    for under, count in spans:
        room = sum(widths[place : place + count]) + len(GAP) * (count - 1)
        widths[place + count - 1] += max(0, text_width(plain(under)) - room)
        place += count


def _spanning(spans: Sequence[tuple[Styled, int]], widths: Sequence[int]) -> str:
    found, place = list[str](), 0
    for under, count in spans:
        room = sum(widths[place : place + count]) + len(GAP) * (count - 1)
        text, place = plain(under), place + count
        left = (room - text_width(text)) // 2
        found.append(" " * left + text + " " * (room - text_width(text) - left))
    return GAP.join(found).rstrip()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    gaps = [" " * (width - text_width(cell)) for cell, width in zip(cells, widths)]
    numbers = [gap + cell for gap, cell in zip(gaps[1:], cells[1:])]
    return GAP.join([cells[0] + gaps[0], *numbers]).rstrip()
