"""Every autoencoder and VAE beside the figure that was published for it, as one table.

    python benchmarks/published.py --mnist FOLDER --runs FOLDER [--only vae_mnist,...]
        [--seeds 0 1] [--write docs/autoencoders.md]

Each row is a recipe of ``examples/recipes``, on a schedule that a small CPU allows, trained once
for each seed into ``RUNS/<recipe>-<seed>``; a clustering that starts from a trained model takes the
run of its seed: VaDE that of ``idec_mnist``, the others of ``autoencoder_kmeans_mnist``. A run that
is there is not trained again, and one that was stopped goes on; ``--train never`` prints what is
there. The figures are of the test images, or of the training images where the clustering papers'
are. Beside the table a picture shows the bounds of the VAEs against the number of images seen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from long_runs import trained

import latentia
from latentia.evaluation.evaluate import importance_bound
from latentia.files import write_atomically
from latentia.metrics.clustering import cluster_agreement
from latentia.plots.style import COLOURS, new_figure, png_bytes, style
from latentia.training.config import read_config
from latentia.training.metrics_file import read_metrics

ROOT = Path(__file__).resolve().parent.parent
N_IMPORTANCE = 5_000

Measure = Callable[[Any, Any, argparse.Namespace], dict[str, float]]


def squared_error(model: Any, data: Any, given: argparse.Namespace) -> dict[str, float]:
    """Return the squared error of test images."""
    return {"squared error": -model.score(data.x_test)}


def psnr(model: Any, data: Any, given: argparse.Namespace) -> dict[str, float]:
    """Return the PSNR of denoised test images, in dB."""
    return {"dB denoised": latentia.evaluate(model, data)["psnr_denoised"]}


def bound(model: Any, data: Any, given: argparse.Namespace) -> dict[str, float]:
    """Return the importance-weighted bound, its standard error, and the active units."""
    found = importance_bound(model, data, given.n_importance, given.n_test, progress=True)
    return {
        "nats": found.value,
        "± of draws": found.error_of_draws,
        "active units": model.active_units(data.x_test),
    }


def elbo(model: Any, data: Any, given: argparse.Namespace) -> dict[str, float]:
    """Return −ELBO of test images, in nats."""
    labels = (data.y_test,) if model.takes_labels else ()
    return {"nats, −ELBO": -model.score(data.x_test, *labels)}


def linear_bounds(model: Any, data: Any, given: argparse.Namespace) -> dict[str, float]:
    """Return −ELBO, the exact value, and the best that probabilistic PCA can do."""
    x = data.x_test.reshape(len(data.x_test), -1) / 255.0
    train = data.x_train.reshape(len(data.x_train), -1) / 255.0
    ppca = latentia.ProbabilisticPCA(n_components=model.n_components).fit(train)
    return {
        "nats, −ELBO": -model.score(data.x_test),
        "exact": -float(np.mean(model.exact_score_samples(data.x_test))),
        "probabilistic PCA": -float(np.mean(ppca.score_samples(x))),
    }


def clusters(model: Any, data: Any, given: argparse.Namespace) -> dict[str, float]:
    """Return matched accuracy, NMI and ARI of all 60,000 training images, as the papers do."""
    return cluster_agreement(np.asarray(data.y_train), model.predict(data.x_train))


@dataclass(frozen=True)
class Target:
    """A row: a recipe, how it is measured, and what was published."""

    recipe: str
    measure: Measure
    published: str
    n_epochs: int | None = None
    starts_from: str | None = None


START = "autoencoder_kmeans_mnist"
TARGETS = (
    Target("linear_autoencoder_mnist", squared_error, "13.87 (PCA, 30 components)"),
    Target(
        "deep_autoencoder_mnist",
        squared_error,
        "3.00 (Hinton and Salakhutdinov 2006); PCA 13.87",
    ),
    Target("denoising_autoencoder_mnist", psnr, "none; 15.2 dB is the project's bar"),
    Target(START, clusters, "accuracy 0.82 (Xie et al. 2016, table 2)"),
    Target("dec_mnist", clusters, "accuracy 0.843 (Xie et al. 2016, table 2)", starts_from=START),
    Target(
        "idec_mnist",
        clusters,
        "accuracy 0.8806, NMI 0.8672 (Guo et al. 2017, table 2)",
        starts_from=START,
    ),
    Target(
        "vade_mnist",
        clusters,
        "accuracy 0.9446 (Jiang et al. 2017, table 2)",
        starts_from="idec_mnist",
    ),
    Target("linear_vae_mnist", linear_bounds, "the exact value is the bound's limit"),
    Target("conditional_vae_mnist", elbo, "none, of log p(x given y)"),
    Target("vae_mnist", bound, "86.76 nats (Burda et al. 2016, table 1; 3,280 epochs)", 40),
    Target("iwae_5_mnist", bound, "85.54 nats (the same)", 20),
    Target("iwae_50_mnist", bound, "84.78 nats (the same)", 6),
)


def main() -> None:
    """Train what is missing, measure what is new, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mnist", default="mnist", help="the folder of the four idx files")
    parser.add_argument("--runs", type=Path, required=True, help="where runs are and go")
    parser.add_argument("--only", help="recipes, comma-separated (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--n-importance", type=int, default=N_IMPORTANCE)
    parser.add_argument("--n-test", type=int, default=None, help="test images of the bounds")
    parser.add_argument("--write", type=Path, help="a Markdown file for the table")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else [t.recipe for t in TARGETS]
    data = latentia.load_data(given.mnist)
    lines = [
        "| model | schedule | seed | minutes | reached | published |",
        "|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        for seed in given.seeds if target.recipe in chosen else ():
            run = given.runs / f"{target.recipe}-{seed}"
            if given.train == "missing":
                train(target, seed, run, given.mnist)
            if (run / "model").is_dir():
                lines.append(row(target, seed, run, data, given))
                print(lines[-1], flush=True)
    print("\n".join(lines))
    if given.write is not None:
        write(given, lines)


def train(target: Target, seed: int, run: Path, mnist: str) -> None:
    """Train a recipe with a seed, or go on with it, unless it is done."""
    words = ["--recipe", str(ROOT / f"examples/recipes/{target.recipe}.toml")]
    words += ["--data", mnist, "--random-state", str(seed)]
    if target.starts_from is not None:
        words += ["--pretrained", str(run.parent / f"{target.starts_from}-{seed}")]
    if target.n_epochs is not None:
        words += ["--n-epochs", str(target.n_epochs)]
    trained(run, words)


def row(target: Target, seed: int, run: Path, data: Any, given: argparse.Namespace) -> str:
    """Return a run's line of the table; its figure is measured once and kept beside it."""
    kept = run / "published.json"
    wanted = {"n_importance": given.n_importance, "n_test": given.n_test}
    found = json.loads(kept.read_text()) if kept.exists() else {}
    if "figures" not in found or (target.measure is bound and found["asked"] != wanted):
        figures = target.measure(latentia.load(run), data, given)
        found = {"figures": figures, "asked": wanted}
        write_atomically(kept, json.dumps(found).encode())
    reached = ", ".join(f"{name} {value:.4g}" for name, value in found["figures"].items())
    parameters = read_config(run)["parameters"]
    last = read_metrics(run)[-1]
    # Some end before the epochs that they were given.
    schedule = f"{last['epoch']} epochs of batches of {parameters['batch_size']}"
    name, minutes = f"`{target.recipe}.toml`", f"{last['seconds'] / 60:.0f}"
    return f"| {name} | {schedule} | {seed} | {minutes} | {reached} | {target.published} |"


def write(given: argparse.Namespace, lines: list[str]) -> None:
    """Write the table and the picture of the bounds."""
    scored = "all" if given.n_test is None else f"{given.n_test:,} evenly spaced"
    text = [
        "# Autoencoders and VAEs on MNIST, beside the published figures",
        "",
        "Printed by `python benchmarks/published.py --mnist FOLDER --runs FOLDER --write "
        f"docs/{given.write.name}`.",
        "Models are trained on the first 55,000 training images (clustering without labels), on "
        "schedules that two CPU cores allow; minutes are of wall clock, beside other work.",
        f"Bounds: {given.n_importance:,} draws for each of {scored} test images; squared errors "
        "are summed over an image's pixels.",
        "",
        *lines,
        "",
        "![Bounds against images seen](autoencoders_bounds.png)",
        "",
    ]
    write_atomically(given.write, "\n".join(text).encode())
    write_atomically(given.write.parent / "autoencoders_bounds.png", curves(given.runs))


def curves(runs: Path) -> bytes:
    """Return the held-out bounds of the VAE and IWAE runs against images seen, as PNG."""
    with style():
        figure = new_figure(6.4, 4.0)
        axes = figure.subplots()
        for colour, (recipe, published) in zip(
            COLOURS, (("vae_mnist", 86.76), ("iwae_5_mnist", 85.54), ("iwae_50_mnist", 84.78))
        ):
            for run in sorted(runs.glob(f"{recipe}-*")):
                records = [r for r in read_metrics(run) if r["split"] == "validation"]
                if not records:
                    continue
                a_step = read_config(run)["parameters"]["batch_size"]
                seen = [record["step"] * a_step for record in records]
                values = [next(iter(record["values"].values())) for record in records]
                axes.plot(seen, values, color=colour, alpha=0.8, label=run.name)
            axes.axhline(published, color=colour, linestyle=":", linewidth=1)
        axes.set_xscale("log")
        axes.set_ylim(84, 125)
        axes.set_xlabel("images seen")
        axes.set_ylabel("held-out bound on −log p(x), nats")
        axes.set_title("−ELBO and −L_k while training; dotted: the published end of the schedule")
        axes.legend(fontsize=8)
    return png_bytes(figure)


if __name__ == "__main__":
    main()
