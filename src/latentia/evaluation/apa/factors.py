"""A factor analysis as tables of the APA: loadings, correlations of factors, fit, and reliability.

Nothing is computed here but sums and largest values of what the fitted model holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from latentia.evaluation.apa.scales import reliability_table
from latentia.evaluation.apa.table import (
    Cell,
    Column,
    Row,
    Styled,
    Table,
    bounded,
    joined,
    styled,
)
from latentia.evaluation.apa.wording import series, several, wording
from latentia.models.factors.determinacy import SALIENT
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.fit_statistics import FitStatistics
from latentia.models.factors.n_factors import Suggestion
from latentia.models.factors.reliability_summary import Reliability
from latentia.models.factors.robust import RobustTest
from latentia.models.factors.summary import Summary, in_order
from latentia.models.linear.rotation import BY_KAISER, Oblique

Words = Mapping[str, str]
Kind = Literal["pattern", "structure"]
MOST_VARIABLES = 300
"""In tables of coefficients."""
MOST_EIGENVALUES = 12
"""Rows of the table of eigenvalues."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is told of a factor analysis: its solution, its number of factors, or both."""

    name: str
    """Of the data."""
    model: FactorAnalysis | None
    suggestion: Suggestion | None = None
    robust: RobustTest | None = None
    scales: tuple[Reliability, ...] = ()
    """Reliability of the variables that load on each factor."""
    cutoff: float = SALIENT
    """Smaller coefficients are not shown; of 0 all are, and those from `SALIENT` in bold."""

    @property
    def salient(self) -> float:
        """From what size a coefficient counts."""
        return self.cutoff or SALIENT

    def order(self) -> NDArray[np.intp]:
        """Return the variables that vary, by the factor they load on most and by how much."""
        assert self.model is not None
        varies = self.model.scale_ > 0
        order = in_order(self.model.standardized_loadings_, varies)
        return order[varies[order]]


def factor_tables(told: Analysis, language: str) -> tuple[Table, ...]:
    """Return the tables of an analysis in the order of a paper."""
    words, found = wording(language), list[Table]()
    if told.suggestion is not None:
        found += [_criteria(told.suggestion, words), _eigenvalues(told.suggestion, words)]
    if told.model is None:
        return tuple(found)
    if len(told.model.scale_) <= MOST_VARIABLES:
        found.append(_loadings(told, told.model, language))
        if is_oblique(told.model):
            found.append(_structure(told, told.model, language))
    if is_oblique(told.model):
        found.append(_correlations(told.model, words))
    found.append(_fit(told, told.model, words))
    if told.scales:
        note = styled(words["of factor note"], {"cut": bounded(told.salient)})
        title = styled(words["factor reliability title"])
        found.append(reliability_table(told.scales, language, title, note))
    return tuple(found)


def left_out(told: Analysis) -> tuple[str, ...]:
    """Return why tables are not there."""
    p = 0 if told.model is None else len(told.model.scale_)
    if p <= MOST_VARIABLES:
        return ()
    return (
        f"of {p:,} variables no table of coefficients was set, as of more than {MOST_VARIABLES}: "
        "a folder given to --out has them as loadings.csv.",
    )


def is_oblique(model: FactorAnalysis) -> bool:
    """Return whether the rotation let factors correlate."""
    return model.rotation in (*get_args(Oblique), "target") and model.n_latent > 1


def factor_names(model: FactorAnalysis) -> list[str]:
    """Return F1, F2 and so on."""
    return [f"F{j + 1}" for j in range(model.n_latent)]


def rotation_words(model: FactorAnalysis, words: Words) -> str:
    """Return how factors were rotated, with what its rule was set to."""
    if model.n_latent == 1:
        return words["one factor"]
    if model.rotation == "none":
        return words["rotation none"]
    parts = [words[f"rotation {model.rotation}"], *_settings(model, words)]
    return words["oblique" if is_oblique(model) else "orthogonal"].format(rotation=", ".join(parts))


def _settings(model: FactorAnalysis, words: Words) -> Iterator[str]:
    rotation = model.rotation
    if rotation == "promax":
        yield words["power"].format(value=f"{model.promax_power:g}")
    elif rotation == "oblimin":
        yield f"γ = {model.oblimin_gamma:g}".replace("-", "−")
    elif rotation in ("geomin", "geomin_orthogonal"):
        yield f"ε = {model.geomin_epsilon:g}"
    elif rotation in ("crawford_ferguson", "crawford_ferguson_orthogonal"):
        kappa = model.crawford_ferguson_kappa
        yield f"κ = 1/{len(model.scale_)}" if kappa is None else f"κ = {kappa:g}"
    if model.kaiser or (model.kaiser is None and rotation in BY_KAISER):
        yield words["normalised"]


