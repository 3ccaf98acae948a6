"""Densities, and an expectation by Monte Carlo that states its own error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.stats import multivariate_normal, norm

from latentia.files import write_atomically
from latentia.plots.style import png_bytes
from latentia.plots.theory import densities_figure, expectation_figure
from latentia.theory.monte_carlo import expectation

N = 100_000


def main() -> None:
    """Draw the lecture's densities; estimate E exp(X) under N(0, 1), which is √e."""
    x = np.linspace(-5, 7, 500)
    pairs = [(0, 1), (0, 2), (3, 0.7)]
    normals = [(f"μ = {mean}, σ = {scale}", norm(mean, scale).pdf(x)) for mean, scale in pairs]
    dice = np.convolve(np.full(6, 1 / 6), np.full(6, 1 / 6))
    side = np.linspace(-3, 3, 61)
    plane = multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 0.8]])
    heights = plane.pdf(np.stack(np.meshgrid(side, side), axis=-1))
    figure = densities_figure(x, normals, (np.arange(2, 13), dice), (side, side, heights))
    write_atomically(Path("densities.png"), png_bytes(figure))

    running = expectation(np.exp, norm(0, 1), N, random_state=0)
    for n in (100, 1000, 10_000, N):
        mean, error = running.mean[n - 2], running.standard_error[n - 2]
        print(f"{n:>6} draws: {mean:.4f} ± {error:.4f}, the expectation is {np.sqrt(np.e):.4f}")
    few = np.unique(np.geomspace(1, N - 1, 1500).astype(int)) - 1
    low, high = running.interval(0.95)
    figure = expectation_figure(
        running.n[few],
        running.mean[few],
        (low[few], high[few]),
        float(np.sqrt(np.e)),
        "E exp(X), X ~ N(0, 1)",
    )
    write_atomically(Path("monte_carlo.png"), png_bytes(figure))


if __name__ == "__main__":
    main()
