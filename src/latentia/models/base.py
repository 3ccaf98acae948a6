"""The verbs: what every model can be asked, written once.

`Model` checks input, saves, and states what surrounds it: its data, figures, caveats and pictures.
`LatentModel` decodes; `Encoder` adds the way back to the latent space (``transform``,
``reconstruct``); `Sampler` draws new data, a `Generator` by decoding draws of ``z``. A verb that a
model lacks is absent: ``hasattr`` is False, and asking for it says why.

Shapes: ``X`` is (n, d) for tables, (n, H, W) or (n, C, H, W) for images; ``Z`` is (n, k).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from latentia.data.arrays import facts
from latentia.data.dataset import Array, Dataset, ImageSize
from latentia.data.options import USUAL, TableOptions
from latentia.errors import (
    Count,
    InputError,
    Seed,
    alone,
    check_arguments,
    check_effects,
    check_fields,
    check_range,
    noted_warnings,
    within_memory,
)
from latentia.files import as_path
from latentia.models.diagram import diagram
from latentia.models.exported import export, nothing, play, push_to_hub
from latentia.models.fields import NamedFields, by_new_names, command_name, plain, refuse_unknown
from latentia.models.inputs import (
    Channels,
    Rows,
    as_array,
    channels_first,
    check_images,
    in_kind_of,
    is_tensor,
    refuse_not_finite,
    refuse_text,
    refusing,
    unit_floats,
)
from latentia.models.saved import save

if TYPE_CHECKING:
    from latentia.plots.page import Picture

CLUSTERS = "it forms no clusters; AutoencoderKMeans, DEC, IDEC and VaDE do"
BLOCKS = "it learns from all data at once; PCA and FactorAnalysis take blocks"
OF_FEW: Mapping[str, str] = {
    "fit_transform": "fit it, and then transform",
    "score_samples": "it gives samples no log-density of their own",
    "predict": CLUSTERS,
    "predict_proba": CLUSTERS,
    "fit_predict": CLUSTERS,
    "partial_fit": BLOCKS,
    "fit_moments": "moments do not determine it; PCA and the linear-Gaussian models take them",
}
"""Verbs that few models have, and what is said where no model says more of them."""


class Model(BaseEstimator, metaclass=NamedFields):  # type: ignore[misc]
    """A model of data, which checks its parameters and its input, and can be saved.

    Subclasses are dataclasses whose fields are their hyperparameters. `check_fields` refuses a
    value that its field's annotation does not allow.
    """

    lacks: ClassVar[Mapping[str, str]] = {}
    """Verbs that the model does not have, and why."""
    resumable: ClassVar[bool] = False
    """Whether `fit` takes a run directory, from which it can go on."""
    _html_repr, export, exported, play, push_to_hub = diagram, export, nothing, play, push_to_hub
    linear: ClassVar[bool] = False
    """Whether data are a linear function of z, but for noise."""

    data_shape_: tuple[int, ...]

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep a hyperparameter in Python's own types, which torch and JSON take."""
        super().__setattr__(name, plain(value) if name in self.__dataclass_fields__ else value)

    def __getattr__(self, name: str) -> Any:
        """Say why a verb is absent (only called for what is not there)."""
        owner = type(self).__name__
        for reasons in (*(vars(cls).get("lacks", {}) for cls in type(self).__mro__), OF_FEW):
            if name in reasons:
                raise AttributeError(f"{owner} has no {name}: {reasons[name]}")
        raise AttributeError(f"{owner!r} object has no attribute {name!r}")

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, as scikit-learn does; refuse another with the nearest name."""
        given = by_new_names(type(self), params)
        # Two underscores lead to a parameter of a parameter.
        refuse_unknown(type(self), [name.partition("__")[0] for name in given])
        super().set_params(**given)
        return self

    @property
    def takes_gaps(self) -> bool:
        """Whether data may hold NaN for missing values."""
        return False

    @property
    def takes_sparse(self) -> bool:
        """Whether rows may be a SciPy sparse matrix."""
        return False

    @property
    def takes_labels(self) -> bool:
        """Whether the model is of x given a class, so that its verbs take labels too."""
        return False

    def validate_parameters(self, *, begun: bool = False) -> None:
        """Check every hyperparameter, without data; refuse one by its name and what is allowed.

        A run that was ``begun`` may have values without effect, which earlier releases allowed.
        """
        check_fields(self)
        self.check_values()
        if not begun:
            self.check_effects({})

    def check_values(self) -> None:
        """Raise InputError where several hyperparameters do not go together; here nothing."""

    def check_effects(self, settled: Mapping[str, object]) -> None:
        """Raise InputError for a hyperparameter that has no effect beside the others.

        ``settled`` is what `settled` returns of data, or empty.
        """
        check_effects(self, settled)

    def settled(self, array: Rows) -> Mapping[str, object]:
        """Return what hyperparameters that are ``auto`` stand for with checked data."""
        return {}

    @property
    def sample_shape_(self) -> tuple[int, ...]:
        """(C, H, W) or (d,): a sample's shape inside nets."""
        shape = self.data_shape_
        return (1, *shape) if len(shape) == 2 else shape

    @contextmanager
    def learning(self, *, afresh: bool = True, channels: Channels = "first") -> Iterator[None]:
        """Learn all anew within a ``with`` block; if that fails, the model is as it was before.

        What an earlier fit learned is forgotten first, unless learning goes on from there. Whatever
        ends the block early, a refusal, a loss that is not finite, Ctrl-C, brings it back.
        """
        before = dict(vars(self))
        try:
            for name in [name for name in before if afresh and name.endswith("_")]:
                delattr(self, name)
            check_arguments(Model.learning, {"channels": channels})
            if channels == "last":
                self.channels_ = channels
            with alone(self), noted_warnings() as self.fit_warnings_:
                yield
            self.keep_settings()
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def keep_settings(self) -> None:
        """Keep what the hyperparameters are in a fit, as they may be changed for the next one."""
        self._settings = self.get_params()

    def nets(self) -> Mapping[str, Any]:
        """Return the model's modules by name; here it has none."""
        return {}

    def prepare_nets(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Make the nets of a saved model, and fill them; here it has none."""

    def load_data(
        self,
        spec: str,
        image_size: ImageSize = None,
        held_out: float | None = None,
        options: TableOptions = USUAL,
    ) -> Dataset:
        """Return named data as the model takes them, as `latentia.load_data` does.

        ``held_out`` is the share of a text that is not trained on.
        """
        from latentia.data.named import load_with

        self.refuse_share(held_out)
        return load_with(options, spec, image_size=image_size, gaps_stay=self.takes_gaps)

    def refuse_share(self, held_out: float | None) -> None:
        """Refuse to hold a share of the data out of training, which is for texts."""
        if held_out is not None:
            name = command_name(type(self).__name__)
            raise InputError(f"held_out is for models of texts, and {name} is none")

    def facts(self, array: Any, *beside: object) -> Mapping[str, object]:
        """Return what ``config.json`` says of training data, by which they are known again."""
        return facts(array, *beside)

    def labels_for(self, y: Array | None) -> tuple[Array, ...]:
        """Return what the verbs take beside samples with these labels of a data set: nothing."""
        return ()

    def check_data(self, data: Dataset) -> None:
        """Refuse, before training, data that the trained model could not be measured on: none."""

    def remember(self, data: Dataset) -> None:
        """Keep what a fitted model needs of its data set beside the arrays: names of columns."""
        if data.columns:
            self.columns_, self.column_ranges_ = list(data.columns), data.column_ranges

    def n_parameters(self) -> int:
        """Return how many numbers were learnt: the nets' weights."""
        return sum(weight.numel() for net in self.nets().values() for weight in net.parameters())

    def measure(self, data: Dataset, random_state: Seed = 0) -> dict[str, float]:
        """Return the figures of the fitted model on the test part of a data set.

        Keys are as in ``latentia.metrics.definitions.DEFINITIONS``, and what the model cannot do is
        absent. ``x_train`` and labels are the reference of features and nearest neighbours;
        ``random_state`` is of what is drawn.
        """
        check_arguments(Model.measure, locals())
        # The metrics are loaded for a model that is measured.
        from latentia.models import measures

        found: dict[str, float] = {}
        whole: Dataset | None = None
        with measures.left_out("figures that compare whole rows"):
            whole = measures.complete(data)
        if whole is not None and isinstance(self, Encoder):
            found |= measures.reconstruction(self, whole)
        if isinstance(self, Sampler):
            found |= self.likelihoods(data)
            found |= {} if whole is None else measures.samples(self, whole, random_state)
        return found

    def caveats(self, data: Dataset) -> tuple[str, ...]:
        """Return the sentences that these figures must be quoted with."""
        from latentia.models import measures

        return measures.yardsticks(data) if isinstance(self, Sampler) else ()

    def findings(self, data: Dataset) -> tuple[str, ...]:
        """Return what a reader should know of this fitted model, as sentences: here nothing."""
        return ()

    def pictures(self, data: Dataset) -> Iterator[Picture]:
        """Yield pictures of what the fitted model makes of test data, and of what it learnt."""
        from latentia.models import figures
        from latentia.plots.grids import is_drawable

        drawable = is_drawable(data.x_test.shape)
        if drawable and isinstance(self, Sampler):
            yield self.picture_of_samples(data)
        if drawable or data.x_test.ndim == 2:
            yield from self.pictures_of_parameters(data.columns)
        if isinstance(self, Encoder):
            yield from figures.of_codes(self, data, drawable)

    def pictures_of_parameters(self, names: Sequence[str] = ()) -> Iterator[Picture]:
        """Yield pictures of what was learnt, of a table's columns by their names: here none."""
        yield from ()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the fitted model into a folder: ``config.json``, ``model.safetensors``, a card."""
        check_is_fitted(self)
        return save(self, as_path(path, "path"), overwrite=overwrite)

    def checked(self, X: Rows, *, reset: bool) -> NDArray[Any]:
        """Return ``X`` checked, as an array: a table as floats, images as they are."""
        refuse_text(X)
        array = channels_first(as_array(X), self, reset=reset)
        if isinstance(array, np.ndarray) and array.ndim > 2:
            check_images(array, fitting=reset)
        else:
            kinds = [np.float64, np.float32]
            with refusing():
                array = validate_data(
                    self,
                    X=array,
                    reset=reset,
                    dtype=kinds,
                    ensure_all_finite=False,
                    accept_sparse="csr" if self.takes_sparse else False,
                )
            names = self.__dict__.get("feature_names_in_")
            refuse_not_finite(array, gaps=self.takes_gaps, names=names)
        if reset:
            self.data_shape_ = array.shape[1:]
        elif array.shape[1:] != self.data_shape_:
            raise InputError(
                f"X has samples of shape {array.shape[1:]}; this {type(self).__name__} was fitted "
                f"on samples of shape {self.data_shape_}"
            )
        checked: NDArray[Any] = array
        return checked


class LatentModel(Model, ABC):
    """A model of data ``x`` that arise from a smaller latent ``z``."""

    @abstractmethod
    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        """Return (n, *data_shape_) for latent rows."""

    @property
    @abstractmethod
    def n_latent(self) -> int:
        """The size of ``z`` in the fitted model."""

    def inverse_transform(self, Z: ArrayLike) -> Any:
        """Decode (n, n_components) latent rows as data in the layout of ``fit``.

        They are a tensor if ``Z`` is one.
        """
        return in_kind_of(Z, self._decode_array(self.latent_rows(Z)), self)

    def latent_rows(self, Z: ArrayLike) -> NDArray[Any]:
        """Return (n, n_components) latent rows of the fitted model, checked, as an array."""
        check_is_fitted(self)
        with refusing():
            z_NK: NDArray[Any] = check_array(as_array(Z), dtype=[np.float64, np.float32])
        if z_NK.shape[1] != self.n_latent:
            raise InputError(
                f"Z has {z_NK.shape[1]} columns; {type(self).__name__} has {self.n_latent} "
                "latent components"
            )
        return z_NK


class Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ABC):  # type: ignore[misc]
    """A model with a way back from data to the latent space."""

    @abstractmethod
    def _encode_array(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return (n, n_components) codes."""

    @property
    def _n_features_out(self) -> int:
        return int(self.n_latent)

    def transform(self, X: Rows) -> Any:
        """Return the (n, n_components) latent rows of data shaped as in ``fit``."""
        check_is_fitted(self)
        return in_kind_of(X, self._encode_array(self.checked(X, reset=False)))

    def reconstruct(self, X: Rows) -> Any:
        """Return ``inverse_transform(transform(X))``: what the latent space keeps of each row."""
        check_is_fitted(self)
        codes = self._encode_array(self.checked(X, reset=False))
        return in_kind_of(X, self._decode_array(codes), self)

    def damaged(self, X: NDArray[Any]) -> NDArray[Any] | None:
        """Return data as the model learnt to mend them; None if it learnt no such thing."""
        return None

    def negative_squared_error(self, X: Rows) -> float:
        """Return minus the mean over samples of ``‖x − x̂‖²`` between data and reconstruction."""
        check_is_fitted(self)
        array = self.checked(X, reset=False)
        total = 0.0
        for first in range(0, len(array), 4096):
            x = unit_floats(array[first : first + 4096])
            x_hat = self._decode_array(self._encode_array(x))
            with np.errstate(over="ignore"):
                total += float(np.square(x - x_hat, dtype=np.float64).sum())
        return -total / len(array)


class Sampler(ABC):
    """A model that draws new data."""

    @abstractmethod
    def sample(self, n_samples: int = 1, random_state: int | None = None) -> NDArray[np.float32]:
        """Return new data."""

    def drawn_for(self, data: Dataset, n: int, random_state: int) -> NDArray[Any]:
        """Return n samples to be held against a data set."""
        drawn = np.asarray(self.sample(n, random_state=random_state))
        return np.asarray(channels_first(drawn, self, reset=True))

    def likelihoods(self, data: Dataset) -> dict[str, float]:
        """Return the exact likelihood of test data, or bounds on it, where there are any."""
        return {}

    def picture_of_samples(self, data: Dataset) -> Picture:
        """Return a picture of samples that nobody selected."""
        from latentia.models import figures

        return figures.samples(self, data)


class Generator(Sampler):
    """A model with a prior over ``z``, which can draw new data."""

    def sample(
        self, n_samples: Count = 1, random_state: Seed | None = None, *, noise: bool = False
    ) -> NDArray[np.float32]:
        """Return (n_samples, ...) new data: ``z`` from the prior, decoded, as float32.

        The layout is that of the data in ``fit``; ``random_state`` makes the draw repeatable. With
        ``noise`` x is drawn from p(x given z), and without it is the mean of that.
        """
        check_arguments(Generator.sample, locals())
        check_is_fitted(self)
        draw = seeded(random_state)
        with within_memory(f"for {n_samples} samples"):
            z_NK = self.latent_draws(n_samples, draw)
        decoded = self._decode_array(z_NK.astype(np.float32))  # type: ignore[attr-defined]
        drawn = np.asarray(self.around(decoded, draw) if noise else decoded, dtype=np.float32)
        return np.asarray(in_kind_of(None, drawn, self))

    def around(self, means: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        """Return draws of p(x given z) with these means; here there is no such density."""
        raise InputError(f"{type(self).__name__} has no density of x given z: leave noise out")

    def latent_draws(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Return (n, n_components) draws of ``z``: from N(0, I), unless the model knows better."""
        z_NK: NDArray[Any] = draw.standard_normal((n, self.n_latent))  # type: ignore[attr-defined]
        return z_NK


def seeded(random_state: int | None) -> np.random.RandomState:
    """Return a generator of random numbers, or refuse a seed that is out of range."""
    check_range("random_state", random_state, 0, 2**32 - 1)
    draw: np.random.RandomState = check_random_state(random_state)
    return draw


def to_numpy(X: Any) -> Any:
    """Return a tensor (CPU or GPU) as an array, and anything else as it is."""
    return as_array(X) if is_tensor(X) else X
