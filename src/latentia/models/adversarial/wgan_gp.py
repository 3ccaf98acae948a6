"""WGAN-GP: the Wasserstein game with a penalty on the critic's gradient.

    L = E f(G(z)) − E f(x) + λ E (‖∇_x̂ f(x̂)‖₂ − 1)²     ([1]_ eq. 3)
    x̂ = εx + (1 − ε)G(z),   ε ~ U[0, 1] once for each sample

The norm is each sample's own, so the critic has no batch norm ([1]_ section 4) and no minibatch
discrimination.

Shapes: ``x`` is (N, C, H, W) in [0, 1] or (N, d); ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from latentia.errors import check_range
from latentia.models.adversarial.remedies import gradient_penalty, refuse_mixing
from latentia.models.adversarial.wgan import WassersteinGame


@final
@dataclass(eq=False, repr=False, kw_only=True)
class WGANGP(WassersteinGame):
    """Wasserstein GAN with gradient penalty [1]_.

    Attributes
    ----------
    generator_, critic_
        The nets.
    seed_
        The seed that was used.

    Raises
    ------
    InputError
        From ``fit``, for a bad parameter or data that cannot be used.

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

    penalty: float = 10.0
    """λ, the weight of the gradient penalty (eq. 3)."""
    learning_rate: float = 5e-4
    """The step size of both players (1e-4 in the paper, which trains for longer)."""
    n_epochs: int = 8
    """Passes over the training data, by the critic."""
    beta_1: float = 0.0
    """Adam's decay of the gradient's mean."""
    beta_2: float = 0.9
    """Adam's decay of the gradient's square."""

    @property
    def critic_batch_norm(self) -> bool:
        """Whether a convolutional critic has batch norm: never, the penalty is per sample."""
        return False

    def check_values(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_wasserstein_values()
        check_range("penalty", self.penalty, 0)
        refuse_mixing("penalty", self.penalty, self.minibatch_discrimination)

    def constraint(self, u: Tensor, u_fake: Tensor) -> Tensor:
        """Return λ times the gradient penalty, between data and samples as the critic sees them."""
        (real,), (fake,) = self.seen(u), self.seen(u_fake)
        return self.penalty * gradient_penalty(self.critic_, real, fake)
