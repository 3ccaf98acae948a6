"""pix2pix: from an image x to the image y that goes with it, learnt from pairs.

    L_cGAN(G, D) = E log D(x, y) + E log(1 − D(x, G(x, z)))             ([1]_ eq. 1)
    L_GAN(G, D)  = E log D(y)    + E log(1 − D(G(x, z)))                (eq. 2: D does not see x)
    L_L1(G)      = E |y − G(x, z)|, the mean over pixels and channels   (eq. 3)
    G* = arg min_G max_D L_cGAN(G, D) + λ L_L1(G)                       (eq. 4)

D minimises −L_cGAN / 2, which slows it beside G, and G minimises −E log D(x, G(x, z)) + λ L_L1
(section 3.3); of logits, ``real_fake_cross_entropy`` is −E log D for the target 1 and −E log(1 − D)
for 0. The noise z is dropout. L1 is taken between images in [−1, 1], as in the authors' code, from
which λ = 100 is.

The mean squared error ("mse") is not the paper's: it is for tasks that are measured by it.

Both players of a step look at one output of the generator, since G does not move between their
losses: the discriminator's loss takes G(x) without its graph, the generator's with it. Norm is of
each image by itself, in training and in use alike: it is the batch norm of the paper's batches of
one, and leaves the batch size free. At small sizes it takes away much of what tells one place from
another, its colour; norm over all channels of an image ("layer") does not.

With a ``patch_size`` a step sees a random piece of each pair at full sharpness, where a street is
some pixels wide; the nets are convolutions, and translate whole images afterwards. From nothing, a
generator soon paints what any image might have, and comes to its own input late: a game that starts
from what L1 alone learns (``pretrain_epochs``, in the run's ``pretraining``) follows it at once.

Shapes: ``X`` is (n, H, W) or (n, C_x, H, W), ``y`` the same with its own channels; inside, ``x``
is (N, C_x, H, W), ``y`` (N, C_y, H, W), in [0, 1]; ``u``, ``v`` the same in [−1, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from latentia.data.dataset import Dataset, ImageSize
from latentia.data.options import USUAL, TableOptions
from latentia.data.pairs import load_pairs
from latentia.errors import (
    Count,
    CountsWhen,
    Decay,
    InputError,
    NonNegative,
    Positive,
    Range,
    Shapes,
    Share,
    Whole,
)
from latentia.models.exported import Exported
from latentia.models.fields import command_name
from latentia.models.inputs import (
    Rows,
    as_array,
    channels_first,
    check_images,
    unit_floats,
    with_labels,
)
from latentia.models.own_nets import PROBABILITIES, Maps, take
from latentia.models.saved import load
from latentia.models.translation import baselines, figures
from latentia.models.translation.base import (
    EXAMINED,
    IMAGE,
    NOT_SIGNED,
    PATCHES,
    VERDICTS,
    Compared,
    Translator,
    examine,
    inside,
    through,
)
from latentia.models.translation.exported import critic, image, way
from latentia.models.translation.patches import jittered, random_patches
from latentia.models.warm_start import warm_start
from latentia.nets.normalisation import Normalisation, noisy
from latentia.nets.patchgan import patch_discriminator
from latentia.nets.unet import DEEPEST, UNet, isola_weights, unet_depth
from latentia.plots.grids import DRAWABLE
from latentia.plots.page import Picture
from latentia.training import draws
from latentia.training.batches import as_floats
from latentia.training.device import full_precision
from latentia.training.losses import real_fake_cross_entropy
from latentia.training.run import Numbers
from latentia.training.updates import Loss, Update

SHOWN = 8
"""Pairs in an epoch's picture."""


SHARED = (
    *("generator", "width", "n_halvings", "n_resized", "norm", "dropout", "patch_size", "jitter"),
    *("mirror", "turn", "batch_size", "beta_1", "beta_2", "ema_decay", "device", "precision"),
)
"""Hyperparameters of the training with L1 alone that are the game's."""


