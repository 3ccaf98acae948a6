"""CycleGAN on two tasks without pairs, sneaker ↔ ankle boot and neutral ↔ smiling face: one table.

    python benchmarks/cyclegan.py --runs FOLDER [--boots fashion-mnist:7,9]
        [--smiles smiles_64_gray.npz:smile] [--zoo] [--train missing|never]
        [--write docs/cyclegan.md]

A task whose data are not named is left out. CycleGAN is trained as the recipes
``examples/recipes/cyclegan_boots.toml`` and ``cyclegan_smiles.toml`` say, into
``RUNS/<task>/cyclegan``, or is that of the zoo. Beside it stand the identity, which translates
nothing and loses nothing, and Pix2Pix trained one way and the other on the same images, paired at
random, for as many passes.
A classifier of the two domains, trained on the real training images, says what a translation is
taken for; a support vector machine of their pixels is asked too, for what fools a net need not fool
another kind of classifier. The Fréchet distance to real images of the target, the same ones for
every method, is what neither was trained on. What is there is not trained again, and a run of
CycleGAN that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from long_runs import kept, trained
from long_runs import measured as figures
from sklearn.svm import SVC

import latentia
from latentia.data.dataset import Dataset
from latentia.data.unpaired import load_unpaired
from latentia.evaluation.classifier import ImageClassifier
from latentia.files import write_atomically
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.models.inputs import unit_floats
from latentia.models.zoo import entry_of
from latentia.plots.grids import rows, save_png

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "recipes"
RECIPES = {
    "boots": FOLDER / "cyclegan_boots.toml",
    "smiles": FOLDER / "cyclegan_smiles.toml",
}
ZOO = {"boots": "cyclegan-shoes", "smiles": "cyclegan-smiles"}
OF_ZOO = "CycleGAN is `zoo:cyclegan-shoes` and `zoo:cyclegan-smiles`, at most so many CPU minutes."
SHOWN = 10
GROUP = 100
"""Originals among which a translation's own one is to be the nearest: by chance one in so many."""
MOST_VECTORS = 6_000
"""Training images of the support vector machine, whose time grows with their square."""
Images = Any
Translate = Callable[[Images], Images]
Judges = tuple[Callable[[Images], Images], Callable[[Images], Images]]
"""What the classifier and the support vector machine take images for."""


@dataclass(frozen=True)
class Method:
    """Both ways of one method: from A to B, from B to A; minutes of training."""

    name: str
    to_b: Translate
    to_a: Translate
    minutes: float


@dataclass(frozen=True)
class Row:
    """One direction of one method: what it is taken for, what it loses, what it keeps."""

    task: str
    method: str
    direction: str
    minutes: float
    taken: float
    taken_by_other: float
    cycle: float
    frechet: float
    brightness: float
    content: float
    returned: float

    def __str__(self) -> str:
        """Return a line of the table."""
        taken = [f"{self.taken:.1%}", f"{self.taken_by_other:.1%}"]
        kept = [f"{self.brightness:.2f}", f"{self.content:.1%}", f"{self.returned:.1%}"]
        far = [f"{self.cycle:.4f}", f"{self.frechet:.2f}"]
        cells = [self.task, self.method, self.direction, f"{self.minutes:.0f}", *taken, *far, *kept]
        return f"| {' | '.join(cells)} |"


