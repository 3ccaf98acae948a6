"""A table's columns made numbers: which are taken, what is missing, and what words stand for."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from latentia.data.dataset import Array
from latentia.data.delimited import Columns
from latentia.data.numerals import as_numbers, first_word, gaps, is_missing, share_of_numbers
from latentia.data.options import NONE, TableOptions, chosen, one, word_in
from latentia.data.published import unit_diagonal, without_stars
from latentia.data.units import without_units
from latentia.errors import InputError, first_of, shown

LABELS = ("label", "labels", "class", "target", "y")
UNNAMED = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
"""What pandas and R call an index, and what they make of it when they read it again."""
TOTALS = {
    *("total", "totals", "sum", "subtotal", "average", "mean", "total:", "sum:", "mean:"),
    *(
        "합계",
        "총계",
        "계",
        "소계",
        "평균",
        "합계:",
        "summe",
        "gesamt",
        "mittelwert",
        "somme",
        "moyenne",
    ),
}
"""What begins a last row that sums up the others, in small letters."""
DATE = (
    r"^(\d{4}[-./]\d{1,2}[-./]\d{1,2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*|\d{1,2}:\d{2}.*"
    r"|\d{4}년.*)$"
)
WHOLE = r"^([-+]?\d+)[.,]0$"
"""A whole number as software writes it from floating-point numbers, in either decimal sign."""
MOST_WORDS = 50
"""Different words of a column that are made columns of 0 and 1."""
MOST_NAMED = 12
FEWEST_NUMBERS = 0.5
"""Share of numbers in a column whose other words are slips."""


@dataclass(frozen=True)
class Table:
    """A file's columns: numbers by name, words by name, and what was assumed."""

    numbers: dict[str, Array]
    words: dict[str, pa.ChunkedArray]
    names: tuple[str, ...]
    """All of them, in the order of the file."""
    notes: tuple[str, ...]
    headless: bool = False
    row_names: Array | None = None
    value_labels: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    """The columns that are asked for as variables."""

    def without(self, names: Container[str]) -> Table:
        """Return the table without some columns."""
        return dataclasses.replace(
            self,
            numbers={name: values for name, values in self.numbers.items() if name not in names},
            words={name: column for name, column in self.words.items() if name not in names},
            names=tuple(name for name in self.names if name not in names),
        )

    def noting(self, *notes: str) -> Table:
        """Return the table with more notes."""
        return dataclasses.replace(self, notes=(*self.notes, *notes))

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return max((len(v) for v in (*self.numbers.values(), *self.words.values())), default=0)

    @property
    def stacked(self) -> Array:
        """(n, p) numbers, NaN where missing."""
        return np.column_stack(list(self.numbers.values()))


def taken(raw: Columns, path: Path, options: TableOptions) -> Table:
    """Return the columns that are asked for, numbers where they hold numbers."""
    names = list(raw.table.column_names)
    wanted, kept = asked(names, path, options)
    table, said = _without_totals(raw.table, options)
    read = list(zip(kept, table.select(kept).columns))
    text = {name: _text(name, column, path) for name, column in read if not _is_number(column)}
    floats = {name: _floats(column) for name, column in read if name not in text}
    text, counts = _without_codes(text, options.missing_codes)
    floats, more = _without_numbers(floats, options.missing_codes)
    scaled, levels = _scaled(text, path, options)
    words = {n: c for n, c in text.items() if n not in scaled and not _is_label(n, options)}
    words, ones = unit_diagonal(words)
    words, stars = without_stars(words)
    words, units = without_units(words)
    found, told = as_numbers(words, str(path), raw.has_points, options.decimal)
    numbers = floats | scaled | found
    said = (
        *said,
        *_coded(options.missing_codes, counts, more),
        *levels,
        *ones,
        *stars,
        *units,
        *told,
    )
    return Table(
        {name: numbers[name] for name in kept if name in numbers},
        {name: column for name, column in text.items() if name not in numbers},
        tuple(kept),
        (*raw.notes, *(f"{path.name}: {sentence}." for sentence in said)),
        not raw.has_header,
        value_labels=raw.value_labels,
        wanted=tuple(wanted),
    )


