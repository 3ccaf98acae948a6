"""How far a distribution is from another, of probabilities or of densities, in float64.

    KL(p ‖ q) = ∫ p log(p/q)                      nats, in [0, ∞]; not symmetric          [1]_
    JSD(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m)         nats, in [0, log 2], m = ½ (p + q)      [2]_
    TV(p, q)  = ½ ∫ |p − q|                       a probability, in [0, 1]                [4]_
    W₁(p, q)  = ∫ |F_p − F_q| dx                  in units of x, in [0, ∞]                [3]_

The arguments are two vectors of probabilities, and the integrals sums; or two densities, each a
frozen distribution of ``scipy.stats`` or what `latentia.theory.densities.as_density` makes.

References
----------
.. [1] S. Kullback, R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical
   Statistics 1951, section 2; T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2nd ed.,
   Wiley 2006, section 2.3.
.. [2] J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information
   Theory 1991, section III.
.. [3] S. S. Vallender, "Calculation of the Wasserstein Distance Between Probability Distributions
   on the Line", Theory of Probability and its Applications 1974.
.. [4] M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein GAN", ICML 2017, section 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from latentia.errors import InputError
from latentia.theory.densities import Density, as_density, probabilities
from latentia.theory.quadrature import Function, Vector, panel_integrals

NEGLIGIBLE = 1e-6
"""What an integral may gain beyond the furthest tails; more, and it is taken to diverge."""


def kl_divergence(p: Any, q: Any) -> float:
    """Return ``KL(p ‖ q) = ∫ p log(p/q)`` in nats; infinite where p > 0 and q = 0.

    Parameters
    ----------
    p, q
        (n,) probabilities each, or two densities.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> round(kl_divergence(norm(0, 1), norm(1, 2)), 6)
    0.443147
    >>> kl_divergence([0.5, 0.5], [1.0, 0.0])
    inf
    """
    return _total(_relative_entropy, p, q)


def js_divergence(p: Any, q: Any) -> float:
    """Return ``JSD(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m)`` in nats, m the average of both.

    Parameters as in `kl_divergence`. Its square root is a metric.

    Examples
    --------
    >>> js_divergence([1.0, 0.0], [0.0, 1.0]) == math.log(2)
    True
    """
    return _total(_jensen_shannon, p, q)


def total_variation(p: Any, q: Any) -> float:
    """Return ``½ ∫ |p − q|``, the largest difference in the probability of any event.

    Parameters as in `kl_divergence`.

    Examples
    --------
    >>> total_variation([0.5, 0.5, 0.0], [0.5, 0.25, 0.25])
    0.25
    """
    return _total(_half_difference, p, q)


def wasserstein(p: Any, q: Any, x_p: Any = None, x_q: Any = None) -> float:
    """Return ``W₁(p, q)``, the least mass times distance that turns p into q, in units of x.

    Parameters
    ----------
    p, q
        (n,) and (m,) probabilities, or two densities.
    x_p, x_q
        (n,) and (m,) places of the probabilities in any order; ``x_q`` is ``x_p`` if not given.

    Examples
    --------
    >>> wasserstein([0.5, 0.5], [1.0], x_p=[0, 4], x_q=[1])
    2.0
    """
    if are_densities(p, q):
        if x_p is not None or x_q is not None:
            raise InputError("x_p and x_q are places of probabilities; densities need none")
        f, g = as_density(p), as_density(q)

        def difference(x: Vector) -> Vector:
            F, G = f.cdf(x), g.cdf(x)
            # On the right of the median only the complements keep their digits.
            return np.abs(np.where(F + G > 1, g.sf(x) - f.sf(x), F - G))

        return integral(difference, f, g)
    a, b = probabilities(p, "p"), probabilities(q, "q")
    here = _places(x_p, a, "x_p")
    there = _places(x_p if x_q is None else x_q, b, "x_p" if x_q is None else "x_q")
    x = np.concatenate([here, there])
    order = np.argsort(x)
    ahead = np.cumsum(np.concatenate([a, -b])[order])
    return float(np.abs(ahead[:-1]) @ np.diff(x[order]))


def _places(x: Any, p: Vector, name: str) -> Vector:
    if x is None:
        raise InputError(f"{name} is missing; W₁ needs the places of the probabilities")
    places = np.asarray(x, np.float64)
    if places.shape != p.shape or not np.isfinite(places).all():
        raise InputError(
            f"{name} has shape {places.shape}; give {len(p)} finite places, one for each"
        )
    return places


def are_densities(p: Any, q: Any) -> bool:
    """Return whether two distributions are densities rather than vectors of probabilities."""
    # SciPy's frozen distributions are foreign: `dist` tells them.
    kinds = [callable(d) or isinstance(d, Density) or hasattr(d, "dist") for d in (p, q)]
    if kinds[0] != kinds[1]:
        raise InputError(
            "one of p and q is a vector, the other a density; give two vectors or two densities"
        )
    return kinds[0]


def _total(integrand: Callable[[Vector, Vector], Vector], p: Any, q: Any) -> float:
    """Sum or integrate a function of (log p, log q)."""
    if are_densities(p, q):
        f, g = as_density(p), as_density(q)
        # Rounding can leave −1e-17 where the true value is 0.
        return max(0.0, integral(lambda x: integrand(f.logpdf(x), g.logpdf(x)), f, g))
    a, b = same_length(p, q)
    with np.errstate(divide="ignore"):
        return max(0.0, float(integrand(np.log(a), np.log(b)).sum()))


def same_length(p: Any, q: Any) -> tuple[Vector, Vector]:
    """Return two vectors of probabilities of the same outcomes."""
    a, b = probabilities(p, "p"), probabilities(q, "q")
    if len(a) != len(b):
        raise InputError(f"p has {len(a)} probabilities, q has {len(b)}; give equally many")
    return a, b


def integral(f: Function, p: Density, q: Density) -> float:
    """Return ``∫ f`` wherever p or q has mass; infinite if the tails go on adding to it."""
    breaks = np.union1d(p.breaks, q.breaks)
    parts = panel_integrals(f, breaks)
    low, high = min(p.tails[0], q.tails[0]), max(p.tails[1], q.tails[1])
    beyond = parts[(breaks[1:] <= low) | (breaks[:-1] >= high)].sum()
    return math.inf if abs(beyond) > NEGLIGIBLE else float(parts.sum())


def _relative_entropy(log_p: Vector, log_q: Vector) -> Vector:
    with np.errstate(invalid="ignore"):
        terms = np.exp(log_p) * (log_p - log_q)
    return np.where(np.isneginf(log_p), 0, terms)


def _jensen_shannon(log_p: Vector, log_q: Vector) -> Vector:
    log_m = np.logaddexp(log_p, log_q) - math.log(2)
    return (_relative_entropy(log_p, log_m) + _relative_entropy(log_q, log_m)) / 2


def _half_difference(log_p: Vector, log_q: Vector) -> Vector:
    return np.asarray(np.abs(np.exp(log_p) - np.exp(log_q)) / 2)
