"""One factor analysis from a file to a page: read, suggest, fit, summarise, draw."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from sklearn.base import clone

from latentia.data import tables
from latentia.data.dataset import Dataset, in_file_order
from latentia.data.matrices import NamedMatrix, kind_of
from latentia.data.named import load_with
from latentia.data.options import USUAL, TableOptions
from latentia.data.table_files import TABLES
from latentia.data.unread import refuse_address
from latentia.errors import FitWarning, InputError
from latentia.models.factors.analysed import correlations_of
from latentia.models.factors.bootstrap import bootstrap_errors
from latentia.models.factors.congruence import compared
from latentia.models.factors.extraction import left_out
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.invariance import invariance
from latentia.models.factors.n_factors import VOTELESS, Correlate, Suggestion, suggest
from latentia.models.factors.robust import (
    MOST_VARIABLES,
    RobustTest,
    robust_part,
    robust_test,
)
from latentia.models.factors.standard_errors import (
    LoadingErrors,
    information_errors,
    robust_errors,
)
from latentia.models.factors.summary import Part, wrapped
from latentia.models.inputs import unit_floats
from latentia.models.linear.missing import saturated
from latentia.models.linear.nearest_correlation import nearest_correlation
from latentia.models.linear.patterns import Patterns
from latentia.models.saved import load
from latentia.plots.factors import criteria_chart, loadings_heat_map, path_diagram, scree
from latentia.plots.page import Drawing, Picture, template, write_page
from latentia.plots.style import svg
from latentia.training.config import versions

MOST_DRAWN = 60
"""Variables in a heat map or a path diagram."""
MANY, MANY_SHUFFLED, FEW_SIMULATIONS = 200, 30, 20
"""Variables beyond which fewer data are drawn for parallel analysis, and how many then."""
COMPARED = 500
"""Data sets of each number of factors that comparison data draw, of at most 60 variables."""
COARSE = 1e-3
"""Of the moments of shuffled rows with gaps, whose eigenvalues are averages anyway."""
LEAST_ROWS = 10
"""Fewer rows are not cross-validated."""
MOST_TRIED = 12
"""Numbers of factors whose BIC and cross-validated likelihood are computed."""
HOW = {
    "kaiser": "eigenvalues of the correlations above 1; no vote",
    "empirical_kaiser": "above what chance and earlier factors leave (Braeken & van Assen 2017)",
    "parallel_components": "eigenvalues above the 95 % quantile of uncorrelated data's (Horn 1965)",
    "parallel_factors": "the same for factors, communalities on the diagonal",
    "map": "least average squared partial correlation (Velicer 1976)",
    "sequential_tests": "fewest factors that χ² does not reject at 5 %; no vote",
    "hull": "sharpest bend of CFI against degrees of freedom (Lorenzo-Seva & al. 2011)",
    "bic": "least n F − log(n) dof",
    "held_out": "highest cross-validated likelihood",
    "comparison_data": "eigenvalues as of data with so many factors (Ruscio & Roche 2012)",
}


@dataclass(frozen=True)
class Observed:
    """Rows, or a covariance matrix with its number of rows, and what to call them."""

    name: str
    rows: Any = None
    matrix: NamedMatrix | None = None
    n_samples: int | None = None
    notes: tuple[str, ...] = ()
    """What was assumed of the file, left out or changed."""
    weights: NDArray[Any] | None = None
    names: NDArray[Any] | None = None
    """(n,) weights of the rows, and their names."""
    groups: NDArray[Any] | None = None
    """(n,) names of the groups that rows are of, if their factors are to be compared."""


def read(
    spec: str, n_samples: int | None, smooth: bool = False, options: TableOptions = USUAL
) -> Observed:
    """Return what a file or a named data set holds.

    Parameters
    ----------
    spec
        A path or a name. What a table must hold to be a matrix is told in `latentia.data.matrices`.
    n_samples
        Rows behind a matrix, unless its file tells them.
    smooth
        Take the nearest correlation matrix in the place of an indefinite one.
    options
        How a table is read.
    """
    refuse_address(spec)
    path = Path(spec).expanduser()
    if path.suffix.lower() in TABLES and not path.exists():
        raise InputError(f"there is no file {path}")
    found = tables.columns(path, options) if tables.is_table(path) else None
    if found is not None and isinstance(found.columns, NamedMatrix):
        return _matrix(found.columns, found.notes, path.stem, n_samples, smooth)
    data = load_with(options, spec) if found is None else None
    if data is not None and (square := _correlations(data, path)) is not None:
        said = f"{path.name}: a square array of correlations was taken for a matrix, not for rows."
        return _matrix(square, (said,), path.stem, n_samples, smooth)
    if n_samples is not None:
        raise InputError(f"n_samples is {n_samples}, but {spec} holds rows: it is for a matrix")
    if smooth:
        raise InputError(f"smooth is for a matrix, and {spec} holds rows")
    if found is not None:
        return Observed(
            path.stem,
            rows=found.columns,
            notes=found.notes,
            weights=found.weights,
            names=found.names,
        )
    assert data is not None
    if data.own_test:
        return Observed(spec, rows=data.x_train, notes=data.notes)
    # A file without a test part is analysed whole.
    return Observed(spec, in_file_order(data).x, notes=data.notes_of_all)


def read_groups(spec: str, group: str, options: TableOptions = USUAL) -> Observed:
    """Return a table as `read` does, and the column that tells its groups, which is no variable."""
    if options.label is not None:
        raise InputError(f"--label {options.label}: --group {group} says which column is no number")
    path, named = Path(spec).expanduser(), replace(options, label=group)
    if not tables.is_table(path):
        raise InputError(f"--group names a column of a table file, and {spec} is none")
    try:
        observed = read(spec, None, options=named)
        return replace(observed, groups=tables.classes(path, named))
    except InputError as error:
        raise InputError(str(error).replace("--label", "--group")) from None


def _correlations(data: Dataset, path: Path) -> NamedMatrix | None:
    """Return the matrix that an array in a .npy file is, if it is surely one of correlations."""
    values = in_file_order(data).x if path.suffix == ".npy" else np.empty(0)
    if kind_of(values) != "correlation":
        return None
    return NamedMatrix([f"x{j}" for j in range(len(values))], values.astype(float))


def _matrix(
    found: NamedMatrix, notes: tuple[str, ...], name: str, n_samples: int | None, smooth: bool
) -> Observed:
    if None not in (n_samples, found.n_samples) and n_samples != found.n_samples:
        raise InputError(
            f"n_samples is {n_samples}, but {name} says {found.n_samples}; leave --n-samples out"
        )
    if smooth:
        values, said = nearest_correlation(found)
        found, notes = replace(found, values=values), (*notes, f"{name}: {said}.")
    n = found.n_samples if n_samples is None else n_samples
    if n is None:
        notes = (
            *notes,
            f"{name} is a matrix: tests of fit need --n-samples N, the rows behind it.",
        )
    return Observed(name, matrix=found, n_samples=n, notes=notes)


def saved(path: Path) -> FactorAnalysis:
    """Return a saved factor analysis, and refuse any other model."""
    model = load(path)
    if not isinstance(model, FactorAnalysis):
        raise InputError(f"{path} holds a {type(model).__name__}; compare factor analyses")
    return model


def fitted(model: FactorAnalysis, observed: Observed) -> FactorAnalysis:
    """Fit the model to rows or to a matrix, whose findings the summary will tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        if observed.matrix is not None:
            matrix = observed.matrix
            solved = model.fit_covariance(matrix, observed.n_samples, matrix.mean)
            solved.columns_ = list(matrix.columns)
            return solved
        solved = model.fit(observed.rows, sample_weight=observed.weights)
        if names := getattr(observed.rows, "column_names", ()):
            x = np.column_stack([observed.rows[name] for name in names])
            solved.remember(Dataset(observed.name, x, None, x[:0], None, columns=(*names,)))
        return solved


