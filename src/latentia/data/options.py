"""How a table is to be read where its file leaves a choice: one record from flag to reader.

What is not given is recognised, and told. The fields are the arguments of `latentia.load_data`, the
flags of every command that reads a table, and the table ``options`` in the ``config.json`` of a
run.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

from latentia.errors import InputError, Whole, check_value, nearest, shown

NONE = "none"
"""How an index that is none is written."""
LISTS = ("columns", "drop", "missing_codes", "levels", "one_hot")
WORDS = ("label", "weights", "index", "sheet", "delimiter", "decimal", "encoding", "header")
OF_TEXT = ("delimiter", "encoding")
"""What only a file of delimited text leaves open."""
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "space": " "}


Names: TypeAlias = str | Whole | Sequence[str | Whole]
"""A column or several, by name or counted from 1; a name may be a number, such as 0."""
Codes: TypeAlias = str | float | Sequence[str | float]
"""A code or several: any number."""


@dataclass(frozen=True)
class TableOptions:
    """What is asked of a table. Its docstrings are the help of the flags.

    A column is named, or counted from 1 in the order of the file; several are a range, such as
    ``q1:q20`` or ``2:5``, or a pattern, such as ``q*``.
    """

    columns: tuple[str, ...] = ()
    """columns to read: names, numbers from 1, ranges q1:q20, patterns 'q*' (default: all)"""
    drop: tuple[str, ...] = ()
    """columns to leave out, written as for --columns"""
    label: str | None = None
    """the column of classes, also of a table beside pictures, or none (default: one named label,
    labels, class, target or y)"""
    weights: str | None = None
    """the column of sample weights"""
    index: str | None = None
    """the column that names the rows, or none (default: one without a name that does)"""
    missing_codes: tuple[str, ...] = ()
    """what stands for a missing cell beside blanks, NA and a dot, such as 999 -9"""
    levels: tuple[str, ...] = ()
    """words of a scale from low to high, such as 'never,sometimes,often', which become 1, 2, 3"""
    one_hot: tuple[str, ...] = ()
    """columns of words, each of which becomes a column of 0 and 1, or some of them: NAME=WORD"""
    sheet: str | None = None
    """of several tables in a file: the sheet, variable or member to read (default: the first)"""
    delimiter: str | None = None
    """what stands between cells: a sign, or comma, semicolon, tab, bar or space"""
    decimal: str | None = None
    """the decimal sign: . or ,"""
    encoding: str | None = None
    """of the text, such as utf-8 or cp949"""
    header: str | None = None
    """whether the first line holds names: yes or no"""
    keep_totals: bool = False
    """keep a last row of totals, which is left out otherwise"""
    as_rows: bool = False
    """take a square table for rows, also where it looks like a correlation matrix"""

    def __post_init__(self) -> None:
        """Check the values, and take one word for a list of one."""
        for name in LISTS:
            object.__setattr__(self, name, words(getattr(self, name), name))
        for name in WORDS:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                raise InputError(f"{name} is {shown(value)}; it must be text")
        for name in ("keep_totals", "as_rows"):
            if not isinstance(value := getattr(self, name), bool):
                raise InputError(f"{name} is {shown(value)}; it must be true or false")
        _check_sign("decimal", self.decimal, (".", ","))
        _check_sign("header", self.header, ("yes", "no"))
        object.__setattr__(self, "delimiter", _separator(self.delimiter))

    @property
    def given(self) -> dict[str, Any]:
        """What is asked for, by name, as JSON keeps it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
        return {name: value for name, value in plain.items() if value not in (None, [], False)}

    def of_all(self) -> TableOptions:
        """Return these options without a choice of columns."""
        return dataclasses.replace(self, columns=(), drop=(), label=None, weights=None, index=None)

    def without(self, names: Iterable[str]) -> TableOptions:
        """Return these options without those of some names."""
        blank: dict[str, Any] = dict.fromkeys(names)
        return dataclasses.replace(self, **blank)

    def under(self, others: TableOptions) -> TableOptions:
        """Return these options, and others where those are given."""
        fresh = {name: getattr(others, name) for name in others.given}
        return dataclasses.replace(self, **fresh)

    @classmethod
    def read(cls, given: object, owner: str) -> TableOptions:
        """Return the options that `given` told; ``owner`` names their file."""
        known = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(given, Mapping) or not given.keys() <= {*known}:
            raise InputError(f"{owner}: options of data cannot be {shown(given)}")
        return cls(**given)

    def refuse(self, owner: str, names: Iterable[str] = ()) -> None:
        """Refuse what is given where it has no effect: all, or some by name."""
        given = [name for name in self.given if not names or name in names]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise InputError(f"{flags} has no effect here: {owner}; leave it out")


