"""Bicubic interpolation, SRResNet and SRGAN ×4 on Set5 and Set14: one table and one picture.

    python benchmarks/super_resolution.py --pictures FOLDER --runs FOLDER [--features WEIGHTS]
        [--train missing|never] [--write docs/super_resolution.md]

``--pictures`` holds the folders T91, Set5 and Set14. SRResNet is trained on T91 as the recipe
``examples/recipes/srresnet_t91.toml`` says, into ``RUNS/srresnet``, and SRGAN as
``examples/recipes/srgan_t91.toml`` says, from the zoo's SRResNet, into ``RUNS/srgan``. A run that
is there is not trained again, one that was stopped goes on. With the weights of a feature network,
SRGAN's content loss is in its features, and the table has each model's distance in them; without,
SRGAN compares pixels and the column is left out. A lattice is told by how many dB the power at its
frequencies exceeds that beside them. SRResNet's self-ensemble is the mean over the picture turned
and mirrored in all eight ways, each turned back (Lim et al. 2017, section 3.3): a row of its own,
since it takes eight times as long.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from long_runs import is_done, trained
from long_runs import measured as figures

import latentia
from latentia.data.crops import read_pictures
from latentia.data.degrade import cut_to_multiple, degraded
from latentia.files import write_atomically
from latentia.metrics.super_resolution import luma_lattice, luma_psnr, luma_ssim
from latentia.nets.features import FeatureNetwork, load_features
from latentia.plots.style import new_figure, png_bytes, style

RECIPES = Path(__file__).resolve().parent.parent / "examples" / "recipes"
SCALE = 4
SETS = ("Set5", "Set14")
COMIC = ("Set14", 4)
"""The lecture's picture: the fifth of Set14 in the order of its usual numbers."""
PAPER = {
    "ensemble": "–",
    "bicubic": "28.43 / 0.8211, 25.99 / 0.7486, 21.59 / 0.6423",
    "SRResNet": "32.05 / 0.9019, 28.49 / 0.8184, 23.53 / 0.7832",
    "SRGAN": "29.40 / 0.8472, 26.02 / 0.7397, 21.15 / 0.6868",
}
"""Ledig et al. 2017, table 2 and figure 2, with SSIM by another program than ours."""
BARS = {"Set5": 1.0, "Set14": 0.6}
"""Decibels that SRResNet is to gain on bicubic interpolation."""


@dataclass
class Row:
    """A model's figures.

    Attributes
    ----------
    name, key, minutes
        As it is quoted, its name in ``PAPER``, and how long it was trained.
    psnr, ssim, distance, lattice
        Means over each set's pictures.
    comic
        The picture enlarged, (3, H, W), with its PSNR and SSIM.
    """

    name: str
    key: str
    minutes: float
    psnr: dict[str, float] = field(default_factory=dict)
    ssim: dict[str, float] = field(default_factory=dict)
    distance: dict[str, float] = field(default_factory=dict)
    lattice: dict[str, float] = field(default_factory=dict)
    comic: tuple[Any, float, float] = (None, 0.0, 0.0)


def main(words: list[str] | None = None) -> None:
    """Train what is missing, print the table and whether the bars are reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=Path, required=True, help="holds T91, Set5, Set14")
    parser.add_argument("--runs", type=Path, required=True, help="where runs are and go")
    parser.add_argument("--features", type=Path, help="weights of SqueezeNet 1.0 or VGG-19")
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--recipe", type=Path, default=RECIPES / "srresnet_t91.toml")
    parser.add_argument("--gan-recipe", type=Path, default=RECIPES / "srgan_t91.toml")
    parser.add_argument("--write", type=Path, help="a Markdown file; the picture goes beside it")
    given = parser.parse_args(words)
    if given.train == "missing":
        train(given)
    features = None if given.features is None else load_features(given.features)
    sets = {name: sharp_pictures(given.pictures / name) for name in SETS}
    table = [measured(*each, sets, features) for each in models(given, sets)]
    lines = [*head(features), *(line(row, features) for row in table), "", *verdicts(table)]
    print(*lines, sep="\n")
    picture = (given.write or given.runs / "super_resolution.md").with_suffix(".png")
    write_atomically(picture, png_bytes(panels(table, sets)))
    if given.write is not None:
        write_atomically(given.write, "\n".join(page(lines, picture.name)).encode())


def train(given: argparse.Namespace) -> None:
    """Train SRResNet and SRGAN, unless they are there."""
    data = ["--data", str(given.pictures / "T91")]
    features = [] if given.features is None else ["--features", str(given.features)]
    orders = {
        "srresnet": ["--recipe", str(given.recipe), *data],
        "srgan": ["--recipe", str(given.gan_recipe), *data, *features],
    }
    for name, words in orders.items():
        trained(given.runs / name, words)


def models(given: argparse.Namespace, sets: dict[str, list[Any]]) -> list[tuple[Any, Row]]:
    """Return the models that are there, each with its empty row."""
    found = [(latentia.Bicubic(scale=SCALE).fit(sets["Set5"][0]), Row("bicubic", "bicubic", 0.0))]
    for name, key in (("srresnet", "SRResNet"), ("srgan", "SRGAN")):
        run = given.runs / name
        if is_done(run):
            minutes = figures(run)["seconds"] / 60
            model = latentia.load(run)
            quoted = model.result_name if key == "SRGAN" else key
            found.append((model, Row(quoted, key, minutes)))
            if key == "SRResNet":
                found.append(
                    (SelfEnsemble(model), Row(f"{key}, self-ensemble", "ensemble", minutes))
                )
    return found


@dataclass
class SelfEnsemble:
    """The mean of what a model makes of a picture turned and mirrored in all eight ways."""

    model: Any

    def beside_enlarged(self, picture: Any) -> tuple[Any, Any]:
        """Return a sharp picture and what becomes of it made small, as the model's own method."""
        small, total = degraded(picture, SCALE), 0.0
        for turns in range(4):
            for mirror in (slice(None), slice(None, None, -1)):
                seen = np.rot90(small, turns, (2, 3))[..., mirror]
                large = self.model.transform(np.ascontiguousarray(seen))
                total = total + np.rot90(np.asarray(large)[..., mirror], -turns, (2, 3)) / 8
        return picture / np.float32(255), np.rint(total * 255) / np.float32(255)


