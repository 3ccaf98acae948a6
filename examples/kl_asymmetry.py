"""KL is not symmetric: the normal density nearest to two modes covers both, or seeks one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from latentia.files import write_atomically
from latentia.plots.style import png_bytes
from latentia.plots.theory import asymmetry_figure
from latentia.theory.densities import mixture
from latentia.theory.divergences import kl_divergence


def main() -> None:
    """Minimise KL(p ‖ q) and KL(q ‖ p) over normal densities q, draw p and both."""
    p = mixture([norm(-2, 0.6), norm(2, 0.8)], [0.4, 0.6])

    def forward(u: np.ndarray) -> float:
        return kl_divergence(p, norm(u[0], np.exp(u[1])))

    def reverse(u: np.ndarray) -> float:
        return kl_divergence(norm(u[0], np.exp(u[1])), p)

    x = np.linspace(-6, 6, 400)
    curves = []
    for name, divergence in (("KL(p ‖ q)", forward), ("KL(q ‖ p)", reverse)):
        best = minimize(divergence, [0.5, 0.0], method="Nelder-Mead", options={"xatol": 1e-3})
        mean, scale = best.x[0], np.exp(best.x[1])
        print(
            f"least {name}: mean {mean:.3f}, standard deviation {scale:.3f}, "
            f"KL(p ‖ q) {forward(best.x):.3f}, KL(q ‖ p) {reverse(best.x):.3f} nats"
        )
        curves.append((f"q of least {name} = {best.fun:.2f} nats", norm(mean, scale).pdf(x)))
    write_atomically(Path("kl_asymmetry.png"), png_bytes(asymmetry_figure(x, p.pdf(x), curves)))


if __name__ == "__main__":
    main()
