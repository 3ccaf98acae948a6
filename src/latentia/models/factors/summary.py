"""A fitted factor model on one page, as text, HTML or a data frame."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from latentia.errors import InputError
from latentia.models.factors.determinacy import Determinacy, determinacy
from latentia.models.factors.fit_statistics import FitStatistics
from latentia.models.factors.n_factors import kmo
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.reading import listed

WIDTH = 100
ROUGH = (
    "χ² and what rests on it suppose maximum likelihood and Pearson's correlations; take them as "
    "rough guides here"
)
ADJUSTED = "; methods 'dwls' and 'minres' have a robust test that is made for these correlations"


@dataclass(frozen=True)
class Table:
    """Cells as text; without a header, labels and what they stand for."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __str__(self) -> str:
        """Return aligned lines, the title first and the note last."""
        cells = [row for row in (self.header, *self.rows) if row]
        widths = [max(map(text_width, column)) for column in zip(*cells)]
        notes = [wrapped(line) for line in self.note.splitlines()]
        return "\n".join([self.title, *(self._line(row, widths) for row in cells), *notes])

    def _line(self, row: tuple[str, ...], widths: list[int]) -> str:
        gaps = [" " * (width - text_width(cell)) for cell, width in zip(row, widths)]
        aligned = [gap + cell if self.header else cell for cell, gap in zip(row[1:], gaps[1:])]
        return "  ".join([row[0] + gaps[0], *aligned]).rstrip()


def number(value: float, digits: int) -> str:
    """Return a number, or – for NaN."""
    return "–" if math.isnan(value) else f"{float(value):z.{digits}f}"


def numbers(values: Iterable[float], digits: int) -> str:
    """Return numbers with commas between them."""
    return ", ".join(number(value, digits) for value in values)


def chi_square_test(chi_square: float, dof: int, p_value: float) -> str:
    """Return a test's χ², degrees of freedom and p-value, the last to three digits."""
    p = "= –" if math.isnan(p_value) else f"= {p_value:.3g}" if p_value > 0 else "< 1e-300"
    return f"{number(chi_square, 2)}, dof {dof}, p {p}"


