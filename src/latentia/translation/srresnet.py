"""SRResNet: the enlarged image nearest to the sharp one, pixel by pixel.

    x_small = the sharp image x made smaller, `latentia.data.degrade`
    min_G  E (x − G(x_small))²,   the mean over pixels and channels              ([1]_ eq. 4)

The mean of all sharp images that x_small may come from is the best guess by this measure, so that
the result has a high PSNR and is smoother than any of them: `latentia.translation.srgan` picks one.

Shapes: ``x`` is (N, C, H, W) in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from latentia.translation.upscaling import UpscalingModel
from latentia.updates import Update


@final
@dataclass(eq=False, repr=False, kw_only=True)
class SRResNet(UpscalingModel):
    """Super-resolution by a residual net, ``fit(X)`` on sharp images [1]_.

    ``transform`` makes images of any size 2 or 4 times larger, ``inverse_transform`` makes them
    smaller, ``score`` is the PSNR of Y in dB.

    Attributes
    ----------
    upscaler_
        The net.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter, for tables and for images too small.

    References
    ----------
    .. [1] C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
       Adversarial Network", CVPR 2017, sections 2.2 and 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((4, 3, 16, 16))
    >>> model = SRResNet(scale=2, n_blocks=1, width=4, n_epochs=1, random_state=0).fit(X)
    >>> model.transform(X[..., :7]).shape, model.score(X) > 0
    ((4, 3, 32, 14), True)
    """

    objective: Literal["mse", "l1"] = "mse"
    """The mean of squared differences, as in the paper, or of absolute ones."""
    n_epochs: int = 50
    """Passes over the training data."""

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_net_values()

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the net."""
        self.build_upscaler()

    def updates(self) -> list[Update]:
        """One loss moves the net."""
        return [Update("pixels", self.loss, [self.upscaler_])]

    def loss(self, x: Tensor) -> Tensor:
        """Return the mean squared (eq. 4) or absolute difference of pixels in [0, 1]."""
        x = self.patches(x)
        x_hat = self.enlarged(self.degraded(x))
        return l1_loss(x_hat, x) if self.objective == "l1" else mse_loss(x_hat, x)
