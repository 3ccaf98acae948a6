"""How a learning rate changes over a run: its factor at a fraction ``done`` in [0, 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

STAGES = 8
PASSES = sum(3**stage for stage in range(STAGES))


def constant(done: float) -> float:
    """Return 1."""
    return 1.0


def linear(done: float) -> float:
    """Return ``1 − t``."""
    return 1 - done


def cosine(done: float) -> float:
    """Return ``½ (1 + cos πt)``.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, eq. 5 (one period, down to 0).
    """
    return 0.5 * (1 + math.cos(math.pi * done))


def stages(done: float) -> float:
    """Return ``10^(−i/7)`` for 3ⁱ passes, i = 0 ... 7: 3,280 in all, scaled to the run's length.

    References
    ----------
    .. [1] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016,
       section 5.

    >>> [round(stages(passes / 3280), 3) for passes in (0.5, 1.5, 4.5, 3279)]
    [1.0, 0.72, 0.518, 0.1]
    """
    stage = int(math.log(2 * done * PASSES + 1, 3))
    return float(10 ** (-min(stage, STAGES - 1) / (STAGES - 1)))


SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "stages": stages,
}
"""By the names of the field ``learning_rate_schedule``."""
