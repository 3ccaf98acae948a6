"""Picture files through a saved model: what ``latentia translate`` and ``latentia upscale`` do.

Everything that can be known to be wrong before the first picture is refused before it; after that a
picture that cannot be used is told, and the others are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from latentia.data.degrade import enlarged
from latentia.data.images import BadImageError
from latentia.data.limits import excess
from latentia.data.picture_files import Canvas, Order, Picture, fitting, read_picture, write_picture
from latentia.data.remote import Location
from latentia.errors import InputError
from latentia.files import told
from latentia.models.saved import load
from latentia.models.translation.base import Translator
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.pictures import (
    Watch,
    at_fitted_size,
    behind_transparency,
    translated,
    upscaled,
)
from latentia.models.translation.super_resolution import SuperResolution
from latentia.models.translation.tiles import Tiles
from latentia.training.device import set_threads
from latentia.training.progress import FileProgress

BASELINE = "bicubic"
SCALE = 4
"""Of the baseline, unless another is asked for."""


@dataclass
class Outcome:
    """What became of pictures."""

    made: dict[Location, Location] = field(default_factory=dict)
    """For each that was made, the file."""
    failed: dict[str, str] = field(default_factory=dict)
    """For each that could not be used, why."""

    @property
    def bad(self) -> list[str]:
        """A sentence for each picture that could not be used."""
        return [f"{path}: {why}" for path, why in self.failed.items()]


class Cut(NamedTuple):
    """Side of a large picture's tiles and pixels that they share; none leaves it to the model."""

    tile: int | None = None
    overlap: int | None = None


def upscale(
    run: Path | SuperResolution,
    order: Order,
    cut: Cut,
    scale: int | None,
    progress: bool | None = None,
) -> Outcome:
    """Make pictures larger with a model, which may be loaded, or by bicubic interpolation."""
    model = upscaler(run, scale) if isinstance(run, Path) else run
    if cut.tile is not None:
        model.tiles(cut.tile, cut.overlap)

    def enlarge(picture: Picture, watch: Watch) -> Canvas:
        pixels, alpha = picture.pixels, picture.alpha
        if alpha is not None:
            pixels = behind_transparency(pixels, alpha)
        height, width = (side * model.scale for side in pixels.shape[1:])
        if too_many := excess(height * width * (1 if len(pixels) == 1 else 4)):
            raise BadImageError(f"enlarged to {width}×{height} pixels it {too_many}")
        canvas = Canvas(len(pixels), (height, width), deep=pixels.dtype == np.uint16)
        for band in upscaled(model, pixels, cut.tile, cut.overlap, watch):
            canvas.paint(band)
        if alpha is not None:
            canvas.veil(enlarged(alpha[None], model.scale)[0])
        return canvas

    return each(order, "upscale", enlarge, progress)


def upscaler(run: Path, scale: int | None) -> SuperResolution:
    """Return the model in a run, or the baseline if that is its name and no such folder exists."""
    if str(run) == BASELINE and not run.exists():
        any_colours = np.broadcast_to(np.eye(24, dtype=np.float32), (2, 3, 24, 24))
        return Bicubic(scale=SCALE if scale is None else scale).fit(any_colours)
    model = load(run)
    if not isinstance(model, SuperResolution):
        raise InputError(f"{run} holds a {type(model).__name__}, which does not enlarge pictures")
    if scale not in (None, model.scale):
        raise InputError(f"--scale is {scale}; the {type(model).__name__} has scale {model.scale}")
    if model.n_channels not in (1, 3):
        raise _no_pictures(model, model.n_channels)
    return model


