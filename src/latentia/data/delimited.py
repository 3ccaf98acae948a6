"""Delimited text as columns: its encoding, separator and header are recognised, and told.

A reading is a separator under which all lines have as many cells. Of several, the one with most
numbers is taken; where two are as good, the file is refused with both named.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv

from latentia.data import published
from latentia.data.encodings import encoding_of
from latentia.data.headers import (
    distinct,
    first_names,
    has_header,
    is_regular,
    n_heading,
    n_titles,
)
from latentia.data.limits import check_bytes, read_limited
from latentia.data.numerals import is_missing, is_number, looks_plain
from latentia.data.options import USUAL, TableOptions
from latentia.data.triangles import as_square, split_blanks
from latentia.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
IN_QUOTES = re.compile(r'(?<![^,;\t|\n])"(?:[^"\n]|"")*+\n(?:[^"]|"")*+"(?![^,;\t|\n])')
"""A cell in quotes that holds a line end."""
SAMPLE_LINES, SAMPLE_CHARACTERS, FEWEST_LINES = 100, 2**20, 5
USUAL_BLOCK, MOST_AT_ONCE = 2**20, 2**31 - 1
"""Bytes that the reader parses at once."""
LONGEST_CHARACTER = 4
"""Bytes that a character takes at most."""
BYTES_A_COLUMN = 10_000
"""What the reader needs for a column, however short it is."""
COMMENT = re.compile(r"#(?!N/A|NA\b|DIV|VALUE|REF|NAME|NUM|NULL)|!(?i:series|sample)_")
"""The start of a remark, also in GEO's matrices, but not of a spreadsheet's error."""
SERIES = "!Series_"
"""What a series matrix of the Gene Expression Omnibus (GEO) begins with."""
MIXED = 0.1
"""Share of numbers among cells between tabs, from which a text may be a table."""


@dataclass(frozen=True)
class Layout:
    """How lines are cells: the separator, the columns' names, and whether a line holds these."""

    separator: str
    names: list[str]
    n_header: int
    """Lines that name the columns."""
    plain: tuple[bool, ...]
    """Whether the first lines of a column hold plain numbers, and no column numbers with commas."""
    has_points: bool
    notes: tuple[str, ...] = ()


class Columns(NamedTuple):
    """A file's columns, floats or text, a gap in floats being null, and what was assumed of them.

    An unnamed column is called ``""`` if it is the first, and ``column 3`` if it is the third.
    """

    table: pa.Table
    notes: tuple[str, ...]
    has_header: bool
    has_points: bool = False
    """Whether floats stand there with decimal points, which tells what a comma is."""
    value_labels: Mapping[str, Mapping[float, str]] = {}
    """What the numbers of a column stand for, as SPSS and Stata keep it."""


def read(path: Path, options: TableOptions = USUAL, content: bytes | None = None) -> Columns:
    """Return the columns of a file of delimited text; its ``content`` may be unpacked already."""
    content = read_limited(path) if content is None else content
    text, notes = _decoded(content, path, options.encoding)
    if path.suffix.lower() == ".gct":
        # Its first two lines are a version, and how many rows and columns follow.
        text = "\n".join(text.split("\n")[2:])
    text, forced, found = _without_remarks(_joined(text))
    options = options if options.delimiter else replace(options, delimiter=forced)
    return of_text(text, path, options, notes + found)


def of_text(text: str, path: Path, options: TableOptions, notes: tuple[str, ...] = ()) -> Columns:
    """Return the columns of text without remarks; ``path`` names it."""
    text, lines = _unquoted(text)
    if not lines:
        raise InputError(f"{path} cannot be read: Empty CSV file")
    width = max(max(map(lines[0].count, SEPARATORS)), lines[0].count(" ")) + 1
    check_bytes(width * BYTES_A_COLUMN, f"{path} with {width:,} columns")
    try:
        return _recognised(text, lines, path, options, notes)
    except csv.Error as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _recognised(
    text: str, lines: list[str], path: Path, options: TableOptions, found: tuple[str, ...]
) -> Columns:
    forced = options.delimiter
    if triangle := as_square([*(rows for _, rows in _readings(lines)), split_blanks(lines)]):
        text, lines, forced = triangle, _first_lines(triangle), "\t"
    elif (printed := published.triangle(lines))[0]:
        text, lines, forced = printed[0], _first_lines(printed[0]), "\t"
        found = (*found, *printed[1])
    else:
        text, lines, said = _without_titles(text, lines, forced)
        found = (*found, *said)
        given = forced == " "
        if forced in (None, " ") and (spaced := _spaced(text, lines, given)):
            said = () if given else ("cells separated by blanks",)
            text, lines, found, forced = spaced, _first_lines(spaced), (*found, *said), "\t"
    layout = _layout(lines, path, forced, options)
    clauses = "; ".join((*found, *layout.notes))
    sentence = (f"{path.name}: {clauses}.",) if clauses else ()
    return Columns(_parsed(text, layout, path), sentence, layout.n_header > 0, layout.has_points)


