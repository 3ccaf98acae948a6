"""What all gradient-trained models share: a few knobs, `fit`, and nets applied to arrays.

A subclass states `build` (its nets), `updates` (its algorithm) and `epoch_picture`; one with a
latent space is a `DecodingModel`. Shapes: ``x`` is (N, C, H, W) or (N, d) in data units.
"""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from latentia.data.arrays import fingerprint
from latentia.errors import Count, Decay, Positive, Seed, check_range
from latentia.models.apply import apply
from latentia.models.base import LatentModel, Model, to_numpy
from latentia.models.saved import fill
from latentia.plots.grids import DRAWABLE, rows, tile
from latentia.training import distributed, draws
from latentia.training.batches import Source
from latentia.training.config import recorded_threads, run_seed
from latentia.training.device import check_device_name, find_device, set_threads
from latentia.training.health import Checkups, Numbers, examination
from latentia.training.progress import TrainingProgress
from latentia.training.run import Run, Unrecorded, open_run
from latentia.training.train import batch_order, train
from latentia.training.updates import SCHEDULES, Update

SHOWN = 64
"""Samples that an epoch's picture may show."""


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class GradientModel(Model):
    """A model whose nets are trained by gradients, through the one loop of `train`."""

    n_epochs: Count = 10
    """Passes over the training data."""
    batch_size: Count = 128
    """Samples in a batch, in each process."""
    learning_rate: Positive = 1e-3
    """The optimiser's step size."""
    learning_rate_schedule: Literal["constant", "linear", "late-linear", "cosine", "stages"] = (
        "constant"
    )
    """How the step size changes: not, to 0 along a line, along one from halfway on, along a cosine,
    or in Burda's eight stages."""
    ema_decay: Decay | None = None
    """Decay of the averaged weights that the fitted model then uses; none keeps the last ones."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, cuda:1, mps."""
    random_state: Seed | None = None
    """Seed of everything random; none draws one, kept in ``seed_``."""

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets for samples of ``shape``, (C, H, W) or (d,)."""

    @abstractmethod
    def updates(self) -> list[Update]:
        """Return one training step: the lines of the algorithm box, in order."""

    @abstractmethod
    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return labelled images for an epoch's picture.

        ``x`` and what the losses take beside it are of the first held-out samples, if any are.
        """

    @property
    def sample_shape_(self) -> tuple[int, ...]:
        """(C, H, W) or (d,): a sample's shape inside the nets."""
        shape = self.data_shape_
        return (1, *shape) if len(shape) == 2 else shape

    def check_shared_values(self) -> None:
        """Raise InputError for a shared hyperparameter out of its range."""
        check_training_values(self)

    def validate_parameters(self) -> None:
        """Check every hyperparameter, without data."""
        super().validate_parameters()
        check_device_name(self.device)

    def nets(self) -> Mapping[str, nn.Module]:
        """Return the model's modules by name."""
        return {k: v for k, v in vars(self).items() if isinstance(v, nn.Module)}

    def fit(
        self,
        X: ArrayLike,
        y: object = None,
        *,
        validation: Any = None,
        run: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Mapping[str, object] | None = None,
    ) -> Self:
        """Train on data.

        Parameters
        ----------
        X
            (n, d) table, or (n, H, W) or (n, C, H, W) images, uint8 or floats in [0, 1].
        y
            Labels, domains, or the images that those of X are to become, for a model that takes
            them; otherwise not used.
        validation
            Held-out data of the same shape: its losses are recorded each epoch. ``(X, y)`` for a
            model that takes labels, domains or pairs.
        run
            A directory for the run's metrics, pictures and checkpoints; none leaves no files.
        resume
            Go on from the last checkpoint in ``run``.
        progress
            Show a progress bar; by default only at a terminal.
        origin
            Where the data came from, for the run's ``config.json``.

        Returns
        -------
        self

        Raises
        ------
        InputError
            For a parameter or data that cannot be used, a loss that is not finite, a run
            directory that is in use or holds another run.
        """
        self.validate_parameters()
        array = self.checked(X, reset=True)
        source = self.source(array, y, reset=True)
        held_out = None if validation is None else self._held_out(validation)
        folder = None if run is None else Path(run)
        set_threads(recorded_threads(folder) if resume and folder is not None else None)
        device = find_device(self.device)
        self.seed_ = run_seed(self.random_state, folder if resume else None)
        with ExitStack() as stack:
            # One group of processes, also for what is trained first.
            stack.enter_context(distributed.process_group(device))
            recorder: Run | Unrecorded = Unrecorded()
            if folder is not None:
                fixed = [part.to(device) for part in (held_out or source).first(SHOWN)]
                draw = functools.partial(self._picture, *fixed)
                config = self._config(array, origin or {})
                defaults = type(self)().get_params()
                held = open_run(folder, config, draw, resume=resume, defaults=defaults)
                recorder = stack.enter_context(held)
            self.before_nets(array, folder, progress)
            self.initialise(source, device)
            n_steps = batch_order(self, source).n_steps
            watch = stack.enter_context(
                TrainingProgress(n_steps, self.n_epochs, type(self).__name__, progress)
            )
            examined = Checkups(recorder, examination(self, source, device), watch.tell)
            train(self, source, held_out, examined, watch, device)
        for net in self.nets().values():
            _to(net, torch.device("cpu"), torch.contiguous_format).eval()
        with torch.random.fork_rng():
            draws.seed(self.seed_, "conclude")
            self.after_training(array, y)
        return self

    def source(self, array: NDArray[Any], y: Any, *, reset: bool) -> Source:
        """Return checked data as batches of what the losses take."""
        return Source(array, self.targets(y, len(array), reset=reset))

    def _held_out(self, validation: Any) -> Source:
        X, y = validation if isinstance(validation, tuple) else (validation, None)
        return self.source(self.checked(X, reset=False), y, reset=False)

    def targets(self, y: Any, n_rows: int, *, reset: bool) -> NDArray[Any] | None:
        """Return what the losses take beside each sample; here nothing."""
        return None

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor when this fraction of the training is done."""
        return SCHEDULES[self.learning_rate_schedule](done, self.n_epochs)

    def initialise(self, source: Source, device: torch.device) -> None:
        """Make the nets for data, from the seed, on a device, ready to be trained.

        Convolutions keep the channels of a pixel side by side, which is faster on CPUs and GPUs.
        """
        with torch.random.fork_rng():
            draws.seed(self.seed_, "build")
            self.learn_scale(source)
            self.build(self.sample_shape_)
        for net in self.nets().values():
            _to(net, device, torch.channels_last).train()

    def prepare_nets(self, tensors: Mapping[str, Tensor]) -> None:
        """Make the nets of a saved model and fill them."""
        self.build(self.sample_shape_)
        fill(self.nets(), tensors)

    def learn_scale(self, source: Source) -> None:
        """Learn what the nets need to know of the data before they are made; here nothing."""

    def before_nets(self, array: NDArray[Any], run: Path | None, progress: bool | None) -> None:
        """Do what comes before the nets are made, such as training on its own; here nothing."""

    def after_training(self, array: NDArray[Any], y: Any) -> None:
        """Learn what follows from the trained nets and the training data; here nothing."""

    def checkup(
        self, *batch: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return numbers of the model's health, and a sentence if it ails; here nothing."""
        return {}, ""

    def _config(self, array: NDArray[Any], origin: Mapping[str, object]) -> dict[str, Any]:
        parameters = self.get_params() | {"random_state": self.seed_}
        return {
            "model": type(self).__name__,
            "parameters": parameters,
            "data": dict(origin)
            | {"samples": len(array), "shape": array.shape[1:], "hash": fingerprint(array)},
        }

    def _picture(self, x: Tensor, *beside: Tensor) -> NDArray[np.uint8] | None:
        if x.ndim != 4 or x.shape[1] not in DRAWABLE:
            return None
        with torch.no_grad():
            draws.seed(self.seed_, "preview")
            pictures = [
                (label, to_numpy(images)) for label, images in self.epoch_picture(x, *beside)
            ]
        if len(pictures) == 1:
            return tile(pictures[0][1], n_columns=8)
        return rows(pictures)

    def apply(self, verb: str, rows_: NDArray[Any], *beside: NDArray[Any]) -> NDArray[Any]:
        """Return a method of tensors applied to arrays, chunk by chunk."""
        return apply(self, verb, rows_, *beside)


