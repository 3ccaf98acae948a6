"""One's own picture files in the format that a model was trained on.

A picture is read by the rules of `latentia.data.images`, cropped around its centre to the model's
proportions, resized (Lanczos), and made grey or coloured as the model's samples are.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from latentia.data.images import BadImageError, read
from latentia.errors import FitWarning, InputError
from latentia.models.base import LatentModel


def read_pictures(paths: Sequence[str | Path], model: LatentModel) -> NDArray[np.uint8]:
    """Return (n, *data_shape_) uint8 images from files.

    Parameters
    ----------
    paths
        At least one picture: PNG, JPEG, or whatever Pillow reads.
    model
        A fitted model of grey or RGB images.
    """
    shape = model.data_shape_
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[0] not in (1, 3)):
        raise InputError(
            f"this {type(model).__name__} knows samples of shape {shape}, and pictures are grey or "
            "RGB images"
        )
    if not paths:
        raise InputError("there are no picture files; name at least one")
    return np.stack([_read(Path(path), shape) for path in paths])


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if path.is_dir():
        raise InputError(f"{path} is a folder; name picture files")
    try:
        pixels, notes = read(path)
    except BadImageError as error:
        raise InputError(f"{path} cannot be used as a picture: {error}") from None
    for note in notes:
        warnings.warn(f"{path}: {note}", FitWarning, stacklevel=3)
    image = Image.fromarray(pixels if pixels.ndim == 2 else np.moveaxis(pixels, 0, 2))
    size = shape[-1], shape[-2]
    coloured = len(shape) == 3 and shape[0] == 3
    fitted = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    array = np.asarray(fitted.convert("RGB" if coloured else "L"))
    return (np.moveaxis(array, 2, 0) if coloured else array).reshape(shape)