def text_width(text: str) -> int:
    """Return how many columns a terminal takes: Hangul two each, accents that combine none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def cut(name: str, width: int) -> str:
    """Return a name on one line, composed, and cut with … to a width in columns."""
    clean = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", name))
    if text_width(clean) <= width:
        return clean
    while text_width(clean) >= width:
        clean = clean[:-1]
    return clean + "…"


def wrapped(text: str) -> str:
    """Return a sentence in lines of at most `WIDTH` columns."""
    # textwrap counts characters; a line holds no more wide ones than the whole sentence.
    width = max(WIDTH // 2, WIDTH - text_width(text) + len(text))
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False)


@dataclass(frozen=True)
class Part:
    """Tables under a title, and notes, as text or HTML."""

    title: str
    shown: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    def tables(self) -> tuple[Table, ...]:
        """Return the tables, as the template of a summary asks for them."""
        return self.shown

    def __str__(self) -> str:
        """Return aligned text."""
        notes = "\n".join(f"* {note}" for note in self.notes)
        last = [Table("Notes", (), (), notes)] if notes else []
        return "\n\n".join(map(str, (self.title, *self.shown, *last)))

    def to_html(self, *, page: bool) -> str:
        """Return self-contained HTML: a page, or a part of one."""
        from latentia.plots.page import template

        return template("summary.html").render(summary=self, page=page)


MANY, SHOWN = 100, 40
MOST_SCORED = 500
"""Variables of which the determinacy of scores is shown."""
LONGEST_NAME, SHORTEST_NAME = 32, 16
SHARES = ("SS loadings", "Proportion of variance", "Cumulative", "Proportion explained")
OF_SCORES = ("ρ regression", "ρ Bartlett", "ρ ten Berge", "ρ unit-weighted", "2ρ² − 1")
SCORES_TOLD = (
    "ρ correlation of scores with their factor: from 0.80 for research, 0.90 for persons (Ferrando "
    "& Lorenzo-Seva 2018)"
)
SCORES_RULE = (
    "2ρ² − 1, of regression: the least correlation of two sets of scores that fit equally well "
    "(Guttman 1955)"
)
METHODS = {
    "ml": "maximum likelihood",
    "gls": "generalised least squares",
    "dwls": "diagonally weighted least squares",
}


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """A fitted factor model on one page; print it, or read its numbers.

    Attributes
    ----------
    variable_names, heywood, constant
        Names in the order shown; which of them are Heywood cases and constant columns.
    loadings
        (p, k) standardized pattern Λ.
    communalities, uniquenesses
        (p,) shares of variance that the factors explain, and that they do not.
    factor_correlations
        (k, k) Φ; None for orthogonal factors.
    score_reliability
        (k,) squared multiple correlations of the factors with their regression scores.
    determinacy
        How well scores of each kind stand for the factors; None beyond 500 variables.
    fit, log_likelihood
        Statistics by R's convention, of the columns that vary; nats per sample.
    kmo
        Kaiser–Meyer–Olkin sampling adequacy; NaN for a singular correlation matrix.
    notes, cutoff
        What the user should know, a sentence each; smaller loadings are left blank.

    References
    ----------
    .. [1] R. J. Hofmann, "Complexity and simplicity as objective indices descriptive of factor
       solutions", Multivariate Behavioral Research 1978.
    """

    method: str
    rotation: str
    n_samples: float
    variable_names: tuple[str, ...]
    heywood: tuple[str, ...]
    constant: tuple[str, ...]
    loadings: Matrix
    communalities: Vector
    uniquenesses: Vector
    factor_correlations: Matrix | None
    score_reliability: Vector
    determinacy: Determinacy | None
    fit: FitStatistics
    log_likelihood: float
    kmo: float
    notes: tuple[str, ...]
    cutoff: float

    @property
    def title(self) -> str:
        """What was fitted, on one line."""
        p, k = self.loadings.shape
        method = METHODS.get(self.method, self.method.replace("_", " "))
        n = f"n = {self.n_samples:g}" if self.n_samples else "n unknown"
        return f"Factor analysis by {method}, rotation {self.rotation}: k = {k}, p = {p}, {n}"

    @property
    def complexities(self) -> Vector:
        """(p,) how many factors a variable loads on, (Σ λ²)² / Σ λ⁴ [1]_; NaN without loadings."""
        fourth = (self.loadings**4).sum(axis=1)
        squared = (self.loadings**2).sum(axis=1) ** 2
        return np.asarray(squared / np.where(fourth > 0, fourth, np.nan))

    @property
    def variance(self) -> Matrix:
        """(4, k) diag(Φ ΛᵀΛ), its share of p, the running sum of that, the share of its total."""
        common, p = self.loadings.T @ self.loadings, len(self.loadings) - len(self.constant)
        if self.factor_correlations is not None:
            common = self.factor_correlations @ common
        sums = np.diag(common)
        return np.vstack([sums, sums / p, np.cumsum(sums) / p, sums / (sums.sum() or math.nan)])

    @property
    def sphericity(self) -> tuple[float, int, float]:
        """χ², degrees of freedom and p-value of Bartlett's test; NaN as kmo, or without n.

        With missing values, those of the likelihood ratio of independence.
        """
        chi_square, dof = self.fit.null_chi_square, self.fit.null_dof
        return chi_square, dof, float(stats.chi2.sf(chi_square, dof))

    @property
    def marks(self) -> tuple[str, ...]:
        """What is said after each name: " (Heywood)", " (constant)" or nothing."""
        constant, heywood = set(self.constant), set(self.heywood)
        return tuple(
            " (constant)" if name in constant else " (Heywood)" * (name in heywood)
            for name in self.variable_names
        )

    def __str__(self) -> str:
        """Return the page as aligned text."""
        notes = "\n".join(f"* {note}" for note in self.notes)
        last = [Table("Notes", (), (), notes)] if notes else []
        return "\n\n".join(map(str, (self.title, *self.tables(), *last)))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.to_html(page=False)

    def to_html(self, *, page: bool = True) -> str:
        """Return self-contained HTML: a page, or the part of one that notebooks show."""
        from latentia.plots.page import template

        return template("summary.html").render(summary=self, page=page)

    def to_frame(self) -> Any:
        """Return all variables' numbers as a data frame, or raise InputError without pandas."""
        try:
            from pandas import DataFrame  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            raise InputError("to_frame needs pandas, which is not installed: install it") from None
        columns = [*self._factors(), "communality", "uniqueness", "complexity"]
        shares = self.communalities, self.uniquenesses, self.complexities
        values = np.column_stack([self.loadings, *shares])
        return DataFrame(values, index=list(self.variable_names), columns=columns)

    def tables(self) -> list[Table]:
        """Return the page's tables in order, their cells as text."""
        values, Phi = np.vstack([self.variance, self.score_reliability]), self.factor_correlations
        of_factors = self._by_factor("Factors", (*SHARES, "R² of regression scores"), values)
        found = [self._loading_table(), of_factors]
        if Phi is not None:
            found.append(self._by_factor("Factor correlations", self._factors(), Phi))
        if self.determinacy is not None:
            found.append(self._score_table(self.determinacy))
        return [*found, self._fit_table()]

    def _factors(self) -> tuple[str, ...]:
        return tuple(f"F{i + 1}" for i in range(self.loadings.shape[1]))

    def _by_factor(self, title: str, labels: tuple[str, ...], values: Matrix) -> Table:
        rows = ((label, *(number(x, 2) for x in row)) for label, row in zip(labels, values))
        return Table(title, ("", *self._factors()), tuple(rows))

    def _score_table(self, found: Determinacy) -> Table:
        values = np.vstack([*found.validity.values(), found.least_agreement])
        table = self._by_factor("Factor scores", tuple(OF_SCORES), values)
        return replace(table, note="\n".join((SCORES_TOLD, SCORES_RULE)))

    def _loading_table(self) -> Table:
        p = len(self.loadings)
        shown = p if p <= MANY else SHOWN
        title = "Standardized loadings" + (f", blank below {self.cutoff:g}" if self.cutoff else "")
        note = "h² communality, u² uniqueness, com Hofmann's complexity"
        if shown < p:
            note += f"\n{p - shown} of {p} variables are left out here; to_frame() has them all"
        header = ("", *self._factors(), "h²", "u²", "com")
        rows = (self._row(i, mark) for i, mark in enumerate(self.marks[:shown]))
        return Table(title, header, tuple(rows), note)

    def _row(self, i: int, mark: str) -> tuple[str, ...]:
        room = np.clip(WIDTH - 20 - 7 * self.loadings.shape[1], SHORTEST_NAME, LONGEST_NAME)
        name = cut(self.variable_names[i], int(room) - len(mark)) + mark
        loadings = [number(x, 2) if abs(x) >= self.cutoff else "" for x in self.loadings[i]]
        shares = number(self.communalities[i], 2), number(self.uniquenesses[i], 3)
        return (name, *loadings, *shares, number(self.complexities[i], 1))

    def _fit_table(self) -> Table:
        fit, (chi, dof, p_value) = self.fit, self.sphericity
        both = f"pk + p = {fit.n_loadings_and_variances}, for p(p + 1)/2 = {fit.n_moments} moments"
        tests = ("χ², Bartlett-corrected", "Bartlett's test of sphericity")
        if fit.full_information:
            tests = ("χ², likelihood ratio", "χ² of independence, likelihood ratio")
        interval = numbers((fit.rmsea_low, fit.rmsea_high), 3)
        rows = (
            ("Loadings and noise variances", both),
            ("Identified, rotations apart", f"pk + p - k(k - 1)/2 = {fit.n_parameters}"),
            ("Degrees of freedom", str(fit.dof)),
            (tests[0], chi_square_test(fit.chi_square, fit.dof, fit.p_value)),
            ("RMSEA [90 % interval]", f"{number(fit.rmsea, 3)} [{interval}]"),
            ("TLI, CFI", numbers((fit.tli, fit.cfi), 3)),
            ("SRMR, rms residual", numbers((fit.srmr, fit.rms), 3)),
            ("AIC, BIC: χ² less 2 dof, log(n) dof", numbers((fit.aic, fit.bic), 2)),
            ("Log-likelihood", f"{number(self.log_likelihood, 4)} nats per sample"),
            ("KMO sampling adequacy", number(self.kmo, 3)),
            (tests[1], chi_square_test(chi, dof, p_value)),
        )
        # The mean log-likelihood is known even where the total, for want of n, is not.
        reasons = [r for r in fit.reason.split("; ") if r and not r.startswith("log_likelihood")]
        return Table("Parameters and fit", (), rows, "".join(f"–: {r}\n" for r in reasons))