def _text(name: str, column: pa.ChunkedArray, path: Path) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        raise InputError(
            f"{path.name}: the column {name!r} holds {column.type}, neither numbers nor words; "
            f"leave it out: --drop {name!r}"
        ) from None


def asked(names: list[str], path: Path, options: TableOptions) -> tuple[list[str], list[str]]:
    """Return the columns that are asked for, and these with those that tell of the rows."""
    owner = path.name
    asked = {*(chosen(options.columns, names, "columns", owner) if options.columns else names)}
    dropped = {*chosen(options.drop, names, "drop", owner)}
    special = {
        flag: one(spec, names, flag, owner)
        for flag in ("label", "weights", "index")
        if (spec := getattr(options, flag)) not in (None, NONE)
    }
    for flag, name in special.items():
        if name in dropped:
            raise InputError(f"{owner}: {name!r} is left out by --drop and is the --{flag}")
    wanted = [name for name in names if name in asked and name not in dropped]
    if not wanted:
        raise InputError(f"{owner}: --columns and --drop leave none of its {len(names)} columns")
    telling = {n for n in names if UNNAMED.fullmatch(n) or n.lower() in LABELS}
    # The first column may hold the names of the rows.
    beside = {*telling, *names[:1]} - dropped
    known = {*wanted, *special.values(), *beside}
    kept = [name for name in names if name in known]
    return wanted, kept


def _is_label(name: str, options: TableOptions) -> bool:
    return name.lower() in LABELS if options.label is None else name == options.label


def _is_number(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def _floats(column: pa.ChunkedArray) -> Array:
    return np.asarray(column.cast(pa.float64(), safe=False).fill_null(float("nan")).to_numpy())


def _without_totals(table: pa.Table, options: TableOptions) -> tuple[pa.Table, tuple[str, ...]]:
    """Return a table without a last row that sums up the others, and a clause about it."""
    first = next((c for c in table.columns if pa.types.is_string(c.type)), None)
    if options.keep_totals or first is None or "rowtype_" in map(str.lower, table.column_names):
        return table, ()
    full = np.flatnonzero(~gaps(first).to_numpy())
    word = str(first[int(full[-1])]).strip() if len(full) else ""
    others = {name.strip().lower() for name in table.column_names}
    if word.lower() not in TOTALS or word.lower() in others or full[-1] < 2:
        return table, ()
    rest = [column[int(full[-1]) + 1 :] for column in table.columns]
    if any(not is_missing(str(cell.as_py() or "")) for column in rest for cell in column):
        return table, ()
    said = f"its last row, {word!r}, was left out as a total; --keep-totals keeps it"
    return table.slice(0, int(full[-1])), (said,)


def _without_codes(
    text: dict[str, pa.ChunkedArray], codes: Sequence[str]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, int]]:
    """Return text whose cells that are codes are missing, and how many each code was."""
    counts = dict.fromkeys(codes, 0)
    if not codes:
        return text, counts
    found = {}
    # Tables that were written from floating-point numbers have 999.0 in place of 999.
    plain = {code: re.sub(WHOLE, r"\1", code) for code in codes}
    for name, column in text.items():
        bare = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), WHOLE, r"\1")
        for code in codes:
            counts[code] += pc.sum(pc.equal(bare, plain[code])).as_py() or 0
        coded = pc.fill_null(pc.is_in(bare, pa.array(list(plain.values()))), False)
        found[name] = pc.if_else(coded, pa.scalar(None, pa.string()), column)
    return found, counts


def _without_numbers(
    floats: dict[str, Array], codes: Sequence[str]
) -> tuple[dict[str, Array], dict[str, int]]:
    numbers = {code: float(code) for code in codes if _is_float(code)}
    counts = dict.fromkeys(codes, 0)
    found = {}
    for name, values in floats.items():
        for code, number in numbers.items():
            coded = values == number
            counts[code] += int(coded.sum())
            values = np.where(coded, np.nan, values)
        found[name] = values
    return found, counts


