"""Tags ranked by a score: how many of the first k are true, and where the true ones stand.

With r(t) the rank of tag t in a sample's scores, 1 for the highest, and Y its true tags:

    precision@k = |{t ∈ Y : r(t) ≤ k}| / k,   recall@k = |{t ∈ Y : r(t) ≤ k}| / |Y|
    mean rank   = (1/|Y|) Σ_{t ∈ Y} r(t),     at best (|Y| + 1) / 2

all averaged over samples. Tags of equal score share their places: each takes the mean of what it
would get in random order, so no figure depends on the order of the columns.

Shapes: ``truth_NT`` holds 0 and 1, with a 1 in each row; ``score_NT`` any finite numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from latentia.errors import Count, InputError, Seed, check_arguments, check_range


class Tagger(Protocol):
    """A model that draws tags given measurements, as a `ConditionalGAN` fitted on these does."""

    def sample(
        self, n_samples: int = 1, random_state: int | None = None, y: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Draw (n_samples, T) tags given (n_samples, d) measurements."""


@dataclass(frozen=True)
class TagQuality:
    """How well scores rank tags; printing puts the counts beside the figures."""

    precision: tuple[float, ...]
    """At each of ``ks``."""
    recall: tuple[float, ...]
    ks: tuple[int, ...]
    mean_rank: float
    """Of the true tags."""
    best_rank: float
    """The mean rank with all true tags before the others."""
    n_samples: int
    n_tags: int

    def __str__(self) -> str:
        """Return one line."""
        found = "  ".join(f"P@{k} {p:.3f}" for k, p in zip(self.ks, self.precision))
        return (
            f"{found}  mean rank {self.mean_rank:.2f}, at best {self.best_rank:.2f}  "
            f"({self.n_samples:,} samples, {self.n_tags} tags)"
        )


def tag_scores(
    model: Tagger, y: NDArray[Any], n_draws: Count = 100, random_state: Seed = 0
) -> NDArray[np.float64]:
    """Return (N, T) scores of tags: the mean of what a model draws given each sample's ``y``.

    Parameters
    ----------
    model
        Draws tags given y.
    y
        (N, d) measurements, as in its ``fit``.
    n_draws
        For each sample, at least 1; [1]_ draws 100.
    random_state
        Of the draws.

    References
    ----------
    .. [1] M. Mirza, S. Osindero, "Conditional Generative Adversarial Nets", 2014, section 4.2
       (there the most common among the nearest words of each draw).
    """
    check_arguments(tag_scores, locals())
    seeds = np.random.SeedSequence(random_state).generate_state(n_draws)
    drawn = (model.sample(len(y), random_state=int(seed), y=y) for seed in seeds)
    total: NDArray[np.float64] = sum(np.asarray(tags, np.float64) for tags in drawn)  # type: ignore[assignment]
    return total / n_draws


def tag_quality(truth: ArrayLike, scores: ArrayLike, ks: Sequence[int] = (1, 3, 5)) -> TagQuality:
    """Return precision and recall at each k, and the mean rank of the true tags.

    Examples
    --------
    >>> print(tag_quality([[1, 0, 1]], [[0.9, 0.5, 0.1]], ks=(1, 2)))
    P@1 1.000  P@2 0.500  mean rank 2.00, at best 1.50  (1 samples, 3 tags)
    """
    truth_NT, score_NT = _checked(truth, scores)
    return TagQuality(
        precision=tuple(precision_at_k(truth_NT, score_NT, k) for k in ks),
        recall=tuple(recall_at_k(truth_NT, score_NT, k) for k in ks),
        ks=tuple(ks),
        mean_rank=mean_rank(truth_NT, score_NT),
        best_rank=float((truth_NT.sum(axis=1) + 1).mean() / 2),
        n_samples=len(truth_NT),
        n_tags=truth_NT.shape[1],
    )


def precision_at_k(truth: ArrayLike, scores: ArrayLike, k: Count) -> float:
    """Return the mean share of true tags among the k of highest score.

    Examples
    --------
    >>> precision_at_k([[1, 0, 1, 0]], [[3, 2, 1, 0]], k=2)
    0.5
    """
    check_arguments(precision_at_k, locals())
    truth_NT, score_NT = _checked(truth, scores)
    return float(_hits(truth_NT, score_NT, k).mean() / k)


def recall_at_k(truth: ArrayLike, scores: ArrayLike, k: Count) -> float:
    """Return the mean share of the true tags that are among the k of highest score."""
    check_arguments(recall_at_k, locals())
    truth_NT, score_NT = _checked(truth, scores)
    return float((_hits(truth_NT, score_NT, k) / truth_NT.sum(axis=1)).mean())


def mean_rank(truth: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean over samples of the mean rank of their true tags, 1 for the highest score.

    Examples
    --------
    >>> mean_rank([[1, 0, 1, 0]], [[3, 2, 1, 0]])
    2.0
    """
    truth_NT, score_NT = _checked(truth, scores)
    rank_NT = rankdata(-score_NT, axis=1)
    return float(((rank_NT * truth_NT).sum(axis=1) / truth_NT.sum(axis=1)).mean())


def _hits(truth_NT: NDArray[np.bool_], score_NT: NDArray[Any], k: int) -> NDArray[np.float64]:
    """Return (N,) expected numbers of true tags among the first k, ties in random order."""
    check_range("k", k, 1, truth_NT.shape[1])
    last = np.partition(score_NT, -k, axis=1)[:, -k, None]
    above, tied = score_NT > last, score_NT == last
    places_left = (k - above.sum(axis=1)) / tied.sum(axis=1)
    certain, by_chance = ((truth_NT & tags).sum(axis=1) for tags in (above, tied))
    return np.asarray(certain + places_left * by_chance)


def _checked(truth: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    truth_NT, score_NT = np.asarray(truth), np.asarray(scores, np.float64)
    if truth_NT.ndim != 2 or truth_NT.shape != score_NT.shape or not truth_NT.size:
        raise InputError(
            f"true tags have shape {truth_NT.shape} and scores {score_NT.shape}; give both as "
            "(n, tags)"
        )
    if not np.isin(truth_NT, (0, 1)).all():
        raise InputError("true tags hold other values than 0 and 1")
    if not np.isfinite(score_NT).all():
        raise InputError("scores hold NaN or infinity; give finite numbers")
    bare = ~truth_NT.astype(bool).any(axis=1)
    if bare.any():
        raise InputError(f"sample {int(bare.argmax())} has no true tag; leave such samples out")
    return truth_NT.astype(bool), score_NT
