"""WGAN: a critic that measures a distance, and a generator that shortens it.

    W(P_r, P_θ) = sup_{‖f‖_L ≤ 1}  E f(x) − E f(G_θ(z))                            ([1]_ eq. 2)

Algorithm 1: n_critic times, the critic f_w, which gives a sample any number, moves up

    E f_w(x) − E f_w(G_θ(z)),   then   w ← clip(w, −c, c);

then θ moves down −E f_w(G_θ(z)), once (theorem 3). Clipping bounds the critic's Lipschitz constant
by some K that depends on c and the net: what is logged estimates K times the Wasserstein-1
distance, and K is not known. WGAN-GP plays the same game, `WassersteinGame`, and differs only in
the ``constraint``, which keeps the critic near the 1-Lipschitz functions. The conditional game is
the same with y beside x and z.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``u`` the same as the nets see it; ``z_NK`` is
(N, n_components).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn, optim

from latentia.errors import Count, CountsWhen, Decay, Positive, Shapes, are_own
from latentia.models.adversarial.base import AdversarialModel
from latentia.models.inputs import Rows
from latentia.nets.players import Discriminator, players_for
from latentia.training.updates import Loss, Update, rmsprop


@dataclass(eq=False, repr=False, kw_only=True)
class WassersteinGame(AdversarialModel):
    """A game of a generator against a critic that gives any number."""

    architecture: Annotated[
        Literal["auto", "mlp", "convolutional"], Shapes("generator", "critic")
    ] = "auto"
    """The nets: fully connected, DCGAN's, or what suits the data."""
    hidden: Annotated[
        tuple[Count, ...], CountsWhen("architecture", ("mlp",)), Shapes("generator", "critic")
    ] = (256, 512)
    """Widths of a fully connected generator's layers; the critic mirrors them."""
    width: Annotated[
        Count, CountsWhen("architecture", ("convolutional",)), Shapes("generator", "critic")
    ] = 32
    """Channels of the convolutional layers next to the image; deeper ones double."""
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Steps of the generator in whole passes of the critic over the data; none takes some 1,700."""
    n_critic: Count = 5
    """Steps of the critic for each of the generator."""

    usual_batches = (32, 64)
    usual_steps = 1_700
    judge_name = "critic"
    critic_batch_norm: ClassVar[bool]
    """Whether a convolutional critic has batch norm."""

    @property
    def kind_of_game(self) -> str:
        """The Wasserstein game."""
        return "wasserstein"

    @property
    def projects(self) -> bool:
        """Whether the critic sees y by an inner product with its features."""
        return False

    @abstractmethod
    def constraint(self, u: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return what the critic's loss adds to keep f near the 1-Lipschitz functions."""

    def settled(self, array: Rows) -> Mapping[str, object]:
        """Return which nets these data have."""
        if are_own(self, "generator", "critic"):
            return {}
        return {"architecture": self.nets_of(self.sample_shape_, self.architecture)}

    def make_players(self, shape: tuple[int, ...]) -> tuple[nn.Module, Discriminator]:
        """Return generator and critic, both of which see y if there is one."""
        return players_for(
            shape,
            self.nets_of(shape, self.architecture),
            self.n_components + self.n_given(),
            hidden=self.hidden,
            width=self.width,
            batch_norm=self.critic_batch_norm,
            packing=self.packing,
            n_given=self.n_given() * self.packing,
            projection=self.projects,
            n_kernels=self.minibatch_discrimination,
        )

    @property
    def batches_a_step(self) -> int:
        """Batches that a training step takes: one for each step of the judge."""
        return self.n_critic

    def updates(self) -> list[Update]:
        """Return algorithm 1: several steps of the critic, then one of the generator."""
        move = partial(Update, optimizer=self.own_optimizer())
        n, critic = self.n_critic, [self.judge]
        return [
            move("critic", self.critic_loss, critic, repeats=n, after=self.after_judge),
            move("generator", self.generator_loss, [self.generator_], after=self.after_generator),
        ]

    def critic_loss(self, x: Tensor, *targets: Tensor) -> Loss:
        """Return −(E f(x) − E f(G(z))) and the price of the constraint; the distance is logged."""
        given, u = self.condition(*targets), self.inside(x)
        with torch.no_grad():
            u_fake = self.fake(x, *given)
        distance = self.judged(u, *given).mean() - self.judged(u_fake, *given).mean()
        price = self.constraint(u, u_fake, *given) + self.regularisation(u, *given)
        return Loss(price - distance, {"distance": distance})

    def generator_loss(self, x: Tensor, *targets: Tensor) -> Tensor:
        """Return the generator's loss for new samples, and what the remedies add to it."""
        given = self.condition(*targets)
        u_fake = self.fake(x, *given)
        return self.generator_loss_of(x, u_fake, *given) + self.generator_regularisation()

    def generator_loss_of(self, x: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return −E f(G(z)), or the distance of features in its place."""
        if self.feature_matching:
            return self.feature_matching_loss(self.inside(x), u_fake, *given)
        return -self.judged(u_fake, *given).mean()


@dataclass(eq=False, repr=False, kw_only=True)
class WGAN(WassersteinGame):
    """Wasserstein GAN with weight clipping [1]_.

    Attributes
    ----------
    generator_, critic_
        G and f; every weight of f lies in [−c, c], unless ``clipping`` is None.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein Generative Adversarial Networks", ICML
       2017, eq. 2, theorem 3 and algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> model = WGAN(n_components=4, hidden=(16,), n_epochs=1, random_state=0).fit(X)
    >>> max(float(w.detach().abs().max()) for w in model.critic_.parameters()) <= 0.01
    True
    """

    critic: nn.Module | None = None
    """A net of your own in the critic's place, which gives any number; none makes one."""
    learning_rate: Positive = 2e-4
    """The step size of both players (5e-5 in the paper, which trains for longer)."""
    clipping: Positive | None = 0.01
    """c: the critic's weights stay in [−c, c]; none leaves them to another constraint."""
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    """The paper's RMSprop, or Adam, with which the paper saw training become unstable."""
    beta_1: Annotated[Decay, CountsWhen("optimizer", ("adam",))] = 0.5
    """Adam's decay of the gradient's mean."""
    beta_2: Annotated[Decay, CountsWhen("optimizer", ("adam",))] = 0.999
    """Adam's decay of the gradient's square."""
    spectral_normalisation: Annotated[bool, CountsWhen("clipping", (None,))] = False
    """Divide each of the critic's weights by its largest singular value, in the place of clipping.
    """

    critic_batch_norm = True  # The paper's critic is DCGAN's.

    def own_optimizer(self) -> Callable[[list[nn.Parameter]], optim.Optimizer]:
        """Return what makes a player's optimiser."""
        if self.optimizer == "rmsprop":
            return partial(rmsprop, learning_rate=self.learning_rate)
        return super().own_optimizer()

    def constraint(self, u: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return 0: the weights are clipped instead."""
        return u.new_zeros(())

    @torch.no_grad()
    def after_judge(self) -> None:
        """Clip the critic's weights, each step: w ← clip(w, −c, c), unless c is none."""
        if self.clipping is not None:
            for weight in self.critic_.parameters():
                if weight.requires_grad:
                    weight.clamp_(-self.clipping, self.clipping)
        super().after_judge()