def _is_float(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True


def _coded(
    codes: Sequence[str], counts: Mapping[str, int], more: Mapping[str, int]
) -> tuple[str, ...]:
    """Return clauses about the codes of missing cells, those that are in no cell too."""
    n = {code: counts[code] + more[code] for code in codes}
    found = ", ".join(f"{times:,} that hold {code}" for code, times in n.items() if times)
    absent = ", ".join(code for code, times in n.items() if not times)
    said = (f"cells were taken for missing: {found}",) if found else ()
    return said + ((f"no cell holds the missing code {absent}",) if absent else ())


def _scaled(
    text: Mapping[str, pa.ChunkedArray], path: Path, options: TableOptions
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return columns of the words of a scale as 1, 2, 3 ..., gaps as NaN, and clauses."""
    found: dict[str, Array] = {}
    said = []
    for scale in _scales(options.levels):
        columns = {
            name: values
            for name, column in text.items()
            if name not in found and (values := _on_scale(name, column, scale, path)) is not None
        }
        if not columns:
            raise InputError(
                f"{path}: no column holds the words of --levels, {', '.join(scale)}; write them as "
                "they stand in the file"
            )
        found |= columns
        places = ", ".join(f"{word} = {i + 1}" for i, word in enumerate(scale))
        said.append(f"words became numbers in {listed(list(columns))}: {places}")
    return found, tuple(said)


def _scales(levels: Sequence[str]) -> list[list[str]]:
    """Return scales, each a list of words: with commas or semicolons between, or one in all."""
    split = [re.split(r"\s*;\s*" if ";" in part else r"\s*,\s*", part.strip()) for part in levels]
    if all(len(words) == 1 for words in split):
        split = [[words[0] for words in split]] if split else []
    for words in split:
        if len(words) < 2 or not all(words) or len({*map(_plain, words)}) < len(words):
            raise InputError(
                f"levels is {shown(','.join(words))}; give at least two different words with "
                "commas between, from low to high"
            )
    return split


def holds_levels(table: pa.Table, options: TableOptions) -> bool:
    """Return whether any cell holds a word of the scales that are asked for."""
    words = {_plain(word) for scale in _scales(options.levels) for word in scale}
    of_words = (column for column in table.columns if not _is_number(column))
    cells = (cell for column in of_words for cell in pc.unique(column).to_pylist())
    return any(_plain(str(cell)) in words for cell in cells)


def _plain(word: str) -> str:
    return " ".join(unicodedata.normalize("NFC", word).casefold().split())


def _on_scale(name: str, column: pa.ChunkedArray, scale: Sequence[str], path: Path) -> Array | None:
    """Return a column's places on a scale; None if it has none of its words."""
    places = {_plain(word): i + 1.0 for i, word in enumerate(scale)}
    values = {word: places.get(_plain(word)) for word in pc.unique(column).to_pylist() if word}
    values = {w: v for w, v in values.items() if v is not None or not is_missing(w)}
    if not any(v is not None for v in values.values()):
        return None
    cells = column.to_pylist()
    for row, cell in enumerate(cells, start=1):
        if cell in values and values[cell] is None:
            raise InputError(
                f"{path}: column {name!r} holds {shown(cell)} in data row {row}, which is not "
                f"among --levels {','.join(scale)}; add it, or take it for missing with "
                f"--missing-codes {shown(cell.strip())}"
            )
    return np.array([values.get(cell) for cell in cells], float)


def numeric(table: Table, path: Path, options: TableOptions) -> Table:
    """Return a table of numbers alone: words are made columns of 0 and 1, or left out and told."""
    table = _one_hot(table, path, options)
    wanted = {*table.wanted}
    words = {name: column for name, column in table.words.items() if name in wanted}
    for name, column in words.items():
        if share_of_numbers(column) >= FEWEST_NUMBERS:
            word, row = first_word(column)
            raise InputError(
                f"{path}: column {name!r} holds {shown(word)} in data row {row}, among numbers; "
                f"correct it, take it for missing with --missing-codes {shown(word.strip())}, or "
                f"leave the column out with --drop {name!r}"
            )
    if not words:
        return _restricted(table)
    told = [f"{name!r} ({_kind(column)})" for name, column in words.items()]
    note = (
        f"{path.name}: {len(words)} column(s) without numbers were left out: {listed(told)}; "
        "--one-hot or --levels makes numbers of words, --label classes."
    )
    return _restricted(table.without(words)).noting(note)


def _restricted(table: Table) -> Table:
    return table.without({*table.names} - {*table.wanted})


def _kind(column: pa.ChunkedArray) -> str:
    known = column.filter(pc.invert(gaps(column)))
    if pc.all(pc.match_substring_regex(pc.utf8_trim_whitespace(known), DATE)).as_py():
        return "dates"
    return f"words, {len(pc.unique(known)):,} different"


def _one_hot(table: Table, path: Path, options: TableOptions) -> Table:
    """Return a table with a column of 0 and 1 for each word of some columns, gaps as NaN."""
    if not options.one_hot:
        return table
    names = to_be_hot(table, path, options)
    numbers: dict[str, Array] = {}
    made: dict[str, list[str]] = {}
    notes = []
    for name in table.names:
        if name not in names:
            numbers |= {name: table.numbers[name]} if name in table.numbers else {}
            continue
        cells, missing = _cells(table, name)
        held = {c for c, gone in zip(cells, missing) if not gone}
        kinds = names[name] or sorted(held)
        if others := held - {*kinds}:
            shown_ = ", ".join(sorted(others)[:MOST_NAMED])
            notes.append(f"{path.name}: other words in {name!r} are 0 in its columns: {shown_}.")
        elif not names[name] and not 2 <= len(kinds) <= MOST_WORDS:
            raise InputError(
                f"{path}: column {name!r} has {len(kinds)} different values; --one-hot takes 2 to "
                f"{MOST_WORDS}"
            )
        made[name] = [f"{name}={kind}" for kind in kinds]
        for kind in kinds:
            hot = np.array([cell == kind for cell in cells], float)
            numbers[f"{name}={kind}"] = np.where(missing, np.nan, hot)
    notes += [
        f"{path.name}: {name!r} became {len(columns)} columns of 0 and 1: {listed(columns)}."
        for name, columns in made.items()
    ]
    everywhere = [made.get(name, [name]) for name in table.names]
    wanted = [made.get(name, [name]) for name in table.wanted]
    return dataclasses.replace(
        table.without(names),
        numbers=numbers,
        names=tuple(name for group in everywhere for name in group),
        wanted=tuple(name for group in wanted for name in group),
        notes=(*table.notes, *notes),
    )


def to_be_hot(table: Table, path: Path, options: TableOptions) -> dict[str, list[str]]:
    """Return the columns that are to be of 0 and 1, and those words of each that are told."""
    found: dict[str, list[str]] = {}
    for spec in options.one_hot:
        if (told := word_in(spec, table.names)) is not None:
            found.setdefault(told[0], []).append(told[1])
        else:
            found |= {name: [] for name in chosen([spec], table.names, "one-hot", path.name)}
    return found


def _cells(table: Table, name: str) -> tuple[list[str], Array]:
    """Return a column as words, by what its numbers stand for, and which are missing."""
    if name in table.words:
        column = table.words[name]
        return [str(c or "").strip() for c in column.to_pylist()], gaps(column).to_numpy()
    values = table.numbers[name]
    labels = table.value_labels.get(name, {})
    words = ["" if v != v else labels.get(v, f"{v:g}") for v in values.tolist()]
    return words, np.isnan(values)


def listed(items: Sequence[str]) -> str:
    """Return the first items, and how many more there are."""
    return first_of(items, MOST_NAMED)
