"""What a factor solution shows that its user should know, one sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from latentia.linear.factor_solution import FactorSolution

MOST_NAMED = 8
LOOKED_AT = 160
"""Collinear columns are looked for up to this many variables."""
COLLINEAR = 1e-10


def findings(model: FactorSolution) -> list[str]:
    """Return sentences on Heywood cases, constant columns, several optima, rank and parameters."""
    found = [
        _constant(model),
        _collinear(model),
        _few_rows(model),
        _heywood(model),
        _parameters(model),
        _optima(model),
        _convergence(model),
    ]
    return [sentence for sentence in found if sentence]


def _constant(model: FactorSolution) -> str:
    if not model.constant_:
        return ""
    return (
        f"{len(model.constant_)} constant column(s) were left out of the model and its "
        f"likelihood: {listed(model.constant_)}"
    )


def _collinear(model: FactorSolution) -> str:
    varies = model.scale_ > 0
    p, n = int(varies.sum()), model.n_rows_
    if p > LOOKED_AT or 0 < n <= p:
        return ""
    scale = model.scale_[varies]
    R = model.covariance_[np.ix_(varies, varies)] / scale[:, None] / scale
    values, vectors = linalg.eigh(R)
    null = vectors[:, values < COLLINEAR]
    if null.shape[1] == 0:
        return ""
    names = np.asarray(model.variable_names())[varies]
    involved = names[(null**2).sum(axis=1) > COLLINEAR]
    return (
        f"columns {listed(list(involved))} are perfectly collinear, so the covariance matrix is "
        "singular and some noise variances are held up by their floor only: drop one of them"
    )


def _few_rows(model: FactorSolution) -> str:
    n, p = model.n_rows_, int((model.scale_ > 0).sum())
    if n == 0 or n > p:
        return ""
    return (
        f"{n:g} rows are too few for {p} varying columns: the covariance matrix is singular, and "
        "without the floor on the noise variances the likelihood would have no maximum"
    )


def _heywood(model: FactorSolution) -> str:
    if not model.heywood_:
        return ""
    return (
        f"Heywood case: the noise variance of {listed(model.heywood_)} lies on its floor, where "
        "the likelihood would rise further; try fewer factors, or do not trust these variables"
    )


def _parameters(model: FactorSolution) -> str:
    p, k = int((model.scale_ > 0).sum()), model.n_latent
    dof = ((p - k) ** 2 - p - k) // 2
    if dof >= 0:
        return ""
    return (
        f"{k} factors of {p} variables leave {dof} degrees of freedom: pk + p = {p * k + p} "
        f"parameters for p(p + 1)/2 = {p * (p + 1) // 2} moments, so the solution is not unique"
    )


def _optima(model: FactorSolution) -> str:
    if model.n_optima_ < 2:
        return ""
    return (
        f"{model.n_optima_} distinct optima were found from different starting values; this is "
        "the best of them"
    )


def _convergence(model: FactorSolution) -> str:
    if model.converged_:
        return ""
    return f"the estimation stopped before it converged, after {model.n_iter_} steps"


def listed(names: list[str]) -> str:
    """Return names as text, cut after a few."""
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
