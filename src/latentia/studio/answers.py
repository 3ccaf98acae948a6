"""What the page of factor analysis is asked, and the answers and solutions behind it.

All that is asked stands in the address, so that every state of the page is a link. Tables and
solutions that were computed last are kept, as a slider or a download asks for them again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from starlette.datastructures import QueryParams

from latentia.errors import InputError
from latentia.evaluation.apa.documents import analysis_of
from latentia.evaluation.apa.factors import Analysis
from latentia.evaluation.factor_report import Observed, fitted, implied, read, robust_of
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import Suggestion, suggest
from latentia.models.factors.robust import RobustTest
from latentia.studio.data import spec_of
from latentia.studio.folder import RunsFolder

EXAMPLE = "example"
"""The answers that are made, for a first look."""
METHODS: tuple[str, ...] = get_args(get_type_hints(FactorAnalysis)["method"])
ROTATIONS = tuple(
    name
    for name in get_args(get_type_hints(FactorAnalysis)["rotation"])
    if not name.startswith("target")
)
"""Those that need no target."""
MISSING = ("complete", "fiml")
CORRELATIONS = ("pearson", "polychoric", "mixed")
MOST_VARIABLES = 120
"""On a page; the command line takes more."""
MOST_CATEGORIES = 12
"""Different answers of what may be taken for ordinal."""
SIMULATIONS = 50
MOST_TRIED = 10
"""Factors up to which models are fitted, to say how many there are."""
Pearson = Literal["pearson", "polychoric", "mixed"]


@dataclass(frozen=True)
class Variable:
    """A column as a reader chooses it."""

    name: str
    n_values: int
    n_missing: int
    low: float
    high: float

    @property
    def varies(self) -> bool:
        """Whether it can be analysed."""
        return self.n_values > 1


@dataclass(frozen=True)
class Asked:
    """All that the page is asked; the fields are those of the address."""

    data: str
    columns: tuple[str, ...]
    k: int
    """0 leaves the number of factors to the criteria."""
    method: str = "ml"
    rotation: str = "oblimin"
    correlation: str = "pearson"
    missing: str = "complete"
    cutoff: float = 0.3
    n: int | None = None
    """Rows behind a matrix."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of an address, which `asked` reads as this."""
        words = [("data", self.data), *(("column", name) for name in self.columns)]
        words += [("k", str(self.k)), ("method", self.method), ("rotation", self.rotation)]
        words += [("correlation", self.correlation), ("missing", self.missing)]
        words.append(("cutoff", f"{self.cutoff:g}"))
        return words if self.n is None else [*words, ("n", str(self.n))]


@dataclass(frozen=True, eq=False)
class Answers:
    """A table's columns as they are chosen from, or a matrix."""

    observed: Observed
    variables: tuple[Variable, ...]

    @property
    def has_gaps(self) -> bool:
        """Whether cells are empty."""
        return any(variable.n_missing for variable in self.variables)

    @property
    def is_matrix(self) -> bool:
        """Whether there are no rows."""
        return self.observed.matrix is not None

    def usual(self) -> tuple[str, ...]:
        """Return the variables that are chosen at first: those with the answers most have.

        Where most columns have the same lowest and highest value, such as 1 and 6, the others, such
        as an age, are no items.
        """
        varying = [v for v in self.variables if v.varies]
        ends = Counter((v.low, v.high) for v in varying)
        if ends and not self.is_matrix:
            common, count = ends.most_common(1)[0]
            if 2 * count > len(varying) and common[1] - common[0] < MOST_CATEGORIES:
                varying = [v for v in varying if (v.low, v.high) == common]
        return tuple(v.name for v in varying[:MOST_VARIABLES])


@dataclass(frozen=True, eq=False)
class Solved:
    """A solution, what is told of it, and how the number of its factors came about."""

    asked: Asked
    observed: Observed
    told: Analysis
    n_left_out: int
    """Rows with gaps that were not used."""

    @property
    def model(self) -> FactorAnalysis:
        """The fitted model."""
        assert self.told.model is not None
        return self.told.model


