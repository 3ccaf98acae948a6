"""The linear (undercomplete) autoencoder: principal component analysis by gradient descent.

    z = U (x − μ),  x̂ = V z + μ,  U (k, d), V (d, k)                     one linear layer each way
    minimise  E ‖x − x̂‖²                                                  [1] eq. 1

Every local minimum has V U equal to the projection onto the k leading eigenvectors of the
covariance ([1] fact 4): the latent space is PCA's, in a basis of its own. μ is the mean of the
training data, and both layers see data divided by one number, their root mean variance.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``z_NK`` is (N, n_components).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import Count, Positive
from latentia.models.autoencoders.doctor import activity, examine
from latentia.models.base import Encoder, LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.gradient import GradientModel
from latentia.models.inputs import Labels, Rows
from latentia.nets.mlp import Standardisation
from latentia.training.batches import Source, column_moments
from latentia.training.losses import full_precision, squared_error
from latentia.training.run import Numbers
from latentia.training.updates import Update, adam, name_of, sgd


@dataclass(eq=False, repr=False, kw_only=True)
class LinearAutoencoder(Encoder, DecodingModel, GradientModel, LatentModel):
    """Linear autoencoder, which finds the subspace of principal component analysis [1]_.

    ``transform`` encodes, ``inverse_transform`` decodes, ``score`` is minus the squared error per
    sample.

    Attributes
    ----------
    encoder_, decoder_
        The nets, without biases: data are centred.
    mean_, scale_
        Mean of the training data, (d,) or (C, H, W), and the number that they are divided by.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] P. Baldi, K. Hornik, "Neural networks and principal component analysis: learning from
       examples without local minima", Neural Networks 1989, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3)) * [3, 2, 0.1]
    >>> model = LinearAutoencoder(n_components=2, n_epochs=5, random_state=0).fit(X)
    >>> model.transform(X).shape, model.reconstruct(X).shape
    ((200, 2), (200, 3))
    """

    n_components: Count = 2
    """Size of the latent space."""
    learning_rate: Positive = 1e-2
    """The optimiser's first step size."""
    learning_rate_schedule: Literal["constant", "linear", "late-linear", "cosine", "stages"] = (
        "linear"
    )
    """How the step size changes; a fall to 0 lets the last steps settle."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam, or stochastic gradient descent with momentum 0.9."""

    linear = True
    lacks = {
        "sample": "an autoencoder has no prior over its latent space; use a VAE",
        **dict.fromkeys(
            ("encoder", "decoder"), "its layers are linear; Autoencoder takes nets of your own"
        ),
    }

    def learn_scale(self, source: Source) -> None:
        """Find the mean of the data and their root mean variance."""
        _, _, mean, variance = column_moments(source)
        self.mean_ = mean.float().numpy()
        scale = float(variance.mean().sqrt())
        self.scale_ = scale if scale > 0 else 1.0

    def build(self, shape: tuple[int, ...]) -> None:
        """Make one linear layer each way."""
        d = int(np.prod(shape))
        mean, scale = torch.tensor(self.mean_), torch.tensor(self.scale_)
        self.standardisation_ = Standardisation(mean, scale)
        self.encoder_ = nn.Sequential(nn.Flatten(), nn.Linear(d, self.n_components, bias=False))
        self.decoder_ = nn.Sequential(
            nn.Linear(self.n_components, d, bias=False), nn.Unflatten(1, shape)
        )

    def updates(self) -> list[Update]:
        """Move both layers by one loss."""
        kind = adam if self.optimizer == "adam" else sgd
        optimizer = partial(kind, learning_rate=self.learning_rate)
        nets = [self.encoder_, self.decoder_]
        name = name_of(self.loss, "reconstruction")
        return [Update(name, self.loss, nets, optimizer=optimizer)]

    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes."""
        z_NK: Tensor = self.encoder_(self.standardisation_(x))
        return z_NK

    def decode(self, z_NK: Tensor) -> Tensor:
        """Return decoded data in their own units, (N, *shape)."""
        x: Tensor = self.standardisation_.inverse(self.decoder_(z_NK))
        return x

    def loss(self, x: Tensor) -> Tensor:
        """Return the squared error in standard units, averaged over a sample's values.

        The average, rather than the sum, lets one learning rate serve tables and images.
        """
        u: Tensor = self.standardisation_(x)
        error = squared_error(u, full_precision(self.decoder_(self.encoder_(u))))
        return error / u[0].numel()

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return what an epoch's end shows of the model's health, and the doctor's sentence."""
        z_NK = self.encode(x)
        return examine(self, x, self.decode(z_NK), activity(z_NK), means, earlier, epoch)

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return two rows: original, reconstructed."""
        x = x[:10]
        return [("original", x), ("reconstructed", self.decode(self.encode(x)))]

    def score(self, X: Rows, y: Labels = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        return self.negative_squared_error(X)

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)
