"""What adversarial models share: a generator, a prior, a judge, and remedies for their ailments.

Images are scaled to [−1, 1] inside, tables to unit variance. Shapes: ``x`` is (N, C, H, W) in
[0, 1] or (N, d); ``u`` the same as the nets see it; ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import Count, InputError, check_betas, check_range
from latentia.models.adversarial.augmentation import augment
from latentia.models.adversarial.doctor import diagnose, symptoms
from latentia.models.adversarial.remedies import feature_distance, pack, r1, refuse_mixing
from latentia.models.base import Generator, LatentModel
from latentia.models.gradient import DecodingModel, GradientModel
from latentia.nets.discriminator import Discriminator, ParameterHistory, normalise_spectrally
from latentia.nets.mlp import Standardisation
from latentia.nets.players import convolutional_players, dense_players
from latentia.training import draws
from latentia.training.batches import Source, column_moments, column_scale
from latentia.training.losses import full_precision
from latentia.training.run import Numbers
from latentia.training.updates import Loss, Update, adam


@dataclass(eq=False, repr=False, kw_only=True)
class EitherNets:
    """The nets of a game, of either kind.

    It states nothing of a game: a game's own defaults would lose against what it inherits.
    """

    architecture: Literal["auto", "mlp", "convolutional"] = "auto"
    """The nets: fully connected, DCGAN's, or what suits the data."""
    hidden: tuple[int, ...] = (256, 512)
    """Widths of a fully connected generator's layers; its opponent mirrors them."""
    width: int = 32
    """Channels of the convolutional layers next to the image; deeper ones double."""

    def check_widths(self) -> None:
        """Raise InputError for a layer without units."""
        check_range("width", self.width, 1)
        for width in self.hidden:
            check_range("a width in hidden", width, 1)

    def players(
        self,
        shape: tuple[int, ...],
        n_inputs: int,
        *,
        packing: int,
        n_beside: int,
        batch_norm: bool,
        judge: Callable[..., Discriminator],
    ) -> tuple[nn.Module, Discriminator]:
        """Return generator and judge; see `latentia.nets.players.dense_players`."""
        if self.architecture == "mlp" or (self.architecture == "auto" and len(shape) == 1):
            return dense_players(
                shape, n_inputs, self.hidden, packing=packing, n_beside=n_beside, judge=judge
            )
        return convolutional_players(
            image_shape(type(self).__name__, shape),
            n_inputs,
            self.width,
            packing=packing,
            n_beside=n_beside,
            batch_norm=batch_norm,
            judge=judge,
        )


