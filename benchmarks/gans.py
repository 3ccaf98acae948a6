"""What each GAN makes of MNIST in minutes: a table and the grids, unselected.

    python benchmarks/gans.py --mnist FOLDER --runs FOLDER [--train missing|never]
        [--write docs/gans.md]

Every model is trained as ``latentia train MODEL --data mnist`` trains it, or by its recipe, seed 0,
into ``RUNS/<name>``; a run that is there is not trained again. The figures are those of the run's
``evaluation.json``, and the Fréchet distance by the judge of `quality_over_time`, which is trained
here and kept in ``RUNS/classifier``; the picture holds the first samples of each model.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from long_runs import is_done, measured, trained
from quality_over_time import LABELLED, SAMPLES, judge

import latentia
from latentia.files import write_atomically
from latentia.plots.grids import rows, save_png
from latentia.training.config import RunConfig
from latentia.training.metrics_file import read_metrics

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "examples" / "recipes"
GAMES = {
    "gan": ["gan", "--n-epochs", "30", "--batch-size", "128"],
    "dcgan": ["dcgan", "--n-epochs", "5", "--batch-size", "128", "--ema-decay", "none"],
    "dcgan_baseline": ["--recipe", str(RECIPES / "dcgan_baseline_mnist.toml")],
    "dcgan, half an hour": ["--recipe", str(RECIPES / "dcgan_mnist.toml")],
    "cgan, half an hour": ["--recipe", str(RECIPES / "conditional_gan_mnist.toml")],
    "wgangp, half an hour": ["--recipe", str(RECIPES / "wgan_gp_mnist.toml")],
    "cgan": ["cgan", "--n-epochs", "5", "--batch-size", "128"],
    "wgan": ["wgan", "--n-epochs", "10", "--batch-size", "64"],
    "wgangp": ["wgangp", "--n-epochs", "8", "--batch-size", "64"],
}
SHOWN = 16
FIGURES = ("frechet_distance", "precision", "recall", "classes_covered")


def main() -> None:
    """Train what is missing, print the table, draw the grids."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mnist", default="mnist", help="the folder of the four idx files")
    parser.add_argument("--runs", type=Path, required=True, help="where runs are and go")
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--write", type=Path, help="a Markdown file for the table")
    given = parser.parse_args()
    if Path(given.mnist).is_dir():
        os.environ["LATENTIA_DATA"] = str(Path(given.mnist).resolve())
    lines = [
        "| game | epochs | threads | minutes | judged Fréchet distance | Fréchet distance | "
        "precision | recall | classes | doctor |",
        "|" + "---|" * 10,
    ]
    _, score, name_of_judge = judge(given.runs)
    grids = []
    for name, words in GAMES.items():
        run = given.runs / name
        if given.train == "missing":
            trained(run, [*words, "--data", given.mnist, "--random-state", "0"])
        if is_done(run):
            lines.append(row(name, run, score))
            print(lines[-1], flush=True)
            grids.append((name, samples(run)))
    if given.write is not None:
        write(given.write, lines, grids, name_of_judge)


def row(name: str, run: Path, score: Callable[[Any], float]) -> str:
    """Return a run's line of the table."""
    figures = measured(run)
    values = " | ".join(f"{figures[key]:.3g}" for key in FIGURES)
    last = [r for r in read_metrics(run) if r["split"] == "health"][-1:]
    doctor = last[0].get("note", "").split(":")[0] if last else ""
    begun = RunConfig.read(run)
    minutes = figures["seconds"] / 60
    taken = f"{begun.parameters['n_epochs']} | {begun.threads} | {minutes:.0f}"
    judged = score(latentia.load(run))
    return f"| {name} | {taken} | {judged:.1f} | {values} | {doctor or 'nothing'} |"


def samples(run: Path) -> np.ndarray:
    """Return the first draws of a trained model."""
    model = latentia.load(run)
    if model.takes_labels:
        return model.sample(SHOWN, random_state=0, y=np.resize(model.classes_, SHOWN))
    return model.sample(SHOWN, random_state=0)


def write(path: Path, lines: list[str], grids: list[tuple[str, np.ndarray]], judge: str) -> None:
    """Write the table and the picture of the grids."""
    picture = path.with_suffix(".png")
    save_png(picture, rows(grids))
    text = [
        "# GANs on MNIST, in minutes on a CPU",
        "",
        "Printed by `python benchmarks/gans.py --mnist FOLDER --runs FOLDER --write "
        f"docs/{path.name}`.",
        "Seed 0, 55,000 training images, the model's defaults or its recipe but for the epochs",
        "shown; minutes are of wall clock, most of them beside other work. The judged Fréchet",
        f"distance is between {SAMPLES:,} samples and the test images in the features of a net",
        f"that learnt {LABELLED:,} digits ({judge}); the other one, precision and recall",
        "are in 64 principal components of the training pixels. Neither is FID.",
        "",
        *lines,
        "",
        f"![Unselected samples of each game]({picture.name})",
        "",
    ]
    write_atomically(path, "\n".join(text).encode())


if __name__ == "__main__":
    main()