class Pass(NamedTuple):
    """One run of the generator over a batch (x, y): what the nets see, jittered, and G(x)."""

    batch: tuple[Tensor, Tensor]
    u: Tensor
    v: Tensor
    v_fake: Tensor


@dataclass(eq=False, repr=False, kw_only=True)
class Pix2Pix(Translator):
    """Image-to-image translation with a conditional GAN, ``fit(X, y)`` on pairs of images [1]_.

    ``transform(X)`` translates, ``score(X, y)`` is minus the mean absolute error in [0, 1]. Images
    may have any sides from 8 pixels up and any number of channels, X and y each their own; ``fit``
    refuses smaller ones, tables, and a ``y`` that does not pair with X.

    Attributes
    ----------
    generator_, discriminator_
        The nets; with ``objective`` "l1" or "mse" there is no discriminator.
    target_shape_
        Shape of an image of ``y``.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional
       Adversarial Networks", CVPR 2017, sections 3 and 6.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((8, 3, 16, 16))
    >>> model = Pix2Pix(width=4, n_epochs=1, random_state=0).fit(X, 1 - X[:, 0])
    >>> model.transform(X).shape, model.score(X, 1 - X[:, 0]) < 0
    ((8, 16, 16), True)
    """

    generator: nn.Module | None = None
    """A net of your own in the generator's place, of which a copy is trained; none makes one."""
    discriminator: Annotated[nn.Module | None, CountsWhen("objective", ("gan+l1", "gan"))] = None
    """A net of your own in the discriminator's place, which gives logits; none makes one."""
    objective: Literal["gan+l1", "l1", "gan", "mse"] = "gan+l1"
    """What the generator minimises: eq. 4, its second term, its first, or the squared error."""
    l1_weight: Annotated[NonNegative, CountsWhen("objective", ("gan+l1",))] = 100.0
    """λ, the weight of L1 in eq. 4."""
    conditional: Annotated[bool, CountsWhen("objective", ("gan+l1", "gan"))] = True
    """Show the discriminator the input beside the output (eq. 1), or the output alone (eq. 2)."""
    width: Annotated[Count, Shapes("generator", "discriminator")] = 32
    """Channels of both nets' outermost layers (64 in the paper); deeper ones double."""
    n_halvings: Annotated[Annotated[int, Range(1, 8)] | None, Shapes("generator")] = None
    """Halvings of the U-Net, at most to one pixel; none takes all, as the paper does."""
    n_resized: Annotated[Whole, Shapes("generator")] = 0
    """Innermost doublings by repeated pixels and a 3×3 convolution, which draw no lattice."""
    norm: Annotated[Literal["batch", "instance", "layer"], Shapes("generator", "discriminator")] = (
        "instance"
    )
    """Over the batch, over each image's channels one by one (as in the paper), or all together.

    The last, "layer", is the generator's alone: its discriminator has "instance".
    """
    dropout: Annotated[Decay, Shapes("generator")] = 0.5
    """Dropout of the three innermost decoder layers: the noise z."""
    test_noise: Annotated[bool, CountsWhen("dropout", unless=(0,)), Shapes("generator")] = False
    """Keep the dropout in ``transform`` too, as the paper does; it depends on image and seed."""
    patch_size: Annotated[int, Range(8)] | None = None
    """Side of the random pieces that a step learns from, in pixels; none takes whole images."""
    jitter: Annotated[Share, CountsWhen("patch_size", (None,))] = 0.117
    """How much images are enlarged (256 to 286) before a window of their size is cut; 0: none."""
    mirror: Annotated[bool, CountsWhen("turn", (False,))] = True
    """Mirror every second pair by chance."""
    turn: bool = False
    """Mirror pairs either way, and turn square ones, by chance: for views from above."""
    receptive_field: Annotated[
        Literal["auto", "pixel", "16", "70", "image"],
        CountsWhen("objective", ("gan+l1", "gan")),
        Shapes("discriminator"),
    ] = "auto"
    """What a verdict sees: pixel, 16, 70 or the image; auto is 70, or a smaller image whole."""
    pretrain_epochs: Annotated[Whole, CountsWhen("objective", ("gan+l1",))] = 0
    """Passes over the data with L1 alone, from which the game then starts; 0: none."""
    pretrain_rate: Annotated[Positive, CountsWhen("pretrain_epochs", unless=(0,))] = 1e-3
    """The step size of these, which falls along a cosine."""
    batch_size: Count = 4
    """Pairs in a batch, in each process (1 in the paper)."""

    lacks = {
        "sample": "it translates a given image and has no prior to draw one from",
        "inverse_transform": "it learns one direction; fit another with X and y exchanged",
        "reconstruct": "it learns one direction and cannot come back",
    }

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the generator, and the discriminator if there is a game."""
        self._pass: Pass | None = None
        n_in, size = shape[0], self.learnt_size(shape)
        depth = min(unet_depth(size), self.n_halvings or DEEPEST)
        self.generator_: nn.Module = UNet(
            n_in, self.n_outputs, self.width, depth, self.norm, self.dropout, self.n_resized
        )
        self.generator_.apply(isola_weights)
        n_shown = self.n_outputs + n_in * self.conditional
        if self.is_adversarial:
            # Over all channels, what all images share would drown what tells real from made.
            norm: Normalisation = "batch" if self.norm == "batch" else "instance"
            self.discriminator_ = patch_discriminator(
                self.receptive_field, n_shown, self.width, size, norm
            )
            self.discriminator_.apply(isola_weights)
        judge = {"discriminator": Maps(((n_shown, *size),), PATCHES, VERDICTS, PROBABILITIES)}
        output = Maps((shape,), (self.n_outputs, *shape[1:]), IMAGE, NOT_SIGNED)
        take(self, {"generator": output} | (judge if self.is_adversarial else {}))
        start: Pix2Pix | None = vars(self).get("_start")
        if start is not None:
            self.generator_.load_state_dict(start.generator_.state_dict())

    def before_nets(
        self, array: NDArray[Any], y: Any, run: Path | None, progress: bool | None
    ) -> None:
        """Train the generator with L1 alone, if the game is to start from that."""
        if self.pretrain_epochs and self.objective == "gan+l1" and self.beginning is None:
            own = {} if self.generator is None else {"generator": self.generator}
            load_from = partial(load, nets=own)
            with torch.random.fork_rng():
                self._start = warm_start(
                    self.first_model(), None, load_from, (array, y), run, progress
                )

    def first_model(self) -> Pix2Pix:
        """Return the model that is trained first, with this one's generator and L1 alone."""
        return Pix2Pix(
            **{name: getattr(self, name) for name in SHARED},
            objective="l1",
            n_epochs=self.pretrain_epochs,
            learning_rate=self.pretrain_rate,
            learning_rate_schedule="cosine",
            random_state=self.seed_,
        )

    def after_training(self, array: NDArray[Any], y: Any) -> None:
        """Forget the start."""
        self.__dict__.pop("_start", None)

    def learnt_size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return (h, w) of what a step sees of images: a patch, no larger than they are, or all."""
        height, width = (
            side if self.patch_size is None else min(side, self.patch_size) for side in shape[-2:]
        )
        return height, width

    @property
    def is_adversarial(self) -> bool:
        """Whether there is a game, and so a discriminator."""
        return self.objective not in ("l1", "mse")

    @property
    def is_scored(self) -> bool:
        """Whether one loss says how good the model is: if there is no game."""
        return not self.is_adversarial

    def updates(self) -> list[Update]:
        """Move the discriminator, if there is one, then the generator."""
        move = partial(Update, optimizer=self.own_optimizer())
        generator = move("generator", self.generator_loss, [self.generator_])
        if not self.is_adversarial:
            return [generator]
        judge = [self.discriminator_]
        return [move("discriminator", self.discriminator_loss, judge), generator]

    def discriminator_loss(self, x: Tensor, y: Tensor) -> Loss:
        """Return −½ [E log D(x, y) + E log(1 − D(x, G(x)))], and keep G(x) for the generator."""
        shown = self._pass = self.forward_pass(x, y)
        real = self.judged(shown.u, shown.v)
        fake = self.judged(shown.u, shown.v_fake.detach())
        loss = real_fake_cross_entropy(real, 1.0) + real_fake_cross_entropy(fake, 0.0)
        probabilities = {
            "real_probability": real.sigmoid().mean(),
            "fake_probability": fake.sigmoid().mean(),
        }
        return Loss(loss / 2, probabilities)

    def generator_loss(self, x: Tensor, y: Tensor) -> Loss:
        """Return −E log D(x, G(x)) + λ E |y − G(x)|, or the one term that is asked for."""
        shown = self.kept_pass(x, y) or self.forward_pass(x, y)
        measure = mse_loss if self.objective == "mse" else l1_loss
        distance = measure(full_precision(shown.v_fake), shown.v)
        if not self.is_adversarial:
            return Loss(distance)
        adversarial = real_fake_cross_entropy(self.judged(shown.u, shown.v_fake), 1.0)
        terms = {"adversarial": adversarial, "l1": distance}
        if self.objective == "gan":
            return Loss(adversarial, terms)
        return Loss(adversarial + self.l1_weight * distance, terms)

    def forward_pass(self, x: Tensor, y: Tensor) -> Pass:
        """Return a batch, in training jittered or cut, and what the generator makes of it."""
        pair = [x, self.target(y)]
        if self.generator_.training:
            cut = partial(random_patches, size=self.learnt_size(tuple(x.shape)))
            change = partial(jittered, enlargement=self.jitter) if self.patch_size is None else cut
            pair = change(pair, mirror=self.mirror, turn=self.turn)
        u, v = (inside(images) for images in pair)
        return Pass((x, y), u, v, self.generator_(u))

    def kept_pass(self, x: Tensor, y: Tensor) -> Pass | None:
        """Return the discriminator's pass, once, if it was over the same batch."""
        kept, self._pass = self._pass, None
        if kept is None or not all(map(torch.equal, kept.batch, (x, y))):
            return None
        return kept

    def judged(self, u: Tensor, v: Tensor) -> Tensor:
        """Return a logit for each patch of outputs, beside their inputs if D is conditional."""
        seen = torch.cat([u, v.to(u.dtype)], 1) if self.conditional else v
        return full_precision(self.discriminator_(seen))

    def target(self, y: Tensor) -> Tensor:
        """Return a batch of ``y`` as (N, C, H, W) floats in [0, 1]."""
        return as_floats(y).reshape(len(y), self.n_outputs, *y.shape[-2:])

    def output(self, x: Tensor) -> Tensor:
        """Return G(x) without noise, in [0, 1]."""
        return through(self.generator_, x)

    def translate(self, x: Tensor) -> Tensor:
        """Return G(x), or G(x, z) with z a function of the seed and of each image."""
        if not self.test_noise:
            return self.output(x)
        with draws.by_row(x, self.seed_, "noise"), noisy(self.generator_):
            return self.output(x)

    def exported(self) -> tuple[Exported, ...]:
        """Return `translate`, and the discriminator's verdicts on a pair, if there is one."""
        if self.test_noise:
            raise InputError(
                "test_noise keeps dropout, which is drawn anew for each image and is no function "
                "that could be exported: fit with test_noise=False"
            )
        shapes = (self.data_shape_, self.output_shape_)
        translate = way(self, "translate", self.generator_, shapes, self.transform)
        if not self.is_adversarial:
            return (translate,)
        names = ("x", "y") if self.conditional else ("y",)
        seen = [image(self, name, shapes[name == "y"], "of the pair") for name in names]
        return translate, critic("critic", self, self.discriminator_, seen, logits=True)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return minus the mean absolute difference between `transform` and ``y``, in [0, 1]."""
        check_is_fitted(self)
        X, y = with_labels(X, y, self)
        array = self.checked(X, reset=False)
        images, output = self.targets(y, len(array), reset=False), self.transform(array)
        return -float(np.abs(output - unit_floats(images), dtype=np.float64).mean())

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return the first images, what they become, and what they should become."""
        x, targets = x[:SHOWN], self.target(beside[0][:SHOWN])
        rows = [("input", x), ("output", self.output(x)), ("target", targets)]
        return [(label, images) for label, images in rows if images.shape[1] in DRAWABLE]

    def load_data(
        self,
        spec: str,
        image_size: ImageSize = None,
        held_out: float | None = None,
        options: TableOptions = USUAL,
    ) -> Dataset:
        """Return pairs of images, of a name or a path."""
        self.refuse_share(held_out)
        options.refuse(f"{command_name(type(self).__name__)} learns pictures and no tables")
        return load_pairs(spec, image_size=image_size)

    def measure(self, data: Dataset, random_state: int = 0) -> dict[str, float]:
        """Return how near translated test images come to their targets."""
        return baselines.translation_metrics(self, data)

    def caveats(self, data: Dataset) -> tuple[str, ...]:
        """Return the same figures of baselines that know nothing of shapes, and of real images."""
        _, y = baselines.tested_pairs(data)
        return baselines.baseline_notes(data) + baselines.detail_notes(y)

    def findings(self, data: Dataset) -> tuple[str, ...]:
        """Return a sentence if the outputs do not follow their inputs."""
        return baselines.detail_findings(self, data)

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return whether training images' outputs follow their inputs, and a sentence if not."""
        x, y = x[:EXAMINED], targets[0][:EXAMINED]
        shown = {"": Compared(self.output(x), self.target(y))}
        return examine(self, shown, earlier, last=epoch == self.n_epochs_)

    def pictures(self, data: Dataset) -> Iterator[Picture]:
        """Yield test images, what the model makes of them, and their targets."""
        return figures.translations(self, data)

    @property
    def output_shape_(self) -> tuple[int, ...]:
        """(H, W) or (C, H, W) of an image of ``y``."""
        return tuple(self.target_shape_)

    @property
    def n_outputs(self) -> int:
        """The channels of an image of ``y``."""
        return self.output_shape_[0] if len(self.output_shape_) == 3 else 1

    def targets(self, y: Rows, n_rows: int, *, reset: bool) -> NDArray[Any]:
        """Return the images that those of X are to become, checked; ``fit`` learns their shape."""
        owner = type(self).__name__
        self.check_is_image(self.sample_shape_)
        if y is None:
            raise InputError(f"{owner} needs y: for each image of X the one that it is to become")
        images: NDArray[Any] = np.asarray(as_array(y))
        if images.ndim == 4 and images.shape[-2:] != self.sample_shape_[1:]:
            images = channels_first(images, self, reset=True)
        if images.ndim not in (3, 4):
            raise InputError(
                f"y has shape {images.shape}; {owner} learns from images of shape (n, H, W) or "
                "(n, C, H, W)"
            )
        check_images(images, fitting=reset)
        if len(images) != n_rows:
            raise InputError(f"there are {n_rows} images in X and {len(images)} in y; pair them")
        if images.shape[-2:] != self.sample_shape_[1:]:
            raise InputError(
                f"the images of X have sides {self.sample_shape_[1:]} and those of y "
                f"{images.shape[-2:]}; they must agree"
            )
        if reset:
            self.target_shape_ = images.shape[1:]
        elif images.shape[1:] != self.output_shape_:
            raise InputError(
                f"y has images of shape {images.shape[1:]}; this {owner} was fitted on "
                f"{self.output_shape_}"
            )
        return images