def asked(query: QueryParams, answers: Answers) -> Asked:
    """Return what an address asks, with what is usual in the place of what it leaves out.

    Raises
    ------
    InputError
        For a column that is not there, or a value that is none of the choices.
    """
    names = [variable.name for variable in answers.variables]
    columns = tuple(dict.fromkeys(query.getlist("column"))) or answers.usual()
    for name in columns:
        if name not in names:
            raise InputError(f"there is no column {name!r:.80} in {answers.observed.name}")
    if len(columns) > MOST_VARIABLES:
        raise InputError(
            f"{len(columns)} variables are chosen; the page takes {MOST_VARIABLES}, and "
            "latentia factor more"
        )
    chosen = {
        key: _one_of(key, query.get(key, choices[0] if key != "rotation" else "oblimin"), choices)
        for key, choices in (
            ("method", METHODS), ("rotation", ROTATIONS), ("correlation", CORRELATIONS),
            ("missing", MISSING),
        )
    }  # fmt: skip
    cutoff = _number(query.get("cutoff", "0.3"), "cutoff", 0, 1)
    k = int(_number(query.get("k", "0"), "k", 0, MOST_VARIABLES))
    n = query.get("n", "")
    rows = int(_number(n, "n", 2, 10**12)) if n and answers.is_matrix else None
    return Asked(query.get("data", ""), columns, k, **chosen, cutoff=cutoff, n=rows)