def summary_of(model: Any, cutoff: float, *, sort: bool) -> Summary:
    """Return the summary of a fitted model."""
    pattern, varies = model.standardized_loadings_, model.scale_ > 0
    Phi = model.factor_correlations_
    order = in_order(pattern, varies) if sort else np.arange(len(pattern))
    names = model.variable_names()
    return Summary(
        method=model.method,
        rotation=model.rotation,
        n_samples=model.n_samples_,
        variable_names=tuple(names[i] for i in order),
        heywood=tuple(model.heywood_),
        constant=tuple(model.constant_),
        loadings=pattern[order],
        communalities=model.communalities_[order],
        uniquenesses=model.uniquenesses_[order],
        factor_correlations=None if np.array_equal(Phi, np.eye(len(Phi))) else Phi,
        score_reliability=1 - np.diag(model.posterior_covariance()),
        determinacy=determinacy(model) if len(pattern) <= MOST_SCORED else None,
        fit=model.fit_statistics(),
        log_likelihood=model.log_likelihood_,
        kmo=sampling_adequacy(model.covariance_[np.ix_(varies, varies)]),
        notes=(
            *model.findings(),
            *of_kinds(model),
            *of_rotation(model),
            *of_indices(model),
        ),
        cutoff=cutoff,
    )


