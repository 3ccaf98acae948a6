"""One line of a paper's algorithm box, as a value: whose loss, which nets it moves, how often."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn, optim

from latentia.errors import InputError


@dataclass(frozen=True)
class Loss:
    """A loss with the terms worth watching beside it.

    Attributes
    ----------
    total
        The scalar that is minimised.
    terms
        Named scalars or numbers that are logged as ``<update>/<term>`` and never differentiated.
    """

    total: Tensor
    terms: Mapping[str, Tensor | float] = field(default_factory=dict)

    def __add__(self, more: Tensor | float) -> Loss:
        """Return the loss with something added to what is minimised, its terms as they are."""
        return Loss(self.total + more, self.terms)


@dataclass(frozen=True)
class Update:
    """Minimise a loss over some nets.

    Attributes
    ----------
    name
        What the loss is called in logs and errors.
    loss
        A batch to a scalar tensor, or to a `Loss`.
    nets
        The nets that move; every other net gets no gradient.
    repeats
        How many batches are drawn for it in each training step (``n_critic`` of a WGAN).
    before
        Called before each training step with its number, from 0, and the number of steps in all
        (a weight that rises over the run).
    after
        Called after each optimiser step (weight clipping of a WGAN).
    optimizer
        Makes the optimiser from the parameters; without it, Adam at the model's learning rate.
    schedule
        The learning rate's factor as a function of the fraction of training done, in [0, 1);
        without it, the model's own.
    """

    name: str
    loss: Callable[..., Tensor | Loss]
    nets: Sequence[nn.Module]
    repeats: int = 1
    before: Callable[[int, int], None] | None = None
    after: Callable[[], None] | None = None
    optimizer: Callable[[list[nn.Parameter]], optim.Optimizer] | None = None
    schedule: Callable[[float], float] | None = None

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that this update moves; what is frozen stays."""
        for net in self.nets:
            yield from (weight for weight in net.parameters() if weight.requires_grad)

    def make_optimizer(self, learning_rate: float) -> optim.Optimizer:
        """Return this update's optimiser over its parameters."""
        parameters = list(self.parameters())
        if not parameters:
            raise InputError(f"{self.name} has no weights to train: its nets have none, or frozen")
        return (self.optimizer or partial(adam, learning_rate=learning_rate))(parameters)


def adam(
    parameters: list[nn.Parameter],
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> optim.Adam:
    """Return Adam with its authors' defaults, in torch's fused kernel: one pass over the weights.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, alg. 1.
    """
    return FusedAdam(parameters, lr=learning_rate, betas=betas, eps=epsilon, fused=True)


def name_of(loss: Callable[..., Tensor | Loss], name: str) -> str:
    """Return what a loss of Latentia's is called, or ``loss`` for one that a user's class states.

    A curve of another loss is not shown under the name of the one that it replaces.
    """
    return name if loss.__module__.startswith("latentia.") else "loss"


Rule = TypeVar("Rule", bound=type[optim.Optimizer])


def uncompiled(rule: Rule) -> Rule:
    """Return an optimiser's class whose methods do not look for torch's compiler.

    The decorators that do import it at their first call, which takes a second. No step of ours is
    compiled or differentiated, so that these methods do the same without them.
    """
    for name in ("add_param_group", "step", "zero_grad", "state_dict", "load_state_dict"):
        setattr(rule, name, torch.no_grad()(inspect.unwrap(getattr(rule, name))))
    return rule


@uncompiled
class FusedAdam(optim.Adam):
    """torch's Adam as one call of its fused kernel, with the state and the bits that torch has.

    The kernel is shown a convolution's weights in the order in which they lie in memory: on a CPU
    it copies a gradient in channels-last layout before it uses it, which takes as long as the step
    itself. The same numbers with their axes in storage order need no copy.
    """

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            if any(weight not in self.state for weight in moved):
                self._init_group(group, *([] for _ in range(6)))  # type: ignore[no-untyped-call]
            for kind in {weight.dtype for weight in moved}:
                self._move(group, [weight for weight in moved if weight.dtype == kind])

    def _move(self, group: Mapping[str, Any], weights: Sequence[Tensor]) -> None:
        states = [self.state[weight] for weight in weights]
        steps = [state["step"] for state in states]
        # A number in the tensor's place takes torch several times as long.
        torch._foreach_add_(steps, torch.ones((), device=steps[0].device), alpha=1.0)
        torch._fused_adam_(
            _in_storage_order(weights),
            _in_storage_order([w.grad for w in weights if w.grad is not None]),
            _in_storage_order([state["exp_avg"] for state in states]),
            _in_storage_order([state["exp_avg_sq"] for state in states]),
            [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


def _in_storage_order(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors, and of channels-last ones views whose axes follow the memory."""
    last = torch.channels_last
    return [
        values.permute(0, 2, 3, 1)
        if values.ndim == 4 and values.is_contiguous(memory_format=last)
        else values
        for values in tensors
    ]


@uncompiled
class FusedSGD(optim.SGD):
    """torch's stochastic gradient descent."""


def sgd(parameters: list[nn.Parameter], learning_rate: float, momentum: float = 0.9) -> optim.SGD:
    """Return stochastic gradient descent with momentum."""
    return FusedSGD(parameters, lr=learning_rate, momentum=momentum, fused=True)


@uncompiled
class RMSprop(optim.RMSprop):
    """torch's RMSprop."""


def rmsprop(parameters: list[nn.Parameter], learning_rate: float) -> optim.RMSprop:
    """Return RMSprop, the WGAN paper's optimiser, over all weights at once.

    References
    ----------
    .. [1] T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", COURSERA: Neural Networks for Machine
       Learning, 2012.
    """
    return RMSprop(parameters, lr=learning_rate, foreach=True)


STAGES = 8


def late_linear(done: float, n_epochs: int) -> float:
    """Return 1 for the first half, then a line to 0: ``min(1, 2 (1 − t))``.

    References
    ----------
    .. [1] J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired Image-to-Image Translation using
       Cycle-Consistent Adversarial Networks", ICCV 2017, section 4.
    """
    return min(1.0, 2 * (1 - done))


def cosine(done: float, n_epochs: int) -> float:
    """Return ``½ (1 + cos πt)``.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, eq. 5 (one period, down to 0).
    """
    return 0.5 * (1 + math.cos(math.pi * done))


def stages(done: float, n_epochs: int) -> float:
    """Return ``10^(−i/7)`` for 3ⁱ epochs, i = 0 ... 7: 3,280 in all.

    A shorter run goes through as many of the stages as it has epochs for.

    References
    ----------
    .. [1] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016,
       section 5.

    >>> [round(stages(epoch / 3280, 3280), 3) for epoch in (0.5, 1.5, 4.5, 3279)]
    [1.0, 0.72, 0.518, 0.1]
    >>> stages(0.0, 60), round(stages(59 / 60, 60), 3)
    (1.0, 0.268)
    """
    stage = int(math.log(2 * done * n_epochs + 1, 3))
    return float(10 ** (-min(stage, STAGES - 1) / (STAGES - 1)))


SCHEDULES: Mapping[str, Callable[[float, int], float]] = {
    "constant": lambda done, n_epochs: 1.0,
    "linear": lambda done, n_epochs: 1 - done,
    "late-linear": late_linear,
    "cosine": cosine,
    "stages": stages,
}
"""The rate's factor at a share of the training done, by the field ``learning_rate_schedule``."""