def looks_like_table(path: Path) -> bool:
    """Return whether a text file's first lines are rows of several cells, most of them numbers."""
    try:
        with path.open("rb") as stream:
            content = stream.read(2**16)
        start = content.decode(encoding_of(content)[0] or "utf-8", "ignore")
        if start.removeprefix("\ufeff").startswith(SERIES):
            return True
        _, lines = _unquoted(start)
        lines = lines[:-1] if len(start) >= 2**15 else lines
        readings = [*_readings(lines), (" ", split_blanks(lines))] if lines else []
    except (OSError, csv.Error):
        return False
    rows = [found for _, found in readings]
    # Sentences have commas and blanks between their words, and no tabs.
    least = {"\t": MIXED}
    numbers = any(is_regular(found) and _share(found) > least.get(s, 0.5) for s, found in readings)
    return numbers or bool(lines and (as_square(rows) or published.triangle(lines)[0]))


def _decoded(content: bytes, path: Path, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Return a file's text, and its encoding where that is not UTF-8 and was recognised."""
    codec, title = encoding_of(content) if encoding is None else (encoding, "")
    try:
        text = content.decode(codec or "utf-8")
    except LookupError:
        raise InputError(
            f"encoding is {encoding!r}, which is none; such as utf-8, utf-16, cp949, euc-kr, "
            "cp1252 or latin-1"
        ) from None
    except UnicodeDecodeError:
        what = f"begins like {title} and is none" if title else "is text in no known encoding"
        what = f"is no text in {encoding}" if encoding else what
        raise InputError(
            f"{path} {what}; save it in UTF-8, or name its encoding: --encoding shift_jis"
        ) from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise InputError(f"{path} holds zero bytes, which no table of text does")
    notes = (f"read as {title}, since it is not UTF-8 (--encoding)",) if title else ()
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _without_remarks(text: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Return text without remarks and blank lines around it, and Excel's ``sep=;`` if it has it."""
    bare = text.rstrip()
    # Blanks that end the last line may be its empty cells.
    text = bare + text[len(bare) :].partition("\n")[0] + "\n"
    n_before = len(text) - len(text.lstrip())
    text = text[text.rfind("\n", 0, n_before) + 1 :]
    excel = re.match(r'"?sep=([,;\t|])"?\n', text)
    text, forced = (text, None) if excel is None else (text[excel.end() :], excel[1])
    if not re.search(r"^[ \t]*[#!]", text, re.MULTILINE):
        return text, forced, ()
    lines = text.split("\n")
    remarks = [bool(COMMENT.match(line.lstrip())) for line in lines]
    kept = [line for line, remark in zip(lines, remarks) if not remark]
    signs = " or ".join(
        sorted({line.lstrip()[0] for line, remark in zip(lines, remarks) if remark})
    )
    notes = (f"{sum(remarks)} line(s) that begin with {signs} were left out",) if signs else ()
    n_before = next((i for i, remark in enumerate(remarks) if not remark), 0)
    before = lines[n_before - 1] if n_before else ""
    if names := _commented_names(before, _first_lines("\n".join(kept[:SAMPLE_LINES]))):
        return (
            "\n".join([names, *kept]),
            forced,
            ("names were read from the line that begins with #",),
        )
    return "\n".join(kept), forced, notes


def _commented_names(remark: str, lines: list[str]) -> str:
    """Return the header that stands in a remark, as NumPy writes it, or nothing."""
    names = remark.lstrip().lstrip("#").strip()
    if not lines:
        return ""
    readings = [*_readings([names, *lines]), (" ", split_blanks([names, *lines]))]
    for _, rows in readings:
        if len(rows[0]) == len(rows[-1]) and has_header(rows) and not has_header(rows[1:]):
            return names
    return ""


def _unquoted(text: str) -> tuple[str, list[str]]:
    """Return text and its first lines, without the marks around lavaan's matrices."""
    bare = text.strip()
    if re.fullmatch(r"([\"'])[-\d.,eE\s;]+\1", bare):
        text = bare[1:-1].strip() + "\n"
    return text, _first_lines(text)


def _joined(text: str) -> str:
    """Return text whose cells in quotes hold no line ends, as answers in words do."""
    if '"' not in text:
        return text
    return IN_QUOTES.sub(lambda found: found[0].replace("\n", " "), text)


def _without_titles(
    text: str, lines: list[str], forced: str | None
) -> tuple[str, list[str], tuple[str, ...]]:
    """Return text without the titles above a table, as spreadsheets have them, and a clause."""
    readings = _readings(lines) if forced is None else [(forced, _split(lines, forced))]
    found = [n_titles(rows) for _, rows in readings]
    n = max((n for n in found if n is not None), default=0)
    n = 0 if 0 in found else n
    above, rest = 0, text.split("\n")
    while above < n or not rest[0].strip():
        above += bool(rest.pop(0).strip())
    text = "\n".join(rest)
    shown = lines[0].strip(" ,;\t|")
    clause = f"{n} line(s) above the table were left out, the first {shown!r}"
    return text, _first_lines(text), (clause,) if n else ()


def _first_lines(text: str) -> list[str]:
    """Return lines that are not blank, a hundred or fewer long ones."""
    found: list[str] = []
    first, characters = 0, 0
    while first < len(text) and len(found) < SAMPLE_LINES:
        if characters > SAMPLE_CHARACTERS and len(found) >= FEWEST_LINES:
            break
        end = text.find("\n", first) + 1 or len(text)
        if line := text[first:end].strip("\n"):
            found.append(line)
        first, characters = end, characters + len(line)
    return [line for line in found if line.strip()]


def _readings(lines: list[str]) -> list[tuple[str, list[list[str]]]]:
    used = [separator for separator in SEPARATORS if any(separator in line for line in lines)]
    return [(separator, _split(lines, separator)) for separator in used]


def _split(lines: list[str], separator: str) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))


