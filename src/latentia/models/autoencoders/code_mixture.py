"""A mixture of Gaussians fitted on codes, from which a VAE may sample.

    p̂(z) = Σ_m π_m N(z; μ_m, Σ_m),  by EM on the posterior means of the training data     ([1]_)

Shapes: codes are (n, k); weights π (m,), means (m, k), covariances (m, k, k).

References
----------
.. [1] P. Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, section 4.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from latentia.errors import FitWarning

MOST_CODES = 50_000

Mixture = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def fit_mixture(codes: NDArray[Any], n_mixture: int, random_state: int) -> Mixture:
    """Return weights (m,), means (m, k) and covariances (m, k, k) of the codes' mixture, by EM.

    At most 50,000 codes, evenly spaced, are used; with fewer codes than Gaussians there are as
    many Gaussians as codes, and a `FitWarning` says so.
    """
    # It takes a while to import, and few VAEs sample from a mixture.
    from sklearn.mixture import GaussianMixture

    step = -(-len(codes) // MOST_CODES)
    used = np.asarray(codes[::step], np.float64)
    if len(used) < n_mixture:
        warnings.warn(
            f"n_mixture is {n_mixture} and there are {len(used)} codes: {len(used)} Gaussians",
            FitWarning,
            stacklevel=2,
        )
    model = GaussianMixture(min(n_mixture, len(used)), random_state=random_state, max_iter=200)
    with warnings.catch_warnings():
        # The last of 200 iterations serves a sampler as well as a settled one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(used)
    return model.weights_, model.means_, model.covariances_


def draw_codes(
    n: int,
    weights: NDArray[Any],
    means: NDArray[Any],
    covariances: NDArray[Any],
    draw: np.random.RandomState,
) -> NDArray[np.float64]:
    """Return (n, k) draws from the mixture."""
    factors = np.linalg.cholesky(covariances)
    chosen = draw.choice(len(weights), size=n, p=weights / weights.sum())
    noise = draw.standard_normal((n, means.shape[1]))
    codes: NDArray[np.float64] = means[chosen] + np.einsum("nij,nj->ni", factors[chosen], noise)
    return codes
