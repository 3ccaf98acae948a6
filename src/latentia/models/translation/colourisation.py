"""Colours for grey pictures: a translator that is shown L and predicts a and b of CIELab.

    (â, b̂) = G(L),   picture = RGB(L, â, b̂)

What is known, the lightness, stays as it is, and two channels are left to learn instead of three
([1]_ section 2; pix2pix colours in Lab too, [2]_ section 4.2). L1 has a grey look where several
colours are likely, since their median is near to grey; the game is what asks for one of them.

L is not the value of a grey file's pixel, which is a luma: `latentia.data.lab.lightness` makes the
one of the other.

Shapes: lightness is (n, H, W) in [0, 1], L / 100; pictures are (n, H, W) or (n, 3, H, W).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from latentia.data.lab import check_colours, lab_of, lightness, rgb_of
from latentia.errors import InputError, check_arguments
from latentia.models.inputs import Channels, Rows, as_array, channels_first, in_kind_of
from latentia.models.translation.pix2pix import Pix2Pix

Images = NDArray[Any]
REACH = 110.0
"""What a and b are divided by: no colour of a screen has more of either."""


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Colouriser(BaseEstimator):  # type: ignore[misc]
    """Fit on colour pictures, transform grey ones: a translator from L to a and b [1]_.

    Attributes
    ----------
    translator_
        The fitted translator.
    data_shape_
        (3, H, W) of a picture.
    channels_
        Which axis of pictures holds the channels, first or last.

    References
    ----------
    .. [1] R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 2.
    .. [2] P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional
       Adversarial Networks", CVPR 2017, section 4.2.

    Examples
    --------
    >>> X = np.random.default_rng(0).random((8, 3, 16, 16))
    >>> model = Colouriser(translator=Pix2Pix(width=4, n_epochs=1, random_state=0)).fit(X)
    >>> model.transform(X[:, 0]).shape
    (8, 3, 16, 16)
    """

    translator: Pix2Pix
    """What learns, with its hyperparameters; a copy of it is fitted."""

    def fit(
        self,
        X: Rows,
        y: object = None,
        *,
        progress: bool | None = None,
        channels: Channels = "first",
    ) -> Self:
        """Learn from colour images (n, 3, H, W), uint8 or floats in [0, 1]; y is not used.

        With ``channels`` last they are (n, H, W, 3), and so is what `transform` gives.
        """
        check_arguments(Colouriser.fit, {"channels": channels})
        fresh: Any = copy.copy(self)
        fresh.channels_ = channels
        images = np.asarray(channels_first(as_array(X), fresh, reset=True))
        lab = lab_of(images)
        model: Pix2Pix = clone(self.translator)
        model.fit(lab[:, 0] / 100, scaled(lab[:, 1:]), progress=progress)
        self.data_shape_: tuple[int, ...] = images.shape[1:]
        self.channels_: Channels = channels
        self.translator_ = model
        return self

    def transform(self, X: Rows) -> Any:
        """Return pictures (n, 3, H, W) in [0, 1], or (n, H, W, 3) if those of ``fit`` were such.

        Parameters
        ----------
        X
            (n, H, W) grey pictures as files hold them, or (n, 3, H, W) colour pictures, uint8 or
            floats in [0, 1]. Of both the lightness is taken, as in ``fit``: a grey picture gets the
            colours that it gets with three equal channels.
        """
        check_is_fitted(self)
        images = np.asarray(channels_first(as_array(X), self, reset=False))
        if images.ndim not in (3, 4):
            raise InputError(f"X has shape {images.shape}; give (n, H, W) or (n, 3, H, W)")
        grey = lightness(images if images.ndim == 4 else np.repeat(images[:, None], 3, axis=1))
        return in_kind_of(X, coloured(grey, unscaled(self.translator_.transform(grey))), self)


def scaled(ab: Images) -> NDArray[np.float32]:
    """Return (n, 2, H, W) colours a, b as images in [0, 1]; 1/2 is grey."""
    return np.asarray(ab / (2 * REACH) + 0.5, np.float32)


def unscaled(images: Images) -> NDArray[np.float32]:
    """Return the a and b of images that `scaled` made.

    >>> float(unscaled(scaled(np.array([-40.0])))[0])
    -40.0
    """
    return np.asarray((images - 0.5) * (2 * REACH), np.float32)


def coloured(grey: Images, ab: Images) -> NDArray[np.float32]:
    """Return (n, 3, H, W) pictures of lightness (n, H, W) in [0, 1] and colours (n, 2, H, W)."""
    return rgb_of(np.concatenate([100 * grey[:, None], ab], axis=1))


def chroma(images: Images) -> float:
    """Return the mean of √(a² + b²), how far from grey (n, 3, H, W) pictures are."""
    check_colours(images)
    lab = lab_of(images)
    return float(np.hypot(lab[:, 1], lab[:, 2]).mean())


def colour_error(images: Images, others: Images) -> float:
    """Return the mean of √(Δa² + Δb²) between the colours of (n, 3, H, W) pictures."""
    ab, other_ab = (lab_of(part)[:, 1:] for part in (images, others))
    return float(np.linalg.norm(ab - other_ab, axis=1).mean())
