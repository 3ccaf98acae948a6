"""WGAN-GP: the Wasserstein game with a penalty on the critic's gradient.

    L = E f(G(z)) − E f(x) + λ E (‖∇_x̂ f(x̂)‖₂ − 1)²                              ([1]_ eq. 3)
    x̂ = εx + (1 − ε)G(z),   ε ~ U[0, 1] once for each sample

The first two terms, the number of the critic's steps and the generator's loss are those of WGAN's
game, `WassersteinGame`; here is the third, the ``constraint``. The norm is each sample's own, so
that the critic has no batch norm ([1]_ section 4) and no minibatch discrimination.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``u`` the same as the nets see it; ``z_NK`` is
(N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from latentia.errors import Decay, NonNegative, Positive
from latentia.models.adversarial.remedies import Judge, gradient_norms
from latentia.models.adversarial.wgan import WassersteinGame
from latentia.training import draws


@dataclass(eq=False, repr=False, kw_only=True)
class WGANGP(WassersteinGame):
    """Wasserstein GAN with gradient penalty [1]_.

    Attributes
    ----------
    generator_, critic_
        G and f; the norm of f's gradient is kept near 1 between data and samples.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville, "Improved Training of
       Wasserstein GANs", NeurIPS 2017, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> model = WGANGP(n_components=4, hidden=(16,), n_epochs=1, random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape
    (3, 2)
    """

    critic: nn.Module | None = None
    """A net of your own in the critic's place, which gives any number; none makes one."""
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

    def constraint(self, u: Tensor, u_fake: Tensor, *given: Tensor) -> Tensor:
        """Return λ times the gradient penalty, between data and samples as the critic sees them."""
        (real,), (fake,) = self.seen(u), self.seen(u_fake)
        return self.gradient_penalty * gradient_penalty(self.critic_, real, fake)


def gradient_penalty(critic: Judge, x: Tensor, x_fake: Tensor, *given: Tensor) -> Tensor:
    """Return the mean of ``(‖∇_x̂ f(x̂)‖₂ − 1)²``, ``x̂ = εx + (1 − ε)x̃``, ``ε ~ U[0, 1]``.

    One ε for each sample, one norm for each sample, no gradient into the generator.
    """
    mixing = draws.uniform_like(x.new_zeros(len(x), *(1 for _ in x.shape[1:])))
    x_hat = mixing * x + (1 - mixing) * x_fake.detach()
    return (gradient_norms(critic, x_hat, *given) - 1).square().mean()
