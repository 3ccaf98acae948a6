"""Which modes GANs miss, with and without each remedy: ring of 8, grid of 25, stacked MNIST.

    python benchmarks/mode_coverage.py [--data ring grid] [--seeds 3] [--steps 4000] [--only EMA]
    python benchmarks/mode_coverage.py --best [--picture docs/mode_coverage.png]
    python benchmarks/mode_coverage.py --stacked --mnist FOLDER [--steps 3000] [--images 128000]

One thread. Every row is the same game with one thing changed, trained for as many steps of the
generator from each seed, and prints mean ± standard deviation over the seeds as soon as they are
through: modes covered (with a sample within three standard deviations), the share of such samples
among 2,500, the reverse KL divergence of the modes' shares from even ones in nats, and the
process's own CPU seconds of a run. The last line is what as many draws of the data themselves get.

``--best``: a plain game that collapses, and the best recipe found, in stages of which each starts
from the one before: R1 first, so that all modes are found, then less of it or none.

Stacked MNIST: 26,000 samples of a DCGAN, each channel classified by a net trained here, which is
named with its hash. Published after some 50 epochs: DCGAN 99 modes, KL 3.40; VEEGAN 150; PacGAN-2
1,000, 0.06 (Lin et al. 2018, table 2).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("LATENTIA_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from matplotlib.figure import Figure

import latentia
from latentia.data import toys
from latentia.evaluation.classifier import ImageClassifier, stacked_digits
from latentia.metrics.modes import ModeCoverage, mode_coverage, stacked_mode_coverage
from latentia.plots.style import style

BATCH = 100
ROWS = 100_000
SAMPLES, STACKED_SAMPLES = 2_500, 26_000
PLANE: dict[str, Any] = {
    "n_components": 2,
    "hidden": (128, 128),
    "learning_rate": 1e-3,
    "learning_rate_schedule": "linear",
}
"""The game in the plane; two latent components as in Lin et al. 2018."""
STACKED: dict[str, Any] = {"n_components": 100, "width": 32}


Stage = tuple[int, dict[str, Any]]
"""Steps of the generator, and what differs from the game meanwhile."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a model's name and what differs from the plain game."""

    label: str
    model: str = "GAN"
    options: dict[str, Any] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    """Each starts from the one before; none means as many steps as all rows take."""


PLAIN = (
    Row("GAN, non-saturating"),
    Row("GAN, minimax", options={"objective": "minimax"}),
    Row("+ feature matching", options={"feature_matching": True}),
    Row("+ minibatch discrimination", options={"minibatch_discrimination": 16}),
    Row("+ historical averaging", options={"historical_averaging": 0.1}),
    Row("+ label smoothing 0.9", options={"label_smoothing": 0.9}),
    Row("+ packing 2 (PacGAN)", options={"packing": 2}),
    Row("+ unrolling 3", options={"unrolled_steps": 3}),
    Row("+ spectral normalisation", options={"spectral_normalisation": True}),
    Row("+ R1, γ = 1", options={"r1_penalty": 1.0}),
    Row("+ EMA 0.999", options={"ema_decay": 0.999}),
    Row("WGAN", "WGAN", {"learning_rate": 2e-4}),
    Row("WGAN-GP", "WGANGP", {"gradient_penalty": 1.0}),
)
DEEPER: dict[str, Any] = {"n_components": 2, "hidden": (64, 64, 64, 64), "batch_size": 250}
"""Four narrow layers: the deeper G is, the less of its mass lies between the modes."""
AVERAGED: dict[str, Any] = {"beta_2": 0.99, "ema_decay": 0.999}


def stage(steps: int, r1: float, rate: float, schedule: str = "constant") -> Stage:
    """Return a stage: its steps, γ, and the step size and how that falls."""
    penalty = {"r1_penalty": r1} if r1 else {}
    return steps, penalty | {"learning_rate": rate, "learning_rate_schedule": schedule}


