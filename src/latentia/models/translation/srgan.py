"""SRGAN: an enlarged image that looks like a sharp one, rather than the mean of all that may be.

    D minimises  −E log D(x) − E log(1 − D(G(x_small)))                          ([1]_ eq. 2)
    G minimises  l_X + λ l_Gen,   λ = 10⁻³                                       (eq. 3)
    l_Gen = −E log D(G(x_small))                                                 (eq. 6)
    l_X   = mean (φ(x) − φ(G(x_small)))²   in the features φ of a network        (eq. 5)
          or mean (x − G(x_small))²        of pixels in [−1, 1], SRGAN-MSE       (eq. 4)

The phases of a scale s are the s² places that a pixel of the large image has within one of the
small one. φ and D have strides of their own, and G learns a lattice that pleases them: on even
ground each phase is brighter or darker than it should be. So, with ``lattice_weight``, G minimises

    l_lattice = mean over windows and phases of (mean over the window of x − G(x_small))²

in [−1, 1] as well, in windows of 4×4 pixels of the small image. Texture, whose mean is 0, is free
of it; with the weight 0 the loss is the paper's.

G starts from an SRResNet, which is given or trained first, in the run's folder ``pretraining``:
from random weights the game ends in a poor optimum (section 3.2). The paper's φ is VGG54, of
VGG-19, with a factor of 1/12.75; the network is part of the name of the result, ``result_name``.
Means are taken over pixels, features and images, where the paper's l_Gen is a sum over images.

Of logits, ``real_fake_cross_entropy`` is −E log D for the target 1 and −E log(1 − D) for 0. Both
players of a step look at one patch and one output of G: the discriminator's loss takes it without
its graph, the generator's loss goes on from it, since G has not moved between.

Shapes: ``x`` is (N, C, H, W) in [0, 1]; ``u`` the same in [−1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, mse_loss, pad, pixel_unshuffle

from latentia.errors import Count, CountsWhen, InputError, NonNegative, Positive, Shapes
from latentia.models.apply import eager
from latentia.models.exported import Exported, Quantity, into_nets
from latentia.models.own_nets import PROBABILITIES, Maps, take
from latentia.models.saved import load
from latentia.models.translation.base import inside
from latentia.models.translation.exported import image
from latentia.models.translation.srresnet import SRResNet, UpscalingModel
from latentia.models.warm_start import warm_start
from latentia.nets.features import FeatureNetwork, load_features
from latentia.nets.srresnet import srgan_discriminator
from latentia.training import draws
from latentia.training.device import find_device, full_precision
from latentia.training.losses import real_fake_cross_entropy
from latentia.training.updates import Loss, Update, adam

NET = ("n_channels", "scale", "n_blocks", "width", "batch_norm", "beside")
"""What makes the net what it is."""
SHARED = (*NET[1:], "upscaler", "patch", "turn", "batch_size", "device")
"""Fields of the SRResNet that is trained first; like every warm start, with a constant step."""
PIXELS = "MSE"
"""What the content loss is called that has no feature network."""
SHIFT = 8
"""Pixels within which φ sees both images shifted, each pair by its own draw."""


WINDOW = 4
"""Sides of the windows of the lattice's term, in pixels of the small image."""


class Pass(NamedTuple):
    """One run of the generator over a batch: its patches, and what G makes of them made small."""

    batch: Tensor
    x: Tensor
    x_fake: Tensor


