"""THE loop: every gradient-trained model of Latentia is trained by `train`.

A model states its losses as `Update` records; the loop draws a batch for each, steps the nets
that the update moves and no others, keeps the averaged weights, and tells the run. All noise
and the order of the data follow from (seed, step), so a resumed run repeats the undisturbed one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from math import isfinite, isnan, nan
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from latentia.errors import InputError
from latentia.training import distributed, draws
from latentia.training.batches import Batches, BatchOrder
from latentia.training.device import autocast
from latentia.training.further import THE_BEST, when
from latentia.training.run import Run
from latentia.training.signals import Interruption, on_stop
from latentia.training.state import TrainingState
from latentia.training.updates import Loss, Update


class DivergenceError(InputError):
    """A loss that is not finite."""


class Trainable(Protocol):
    """What the loop needs of a model."""

    n_epochs_: int
    batch_size_: int
    best_epoch_: int
    learning_rate: float
    precision_: str
    ema_decay: float | None
    seed_: int

    @property
    def keeps_best(self) -> bool:
        """Whether the weights of the epoch with the best held-out value are the fitted ones."""

    @property
    def waits(self) -> int | None:
        """Epochs without a better held-out value that end training; none takes all of them."""

    @property
    def done(self) -> str:
        """Why the model itself ends training after an epoch; empty if it goes on."""

    def nets(self) -> Mapping[str, nn.Module]:
        """Return the model's modules by name."""

    def updates(self) -> list[Update]:
        """Return one training step: the lines of the algorithm box, in order."""

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor when this fraction of the training is done."""


class Watcher(Protocol):
    """Observes each step; it cannot steer."""

    def __call__(self, step: int, epoch: int, rows: int, values: Mapping[str, float]) -> None:
        """Take the losses of a step."""


def train(
    model: Trainable,
    batches: Batches,
    validation: Batches | None,
    run: Run,
    watch: Watcher,
    device: torch.device,
) -> None:
    """Train a model on batches of data; its nets hold the result.

    It ends after the epochs asked for, or earlier after one in which `why_to_end` finds a reason.

    Raises
    ------
    InputError
        If a loss is not finite: names it, the step, and what to try.
    KeyboardInterrupt
        After a checkpoint of the last whole step, when the run was asked to stop.
    """
    updates = model.updates()
    order = batch_order(model, batches)
    state = TrainingState(model.nets(), updates, model.learning_rate, model.ema_decay)
    run.restore(state, order.n_steps, hold=model.keeps_best)
    if not state.n_summed:
        state.n_summed = state.step % order.steps_an_epoch
    precision = autocast(device, model.precision_)
    began = time.perf_counter() - state.seconds
    interruption = Interruption()
    with torch.random.fork_rng(), on_stop(interruption):
        if model.keeps_best and state.step == 0 and validation is not None:
            rate_start(model, state, validation, run, device)
        for step in range(state.step, state.step if state.ended else order.n_steps):
            epoch = order.epoch(step)
            values: dict[str, float] = {}
            for update in updates:
                optimizer, parameters = state.optimizers[update.name], state.parameters[update.name]
                factor = update.schedule or model.rate_factor
                state.scale_learning_rate(update.name, factor(step / order.n_steps))
                if update.before is not None:
                    update.before(step, order.n_steps)
                for repeat in range(update.repeats):
                    batch = [part.to(device) for part in batches.batch(order.rows(step, repeat))]
                    draws.seed(model.seed_, step, update.name, repeat)
                    with precision:
                        loss = as_loss(update.loss(*batch))
                    values |= finite_values(update.name, loss, step)
                    for weight in parameters:
                        weight.grad = None
                    loss.total.backward(inputs=parameters)  # type: ignore[no-untyped-call]
                    distributed.average_gradients(parameters)
                    optimizer.step()
                    if update.after is not None:
                        update.after()
            state.step, state.seconds = step + 1, time.perf_counter() - began
            if state.average is not None:
                state.average.update(state.step)
            values = distributed.average(values)
            for name, value in values.items():
                state.sums[name] = state.sums.get(name, 0.0) + value
            state.n_summed += 1
            watch(state.step, epoch + 1, len(batch[0]) * distributed.world_size(), values)
            best = False
            if order.is_recorded(step):
                best = end_epoch(model, state, order, validation, run, device)
            stop = distributed.any_rank(interruption.asked)
            over = state.step == order.n_steps or bool(state.ended)
            run.checkpoint(state, best, force=stop or over, over=over)
            if stop:
                raise KeyboardInterrupt
            if over:
                break
    state.settle()
    if state.best:
        model.best_epoch_, last = state.best_epoch, order.epoch(state.step - 1) + 1
        if run.tell is not None and not state.ended and state.best_epoch < last:
            run.tell(last, f"the weights kept are those {when(state.best_epoch)}: {THE_BEST}")


def rate_start(
    model: Trainable,
    state: TrainingState,
    validation: Batches,
    run: Run,
    device: torch.device,
) -> None:
    """Keep the weights that training starts from for the case that they are never bettered."""
    score = None
    with evaluating(model.nets()):
        if distributed.rank() == 0:
            score = next(iter(held_out(model, validation, device, 1).values()))
    state.rate(shared(score), 0, hold=True)
    run.keep_best(state)


def batch_order(model: Trainable, batches: Batches) -> BatchOrder:
    """Return which rows each step draws: as many batches as the update that repeats most."""
    draws_a_step = max(update.repeats for update in model.updates())
    return BatchOrder(len(batches), model.batch_size_, model.n_epochs_, model.seed_, draws_a_step)


def as_loss(value: Tensor | Loss) -> Loss:
    """Return a bare scalar as a `Loss` without terms."""
    return value if isinstance(value, Loss) else Loss(value)


def finite_values(name: str, loss: Loss, step: int) -> dict[str, float]:
    """Return the loss and its terms as numbers, or refuse one that is not finite."""
    parts = {name: loss.total, **{f"{name}/{term}": v for term, v in loss.terms.items()}}
    values = {key: float(v.detach() if isinstance(v, Tensor) else v) for key, v in parts.items()}
    for key, value in values.items():
        if not isfinite(value):
            raise DivergenceError(
                f"the loss {key!r} is {value} at step {step + 1}: "
                "try a smaller learning_rate, or look for extreme values in the data"
            )
    return values


def end_epoch(
    model: Trainable,
    state: TrainingState,
    order: BatchOrder,
    validation: Batches | None,
    run: Run,
    device: torch.device,
) -> bool:
    """Record means since the last record and held-out values; return whether it is the best so far.

    A model with one update is scored by that loss; a game between nets has no score.
    """
    epoch = order.epoch(state.step - 1) + 1
    means = {name: total / state.n_summed for name, total in state.sums.items()}
    state.sums, state.n_summed = {}, 0
    run.record(state, epoch, "train", means)
    score = None
    averaged = nullcontext() if state.average is None else state.average.applied()
    with averaged, evaluating(model.nets()):
        if validation is not None and distributed.rank() == 0:
            values = held_out(model, validation, device, state.step)
            run.record(state, epoch, "validation", values)
            names = list(state.optimizers)
            score = values[names[0]] if len(names) == 1 else None
        run.show(state, epoch, last=state.step == order.n_steps)
        score = shared(score) if model.keeps_best else score
        best = state.rate(score, epoch, hold=model.keeps_best)
        asked = run.ask(state, epoch)
        if state.step < order.n_steps:
            state.ended = why_to_end(model, state, order, run, asked)
    return best


def why_to_end(
    model: Trainable, state: TrainingState, order: BatchOrder, run: Run, asked: str
) -> str:
    """Return why training ends after this epoch, before those asked for; empty if it goes on.

    A function of the user's ``asked`` for it, the model is done by its own measure, or its patience
    is at its end: so many epochs without a better held-out value, counted anew where a run went on
    that had ended.
    """
    epoch = order.epoch(state.step - 1) + 1
    since = max(state.best_epoch, -(-run.goes_on_at // order.steps_an_epoch))
    reason = ""
    if distributed.any_rank(bool(asked)):
        reason = f"{asked} asked for it"
    elif model.done:
        reason = model.done
    elif state.best_score is not None and model.waits is not None and epoch - since >= model.waits:
        reason = f"no better held-out value for {epoch - since} epochs"
        if epoch - since == 1:
            reason = "no better held-out value for an epoch"
    if reason and state.best:
        reason = f"{reason}; the weights are those {when(state.best_epoch)}, the best"
    if reason:
        run.end(state, epoch, f"ended before epoch {order.n_epochs}: {reason}")
    return reason


def shared(score: float | None) -> float | None:
    """Return the first process's held-out score in all of them."""
    found = float(distributed.broadcast(np.array([nan if score is None else score]))[0])
    return None if isnan(found) else found


