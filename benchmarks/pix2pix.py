"""pix2pix on pairs: L1, the game alone and both, beside what can be had without a net.

    python benchmarks/pix2pix.py --data MAPS --runs FOLDER [--features WEIGHTS]
        [--only "L1" "L1 + cGAN"] [--train missing|never] [--write docs/pix2pix.md]

Trains the recipe ``examples/recipes/pix2pix_maps.toml`` for each objective into
``RUNS/<objective>``, for as many epochs in all; a run that is there is not trained again, one that
was stopped goes on. What the game of both began with is a row of its own. The picture is the
paper's figure 4 (Isola et al. 2017): input, L1, cGAN, L1 + cGAN, truth.

Streets are the pixels nearest to a colour that the maps give them. F1 counts a pixel of a street as
found, or as right, where the other image has one within two pixels. Detail is what is left of an
image without its slow changes: its correlation with that of its own target, and with that of other
outputs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from long_runs import is_done, trained
from scipy.ndimage import binary_dilation

import latentia
from latentia.data.pairs import load_pairs
from latentia.files import write_atomically
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.models.inputs import unit_floats
from latentia.models.translation.baselines import (
    baselines,
    closeness,
    detail_figures,
    tested_pairs,
)
from latentia.nets.features import FeatureNetwork, load_features
from latentia.plots.grids import rows, save_png
from latentia.training.config import read_config
from latentia.training.metrics_file import read_metrics

RECIPE = Path(__file__).resolve().parent.parent / "examples" / "recipes" / "pix2pix_maps.toml"
OBJECTIVES = {"L1": "l1", "cGAN": "gan", "L1 + cGAN": "gan+l1"}
ALONE = ["--pretrain-epochs", "0", "--n-epochs", "84"]
"""What the recipe's game with L1 takes in all, its beginning counted in, for one of them alone."""
BEGINNING = "L1, where the game of both begins"
SHOWN = 8
DETAIL = ("own_detail", "shared_detail")
N_COMPONENTS = 64
"""Of a feature network's means over places, as of the pixels, before they are compared."""
PATCH, STRIDE = 8, 4
STREETS = ((254, 254, 252), (242, 159, 45), (250, 212, 118))
"""Colours of streets, motorways and main roads, in 255ths."""
GROUNDS = ((232, 229, 222), (242, 240, 234), (202, 220, 175), (177, 207, 253), (237, 222, 182))
"""Colours of land, buildings, parks, water and sand."""
NEAR = 2
"""Pixels by which a street may be off."""
GREY_LEVEL = 1 / 255
"""What deviations of texture are raised by, so that one finer than images hold counts little."""


def main() -> None:
    """Train what is missing, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, help="pairs, as `latentia train pix2pix` takes")
    parser.add_argument("--runs", type=Path, required=True, help="where runs are and go")
    parser.add_argument("--features", type=Path, help="weights of SqueezeNet 1.0 or VGG-19")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--only", nargs="+", choices=list(OBJECTIVES), default=list(OBJECTIVES))
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--write", type=Path, help="a Markdown file; the picture goes beside it")
    given = parser.parse_args()
    found = {}
    for label in given.only:
        objective = OBJECTIVES[label]
        run = given.runs / objective
        if given.train == "missing":
            words = ["--recipe", str(given.recipe), "--data", given.data]
            words += [] if objective == "gan+l1" else ALONE
            trained(run, [*words, "--objective", objective])
        if is_done(run):
            beginning = run / "pretraining"
            found |= {BEGINNING: beginning} if (beginning / "model").is_dir() else {}
            found[label] = run
    size = read_config(next(run for label, run in found.items() if label != BEGINNING))["data"][
        "image_size"
    ]
    data = load_pairs(given.data, image_size=size)
    outputs = {
        label: latentia.load(run / "model").transform(tested_pairs(data)[0])
        for label, run in found.items()
    }
    spaces = feature_spaces(unit_floats(data.pair_train), given.features)
    lines = table(data, baselines(data) | outputs, found, spaces)
    print(*lines, sep="\n")
    picture = (given.write or given.runs / "pix2pix.md").with_suffix(".png")
    draw(picture, data, outputs)
    if given.write is not None:
        write_atomically(given.write, page(lines, picture.name, spaces).encode())


def feature_spaces(targets: np.ndarray, weights: Path | None) -> dict[str, Any]:
    """Return functions from images to features, by the names of the spaces."""
    pixels = PixelFeatures().fit(targets)
    spaces = {pixels.name: pixels.transform}
    # All components: the last of them are what a checkerboard lies along.
    cut = patches(targets)
    texture = PixelFeatures(n_components=targets.shape[1] * PATCH**2).fit(cut)
    scale = texture.transform(cut).std(axis=0) + GREY_LEVEL
    name = f"all {len(scale)} principal components of {PATCH}×{PATCH} patches less their mean"
    spaces[f"{name} colour, each over its standard deviation"] = lambda images: (
        texture.transform(patches(images)) / scale
    )
    if weights is not None:
        network = load_features(weights)
        principal = latentia.PCA(n_components=N_COMPONENTS).fit(pooled(network, targets))
        name = f"{N_COMPONENTS} principal components of {network.name}'s means over places"
        spaces[name] = lambda images: principal.transform(pooled(network, images))
    return spaces


def patches(images: np.ndarray) -> np.ndarray:
    """Return (n, C, 8, 8) patches of (N, C, H, W) images, each channel less its mean: texture."""
    views = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(2, 3))
    places = views[:, :, ::STRIDE, ::STRIDE].transpose(0, 2, 3, 1, 4, 5)
    cut = places.reshape(-1, *places.shape[3:])
    return cut - cut.mean(axis=(2, 3), keepdims=True)


@torch.no_grad()
def pooled(network: FeatureNetwork, images: np.ndarray) -> np.ndarray:
    """Return the (n, 512) means over places of images' features."""
    chunks = [images[first : first + 50] for first in range(0, len(images), 50)]
    features = [network(torch.from_numpy(np.array(part, np.float32))) for part in chunks]
    return torch.cat(features).mean((2, 3)).double().numpy()


