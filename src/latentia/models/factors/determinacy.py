"""How well factor scores stand for the factors that they estimate.

    s = Wᵀ(x − μ),   ρⱼ = (WᵀΛΦ)ⱼⱼ / √((WᵀΣW)ⱼⱼ Φⱼⱼ)                     (validity)     [1]_
    two sets of scores that fit the model equally well correlate by 2ρ² − 1 at least,
    ρ of the regression scores, which is the highest                                    [2]_

Shapes: Λ is (p, k), W (p, k), Φ (k, k), Σ (p, p).

References
----------
.. [1] J. W. Grice, "Computing and evaluating factor scores", Psychological Methods 2001.
.. [2] L. Guttman, "The determinacy of factor score matrices with implications for five other basic
   problems of common-factor theory", British Journal of Statistical Psychology 1955.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from latentia.errors import InputError
from latentia.models.inputs import Matrix, Vector

WAYS = ("regression", "bartlett", "ten_berge")
SALIENT = 0.3
"""The least standardized loading of a variable that counts in a unit-weighted score."""


@dataclass(frozen=True, eq=False)
class Determinacy:
    """What scores of each kind share with the factors; NaN where there are no such scores."""

    validity: dict[str, Vector]
    """By kind of scores, unit-weighted ones among them, (k,) correlations with their factors."""
    univocality: dict[str, Matrix]
    """(k, k) correlations of the scores (rows) with all factors (columns)."""
    accuracy: dict[str, Matrix]
    """(k, k) correlations among the scores, to hold against those of the factors."""

    @property
    def least_agreement(self) -> Vector:
        """(k,) 2ρ² − 1 of the regression scores."""
        return np.asarray(2 * self.validity["regression"] ** 2 - 1)


def determinacy(model: Any, salient: float = SALIENT) -> Determinacy:
    """Return how regression, Bartlett's, ten Berge's and unit-weighted scores fit the factors.

    A unit-weighted score adds the standardized variables that load on its factor by ``salient`` or
    more, and more than on any other, with the sign of the loading.

    Examples
    --------
    >>> from latentia import FactorAnalysis
    >>> model = FactorAnalysis().fit_covariance(0.5 * np.eye(4) + 0.5)
    >>> {kind: round(float(rho[0]), 3) for kind, rho in determinacy(model).validity.items()}
    {'regression': 0.894, 'bartlett': 0.894, 'ten_berge': 0.894, 'unit_weighted': 0.894}
    """
    weights: dict[str, Matrix] = {}
    shape = model.loadings_.shape
    for way in WAYS:
        try:
            weights[way] = model.score_weights(way)
        except InputError:
            weights[way] = np.full(shape, np.nan)
    weights["unit_weighted"] = _unit_weights(model, salient)
    Phi, Sigma = model.factor_correlations_, model.get_covariance()
    common = model.loadings_ @ Phi
    validity, univocality, accuracy = {}, {}, {}
    for way, W in weights.items():
        spread = np.sqrt((W * (Sigma @ W)).sum(axis=0))
        spread = np.where(spread > 0, spread, np.nan)
        univocality[way] = W.T @ common / spread[:, None] / np.sqrt(np.diag(Phi))
        accuracy[way] = W.T @ Sigma @ W / spread[:, None] / spread
        validity[way] = np.diag(univocality[way]).copy()
    return Determinacy(validity, univocality, accuracy)


def _unit_weights(model: Any, salient: float) -> Matrix:
    L, scale = model.standardized_loadings_, model.scale_
    own = np.abs(L) == np.abs(L).max(axis=1, keepdims=True)
    chosen = own & (np.abs(L) >= salient) & (scale > 0)[:, None]
    return np.asarray(np.where(chosen, np.sign(L) / np.where(scale > 0, scale, 1)[:, None], 0.0))
