"""CycleGAN: between two sets of images A and B, none of which belongs to another.

    G: A → B,  F: B → A;  D_B tells B from G(A), D_A tells A from F(B)

    L_GAN(G, D_B) = E log D_B(b) + E log(1 − D_B(G(a)))                            ([1]_ eq. 1)
    L_cyc(G, F)   = E ‖F(G(a)) − a‖₁ + E ‖G(F(b)) − b‖₁                            (eq. 2)
    L(G, F, D_A, D_B) = L_GAN(G, D_B) + L_GAN(F, D_A) + λ L_cyc(G, F)              (eq. 3)
    L_identity(G, F)  = E ‖G(b) − b‖₁ + E ‖F(a) − a‖₁                              (section 5.2)

In place of the logarithms of eq. 1 stand squares ([2]_, [1]_ section 4): G minimises
E (D_B(G(a)) − 1)², and D_B minimises ½ [E (D_B(b) − 1)² + E D_B(G(a))²], where the half slows it
beside G, and each G(a) may be an earlier one out of a pool of 50. ``objective="cross_entropy"`` is
eq. 1 itself, halved likewise, with −E log D_B(G(a)) for G. ``REAL_FAKE[objective](d, t)`` is
E (d − t)², or −E [t log D + (1 − t) log(1 − D)] of logits d. Squares of verdicts in [0, 1] are at
most 1, while logarithms have no bound and may need a larger λ. ‖·‖₁ is the mean over pixels and
channels of images in [−1, 1], as in the authors' code, from which λ = 10 is.

A step moves G and F together, then D_A, then D_B. The discriminators see the translations that the
generators' loss was made of, without their graph. Norm is of each image by itself, in training and
in use alike: it leaves the batch size free, and real and translated images may share a pass.

Shapes: ``X`` is (n, H, W) or (n, C, H, W), ``y`` (n,) the domain of each image; inside, ``a`` and
``b`` are (N, C, H, W) in [0, 1], ``u_a``, ``v_b`` the same in [−1, 1].
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
from torch.nn.functional import l1_loss

from latentia.data.dataset import Array, Dataset, ImageSize
from latentia.data.options import USUAL, TableOptions
from latentia.data.unpaired import load_unpaired
from latentia.errors import Count, CountsWhen, InputError, NonNegative, Range, Shapes, Share, Whole
from latentia.models.base import to_numpy
from latentia.models.conditions import Classes, checked_labels
from latentia.models.exported import Exported
from latentia.models.fields import command_name
from latentia.models.inputs import Labels, in_kind_of, unit_floats, with_labels
from latentia.models.own_nets import PROBABILITIES, Maps, take
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
from latentia.models.translation.exported import both_ways
from latentia.models.translation.image_pool import ImagePool
from latentia.models.translation.palettes import drawn_in
from latentia.models.translation.patches import jittered
from latentia.nets.patchgan import patch_discriminator
from latentia.nets.resnet import ResNetGenerator
from latentia.nets.unet import isola_weights
from latentia.plots.grids import DRAWABLE
from latentia.plots.page import Picture
from latentia.training.batches import Source, as_floats, recycled
from latentia.training.device import full_precision
from latentia.training.losses import REAL_FAKE
from latentia.training.run import Numbers
from latentia.training.updates import Loss, Update

SHOWN = 8
"""Images of each domain in an epoch's picture."""


class Pass(NamedTuple):
    """One run of the generators: (a, b), both as the nets see them, and v_a = F(b), v_b = G(a)."""

    batch: tuple[Tensor, Tensor]
    u_a: Tensor
    u_b: Tensor
    v_a: Tensor
    v_b: Tensor