def sharp_pictures(folder: Path) -> list[Any]:
    """Return a set's pictures, (1, 3, H, W) uint8 each, grey ones in three channels."""
    found, notes = read_pictures(folder)
    if not found or notes:
        raise SystemExit(f"{folder} holds {len(found)} pictures: {' '.join(notes)}")
    return [cut_to_multiple(picture[None], SCALE) for picture in found]


def measured(
    model: Any, row: Row, sets: dict[str, list[Any]], features: FeatureNetwork | None
) -> Row:
    """Fill a model's row."""
    for name, pictures in sets.items():
        pairs = [model.beside_enlarged(picture) for picture in pictures]
        psnr, ssim = ([f(*pair, SCALE) for pair in pairs] for f in (luma_psnr, luma_ssim))
        row.psnr[name], row.ssim[name] = float(np.mean(psnr)), float(np.mean(ssim))
        row.lattice[name] = float(np.mean([luma_lattice(large, SCALE) for _, large in pairs]))
        if features is not None:
            row.distance[name] = float(np.mean([apart(features, *pair) for pair in pairs]))
        if name == COMIC[0]:
            row.comic = (pairs[COMIC[1]][1][0], psnr[COMIC[1]], ssim[COMIC[1]])
    return row


def apart(features: FeatureNetwork, sharp: Any, large: Any) -> float:
    """Return the mean squared difference of features."""
    with torch.no_grad():
        a, b = (features(torch.from_numpy(images).float()) for images in (sharp, large))
    return float((a - b).square().mean())


def head(features: FeatureNetwork | None) -> list[str]:
    """Return the table's head."""
    names = ["model", "minutes", *SETS, "comic", "published: Set5, Set14, comic"]
    names += [f"lattice in dB: {', '.join(SETS)}"]
    names += [] if features is None else [f"distance in {features.name}: Set5, Set14"]
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def line(row: Row, features: FeatureNetwork | None) -> str:
    """Return a model's line: dB / SSIM for each set."""
    cells = [row.name, f"{row.minutes:.0f}"]
    cells += [f"{row.psnr[name]:.2f} / {row.ssim[name]:.4f}" for name in SETS]
    cells += [f"{row.comic[1]:.2f} / {row.comic[2]:.4f}", PAPER[row.key]]
    cells.append(", ".join(f"{row.lattice[name]:.1f}" for name in SETS))
    if features is not None:
        cells.append(", ".join(f"{row.distance[name]:.4f}" for name in SETS))
    return f"| {' | '.join(cells)} |"


def verdicts(table: list[Row]) -> list[str]:
    """Return whether SRResNet gains what it is to gain."""
    rows = {row.name: row for row in table}
    if "SRResNet" not in rows:
        return []
    gains = {n: rows["SRResNet"].psnr[n] - rows["bicubic"].psnr[n] for n in SETS}
    return [
        f"- SRResNet gains {gain:+.2f} dB on bicubic on {name}: "
        f"{'reaches' if gain >= BARS[name] else 'DOES NOT REACH'} {BARS[name]:+.1f} dB"
        for name, gain in gains.items()
    ]


def panels(table: list[Row], sets: dict[str, list[Any]]) -> Any:
    """Return the lecture's figure: the comic picture by each model, and the original."""
    shown = [(f"{r.name}\n{r.comic[1]:.2f} dB / {r.comic[2]:.4f}", r.comic[0]) for r in table]
    shown.append(("original", sets[COMIC[0]][COMIC[1]][0] / 255))
    height, width = shown[-1][1].shape[-2:]
    with style():
        figure = new_figure(3.0 * len(shown), 3.0 * height / width + 0.7)
        for axes, (title, image) in zip(figure.subplots(1, len(shown)), shown):
            axes.imshow(np.moveaxis(image, 0, 2))
            axes.set_title(title)
            axes.axis("off")
    return figure


def page(lines: list[str], picture: str) -> list[str]:
    """Return the table as a page."""
    return [
        "# Super-resolution ×4",
        "",
        "Printed by `python benchmarks/super_resolution.py`; PSNR in dB and SSIM of Y, the border",
        "of 4 pixels left out, the mean over pictures. Trained on T91, seed 0; minutes are of wall",
        "clock. The published figures are of far longer training on ImageNet, and their SSIM is by",
        "another program, which gives other values for the same pictures.",
        "",
        *lines,
        "",
        f"![The comic picture]({picture})",
        "",
    ]


if __name__ == "__main__":
    main()
