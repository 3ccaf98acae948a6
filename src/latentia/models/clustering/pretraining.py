"""Deep clustering that starts from a trained autoencoder: one that is given, or trained first.

The losses of deep clustering sharpen clusters that are there already; from random nets they find
nothing. The autoencoder is a run of its own, in the run's folder ``pretraining``, by the same loop.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from latentia.errors import Count, CountsWhen, InputError, UpTo, Whole, are_own
from latentia.models.autoencoders.autoencoder import Autoencoder
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.clustering.autoencoder_kmeans import AutoencoderKMeans
from latentia.models.clustering.base import DeepClustering
from latentia.models.fine_tuning import layers_of
from latentia.models.inputs import Labels, Rows, in_kind_of
from latentia.models.own_parts import own_nets
from latentia.models.saved import load
from latentia.models.warm_start import warm_start
from latentia.nets.autoencoder import weighted_layers
from latentia.training.batches import Source

SHAPING = ("hidden", "channels", "activation", "architecture")
FIELDS = ("n_components", *SHAPING, "tied")
"""What makes an autoencoder's nets what they are."""


@dataclass(eq=False, repr=False, kw_only=True)
class PretrainedClustering(DeepClustering):
    """A clustering with probabilities, whose nets and clusters start from an autoencoder."""

    pretrained: str | None = None
    """Folder of a saved autoencoder whose nets are the start; none trains one first."""
    pretrain_epochs: Annotated[Count | None, CountsWhen("pretrained", (None,))] = None
    """Passes over the data of the autoencoder that is trained first, at a constant step; none takes
    as many as an `Autoencoder` takes."""
    layerwise_epochs: Annotated[
        Whole, CountsWhen("pretrained", (None,)), UpTo("pretrain_epochs")
    ] = 0
    """Epochs that the autoencoder that is trained first gives to its layers alone, as an
    `AutoencoderKMeans` does; after them its step falls along a cosine."""

    @property
    def start(self) -> AutoencodingModel | None:
        """The autoencoder that a fit under way begins with; none in a fitted model."""
        return vars(self).get("_start")

    def before_nets(
        self, array: NDArray[Any], y: Any, run: Path | None, progress: bool | None
    ) -> None:
        """Load the autoencoder or train it, then find its clusters."""
        super().before_nets(array, y, run, progress)
        if self.beginning is not None:
            return
        start = warm_start(
            self._untrained(), self.pretrained, self._autoencoder_in, (array, None), run, progress
        )
        if start.data_shape_ != self.data_shape_:
            raise InputError(
                f"the autoencoder in {self.pretrained} was trained on samples of shape "
                f"{start.data_shape_}; X has samples of shape {self.data_shape_}"
            )
        self._start = start
        self.find_clusters(start.transform(array), array)

    def _untrained(self) -> AutoencodingModel:
        """Return the autoencoder that is trained first, with this model's nets."""
        shaping = () if are_own(self, "encoder", "decoder") else SHAPING
        more = ("n_clusters", "layerwise_epochs") if self.layerwise_epochs else ()
        kind: type[Any] = AutoencoderKMeans if more else Autoencoder
        found: AutoencodingModel = kind(
            **{name: getattr(self, name) for name in (*shaping, *more, "encoder", "decoder")},
            n_components=self.n_components,
            n_epochs=self.pretrain_epochs,
            batch_size=self.batch_size_,
            learning_rate_schedule="cosine" if more else "constant",
            device=self.device,
            precision=self.precision,
            random_state=self.seed_,
        )
        return found

    def _autoencoder_in(self, folder: str) -> AutoencodingModel:
        found = load(folder, nets=own_nets(self))
        if not isinstance(found, AutoencodingModel) or found.takes_labels:
            raise InputError(
                f"{folder} holds a {type(found).__name__}; pretrained must name an autoencoder "
                "that knows no classes, such as Autoencoder or DenoisingAutoencoder"
            )
        return found

    @abstractmethod
    def find_clusters(self, codes: NDArray[Any], array: NDArray[Any]) -> None:
        """Find the first clusters in the autoencoder's (n, n_components) codes of the data."""

    def learn_scale(self, source: Source) -> None:
        """See the data in the units in which the autoencoder sees them."""
        super().learn_scale(source)
        start = self.start
        if start is None:
            return
        if start.unit_range_ != self.unit_range_:
            words = ("in", "outside") if start.unit_range_ else ("outside", "in")
            raise InputError(
                f"the autoencoder in {self.pretrained} was trained on data {words[0]} [0, 1]; X "
                f"lies {words[1]} it"
            )
        if not self.unit_range_:
            self.column_mean_, self.column_scale_ = start.column_mean_, start.column_scale_

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets, in a fit those of the autoencoder."""
        super().build(shape)
        if self.start is not None:
            self._check_layers(self.start)
            self.encoder_.load_state_dict(self.encoder_state(self.start.encoder_.state_dict()))
            self.decoder_.load_state_dict(self.start.decoder_.state_dict())

    @property
    def encoder_of_codes(self) -> nn.Module:
        """The part of the encoder that is an autoencoder's; here all of it."""
        whole: nn.Module = self.encoder_
        return whole

    def encoder_state(self, state: dict[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the autoencoder's encoder as this model's encoder has it; here as it is."""
        return state

    def _check_layers(self, start: AutoencodingModel) -> None:
        there, here = layers_of(start.encoder_), layers_of(self.encoder_of_codes)
        if not are_own(self, "encoder"):
            last = weighted_layers(start.encoder_)[-1].weight.shape[0]
            there, here = there[:-1], here[:-1] if last == self.n_components else []
        same = there == here and layers_of(start.decoder_) == layers_of(self.decoder_)
        if not same:
            raise InputError(
                f"the autoencoder in {self.pretrained} has other nets than this "
                f"{type(self).__name__}: {_described(start)} there, {_described(self)} here"
            )

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep the clusters of the training data."""
        super().after_training(array, y)
        self.labels_ = self.labels_of(array)
        self.__dict__.pop("_start", None)

    def predict_proba(self, X: Rows) -> Any:
        """Return the (n, n_clusters) probabilities of each sample's clusters; rows sum to 1."""
        check_is_fitted(self)
        return in_kind_of(X, self.apply("assign", self.checked(X, reset=False)))


def _described(model: AutoencodingModel) -> str:
    values = model.get_params()
    fields = ", ".join(f"{name}={values[name]!r}" for name in FIELDS if name in values)
    return f"{type(model).__name__}({fields})"