@dataclass(eq=False, repr=False, kw_only=True)
class CycleGAN(Translator):
    """Unpaired image-to-image translation, ``fit(X, y)`` with each image's domain as y [1]_.

    Of two labels, the smaller is domain A and the larger B. ``transform`` takes A to B,
    ``inverse_transform`` B to A, ``reconstruct`` there and back; ``score`` is minus the mean
    absolute error of that, in [0, 1]. Images may have any sides from 8 pixels up and any number of
    channels, the same in both domains; ``fit`` refuses smaller ones, tables, and other than two
    labels.

    Attributes
    ----------
    generator_ab_, generator_ba_
        The nets G and F.
    discriminator_a_, discriminator_b_
        The nets D_A and D_B.
    classes_
        (2,) the labels of A and B.
    class_names_
        The names of A and B, of a run on data that name their classes.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired Image-to-Image Translation using
       Cycle-Consistent Adversarial Networks", ICCV 2017, sections 3, 4, 5.2 and 7.
    .. [2] X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((8, 3, 16, 16))
    >>> model = CycleGAN(width=4, n_blocks=1, n_epochs=1, random_state=0).fit(X, np.arange(8) % 2)
    >>> model.transform(X).shape, model.inverse_transform(X).shape, model.score(X) < 0
    ((8, 3, 16, 16), (8, 3, 16, 16), True)
    """

    generator_ab: nn.Module | None = None
    """A net of your own from A to B, of which a copy is trained; none makes one."""
    generator_ba: nn.Module | None = None
    """A net of your own from B to A."""
    discriminator_a: nn.Module | None = None
    """A net of your own that judges images of A, by numbers that are no probabilities."""
    discriminator_b: nn.Module | None = None
    """A net of your own that judges images of B."""
    objective: Literal["least_squares", "cross_entropy"] = "least_squares"
    """What the players minimise: squares, as the paper's results, or the logarithms of eq. 1."""
    cycle_weight: NonNegative = 10.0
    """λ, the weight of the way there and back in eq. 3."""
    cycle_weight_b: NonNegative | None = None
    """λ of the way from B to A and back, if another, as the authors' code has it."""
    identity_weight: Annotated[
        NonNegative,
        CountsWhen("cycle_weight", unless=(0,)),
        CountsWhen("cycle_weight_b", unless=(0, None)),
    ] = 0.5
    """Weight, times λ, of leaving images of the other domain as they are (section 5.2); 0: none."""
    pool_size: Whole = 50
    """Earlier translations of each direction that its discriminator sees again; 0: none."""
    n_blocks: Annotated[int, Range(0, 1000), Shapes("generator_ab", "generator_ba")] = 6
    """Residual blocks of each generator (6 in the paper for 128 pixels, 9 from 256 on)."""
    n_halvings: Annotated[int, Range(0, 2), Shapes("generator_ab", "generator_ba")] = 2
    """Halvings of each generator before its blocks (2 in the paper); 1 or 0 keep small detail."""
    skip: Annotated[bool, Shapes("generator_ab", "generator_ba")] = False
    """Let each generator learn a difference that is added to its image, as the paper does not."""
    width: Annotated[
        Count, Shapes("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")
    ] = 32
    """Channels of all nets' outermost layers (64 in the paper); deeper ones double."""
    jitter: Share = 0.0
    """How much images are enlarged (0.117: 256 to 286) before a window is cut; 0: none."""
    mirror: bool = True
    """Mirror every second image by chance."""
    batch_size: Count = 4
    """Images of each domain in a batch, in each process (1 in the paper)."""
    learning_rate_schedule: Literal["constant", "linear", "late-linear", "cosine", "stages"] = (
        "late-linear"
    )
    """How the step size changes: as in the paper, not for half of the run, then to 0."""

    lacks = {"sample": "it translates a given image and has no prior to draw one from"}

    def before_nets(
        self, array: NDArray[Any], y: Any, run: Path | None, progress: bool | None
    ) -> None:
        """Make the pools: part of a run's state, and of no use to a saved model."""
        self.pool_a = ImagePool(self.pool_size, self.sample_shape_)
        self.pool_b = ImagePool(self.pool_size, self.sample_shape_)

    def build(self, shape: tuple[int, ...]) -> None:
        """Make two generators and two discriminators."""
        self._pass: Pass | None = None
        n_channels, size = shape[0], (shape[1], shape[2])
        sizes = (self.width, self.n_blocks, self.n_halvings)
        generator = partial(ResNetGenerator, n_channels, *sizes, skip=self.skip)
        self.generator_ab_: nn.Module = generator()
        self.generator_ba_: nn.Module = generator()
        judge = partial(
            patch_discriminator, self.receptive_field, n_channels, self.width, size, "instance"
        )
        self.discriminator_a_: nn.Module = judge()
        self.discriminator_b_: nn.Module = judge()
        for net in self.nets().values():
            net.apply(isola_weights)
        translation = Maps((shape,), shape, IMAGE, NOT_SIGNED)
        unlike = PROBABILITIES if self.objective == "cross_entropy" else ()
        verdicts = Maps((shape,), PATCHES, VERDICTS, unlike)
        ways = dict.fromkeys(("generator_ab", "generator_ba"), translation)
        take(self, ways | dict.fromkeys(("discriminator_a", "discriminator_b"), verdicts))

    @property
    def is_scored(self) -> bool:
        """Whether one loss says how good the model is: it is a game."""
        return False

    def updates(self) -> list[Update]:
        """Move both generators, then each discriminator."""
        move = partial(Update, optimizer=self.own_optimizer())
        return [
            move("generators", self.generators_loss, [self.generator_ab_, self.generator_ba_]),
            move("discriminator_a", self.discriminator_a_loss, [self.discriminator_a_]),
            move("discriminator_b", self.discriminator_b_loss, [self.discriminator_b_]),
        ]

    def generators_loss(self, a: Tensor, b: Tensor) -> Loss:
        """Return eq. 3 as G and F minimise it, and keep the translations for D_A and D_B."""
        u_a, u_b = (self.seen(images) for images in (a, self.images_of_b(b)))
        v_b, same_b = self.run_on(self.generator_ab_, u_a, u_b)
        v_a, same_a = self.run_on(self.generator_ba_, u_b, u_a)
        self._pass = Pass((a, b), u_a, u_b, v_a.detach(), v_b.detach())
        as_real = partial(REAL_FAKE[self.objective], target=1.0)
        # Eq. 1, for F and for G.
        adversarial = as_real(self.judged(self.discriminator_a_, v_a))
        adversarial = adversarial + as_real(self.judged(self.discriminator_b_, v_b))
        # Eq. 2.
        back_a = full_precision(self.generator_ba_(v_b))
        back_b = full_precision(self.generator_ab_(v_a))
        cycle_a, cycle_b = l1_loss(back_a, u_a), l1_loss(back_b, u_b)
        weight_a = self.cycle_weight
        weight_b = weight_a if self.cycle_weight_b is None else self.cycle_weight_b
        # Eq. 3.
        total = adversarial + weight_a * cycle_a + weight_b * cycle_b
        terms: dict[str, Tensor | float] = {"adversarial": adversarial, "cycle": cycle_a + cycle_b}
        if same_a is not None and same_b is not None:
            left_a, left_b = l1_loss(same_a, u_a), l1_loss(same_b, u_b)
            total = total + self.identity_weight * (weight_a * left_a + weight_b * left_b)
            terms["identity"] = left_a + left_b
        return Loss(total, terms)

    def run_on(self, generator: nn.Module, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return a generator's output for u, and for v if the identity loss takes part."""
        if self.identity_weight == 0:
            return full_precision(generator(u)), None
        out, same = full_precision(generator(torch.cat([u, v]))).chunk(2)
        return out, same

    def discriminator_a_loss(self, a: Tensor, b: Tensor) -> Loss:
        """Return ½ [E (D_A(a) − 1)² + E D_A(F(b))²], F(b) out of the pool."""
        shown = self.kept_pass(a, b)
        return self.discriminator_loss(self.discriminator_a_, shown.u_a, self.pool_a(shown.v_a))

    def discriminator_b_loss(self, a: Tensor, b: Tensor) -> Loss:
        """Return ½ [E (D_B(b) − 1)² + E D_B(G(a))²], G(a) out of the pool."""
        shown = self.kept_pass(a, b)
        return self.discriminator_loss(self.discriminator_b_, shown.u_b, self.pool_b(shown.v_b))

    def discriminator_loss(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Loss:
        """Return ½ [E (D(real) − 1)² + E D(fake)²], or its logarithms, with the mean verdicts."""
        both = torch.cat([real, fake.to(real.dtype)])
        of_real, of_fake = self.judged(discriminator, both).chunk(2)
        game = REAL_FAKE[self.objective]
        loss = (game(of_real, 1.0) + game(of_fake, 0.0)) / 2
        if self.objective == "cross_entropy":
            of_real, of_fake = of_real.sigmoid(), of_fake.sigmoid()
        return Loss(loss, {"real_verdict": of_real.mean(), "fake_verdict": of_fake.mean()})

    def kept_pass(self, a: Tensor, b: Tensor) -> Pass:
        """Return the generators' pass, or run them if the last one was over another batch."""
        kept = self._pass
        if kept is not None and all(map(torch.equal, kept.batch, (a, b))):
            return kept
        with torch.no_grad():
            u_a, u_b = (self.seen(images) for images in (a, self.images_of_b(b)))
            v_a, v_b = self.generator_ba_(u_b), self.generator_ab_(u_a)
        return Pass((a, b), u_a, u_b, full_precision(v_a), full_precision(v_b))

    def images_of_b(self, b: Tensor) -> Tensor:
        """Return a batch's images of B as (N, C, H, W) floats in [0, 1]."""
        return as_floats(b).reshape(len(b), *self.sample_shape_)

    def seen(self, x: Tensor) -> Tensor:
        """Return images as the nets see them: in [−1, 1], in training jittered and mirrored."""
        if self.generator_ab_.training:
            (x,) = jittered([x], self.jitter, mirror=self.mirror)
        return inside(x)

    def judged(self, discriminator: nn.Module, v: Tensor) -> Tensor:
        """Return a verdict for each patch of images: larger for real ones than for others."""
        return full_precision(discriminator(v))

    def translate(self, x: Tensor) -> Tensor:
        """Return G(a), in [0, 1]."""
        return through(self.generator_ab_, x)

    def translate_back(self, b: Tensor) -> Tensor:
        """Return F(b), in [0, 1]."""
        return through(self.generator_ba_, b)

    def cycle_a(self, a: Tensor) -> Tensor:
        """Return F(G(a)), in [0, 1]."""
        return self.translate_back(self.translate(a))

    def cycle_b(self, b: Tensor) -> Tensor:
        """Return G(F(b)), in [0, 1]."""
        return self.translate(self.translate_back(b))

    def inverse_transform(self, X: ArrayLike) -> Any:
        """Return images of domain B translated to A: of the same shape, float32 in [0, 1]."""
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        return in_kind_of(X, self.in_parts("translate_back", array), self)

    def reconstruct(self, X: ArrayLike, y: ArrayLike | None = None) -> Any:
        """Return images translated to the other domain and back.

        ``y`` is (n,) the domain of each; without it, all are of A, and it is
        ``inverse_transform(transform(X))``. Y has the shape of X, float32 in [0, 1].
        """
        check_is_fitted(self)
        X, y = with_labels(X, y, self)
        array = self.checked(X, reset=False)
        if y is None:
            return in_kind_of(X, self.in_parts("cycle_a", array), self)
        domains = self.targets(y, len(array), reset=False)
        output = np.empty(array.shape, np.float32)
        for domain, verb in enumerate(("cycle_a", "cycle_b")):
            rows = domains == domain
            if rows.any():
                output[rows] = self.in_parts(verb, array[rows])
        return in_kind_of(X, output, self)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return minus the mean absolute difference between images and `reconstruct`, in [0, 1].

        Without ``y`` all images are of domain A; with it, each goes round from its own. It says
        how much of an image survives, not how well it is translated: the identity scores 0.
        """
        check_is_fitted(self)
        X, y = with_labels(X, y, self)
        images = self.checked(X, reset=False)
        output = self.reconstruct(images, y)
        return -float(np.abs(output - unit_floats(images), dtype=np.float64).mean())

    def exported(self) -> tuple[Exported, ...]:
        """Return both translations, and both discriminators' verdicts."""
        return both_ways(self)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return images of both domains, what they become, and what comes back."""
        a, b = x[:SHOWN], self.images_of_b(beside[0][:SHOWN])
        if a.shape[1] not in DRAWABLE:
            return []
        fake_b, fake_a = self.translate(a), self.translate_back(b)
        return [
            ("A", a),
            ("A → B", fake_b),
            ("A → B → A", self.translate_back(fake_b)),
            ("B", b),
            ("B → A", fake_a),
            ("B → A → B", self.translate(fake_a)),
        ]

    def load_data(
        self,
        spec: str,
        image_size: ImageSize = None,
        held_out: float | None = None,
        options: TableOptions = USUAL,
    ) -> Dataset:
        """Return images of two domains, of a name or a path."""
        self.refuse_share(held_out)
        options.refuse(f"{command_name(type(self).__name__)} learns pictures and no tables")
        return load_unpaired(spec, image_size=image_size)

    def measure(self, data: Dataset, random_state: int = 0) -> dict[str, float]:
        """Return what is lost there and back, and what is taken for its new domain."""
        return baselines.domain_metrics(self, data)

    def caveats(self, data: Dataset) -> tuple[str, ...]:
        """Return what real test images of each domain are taken for, and what detail they share."""
        real = baselines.tested_domains(data)
        return baselines.domain_notes(data) + baselines.detail_notes(*real)

    def findings(self, data: Dataset) -> tuple[str, ...]:
        """Return a sentence for each way whose outputs do not follow their inputs."""
        return baselines.domain_findings(self, data)

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return whether both ways' outputs follow their inputs, and a sentence if not."""
        a, b = x[:EXAMINED], self.images_of_b(targets[0][:EXAMINED])
        shown = {
            "_b": Compared(self.translate(a), a, "translations from A to B", "inputs"),
            "_a": Compared(self.translate_back(b), b, "translations from B to A", "inputs"),
        }
        return examine(self, shown, earlier, last=epoch == self.n_epochs_)

    def pictures(self, data: Dataset) -> Iterator[Picture]:
        """Yield test images of each domain, translated to the other and back."""
        return figures.both_ways(self, data)

    def remember(self, data: Dataset) -> None:
        """Keep the names of the two domains, and the colours of each where they are drawings."""
        super().remember(data)
        self.palettes_ = [drawn_in(data.x_train[data.y_train == i]) for i in (0, 1)]
        if data.class_names:
            self.class_names_ = list(data.class_names)

    def labels_for(self, y: Array | None) -> tuple[Array, ...]:
        """Return the labels of domains 0 and 1."""
        return () if y is None else (self.classes_[y],)

    @property
    def output_shape_(self) -> tuple[int, ...]:
        """The shape of an image of either domain."""
        return tuple(self.data_shape_)

    def targets(self, y: Labels, n_rows: int, *, reset: bool) -> NDArray[np.int64]:
        """Return (n,) domains, 0 for A and 1 for B, learning their labels in ``fit``."""
        owner = type(self).__name__
        self.check_is_image(self.sample_shape_)
        if y is None:
            raise InputError(f"{owner} needs y: for each image of X its domain, 0 (A) or 1 (B)")
        labels = checked_labels(np.asarray(to_numpy(y)), n_rows)
        if reset:
            found = np.unique(labels)
            if len(found) != 2:
                raise InputError(
                    f"y holds {len(found)} different labels; {owner} translates between 2 domains"
                )
            self.classes_ = found
        return Classes(self.classes_, np.full(2, 0.5)).targets(labels, n_rows)

    def read(self, array: NDArray[Any], y: Labels, *, reset: bool) -> Source:
        """Return batches of an image of A beside one of B, as many as the larger domain has.

        No loss looks at both images of a row, so that it does not matter which ones meet.
        """
        domains = self.targets(y, len(array), reset=reset)
        numbers = [np.flatnonzero(domains == domain) for domain in (0, 1)]
        for label, found in zip(self.classes_, numbers):
            if not len(found):
                raise InputError(f"y holds no image of domain {label!s}; give some of both")
        n = max(map(len, numbers))
        in_a, in_b = (recycled(found, n, seed) for seed, found in enumerate(numbers))
        return Source(array, array, (in_a, in_b))