def shares(values: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values as shares of others, 0 where these are 0."""
    return np.divide(values, of, out=np.zeros_like(values), where=of > 0)


def in_order(pattern: Matrix, varies: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return variables by the factor they load on most and by how much, constant ones last."""
    size = np.abs(pattern)
    return np.lexsort((-size.max(axis=1), size.argmax(axis=1), ~varies))


def sampling_adequacy(covariance: Matrix) -> float:
    """Return KMO, NaN for a singular matrix."""
    try:
        return kmo(covariance)[0]
    except InputError:
        return math.nan


def of_kinds(model: Any) -> Iterator[str]:
    """Yield which columns of a table of both kinds were taken for ordinal."""
    if model.correlation == "mixed":
        told = listed(model.ordinal_) or "none"
        yield f"ordinal, with at most {model.most_categories} different values: {told}"


def of_indices(model: Any) -> Iterator[str]:
    """Yield a sentence where χ² rests on what was not assumed."""
    if model.correlation != "pearson":
        yield f"{ROUGH}{ADJUSTED}"
    elif model.method != "ml":
        yield ROUGH


def of_rotation(model: Any) -> Iterator[str]:
    """Yield a sentence where a rotation's starts ended at several minima of its criterion."""
    # Models saved before these were counted have no count.
    n_starts, n_at_best, n_minima = vars(model).get("rotation_minima_", (1, 1, 1))
    if n_minima > 1:
        yield (
            f"rotation {model.rotation} has local minima here: of {n_starts} starts {n_at_best} "
            f"ended at the lowest, which is shown, the others at {n_minima - 1} more; another "
            "criterion may show another structure"
        )