def _values(model: FactorAnalysis, words: Words, told: Analysis) -> dict[str, str]:
    n = model.n_samples_
    return {
        "n": f"{n:,g}" if n else "?",
        "p": str(int((model.scale_ > 0).sum())),
        "factors": several(model.n_latent, words),
        "Factors": several(model.n_latent, words, "Factors"),
        "method": words[f"method {model.method}"],
        "rotation": rotation_words(model, words),
        "cut": bounded(told.salient),
    }


def _note(told: Analysis, model: FactorAnalysis, keys: Sequence[str], language: str) -> Styled:
    words = wording(language)
    values: dict[str, str | Styled] = {**_values(model, words, told)}
    found = [styled(words[key], values) for key in keys]
    for key, names in (("heywood", model.heywood_), ("constant", model.constant_)):
        if names and "symbols" in keys:
            listed = series([styled("{x}", {"x": name}) for name in map(str, names)], language)
            found.append(styled(words[key], {"names": listed}))
    return joined(found, " ")


def _data_keys(model: FactorAnalysis) -> Iterator[str]:
    """Yield what is said of the correlations and of gaps."""
    if model.correlation != "pearson":
        yield model.correlation
    if model.matrix == "covariance":
        yield "covariances"
    if model.missing == "fiml":
        yield "fiml"


def _loadings(told: Analysis, model: FactorAnalysis, language: str) -> Table:
    words, oblique, order = wording(language), is_oblique(model), told.order()
    kind = "pattern" if oblique else "loading"
    pattern = model.standardized_loadings_[order]
    names = model.variable_names()
    rows = tuple(
        (
            Cell(names[i]),
            *(_coefficient(x, told) for x in loadings),
            Cell(float(model.communalities_[i]), "bounded"),
            Cell(float(model.uniquenesses_[i]), "bounded"),
        )
        for i, loadings in zip(order, pattern)
    )
    keys = ["n", "extracted", *_data_keys(model), "cut" if told.cutoff else "bold", "symbols"]
    if oblique:
        keys.append("sums of oblique")
    title = words["pattern title" if oblique else "loadings title"]
    return Table(
        "loadings",
        styled(title, {**_values(model, words, told)}),
        (
            Column(styled(words["variable"])),
            *_factor_columns(model, styled(words[kind])),
            Column(styled(words["communality"])),
            Column(styled(words["uniqueness"])),
        ),
        rows,
        _note(told, model, keys, language),
        _totals(model.summary(told.cutoff), words),
    )


def _coefficient(value: float, told: Analysis) -> Cell:
    large = abs(value) >= told.salient
    if told.cutoff and not large:
        return Cell("")
    return Cell(float(value), "bounded", bold=large and not told.cutoff)


def _factor_columns(model: FactorAnalysis, under: Styled = ()) -> list[Column]:
    return [Column(styled("{x}", {"x": name}), under) for name in factor_names(model)]


def _totals(summary: Summary, words: Words) -> tuple[Row, ...]:
    blank = (Cell(""), Cell(""))
    sums, shares = summary.variance[:2]
    rows: list[Row] = [
        (Cell(words["sums"]), *(Cell(float(x), "number") for x in sums), *blank),
        (Cell(words["percent"]), *(Cell(100 * float(x), "percent", 1) for x in shares), *blank),
    ]
    if summary.determinacy is not None:
        rho = summary.determinacy.validity["regression"]
        cells = (Cell(float(x), "bounded") for x in rho)
        rows.append((Cell(words["determinacy"]), *cells, *blank))
    return tuple(rows)


def _structure(told: Analysis, model: FactorAnalysis, language: str) -> Table:
    words, order, names = wording(language), told.order(), model.variable_names()
    structure = model.structure_
    rows = tuple(
        (Cell(names[i]), *(Cell(float(x), "bounded") for x in structure[i])) for i in order
    )
    return Table(
        "structure",
        styled(words["structure title"], {**_values(model, words, told)}),
        (
            Column(styled(words["variable"])),
            *_factor_columns(model, styled(words["structure"])),
        ),
        rows,
        _note(told, model, ["n", "extracted", "structure note"], language),
    )


