"""How a learning rate changes over a run: its factor at a fraction ``done`` of it, in [0, 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

STAGES = 8


def constant(done: float, n_epochs: int) -> float:
    """Return 1."""
    return 1.0


def linear(done: float, n_epochs: int) -> float:
    """Return ``1 − t``."""
    return 1 - done


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
    "constant": constant,
    "linear": linear,
    "late-linear": late_linear,
    "cosine": cosine,
    "stages": stages,
}
"""By the names of the field ``learning_rate_schedule``."""