def shifted(x: Tensor, start: Sequence[tuple[int, int]]) -> Tensor:
    """Return (N, C, H, W) windows of images, mirrored at their border, that start as told."""
    h, w = x.shape[2:]
    wide = pad(x, [SHIFT // 2] * 4, mode="reflect")
    return torch.stack([u[:, i : i + h, j : j + w] for u, (i, j) in zip(wide, start, strict=True)])


@dataclass(eq=False, repr=False, kw_only=True)
class SRGAN(UpscalingModel):
    """Super-resolution by a GAN with a feature-space content loss, ``fit(X)`` on sharp images [1]_.

    ``transform`` makes images of any size 2 to 8 times larger, ``inverse_transform`` makes them
    smaller, ``score`` is the PSNR of Y in dB, which falls as the result gets sharper. ``fit`` also
    refuses a ``pretrained`` folder without an SRResNet of this net, and unknown ``features``.

    Attributes
    ----------
    upscaler_, discriminator_
        The nets.
    content_
        The name of the feature network, or MSE.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
       Adversarial Network", CVPR 2017, sections 2 and 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((4, 3, 16, 16))
    >>> sizes = {"scale": 2, "n_blocks": 1, "width": 2, "discriminator_width": 2}
    >>> model = SRGAN(**sizes, n_epochs=1, pretrain_epochs=1, random_state=0).fit(X)
    >>> model.transform(X[..., :7]).shape, model.result_name
    ((4, 3, 32, 14), 'SRGAN-MSE')
    """

    pretrained: str | None = None
    """Folder of a saved SRResNet whose net is the start; none trains one first."""
    pretrain_epochs: Annotated[Count | None, CountsWhen("pretrained", (None,))] = None
    """Passes over the data of the SRResNet that is trained first; none takes its own steps."""
    pretrain_rate: Annotated[Positive, CountsWhen("pretrained", (None,))] = 1e-3
    """Its step size, which stays constant."""
    features: str | None = None
    """Weights of SqueezeNet 1.0 or VGG-19 (.safetensors, .npz); none compares pixels."""
    adversarial_weight: NonNegative = 1e-3
    """λ, the weight of the adversarial loss in eq. 3."""
    lattice_weight: NonNegative = 30.0
    """The weight of the term that keeps a lattice out; 0 is the paper's loss."""
    discriminator: nn.Module | None = None
    """A net of your own in the discriminator's place, which gives logits; none makes one."""
    discriminator_width: Annotated[Count, Shapes("discriminator")] = 64
    """Channels of the discriminator's first layer."""
    usual_steps = 1_000
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps in whole passes over the data, after the SRResNet's; none takes some 1,000."""
    learning_rate: Positive = 1e-4
    """The step size of both players."""

    def check_values(self) -> None:
        """Raise InputError for batches of one."""
        super().check_values()
        if self.batch_size < 2:
            raise InputError(
                f"batch_size is {self.batch_size}; SRGAN's discriminator takes moments over a "
                "batch: it must be at least 2"
            )

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets, in a fit the generator as it was trained."""
        self._pass: Pass | None = None
        super().build(shape)
        start: SRResNet | None = vars(self).get("_start")
        if start is not None:
            self.upscaler_.load_state_dict(start.upscaler_.state_dict())
        patch = (self.n_channels, *self.patch_size(shape))
        self.discriminator_: nn.Module = srgan_discriminator(patch, self.discriminator_width)
        words = "a logit, high for sharp images"
        take(self, {"discriminator": Maps((patch,), (1,), words, PROBABILITIES)})

    @property
    def is_scored(self) -> bool:
        """Whether one loss says how good the model is: it is a game."""
        return False

    def updates(self) -> list[Update]:
        """Move the discriminator first, then the generator."""
        move = partial(Update, optimizer=partial(adam, learning_rate=self.learning_rate))
        return [
            move("discriminator", self.discriminator_loss, [self.discriminator_]),
            move("generator", self.generator_loss, [self.upscaler_]),
        ]

    def discriminator_loss(self, x: Tensor) -> Loss:
        """Return −E log D(x) − E log(1 − D(G(x_small))) (eq. 2), and keep G's output."""
        shown = self._pass = self.forward_pass(x)
        real, fake = self.judged(shown.x), self.judged(shown.x_fake.detach())
        probabilities = {
            "real_probability": real.sigmoid().mean(),
            "fake_probability": fake.sigmoid().mean(),
        }
        loss = real_fake_cross_entropy(real, 1.0) + real_fake_cross_entropy(fake, 0.0)
        return Loss(loss, probabilities)

    def generator_loss(self, x: Tensor) -> Loss:
        """Return l_X + λ l_Gen (eq. 3), and the lattice's term."""
        shown = self.kept_pass(x) or self.forward_pass(x)
        content = self.content_loss(shown.x, shown.x_fake)
        adversarial = real_fake_cross_entropy(self.judged(shown.x_fake), 1.0)
        total = content + self.adversarial_weight * adversarial
        if self.lattice_weight:
            total = total + self.lattice_weight * self.lattice_loss(shown.x, shown.x_fake)
        return Loss(total, {"content": content, "adversarial": adversarial})

    def lattice_loss(self, x: Tensor, x_fake: Tensor) -> Tensor:
        """Return the mean square, over windows and phases, of the mean difference there."""
        away = pixel_unshuffle(inside(x_fake) - inside(x), self.scale)
        return avg_pool2d(away, min(WINDOW, *away.shape[2:])).square().mean()

    def content_loss(self, x: Tensor, x_fake: Tensor) -> Tensor:
        """Return the mean squared difference of features (eq. 5), or of pixels (eq. 4)."""
        if self._features is None:
            return mse_loss(inside(x_fake), inside(x))
        start = (SHIFT * draws.uniform_like(x[:, 0, 0, :2])).int().tolist()
        with torch.no_grad():
            wanted = self._features(shifted(x, start))
        return mse_loss(
            full_precision(self._features(shifted(x_fake, start))), full_precision(wanted)
        )

    def forward_pass(self, x: Tensor) -> Pass:
        """Return patches of a batch and what the generator makes of them made small."""
        patches = self.patches(x)
        return Pass(x, patches, self.enlarged(self.degraded(patches)))

    def kept_pass(self, x: Tensor) -> Pass | None:
        """Return the discriminator's pass, once, if it was over the same batch."""
        kept, self._pass = self._pass, None
        return kept if kept is not None and torch.equal(kept.batch, x) else None

    def judged(self, x: Tensor) -> Tensor:
        """Return (N, 1) logits."""
        return full_precision(self.discriminator_(inside(x)))

    def exported(self) -> tuple[Exported, ...]:
        """Return `upscale`, and the discriminator's probability that a patch is sharp."""
        patch = (*self.data_shape_[:-2], *self.patch_size(self.data_shape_))
        p = Quantity("probability", "probabilities", (1,), "that it was sharp", 0.0, 1.0)

        def judge(x: Tensor) -> Tensor:
            return self.judged(into_nets(self, x)).sigmoid()

        seen, verb = image(self, "x", patch, "a sharp patch"), partial(eager, self, judge)
        return (*super().exported(), Exported("critic", judge, verb, (seen,), (p,)))

    def before_nets(
        self, array: NDArray[Any], y: Any, run: Path | None, progress: bool | None
    ) -> None:
        """Read the feature network, and load the SRResNet or train it."""
        with torch.random.fork_rng():
            self._features = self._feature_network()
        network = self._features
        self.content_ = PIXELS if network is None else network.name
        smallest = 1 if network is None else network.smallest
        if min(self.patch_size(array.shape)) < smallest:
            raise InputError(
                f"{self.content_} takes images of at least {smallest} pixels a side; these patches "
                f"have {self.patch_size(array.shape)}"
            )
        self.check_sharp()
        if self.beginning is not None:
            return
        with torch.random.fork_rng():
            self._start = warm_start(
                self.first_model(), self.pretrained, self.saved_start, (array, None), run, progress
            )

    def first_model(self) -> SRResNet:
        """Return the SRResNet that is trained first, with this model's net."""
        return SRResNet(
            **{name: getattr(self, name) for name in SHARED},
            n_epochs=self.pretrain_epochs,
            learning_rate=self.pretrain_rate,
            precision=self.precision,
            random_state=self.seed_,
        )

    def saved_start(self, folder: str) -> SRResNet:
        """Return the SRResNet in a folder, or refuse one with another net."""
        nets = {} if self.upscaler is None else {"upscaler": self.upscaler}
        start = load(folder, nets=nets)
        if not isinstance(start, SRResNet):
            raise InputError(
                f"{folder} holds a {type(start).__name__}; {type(self).__name__} starts from "
                "SRResNet"
            )
        for name in NET:
            theirs, ours = getattr(start, name), getattr(self, name)
            if theirs != ours:
                raise InputError(
                    f"the SRResNet in {folder} has {name} {theirs!r}; here it is {ours!r}"
                )
        return start

    def _feature_network(self) -> FeatureNetwork | None:
        found: FeatureNetwork | None = vars(self).get("_given_features")
        if found is None and self.features is not None:
            found = load_features(self.features)
        if found is None:
            return None
        if self.n_channels not in (1, 3):
            raise InputError(
                f"{found.name} sees images of 1 or 3 channels; these have {self.n_channels}"
            )
        return found.to(find_device(self.device))

    def after_training(self, array: NDArray[Any], y: Any) -> None:
        """Forget the start."""
        self.__dict__.pop("_start", None)

    @property
    def result_name(self) -> str:
        """The name that figures of this model are quoted under, its feature network in it."""
        return f"{type(self).__name__}-{self.content_}"

    def use_features(self, features: FeatureNetwork) -> Self:
        """Compare images in the features of any network, instead of the field's, from ``fit`` on.

        A clone of the model, and one that is loaded, has the field's alone.
        """
        self._given_features = features
        return self
