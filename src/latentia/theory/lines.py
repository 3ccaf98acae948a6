"""Two parallel lines: the example for which the Wasserstein distance was put into GANs.

P₀ is the law of (0, Z) and P_θ that of (θ, Z), Z uniform on [0, 1]. Both agree in Z, so that every
divergence between them is that of their first coordinates, all mass at 0 and all mass at θ:

    W₁ = |θ|,   JSD = log 2,   KL(P_θ ‖ P₀) = KL(P₀ ‖ P_θ) = ∞,   TV = 1     for θ ≠ 0

and 0 for θ = 0. Only W₁ tells by its slope in which direction to move.

References
----------
.. [1] M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein GAN", ICML 2017, section 2, example 1 and
   figure 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from latentia.errors import InputError
from latentia.theory.divergences import js_divergence, kl_divergence, total_variation, wasserstein
from latentia.theory.quadrature import Vector


@final
@dataclass(frozen=True, kw_only=True)
class ParallelLines:
    """The curves over θ, each (n,)."""

    theta: Vector
    """The distance between the lines, with its sign."""
    wasserstein: Vector
    """W₁, in units of θ."""
    js_divergence: Vector
    """In nats."""
    kl_forward: Vector
    """KL(P₀ ‖ P_θ), in nats."""
    kl_reverse: Vector
    """KL(P_θ ‖ P₀), in nats."""
    total_variation: Vector
    """A probability."""


def parallel_lines(theta: ArrayLike) -> ParallelLines:
    """Return the four divergences between parallel lines, computed at each distance.

    Parameters
    ----------
    theta
        (n,) finite distances.

    Examples
    --------
    >>> curves = parallel_lines([-0.5, 0.0, 0.1])
    >>> curves.wasserstein, curves.total_variation, curves.kl_forward
    (array([0.5, 0. , 0.1]), array([1., 0., 1.]), array([inf,  0., inf]))
    """
    places = np.asarray(theta, np.float64)
    if places.ndim != 1 or not np.isfinite(places).all():
        raise InputError(f"theta has shape {places.shape}; give a vector of finite distances")
    # θ = 0 is one place, not two.
    pairs = [([1.0, 0.0], [0.0, 1.0]) if t else ([1.0], [1.0]) for t in places]
    moved = [wasserstein([1.0], [1.0], [0.0], [t]) for t in places]
    return ParallelLines(
        theta=places,
        wasserstein=np.array(moved),
        js_divergence=np.array([js_divergence(p, q) for p, q in pairs]),
        kl_forward=np.array([kl_divergence(p, q) for p, q in pairs]),
        kl_reverse=np.array([kl_divergence(q, p) for p, q in pairs]),
        total_variation=np.array([total_variation(p, q) for p, q in pairs]),
    )