def check_training_values(model: Any) -> None:
    """Raise InputError for a hyperparameter that all trained models have, out of its range."""
    check_range("n_epochs", model.n_epochs, 1)
    check_range("batch_size", model.batch_size, 1)
    check_range("learning_rate", model.learning_rate, 0, open_low=True)
    check_range("ema_decay", model.ema_decay, 0, 1, open_high=True)
    check_range("random_state", model.random_state, 0, 2**32 - 1)
    check_device_name(model.device)


def _to(net: nn.Module, device: torch.device, layout: torch.memory_format) -> nn.Module:
    moved: nn.Module = net.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    return moved


@dataclass(eq=False, repr=False, kw_only=True)
class DecodingModel(GradientModel, LatentModel, ABC):
    """A model of data that arise from a smaller latent ``z``, trained by gradients.

    A subclass states `decode`; an encoding one also ``encode``.
    """

    @abstractmethod
    def decode(self, z_NK: Tensor) -> Tensor:
        """Return data of shape (N, *shape) for latent rows."""

    @property
    def n_latent(self) -> int:
        """The size of ``z``."""
        return int(self.n_components or 0)

    def check_shared_values(self) -> None:
        """Raise InputError for a shared hyperparameter out of its range."""
        super().check_shared_values()
        check_range("n_components", self.n_components, 1)

    def _decode_array(self, Z: NDArray[Any]) -> NDArray[Any]:
        return self.apply("decode", Z).reshape(len(Z), *self.data_shape_)
