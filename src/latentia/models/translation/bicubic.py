"""Bicubic interpolation, the baseline of super-resolution: nothing is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

from numpy.typing import ArrayLike

from latentia.data.degrade import enlarged
from latentia.models.exported import Exported
from latentia.models.inputs import Channels, unit_floats
from latentia.models.translation.exported import enlargement
from latentia.models.translation.super_resolution import Images, SuperResolution
from latentia.nets.srresnet import BICUBIC_REACH, bicubic_interpolation


@final
@dataclass(eq=False, repr=False, kw_only=True)
class Bicubic(SuperResolution):
    """Bicubic interpolation [1]_ with a = −1/2, as Pillow has it; ``score`` is the PSNR of Y in dB.

    References
    ----------
    .. [1] R. Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE
       Transactions on Acoustics, Speech, and Signal Processing 29, 1981, eq. 4.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((2, 3, 32, 32))
    >>> model = Bicubic(scale=2).fit(X)
    >>> model.transform(X).shape, model.inverse_transform(X).shape, 10 < model.score(X) < 30
    ((2, 3, 64, 64), (2, 3, 16, 16), True)
    """

    def fit(self, X: ArrayLike, y: object = None, *, channels: Channels = "first") -> Self:
        """Learn the number of channels, and nothing else, from images as in the other models."""
        with self.learning(channels=channels):
            self.validate_parameters()
            self.checked(X, reset=True)
            self.check_sharp()
        return self

    def exported(self) -> tuple[Exported, ...]:
        """Return `upscale`, of images of any size."""

        def enlarge(x: Any) -> Any:
            return bicubic_interpolation(x, self.scale).clamp(0, 1)

        sides = (side // self.scale for side in self.data_shape_[-2:])
        return (enlargement(self, enlarge, (*self.data_shape_[:-2], *sides), 1),)

    @property
    def reach(self) -> int:
        """The two pixels to each side that interpolation takes."""
        return BICUBIC_REACH

    def enlarge(self, images: Images) -> Images:
        """Return images enlarged, as floats that are not rounded."""
        return enlarged(unit_floats(images), self.scale)