COLLAPSES = Row(
    "GAN that collapses",
    options={"learning_rate": 5e-3, "beta_1": 0.5, "ema_decay": None},
    stages=((2_000, {}),),
)
BEST = {
    "ring": (stage(2_000, 0.003, 3e-3), stage(8_000, 0.0004, 3e-3, "linear")),
    "grid": (stage(3_000, 0.03, 3e-3), stage(12_000, 0.004, 3e-3, "linear")),
}
"""Chosen on seeds 10 to 12. A strong R1 first spreads G over all modes; a weak one then draws the
samples to them, and none at all some of them to the neighbouring modes."""
DEEP = (
    Row("DCGAN", "DCGAN"),
    Row("+ minibatch discrimination", "DCGAN", {"minibatch_discrimination": 32}),
    Row("+ packing 2 (PacGAN)", "DCGAN", {"packing": 2}),
    Row("+ EMA 0.999", "DCGAN", {"ema_decay": 0.999}),
    Row("WGAN-GP", "WGANGP"),
)


def fitted(row: Row, game: dict[str, Any], x: np.ndarray, steps: int, seed: int) -> Any:
    """Train a row's model for a number of the generator's steps, or through its own stages."""
    kind = getattr(latentia, row.model)
    model = None
    for n_steps, options in row.stages or ((steps, {}),):
        settings = {"batch_size": BATCH} | game | row.options | options
        needed = n_steps * settings["batch_size"] * getattr(kind, "n_critic", 1)
        n_rows = min(len(x), needed)
        settings |= {"n_epochs": round(needed / n_rows), "random_state": seed, "device": "cpu"}
        model = kind(**settings).fit(x[:n_rows], start_from=model)
    return model


def spread(values: list[float], form: str) -> str:
    """Return mean ± standard deviation."""
    return f"{np.mean(values):{form}} ± {np.std(values):{form}}"


def line(label: str, found: list[ModeCoverage], seconds: list[float]) -> str:
    """Return a row of the table."""
    qualities = [f.high_quality for f in found if f.high_quality is not None]
    cells = [
        label,
        spread([float(f.covered) for f in found], ".1f"),
        spread(qualities, ".1%") if qualities else "-",
        spread([f.reverse_kl for f in found], ".3f"),
        f"{np.mean(seconds):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def table(
    title: str,
    rows: tuple[Row, ...],
    game: dict[str, Any],
    x: np.ndarray,
    measure: Callable[[Any, int], ModeCoverage],
    steps: int,
    seeds: int,
) -> None:
    """Train every row from every seed and print its line."""
    starts = f"{seeds} seed{'s' * (seeds > 1)}"
    length = f"{steps:,} steps of the generator in batches of {BATCH}, " if steps else ""
    print(f"\n{title}, {length}{starts}\n")
    print("| game | modes | high quality | KL | CPU s |\n|---|---|---|---|---|", flush=True)
    for row in rows:
        found, seconds = [], []
        for seed in range(seeds):
            began = time.process_time()
            model = fitted(row, game, x, steps, seed)
            seconds.append(time.process_time() - began)
            found.append(measure(model, seed))
        print(line(row.label, found, seconds), flush=True)


def plane(
    name: str, rows: tuple[Row, ...], game: dict[str, Any], steps: int, seeds: int
) -> dict[str, np.ndarray]:
    """Print the table of a mixture in the plane; return the samples of each row's first seed."""
    mixture = toys.MIXTURES[name]
    x, _ = mixture.sample(ROWS, seed=0)

    def of(samples: np.ndarray) -> ModeCoverage:
        return mode_coverage(samples, mixture.centres, mixture.standard_deviation)

    drawn: list[np.ndarray] = []

    def measure(model: Any, seed: int) -> ModeCoverage:
        drawn.append(model.sample(SAMPLES, random_state=seed))
        return of(drawn[-1])

    title = f"{name}, {len(mixture.centres)} modes, σ {mixture.standard_deviation}"
    table(title, rows, game, x, measure, steps, seeds)
    draws = [of(mixture.sample(SAMPLES, seed + 1)[0]) for seed in range(seeds)]
    print(line("the data themselves", draws, [0.0]), flush=True)
    firsts = dict(zip((row.label for row in rows), drawn[::seeds], strict=True))
    return firsts | {"data": mixture.sample(SAMPLES, 1)[0]}