def image_shape(owner: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (C, H, W), or refuse tables and images that strided convolutions cannot take."""
    if len(shape) != 3:
        raise InputError(f"{owner} learns images; the data are a table of shape (n, {shape[0]})")
    if min(shape[1:]) < 8 or max(shape[1:]) > 128:
        raise InputError(f"{owner} takes sides of 8 to 128 pixels; these are {shape[1:]}")
    return shape[0], shape[1], shape[2]


@dataclass(eq=False, repr=False, kw_only=True)
class AdversarialModel(Generator, DecodingModel, GradientModel, LatentModel):
    """A generator that learns through a game, without a density."""

    n_components: Count = 100
    """Size of the latent space."""
    noise: Literal["normal", "uniform"] = "normal"
    """The prior of each component: N(0, 1), or uniform on [−1, 1]."""
    beta_1: float = 0.5
    """Adam's decay of the gradient's mean."""
    beta_2: float = 0.999
    """Adam's decay of the gradient's square."""
    feature_matching: bool = False
    """Let the generator match the mean features of real data, not the verdict."""
    minibatch_discrimination: int = 0
    """Kernels that tell the judge how near the other samples of a batch are; 0 for none."""
    historical_averaging: float = 0.0
    """Weight of each player's squared distance to its past parameters' mean."""
    packing: int = 1
    """Samples that are judged together (PacGAN)."""
    spectral_normalisation: bool = False
    """Divide each of the judge's weights by its largest singular value."""
    r1_penalty: float = 0.0
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

    @property
    @abstractmethod
    def judge(self) -> Discriminator:
        """The discriminator or critic."""

    @property
    @abstractmethod
    def kind_of_game(self) -> str:
        """What the doctor says of a vanishing gradient depends on: minimax, wasserstein, other."""

    @abstractmethod
    def verdict(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return the generator's loss of samples, without what the remedies add to it."""

    @abstractmethod
    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and judge for samples of ``shape``, with their initial weights."""

    def check_game_values(self) -> None:
        """Raise InputError for a shared hyperparameter out of its range."""
        self.check_shared_values()
        check_betas(self)
        check_range("minibatch_discrimination", self.minibatch_discrimination, 0)
        check_range("historical_averaging", self.historical_averaging, 0)
        check_range("packing", self.packing, 1, self.batch_size)
        check_range("r1_penalty", self.r1_penalty, 0)
        refuse_mixing("r1_penalty", self.r1_penalty, self.minibatch_discrimination)

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
        self.generator_, judge = self.make_players(shape)
        if self.spectral_normalisation:
            normalise_spectrally(judge)
        self.keep_judge(judge)
        if self.historical_averaging:
            self.generator_history_ = ParameterHistory(self.generator_)
            self.judge_history_ = ParameterHistory(judge)

    @abstractmethod
    def keep_judge(self, judge: Discriminator) -> None:
        """Keep the judge under the paper's name for it."""

    def turns(
        self, judge_name: str, judge_loss: Callable[..., Tensor | Loss], judge_steps: int
    ) -> list[Update]:
        """Return the game's step: the judge moves so many times, then the generator once."""
        return [
            Update(
                judge_name,
                judge_loss,
                [self.judge],
                repeats=judge_steps,
                optimizer=self.own_optimizer(),
                after=self.after_judge,
            ),
            Update(
                "generator",
                self.generator_loss,
                [self.generator_],
                optimizer=self.own_optimizer(),
                after=self.after_generator,
            ),
        ]

    def generator_loss(self, x: Tensor, *targets: Tensor) -> Tensor:
        """Return the generator's loss, with what the chosen remedies make of it."""
        given = self.condition(*targets)
        return self.verdict(x, self.fake(x, *given), *given) + self.generator_regularisation()

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], torch.optim.Optimizer]:
        """Return what makes a player's optimiser: Adam."""
        betas = (self.beta_1, self.beta_2)
        return partial(adam, learning_rate=self.learning_rate, betas=betas)

    def condition(self, *targets: Tensor) -> tuple[Tensor, ...]:
        """Return what the game is conditioned on; here nothing."""
        return ()

    def inside(self, x: Tensor) -> Tensor:
        """Return data as the nets see them: images in [−1, 1], tables in standard units."""
        return 2 * x - 1 if x.ndim == 4 else self.standardisation_(x)

    def decode(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return ``G(z)`` in the data's units."""
        u = self.generate(z_NK, *given)
        return (u + 1) / 2 if u.ndim == 4 else self.standardisation_.inverse(u)

    def generate(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return ``G(z)`` as the nets see data."""
        u: Tensor = self.generator_(torch.cat([z_NK, *given], 1) if given else z_NK)
        return u

    def draw(self, x: Tensor) -> Tensor:
        """Return as many latent rows from the prior as ``x`` has samples."""
        z_NK = x.new_zeros(len(x), self.n_components)
        if self.noise == "uniform":
            return 2 * draws.uniform_like(z_NK) - 1
        return draws.normal_like(z_NK)

    def latent_draws(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Return (n, n_components) draws from the prior."""
        if self.noise == "uniform":
            return draw.uniform(-1, 1, (n, self.n_components))
        return super().latent_draws(n, draw)

    def fake(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return as many generated samples, as the nets see them, as ``x`` has."""
        return self.generate(self.draw(x), *given)

    def seen(self, u: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """Return data and condition as the judge is shown them: augmented, packed."""
        shown = augment(u, self.augmentation)
        return tuple(pack(part, self.packing) for part in (shown, *given))

    def judged(self, u: Tensor, *given: Tensor) -> Tensor:
        """Return the judge's verdicts (N // packing, 1) on augmented, packed data."""
        return full_precision(self.judge(*self.seen(u, *given)))

    def features_apart(self, u: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
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
        self, *batch: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return what an epoch's end shows of the game's health, and the doctor's sentence."""
        x, *targets = batch
        given, u = self.condition(*targets), self.inside(x)
        found = symptoms(x, u, self.fake(x, *given), lambda u_fake: self.verdict(x, u_fake, *given))
        found |= {key.split("/")[-1]: value for key, value in means.items() if "/" in key}
        diagnosis = diagnose(found, self.kind_of_game, earlier, last=epoch == self.n_epochs)
        self.diagnosis_ = diagnosis.name if diagnosis else "healthy"
        return found, str(diagnosis or "")

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return what 64 fixed latent rows decode to."""
        return [("samples", self.decode(self.draw(x.new_zeros(64, 1))))]