def _correlations(model: FactorAnalysis, words: Words) -> Table:
    names, Phi = factor_names(model), model.factor_correlations_
    rows = tuple(
        (
            Cell(names[i]),
            *(Cell(float(Phi[i, j]), "bounded") for j in range(i)),
            Cell(float("nan")),
            *(Cell("") for _ in names[i + 1 :]),
        )
        for i in range(len(names))
    )
    columns = (Column(styled(words["factor"])), *_factor_columns(model))
    note = styled(words["extracted"], {
        "method": words[f"method {model.method}"], "rotation": rotation_words(model, words),
    })  # fmt: skip
    title = styled(words["correlations title"])
    return Table("factor-correlations", title, columns, rows, note)


def _fit(told: Analysis, model: FactorAnalysis, words: Words) -> Table:
    fit = model.fit_statistics()
    interval = styled(words["interval"], {"level": "90"})
    heads = [words["model"], "χ²", "*df*", "*p*", "CFI", "TLI", "RMSEA"]
    columns = [Column(styled(head)) for head in heads]
    columns += [Column(styled(words[end]), interval) for end in ("low", "high")]
    columns += [Column(styled(head)) for head in ("SRMR", "AIC", "BIC")]
    factors = several(model.n_latent, words)
    rows = [_fit_row(_begin(factors), fit)]
    keys = ["likelihood ratio" if fit.full_information else "corrected", "fit symbols"]
    if told.robust is not None:
        scaled = words["scaled"].format(factors=_begin(factors))
        rows.append(_scaled_row(scaled, told.robust))
        keys.append(f"{told.robust.kind} note")
    if (model.method, model.correlation) != ("ml", "pearson"):
        keys.append("rough")
    note = joined([styled(words["n"], {"n": _values(model, words, told)["n"]})]
                  + [styled(words[key]) for key in keys], " ")  # fmt: skip
    return Table("fit", styled(words["fit title"]), tuple(columns), tuple(rows), note)


def _begin(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fit_row(name: str, fit: FitStatistics) -> Row:
    indices = (fit.cfi, fit.tli, fit.rmsea, fit.rmsea_low, fit.rmsea_high, fit.srmr)
    return (
        Cell(name),
        Cell(fit.chi_square, "number"),
        Cell(fit.dof, "degrees"),
        Cell(fit.p_value, "p"),
        *(Cell(x, "bounded", 3) for x in indices),
        Cell(fit.aic, "number"),
        Cell(fit.bic, "number"),
    )


def _scaled_row(name: str, robust: RobustTest) -> Row:
    none = Cell(float("nan"))
    ends = robust.rmsea_low, robust.rmsea_high
    indices = (Cell(x, "bounded", 3) for x in (robust.cfi, robust.tli, robust.rmsea, *ends))
    return (
        Cell(name),
        Cell(robust.chi_square, "number"),
        Cell(robust.dof, "degrees"),
        Cell(robust.p_value, "p"),
        *indices,
        *(none for _ in range(3)),
    )


def _criteria(found: Suggestion, words: Words) -> Table:
    rows = tuple((Cell(_begin(words[c])), Cell(k, "count")) for c, k in found.counts.items())
    columns = Column(styled(words["criterion"])), Column(styled(words["count"]))
    note = styled(words["criteria note"]) if found.component_null is not None else ()
    return Table("criteria", styled(words["criteria title"]), columns, rows, note)


def _eigenvalues(found: Suggestion, words: Words) -> Table:
    series_of = [("of components", found.eigenvalues, found.component_null)]
    series_of.append(("of factors", found.factor_eigenvalues, found.factor_null))
    columns, values = [Column(styled(words["place"]))], []
    for under, observed, null in series_of:
        columns.append(Column(styled(words["observed"]), styled(words[under])))
        values.append(observed)
        if null is not None:
            columns.append(Column(styled(words["chance"]), styled(words[under])))
            values.append(null[1])
    rows = tuple(
        (Cell(i + 1, "degrees"), *(Cell(float(column[i]), "number") for column in values))
        for i in range(min(MOST_EIGENVALUES, len(found.eigenvalues)))
    )
    title, note = styled(words["eigenvalues title"]), styled(words["eigenvalues note"])
    return Table("eigenvalues", title, tuple(columns), rows, note)