def words(value: object, name: str) -> tuple[str, ...]:
    """Return one word or number, or several, as words."""
    many = [value] if isinstance(value, str | Real) else value
    if many is None:
        return ()
    if not isinstance(many, Sequence) or not all(_is_word(v) for v in many):
        raise InputError(f"{name} is {shown(value)}; give a list of words or numbers")
    for number in many:
        if name != "missing_codes" and not isinstance(number, str):
            check_value(name, number, Whole)
    return tuple(str(v) for v in many)


def _is_word(value: object) -> bool:
    return isinstance(value, str | Real) and not isinstance(value, bool) and value != ""


def _check_sign(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise InputError(f"{name} is {shown(value)}; it must be {' or '.join(allowed)}")


def _separator(value: str | None) -> str | None:
    sign = SEPARATORS.get(value, value) if value else value
    if sign is not None and (len(sign) != 1 or sign in '"\n\r.' or sign.isalnum()):
        raise InputError(f"delimiter is {shown(value)}; give one sign, or {', '.join(SEPARATORS)}")
    return sign


def chosen(specs: Iterable[str], names: Sequence[str], flag: str, owner: str) -> list[str]:
    """Return the columns that are meant, in the order in which they are asked for.

    >>> chosen(["b:d", "1"], ["a", "b", "c", "d"], "columns", "t.csv")
    ['b', 'c', 'd', 'a']
    """
    places = _places(names)
    found = [name for spec in specs for name in _meant(spec, names, places, flag, owner)]
    return list(dict.fromkeys(found))


def one(spec: str, names: Sequence[str], flag: str, owner: str) -> str:
    """Return the one column that is meant."""
    found = _meant(spec, names, _places(names), flag, owner)
    if len(found) > 1:
        raise InputError(f"--{flag} {spec} means {len(found)} columns of {owner}; name one")
    return found[0]


def word_in(spec: str, names: Container[str]) -> tuple[str, str] | None:
    """Return the column and the word that ``NAME=WORD`` means, if it is of a column that is there.

    >>> word_in("a=b=c", ["a=b"]), word_in("a=b", ["a=b", "a"])
    (('a=b', 'c'), None)
    """
    heads = (i for i, sign in enumerate(spec) if sign == "=" and spec[:i] in names)
    place = None if spec in names else next(heads, None)
    return None if place is None else (spec[:place], spec[place + 1 :])


def has(spec: str, names: Sequence[str]) -> bool:
    """Return whether a column is meant that is there."""
    return _place(spec.strip(), _places(names)) is not None


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _meant(
    spec: str, names: Sequence[str], places: Mapping[str, int], flag: str, owner: str
) -> list[str]:
    spec = spec.strip()
    if (place := _place(spec, places)) is not None:
        return [names[place]]
    if ":" in spec:
        ends = [_place(end.strip(), places) for end in spec.split(":", 1)]
        if ends[0] is not None and ends[1] is not None:
            low, high = sorted((ends[0], ends[1]))
            return list(names[low : high + 1])
    if set(spec) & set("*?["):
        found = [name for name in names if fnmatch.fnmatchcase(name, spec)]
        if found:
            return found
    if "," in spec:
        return [
            name for part in spec.split(",") for name in _meant(part, names, places, flag, owner)
        ]
    raise InputError(
        f"--{flag.replace('_', '-')}: {owner} has no column {spec!r} among its {len(names)}"
        f"{nearest(spec, names)}"
    )


def _place(spec: str, places: Mapping[str, int]) -> int | None:
    """Return the place of a column that is named exactly, or counted from 1."""
    if spec in places:
        return places[spec]
    counted = spec.isdecimal() and 1 <= int(spec) <= len(places)
    return int(spec) - 1 if counted else None


USUAL = TableOptions()
"""Nothing asked for: all is recognised."""