def _one_of(key: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise InputError(f"{key} is {value!r:.60}; it must be {', '.join(choices)}")
    return value


def _number(text: str, key: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"{key} is {text!r:.40}; it must be a number from {low} to {high}")
    return value


def answers_of(folder: RunsFolder, key: str) -> Answers:
    """Return the answers behind a choice of data.

    Raises
    ------
    InputError
        For pictures, texts, and what cannot be read.
    """
    if key == EXAMPLE:
        return _example()
    spec = spec_of(folder, key)
    path = Path(spec)
    if not path.is_file():
        raise InputError(f"{key} is no table: choose or upload a .csv, .xlsx or .sav file")
    about = path.stat()
    return _read(spec, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _read(spec: str, changed: int, size: int) -> Answers:
    """Return a file's table; it is read again when the file changes."""
    observed = read(spec, None)
    if observed.matrix is not None:
        unknown = [Variable(name, 2, 0, math.nan, math.nan) for name in observed.matrix.columns]
        return Answers(observed, tuple(unknown))
    if not isinstance(observed.rows, pa.Table):
        raise InputError(f"{observed.name} holds no columns of numbers: choose a table")
    return Answers(observed, tuple(map(_variable, *_columns(observed.rows))))


def _columns(table: pa.Table) -> tuple[list[str], list[NDArray[np.float64]]]:
    return list(table.column_names), [np.asarray(table[name], float) for name in table.column_names]


def _variable(name: str, values: NDArray[np.float64]) -> Variable:
    seen = values[~np.isnan(values)]
    if not len(seen):
        return Variable(name, 0, len(values), math.nan, math.nan)
    n_values = len(np.unique(seen[: 10**6]))
    return Variable(name, n_values, len(values) - len(seen), float(seen.min()), float(seen.max()))


@lru_cache(maxsize=1)
def _example() -> Answers:
    """Return 600 made answers to fifteen items of three scales, two of them worded in reverse."""
    draw = np.random.default_rng(7)
    correlation = np.full((3, 3), 0.3) + 0.7 * np.eye(3)
    factors = draw.multivariate_normal(np.zeros(3), correlation, size=600)
    names = [f"{scale}{i}" for scale in ("calm", "social", "orderly") for i in range(1, 6)]
    strength = np.tile([0.8, 0.75, 0.7, 0.6, -0.65], 3)
    latent = np.repeat(factors, 5, axis=1) * strength
    latent += draw.normal(size=(600, 15)) * np.sqrt(1 - strength**2)
    answers = np.digitize(latent, [-1.3, -0.5, 0.3, 1.1]) + 1.0
    table = pa.table(dict(zip(names, answers.T)))
    return Answers(Observed("example", table), tuple(map(_variable, *_columns(table))))


def choices_of(folder: RunsFolder, key: str) -> Answers:
    """Return answers without their rows, which stay where they were read."""
    answers = answers_of(folder, key)
    return replace(answers, observed=_without_rows(answers.observed))


def _without_rows(observed: Observed) -> Observed:
    empty = None if observed.rows is None else observed.rows.schema.empty_table()
    return replace(observed, rows=empty, weights=None, names=None)


def chosen(answers: Answers, asked: Asked) -> tuple[Observed, int]:
    """Return the chosen columns, without rows that have gaps if that is asked, and their number."""
    observed = answers.observed
    if observed.matrix is not None:
        n = observed.matrix.n_samples or asked.n
        matrix = replace(observed.matrix.of(asked.columns), n_samples=n)
        return replace(observed, matrix=matrix, n_samples=n), 0
    rows = observed.rows.select(list(asked.columns))
    if asked.correlation != "pearson" or asked.missing == "fiml":
        return replace(observed, rows=rows), 0
    whole = np.ones(rows.num_rows, dtype=bool)
    for values in _columns(rows)[1]:
        whole &= ~np.isnan(values)
    left_out = int((~whole).sum())
    if left_out == len(whole) > 0:
        raise InputError("no row has an answer to each of these variables: choose fewer, or FIML")
    kept = replace(observed, rows=rows.filter(pa.array(whole)) if left_out else rows)
    names = None if observed.names is None else observed.names[whole]
    return replace(kept, names=names), left_out


def suggested(answers: Answers, asked: Asked) -> Suggestion:
    """Return what quick criteria say of the number of factors, by Pearson's correlations."""
    return _suggested(answers, asked.data, asked.columns, asked.n)


@lru_cache(maxsize=8)
def _suggested(answers: Answers, data: str, columns: tuple[str, ...], n: int | None) -> Suggestion:
    observed, _ = chosen(answers, Asked(data, columns, 1, n=n))
    one = fitted(FactorAnalysis(n_starts=1), observed)
    varies = one.scale_ > 0
    S = one.covariance_[np.ix_(varies, varies)]
    scale = np.sqrt(np.diag(S))
    n_samples = round(one.n_samples_) or None
    return suggest(
        S / np.outer(scale, scale),
        n_samples,
        n_simulations=SIMULATIONS,
        max_components=MOST_TRIED,
        fit=implied,
    )


def solution_of(folder: RunsFolder, asked: Asked) -> Solved:
    """Return what `solved` does, settled and without the rows."""
    answers = answers_of(folder, asked.data)
    found = solved(answers, settled(answers, asked))
    return replace(found, observed=_without_rows(found.observed))


def settled(answers: Answers, ask: Asked) -> Asked:
    """Return what is asked with the number of factors, which criteria give where none is asked."""
    if ask.k:
        return ask
    agreed = suggested(answers, ask).consensus
    return replace(ask, k=1 if agreed is None else min(agreed.n_factors, len(ask.columns) - 1))


def solved(answers: Answers, asked: Asked) -> Solved:
    """Return the solution of what is asked."""
    plain = replace(asked, cutoff=0.0)
    model, observed, left_out = _fit(answers, plain)
    found, robust = None, _robust(answers, replace(plain, rotation="none"))
    try:
        found = suggested(answers, asked)
    except InputError:
        # Rows with gaps that only FIML can use.
        found = None
    told = analysis_of(model, observed, found, asked.cutoff, robust)
    return Solved(asked, observed, told, left_out)


@lru_cache(maxsize=16)
def _fit(answers: Answers, asked: Asked) -> tuple[FactorAnalysis, Observed, int]:
    observed, left_out = chosen(answers, asked)
    model = FactorAnalysis(
        n_components=asked.k,
        method=cast(Any, asked.method),
        rotation=cast(Any, asked.rotation if asked.k > 1 else "none"),
        correlation=cast(Pearson, asked.correlation),
        missing="fiml" if asked.missing == "fiml" and not answers.is_matrix else "error",
    )
    return fitted(model, observed), observed, left_out


@lru_cache(maxsize=16)
def _robust(answers: Answers, asked: Asked) -> RobustTest | None:
    """Return the scaled test, which no rotation changes."""
    model, observed, _ = _fit(answers, asked)
    return robust_of(model, observed)