def translate(
    run: Path | Translator,
    order: Order,
    cut: Cut,
    *,
    reverse: bool = False,
    resize: bool = False,
    progress: bool | None = None,
) -> Outcome:
    """Translate pictures with a model, at their own size or resized to that of ``fit``."""
    model = translator(run, reverse=reverse) if isinstance(run, Path) else run
    if resize and cut != Cut():
        raise InputError("--resize makes pictures small and needs no --tile and no --overlap")
    if cut.tile is not None:
        Tiles(cut.tile, cut.overlap or 0).check()
    shape = model.data_shape_ if reverse else model.output_shape_
    n_channels = shape[0] if len(shape) == 3 else 1

    def change(picture: Picture, watch: Watch) -> Canvas:
        deep, pixels = picture.pixels.dtype == np.uint16, picture.on_white().pixels
        canvas = Canvas(n_channels, pixels.shape[1:], deep=deep)
        if resize:
            canvas.paint(at_fitted_size(model, pixels, reverse=reverse))
            return canvas
        for band in translated(model, pixels, cut.tile, cut.overlap, watch, reverse=reverse):
            canvas.paint(band)
        return canvas

    return each(order, "translate", change, progress)


def translator(run: Path, *, reverse: bool) -> Translator:
    """Return the model in a run, if it translates pictures in the direction that is asked for."""
    model: Any = load(run)
    name = type(model).__name__
    if not isinstance(model, Translator):
        instead = ": 'latentia upscale' does" if isinstance(model, SuperResolution) else ""
        raise InputError(f"{run} holds a {name}, which does not translate pictures{instead}")
    if reverse and "inverse_transform" in model.lacks:
        raise InputError(f"{name} cannot --reverse: {model.lacks['inverse_transform']}")
    for shape in (model.data_shape_, model.output_shape_):
        if len(shape) == 3 and shape[0] not in (1, 3):
            raise _no_pictures(model, shape[0])
    return model


def _no_pictures(model: Any, n_channels: int) -> InputError:
    return InputError(
        f"this {type(model).__name__} knows images of {n_channels} channels; pictures have 1 or 3"
    )


def each(
    order: Order, title: str, change: Callable[[Picture, Watch], Canvas], progress: bool | None
) -> Outcome:
    """Make a picture of each file; name those that cannot be used, and what was left out."""
    # LATENTIA_THREADS decides, or else torch does.
    set_threads(torch.get_num_threads())
    order.prepare()
    outcome = Outcome()
    with order.ledger as ledger, FileProgress(len(order.targets), title, progress) as watch:

        def refuse(source: object, why: str) -> None:
            outcome.failed[str(source)] = why
            watch.print(f"latentia: {source}: {why}")
            ledger.failed(source, why)

        for name, why in order.bad:
            refuse(name, why)
        for line in order.notes:
            watch.print(f"latentia: {line}")
        for source, path in order.there.items() if order.existing == "skip" else ():
            ledger.made(source, path, order.out)
        for number, (source, target) in enumerate(order.targets.items(), start=1):
            watch.begin(number, source.name)
            try:
                picture = read_picture(source)
                path, notes = _write(change(picture, watch), picture, source, target, order)
            except (BadImageError, OSError, ValueError, MemoryError) as error:
                why = told(error) if isinstance(error, OSError) else str(error)
                refuse(source, why or "there is not enough memory")
                continue
            outcome.made[source] = path
            ledger.made(source, path, order.out)
            for note in notes:
                watch.print(f"latentia: {source}: {note}")
    return outcome


def _write(
    canvas: Canvas, picture: Picture, source: Location, target: Location, order: Order
) -> tuple[Location, Sequence[str]]:
    """Write what became of a picture, in a format that holds it; return where, and what to note."""
    mode = canvas.image.mode
    path, notes = fitting(target, mode), list(picture.notes)
    if path.name != source.name:
        notes.append(f"it became {path.name}, in a format that holds the result")
    if picture.pixels.dtype == np.uint16 and mode == "RGB":
        notes.append("its result has 8 bits a channel, since colours of 16 bits cannot be written")
    if order.is_there(path):
        return path, ["it was left as it is"]
    # A profile of grey pixels says nothing of colours.
    grey = len(picture.pixels) == 1
    fits = grey == (mode in ("L", "LA", "I;16"))
    write_picture(path, canvas.image, picture.profile if fits else None)
    return path, notes