def main(words: list[str] | None = None) -> None:
    """Train what is missing, print the table, draw the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="where runs are and go")
    parser.add_argument("--boots", help="the first task's data, such as fashion-mnist:7,9")
    parser.add_argument("--smiles", help="the second task's data, such as FILE.npz:smile")
    parser.add_argument("--zoo", action="store_true", help="take CycleGAN from the zoo")
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--write", type=Path, help="a Markdown file; pictures go beside it")
    given = parser.parse_args(words)
    specs = {"boots": given.boots, "smiles": given.smiles}
    table: list[Row] = []
    notes: list[str] = []
    pictures = []
    for task, spec in specs.items():
        if spec is None:
            continue
        runs, data = given.runs / task, load_unpaired(spec)
        if given.train == "missing":
            train(task, spec, data, runs, zoo=given.zoo)
        judge = latentia.load(runs / "judge")
        found = methods(task, runs, zoo=given.zoo)
        judges = (judge.predict, machine_of_pixels(data))
        features = PixelFeatures().fit(unit_floats(np.asarray(data.x_train[:10_000])))
        known = data, features, judges
        table += [row for method in found for row in measured(task, method, *known)]
        notes.append(quoted(task, judge.name, *known))
        # Photographs of people stay with the runs.
        beside = given.write if given.write is not None and task == "boots" else None
        picture = (beside or given.runs / "cyclegan.md").with_name(f"cyclegan_{task}.png")
        save_png(picture, panels(found, data))
        if beside is not None:
            pictures.append(picture.name)
    lines = [*head(), *map(str, table), "", *notes]
    print(*lines, sep="\n")
    if given.write is not None:
        write_atomically(given.write, "\n".join(page(lines, pictures, zoo=given.zoo)).encode())


def train(task: str, spec: str, data: Dataset, runs: Path, *, zoo: bool) -> None:
    """Train CycleGAN, Pix2Pix on shuffled pairs, and the classifier, unless they are there."""
    if not zoo:
        trained(runs / "cyclegan", ["--recipe", str(RECIPES[task]), "--data", spec])
    if not (runs / "judge").exists():
        judge = ImageClassifier(title=data.name).fit(data.x_train, data.y_train)
        judge.save(runs / "judge")
    like = cyclegan(task, runs, zoo=zoo).get_params()
    folder = runs / "shuffled"
    kept(folder / "minutes.json", lambda: shuffled(data, like, folder))


def shuffled(data: Dataset, like: dict[str, Any], folder: Path) -> float:
    """Train Pix2Pix both ways on random pairs, as long as CycleGAN; return the minutes it took."""
    draw = np.random.default_rng(0)
    sides = [data.x_train[data.y_train == domain] for domain in (0, 1)]
    n = max(map(len, sides))
    a, b = (side[np.resize(draw.permutation(len(side)), n)] for side in sides)
    names = ("width", "n_epochs", "learning_rate", "mirror", "jitter", "random_state")
    # Batches of one would take longer than CycleGAN itself.
    fields = {name: like[name] for name in names} | {"batch_size": max(4, like["batch_size"])}
    began = time.perf_counter()
    for name, x, y in (("ab", a, b), ("ba", b, a)):
        model = latentia.Pix2Pix(learning_rate_schedule="linear", **fields).fit(x, y)
        model.save(folder / name, overwrite=True)
    return (time.perf_counter() - began) / 60


def cyclegan(task: str, runs: Path, *, zoo: bool) -> Any:
    """Return the CycleGAN of a task, of its run or of the zoo."""
    return latentia.load(f"zoo:{ZOO[task]}" if zoo else runs / "cyclegan")


def methods(task: str, runs: Path, *, zoo: bool) -> list[Method]:
    """Return the methods of a task."""
    cycle = cyclegan(task, runs, zoo=zoo)
    if zoo:
        minutes_of_cycle = entry_of(ZOO[task])[1].cpu_minutes
    else:
        minutes_of_cycle = figures(runs / "cyclegan")["seconds"] / 60
    ab, ba = (latentia.load(runs / "shuffled" / name) for name in ("ab", "ba"))
    minutes = json.loads((runs / "shuffled" / "minutes.json").read_text())
    return [
        Method("identity", unit_floats, unit_floats, 0.0),
        Method("Pix2Pix, shuffled pairs", ab.transform, ba.transform, minutes),
        Method("CycleGAN", cycle.transform, cycle.inverse_transform, minutes_of_cycle),
    ]


def domains(data: Dataset) -> tuple[Images, Images]:
    """Return the test images of A and of B, in [0, 1]."""
    a, b = (np.asarray(data.x_test[data.y_test == domain]) for domain in (0, 1))
    return unit_floats(a), unit_floats(b)


def machine_of_pixels(data: Dataset) -> Callable[[Images], Images]:
    """Return what a support vector machine, fitted to real images, takes others for."""
    rows_ = np.random.default_rng(0).permutation(len(data.x_train))[:MOST_VECTORS]
    x = unit_floats(np.asarray(data.x_train[rows_])).reshape(len(rows_), -1)
    machine = SVC(C=10).fit(x, data.y_train[rows_])
    return lambda images: machine.predict(images.reshape(len(images), -1))


def measured(
    task: str, method: Method, data: Dataset, features: PixelFeatures, judges: Judges
) -> list[Row]:
    """Return both directions of a method, on all test images."""
    ways = ((method.to_b, method.to_a), (method.to_a, method.to_b))
    found = []
    sides = domains(data)
    for target, (x, (there, back)) in zip((1, 0), zip(sides, ways)):
        new = there(x)
        returned = back(new)
        direction = " → ".join(data.class_names[side] for side in (1 - target, target))
        found.append(
            Row(
                task,
                method.name,
                direction,
                method.minutes,
                *(float((says(new) == target).mean()) for says in judges),
                float(np.abs(returned - x, dtype=np.float64).mean()),
                frechet_distance(features.transform(sides[target]), features.transform(new)),
                brightness_kept(x, new),
                own_found(features.transform(x), features.transform(new)),
                own_found(features.transform(x), features.transform(returned)),
            )
        )
    return found


def brightness_kept(originals: Images, translated: Images) -> float:
    """Return the correlation of an image's mean brightness with that of its translation."""
    both = [x.reshape(len(x), -1).mean(axis=1, dtype=np.float64) for x in (originals, translated)]
    return float(np.corrcoef(*both)[0, 1])