def streets(images: np.ndarray) -> np.ndarray:
    """Return where the (N, 3, H, W) images show a street, (N, H, W)."""
    palette = np.array(STREETS + GROUNDS, np.float32)[:, None, :, None, None] / 255
    distance = [np.square(images - colour).sum(axis=1) for colour in palette]
    return np.argmin(distance, axis=0) < len(STREETS)


def street_f1(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Return the F1 of streets, each pixel right that has one of the other's within `NEAR`."""
    true, found = streets(targets), streets(outputs)
    square = np.ones((1, 2 * NEAR + 1, 2 * NEAR + 1), bool)
    right = (found & binary_dilation(true, square)).sum() / max(found.sum(), 1)
    seen = (true & binary_dilation(found, square)).sum() / max(true.sum(), 1)
    return float(2 * right * seen / max(right + seen, 1e-12))


def table(
    data: Any, outputs: dict[str, np.ndarray], runs: dict[str, Path], spaces: dict[str, Any]
) -> list[str]:
    """Return the lines of the table."""
    _, targets = tested_pairs(data)
    distances = [f"Fréchet distance {letter}" for letter in "ABC"[: len(spaces)]]
    own = ["streets, F1", "own detail", "shared detail"]
    names = ["", "minutes", *own, "absolute error", "PSNR, dB", "SSIM", *distances]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for label, output in outputs.items():
        figures = closeness(targets, output)
        cells = [label, minutes(runs[label]) if label in runs else "–"]
        cells.append(f"{street_f1(targets, output):.2f}")
        detail = detail_figures(output, targets)
        cells += [f"{detail[name]:.2f}" if name in detail else "–" for name in DETAIL]
        cells += [f"{figures['absolute_error']:.4f}", f"{figures['translation_psnr']:.2f}"]
        cells += [f"{figures['ssim']:.3f}"]
        for transform in spaces.values():
            distance = frechet_distance(transform(targets), transform(output))
            cells.append(f"{distance:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def minutes(run: Path) -> str:
    """Return how long a run was trained."""
    return f"{read_metrics(run)[-1]['seconds'] / 60:.0f}"


def draw(path: Path, data: Any, outputs: dict[str, np.ndarray]) -> None:
    """Draw the first test pairs, each column a pair."""
    x, y = tested_pairs(data)
    shown = [("input", unit_floats(x[:SHOWN]))]
    shown += [(label, output[:SHOWN]) for label, output in outputs.items()]
    save_png(path, rows([*shown, ("truth", y[:SHOWN])]))


def page(lines: list[str], picture: str, spaces: dict[str, Any]) -> str:
    """Return the table as a page."""
    letters = "; ".join(f"{letter}: {name}" for letter, name in zip("ABC", spaces, strict=False))
    return "\n".join(
        [
            "# pix2pix: aerial photo to map",
            "",
            "Printed by `python benchmarks/pix2pix.py --data MAPS --runs FOLDER",
            "--features WEIGHTS`; `examples/recipes/pix2pix_maps.toml`, seed 0, its objectives,",
            "the test pairs. Minutes are of wall clock, beside other work. Fréchet distances are",
            "between targets and outputs,",
            f"{letters}.",
            "",
            *lines,
            "",
            f"The command draws inputs, outputs and truth into {picture} beside the table, not",
            "kept here since the photos and maps are Google's.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
