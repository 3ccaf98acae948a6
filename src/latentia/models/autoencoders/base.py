"""What autoencoders share: two nets that mirror each other, and the units that they work in.

Tables of any scale are standardised by constants inside the nets; data in [0, 1] are used as they
are and decoded through a sigmoid.

Shapes: ``x`` is (N, *shape); ``z_NK``, mean and log-variance are (N, n_components).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentia.data.dataset import Dataset
from latentia.errors import (
    Count,
    CountsWhen,
    InputError,
    Shapes,
    are_own,
    own_among,
)
from latentia.models.autoencoders.doctor import activity, examine
from latentia.models.autoencoders.linear_start import linear_solution, start
from latentia.models.base import Encoder, LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.gradient import GradientModel
from latentia.models.inputs import FEW_ROWS, Labels, Rows, is_photographic, spread
from latentia.models.own_nets import mirrored, take
from latentia.nets.autoencoder import autoencoder_nets, decoded
from latentia.nets.mlp import Standardisation
from latentia.training.batches import Source, column_moments, column_scale
from latentia.training.run import Numbers

BOTH = Shapes("encoder", "decoder")
"""Own nets in both places leave a field without effect."""
CODED, MOST_CLASSES = 4096, 20
"""Training rows that the mean codes of classes are of, and for how many classes they are kept."""
WAITS = 10
"""Epochs without a better held-out value after which training from a linear start ends."""


@dataclass(eq=False, repr=False, kw_only=True)
class AutoencodingModel(Encoder, DecodingModel, GradientModel, LatentModel):
    """An encoder and its mirror for images or tables, fully connected or convolutional."""

    n_components: Count = 20
    """Size of the latent space."""
    encoder: nn.Module | None = None
    """A net of your own in the encoder's place, of which a copy is trained; none makes one."""
    decoder: nn.Module | None = None
    """A net of your own in the decoder's place, which gives its raw output; none makes one."""
    hidden: Annotated[tuple[Count, ...], BOTH] = (400,)
    """Widths of the encoder's fully connected layers; the decoder mirrors them."""
    channels: Annotated[tuple[Count, ...], CountsWhen("architecture", ("convolutional",)), BOTH] = (
        8,
        16,
        32,
    )
    """Channels of the convolutional encoder's layers, each of which halves the image."""
    activation: Annotated[Literal["auto", "leaky_relu", "relu", "tanh", "sigmoid", "elu"], BOTH] = (
        "auto"
    )
    """Between layers; auto is LeakyReLU 0.2 in fully connected nets and ReLU in convolutional."""
    architecture: Annotated[Literal["auto", "mlp", "convolutional", "principal"], BOTH] = "auto"
    """The nets: fully connected, convolutional, between principal components of images, where they
    start as PCA, or what suits the data."""

    convolves_images: ClassVar[bool] = False
    """Whether ``auto`` means convolutional nets for images; tables have fully connected ones."""

    n_principal_ = 0
    photographic_ = False

    @property
    def may_start_linear(self) -> bool:
        """Whether the linear solution is one of this model's objective."""
        return True

    def check_values(self) -> None:
        """Refuse to start from a linear solution of another objective."""
        own = own_among(self, "encoder", "decoder")
        if self.architecture == "principal" and (own or not self.may_start_linear):
            raise InputError(
                "architecture is 'principal', whose nets start as PCA: it goes with squared errors "
                "or a gaussian alone, not with tied, binarize or a net of your own; choose 'mlp'"
            )

    def settled(self, array: Rows) -> Mapping[str, object]:
        """Return which nets these data have."""
        if are_own(self, "encoder", "decoder"):
            return {}
        return {"architecture": self.nets_for(self.sample_shape_, is_photographic(array))}

    def learn_scale(self, source: Source) -> None:
        """Find the range of the data, and principal components, or each column's mean and scale."""
        self.unit_range_ = True
        if len(source.shape) > 1:
            x = source.batch(spread(np.arange(len(source)), FEW_ROWS))[0].cpu()
            self.photographic_ = is_photographic(x.numpy())
            principal = self.nets_for(source.shape, self.photographic_) == "principal"
            if principal and self.beginning is None:
                self._solution = linear_solution(x)
                self.n_principal_ = len(self._solution.values)
            return
        low, high, mean, variance = column_moments(source)
        self.unit_range_ = low >= 0 and high <= 1
        if not self.unit_range_:
            self.column_mean_ = mean.float().numpy()
            self.column_scale_ = column_scale(mean, variance).float().numpy()

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the encoder and its mirror."""
        self.make_nets(shape, self.n_components)

    def make_nets(
        self, shape: tuple[int, ...], n_codes: int, *, tied: bool = False, n_given: int = 0
    ) -> None:
        """Make an encoder of ``n_codes`` outputs and its mirror, as `autoencoder_nets` does."""
        self.standardisation_ = Standardisation.identity(clips=self.n_principal_ > 0)
        if not self.unit_range_:
            columns = (self.column_mean_, self.column_scale_)
            self.standardisation_ = Standardisation(*map(torch.tensor, columns))
        self.encoder_: nn.Module
        self.decoder_: nn.Module
        if not are_own(self, "encoder", "decoder"):
            self.encoder_, self.decoder_ = autoencoder_nets(
                shape,
                n_codes,
                self.n_components,
                hidden=self.hidden,
                channels=self.channels,
                activation=self.activation,
                convolutional=self.nets_for(shape) == "convolutional",
                n_principal=self.n_principal_,
                tied=tied,
                n_given=n_given,
            )
        if "_solution" in vars(self):
            solution, nets = self.__dict__.pop("_solution"), (self.encoder_, self.decoder_)
            start(*nets, solution, self.n_components, vars(self).get("_noise"))
        if own_among(self, "encoder", "decoder"):
            self.take_own(shape, n_codes, n_given)

    def take_own(self, shape: tuple[int, ...], n_codes: int, n_given: int) -> None:
        """Put copies of the user's own nets in their places."""
        take(self, mirrored(shape, n_codes, self.n_components, n_given, self.squashes))

    @property
    def squashes(self) -> bool:
        """Whether the decoder's output passes a sigmoid."""
        return self.unit_range_ and not self.n_principal_

    @property
    def keeps_best(self) -> bool:
        """Whether the best epoch's weights are the fitted ones: also from a linear start."""
        return self.n_principal_ > 0 or bool(super().keeps_best)

    @property
    def waits(self) -> int | None:
        """Epochs without a better held-out value that end training: of a linear start few."""
        usual = WAITS if self.n_principal_ and self.n_epochs is None else None
        return usual if self.patience is None else self.patience

    def holds_out(self, settled: Mapping[str, object]) -> bool:
        """Return whether rows are held out where none are given: for a linear start."""
        return settled.get("architecture") == "principal"

    def nets_for(self, shape: tuple[int, ...], photographic: bool = False) -> str:
        """Return the architecture of the nets for samples of this shape."""
        if self.architecture in ("convolutional", "principal") and len(shape) == 1:
            raise InputError(
                f"architecture is {self.architecture!r} and the data are a table of shape "
                f"(n, {shape[0]}); give images, or choose 'mlp'"
            )
        if self.architecture != "auto":
            return self.architecture
        if len(shape) > 1 and self.convolves_images:
            return "convolutional"
        if self.beginning is not None:
            return "principal" if self.beginning.n_principal_ else "mlp"
        if self.begun is not None:
            # Runs of version 0.1.0 do not say: they had no such nets.
            return str(self.begun.resolved.get("architecture", "mlp"))
        starts = self.may_start_linear and not own_among(self, "encoder", "decoder")
        return "principal" if photographic and starts else "mlp"

    def encode(self, x: Tensor) -> Tensor:
        """Return (N, n_components) codes."""
        z_NK: Tensor = self.encoder_(self.standardisation_(x))
        return z_NK

    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.apply("encode", X)

    def decode(self, z_NK: Tensor) -> Tensor:
        """Return decoded data, (N, *shape): through a sigmoid, or in the data's units."""
        output = self.decoder_output(z_NK)
        return output.sigmoid() if self.squashes else self.standardisation_.inverse(output)

    def decoder_output(self, z_NK: Tensor) -> Tensor:
        """Return the decoder's raw output, (N, *shape)."""
        return decoded(self.decoder_, self.encoder_, z_NK)

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

    def remember(self, data: Dataset) -> None:
        """Keep the mean codes of a few classes and their names, from which attributes are changed.

        Those of codes that are free of the class, as a conditional model's are, say nothing.
        """
        super().remember(data)
        if self.takes_labels or not data.labelled:
            return
        classes, y = np.unique(np.asarray(data.y_train), return_inverse=True)
        if not 2 <= len(classes) <= MOST_CLASSES:
            return
        rows = spread(np.arange(len(y)), CODED)
        codes = self.transform(data.x_train[rows])
        if all(count > 0 for count in np.bincount(y[rows], minlength=len(classes))):
            means = [codes[y[rows] == c].mean(axis=0) for c in range(len(classes))]
            self.class_codes_ = np.stack(means).astype(np.float32)
            names = data.class_names
            self.class_names_ = [names[c] if names else str(c) for c in classes]

    def score(self, X: Rows, y: Labels = None) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` (higher is better)."""
        return self.negative_squared_error(X)
