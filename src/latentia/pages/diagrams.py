"""The path diagram of a linear model of a table, for a page whose sliders light up its arrows."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from latentia.data.dataset import Dataset
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.gaussian import LinearGaussian
from latentia.models.linear.pca import PCA

CUTOFF = 0.3
"""Loadings below it have no arrow."""
MOST_VARIABLES, MOST_FACTORS = 40, 12


def diagram_of(model: Any, data: Dataset | None) -> Markup:
    """Return the diagram as an SVG that escapes what it names, or nothing where none tells much."""
    found = standardized(model, data)
    if found is None:
        return Markup()
    loadings, correlations = found
    p, k = loadings.shape
    if p > MOST_VARIABLES or k > MOST_FACTORS or not np.isfinite(loadings).all():
        return Markup()
    from latentia.plots.factors import path_diagram
    from latentia.plots.style import svg

    names = list(map(str, vars(model).get("columns_", vars(model).get("feature_names_in_", ()))))
    names = names if len(names) == p else [f"x{j + 1}" for j in range(p)]
    unique = model.uniquenesses_ if isinstance(model, FactorAnalysis) else None
    figure = path_diagram(loadings, names, correlations, CUTOFF, unique, letter="z")
    strongest = np.abs(loadings).argmax(axis=0)
    finding = "; ".join(f"z{j + 1}: {names[i]}" for j, i in enumerate(strongest))
    return Markup(svg(figure, finding))


def standardized(model: Any, data: Dataset | None) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return (p, k) loadings of standardized columns, and the (k, k) correlations of factors."""
    if len(vars(model).get("data_shape_", ())) != 1:
        return None
    if isinstance(model, FactorAnalysis):
        return model.standardized_loadings_, model.factor_correlations_
    if not isinstance(model, LinearGaussian | PCA):
        return None
    loadings = np.asarray(model.loadings_, float)
    phi = (
        np.asarray(model.factor_correlations_) if isinstance(model, PCA) else np.eye(model.n_latent)
    )
    variances = ((loadings @ phi) * loadings).sum(axis=1) + float(model.noise_variance_)
    if data is not None and isinstance(data.x_train, np.ndarray):
        variances = np.nanvar(np.asarray(data.x_train, float), axis=0)
    return by_column(loadings, np.sqrt(variances)), phi


def by_column(loadings: NDArray[Any], deviations: NDArray[Any]) -> NDArray[Any]:
    """Return loadings over the standard deviations of their columns, 0 where these are."""
    deviations, found = deviations[:, None], np.zeros_like(loadings)
    np.divide(loadings, deviations, out=found, where=deviations > 0)
    return found