def suggestion(model: FactorAnalysis, observed: Observed) -> Suggestion:
    """Return what each criterion says of the number of factors, and silence the trials.

    Of polychoric correlations and of rows with gaps, chance is the same answers and gaps with each
    column shuffled by itself; BIC and cross-validation are of complete rows of numbers.
    """
    refuse_weights(observed, "a suggested number of factors")
    trial = clone(model).set_params(n_components=1, rotation="none", n_starts=1)
    one = fitted(trial, observed)
    correlate, varies = _correlate(one), one.scale_ > 0
    if one.missing == "fiml" and not np.isfinite(one.baseline_log_likelihoods_).all():
        raise InputError(f"no number of factors can be suggested: {'; '.join(one.remarks_)}")
    S = one.covariance_[np.ix_(varies, varies)]
    X = None
    if observed.rows is not None and (len(observed.rows) >= LEAST_ROWS or correlate is not None):
        X = unit_floats(np.asarray(one.checked(observed.rows, reset=False)))
        X = X.reshape(len(X), -1)[:, varies]
    slow = len(S) > (MANY if correlate is None else MANY_SHUFFLED) or one.missing == "fiml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        found = suggest(
            _unit_variance(S),
            round(one.n_samples_) or None if X is None else None,
            X,
            max_components=min(MOST_TRIED, len(S) - 1),
            n_simulations=FEW_SIMULATIONS if slow else 100,
            n_comparison=COMPARED if correlate is None and len(S) <= MOST_VARIABLES else 0,
            null="normal" if correlate is None else "permutation",
            correlate=correlate,
            fit=implied if correlate is None else None,
            random_state=model.random_state,
        )
    return replace(found, notes=(*one.remarks_, *left_out(one.constant_)))


