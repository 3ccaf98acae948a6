"""What a user should know about a fitted factor model, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import linalg

from latentia.models.inputs import Matrix
from latentia.models.linear.reading import listed

LOOKED_AT = 160
"""Collinear columns are looked for up to this many variables."""
COLLINEAR = 1e-10
ROUGH = (
    "χ² and what rests on it suppose maximum likelihood and Pearson's correlations; take them as "
    "rough guides here"
)
ADJUSTED = "; methods 'dwls' and 'minres' have a robust test that is made for these correlations"


def of_model(model: Any) -> tuple[str, ...]:
    """Return what there is to say of a fitted model."""
    varies = np.flatnonzero(model.scale_ > 0)
    names = model.variable_names()
    said = findings(
        model.covariance_[np.ix_(varies, varies)],
        [names[i] for i in varies],
        model.n_latent,
        n_rows=model.n_rows_,
        smoothed=model.correlation != "pearson",
        constant=model.constant_,
        heywood=model.heywood_,
        n_optima=model.n_optima_,
        n_iterations=model.n_iter_,
        converged=model.converged_,
    )
    return tuple(said)


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


def findings(
    S: Matrix,
    names: list[str],
    k: int,
    *,
    n_rows: int,
    smoothed: bool,
    constant: list[str],
    heywood: list[str],
    n_optima: int,
    n_iterations: int,
    converged: bool,
) -> Iterator[str]:
    """Yield what there is to say about k factors of the (p, p) covariance of varying columns."""
    p = len(S)
    yield from left_out(constant)
    looked_at = p <= LOOKED_AT and not 0 < n_rows <= p and not smoothed
    if looked_at and (involved := collinear(S, names)):
        yield (
            f"columns {listed(involved)} are perfectly collinear, so the covariance matrix is "
            "singular and some noise variances are held up by their floor only: drop one of them"
        )
    if 0 < n_rows <= p:
        yield (
            f"{n_rows:g} rows are too few for {p} varying columns: the covariance matrix is "
            "singular, and without the floor on the noise variances the likelihood would have no "
            "maximum"
        )
    if heywood:
        yield (
            f"Heywood case: the noise variance of {listed(heywood)} lies on its floor, where "
            "the likelihood would rise further; try fewer factors, or do not trust these variables"
        )
    dof = ((p - k) ** 2 - p - k) // 2
    if dof < 0:
        yield (
            f"{k} factors of {p} variables leave {dof} degrees of freedom: pk + p = {p * k + p} "
            f"parameters for p(p + 1)/2 = {p * (p + 1) // 2} moments, so the solution is not unique"
        )
    if n_optima > 1:
        yield (
            f"{n_optima} distinct optima were found from different starting values; this is "
            "the best of them"
        )
    if not converged:
        yield f"the estimation stopped before it converged, after {n_iterations} steps"


def left_out(constant: list[str]) -> Iterator[str]:
    """Yield a sentence on constant columns, if there are any."""
    if constant:
        yield (
            f"{len(constant)} constant column(s) were left out of the model and its "
            f"likelihood: {listed(constant)}"
        )


def collinear(S: Matrix, names: list[str]) -> list[str]:
    """Return the names of columns that depend on each other linearly."""
    scale = np.sqrt(np.diag(S))
    values, vectors = linalg.eigh(S / scale[:, None] / scale)
    involved = (vectors[:, values < COLLINEAR] ** 2).sum(axis=1) > COLLINEAR
    return [name for name, is_in in zip(names, involved) if is_in]
