"""Clustering and density estimation beside the latent-variable models, by scikit-learn.

The lectures name both next to factor analysis: k-means explains a sample by one of a few centres,
a mixture of Gaussians by a density with as many bumps. scikit-learn's own estimators are fitted
and measured by the same yardstick; nothing of them is rewritten.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from latentia.data.dataset import Dataset, spread, unit_floats
from latentia.evaluation.report import ModelSection
from latentia.plots.grids import png, tile
from latentia.plots.page import Picture

MOST_ROWS = 10_000
CLUSTERS = 10
"""Where the data have no classes."""
LEAST_VARIANCE = 1e-3
"""Added to each variance of the mixture, lest a component collapse onto a few samples."""


def baseline_sections(data: Dataset, random_state: int) -> list[ModelSection]:
    """Return a section for k-means and one for a mixture of Gaussians, fitted to training data."""
    train, test, labels = _rows(data.x_train), _rows(data.x_test), data.y_test
    if labels is not None:
        labels = spread(labels, MOST_ROWS)
    varies = np.ptp(train, axis=0) > 0
    n_clusters = len(data.class_names) or CLUSTERS
    n_clusters = min(n_clusters, len(train))
    shape = data.x_train.shape[1:]
    return [
        _k_means(train, test, labels, n_clusters, shape, random_state),
        _mixture(train[:, varies], test[:, varies], labels, n_clusters, random_state),
    ]


def _k_means(
    train: NDArray[Any],
    test: NDArray[Any],
    labels: NDArray[Any] | None,
    k: int,
    shape: tuple[int, ...],
    seed: int,
) -> ModelSection:
    began = time.perf_counter()
    model = KMeans(k, n_init=4, random_state=seed).fit(train)
    seconds = time.perf_counter() - began
    metrics = {"squared_error": -model.score(test) / len(test), "seconds": seconds}
    metrics["n_parameters"] = float(model.cluster_centers_.size)
    caption = f"The {k} centres: each sample is explained by the nearest."
    centres = model.cluster_centers_.reshape(-1, *shape)
    picture = Picture("Centres", caption, png(tile(centres, n_columns=10))) if shape[1:] else None
    return ModelSection(
        name="KMeans (scikit-learn)",
        summary="k-means clustering: one centre stands for each sample.",
        reference="S. P. Lloyd, “Least squares quantization in PCM”, IEEE Transactions on "
        "Information Theory 1982.",
        parameters=model.get_params(),
        metrics=metrics | _agreement(model, test, labels),
        pictures=() if picture is None else (picture,),
    )


def _mixture(
    train: NDArray[Any], test: NDArray[Any], labels: NDArray[Any] | None, k: int, seed: int
) -> ModelSection:
    began = time.perf_counter()
    variance = float(train.var(axis=0).mean())
    model = GaussianMixture(
        k, covariance_type="diag", reg_covar=LEAST_VARIANCE * variance, random_state=seed
    ).fit(train)
    seconds = time.perf_counter() - began
    metrics = {"negative_log_likelihood": -float(model.score(test)), "seconds": seconds}
    metrics["n_parameters"] = float(model.means_.size + model.covariances_.size + k - 1)
    return ModelSection(
        name="GaussianMixture (scikit-learn)",
        summary="Density estimation by a mixture of Gaussians with diagonal covariances.",
        reference="G. McLachlan, D. Peel, “Finite Mixture Models”, 2000, chapter 3.",
        parameters=model.get_params(),
        metrics=metrics | _agreement(model, test, labels),
        pictures=(),
    )


def _agreement(model: Any, test: NDArray[Any], labels: NDArray[Any] | None) -> dict[str, float]:
    if labels is None:
        return {}
    return {"adjusted_rand": float(adjusted_rand_score(labels, model.predict(test)))}


def _rows(x: NDArray[Any]) -> NDArray[np.float64]:
    chosen = spread(x, MOST_ROWS)
    rows: NDArray[np.float64] = unit_floats(chosen).reshape(len(chosen), -1).astype(np.float64)
    return rows
