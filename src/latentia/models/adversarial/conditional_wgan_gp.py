"""Conditional WGAN-GP: the penalised Wasserstein game of x given its class or measurements y.

    L = E f(G(z, y), y) − E f(x, y) + λ E (‖∇_x̂ f(x̂, y)‖₂ − 1)²        ([1]_ eq. 3, given y)
    x̂ = εx + (1 − ε)G(z, y),   ε ~ U[0, 1] once for each sample

At each y the critic is kept near the functions that are 1-Lipschitz in x, so that the game is about
the Wasserstein-1 distance of p(x given y) and G(z, y), in the mean over y. x and G(z, y) between
which x̂ lies are of the same y, and the gradient is with respect to x̂ alone. The generator sees y
beside z, the critic beside x as constant channels ([2]_) or by an inner product with its features
([3]_); the game is `WassersteinGame`.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``u`` the same as the nets see it; ``z_NK`` is
(N, n_components); ``y_NC`` what the nets see of y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from latentia.errors import Decay, NonNegative, Positive
from latentia.models.adversarial.wgan import WassersteinGame
from latentia.models.adversarial.wgan_gp import gradient_penalty
from latentia.models.conditional import Conditional

COLUMNS = 8


@dataclass(eq=False, repr=False, kw_only=True)
class ConditionalWGANGP(Conditional, WassersteinGame):
    """Conditional Wasserstein GAN with gradient penalty: ``fit(X, y)``, ``sample(n, y=...)`` [1]_.

    ``y`` is (n,) labels, or (n, d) floats: a vector for each sample.

    Attributes
    ----------
    generator_, critic_
        G and f, which see y beside z and x.
    classes_, class_shares_
        (n_classes,) labels and their shares of the training data, after a fit on labels.
    condition_mean_, condition_scale_
        (d,) of the columns of y, after a fit on vectors.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville, "Improved Training of
       Wasserstein GANs", NeurIPS 2017, algorithm 1.
    .. [2] M. Mirza, S. Osindero, "Conditional Generative Adversarial Nets", 2014, section 3.2.
    .. [3] T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018, eq. 3.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.random.default_rng(0).random((64, 8, 8)), np.arange(64) % 4
    >>> model = ConditionalWGANGP(n_components=4, width=8, n_epochs=1, random_state=0).fit(X, y)
    >>> model.sample(3, random_state=0, y=2).shape
    (3, 8, 8)
    """

    critic: Literal["concatenation", "projection"] | nn.Module = "concatenation"
    """How the critic sees y: beside x, or by a product with its features. In Python also a net of
    your own in its place, which gives any number for x and y."""
    gradient_penalty: NonNegative = 10.0
    """λ, the weight of the gradient penalty (eq. 3)."""
    learning_rate: Positive = 5e-4
    """The step size of both players (1e-4 in the paper, which trains for longer)."""
    beta_1: Decay = 0.0
    """Adam's decay of the gradient's mean."""
    beta_2: Decay = 0.9
    """Adam's decay of the gradient's square."""

    critic_batch_norm = False
    gradient_penalties = ("r1_penalty", "gradient_penalty")

    def n_given(self) -> int:
        """Return how many numbers the players see of y."""
        return self.given.width

    @property
    def projects(self) -> bool:
        """Whether the critic sees y by an inner product with its features."""
        return self.critic == "projection"

    def constraint(self, u: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return λ times the gradient penalty, between data and samples of the same y."""
        (real, *y), (fake, *_) = self.seen(u, *given), self.seen(u_fake, *given)
        return self.gradient_penalty * gradient_penalty(self.critic_, real, fake, *y)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return samples, a row for each of up to ten conditions: each column one z."""
        return self.rows_of_each(self.draw(x.new_zeros(COLUMNS, 1)))
