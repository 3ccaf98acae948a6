"""What all gradient-trained models share: a few knobs, `fit`, and nets applied to arrays.

A model with a latent space is a `DecodingModel`. Shapes: ``x`` is (N, C, H, W) or (N, d) in data
units.
"""

from __future__ import annotations

import copy
import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from latentia.errors import Decay, InputError, Positive, Seed, own_among, within_memory
from latentia.files import as_path
from latentia.models.apply import apply
from latentia.models.base import Model, to_numpy
from latentia.models.fields import in_new_names
from latentia.models.fine_tuning import START, beginning_of, take_units, take_weights, told_of
from latentia.models.inputs import Channels, Labels, Rows, refuse_outside_unit, with_labels
from latentia.models.own_parts import class_name, recorded, with_names_of_nets
from latentia.plots.grids import DRAWABLE, rows, save_png, tile
from latentia.training import distributed, draws
from latentia.training.batches import CHUNK, Batches, Planned, Source
from latentia.training.config import RunConfig, as_written, versions
from latentia.training.device import Placed, bounded_weights, check_device_name
from latentia.training.directory import held
from latentia.training.further import going_on
from latentia.training.history import History
from latentia.training.metrics_file import Record
from latentia.training.progress import TrainingProgress, tell_notes
from latentia.training.run import Callback, Numbers, Run
from latentia.training.train import batch_order, evaluating, train
from latentia.training.updates import SCHEDULES, Update

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, EXAMINED = 64, 256
"""Samples that an epoch's picture may show, and that a checkup looks at."""


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class GradientModel(Planned, Placed, Model):
    """A model whose nets are trained by gradients, through the one loop of `train`.

    A subclass states two things:

    ``build(shape)``
        its nets, as attributes whose names end in an underscore;
    ``updates()``
        its training step, the lines of the paper's algorithm box.

    It inherits the rest, and overrides what differs. ``fit`` calls, in this order,

    1. ``checked(X)`` for an array, ``targets(y)`` for what the losses take beside each sample, and
       ``read(array, y)`` for batches of both;
    2. ``before_nets`` for what comes first, such as training another model;
    3. ``initialise``, that is ``learn_scale`` for what the nets must know of the data, and then
       ``build``, then ``check_held_out``;
    4. ``updates`` and ``rate_factor`` in the loop, and after each epoch ``checkup`` for the model's
       health and ``show``, which writes the images of ``epoch_picture``;
    5. ``after_training`` for what follows from the trained nets and the data.

    They stand below in this order. A class of your own that derives from a finished model overrides
    its ``loss``, from a batch to a scalar or a `Loss`; in a game, the ``generator_loss`` or its
    opponent's. What it annotates are fields.
    """

    resumable = True
    unit: ClassVar[str] = "samples"
    """What progress calls the rows of a batch."""
    layout: ClassVar[torch.memory_format] = torch.channels_last
    """Convolutions keep the channels of a pixel side by side, which is faster on CPUs and GPUs."""

    learning_rate: Positive = 1e-3
    """The optimiser's step size."""
    learning_rate_schedule: Literal["constant", "linear", "late-linear", "cosine", "stages"] = (
        "constant"
    )
    """How the step size changes: not, to 0 along a line, along one from halfway on, along a cosine,
    or in Burda's eight stages."""
    ema_decay: Decay | None = None
    """Decay of the averaged weights that the fitted model then uses; none keeps the last ones."""
    random_state: Seed | None = None
    """Seed of everything random; none draws one, kept in ``seed_``."""

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets for samples of ``shape``, (C, H, W) or (d,)."""

    @abstractmethod
    def updates(self) -> list[Update]:
        """Return one training step: the lines of the algorithm box, in order."""

    def fit(
        self,
        X: Rows,
        y: Labels | None = None,
        *,
        validation: Rows | None = None,
        run: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Mapping[str, object] | None = None,
        start_from: Self | str | Path | None = None,
        callbacks: Sequence[Callback] = (),
        channels: Channels = "first",
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
            Go on from the last checkpoint in ``run``; with a larger ``n_epochs``, which counts
            those of the run too, also with a run that had ended.
        progress
            Show a progress bar; by default only at a terminal and in a notebook.
        origin
            Where the data came from, for the run's ``config.json``.
        start_from
            A fitted model of the same class with the same nets, or the folder of a saved one or of
            a run, whose weights and units of the data training begins with; none begins anew.
        callbacks
            Functions that are shown an `EpochEnd` after each epoch. Training ends after an epoch
            in which one returns True.
        channels
            Of images: first, or last, as (n, H, W, C), which the fitted model then takes and gives.

        Raises
        ------
        InputError
            For a parameter or data that cannot be used, a loss that is not finite, a run
            directory that is in use or holds another run. Whatever ends a fit early, an earlier
            one's model stays as it was.
        """
        # What this model learnt is forgotten when it learns anew, and may be what it starts from.
        given = copy.copy(self) if start_from is self else start_from
        with self.learning(channels=channels):
            self.validate_parameters(begun=resume)
            X, y = with_labels(X, y, self)
            array = self.checked(X, reset=True)
            folder, begun = self._place(run, resume, given)
            self.choose_batch(len(array))
            batches, held_out = self.read(array, y, reset=True), self._held_out(validation)
            device = self.prepare_machine(begun)
            with within_memory("to train; take a smaller batch_size"), ExitStack() as stack:
                # One group of processes, also for what is trained first.
                stack.enter_context(distributed.process_group(device))
                self.seed_ = self._seed() if begun is None else begun.seed
                settled = self.settled(array)
                batches, held_out = self.parted(batches, held_out, settled)
                resolved = {**settled, **self.resolve(batches)}
                if not resume:
                    self.check_effects(resolved)
                if folder is not None:
                    known = {**(origin or {}), **self.facts(array, y)}
                    holding = self._holding(folder, begun, known, resolved, given, progress)
                    begun = stack.enter_context(holding)
                self.before_nets(array, y, folder, progress)
                self.initialise(batches, device)
                self.settle_precision(batches, device, begun, folder)
                self.check_held_out(held_out)
                order, name = batch_order(self, batches), type(self).__name__
                enough = self.usual_steps if self.n_epochs and not self.holds_out(resolved) else 0
                tell_notes(order.told(name, self.unit, str(device), enough), progress)
                bar = TrainingProgress(order.n_steps, order.n_epochs, name, progress, self.unit)
                watch = stack.enter_context(bar)
                shown = [part.to(device) for part in (held_out or batches).first(SHOWN)]
                examined = [part.to(device) for part in batches.first(EXAMINED)]
                draw, examine = partial(self.show, shown), partial(self._examine, examined)
                again = 0 if begun is None else begun.goes_on_at
                kept = Run(folder, draw, examine, watch.tell, callbacks, self, again)
                self.records_ = kept.records
                train(self, batches, held_out, stack.enter_context(kept), watch, device)
            self._conclude(array, y)
        return self

    @property
    def history_(self) -> History:
        """What was recorded of the training: a dict of lists, a value for each epoch."""
        check_is_fitted(self)
        return History(self._recorded)

    def plot_history(self) -> Figure:
        """Return a figure of the losses over the epochs, held-out ones dashed."""
        from latentia.plots.curves import loss_curves

        check_is_fitted(self)
        return loss_curves(self._recorded)

    @property
    def _recorded(self) -> Sequence[Record]:
        """The records of a fit; none of a model that version 0.1.0 saved."""
        found: Sequence[Record] = vars(self).get("records_", ())
        return found

    def targets(self, y: Labels | None, n_rows: int, *, reset: bool) -> NDArray[Any] | None:
        """Return what the losses take beside each sample; here nothing."""
        return None

    def read(self, array: Rows, y: Labels | None, *, reset: bool) -> Batches:
        """Return checked data as batches of what the losses take."""
        return Source(array, self.targets(y, len(array), reset=reset))

    def before_nets(self, array: Rows, y: Any, run: Path | None, progress: bool | None) -> None:
        """Do what comes before the nets are made, such as training another model; here nothing."""

    def initialise(self, batches: Batches, device: torch.device) -> None:
        """Make the nets from the data and the seed, on a device, ready to be trained."""
        with torch.random.fork_rng():
            draws.seed(self.seed_, "build")
            self.learn_scale(batches)
            if self.beginning is not None:
                take_units(self, self.beginning)
            with bounded_weights():
                self.build(self.sample_shape_)
            if self.beginning is not None:
                take_weights(self, self.beginning)
        ours = type(self).build.__module__.startswith("latentia.") and not own_among(self)
        layout = self.layout if ours else torch.contiguous_format
        for net in self.nets().values():
            _to(net, device, layout).train()

    def settle_precision(
        self, batches: Batches, device: torch.device, config: RunConfig | None, run: Path | None
    ) -> None:
        """Probe the nets' own step if it is to choose the precision, and note it in the run."""
        if self.precision_ == "auto":
            from latentia.training.precision_probe import faster_precision

            self.precision_ = faster_precision(self, batches, device)
            if run is not None and config is not None and distributed.rank() == 0:
                dataclasses.replace(config, precision=self.precision_).rewrite(run)

    def learn_scale(self, batches: Any) -> None:
        """Learn what the nets must know of the batches before they are made; here nothing."""

    def bounded_by(self) -> str:
        """Return why data must lie in [0, 1] for the losses, as a clause; here they need not."""
        return ""

    def check_held_out(self, held_out: Batches | None) -> None:
        """Refuse held-out data that the losses are not defined on."""
        why = self.bounded_by()
        if held_out is None or not why:
            return
        for first in range(0, len(held_out), CHUNK):
            (x, *_) = held_out.batch(np.arange(first, min(first + CHUNK, len(held_out))))
            refuse_outside_unit(x.numpy(force=True), why, first, "validation")

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor when this fraction of the training is done."""
        return SCHEDULES[self.learning_rate_schedule](done, self.n_epochs_)

    def checkup(
        self, x: Tensor, *targets: Tensor, means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return numbers of the model's health, and a sentence if it ails; here nothing."""
        return {}, ""

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return labelled images for an epoch's picture; here none.

        ``x`` and what the losses take beside it are of the first held-out samples, if any are.
        """
        return []

    def show(self, batch: Sequence[Tensor], folder: Path, epoch: int) -> None:
        """Write the images of `epoch_picture` as ``epoch_0001.png`` and so on, if there are any."""
        x, *beside = batch
        if x.ndim != 4 or x.shape[1] not in DRAWABLE:
            return
        with torch.no_grad():
            draws.seed(self.seed_, "preview")
            images = [(name, to_numpy(part)) for name, part in self.epoch_picture(x, *beside)]
        if images:
            picture = tile(images[0][1], n_columns=8) if len(images) == 1 else rows(images)
            save_png(folder / f"epoch_{epoch:04d}.png", picture)

    def after_training(self, array: Rows, y: Labels | None) -> None:
        """Keep what follows from the trained nets and the training data; here nothing."""

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """Return the class and the hyperparameters that are not their defaults, nets by class."""
        return str(BaseEstimator.__repr__(with_names_of_nets(self), N_CHAR_MAX))

    def validate_parameters(self, *, begun: bool = False) -> None:
        """Check every hyperparameter, without data."""
        super().validate_parameters(begun=begun)
        check_device_name(self.device)
        if self.patience is not None and not self.is_scored:
            raise InputError(
                f"patience is {self.patience}, and {type(self).__name__} is a game between nets, "
                "in which no held-out value says who is better: leave it out"
            )

    def nets(self) -> Mapping[str, nn.Module]:
        """Return the model's modules by name."""
        fields = self.__dataclass_fields__
        return {k: v for k, v in vars(self).items() if isinstance(v, nn.Module) and k not in fields}

    def prepare_nets(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Make the nets of a saved model, and fill them with their ``<net>.<parameter>``."""
        with bounded_weights():
            self.build(self.sample_shape_)
        for name, net in self.nets().items():
            own = {k: torch.from_numpy(v) for k, v in weights.items() if k.startswith(f"{name}.")}
            net.load_state_dict({key.removeprefix(f"{name}."): own[key] for key in own})
            net.eval()

    def apply(self, verb: str, rows_: NDArray[Any], *beside: NDArray[Any]) -> NDArray[Any]:
        """Return a method of tensors applied to arrays, chunk by chunk."""
        return apply(self, verb, rows_, *beside)

    def _conclude(self, array: Rows, y: Labels | None) -> None:
        """Bring the nets to the CPU, ready to be used, and keep what follows from them."""
        self.__dict__.pop("_beginning", None)
        for net in self.nets().values():
            _to(net, torch.device("cpu"), torch.contiguous_format).eval()
        with torch.random.fork_rng():
            draws.seed(self.seed_, "conclude")
            self.after_training(array, y)

    def _held_out(self, validation: Rows | None) -> Batches | None:
        self._check_patience(validation)
        if validation is None:
            return None
        given = validation if isinstance(validation, tuple) else (validation, None)
        if len(given) != 2:
            raise InputError(f"validation is a tuple of {len(given)}; give X, or (X, y)")
        rows, labels = with_labels(*given, self)
        return self.read(self.checked(rows, reset=False), labels, reset=False)

    def _seed(self) -> int:
        """Return the seed asked for, or one that is drawn, the same in all processes."""
        if self.random_state is not None:
            return int(self.random_state)
        drawn = np.random.default_rng().integers(2**32, size=1)
        return int(distributed.broadcast(drawn.astype(np.float64))[0])

    @property
    def beginning(self) -> Self | None:
        """The fitted model whose weights a fit under way starts from, if any."""
        return vars(self).get("_beginning")

    def _place(
        self, run: str | Path | None, resume: bool, given: Self | str | Path | None
    ) -> tuple[Path | None, RunConfig | None]:
        """Return a run's directory and what was begun there, and take the model to start from.

        Of a run that was begun it is the copy in ``start``.
        """
        folder = None if run is None else as_path(run, "run")
        if resume and folder is None:
            raise InputError("resume needs run: the directory of the run to go on with")
        self._begun = begun = RunConfig.read(folder) if resume and folder else None
        if begun is not None and given is not None:
            raise InputError(f"the run in {folder} goes on with its own weights: no start_from")
        if begun is not None and folder is not None and begun.start_from is not None:
            given = folder / START
        if given is not None:
            self._beginning = beginning_of(self, given)
        return folder, begun

    def _check_patience(self, held_out: Rows | None) -> None:
        """Refuse to wait for a better held-out value where there is none."""
        if self.patience is not None and held_out is None:
            raise InputError(
                f"patience is {self.patience}, and counts epochs without a better held-out value: "
                "give held-out data with validation, or leave patience out"
            )

    @property
    def done(self) -> str:
        """Why training ends after this epoch by the method's own measure; empty if it goes on."""
        return ""

    @property
    def is_scored(self) -> bool:
        """Whether one loss says how good the model is; games have none."""
        return True

    @contextmanager
    def _holding(
        self,
        folder: Path,
        begun: RunConfig | None,
        data: Mapping[str, object],
        resolved: Mapping[str, object],
        given: Self | str | Path | None,
        progress: bool | None,
    ) -> Iterator[RunConfig]:
        """Hold the run's directory, with a copy of the model that the run begins with."""
        config = RunConfig(
            model=class_name(self),
            parameters=recorded(self) | {"random_state": self.seed_},
            data=data,
            precision=self.precision_,
            versions=versions(),
            threads=torch.get_num_threads(),
            world_size=distributed.world_size(),
            resolved=resolved,
            start_from=None if given is None else told_of(given),
        )
        defaults = type(self)().get_params()
        if begun is not None:
            named = as_written(in_new_names(begun.parameters, defaults), defaults)
            begun = dataclasses.replace(begun, parameters=named)
        with held(folder, config, begun, defaults) as now:
            if self.beginning is not None and begun is None and distributed.rank() == 0:
                self.beginning.save(folder / START / "model")
            if begun is not None:
                tell_notes(going_on(now, folder), progress)
            yield now

    def _examine(
        self, batch: Sequence[Tensor], means: Numbers, earlier: Sequence[Numbers], epoch: int
    ) -> tuple[dict[str, float], str]:
        """Return the checkup, made without a trace in the training."""
        draws.seed(self.seed_, "checkup")
        with torch.no_grad(), evaluating(self.nets()):
            return self.checkup(*batch, means=means, earlier=earlier, epoch=epoch)


def _to(net: nn.Module, device: torch.device, layout: torch.memory_format) -> nn.Module:
    moved: nn.Module = net.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    return moved
