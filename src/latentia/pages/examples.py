"""What a page shows beside a model from image to image: pictures to begin with, colours, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from latentia.data.dataset import Dataset
from latentia.data.lab import luma
from latentia.data.picture_files import read_picture
from latentia.errors import InputError
from latentia.models.exported import Exported
from latentia.models.inputs import spread
from latentia.models.translation.palettes import colours_of
from latentia.models.translation.super_resolution import SuperResolution
from latentia.models.zoo import EXAMPLES
from latentia.pages.thumbnails import sheet
from latentia.plots.grids import is_drawable

MOST_PIXELS, MOST_EXAMPLES = 200_000, 8
"""Values of a sheet of examples, and how many there are at most."""
MOST_ROWS = 50
MOST_SMALL = 64
"""Sides of small examples."""
TILE = 64
"""Sides of the tiles that a page enlarges, in pixels of the small image."""


def translation_of(model: Any, data: Dataset | None, shown: bool) -> dict[str, Any]:
    """Return a translator's domains, the pens' colours of each, and its test images.

    ``examples`` has a sheet for each direction, of a model of pairs the second is empty and
    ``targets`` are what the images of the first should become.
    """
    inputs = (None, None) if data is None else inputs_of(data)
    remembered = (*vars(model).get("palettes_", ()), [], [])[:2]
    fit = shown and data is not None and is_drawable(np.shape(data.x_test))
    found: dict[str, Any] = {
        "domains": vars(model).get("class_names_") or list(data.class_names if data else ()),
        "palettes": [palette_of(x, drawn) for x, drawn in zip(inputs, remembered, strict=True)],
        "examples": [sheet(few(x)) if fit and x is not None and len(x) else None for x in inputs],
        "targets": None,
        "lent": False,
    }
    if (
        fit
        and data is not None
        and data.pair_test is not None
        and is_drawable(np.shape(data.pair_test))
    ):
        chosen = spread(data.pair_test, len(few(data.x_test)))
        found["targets"] = sheet(chosen)
    return found


def lent(picture: Path, model: Any) -> list[NDArray[np.float32]]:
    """Return the images of a translator that lie in the rows of a picture, one row for each way."""
    pixels, shape = read_picture(picture).on_white().pixels, (1, *model.data_shape_)[-3:]
    (c, height, width), (h, w) = pixels.shape, shape[1:]
    ways = len({function.name for function in model.exported()} & {"translate", "translate_back"})
    if not ways:
        raise InputError(
            f"a translator's page begins with {picture}, and {type(model).__name__} is none: leave "
            "it out"
        )
    if not is_drawable((1, *shape)) or (c, height, width % w) != (shape[0], ways * h, 0):
        raise InputError(
            f"{picture} is {c} × {height} × {width}; give a picture of {ways} row"
            f"{'s' * (ways > 1)} of images of {shape[0]} × {h} × {w} side by side, as this model "
            "translates them"
        )
    rows = pixels.reshape(c, ways, h, -1, w).transpose(1, 3, 0, 2, 4)
    return [row.reshape(len(row), *model.data_shape_)[:MOST_EXAMPLES] for row in rows]


def lend(found: dict[str, Any], folder: Path | None, model: Any) -> None:
    """Put the pictures that came with a model among what `translation_of` found without data."""
    if folder is not None and (folder / EXAMPLES).is_file():
        sheets = [sheet(images) for images in lent(folder / EXAMPLES, model)]
        found |= {"examples": [*sheets, None][:2], "lent": True}


def n_held(found: dict[str, Any]) -> int:
    """Return how many test images are in what `translation_of` or `enlarging_of` found."""
    examples = found.get("examples")
    sheets = [examples["sharp"]] if isinstance(examples, dict) else examples or []
    return sum(part["n"] for part in (*sheets, found.get("targets")) if part)


def rows_of(data: Dataset | None, functions: Mapping[str, Exported], shown: bool) -> list[Any]:
    """Return some test rows without gaps, of a table that is encoded."""
    known = functions.get("encode")
    if data is None or known is None or not shown or known.inputs[0].kind != "row":
        return []
    x = np.asarray(data.x_test, float)
    whole = x[np.isfinite(x).all(axis=1)]
    return [[float(f"{v:.5g}") for v in row] for row in spread(whole, MOST_ROWS).tolist()]


def inputs_of(data: Dataset) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Return the test images that go in: of pairs the first ones, else those of each domain."""
    if data.pair_test is not None or data.y_test is None or np.ndim(data.y_test) != 1:
        return data.x_test, None
    domain = np.asarray(data.y_test)
    return data.x_test[domain == 0], data.x_test[domain == 1]


def few(images: NDArray[Any]) -> NDArray[Any]:
    """Return some images, of large ones fewer."""
    each = int(np.prod(images.shape[1:]))
    return spread(images, int(np.clip(MOST_PIXELS // each, 2, MOST_EXAMPLES)))


def palette_of(images: NDArray[Any] | None, drawn: Sequence[str] = ()) -> dict[str, Any]:
    """Return the ground and the pens' colours for images, and whether these have no others.

    ``drawn`` are the colours that a model remembers of its data, for where these are not there;
    without either they are white and black.
    """
    if drawn:
        return {"ground": drawn[0], "colours": [*drawn[1:], drawn[0]], "only": True}
    if images is None or not len(images) or not is_drawable(images.shape):
        return {"ground": "#ffffff", "colours": ["#000000", "#ffffff"], "only": False}
    names, only = colours_of(images)
    pens = [*names[1:], names[0]]
    return {
        "ground": names[0],
        "colours": pens if len(pens) > 1 else [*pens, "#000000"],
        "only": only,
    }


def enlarging_of(
    model: SuperResolution, function: Exported, data: Dataset | None, shown: bool
) -> dict[str, Any]:
    """Return how a page cuts pictures to enlarge them, and small test images beside sharp ones."""
    free = function.inputs[0].free > 0
    sides = function.inputs[0].shape
    found: dict[str, Any] = {
        "scale": model.scale,
        "tile": TILE if free else max(sides),
        "reach": model.reach if free else 0,
        "examples": None,
        "lent": data is None,
    }
    if data is None:
        sharp = photographs_of(sides)
    else:
        sharp = few(data.x_test) if shown and is_drawable(np.shape(data.x_test)) else None
    if sharp is not None:
        found["examples"] = pairs_of(model, sharp, free)
    return found


def photographs_of(shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return scikit-learn's two photographs as images of a shape are, (C, H, W) or (H, W), or none.

    They are under CC BY 2.0, by danielbuechele and vultilion, which the page says.
    """
    colours = np.moveaxis(np.stack(load_sample_images().images), -1, 1)
    if len(shape) == 3 and shape[0] == 3:
        return colours
    grey = luma(colours)
    if len(shape) == 2:
        return grey
    return grey[:, None] if shape[0] == 1 else None


def pairs_of(model: SuperResolution, sharp: NDArray[Any], free: bool) -> dict[str, Any]:
    """Return the middles of sharp images, small and as they were."""
    height, width = sharp.shape[-2:]
    most = MOST_SMALL * model.scale if free else max(model.data_shape_[-2:])
    h, w = (min(side, most) // model.scale * model.scale for side in (height, width))
    top, left = (height - h) // 2, (width - w) // 2
    sharp = sharp[..., top : top + h, left : left + w]
    small = np.asarray(model.inverse_transform(sharp))
    return {"small": sheet(small), "sharp": sheet(sharp), "sides": list(small.shape[-2:])}
