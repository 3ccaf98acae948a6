"""The jobs behind ``latentia explore``: a saved model, data and options to a file and lines."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentia.cli.explore_idle import refuse_idle
from latentia.cli.explore_inputs import FRAMES, Task
from latentia.errors import InputError
from latentia.explore.animate import check_animation, mosaic, there_and_back, write_animation
from latentia.explore.attributes import attribute_direction, attribute_figure, edit
from latentia.explore.blending import blend_codes, blend_figure, shares_of_two
from latentia.explore.codes import codes_of, prior_draws
from latentia.explore.interpolation import interpolate_codes, interpolation_figure, latent_path
from latentia.explore.inversion import STEPS, inversion_figure, invert
from latentia.explore.labels import Pair
from latentia.explore.latent_map import manifold, map_figure
from latentia.explore.neighbours import nearest_neighbours, neighbours_figure
from latentia.explore.pixel_classifiers import PixelClassifiers, attribute_check
from latentia.explore.traversal import traversal_figure, traverse
from latentia.files import write_atomically
from latentia.models.base import Encoder, Generator
from latentia.models.inputs import spread
from latentia.models.saved import load
from latentia.plots.style import png_bytes
from latentia.training.device import set_threads

MOST_POOL = 20_000
"""Training samples among which neighbours are sought."""
EXAMPLES, DRAWN = 3, 4
"""Samples that are edited with and without an attribute, and draws that are walked between."""


@dataclass(frozen=True)
class Outcome:
    """What an action found: arrays for .npz, a figure for .png, frames for .gif and .mp4."""

    arrays: Mapping[str, Any]
    figure: Callable[[], Figure]
    frames: NDArray[Any] | None = None
    lines: Sequence[str] = ()


def run(action: str, given: argparse.Namespace) -> list[str]:
    """Do what an action asks; write its file, and return the lines to print."""
    set_threads()
    out = given.out
    if out.suffix in (".gif", ".mp4"):
        check_animation(out, given.frames_per_second)
    model = load(given.run)
    refuse_idle(action, given, model)
    outcome = JOBS[action](Task(model, given))
    if out.suffix == ".png":
        write_atomically(out, png_bytes(outcome.figure()))
    elif out.suffix == ".npz":
        stream = BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **outcome.arrays)
        write_atomically(out, stream.getvalue())
    elif outcome.frames is not None:
        write_animation(out, there_and_back(outcome.frames), given.frames_per_second)
    return [str(out), *outcome.lines]


def _interpolate(task: Task) -> Outcome:
    model, given = task.model, task.given
    originals = None
    if isinstance(model, Encoder) or given.rows or given.images:
        originals = task.samples((0, 1))
        if len(originals) < 2:
            raise InputError(f"a walk needs at least two samples; {len(originals)} was given")
        anchors = task.codes(originals)
    elif isinstance(model, Generator):
        anchors = prior_draws(model, DRAWN, given.random_state)
    else:
        raise InputError(f"{type(model).__name__} draws no codes; give --rows or --images")
    n_steps, bent = task.steps(8), given.spherical
    images = interpolate_codes(model, anchors, n_steps, spherical=bent)
    return Outcome(
        {"codes": latent_path(anchors, n_steps, spherical=bent), "images": images},
        lambda: interpolation_figure(model, anchors, originals, n_steps, spherical=bent),
        images,
    )


def _map(task: Task) -> Outcome:
    model, given = task.model, task.given
    codes = codes_of(model, task.test) if isinstance(model, Encoder) else None
    grid = manifold(model, codes, given.coordinates, given.n_grid, given.random_state)
    arrays = {"codes": grid.codes, "images": grid.images}
    if codes is None or (found := task.shown_labels()) is None:
        return Outcome(arrays, lambda: map_figure(grid, codes))
    labels = found.test[task.kept]
    arrays |= {"test_codes": codes, "test_labels": labels}
    return Outcome(arrays, lambda: map_figure(grid, codes, labels, found.names))


def _traverse(task: Task) -> Outcome:
    model, given = task.model, task.given
    centre = None
    if given.rows or given.images:
        own = task.samples(())
        if len(own) != 1:
            raise InputError(f"a traversal starts from one sample; {len(own)} were given")
        centre = task.codes(own)[0]
    walks = traverse(
        model,
        task.test if isinstance(model, Encoder) else None,
        centre,
        coordinates=given.coordinates,
        n_coordinates=given.n_coordinates,
        reach=given.reach,
        n_steps=task.steps(7),
        random_state=given.random_state,
    )
    arrays = {
        "images": walks.images,
        "codes": walks.codes,
        "coordinates": walks.coordinates,
        "importance": walks.importance.values,
    }
    frames = mosaic(walks.images) if task.moves else None
    return Outcome(arrays, lambda: traversal_figure(walks), frames)


def _attribute(task: Task) -> Outcome:
    model, given = task.model, task.given
    labels = task.attributes()
    name = task.attribute(labels)
    direction = _direction(task, labels, name)
    has = labels[name][1]
    half = [np.flatnonzero(has == side)[:EXAMPLES].tolist() for side in (False, True)]
    samples = task.samples(half[0] + half[1])
    strengths = given.strengths
    if task.moves:
        strengths = np.linspace(min(strengths), max(strengths), FRAMES).tolist()
    edited = edit(model, samples, direction, strengths, residual=given.residual)
    names = [path.name for path in given.images or ()] or [
        f"{'' if has[row] else 'not '}{name}, row {row}" for row in task.rows(half[0] + half[1])
    ]
    captions: list[list[str]] = []
    lines: list[str] = []
    if given.check and not task.moves:
        captions, lines = _judged(task, labels, name, direction, samples, edited)
    return Outcome(
        {"direction": direction, "originals": samples, "edited": edited, "strengths": strengths},
        lambda: attribute_figure(
            samples, edited, strengths, name, captions, names, residual=given.residual
        ),
        mosaic(edited) if task.moves else None,
        lines,
    )


def _direction(task: Task, labels: Mapping[str, Pair], name: str) -> NDArray[np.float64]:
    given = task.given
    codes = codes_of(task.model, task.data.x_train)
    against = None
    if given.orthogonal:
        others = [key for key in labels if key != name]
        if not others:
            raise InputError("--orthogonal needs other attributes; give their --labels too")
        against = [attribute_direction(codes, labels[key][0], "classifier") for key in others]
    return attribute_direction(codes, labels[name][0], given.method, against)


def _judged(
    task: Task,
    labels: Mapping[str, Pair],
    name: str,
    direction: NDArray[np.float64],
    samples: NDArray[Any],
    edited: NDArray[Any],
) -> tuple[list[list[str]], list[str]]:
    """Return the attribute's probability below each image, and the check in words."""
    given, judged = task.given, task.judged(labels, name)
    judges = PixelClassifiers(task.data.x_train, {key: pair[0] for key, pair in judged.items()})
    held_out = {key: pair[1] for key, pair in judged.items()}
    check = attribute_check(
        task.model,
        task.test,
        held_out,
        name,
        direction,
        judges,
        given.strengths,
        residual=given.residual,
    )
    order = np.argsort(given.strengths, kind="stable")
    rows = [judges.probabilities(samples)[name][:, None]]
    walks = edited.reshape(-1, *edited.shape[2:])
    rows.append(judges.probabilities(walks)[name].reshape(edited.shape[:2])[:, order])
    captions = [[f"{p:.0%}" for p in row] for row in np.concatenate(rows, axis=1)]
    alike = ", ".join(key for key in labels if key not in judged)
    told = [f"not judged, since all test samples are alike: {alike}"] if alike else []
    return captions, [*str(check).splitlines(), *told]