def _share(rows: list[list[str]]) -> float:
    """Return the share of the cells below the first line that are numbers, or empty."""
    cells = [cell for row in rows[1:] or rows for cell in row]
    return sum(is_missing(cell) or is_number(cell) for cell in cells) / len(cells)


def _layout(lines: list[str], path: Path, forced: str | None, options: TableOptions) -> Layout:
    readings = _readings(lines) if forced is None else [(forced, _split(lines, forced))]
    regular = [(separator, rows) for separator, rows in readings if is_regular(rows)]
    if not regular:
        return _irregular(lines, readings, path, options)
    shares = [_share(rows) for _, rows in regular]
    best = [reading for reading, share in zip(regular, shares) if share == max(shares)]
    if len(best) > 1 and max(shares) > 0:
        first, second = (f"{SEPARATORS[s]}, {len(rows[-1])} columns" for s, rows in best[:2])
        raise InputError(
            f"{path} can be read as cells between {first}, and between {second}; keep one of the "
            "two signs for separating"
        )
    separator, rows = best[0]
    usual = "\t" if path.suffix.lower() in (".tsv", ".tab", ".gct") else ","
    said = () if separator in (usual, forced) else (f"cells separated by {SEPARATORS[separator]}",)
    if separator == "," and len(rows[0]) < len(rows[-1]):
        _refuse_short(rows, lines[1].strip(), path)
    return _named(separator, rows, path, options, said)


def _refuse_short(rows: list[list[str]], line: str, path: Path) -> None:
    """Refuse fewer names than cells where a comma can be a part of a number as well."""
    if line.startswith('"') or all(is_missing(row[-1]) for row in rows[1:]):
        return  # names of rows in quotes, or a separator that ends the lines
    threes = (all(re.fullmatch(r"\d{3}", cell) for cell in column) for column in zip(*rows[1:]))
    if len(rows[0]) == 1 and _share(rows) == 1:
        what = "one column with decimal commas, or two with a comma between; write decimal points"
    elif any(threes):
        what = "names of rows in front, or commas between thousands; write numbers without commas"
    else:
        return
    n = len(rows[0])
    raise InputError(f"{path} has {n} name(s) above lines such as {line!r}: {what}, or name all")


def _irregular(
    lines: list[str],
    readings: list[tuple[str, list[list[str]]]],
    path: Path,
    options: TableOptions,
) -> Layout:
    """Return the layout of one column, or of lines that the reader will refuse by their number."""
    if not readings:
        return _named(",", [[line.strip().strip('"')] for line in lines], path, options)
    separator, rows = max(readings, key=lambda reading: len(reading[1][0]))
    if separator == "," and {len(row) for row in rows[1:]} == {2 * len(rows[0])}:
        raise InputError(
            f"{path} has {len(rows[0])} names and {len(rows[1])} cells in a line: commas seem to "
            "be decimal signs and separators at once; separate columns by semicolons or tabs"
        )
    even = [row for row in rows[1:] if len(row) == len(rows[0])]
    return _named(separator, [rows[0], *even], path, options)


