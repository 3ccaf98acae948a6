"""The Fréchet distance between two sets of features, and the features themselves.

Never called FID: that name belongs to Inception-v3 features.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg


@dataclass
class PixelFeatures:
    """Principal components of pixels, learnt on training images.

    Attributes
    ----------
    n_components
        How many, at most as many as the data have.
    """

    n_components: int = 64

    def fit(self, x: NDArray[Any]) -> Self:
        """Learn mean and components from (n, ...) images in [0, 1]."""
        flat = x.reshape(len(x), -1).astype(np.float64)
        self.mean_ = flat.mean(axis=0)
        values, vectors = linalg.eigh(np.cov(flat, rowvar=False))
        self.components_ = vectors[:, ::-1][:, : min(self.n_components, len(values))].T
        return self

    def transform(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return (n, n_components) features."""
        features: NDArray[np.float64] = (x.reshape(len(x), -1) - self.mean_) @ self.components_.T
        return features

    @property
    def name(self) -> str:
        """The extractor with a hash of its mean, which any score must be quoted with."""
        digest = hashlib.sha256(np.round(self.mean_, 6).tobytes()).hexdigest()[:8]
        return f"pca-{len(self.components_)} of pixels, {digest}"


def frechet_distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return ``‖μₐ − μᵦ‖² + tr(Σₐ + Σᵦ − 2(Σₐ Σᵦ)^½)`` of two (n, k) sets of features.

    The trace of the root is taken as the sum of singular values of ``Σₐ^½ Σᵦ^½``: real, whatever
    the rank.

    References
    ----------
    .. [1] M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
       Equilibrium", NeurIPS 2017, eq. 6.
    """
    shift = float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum())
    cov_a, cov_b = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (a, b))
    cross = linalg.svd(_root(cov_a) @ _root(cov_b), compute_uv=False).sum()
    return max(0.0, shift + float(np.trace(cov_a) + np.trace(cov_b) - 2 * cross))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = linalg.eigh(covariance)
    root: NDArray[np.float64] = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root