def implied(R_PP: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the (p, p) correlation that k maximum-likelihood factors imply, without a remark."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return FactorAnalysis(n_components=k, n_starts=1).fit_covariance(R_PP).get_covariance()


def _correlate(model: FactorAnalysis) -> Correlate | None:
    """Return how correlations come from rows where they are not Pearson's of complete ones."""
    if model.correlation != "pearson":
        return lambda X: correlations_of(model, X).correlation
    if model.missing == "fiml":
        return lambda X: _unit_variance(saturated(Patterns(X), tolerance=COARSE).covariance)
    return None


def _unit_variance(S: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = np.sqrt(np.diag(S))
    return np.asarray(S / scale[:, None] / scale)


def suggestion_rows(found: Suggestion) -> list[tuple[str, int, str]]:
    """Return each criterion's name, its number of factors, and what it is."""
    return [(name.replace("_", " "), count, HOW[name]) for name, count in found.counts.items()]


def suggestion_text(found: Suggestion) -> str:
    """Return the criteria as aligned lines."""
    lines = [f"{name:<20} {count:>3}   {how}" for name, count, how in suggestion_rows(found)]
    notes = [wrapped(f"* {note}") for note in found.notes]
    answer = wrapped(suggestion_sentence(found))
    return "\n".join(["Number of factors by criterion", *lines, answer, *notes])


def suggestion_sentence(found: Suggestion) -> str:
    """Return the number that most criteria name, and which name another."""
    agreed = found.consensus
    if agreed is None:
        return "No criterion has a vote."
    k, n = agreed.n_factors, len(set(found.counts) - set(VOTELESS))
    named = ", ".join(name.replace("_", " ") for name in agreed.agree)
    said = (
        f"Most votes: {k} factor{'s' * (k > 1)}, by {len(agreed.agree)} of {n} criteria ({named})"
    )
    if agreed.as_many:
        said += f", as many name {', '.join(map(str, agreed.as_many))}"
    others = [f"{name.replace('_', ' ')} {found.counts[name]}" for name in agreed.dissent]
    return f"{said}; otherwise {', '.join(others)}." if others else f"{said}."


def parts_of(
    model: FactorAnalysis, observed: Observed, other: FactorAnalysis | None, name: str
) -> list[Part]:
    """Return what is told beside the summary: robust tests, groups, a comparison of two models."""
    tests = robust_part_of(model, observed)
    found = [] if tests is None else [tests]
    if observed.groups is not None:
        refuse_weights(observed, "a comparison of groups")
        rows = model.checked(observed.rows, reset=False)
        found.append(invariance(model, rows, observed.groups).part())
    return found if other is None else [*found, compared(model, other, name)]


def robust_part_of(model: FactorAnalysis, observed: Observed) -> Part | None:
    """Return the tests of normality and fit that the rows of a table allow, or none."""
    if not _are_tested(model, observed):
        return None
    try:
        return robust_part(model, model.checked(observed.rows, reset=False))
    except InputError:
        # Of collinear columns and few rows the summary tells.
        return None


def robust_of(model: FactorAnalysis, observed: Observed) -> RobustTest | None:
    """Return the robust test where the rows of a table allow one, or none."""
    if not _are_tested(model, observed):
        return None
    try:
        return robust_test(model, model.checked(observed.rows, reset=False))
    except InputError:
        return None


def _are_tested(model: FactorAnalysis, observed: Observed) -> bool:
    """Return whether there are rows, of a table of moderate width, without weights."""
    p = int((model.scale_ > 0).sum())
    narrow = len(model.data_shape_) == 1 and p <= MOST_VARIABLES
    return observed.rows is not None and observed.weights is None and narrow


def standard_errors(model: FactorAnalysis, observed: Observed, kind: str) -> LoadingErrors:
    """Return standard errors of the loadings by information, or of rows."""
    if kind == "information" and model.n_samples_ == 0:
        raise InputError("the number of samples is unknown: give --n-samples with a matrix")
    if kind == "information":
        try:
            return information_errors(model)
        except InputError as error:
            raise InputError(f"{error} (--standard-errors bootstrap)") from None
    if observed.rows is None:
        raise InputError(f"{kind} standard errors need rows; of a matrix use 'information'")
    if kind == "robust":
        refuse_weights(observed, "the robust standard errors")
        return robust_errors(model, model.checked(observed.rows, reset=False))
    refuse_weights(observed, "the bootstrap")
    return bootstrap_errors(model, observed.rows)


def refuse_weights(observed: Observed, what: str) -> None:
    """Refuse rows with weights where these are not taken."""
    if observed.weights is not None:
        raise InputError(f"{what} takes no weights of rows: leave --weights out")


def write_factor_page(
    path: Path,
    title: str,
    model: FactorAnalysis | None,
    found: Suggestion | None,
    errors: LoadingErrors | None,
    cutoff: float,
    notes: Sequence[str] = (),
    parts: Sequence[Part] = (),
) -> Path:
    """Write the page, whole or not at all: suggestion, solution, errors, figures, data's notes."""
    page = template("factor.html").render(
        title=title,
        verb="factor",
        facts={"made with": ", ".join(f"{k} {v}" for k, v in versions().items())},
        suggestion=None if found is None else suggestion_rows(found),
        suggestion_notes=() if found is None else (suggestion_sentence(found), *found.notes),
        # The summary's own template has escaped every name in it.
        summary=None if model is None else Markup(model.summary(cutoff).to_html(page=False)),
        parts=[Markup(part.to_html(page=False)) for part in parts],
        notes=notes,
        errors=None if model is None or errors is None else _error_table(model, errors),
        pictures=list(_pictures(model, found, cutoff)),
    )
    return write_page(path, page)


def _error_table(model: FactorAnalysis, errors: LoadingErrors) -> dict[str, Any]:
    names, loadings = model.variable_names(), model.standardized_loadings_
    cells = [
        [f"{value:.3f} ± {error:.3f}" for value, error in zip(*pair)]
        for pair in zip(loadings, errors.loadings)
    ]
    drawn = f", {errors.n_replicates} replicates" if errors.n_replicates else ""
    return {
        "caption": f"Standardized loadings ± standard error ({errors.method}{drawn}).",
        "header": ["Variable", *(f"F{j + 1}" for j in range(loadings.shape[1]))],
        "rows": [[name, *row] for name, row in zip(names, cells)],
    }


def _pictures(
    model: FactorAnalysis | None, found: Suggestion | None, cutoff: float
) -> Iterator[Picture]:
    if found is not None:
        caption = "Eigenvalues of the correlations, and with communalities, against chance."
        figure = scree(
            found.eigenvalues,
            null=None if found.component_null is None else found.component_null[1],
            factor_eigenvalues=found.factor_eigenvalues,
            factor_null=None if found.factor_null is None else found.factor_null[1],
        )
        yield Picture("Scree", caption, drawing=Drawing(svg(figure, caption)))
        caption = suggestion_sentence(found)
        agreed = found.consensus
        counts = {name.replace("_", " "): count for name, count in found.counts.items()}
        figure = criteria_chart(counts, None if agreed is None else agreed.n_factors)
        yield Picture("Criteria", caption, drawing=Drawing(svg(figure, caption)))
    if model is None:
        return
    if len(model.data_shape_) > 1:
        yield from model.pictures_of_parameters()
        return
    names, pattern = model.variable_names(), model.standardized_loadings_
    factors = [f"F{j + 1}" for j in range(model.n_latent)]
    if len(names) <= MOST_DRAWN:
        caption = "Standardized loadings (the pattern, if factors correlate)."
        heat = svg(loadings_heat_map(pattern, names, factors), caption)
        yield Picture("Loadings", caption, drawing=Drawing(heat))
        caption = f"Loadings of at least {cutoff:g}; curved arrows are factor correlations."
        figure = path_diagram(
            pattern, names, model.factor_correlations_, cutoff, model.uniquenesses_
        )
        yield Picture("Path diagram", caption, drawing=Drawing(svg(figure, caption), wide=True))
