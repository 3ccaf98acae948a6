"""Mode collapse and its cures: eight Gaussians on a ring, the same game with one thing changed.

The game is made to collapse by small nets, large steps and momentum 0.9, a careless choice.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import latentia
from latentia.data import toys
from latentia.metrics.modes import mode_coverage
from latentia.plots.style import COLOURS, new_figure, png_bytes, style

GAME = {"n_components": 2, "hidden": (32,), "learning_rate": 1e-2, "batch_size": 100}
CURES = {
    "GAN, non-saturating": (latentia.GAN, {}),
    "GAN, minimax": (latentia.GAN, {"objective": "minimax"}),
    "historical averaging": (latentia.GAN, {"historical_averaging": 0.1}),
    "unrolling 5": (latentia.GAN, {"unrolled_steps": 5, "unrolled_rate": 0.01}),
    "minibatch discrimination": (latentia.GAN, {"minibatch_discrimination": 8}),
    "WGAN-GP": (latentia.WGANGP, {"gradient_penalty": 1.0, "learning_rate": 5e-3}),
}


def main(arguments: list[str] | None = None) -> None:
    """Play each game for as many steps, draw 1,000 samples on the data, count the modes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--out", type=Path, default=Path("mode_collapse.png"))
    given = parser.parse_args(arguments)
    mixture = toys.ring(standard_deviation=0.05)
    x, _ = mixture.sample(10_000)
    n_epochs = max(1, given.steps * GAME["batch_size"] // len(x))
    with style():
        figure = new_figure(9.0, 6.4)
        for axes, (name, (kind, options)) in zip(figure.subplots(2, 3).flat, CURES.items()):
            momentum = {"beta_1": 0.0 if kind is latentia.WGANGP else 0.9}
            settings = GAME | momentum | options
            model = kind(**settings, n_epochs=n_epochs, random_state=0).fit(x)
            drawn = model.sample(1000, random_state=0)
            found = mode_coverage(drawn, mixture.centres, mixture.standard_deviation)
            print(f"{name}: {found}")
            axes.scatter(*x[:1000].T, s=6, color=COLOURS[0], label="data")
            axes.scatter(*drawn.T, s=3, color=COLOURS[1], alpha=0.5, label="samples")
            axes.set_title(f"{name}\n{found.covered} of 8 modes, {found.high_quality:.0%} near one")
            limit = 1.6 * np.abs(x).max()
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
            axes.label_outer()
        given.out.write_bytes(png_bytes(figure))
    print(f"the figure is {given.out}")


if __name__ == "__main__":
    main()
