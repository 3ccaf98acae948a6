"""SRResNet: the enlarged image nearest to the sharp one, pixel by pixel.

    x_small = the sharp image x made smaller, `latentia.data.degrade`
    min_G  E (x − G(x_small))²,   the mean over pixels and channels              ([1]_ eq. 4)

A step takes a random patch of each sharp image, makes it small, rounds that to 8 bits as a file
would, and enlarges it again. The mean of all sharp images that x_small may come from is the best
guess by this measure, so that the result has a high PSNR and is smoother than any of them:
`translation.srgan` picks one. Its net and patches are these, `UpscalingModel`.

Shapes: ``x`` is (N, C, H, W) in [0, 1], sharp; ``x_small`` is (N, C, h/s, w/s).
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from latentia.errors import Count, CountsWhen, InputError, Range, Shapes, are_own
from latentia.models.apply import apply
from latentia.models.exported import Exported
from latentia.models.gradient import GradientModel
from latentia.models.own_nets import Maps, take
from latentia.models.translation.exported import enlargement
from latentia.models.translation.patches import centre_patches, random_patches
from latentia.models.translation.super_resolution import Images, SuperResolution
from latentia.nets.srresnet import Upscaler, bicubic_degradation, bicubic_interpolation
from latentia.training.device import full_precision
from latentia.training.updates import Update, name_of

MOST_PIXELS = 2**13
"""Small pixels that are enlarged at once: the net's layers take ten thousand bytes for each."""
SHOWN = 6
"""Images in an epoch's picture."""


@dataclass(eq=False, repr=False, kw_only=True)
class UpscalingModel(SuperResolution, GradientModel, ABC):
    """A net that enlarges images."""

    upscaler: nn.Module | None = None
    """A net of your own that enlarges images in [0, 1], of which a copy is trained; none makes one.
    """
    n_blocks: Annotated[int, Range(1, 1000), Shapes("upscaler")] = 16
    """Residual blocks of the net."""
    width: Annotated[Count, Shapes("upscaler")] = 64
    """Channels of the net's layers."""
    batch_norm: Annotated[bool, Shapes("upscaler")] = True
    """Normalise inside the blocks, as the paper does, or not."""
    beside: Annotated[Literal["bicubic", "nothing"], Shapes("upscaler")] = "bicubic"
    """What the net's output is added to: bicubic interpolation, or nothing, as in the paper."""
    patch: Annotated[int, Range(8)] = 96
    """Side of the random patches of sharp images that are learnt from, in pixels."""
    turn: bool = True
    """Mirror and turn patches by chance."""
    batch_size: Count = 16
    """Samples in a batch, in each process."""

    def patch_size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return (h, w) of a patch: no larger than the images, and a multiple of the scale."""
        height, width = (min(self.patch, side) for side in shape[-2:])
        return height - height % self.scale, width - width % self.scale

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the net."""
        self.check_sharp()
        self.upscaler_: Any = Upscaler(
            self.n_channels,
            self.scale,
            self.n_blocks,
            self.width,
            batch_norm=self.batch_norm,
            bicubic=self.beside == "bicubic",
        )
        large = self.patch_size(shape)
        small = (self.n_channels, *(side // self.scale for side in large))
        words = f"the image {self.scale} times larger, in [0, 1]"
        take(self, {"upscaler": Maps((small,), (self.n_channels, *large), words)})

    def patches(self, x: Tensor) -> Tensor:
        """Return random patches in training, and else the middle of each image."""
        size = self.patch_size(tuple(x.shape))
        if self.upscaler_.training:
            return random_patches([x], size, turn=self.turn)[0]
        return centre_patches(x, size)

    def enlarged(self, x_small: Tensor) -> Tensor:
        """Return what the net makes of small images, in float32 and not yet clipped."""
        return full_precision(self.upscaler_(x_small))

    def clipped(self, x_small: Tensor) -> Tensor:
        """Return what the net makes of small images, in [0, 1]."""
        return self.enlarged(x_small).clamp(0, 1)

    def degraded(self, x: Tensor) -> Tensor:
        """Return sharp images made small."""
        return bicubic_degradation(x, self.scale)

    @property
    def reach(self) -> int:
        """How many pixels of the small image, at most, the net reaches to each side."""
        found: int | None = getattr(self.upscaler_, "reach", None)
        if found is None:
            raise InputError(
                "tiles overlap by how far the upscaler of your own looks, which it does not say: "
                "give it an attribute reach, in pixels of the small image, or leave tile out"
            )
        return found

    def enlarge(self, images: Images) -> Images:
        """Return (n, C, h, w) images enlarged by the net, a few at a time."""
        n_at_once = max(1, MOST_PIXELS // (images.shape[-1] * images.shape[-2]))
        return apply(self, "clipped", images, n_at_once=n_at_once)

    def exported(self) -> tuple[Exported, ...]:
        """Return `upscale`, of images of any size if the net is not of the user's own."""
        sides = (side // self.scale for side in self.patch_size(self.data_shape_))
        shape = (*self.data_shape_[:-2], *sides)
        return (enlargement(self, self.clipped, shape, 0 if are_own(self, "upscaler") else 1),)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return the first images made small, enlarged, and as they are."""
        x = centre_patches(x[:SHOWN], self.patch_size(tuple(x.shape)))
        x_small = self.degraded(x)
        bicubic = bicubic_interpolation(x_small, self.scale)
        rows = [("bicubic", bicubic), ("output", self.enlarged(x_small)), ("sharp", x)]
        return [(label, images.clamp(0, 1)) for label, images in rows]


@dataclass(eq=False, repr=False, kw_only=True)
class SRResNet(UpscalingModel):
    """Super-resolution by a residual net, ``fit(X)`` on sharp images [1]_.

    ``transform`` makes images of any size 2 to 8 times larger, ``inverse_transform`` makes them
    smaller, ``score`` is the PSNR of Y in dB. ``fit`` refuses tables, and sides under 8 pixels.

    Attributes
    ----------
    upscaler_
        The net.
    seed_
        The seed that was used.

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
    usual_steps = 2_000
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps to take in whole passes over the data; none takes some 2,000."""

    def updates(self) -> list[Update]:
        """Move the net by one loss."""
        return [Update(name_of(self.loss, "pixels"), self.loss, [self.upscaler_])]

    def loss(self, x: Tensor) -> Tensor:
        """Return the mean squared (eq. 4) or absolute difference of pixels in [0, 1]."""
        x = self.patches(x)
        x_hat = self.enlarged(self.degraded(x))
        return l1_loss(x_hat, x) if self.objective == "l1" else mse_loss(x_hat, x)