def own_found(originals: Images, translated: Images) -> float:
    """Return the share of translations whose own original is the nearest of ``GROUP``.

    Each column of either set is first brought to mean 0 and variance 1: what all translations have
    in common is the step from one domain to the other, and no content.
    """
    x, y = (standardised(np.asarray(part, np.float64)) for part in (originals, translated))
    hits = 0
    for first in range(0, len(x), GROUP):
        # The last group is filled up from the images before it.
        at = slice(max(0, min(first, len(x) - GROUP)), first + GROUP)
        apart = np.square(y[at][:, None] - x[at][None]).sum(axis=2)
        own = apart.argmin(axis=1) == np.arange(len(apart))
        hits += int(own[-len(x[first : first + GROUP]) :].sum())
    return hits / len(x)


def standardised(x: Images) -> Images:
    """Return columns of mean 0 and variance 1; constant ones are 0."""
    scale = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(scale > 1e-9, scale, 1.0)


def quoted(task: str, judge: str, data: Dataset, features: PixelFeatures, judges: Judges) -> str:
    """Return what the task's figures must be quoted with."""
    sides = domains(data)
    right = [[float((f(x) == domain).mean()) for domain, x in enumerate(sides)] for f in judges]
    chance = " and ".join(f"{1 / min(GROUP, len(x)):.1%}" for x in sides)
    real = [unit_floats(np.asarray(data.x_train[data.y_train == side])) for side in (0, 1)]
    # As many as are translated into that domain, which is the number of the other.
    real = [x[: len(other)] for x, other in zip(real, sides[::-1])]
    floor = [frechet_distance(*map(features.transform, pair)) for pair in zip(sides, real)]
    return (
        f"- {task}: {len(sides[0])} and {len(sides[1])} test images; {judge}, is right on "
        f"{right[0][0]:.1%} of real {data.class_names[0]} and {right[0][1]:.1%} of real "
        f"{data.class_names[1]}, the support vector machine on {right[1][0]:.1%} and "
        f"{right[1][1]:.1%}; own originals by chance {chance}; Fréchet distance of as many real "
        f"training images {floor[0]:.2f} for {data.class_names[0]} and {floor[1]:.2f} for "
        f"{data.class_names[1]}"
    )


def head() -> list[str]:
    """Return the table's head."""
    names = ["task", "method", "direction", "minutes", "taken for the target"]
    names += ["the same, by a support vector machine of pixels", "cycle L1", "Fréchet distance"]
    names += ["brightness kept"]
    names += [f"own original nearest of {GROUP}", "the same, there and back"]
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def panels(found: list[Method], data: Dataset) -> Any:
    """Return the first test images of both domains, and what each method makes of them."""
    shown: list[tuple[str, Images]] = []
    for x, names, way in zip(domains(data), (data.class_names, data.class_names[::-1]), (0, 1)):
        x = x[:SHOWN]
        shown.append((names[0], x))
        for method in found[1:]:
            there, back = (method.to_b, method.to_a)[:: 1 - 2 * way]
            shown.append((f"→ {names[1]}, {method.name}", there(x)))
            if method.name == "CycleGAN":
                shown.append((f"→ {names[0]}, {method.name}", back(there(x))))
    return rows(shown)


def page(lines: list[str], pictures: list[str], *, zoo: bool) -> list[str]:
    """Return the table as a page."""
    return [
        "# Between two domains without pairs",
        "",
        f"Printed by `python benchmarks/cyclegan.py{' --zoo' * zoo}`; seed 0, minutes of wall",
        "clock. A translation",
        "is taken for the domain that a classifier of the two names. Cycle L1 is the mean absolute",
        "difference, in [0, 1], between an image and what comes back of it. The Fréchet distance",
        "is that of translations to the target's test images, in up to 64 principal components of",
        "the training pixels; it is not FID. Brightness is kept as far as the mean of an image's",
        f"pixels correlates with that of its translation. Detail is kept if, of {GROUP} originals,",
        "a translation's own is the nearest: in the same components, each of mean 0 and variance 1",
        "among originals and among translations, since the step that all translations share is no",
        "content. (A classifier of two domains has features of nothing else.) All test images",
        "count; the picture of boots shows the first ten, which nobody chose.",
        *([OF_ZOO] if zoo else []),
        "",
        *lines,
        "",
        *(f"![Translations]({name})" for name in pictures),
        "",
        "The photographs of faces are not shown, as their source says nothing of their licence.",
        "These twelve, chosen of 96, were drawn by `zoo:dcgan-faces`; below each is what",
        "`zoo:cyclegan-smiles` makes of it, and the way back (`scripts/make_gallery.py`).",
        "",
        "![Drawn faces that begin to smile, and cease to, and the way back](cyclegan_smiles.png)",
        "",
    ]


if __name__ == "__main__":
    main()
