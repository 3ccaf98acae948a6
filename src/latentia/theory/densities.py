"""Densities on the line in one form, made from SciPy's, from a function, or as a mixture.

SciPy's logarithms and tails are kept, so that ratios of densities are right where the densities
themselves underflow. Shapes: ``x`` is (n,), probabilities are per unit of ``x``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline
from scipy.special import logsumexp

from latentia.errors import InputError
from latentia.theory.quadrature import Function, Vector, panel_integrals

DECADES = (0.5, *10.0 ** -np.arange(1, 16), 1e-20, 1e-30, 1e-45, 1e-60, 1e-80, 1e-100)
"""Tail probabilities at which quadrature is divided; the last ones catch integrals that diverge."""
FURTHEST = 1e-80
PANELS = 4096
TOTAL_TOLERANCE = 1e-6
NEAR_A_POLE = 18.0
"""The log density in place of infinity, where rounding puts a point on a pole."""


@final
@dataclass(frozen=True)
class Density:
    """A probability density on the line, made by `as_density` or `mixture`."""

    logpdf: Function
    cdf: Function
    sf: Function
    """1 − cdf, exact in the upper tail."""
    ppf: Function
    """Quantiles: the inverse of cdf."""
    breaks: Vector
    """Increasing points at which integrals are divided."""
    tails: tuple[float, float]
    """The points beyond which an integral that converges gains nothing."""

    def pdf(self, x: Vector) -> Vector:
        """Return the density."""
        return np.exp(self.logpdf(np.asarray(x, np.float64)))

    def rvs(self, size: int, random_state: np.random.Generator) -> Vector:
        """Return ``size`` draws: the quantiles of uniform ones."""
        return self.ppf(random_state.random(size))


def as_density(p: Any, support: tuple[float, float] | None = None) -> Density:
    """Return a density in the form that the divergences integrate.

    Parameters
    ----------
    p
        A frozen continuous distribution of ``scipy.stats``; or a function from (n,) points to (n,)
        finite densities, which must not underflow to 0 where they matter.
    support
        The finite interval that holds a function's whole mass; SciPy's distributions know theirs.

    Examples
    --------
    >>> triangle = as_density(lambda x: 2 * x, support=(0, 1))
    >>> triangle.cdf(np.array([0.5, 1.0, 7.0]))
    array([0.25, 1.  , 1.  ])
    """
    if isinstance(p, Density):
        return p
    if hasattr(p, "logpdf") and hasattr(p, "ppf"):
        return _of_scipy(p)
    if not callable(p):
        raise InputError(
            f"{type(p).__name__} is no density; give a frozen continuous distribution of "
            "scipy.stats, or a function with its support"
        )
    if support is None or not (np.isfinite(support).all() and support[0] < support[1]):
        raise InputError(
            f"the support of a density function is {support}; give as_density(p, (low, high)), "
            "finite and increasing"
        )
    return _of_function(p, support)


def _of_scipy(frozen: Any) -> Density:
    tails = np.array(DECADES)
    with np.errstate(all="ignore"):
        points = np.concatenate([frozen.support(), frozen.ppf(tails), frozen.isf(tails)])
        ends = float(frozen.ppf(FURTHEST)), float(frozen.isf(FURTHEST))
    breaks = np.unique(points[np.isfinite(points)])

    def logpdf(x: Vector) -> Vector:
        values = np.asarray(frozen.logpdf(x), np.float64)
        return np.where(np.isposinf(values), NEAR_A_POLE, values)

    return Density(logpdf, frozen.cdf, frozen.sf, frozen.ppf, breaks, ends)


def _of_function(p: Any, support: tuple[float, float]) -> Density:
    low, high = support
    x = np.linspace(low, high, PANELS + 1)
    slopes = _checked_values(p, x)
    mass = np.append(0, np.cumsum(panel_integrals(lambda x: _checked_values(p, x), x)))
    if abs(mass[-1] - 1) > TOTAL_TOLERANCE:
        raise InputError(f"the density integrates to {mass[-1]:.7g} over {support}, not to 1")
    spline = CubicHermiteSpline(x, mass, slopes)

    def logpdf(x: Vector) -> Vector:
        inside = (x >= low) & (x <= high)
        with np.errstate(divide="ignore"):
            return np.where(inside, np.log(_checked_values(p, np.clip(x, low, high))), -np.inf)

    def cdf(x: Vector) -> Vector:
        return np.asarray(spline(np.clip(x, low, high)), np.float64)

    def sf(x: Vector) -> Vector:
        return np.asarray(mass[-1] - cdf(x))

    breaks = x[:: PANELS // 64]
    return Density(logpdf, cdf, sf, lambda u: np.interp(u, mass, x), breaks, (low, high))


def _checked_values(p: Any, x: Vector) -> Vector:
    values = np.asarray(p(x), np.float64)
    if values.shape != x.shape:
        raise InputError(f"the density returns shape {values.shape} for {x.shape} points")
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise InputError(
            f"the density is {values[wrong][0]:g} at {x[wrong][0]:g}; it must be finite and at "
            "least 0"
        )
    return values


def mixture(components: Sequence[Any], weights: Sequence[float]) -> Density:
    """Return the density ``Σₖ wₖ pₖ(x)``.

    Parameters
    ----------
    components
        Densities, or what `as_density` takes without a support.
    weights
        As many probabilities.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> float(mixture([norm(-2), norm(2)], [0.5, 0.5]).cdf(np.zeros(1))[0])
    0.5
    """
    shares = probabilities(weights, "the weights of the mixture")
    parts = [as_density(component) for component in components]
    if len(parts) != len(shares):
        raise InputError(f"{len(parts)} components have {len(shares)} weights; give one each")
    points: Vector = np.unique([part.ppf(np.linspace(1e-9, 1 - 1e-9, PANELS)) for part in parts])

    def average(values: list[Vector]) -> Vector:
        return np.asarray(np.tensordot(shares, np.stack(values), 1), np.float64)

    def logpdf(x: Vector) -> Vector:
        terms = np.stack([part.logpdf(x) for part in parts], axis=-1)
        return np.asarray(logsumexp(terms, axis=-1, b=shares), np.float64)

    def cdf(x: Vector) -> Vector:
        return average([part.cdf(x) for part in parts])

    def sf(x: Vector) -> Vector:
        return average([part.sf(x) for part in parts])

    heights = cdf(points)
    ends = zip(*(part.tails for part in parts))
    low, high = (float(choose(end)) for choose, end in zip((min, max), ends))
    breaks = np.unique(np.concatenate([part.breaks for part in parts]))
    return Density(logpdf, cdf, sf, lambda u: np.interp(u, heights, points), breaks, (low, high))


def probabilities(p: Any, name: str) -> NDArray[np.float64]:
    """Return (n,) probabilities in float64."""
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or not len(values):
        raise InputError(f"{name} has shape {values.shape}; give a vector of probabilities")
    if not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinity; probabilities are finite")
    if (values < 0).any():
        raise InputError(f"{name} holds {values.min():g}; probabilities are at least 0")
    if abs(values.sum() - 1) > TOTAL_TOLERANCE:
        raise InputError(f"{name} sums to {values.sum():.7g}; probabilities sum to 1")
    return values
