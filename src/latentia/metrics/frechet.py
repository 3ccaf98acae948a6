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

from latentia.errors import InputError


@dataclass
class PixelFeatures:
    """Principal components of pixels, learnt on training images."""

    n_components: int = 64
    """At most this many: no more than the training images vary along."""

    def fit(self, x: NDArray[Any]) -> Self:
        """Learn mean and components from (n, ...) images, floats in [0, 1]."""
        flat = _flat(x)
        self.mean_ = flat.mean(axis=0)
        self.components_ = _components(flat - self.mean_, self.n_components)
        return self

    def transform(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return (n, n_components) features of floats in [0, 1]."""
        return np.asarray((_flat(x) - self.mean_) @ self.components_.T)

    @property
    def name(self) -> str:
        """The extractor with a hash of its mean and basis, which any score must be quoted with."""
        digest = hashlib.sha256()
        for learnt in (self.mean_, self.components_):
            # Adding 0 turns −0 into 0, which has other bytes.
            digest.update((np.round(learnt, 6) + 0.0).astype("<f8").tobytes())
        return f"pca-{len(self.components_)} of pixels, sha256 {digest.hexdigest()[:8]}"


def _flat(x: NDArray[Any]) -> NDArray[np.float64]:
    if x.dtype == np.uint8:
        raise InputError("pixel features need floats in [0, 1], not uint8: divide by 255")
    return x.reshape(len(x), -1).astype(np.float64)


def _components(centred: NDArray[np.float64], at_most: int) -> NDArray[np.float64]:
    """Return the (k, d) leading directions, from whichever of XᵀX and XXᵀ is smaller."""
    n, d = centred.shape
    wide = d > n
    square = centred @ centred.T if wide else centred.T @ centred
    size = len(square)
    values, vectors = linalg.eigh(square, subset_by_index=[max(0, size - at_most), size - 1])
    kept = values > max(n, d) * np.finfo(float).eps * values.max()
    if not kept.any() or values.max() <= 0:
        raise InputError("pixel features need at least two training images that differ")
    basis = (vectors[:, kept] if not wide else centred.T @ vectors[:, kept]).T[::-1]
    basis /= np.linalg.norm(basis, axis=1, keepdims=True)
    largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=1)[:, None], axis=1)
    return np.asarray(basis * np.sign(largest))


def frechet_distance(features_a: NDArray[Any], features_b: NDArray[Any]) -> float:
    """Return ``‖μₐ − μᵦ‖² + tr(Σₐ + Σᵦ − 2(Σₐ Σᵦ)^½)`` of two (n, k) sets of features.

    The trace of the root is taken as the sum of singular values of ``Σₐ^½ Σᵦ^½``: real, whatever
    the rank.

    References
    ----------
    .. [1] M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
       Equilibrium", NeurIPS 2017, eq. 6.
    """
    a, b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(
            "a Fréchet distance needs two sets of at least two rows with as many features each, "
            f"not {a.shape} and {b.shape}"
        )
    shift = float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum())
    cov_a, cov_b = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (a, b))
    cross = linalg.svd(_root(cov_a) @ _root(cov_b), compute_uv=False).sum()
    return max(0.0, shift + float(np.trace(cov_a) + np.trace(cov_b) - 2 * cross))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)
