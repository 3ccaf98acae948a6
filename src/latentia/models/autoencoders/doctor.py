"""What ails an autoencoder, in one sentence: from a few numbers that are taken after each epoch.

    left        Σ ‖x − x̂‖² / Σ ‖x − x̄‖²                  of the mean sample's error
    active      #{j : ½ log(1 + Var_x(μ_j) / E_x σ_j²) > 0.005 nats}     what z_j tells of x
    fell        (L_{e−1} − L_e) / (max L − L_e)          the last epoch's share of all progress
    variance    v / mean variance of the data            of a learned noise
    span        max x − min x                            of images

μ_j and σ_j² are the mean and variance of q(z_j given x); an autoencoder's code has no variance, and
is active if it varies at all. A collapsed posterior tells nothing of x, so that the decoder says
the mean sample; components that are left over while x̂ is good are not one. It counts where it
lasts for five epochs, and a short training at the end. Thresholds were set on small trainings
broken on purpose and on healthy ones, in ``tests/learning/test_doctor.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latentia.models.diagnosis import NARROW, PATIENCE, RANGE, Diagnosis
from latentia.training.device import full_precision
from latentia.training.run import Numbers

TOLD = 0.005
"""Nats that an active component tells of x: the variance of its mean is 1 % of its noise's."""
FEW, MUCH, ALL, STEEP, NOTHING = 0.2, 0.5, 0.9, 0.05, 3e-4
"""Limits of the share of active components, of the error left (twice), of the fall, of v."""

AILMENTS: Mapping[str, str] = {
    "range": RANGE,
    "variance": (
        "the learned noise variance ran to 0 ({variance:.1e} of the data's), where the likelihood "
        "has no bound: some values can be predicted exactly, mostly constant or copied ones; leave "
        "them out, or set noise_variance"
    ),
    "collapse": (
        "{active:.0f} of {components:.0f} components tell anything of the data, and {left:.0%} of "
        "the mean sample's error are left: a collapsed posterior or dead codes; try "
        "beta_warmup_epochs, free_bits, a smaller beta, or another learning_rate"
    ),
    "undertrained": (
        "undertrained: {left:.0%} of the mean sample's error are left, and the last epoch made "
        "{fell:.0%} of all progress in the loss; raise n_epochs, or try another learning_rate"
    ),
}


def activity(mean: Tensor, variance: Tensor | None = None) -> Tensor:
    """Return (K,) whether components of (N, K) codes tell of x, of the variances of their noise."""
    spread = mean.var(0, correction=0)
    if variance is None:
        return spread > 1e-8
    return 0.5 * torch.log1p(spread / variance.mean(0).clamp(min=1e-30)) > TOLD


def examine(
    model: Any,
    x: Tensor,
    x_hat: Tensor,
    active: Tensor,
    means: Numbers,
    earlier: Sequence[Numbers],
    epoch: int,
) -> tuple[dict[str, float], str]:
    """Return what an epoch's end shows of an autoencoder's health, and a sentence if it ails.

    ``x`` and ``x_hat`` are (N, *shape) data and reconstructions; the rest is as in
    `GradientModel.checkup` and `symptoms`. The model keeps the diagnosis.
    """
    u, u_hat = model.standardisation_(x), model.standardisation_(full_precision(x_hat))
    loss = sum(value for name, value in means.items() if "/" not in name)
    found = symptoms(u, u_hat, active, loss, earlier)
    if "noise_" in vars(model):
        variance = float(u.var(0, correction=0).mean())
        found["variance"] = float(model.noise_()) / max(variance, 1e-12)
    if x.ndim == 4:
        found["span"] = float(x.max() - x.min())
    diagnosis = diagnose(found, earlier, last=epoch == model.n_epochs_ and not model.keeps_best)
    model.diagnosis_ = diagnosis.name if diagnosis else "healthy"
    return found, diagnosis.sentence if diagnosis else ""


def symptoms(
    u: Tensor, u_hat: Tensor, active: Tensor, loss: float, earlier: Sequence[Numbers]
) -> dict[str, float]:
    """Return numbers that `diagnose` looks at.

    Parameters
    ----------
    u, u_hat
        (N, *shape) data and reconstructions as the nets see them.
    active
        (K,) as of `activity`.
    loss
        The epoch's mean.
    earlier
        What earlier checkups found, oldest first.
    """
    spread = float((u - u.mean(0)).square().sum())
    found = {
        "left": float((u - u_hat).square().sum()) / max(spread, 1e-12),
        "active": float(active.sum()),
        "components": float(len(active)),
        "loss": loss,
    }
    before = [numbers["loss"] for numbers in earlier if "loss" in numbers]
    if before and max(before) > loss:
        found["fell"] = max(0.0, before[-1] - loss) / (max(before) - loss)
    return found


def diagnose(
    found: Numbers,
    earlier: Sequence[Numbers] = (),
    *,
    last: bool = False,
) -> Diagnosis | None:
    """Return the ailment that explains the numbers best, or None for a healthy model.

    ``found`` are `symptoms`, with ``variance`` where the noise's is learned; ``last`` says that the
    training is over.
    """
    numbers = {"fell": 0.0, "span": 1.0, "variance": 1.0} | dict(found)
    steep, waited = numbers["fell"] > STEEP, len(earlier) >= PATIENCE
    lately = [*earlier, found][-PATIENCE:]
    signs = {
        "range": numbers["span"] < NARROW,
        "variance": numbers["variance"] < NOTHING,
        "collapse": waited and not steep and all(map(_tells_nothing, lately)),
        "undertrained": last and (steep or found["left"] > ALL),
    }
    name = next((name for name, present in signs.items() if present), None)
    return None if name is None else Diagnosis(name, AILMENTS[name].format(**numbers))


def _tells_nothing(found: Numbers) -> bool:
    # The checkups of a run that an earlier release began have no such numbers.
    if "active" not in found:
        return False
    few = found["active"] < max(1.0, FEW * found["components"])
    return few and found["left"] > MUCH