def picture(found: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Draw the samples of each mixture's rows beside the data."""
    with style():
        size = 2.6 * len(next(iter(found.values()))), 2.8 * len(found)
        figure = Figure(size, layout="constrained")
        axes = figure.subplots(len(found), len(next(iter(found.values()))), squeeze=False)
        for across, (name, columns) in zip(axes, found.items(), strict=True):
            reach = 1.35 * np.abs(columns["data"]).max()
            for place, (label, points) in zip(across, columns.items(), strict=True):
                place.scatter(*points.T, s=2, linewidths=0, alpha=0.6)
                place.set(title=f"{name}: {label}", aspect="equal")
                place.set(xlim=(-reach, reach), ylim=(-reach, reach))
        figure.savefig(path, dpi=110)


def stacked(rows: tuple[Row, ...], steps: int, seeds: int, n_images: int) -> None:
    """Print the table of stacked MNIST."""
    mnist = latentia.load_data("mnist")
    x, y = mnist.x_train[:20_000], mnist.y_train[:20_000]
    classifier = ImageClassifier(title="mnist").fit(x, y)
    accuracy = classifier.score(mnist.x_test, mnist.y_test)
    print(f"\n{classifier.name}: {accuracy:.2%} of test digits", flush=True)
    images, _ = toys.stacked_mnist(mnist.x_train, mnist.y_train, n_images)

    def measure(model: Any, seed: int) -> ModeCoverage:
        drawn = model.sample(STACKED_SAMPLES, random_state=seed)
        return stacked_mode_coverage(stacked_digits(classifier, drawn))

    table("stacked MNIST, 1,000 modes", rows, STACKED, images, measure, steps, seeds)
    real, _ = toys.stacked_mnist(mnist.x_test, mnist.y_test, STACKED_SAMPLES)
    draws = stacked_mode_coverage(stacked_digits(classifier, real))
    print(line("test digits themselves", [draws], [0.0]))


def chosen(rows: tuple[Row, ...], words: list[str] | None) -> tuple[Row, ...]:
    """Return the plain game and the rows whose label holds one of the words."""
    if words is None:
        return rows
    return rows[:1] + tuple(r for r in rows[1:] if any(w in r.label for w in words))


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="*", choices=list(toys.MIXTURES), default=["ring", "grid"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=None, help="4000, or 3000 when stacked")
    parser.add_argument("--only", nargs="+", help="words in the labels of the rows to run")
    parser.add_argument("--best", action="store_true", help="one that collapses, and the best")
    parser.add_argument("--picture", type=Path, help="with --best, where samples are drawn")
    parser.add_argument("--stacked", action="store_true", help="stacked MNIST instead")
    parser.add_argument("--images", type=int, default=toys.STACKED_TRAIN, help="stacked images")
    parser.add_argument("--mnist", type=Path, help="the folder of MNIST's four files")
    given = parser.parse_args()
    if given.best and (given.stacked or given.steps or given.only):
        parser.error("--best has steps and rows of its own: leave out --stacked, --steps, --only")
    if given.picture is not None and not given.best:
        parser.error("--picture draws the rows of --best: give both")
    if given.mnist is not None:
        os.environ["LATENTIA_DATA"] = str(given.mnist)
    print(f"latentia {latentia.__version__}, Python {sys.version.split()[0]}")
    if given.stacked:
        stacked(chosen(DEEP, given.only), given.steps or 3000, given.seeds, given.images)
        return
    if given.best:
        best = {}
        for name in given.data:
            rows = COLLAPSES, Row("best recipe", options=AVERAGED, stages=BEST[name])
            best[name] = plane(name, rows, DEEPER, 0, given.seeds)
        if given.picture is not None:
            picture(best, given.picture)
        return
    for name in given.data:
        plane(name, chosen(PLAIN, given.only), PLANE, given.steps or 4000, given.seeds)


if __name__ == "__main__":
    main()
