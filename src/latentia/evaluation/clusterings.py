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

from latentia.data.dataset import Dataset
from latentia.evaluation.model_section import ModelSection
from latentia.metrics.estimates import Estimate
from latentia.models.figures import tiles
from latentia.models.inputs import spread, unit_floats
from latentia.plots.grids import is_drawable
from latentia.plots.page import Picture

Rows = NDArray[np.float64]
Labels = NDArray[Any] | None

MOST_ROWS = 10_000
CLUSTERS = 10
"""Where the data have no classes."""
LEAST_VARIANCE = 1e-3
"""Added to each variance of the mixture, lest a component collapse onto a few samples."""


def baseline_sections(data: Dataset, random_state: int) -> list[ModelSection]:
    """Return a section for k-means and one for a mixture of Gaussians, fitted to training data."""
    train, test = _rows(data.x_train), _rows(data.x_test)
    labels = None if data.y_test is None else spread(data.y_test, MOST_ROWS)
    k = min(len(data.class_names) or CLUSTERS, len(train))
    centres, found = _fitted(KMeans(k, n_init=4, random_state=random_state), train, test, labels)
    found["squared_error"] = Estimate.mean_of(np.square(centres.transform(test)).min(axis=1))
    found["n_parameters"] = float(centres.cluster_centers_.size)
    shape, pictures = data.x_train.shape[1:], []
    if is_drawable(data.x_train.shape):
        caption = f"The {k} centres: each sample is explained by the nearest."
        shown = tiles(centres.cluster_centers_.reshape(-1, *shape), 5)
        pictures.append(Picture("Centres", caption, tiles=shown))
    k_means = ModelSection(
        name="KMeans (scikit-learn)",
        summary="k-means clustering: one centre stands for each sample.",
        reference="S. P. Lloyd, “Least squares quantization in PCM”, IEEE Transactions on "
        "Information Theory 1982.",
        parameters=centres.get_params(),
        metrics=found,
        pictures=tuple(pictures),
    )
    return [k_means, _mixture(train, test, labels, k, random_state)]


def _mixture(train: Rows, test: Rows, labels: Labels, k: int, seed: int) -> ModelSection:
    varies = np.ptp(train, axis=0) > 0
    train, test = train[:, varies], test[:, varies]
    floor = LEAST_VARIANCE * float(train.var(axis=0).mean())
    mixture = GaussianMixture(k, covariance_type="diag", reg_covar=floor, random_state=seed)
    model, found = _fitted(mixture, train, test, labels)
    found["negative_log_likelihood"] = Estimate.mean_of(-model.score_samples(test))
    found["n_parameters"] = float(model.means_.size + model.covariances_.size + k - 1)
    return ModelSection(
        name="GaussianMixture (scikit-learn)",
        summary="Density estimation by a mixture of Gaussians with diagonal covariances.",
        reference="G. McLachlan, D. Peel, “Finite Mixture Models”, 2000, chapter 3.",
        parameters=model.get_params(),
        metrics=found,
        pictures=(),
    )


def _fitted(model: Any, train: Rows, test: Rows, labels: Labels) -> tuple[Any, dict[str, float]]:
    """Return scikit-learn's model fitted, the seconds it took, and how clusters fit the labels."""
    began = time.perf_counter()
    model.fit(train)
    found = {"seconds": time.perf_counter() - began}
    if labels is not None:
        found["adjusted_rand"] = float(adjusted_rand_score(labels, model.predict(test)))
    return model, found


def _rows(x: NDArray[Any]) -> Rows:
    chosen = spread(x, MOST_ROWS)
    rows: Rows = unit_floats(chosen).reshape(len(chosen), -1).astype(np.float64)
    return rows
