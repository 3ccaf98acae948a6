"""What ails a game, in one sentence: from a few numbers that are taken after each epoch.

    spread      Σ_d sd(G(z)_d) / Σ_d sd(x_d)          over samples: are they different?
    gradient    E ‖∂ s / ∂ u‖₂ at u = G(z)            s: what the generator's loss is made of
    span        max x − min x                         of real images
    apart       (2 E‖x − G(z)‖ − E‖x − x′‖ − E‖G(z) − G(z′)‖) / E‖x − x′‖      the energy distance
                of data and samples ([1]_ eq. 5): 0 if they have one distribution
    stray       median of min_x ‖x − G(z)‖ / median of min_x′ ‖x − x′‖         are they near data?
    reach       E ‖x − G(z)‖₂                         as the nets see data: what a 1-Lipschitz
                                                      critic's distance cannot exceed

At the start of any game samples are alike, so that counts only where they were less so before, do
not change, or at the end; and they are far from the data, which counts at the end. Thresholds were
set on runs broken on purpose and on healthy ones;
``tests/learning/test_doctor.py`` prints the confusion matrix.

References
----------
.. [1] G. J. Székely, M. L. Rizzo, "Energy statistics: A class of statistics based on distances",
   Journal of Statistical Planning and Inference 143, 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from latentia.models.diagnosis import NARROW, PATIENCE, RANGE, Diagnosis

SAME, ALIKE, SURE, STILL, FAR, APART, STRAY = 0.01, 0.3, 0.97, 1e-6, 10.0, 0.35, 2.0
"""Limits of spread (twice), probabilities, gradient, distance over reach, apart, stray."""
LEAST = 16
"""Samples from which it shows how far apart they and the data are."""


AILMENTS: Mapping[str, str] = {
    "range": RANGE,
    "constant": (
        "every sample is the same image (spread {spread:.1e} of the data's): the generator's last "
        "layer is saturated, mostly by weights too large or too high a learning_rate; lower it, "
        "or take architecture='radford' with batch norm"
    ),
    "exploding": (
        "the critic's distance is {distance:.3g}, and between data and samples there are only "
        "{reach:.3g}: little holds the critic to 1-Lipschitz functions; use WGANGP with "
        "gradient_penalty=10, or a smaller clipping and learning_rate"
    ),
    "vanishing": (
        "the generator gets almost no gradient ({gradient:.1e} a sample), so it cannot learn: "
        "{cause}"
    ),
    "saturated": (
        "the discriminator is almost always right (real {real:.2f}, fake {fake:.2f}), which is "
        "not yet mode collapse but starves the generator: lower its learning_rate, use "
        "label_smoothing=0.9, augmentation or r1_penalty, or give it fewer steps"
    ),
    "collapse": (
        "the samples differ from each other only {spread:.0%} as much as the data do: mode "
        "collapse; try minibatch_discrimination, packing=2, unrolled_steps=5, or WGANGP"
    ),
    "undertrained": (
        "undertrained: samples are still far from the data (energy distance {apart:.2f} of the "
        "data's own spread; nearest images {stray:.1f} times as far as data have theirs); raise "
        "n_epochs"
    ),
}
CAUSES: Mapping[str, str] = {
    "minimax": "log(1 − D(G(z))) is flat where D is sure; use objective='non_saturating'",
    "wasserstein": "the critic is almost constant; a larger clipping, or WGANGP",
    "other": "the discriminator is flat around the samples; lower its learning_rate or steps",
}


def symptoms(
    x: Tensor, u: Tensor, u_fake: Tensor, score: Callable[[Tensor], Tensor]
) -> dict[str, float]:
    """Return the numbers that `diagnose` looks at.

    Parameters
    ----------
    x, u
        Real data in their own units and as the nets see them.
    u_fake
        As many samples.
    score
        The generator's loss of samples.
    """
    u_fake = u_fake.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(score(u_fake) * len(u_fake), u_fake)
    real, fake = u.flatten(1), u_fake.detach().flatten(1)
    found = {
        "spread": float(fake.std(0, correction=0).sum())
        / max(float(real.std(0, correction=0).sum()), 1e-12),
        "gradient": float(gradient.flatten(1).norm(dim=1).mean()),
        "reach": float((real - fake).norm(dim=1).mean()),
    }
    if x.ndim == 4:
        found["span"] = float(x.max() - x.min())
    return found | distances(real, fake)


def distances(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Return how far ``apart`` (N, D) data and as many samples are, and how far samples ``stray``.

    Nothing is said of fewer than 16, nor of data that are all the same.
    """
    n = len(real)
    within, between, among = (
        torch.cdist(a, b) for a, b in ((real, real), (real, fake), (fake, fake))
    )
    own = float(within.sum()) / max(1, n * (n - 1))
    if n < LEAST or own == 0:
        return {}
    excess = 2 * float(between.mean()) - own - float(among.sum()) / (n * (n - 1))
    nearest = within.fill_diagonal_(torch.inf).min(1).values.median()
    strayed = between.min(0).values.median() / nearest.clamp(min=1e-3 * own)
    return {"apart": excess / own, "stray": float(strayed)}


def diagnose(
    found: Mapping[str, float],
    game: str,
    earlier: Sequence[Mapping[str, float]] = (),
    *,
    last: bool = False,
) -> Diagnosis | None:
    """Return the ailment that explains the numbers best, or None for a healthy game.

    Parameters
    ----------
    found
        `symptoms`, and the epoch's mean of ``real_probability`` and ``fake_probability`` or of
        ``distance``.
    game
        "minimax", "wasserstein" or "other": what to say of a vanishing gradient.
    earlier
        What earlier checkups found, oldest first.
    last
        Whether the game is over.
    """
    sure = found.get("real_probability", 0.0) > SURE and found["fake_probability"] < 1 - SURE
    spread = found["spread"]
    before = [numbers["spread"] for numbers in earlier]
    waited = len(before) >= PATIENCE
    still_same = waited and (last or max(before[-PATIENCE:]) < SAME)
    fell = spread < max(before, default=0.0) / 2
    signs = {
        "range": found.get("span", 1.0) < NARROW,
        "exploding": abs(found.get("distance", 0.0)) > FAR * found["reach"],
        "constant": spread < SAME and still_same,
        "vanishing": found["gradient"] < STILL or (sure and game == "minimax"),
        "saturated": sure,
        "collapse": spread < ALIKE and (fell or (waited and last and spread < ALIKE / 2)),
        "undertrained": last
        and (found.get("apart", 0.0) > APART or found.get("stray", 0.0) > STRAY),
    }
    name = next((name for name, present in signs.items() if present), None)
    if name is None:
        return None
    numbers = {key.removesuffix("_probability"): value for key, value in found.items()}
    return Diagnosis(name, AILMENTS[name].format(**numbers, cause=CAUSES[game]))
