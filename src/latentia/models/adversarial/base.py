"""What adversarial models share: a generator, a prior, a judge, and remedies for their ailments.

Images are scaled to [−1, 1] inside, tables to unit variance. Shapes: ``x`` is (N, C, H, W) in
[0, 1] or (N, d); ``u`` the same as the nets see it; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import (
    Count,
    Decay,
    InputError,
    NonNegative,
    Shapes,
    Whole,
    are_own,
    check_range,
    own_among,
)
from latentia.models.adversarial.augmentation import augment
from latentia.models.adversarial.doctor import diagnose, symptoms
from latentia.models.adversarial.remedies import feature_distance, pack, r1
from latentia.models.apply import eager
from latentia.models.base import Generator, LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.exported import Exported, Quantity, into_nets
from latentia.models.gradient import GradientModel
from latentia.models.own_nets import PROBABILITIES, Maps, take
from latentia.nets.mlp import Standardisation
from latentia.nets.players import Discriminator, ParameterHistory, normalise_spectrally
from latentia.training import draws
from latentia.training.batches import Source, column_moments, column_scale
from latentia.training.device import full_precision
from latentia.training.updates import adam

SMALLEST, LARGEST = 8, 256
"""Sides of images in pixels that strided convolutions take."""


@dataclass(eq=False, repr=False, kw_only=True)
class AdversarialModel(Generator, DecodingModel, GradientModel, LatentModel):
    """A generator that learns through a game, without a density.

    A game states the name of its judge and its `kind_of_game`, makes its nets in `make_players`,
    and writes its losses: `generator_loss_of` given samples, and those of its updates. In them
    `fake` is G(z) and `judged` what the judge says of data.
    """

    n_components: Count = 100
    """Size of the latent space."""
    generator: nn.Module | None = None
    """A net of your own in the generator's place, of which a copy is trained; none makes one."""
    prior: Literal["normal", "uniform"] = "normal"
    """The prior of each component: N(0, 1), or uniform on [−1, 1]."""
    beta_1: Decay = 0.5
    """Adam's decay of the gradient's mean."""
    beta_2: Decay = 0.999
    """Adam's decay of the gradient's square."""
    feature_matching: Annotated[bool, Shapes("discriminator", "critic")] = False
    """Let the generator match the mean features of real data, not the verdict."""
    minibatch_discrimination: Annotated[Whole, Shapes("discriminator", "critic")] = 0
    """Kernels that tell the judge how near the other samples of a batch are; 0 for none.

    A batch must have at least two samples, or packs of them.
    """
    historical_averaging: NonNegative = 0.0
    """Weight of each player's squared distance to its past parameters' mean."""
    packing: Count = 1
    """Samples that are judged together (PacGAN)."""
    spectral_normalisation: bool = False
    """Divide each of the judge's weights by its largest singular value."""
    r1_penalty: NonNegative = 0.0
    """Weight γ of half the judge's squared gradient norm on real data; its source has no batch norm
    in the judge, where DCGAN's does."""
    augmentation: Literal["none", "colour", "translation", "cutout", "all"] = "none"
    """Disturb real and fake images alike before they are judged."""

    lacks = {
        "transform": "a GAN has no encoder",
        "fit_transform": "a GAN has no encoder",
        "reconstruct": "a GAN has no encoder",
        "score": "a GAN's density is implicit; use latentia.evaluate",
    }
    judge_name: ClassVar[str]
    """The paper's name for the net that judges; with an underscore, the attribute that holds it."""
    gradient_penalties: ClassVar[tuple[str, ...]] = ("r1_penalty",)
    """Fields that weight a penalty on the norm of the judge's gradient at each sample."""

    @property
    @abstractmethod
    def kind_of_game(self) -> str:
        """Minimax, wasserstein or other: what a vanishing gradient means to the doctor."""

    @abstractmethod
    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and judge for samples of ``shape``, with their initial weights."""

    @abstractmethod
    def generator_loss_of(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return the generator's loss for samples, without what the remedies add to it."""

    @property
    def judge(self) -> Discriminator:
        """The discriminator or critic."""
        found: Discriminator = vars(self)[f"{self.judge_name}_"]
        return found

    def check_values(self) -> None:
        """Refuse packs larger than a batch, and a penalty where samples have no gradient alone."""
        check_range("packing", self.packing, 1, self.batch_size or math.inf)
        for name in self.gradient_penalties:
            if getattr(self, name) and self.minibatch_discrimination:
                raise InputError(
                    f"{name} is {getattr(self, name)} and minibatch_discrimination "
                    f"{self.minibatch_discrimination}, by which the judge sees a batch together, "
                    "so that no sample has a gradient of its own: set one of them to 0, or take "
                    "packing=2 against collapse"
                )

    def check_effects(self, settled: Mapping[str, object]) -> None:
        """Refuse packs larger than a batch, and kernels that compare with nothing."""
        super().check_effects(settled)
        batch: Any = settled.get("batch_size", self.batch_size)
        if batch is None:
            return
        check_range("packing", self.packing, 1, batch)
        if self.minibatch_discrimination and batch // self.packing < 2:
            raise InputError(
                f"minibatch_discrimination is {self.minibatch_discrimination} and has no effect: "
                f"a batch of batch_size = {batch} with packing = {self.packing} gives "
                "the judge one verdict, and there is no other to compare it with"
            )

    @property
    def is_scored(self) -> bool:
        """Whether one loss says how good the model is: it is a game."""
        return False

    def learn_scale(self, source: Source) -> None:
        """Learn the columns' means and scales of a table; images have their range."""
        if len(source.shape) > 1:
            return
        if self.augmentation != "none":
            raise InputError(
                f"augmentation is {self.augmentation!r}, which disturbs images; the data are a "
                "table: leave it 'none'"
            )
        _, _, mean, variance = column_moments(source)
        self.column_mean_: NDArray[Any] = mean.float().numpy()
        self.column_scale_: NDArray[Any] = column_scale(mean, variance).float().numpy()

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the players, the histories of their parameters, and the scaling of tables."""
        self.standardisation_ = Standardisation.identity()
        if len(shape) == 1:
            columns = (self.column_mean_, self.column_scale_)
            self.standardisation_ = Standardisation(*map(torch.tensor, columns))
        if not are_own(self, "generator", self.judge_name):
            self.generator_, judge = self.make_players(shape)
            setattr(self, f"{self.judge_name}_", judge)
        if own_among(self, "generator", self.judge_name):
            take(self, self.maps(shape))
        if self.spectral_normalisation:
            normalise_spectrally(self.judge)
        if self.historical_averaging:
            self.generator_history_ = ParameterHistory(self.generator_)
            self.judge_history_ = ParameterHistory(self.judge)

    def maps(self, shape: tuple[int, ...]) -> Mapping[str, Maps]:
        """Return what the players map to what, y beside z and x, of data as they see them."""
        given = ((self.n_given(),),) if self.n_given() else ()
        packed = (shape[0] * self.packing, *shape[1:])
        beside = tuple((width * self.packing,) for (width,) in given)
        verdict = "a logit, high for real data"
        if self.kind_of_game == "wasserstein":
            verdict = "a number, high for real data, and no logit of a probability"
        image = "an image in [-1, 1], as Tanh gives it"
        sample = image if len(shape) > 1 else "a row in the columns' standard units"
        unlike = (nn.Sigmoid, nn.Softmax, nn.ReLU) if len(shape) > 1 else ()
        return {
            "generator": Maps(((self.n_components,), *given), shape, sample, unlike),
            self.judge_name: Maps((packed, *beside), (1,), verdict, PROBABILITIES),
        }

    def n_given(self) -> int:
        """Return how many numbers the players see beside z and x."""
        return 0

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
        """Return what makes a player's optimiser: Adam."""
        betas = (self.beta_1, self.beta_2)
        return partial(adam, learning_rate=self.learning_rate, betas=betas)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return what the game is conditioned on; here nothing."""
        return ()

    def inside(self, x: Tensor) -> Tensor:
        """Return ``u``, data as the nets see them: images in [−1, 1], tables in standard units."""
        return 2 * x - 1 if x.ndim == 4 else self.standardisation_(x)

    def decode(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return ``G(z)`` in the data's units."""
        u = self.generate(z_NK, *given)
        return (u + 1) / 2 if u.ndim == 4 else self.standardisation_.inverse(u)

    def generate(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return ``G(z)`` as the nets see data."""
        if given and not are_own(self, "generator"):
            z_NK, given = torch.cat([z_NK, *given], 1), ()
        u: Tensor = self.generator_(z_NK, *given)
        return u

    def exported(self) -> tuple[Exported, ...]:
        """Return `generate`, and `critic`, what the judge says of data."""
        return (self.exported_decoder("generate"), self.exported_judge())

    def exported_judge(self) -> Exported:
        """Return the judge of data in their own units, of packs if it judges these."""
        x = self.exported_data("what is judged")
        given = (x, *self.conditions())
        if self.packing > 1:
            given = tuple(
                dataclasses.replace(part, shape=(self.packing, *part.shape)) for part in given
            )
        verdict = Quantity("probability", "probabilities", (1,), "that it is real", 0.0, 1.0)
        if self.kind_of_game == "wasserstein":
            verdict = Quantity("score", "score", (1,), "high for what is real")
        verb = partial(eager, self, self.opinion)
        return Exported("critic", self.opinion, verb, given, (verdict,))

    def opinion(self, x: Tensor, *y: Any) -> Tensor:
        """Return (N, 1) probabilities that data are real, or a critic's scores.

        ``x`` is in the layout of ``fit``; of packs it is (N, packing, ...), and so is ``y``.
        """
        if self.packing > 1:
            x, y = x.flatten(0, 1), tuple(part.flatten(0, 1) for part in y)
        shown: tuple[Any, ...] = (self.inside(into_nets(self, x)), *self.known(*y))
        if self.packing > 1:
            packs = (part.unflatten(0, (-1, self.packing)) for part in shown)
            shown = tuple(part.flatten(1, 2) for part in packs)
        verdict = full_precision(self.judge(*shown))
        return verdict if self.kind_of_game == "wasserstein" else verdict.sigmoid()

    def draw(self, x: Tensor) -> Tensor:
        """Return z from the prior, as many rows as ``x`` has samples."""
        z_NK = x.new_zeros(len(x), self.n_components)
        if self.prior == "uniform":
            return 2 * draws.uniform_like(z_NK) - 1
        return draws.normal_like(z_NK)

    def latent_draws(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Return (n, n_components) draws from the prior."""
        if self.prior == "uniform":
            return draw.uniform(-1, 1, (n, self.n_components))
        return super().latent_draws(n, draw)

    def fake(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return as many generated samples, as the nets see them, as ``x`` has."""
        return self.generate(self.draw(x), *given)

    def seen(self, u: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """Return data and condition as the judge is shown them: augmented, packed."""
        shown = u if self.augmentation == "none" else augment(u, self.augmentation)
        parts = (shown, *given)
        return parts if self.packing == 1 else tuple(pack(part, self.packing) for part in parts)

    def judged(self, u: Tensor, *given: Tensor) -> Tensor:
        """Return the judge's verdicts (N // packing, 1) on augmented, packed data."""
        return full_precision(self.judge(*self.seen(u, *given)))

    def feature_matching_loss(self, u: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return the squared distance of mean features of data and samples."""
        real, fake = (self.judge.features(*self.seen(part, *given)) for part in (u, u_fake))
        # Held-out batches are one process's own: no other takes part.
        together = self.judge.training
        return feature_distance(full_precision(real), full_precision(fake), together=together)

    def regularisation(self, u: Tensor, *given: Tensor) -> Tensor:
        """Return what the remedies add to the judge's loss."""
        penalty = u.new_zeros(())
        if self.r1_penalty:
            penalty = penalty + self.r1_penalty * r1(self.judge, *self.seen(u, *given))
        if self.historical_averaging:
            distance = self.judge_history_.distance(self.judge)
            penalty = penalty + self.historical_averaging * distance
        return penalty

    def generator_regularisation(self) -> Tensor | float:
        """Return what the remedies add to the generator's loss."""
        if not self.historical_averaging:
            return 0.0
        return self.historical_averaging * self.generator_history_.distance(self.generator_)

    def after_judge(self) -> None:
        """Do what follows each step of the judge."""
        if self.historical_averaging:
            self.judge_history_.remember(self.judge)

    def after_generator(self) -> None:
        """Do what follows each step of the generator."""
        if self.historical_averaging:
            self.generator_history_.remember(self.generator_)

    def checkup(
        self,
        x: Tensor,
        *targets: Tensor,
        means: Mapping[str, float],
        earlier: Sequence[Mapping[str, float]],
        epoch: int,
    ) -> tuple[dict[str, float], str]:
        """Return what an epoch's end shows of the game's health, and the doctor's sentence."""
        given, u = self.condition(*targets), self.inside(x)
        found = symptoms(
            x, u, self.fake(x, *given), lambda u_fake: self.generator_loss_of(x, u_fake, *given)
        )
        found |= {key.split("/")[-1]: value for key, value in means.items() if "/" in key}
        diagnosis = diagnose(found, self.kind_of_game, earlier, last=epoch == self.n_epochs_)
        self.diagnosis_ = diagnosis.name if diagnosis else "healthy"
        return found, diagnosis.sentence if diagnosis else ""

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed latent rows decode to."""
        return [("samples", self.decode(self.draw(x.new_zeros(64, 1))))]

    def nets_of(self, shape: tuple[int, ...], chosen: str) -> Literal["mlp", "convolutional"]:
        """Return which nets samples of ``shape`` have, if the choice is left to them."""
        if chosen == "mlp" or (chosen == "auto" and len(shape) == 1):
            return "mlp"
        self.check_is_image(shape)
        return "convolutional"

    def check_is_image(self, shape: tuple[int, ...]) -> None:
        """Refuse tables, and images that strided convolutions cannot take."""
        owner = type(self).__name__
        if len(shape) != 3:
            raise InputError(
                f"{owner} learns images; the data are a table of shape (n, {shape[0]})"
            )
        if min(shape[1:]) < SMALLEST or max(shape[1:]) > LARGEST:
            raise InputError(
                f"{owner} takes sides of {SMALLEST} to {LARGEST} pixels; these are {shape[1:]}"
            )
