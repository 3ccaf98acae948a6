"""The conditional variational autoencoder: the VAE of x given a class, or a vector, y.

    p(z) = N(0, I),  p(x given z, y),  q(z given x, y) = N(μ(x, y), diag σ²(x, y))
    ELBO(x, y) = E_q[log p(x given z, y)] − KL(q(z given x, y) ‖ p(z)) ≤ log p(x given y)  [1]_

with the prior of z independent of y ([2]_ section 2.1, model M2 with known labels): the class is
said by y, and z is left with what varies within it, such as the hand. y enters both nets one-hot,
beside z and beside x (as constant channels of convolutional nets); vectors of measurements enter
likewise, in standard units.

Shapes: ``x`` is (N, C, H, W) or (N, d), ``y_NC`` (N, n_classes) or (N, width of y), ``z_NK`` (N,
n_components).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.errors import are_own
from latentia.models.autoencoders.vae import BoundedModel
from latentia.models.conditional import Conditional
from latentia.models.inputs import Labels, Rows, in_kind_of, with_labels
from latentia.nets.autoencoder import decoded
from latentia.training import draws

COLUMNS = 8


@dataclass(eq=False, repr=False, kw_only=True)
class ConditionalVAE(Conditional, BoundedModel):
    """Conditional VAE: x given its class, ``fit(X, y)`` and ``sample(n, y=...)`` [1]_.

    ``y`` is (n,) labels, or (n, d) floats. ``transform``, ``reconstruct``, ``inverse_transform``
    and ``score`` take it too; ``score`` is the mean ELBO of log p(x given y) in nats per sample.

    Attributes
    ----------
    encoder_, decoder_
        The nets, which see y beside x and z.
    classes_, class_shares_, condition_mean_, condition_scale_
        As of `ConditionalGAN`.
    observation_, noise_variance_, seed_
        As of `VAE`.

    References
    ----------
    .. [1] K. Sohn, H. Lee, X. Yan, "Learning Structured Output Representation using Deep
       Conditional Generative Models", NeurIPS 2015, section 4.1.
    .. [2] D. P. Kingma et al., "Semi-supervised Learning with Deep Generative Models", NeurIPS
       2014, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.random.default_rng(0).random((64, 8, 8)), np.arange(64) % 4
    >>> model = ConditionalVAE(n_components=2, hidden=(32,), n_epochs=1, random_state=0).fit(X, y)
    >>> model.sample(3, random_state=0, y=2).shape, model.transform(X, y).shape
    ((3, 8, 8), (64, 2))
    """

    def n_given(self) -> int:
        """Return how many numbers the nets see of y beside x and z."""
        return self.given.width

    def encoder_output(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return mean and log-variance of q(z given x, y), side by side."""
        u, (y_NC,) = self.standardisation_(x), given
        if are_own(self, "encoder"):
            output: Tensor = self.encoder_(u, y_NC)
        elif self.nets_for(self.sample_shape_) == "convolutional":
            planes = y_NC[:, :, None, None].expand(-1, -1, *u.shape[2:])
            output = self.encoder_(torch.cat([u, planes], 1))
        else:
            output = self.encoder_(torch.cat([u.flatten(1), y_NC], 1))
        return output

    def decoder_output(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return the decoder's raw output for z and y."""
        if are_own(self, "decoder"):
            output: Tensor = self.decoder_(z_NK, *given)
            return output
        return decoded(self.decoder_, self.encoder_, torch.cat([z_NK, *given], 1))

    def transform(self, X: Rows, y: Labels = None) -> Any:
        """Return the (n, n_components) latent rows of data given y."""
        check_is_fitted(self)
        samples, y = with_labels(X, y, self)
        return in_kind_of(X, self.encode_given(self.checked(samples, reset=False), y))

    def reconstruct(self, X: Rows, y: Labels = None) -> Any:
        """Return what the latent space and y keep of each sample."""
        check_is_fitted(self)
        samples, y = with_labels(X, y, self)
        array = self.checked(samples, reset=False)
        return in_kind_of(X, self.decode_given(self.encode_given(array, y), y), self)

    def encode_given(self, array: NDArray[Any], y: Labels) -> NDArray[Any]:
        """Return (n, n_components) codes of data given y."""
        return self.apply("encode", array, self.given_rows(y, len(array), array))

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return samples, a row for each of up to ten conditions: each column one z."""
        return self.rows_of_each(draws.normal(COLUMNS, (self.n_components,), x.device))
