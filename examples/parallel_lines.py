"""Why WGAN: two parallel lines, where only the Wasserstein distance has a slope (example 1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentia.files import write_atomically
from latentia.plots.style import png_bytes
from latentia.plots.theory import parallel_lines_figure
from latentia.theory.lines import parallel_lines


def main() -> None:
    """Compute four divergences for lines from 1 to the left to 1 to the right, draw them."""
    curves = parallel_lines(np.linspace(-1, 1, 201))
    for i in (0, 50, 99, 100, 150):
        print(
            f"θ {curves.theta[i]:5.2f}: W₁ {curves.wasserstein[i]:.2f}, "
            f"JSD {curves.js_divergence[i]:.4f}, KL {curves.kl_forward[i]:.4f}, "
            f"TV {curves.total_variation[i]:.2f}"
        )
    figure = parallel_lines_figure(
        curves.theta, curves.wasserstein, curves.js_divergence, curves.total_variation
    )
    write_atomically(Path("parallel_lines.png"), png_bytes(figure))


if __name__ == "__main__":
    main()