def held_out(
    model: Trainable, batches: Batches, device: torch.device, step: int
) -> dict[str, float]:
    """Return every loss and term on held-out data, averaged over its rows; nets are evaluating.

    Batches are as large as those of all processes together, which one process would draw for.
    """
    sums: dict[str, float] = {}
    each, updates = model.batch_size_ * distributed.world_size(), model.updates()
    # Gradients take much memory: only a game's losses, and a user's own, may hold some themselves.
    are_plain = len(updates) == 1 and type(model).__module__.startswith("latentia.")
    for first in range(0, len(batches), each):
        rows = np.arange(first, min(first + each, len(batches)))
        batch = [part.to(device) for part in batches.batch(rows)]
        for update in updates:
            draws.seed(model.seed_, "held out", update.name, first)
            with torch.set_grad_enabled(not are_plain):
                found = finite_values(update.name, as_loss(update.loss(*batch)), step - 1)
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + value * len(rows)
    return {name: total / len(batches) for name, total in sums.items()}


@contextmanager
def evaluating(nets: Mapping[str, nn.Module]) -> Iterator[None]:
    """Put nets in evaluation mode within a ``with`` block, and back as they were.

    One process evaluates, and its draws are of its own rows alone.
    """
    modes = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
    try:
        with draws.undivided():
            yield
    finally:
        for name, net in nets.items():
            net.train(modes[name])
