"""GANs on points: a ring whose modes collapse, and a line on which a game is broken."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn.functional import softplus

from latentia import GAN
from latentia.data import toys
from latentia.metrics.modes import mode_coverage
from latentia.plots.style import INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import BLUE, ORANGE, Array, board, titled

RING: dict[str, Any] = {
    "n_components": 2,
    "ema_decay": 0.98,
    "hidden": (32,),
    "learning_rate": 1e-2,
    "batch_size": 100,
    "beta_1": 0.9,
}


def mode_collapse(sheet: Sheet) -> Figure:
    """Draw a game that collapses on a ring of eight modes, and the lecture's three cures."""
    games: dict[str, dict[str, Any]] = {
        "GAN": {},
        "feature matching": {"feature_matching": True},
        "minibatch discrimination": {"minibatch_discrimination": 8},
        "historical averaging": {"historical_averaging": 0.1},
    }
    mixture = toys.ring(standard_deviation=0.05)
    x, _ = mixture.sample(10_000)
    with board(12.4, 3.6) as figure:
        for axes, (name, options) in zip(figure.subplots(1, 4), games.items()):
            found = []
            for seed in range(3):
                model = GAN(**(RING | options), n_epochs=6, random_state=seed).fit(x)
                drawn = model.sample(1000, random_state=0)
                found.append(mode_coverage(drawn, mixture.centres, mixture.standard_deviation))
                if seed == 0:
                    axes.scatter(*x[:1000].T, s=6, color=BLUE)
                    axes.scatter(*drawn.T, s=3, color=ORANGE, alpha=0.5)
            covered, near = [f.covered for f in found], np.mean([f.high_quality for f in found])
            modes = " / ".join(map(str, covered))
            axes.set_title(f"{name}\n{modes} of 8 modes; {near:.0%} near one")
            sheet.say(f"{name}: {modes} of 8 modes in 3 seeds, {near:.0%} near one")
            limit = 1.6 * np.abs(x).max()
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        figure.supxlabel("blue: data; orange: samples of the first of three seeds", fontsize=8.5)
    return figure


def _line_game(seed: int, *, frozen: bool) -> Array:
    """Return (2, 30) means of G(z) and of D(G(z)) over 600 steps of a game on the line."""
    torch.manual_seed(seed)
    path: list[tuple[float, float]] = []
    data: Any = torch.distributions.Normal(4.0, 0.6)
    D = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    G = nn.Linear(1, 1)
    of_d = torch.optim.Adam(D.parameters(), 3e-2)
    of_g = torch.optim.Adam([*G.parameters(), *([] if frozen else D.parameters())], 3e-2)
    for step in range(600):
        z = torch.randn(128, 1)
        real, fake = D(data.sample((128, 1))), D(G(z).detach())
        for optimizer in (of_d, of_g):
            mine = optimizer is of_d
            loss: Any = (
                softplus(-real).mean() + softplus(fake).mean()
                if mine
                else softplus(-D(G(z))).mean()
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if step % 20 == 0:
            with torch.no_grad():
                path.append((float(G(z).mean()), float(torch.sigmoid(D(G(z))).mean())))
    return np.array(path).T


def frozen_discriminator(sheet: Sheet) -> Figure:
    """Draw what happens if the generator's step trains the discriminator too."""
    games = {"D frozen in G's step": (True, BLUE), "D trained by it too": (False, ORANGE)}
    with board(10.4, 3.5) as figure:
        left, right = figure.subplots(1, 2)
        for name, (frozen, colour) in games.items():
            runs = np.array([_line_game(seed, frozen=frozen) for seed in range(3)])
            for axes, values in ((left, runs[:, 0]), (right, runs[:, 1])):
                lines = axes.plot(20 * np.arange(30), values.T, color=colour)
                lines[0].set_label(name)
            ends = ", ".join(f"{run[-1]:.2f}" for run in runs[:, 0])
            doubt = runs[:, 1, -1].mean()
            sheet.say(f"{name}: mean of G(z) {ends} in 3 seeds, D(G(z)) {doubt:.2f}")
        left.axhline(4, color=INK, linestyle=":")
        titled(left, "G runs away from the data", "step", "mean of G(z); dotted: of the data")
        right.axhline(0.5, color=INK, linestyle=":")
        titled(right, "while its loss looks good", "step", "D(G(z))")
        right.set_ylim(0, 1)
        left.legend()
    return figure
