"""How good GANs of MNIST are after so many CPU seconds, and what each ingredient brings.

    python benchmarks/quality_over_time.py --mnist FOLDER --out FOLDER [--only baseline lecture]
        [--seeds 3] [--most SECONDS] [--train missing|never] [--write docs/gan_quality.md]

One thread. Every game trains on 60,000 digits; at fixed CPU seconds of training (drawing and
scoring excluded) 10,000 samples are compared with the 10,000 test digits by the Fréchet distance
in the features of a classifier that is trained here, on the first 20,000 training digits, and named
with its hash. It is not FID. Each finished run is a JSON file in OUT and is not trained again;
``--write`` makes the table and the picture of what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import tomllib
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("LATENTIA_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from long_runs import kept

import latentia
from latentia.evaluation.classifier import ImageClassifier
from latentia.files import write_atomically
from latentia.metrics.frechet import frechet_distance
from latentia.training.device import set_threads
from latentia.training.run import Run
from latentia.training.state import TrainingState
from latentia.training.train import evaluating, train

POINTS = (10, 20, 40, 80, 160, 320, 640, 1000)
SAMPLES = 10_000
LABELLED = 20_000
RECIPES = Path(__file__).resolve().parent.parent / "examples" / "recipes"


def recipe(name: str) -> dict[str, Any]:
    """Return a recipe's hyperparameters but for its length and its seed."""
    found = tomllib.loads((RECIPES / f"{name}.toml").read_text())
    apart = {"model", "data", "n_epochs", "random_state"}
    return {key: value for key, value in found.items() if key not in apart}


BASELINE = recipe("dcgan_baseline_mnist")
THEN = {"batch_size": 128, "ema_decay": None}
"""Settings of the figures that are printed, where other defaults came later."""
PAPER = {"learning_rate": 2e-4}
"""Radford et al. 2016, section 3.1; the rest of the paper's settings are DCGAN's defaults."""


@dataclass(frozen=True)
class Game:
    """A recipe, how many CPU seconds it gets, and whether it is a part of the ablation."""

    model: str
    budget: int
    options: dict[str, Any] = field(default_factory=dict)
    ablation: bool = False


def without(*names: str) -> Game:
    """Return the baseline with an ingredient as it is by default."""
    kept = {key: value for key, value in BASELINE.items() if key not in names}
    kept |= {key: value for key, value in THEN.items() if key in names}
    return Game("DCGAN", 40, kept, ablation=True)


GAMES = {
    "baseline": Game("DCGAN", 160, BASELINE),
    "lecture": Game("DCGAN", 1000, recipe("dcgan_lecture_mnist")),
    "radford": Game("DCGAN", 320, PAPER | THEN),
    "wgangp": Game("WGANGP", 320, {"batch_size": 64}),
    "baseline, batch norm in both": without("discriminator_batch_norm"),
    "baseline, step 2e-4": Game("DCGAN", 40, BASELINE | PAPER, ablation=True),
    "baseline, betas 0.5 and 0.999": without("beta_1", "beta_2"),
    "baseline, weights not averaged": without("ema_decay"),
    "baseline, batches of 128": without("batch_size"),
    "baseline, width 32": without("width"),
    "baseline, 100 components": without("n_components"),
}


class Spent(Exception):  # noqa: N818 - the end of a budget, not an error
    """The CPU seconds of a run are used up."""


class Curve(Run):
    """Scores a model whenever its training has taken so many CPU seconds."""

    def __init__(self, model: Any, budget: int, score: Any) -> None:
        super().__init__(None)
        self.model, self.score = model, score
        self.ahead = [point for point in POINTS if point <= budget]
        self.began, self.scoring = time.process_time(), 0.0
        self.found: list[tuple[int, int, float]] = []

    def checkpoint(self, state: TrainingState, score: float | None, *, force: bool) -> None:
        """Score the nets as a fitted model would have them, if it is time."""
        taken = time.process_time() - self.began - self.scoring
        if taken < self.ahead[0]:
            return
        before = time.process_time()
        averaged = nullcontext() if state.average is None else state.average.applied()
        with torch.random.fork_rng(), averaged, evaluating(self.model.nets()):
            distance = self.score(self.model)
        self.found.append((self.ahead.pop(0), state.step, distance))
        self.scoring += time.process_time() - before
        if not self.ahead:
            raise Spent


def curve(game: Game, x: np.ndarray, score: Any, seed: int) -> list[tuple[int, int, float]]:
    """Train a game until its CPU seconds are spent and return (seconds, steps, distance) rows."""
    model = getattr(latentia, game.model)(
        **game.options, n_epochs=1000, random_state=seed, device="cpu"
    )
    model.validate_parameters()
    model.data_shape_, model.seed_ = x.shape[1:], seed
    set_threads()
    cpu = torch.device("cpu")
    model.choose_batch(len(x))
    source = model.read(x, None, reset=True)
    model.resolve(source)
    model.prepare_machine()
    model.initialise(source, cpu)
    record = Curve(model, game.budget, score)
    try:
        train(model, source, None, record, lambda *_: None, cpu)
    except Spent:
        return record.found
    raise RuntimeError("the budget outlasted 1,000 epochs")


