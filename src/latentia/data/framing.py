"""How pictures of any sizes become pictures of one size.

A frame is ``64`` (a square), or ``64x48``: 64 pixels wide and 48 high. A picture either covers it,
and what stands out is cut off alike on both sides (``crop``, the usual), or lies whole in it, on
black (``fit``): ``64x48 fit``. Both resample by Lanczos' kernel, widened with the scale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

import numpy as np
from PIL import Image, ImageOps

from latentia.data.dataset import Array, ImageSize
from latentia.errors import InputError

WORDS = ("fit", "crop")
"""How pictures are brought to a size that is not asked for."""
USUAL = 64
"""Side of the square where pictures differ in size and none is asked for."""
LARGE = 256
"""Pictures of one size are taken as they are up to this side."""
STEP = 8
"""Of the sides that are chosen below the usual one: nets halve a side three times."""


@dataclass(frozen=True)
class Frame:
    """What pictures are brought to.

    Attributes
    ----------
    width, height
        In pixels.
    whole
        Whether a picture lies whole in it, on black, rather than covers it.
    """

    width: int
    height: int
    whole: bool = False

    def __str__(self) -> str:
        """Say it as `frame_of` reads it."""
        return f"{self.width}x{self.height}{' fit' if self.whole else ''}"

    @property
    def words(self) -> str:
        """The same in a sentence."""
        how = "whole, on black" if self.whole else "cut from the middle (--fit keeps them whole)"
        return f"{self.width}×{self.height} pixels (width × height), {how}"

    @property
    def asked(self) -> int | str:
        """The same as it is asked for, the shortest way; a run's ``config.json`` keeps it."""
        plain = self.width == self.height and not self.whole
        return self.width if plain else str(self)

    def of(self, picture: Array) -> Array:
        """Return an (H, W) or (C, H, W) picture in the frame, of its own type."""
        planes = [picture] if picture.ndim == 2 else list(picture)
        if picture.dtype == np.uint8 and len(planes) == 3:
            image = Image.fromarray(np.ascontiguousarray(np.moveaxis(picture, 0, 2)))
            return np.moveaxis(np.asarray(self._placed(image)), 2, 0)
        framed = [
            np.asarray(self._placed(Image.fromarray(np.ascontiguousarray(p)))) for p in planes
        ]
        if picture.dtype != np.uint8:
            framed = [plane.clip(0, 1) for plane in framed]
        return framed[0] if picture.ndim == 2 else np.stack(framed)

    def _placed(self, image: Image.Image) -> Image.Image:
        place = ImageOps.pad if self.whole else ImageOps.fit
        return place(image, (self.width, self.height), Image.Resampling.LANCZOS)


def frame_of(image_size: ImageSize) -> Frame | None:
    """Return what is meant by an image size, or None where none is asked for.

    >>> frame_of("64x48 fit")
    Frame(width=64, height=48, whole=True)
    """
    if image_size is None or image_size in WORDS:
        return None
    many = isinstance(image_size, tuple | list)
    words = "x".join(map(str, image_size)) if many else str(image_size)  # type: ignore[arg-type]
    found = re.fullmatch(r"(\d{1,6})(?:\s*[xX×]\s*(\d{1,6}))?(?:\s+(fit|crop))?", words.strip())
    if found is None or 0 in (int(found[1]), int(found[2] or 1)):
        raise InputError(
            f"image_size is {words:.40}; it must be a whole number of pixels of at least "
            "1, or width x height, such as 64x48, with fit behind it for whole pictures on black"
        )
    return Frame(int(found[1]), int(found[2] or found[1]), found[3] == "fit")


def chosen_frame(
    sizes: Sequence[tuple[int, int]], owner: str, word: ImageSize = None
) -> tuple[Frame | None, str]:
    """Return the frame for pictures of these (width, height) where none is asked for, and why.

    Pictures of one size up to `LARGE` stay as they are. Otherwise it is a square of `USUAL` pixels,
    or less if half of the pictures have a shorter side. With the ``word`` fit pictures lie whole in
    it. With either word what other pictures will be brought to is known also where these stay.
    """
    fit = word == "fit"
    kinds = sorted(set(sizes), key=lambda size: size[0] * size[1])
    if not kinds or (len(kinds) == 1 and max(kinds[0]) <= LARGE):
        return (Frame(*kinds[0], fit) if kinds and word in WORDS else None), ""
    middle = median_low(min(size) for size in sizes)
    side = USUAL if middle >= USUAL else max(middle - middle % STEP, min(middle, STEP))
    frame = Frame(side, side, fit)
    (low, high), n = (f"{w}×{h}" for w, h in (kinds[0], kinds[-1])), len(kinds)
    why = f"have {n} sizes, from {low} to {high}" if n > 1 else f"are {low} pixels large"
    usual = f"{USUAL} is the usual side"
    least = usual if side == USUAL else f"{usual}, and half of them are smaller"
    return frame, (
        f"the pictures in {owner} {why}, and were brought to {frame.words}; {least}, and "
        "--image-size 128 or 64x48 takes another."
    )