def _blend(task: Task) -> Outcome:
    model, given = task.model, task.given
    samples = task.samples((0, 1))
    if given.n_steps is not None and (given.weights is not None or len(samples) != 2):
        raise InputError("--n-steps is of a walk between two samples; leave it, or --weights, out")
    codes, weights = task.codes(samples), given.weights
    if weights is None and len(samples) == 2:
        weights = shares_of_two(task.steps(5))
    blends = blend_codes(model, codes, weights)
    return Outcome(
        {"images": blends, "codes": codes},
        lambda: blend_figure(model, samples, codes, weights),
        blends,
    )


def _neighbours(task: Task) -> Outcome:
    model, given, data = task.model, task.given, task.data
    kept = spread(np.arange(len(data.x_train)), MOST_POOL)
    pool, queries = np.asarray(data.x_train[kept]), task.samples(range(5))
    found = nearest_neighbours(model, queries, pool, given.n_neighbours)
    arrays = {"latent": kept[found.latent], "pixel": kept[found.pixel]}
    own = None if given.images else task.shown_labels()
    if own is None:
        return Outcome(arrays, lambda: neighbours_figure(found, queries, pool))
    labels = own.test[task.rows(range(5))], own.train[kept], own.names
    return Outcome(arrays, lambda: neighbours_figure(found, queries, pool, *labels))


def _invert(task: Task) -> Outcome:
    given, samples = task.given, task.samples(range(8))
    found = invert(
        task.model,
        samples,
        n_steps=STEPS if given.n_steps is None else given.n_steps,
        n_restarts=given.n_restarts,
        prior_weight=given.prior_weight,
        random_state=given.random_state,
    )
    arrays = {"codes": found.codes, "images": found.images, "squared_errors": found.squared_errors}
    errors = " ".join(f"{error:.3g}" for error in found.squared_errors)
    return Outcome(
        arrays,
        lambda: inversion_figure(found, samples),
        lines=[f"squared error of each sample: {errors}"],
    )


JOBS: Mapping[str, Callable[[Task], Outcome]] = {
    "interpolate": _interpolate,
    "map": _map,
    "traverse": _traverse,
    "attribute": _attribute,
    "blend": _blend,
    "neighbours": _neighbours,
    "invert": _invert,
}
