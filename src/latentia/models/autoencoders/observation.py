"""What deep variational models share: the distribution of x given z, and their nets.

    bernoulli   −log p = −Σ [x log p + (1 − x) log(1 − p)],  p = σ(g(z))          [1]_ appendix C.1
    gaussian    −log p = ½ Σ [(x − m)²/v + log 2πv],  m = g(z) or σ(g(z))         [1]_ appendix C.2
    mse         w · (1/D) Σ (x − m)²,     the lectures' weighted mean squared error
    rmse        w · √((1/D) Σ (x − m)²),  the lectures' weighted root of it

Where v is learned this is the σ-VAE [2]_. The last two are no log-likelihoods. Beside a KL that is
*summed* over components they set a trade-off that the weight hides: mse pulls on m as a Gaussian
of variance v = D/(2w) does, rmse as one of variance v = D·RMSE/w. The KL's weight beside
½ Σ (x − m)², which is β·v, is logged as the **effective β**; the bound that such a model scores is
that Gaussian's.

References
----------
.. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
.. [2] O. Rybkin, K. Daniilidis, S. Levine, "Simple and Effective VAE Training with Calibrated
   Decoders", ICML 2021, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.errors import InputError, check_range
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.variational import VariationalModel
from latentia.nets.noise import LearnedVariance
from latentia.training import draws
from latentia.training.batches import Source
from latentia.training.losses import (
    bernoulli_cross_entropy,
    full_precision,
    gaussian_negative_log_density,
    root_mean_square,
)

LEAST_PROBABILITY = 1e-3


@dataclass(eq=False, repr=False, kw_only=True)
class ObservationModel(VariationalModel, AutoencodingModel):
    """A deep model of p(x given z), with an encoder for q(z given x)."""

    observation: Literal["auto", "bernoulli", "gaussian", "mse", "rmse"] = "auto"
    """Distribution of x given z, or a weighted error; auto is bernoulli for data in [0, 1]."""
    noise_variance: float | None = 0.1
    """Variance v of a gaussian, in a table's columns' variances; none learns it (σ-VAE)."""
    reconstruction_weight: float = 1000.0
    """Weight w of the errors mse and rmse."""
    binarize: bool = False
    """Draw each value as a bit with probability x, anew at every step (dynamic binarisation)."""

    def check_observation(self) -> None:
        """Raise InputError for a hyperparameter out of its range."""
        self.check_shape_values()
        check_range("noise_variance", self.noise_variance, 0, open_low=True)
        check_range("reconstruction_weight", self.reconstruction_weight, 0, open_low=True)
        if self.binarize and self.observation not in ("auto", "bernoulli"):
            raise InputError(
                f"binarize needs observation='bernoulli', not {self.observation!r}: bits have no "
                "other likelihood here"
            )

    def learn_scale(self, source: Source) -> None:
        """Find the data's range, the distribution that suits it, and the mean of binary data."""
        super().learn_scale(source)
        self.observation_ = self._observation()
        if self.observation_ == "bernoulli":
            self.mean_ = _mean(source)

    def _observation(self) -> str:
        bits = self.binarize or self.observation == "bernoulli"
        if bits and not self.unit_range_:
            raise InputError("observation is 'bernoulli' and the data leave [0, 1]; use 'gaussian'")
        if self.observation == "auto":
            return "bernoulli" if self.unit_range_ else "gaussian"
        return self.observation

    def build(self, shape: tuple[int, ...]) -> None:
        """Make encoder, decoder and the noise's variance; bits start at their mean."""
        self.make_nets(shape, self.n_given())
        if self.observation_ == "gaussian" and self.noise_variance is None:
            self.noise_ = LearnedVariance()
        if self.observation_ == "bernoulli":
            p = torch.from_numpy(self.mean_).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            _set_output_bias(self.decoder_, p.logit())

    def n_given(self) -> int:
        """Return how many numbers the nets see beside x and z."""
        return 0

    def trained_nets(self) -> list[nn.Module]:
        """Return the nets that the bound moves."""
        nets = [self.encoder_, self.decoder_]
        return [*nets, self.noise_] if "noise_" in vars(self) else nets

    def code_outputs(self) -> int:
        """Return a mean and a log-variance for each component."""
        return 2 * self.n_components

    def observed(self, x: Tensor) -> Tensor:
        """Return data as the likelihood takes them: drawn as bits if asked for."""
        return (draws.uniform_like(x) < x).to(x.dtype) if self.binarize else x

    def encoder_output(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return mean and log-variance of q(z given x), side by side."""
        output: Tensor = self.encoder_(self.standardisation_(x))
        return output

    def decoder_output(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return the decoder's raw output."""
        output: Tensor = self.decoder_(z_NK)
        return output

    def decode(self, z_NK: Tensor, *given: Tensor) -> Tensor:
        """Return the mean of p(x given z) in the data's units, (N, *shape)."""
        return self.to_data(self.decoder_output(z_NK, *given))

    def reconstruction(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of −log p(x given z) in nats."""
        if self.observation_ == "bernoulli":
            return bernoulli_cross_entropy(x, output)
        in_units = gaussian_negative_log_density(*self._in_units(x, output), self.variance())
        return in_units + self.standardisation_.scale.log().sum()

    def reconstruction_objective(self, x: Tensor, output: Tensor) -> Tensor:
        """Return (N,) values of what is minimised: −log p(x given z), or the weighted error."""
        if self.observation_ not in ("mse", "rmse"):
            return self.reconstruction(x, output)
        u, mean = self._in_units(x, output)
        if self.observation_ == "mse":
            return self.reconstruction_weight * (u - mean).square().flatten(1).mean(1)
        return self.reconstruction_weight * root_mean_square(u - mean)

    def _in_units(self, x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        return self.standardisation_(x), output.sigmoid() if self.unit_range_ else output

    def variance(self) -> Tensor:
        """Return the noise variance v in standard units: given, learned, or the equivalent one."""
        if "noise_" in vars(self):
            return self.noise_()  # type: ignore[no-any-return]
        return torch.tensor(self.noise_variance_ if self._is_error() else self.noise_variance)

    def _is_error(self) -> bool:
        return self.observation_ in ("mse", "rmse")

    def equivalent_variance(self, reconstruction: Tensor, d: int) -> Tensor:
        """Return the variance v of the Gaussian that pulls as the weighted error does.

        Parameters
        ----------
        reconstruction
            (N,) values of the objective.
        d
            D, values in a sample.
        """
        w = self.reconstruction_weight
        if self.observation_ == "mse":
            return torch.tensor(d / (2 * w))
        return d * reconstruction.detach().mean() / w**2

    def keep_noise_variance(self, array: NDArray[Any], y: Any) -> None:
        """Keep the noise variance that the model ended with."""
        if self._is_error():
            values = torch.cat([m._mean_objective(x, *g) for m, _, x, g in self.scored(array, y)])
            self.noise_variance_ = float(
                self.equivalent_variance(values, int(np.prod(self.sample_shape_)))
            )
        elif self.observation_ == "gaussian":
            self.noise_variance_ = float(self.variance().detach())

    def _mean_objective(self, x: Tensor, *given: Tensor) -> Tensor:
        output = self.decoder_output(self.encode(x, *given), *given)
        return self.reconstruction_objective(x, full_precision(output))


def _mean(source: Source) -> NDArray[np.float32]:
    total = torch.zeros(source.shape, dtype=torch.float64)
    for rows in np.array_split(np.arange(len(source)), -(-len(source) // 4096)):
        total += source.batch(rows)[0].cpu().sum(0, dtype=torch.float64)
    return (total / len(source)).float().numpy()


def _set_output_bias(decoder: nn.Module, bias: Tensor) -> None:
    """Let the decoder start at the data's mean, as in Burda's own program."""
    last = [layer for layer in decoder.modules() if hasattr(layer, "bias")][-1]
    with torch.no_grad():
        if isinstance(last, nn.Linear):
            last.bias.copy_(bias.flatten())
        else:
            last.bias.copy_(bias.flatten(1).mean(1))  # type: ignore[operator]
