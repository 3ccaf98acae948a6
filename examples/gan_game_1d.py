"""The GAN paper's figure 1, played: p_g meets p_data, the discriminator ends at one half."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import norm

from latentia.files import write_atomically
from latentia.plots.game import game_figure
from latentia.plots.style import png_bytes
from latentia.theory.game import Game


def main() -> None:
    """Play a game for a normal density, draw four moments of it and its course."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300, help="of the generator")
    n_steps = parser.parse_args().steps
    record = Game(n_steps=n_steps, record_every=10).play(norm(4, 0.6))
    shown = [record.at(step) for step in (10, 20, 40, n_steps)]
    for moment in shown:
        print(
            f"after {moment.step:>4} steps: JSD {moment.js_divergence:.4f} nats, "
            f"mean |D − ½| {moment.distance_from_half:.4f}"
        )
    course = [
        np.array([getattr(moment, name) for moment in record.moments])
        for name in ("step", "js_divergence", "distance_from_half")
    ]
    panels = [(m.step, m.p_g, m.discriminator, m.images) for m in shown]
    figure = game_figure(record.x, record.p_data, record.z, panels, tuple(course))
    write_atomically(Path("gan_game_1d.png"), png_bytes(figure))


if __name__ == "__main__":
    main()