def judge(folder: Path) -> tuple[np.ndarray, Any, str]:
    """Return training images, what scores a model, and the classifier's name."""
    mnist = latentia.load_data("mnist")
    kept = folder / "classifier"
    if kept.is_dir():
        classifier = latentia.load(kept)
    else:
        classifier = ImageClassifier(title="mnist")
        classifier.fit(mnist.x_train[:LABELLED], mnist.y_train[:LABELLED]).save(kept)
    real = classifier.transform(mnist.x_test)

    def score(model: Any) -> float:
        drawn = model.sample(SAMPLES, random_state=0)
        return frechet_distance(real, classifier.transform(drawn))

    return mnist.x_train, score, classifier.name


def main() -> None:
    """Train what is missing, print the table, draw the curves."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="the folder of MNIST's four files")
    parser.add_argument("--out", type=Path, required=True, help="where finished runs are and go")
    parser.add_argument("--only", nargs="+", choices=list(GAMES), default=list(GAMES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most", type=int, help="CPU seconds that no run may exceed")
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--write", type=Path, help="a Markdown file for table and picture")
    given = parser.parse_args()
    if given.mnist is not None:
        os.environ["LATENTIA_DATA"] = str(given.mnist.resolve())
    given.out.mkdir(parents=True, exist_ok=True)
    if given.train == "missing":
        x, score, name = judge(given.out)
        for seed in range(given.seeds):
            for title in given.only:
                game = GAMES[title]
                if given.most is not None:
                    game = replace(game, budget=min(game.budget, given.most))
                train_missing(given.out / f"{title}-{seed}.json", game, x, score, seed, name)
    lines = table(given.out)
    print("\n".join(lines))
    if given.write is not None:
        write(given.write, lines, given.out)


def train_missing(path: Path, game: Game, x: np.ndarray, score: Any, seed: int, name: str) -> None:
    """Train a run that is not there, and keep its curve."""
    found = kept(path, lambda: {"judge": name, "curve": curve(game, x, score, seed)})["curve"]
    print(path.stem, *(f"{s} s: {d:.2f}" for s, _, d in found), flush=True)


def curves(out: Path, title: str) -> list[list[tuple[int, int, float]]]:
    """Return the finished curves of a game."""
    files = sorted(out.glob(f"{title}-?.json"))
    return [json.loads(path.read_text())["curve"] for path in files]


def table(out: Path) -> list[str]:
    """Return the table: mean ± standard deviation of the distance over the seeds."""
    head = " | ".join(f"{point} s" for point in POINTS)
    lines = [f"| game | seeds | {head} | images/s |", "|---" * (len(POINTS) + 3) + "|"]
    for title in GAMES:
        found = curves(out, title)
        if not found:
            continue
        cells = [title, str(len(found))]
        for place in range(len(POINTS)):
            values = [c[place][2] for c in found if len(c) > place]
            fewer = f" ({len(values)})" if len(values) < len(found) else ""
            cells.append(f"{np.mean(values):.1f} ± {np.std(values):.1f}{fewer}" if values else "")
        rate = np.median([c[-1][1] / c[-1][0] for c in found]) * seen_a_step(GAMES[title])
        lines.append(f"| {' | '.join(cells)} | {rate:,.0f} |")
    return lines


def seen_a_step(game: Game) -> int:
    """Return how many real images a step of a game takes."""
    model = getattr(latentia, game.model)(**game.options)
    return int(model.batch_size * getattr(model, "n_critic", 1))


def write(path: Path, lines: list[str], out: Path) -> None:
    """Write the table and draw the recipes' curves."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for title, game in GAMES.items():
        found = curves(out, title)
        if not found or game.ablation:
            continue
        reached = [[c[i][2] for c in found if len(c) > i] for i in range(max(map(len, found)))]
        seconds = POINTS[: len(reached)]
        (drawn,) = axes.plot(seconds, [np.mean(d) for d in reached], marker="o", label=title)
        bounds = [min(d) for d in reached], [max(d) for d in reached]
        axes.fill_between(seconds, *bounds, color=drawn.get_color(), alpha=0.2)
    axes.set(xscale="log", yscale="log", xlabel="CPU seconds of training, one thread")
    axes.set_ylabel("Fréchet distance, classifier's features")
    axes.legend(frameon=False)
    picture = path.with_suffix(".png")
    figure.savefig(picture, dpi=110)
    names = {json.loads(p.read_text())["judge"] for p in out.glob("*.json")}
    text = [
        "# Quality of GANs against CPU time",
        "",
        "Printed by `python benchmarks/quality_over_time.py --mnist FOLDER --out FOLDER --write "
        f"docs/{path.name}`.",
        f"Judge: {', '.join(sorted(names))}; {SAMPLES:,} samples, 10,000 test digits; it is not",
        "FID. Mean ± standard deviation over the seeds; bands in the picture span the seeds.",
        "",
        *lines,
        "",
        f"![Fréchet distance against CPU seconds]({picture.name})",
        "",
    ]
    write_atomically(path, "\n".join(text).encode())


if __name__ == "__main__":
    main()