def _named(
    separator: str,
    rows: list[list[str]],
    path: Path,
    options: TableOptions,
    said: tuple[str, ...] = (),
) -> Layout:
    width, notes, header = len(rows[-1]), list(said), options.header
    n_header = n_heading(rows) if header is None else int(header == "yes")
    names = [f"x{i}" for i in range(width)]
    if n_header:
        first, told = first_names(rows[:n_header])
        notes += told
        trailing = all(is_missing(row[-1]) for row in rows[1:])
        blank = [""] * (width - len(first))
        names = [*first, *blank] if trailing else [*blank, *first]
        names = [name.strip() or (f"column {i + 1}" if i else "") for i, name in enumerate(names)]
    elif header is None:
        shown = "x0" if width == 1 else f"x0 to x{width - 1}"
        notes.append(
            f"its first line holds numbers, so it has no header: columns are called {shown} "
            "(--header yes)"
        )
    if header is None and all(is_number(name) for name in names if name):
        notes.append(
            "the numbers in its first line were taken for the names of the columns (--header no)"
        )
    names, repeated = distinct(names)
    notes += repeated
    body = rows[n_header:]
    commas = options.decimal == "," or any(
        "," in cell and is_number(cell) for row in body for cell in row
    )
    plain = tuple(not commas and looks_plain(cells) for cells in zip(*body)) or (False,) * width
    points = any(p and "." in row[i] for i, p in enumerate(plain) for row in body)
    return Layout(separator, names, n_header, plain, points, tuple(notes))


def _spaced(text: str, lines: list[str], given: bool = False) -> str:
    """Return a table with blanks between its cells as one with tabs, or nothing.

    ``given`` says that blanks were asked for.
    """
    rows = split_blanks(lines)
    regular = {sign: _share(found) for sign, found in _readings(lines) if is_regular(found)}
    if not given and "\t" in regular:
        return ""
    others = regular.values()
    if not given and (not is_regular(rows) or _share(rows) <= max([0.5, *others])):
        return ""
    return "\n".join("\t".join(row) for row in split_blanks(text.split("\n")))


def _block_size(text: str) -> int:
    """Return how many bytes are parsed at once: all, where a block could end within a row.

    Arrow drops what stands between a quotation mark that nothing closes and the end of its block.
    """
    cut = '"' in text or max(map(len, text.split("\n"))) > USUAL_BLOCK // LONGEST_CHARACTER
    return min(LONGEST_CHARACTER * len(text), MOST_AT_ONCE) if cut else USUAL_BLOCK


def _parsed(text: str, layout: Layout, path: Path) -> pa.Table:
    """Return the columns: floats where the first lines are plain numbers, text elsewhere."""
    kinds = [pa.float64() if p and i else pa.string() for i, p in enumerate(layout.plain)]
    content = pa.BufferReader(text.encode())
    for attempt in (kinds, [pa.string()] * len(kinds)):
        try:
            return pa.csv.read_csv(
                content,
                pa.csv.ReadOptions(
                    column_names=layout.names,
                    skip_rows_after_names=layout.n_header,
                    block_size=_block_size(text),
                ),
                pa.csv.ParseOptions(delimiter=layout.separator),
                pa.csv.ConvertOptions(column_types=dict(zip(layout.names, attempt))),
            )
        except pa.ArrowException as error:
            if "conversion error" not in str(error):
                raise InputError(f"{path} cannot be read: {_slip(text, layout, error)}") from None
            content.seek(0)
    raise InputError(f"{path} cannot be read as columns of text")


def _slip(text: str, layout: Layout, error: pa.ArrowException) -> str:
    """Return what is wrong with a text, and which of its rows has too few or too many cells."""
    width, rows = len(layout.names), csv.reader(text.split("\n"), delimiter=layout.separator)
    full = (row for row in rows if row)
    for place, row in enumerate(full, start=1 - layout.n_header):
        if place > 0 and len(row) != width:
            shown = layout.separator.join(row)
            return (
                f"data row {place} has {len(row)} cells, and there are {width} columns: "
                f"{shown[:60]!r}; correct that line"
            )
    return str(error).splitlines()[0]
