"""What each model learns by default, one command each: the figures of ``docs/defaults.md``.

    python benchmarks/defaults.py [--only CASE ...] [--runs FOLDER]

Runs are kept in FOLDER, with a sheet of samples and reconstructions, enlarged, beside them. Figures
are of held-out rows: those of training that a run holds out, never of the test part.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

import latentia
from latentia.evaluation.classifier import ImageClassifier
from latentia.evaluation.quality import sample_quality
from latentia.models.inputs import unit_floats
from latentia.plots.grids import save_png, tile

SEED = 0
DRAWN = 1000
LEAST_SHARE = 0.03
"""Of the judge's verdicts that a class must have to count as present."""


def simulated_table(n: int, seed: int) -> NDArray[np.float64]:
    """Return (n, 12) columns made of three factors and a bend of one, in very different units."""
    draw = np.random.default_rng(seed)
    loadings = np.random.default_rng(7).normal(size=(3, 12))
    factors = draw.normal(size=(n, 3))
    signal = factors @ loadings
    signal[:, 9:] += 1.5 * (factors[:, :1] ** 2 - 1)
    units = np.array([1e-3, 1, 1e3] * 4)
    return (signal + 0.4 * draw.normal(size=(n, 12))) * units + 10 * units


def seconds_of(fit: Any) -> float:
    """Return how long a fit takes in this process, in CPU seconds."""
    began = time.process_time()
    fit()
    return time.process_time() - began


def digits(name: str, runs: Path, judges: dict[str, ImageClassifier], spec: str) -> str:
    """Train a model on digits by default; return its figures, and leave a sheet of its samples."""
    kept, held_out = latentia.load_data(spec).hold_out()
    real = unit_floats(held_out[0] if isinstance(held_out, tuple) else held_out)
    if spec not in judges:
        judges[spec] = ImageClassifier(title=spec, n_epochs=40 if spec == "digits" else 6).fit(
            kept.x_train, kept.y_train
        )
    model = getattr(latentia, name)(random_state=SEED)
    seconds = seconds_of(lambda: model.fit(kept.x_train, **kept.beside))
    drawn = np.asarray(model.sample(DRAWN, random_state=SEED))
    found = sample_quality(judges[spec], real, drawn)
    present = int((found.shares >= LEAST_SHARE).sum())
    more = f"Fréchet distance {found.frechet_distance:.2f}, "
    more += f"{present} of {len(found.shares)} classes"
    more += f" (least {found.shares.min():.1%}), {model.diagnosis_}"
    sheet = drawn[:100]
    if hasattr(model, "reconstruct"):
        back = np.asarray(model.reconstruct(real))
        more += f", squared error {np.square(back - real).reshape(len(real), -1).sum(1).mean():.2f}"
        more += f", score {model.score(real):.1f}"
        pairs = np.stack([real[:30], back[:30]], 1).reshape(-1, *real.shape[1:])
        save_png(runs / f"{spec}-{name}-reconstructions.png", tile(pairs, n_columns=10))
    save_png(runs / f"{spec}-{name}-samples.png", tile(sheet, n_columns=10))
    return f"{steps(model)}, {seconds:.0f} CPU s: {more}"


def table(name: str, runs: Path, judges: dict[str, ImageClassifier], spec: str) -> str:
    """Train a model on the simulated table by default, and measure it on 500 rows held out."""
    X, new = simulated_table(500, 0), simulated_table(500, 1)
    scale = X.std(0)
    given = {} if name in ("PCA", "FactorAnalysis") else {"random_state": SEED}
    model = getattr(latentia, name)(n_components=4, **given)
    seconds = seconds_of(lambda: model.fit(X))
    found = f"{steps(model)}, {seconds:.0f} CPU s"
    if hasattr(model, "reconstruct"):
        error = np.square((np.asarray(model.reconstruct(new)) - new) / scale).mean()
        found += f", squared error {error:.3f} of the variance"
    if hasattr(model, "sample"):
        drawn = np.asarray(model.sample(DRAWN, random_state=SEED))
        apart = [wasserstein_distance(d, x) for d, x in zip((drawn / scale).T, (new / scale).T)]
        spread = np.abs(np.corrcoef(drawn.T) - np.corrcoef(new.T)).max()
        found += f", marginals at most {max(apart):.2f} sd apart, correlations {spread:.2f}"
    return found


def steps(model: Any) -> str:
    """Return how long a model was trained."""
    if "n_epochs_" not in vars(model):
        return "closed form"
    return f"{model.n_epochs_:,} epochs, batches of {model.batch_size_}"


CASES = {
    **{f"digits {name}": (digits, name, "digits") for name in ("GAN", "DCGAN", "VAE", "WGANGP")},
    **{
        f"table {name}": (table, name, "")
        for name in ("PCA", "FactorAnalysis", "Autoencoder", "VAE", "GAN")
    },
    **{f"mnist {name}": (digits, name, "mnist") for name in ("VAE", "DCGAN", "GAN")},
}


def main() -> None:
    """Print the figures of each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--runs", type=Path, default=Path("runs/defaults"))
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    judges: dict[str, ImageClassifier] = {}
    for case in given.only:
        measure, name, spec = CASES[case]
        print(f"{case}: {measure(name, given.runs, judges, spec)}", flush=True)


if __name__ == "__main__":
    main()
