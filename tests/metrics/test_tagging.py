"""Rankings of tags: against brute force over orders, and scikit-learn's label-ranking metrics."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import coverage_error, label_ranking_loss

from latentia.errors import InputError
from latentia.metrics.tagging import (
    mean_rank,
    precision_at_k,
    recall_at_k,
    tag_quality,
    tag_scores,
)

RNG = np.random.default_rng(0)
TRUTH = np.concatenate([RNG.integers(0, 2, size=(40, 6)), np.ones((40, 1), int)], axis=1)
SCORES = RNG.normal(size=(40, 7))
TIED = RNG.integers(0, 3, size=(40, 7))


def brute(truth, scores, k):
    """Return hits among the first k and mean rank, averaged over every order of equal scores."""
    hits, ranks = [], []
    for places in permutations(range(len(scores))):
        ordered = [scores[tag] for tag in places]
        if ordered == sorted(ordered, reverse=True):
            hits.append(sum(truth[tag] for tag in places[:k]))
            ranks.append(np.mean([i + 1 for i, tag in enumerate(places) if truth[tag]]))
    return np.mean(hits), np.mean(ranks)


@pytest.mark.parametrize("scores", [SCORES, TIED], ids=["distinct", "tied"])
@pytest.mark.parametrize("k", [1, 3, 7])
def test_against_every_order(scores, k):
    rows = slice(0, 6)
    found = [brute(t, s, k) for t, s in zip(TRUTH[rows], scores[rows].tolist())]
    hits, ranks = np.transpose(found)
    true = TRUTH[rows].sum(axis=1)
    assert precision_at_k(TRUTH[rows], scores[rows], k) == pytest.approx(hits.mean() / k)
    assert recall_at_k(TRUTH[rows], scores[rows], k) == pytest.approx((hits / true).mean())
    assert mean_rank(TRUTH[rows], scores[rows]) == pytest.approx(ranks.mean())


def test_mean_rank_against_scikit_learns_ranking_loss():
    """A true tag's rank is its place among the true ones and the false ones above it."""
    for truth, score in zip(TRUTH, SCORES):
        n_true, n_false = truth.sum(), (1 - truth).sum()
        if n_false == 0:
            continue
        loss = label_ranking_loss(truth[None], score[None])
        expected = (n_true + 1) / 2 + loss * n_false
        assert mean_rank(truth[None], score[None]) == pytest.approx(expected)


def test_recall_is_complete_where_scikit_learns_coverage_ends():
    for truth, score in zip(TRUTH, SCORES):
        depth = int(coverage_error(truth[None], score[None]))
        assert recall_at_k(truth[None], score[None], depth) == 1
        if depth > 1:
            assert recall_at_k(truth[None], score[None], depth - 1) < 1


def test_the_columns_order_does_not_matter():
    order = RNG.permutation(7)
    one, other = tag_quality(TRUTH, TIED), tag_quality(TRUTH[:, order], TIED[:, order])
    np.testing.assert_allclose(one.precision + one.recall, other.precision + other.recall)
    assert one.mean_rank == pytest.approx(other.mean_rank)


def test_perfect_and_worst_scores():
    best, worst = tag_quality(TRUTH, TRUTH, (1,)), tag_quality(TRUTH, 1 - TRUTH, (1,))
    assert best.precision == (1.0,)
    assert best.mean_rank == pytest.approx(best.best_rank)
    assert worst.mean_rank > best.best_rank + 1
    assert worst.precision[0] == pytest.approx((TRUTH.all(axis=1)).mean())
    assert "(40 samples, 7 tags)" in str(best)


class Drawer:
    """Draws y plus noise, and notes its seeds."""

    def __init__(self):
        self.seeds = []

    def sample(self, n_samples=1, random_state=None, y=None):
        self.seeds.append(random_state)
        return y + np.random.default_rng(random_state).normal(size=y.shape)


def test_scores_are_means_over_different_draws():
    model, y = Drawer(), np.arange(6.0).reshape(3, 2)
    scores = tag_scores(model, y, n_draws=400, random_state=1)
    np.testing.assert_allclose(scores, y, atol=0.25)
    assert len(set(model.seeds)) == 400
    np.testing.assert_array_equal(scores, tag_scores(Drawer(), y, n_draws=400, random_state=1))
    other = tag_scores(Drawer(), y, n_draws=400, random_state=2)
    assert (scores != other).all()
    single = tag_scores(Drawer(), y, n_draws=1, random_state=1)
    np.testing.assert_array_equal(single, Drawer().sample(random_state=model.seeds[0], y=y))


@pytest.mark.parametrize(
    ("truth", "scores", "k", "words"),
    [
        (TRUTH, SCORES[:, :3], 1, r"shape \(40, 7\) and scores \(40, 3\)"),
        (TRUTH[0], SCORES[0], 1, r"shape \(7,\)"),
        (TRUTH * 2, SCORES, 1, "other values than 0 and 1"),
        (TRUTH * (np.arange(40) != 3)[:, None], SCORES, 1, "sample 3 has no true tag"),
        (TRUTH, np.where(SCORES > 1, np.nan, SCORES), 1, "NaN"),
        (TRUTH, SCORES, 0, "k is 0"),
        (TRUTH, SCORES, 8, "k is 8; it must be at least 1 and at most 7"),
    ],
)
def test_what_cannot_be_ranked(truth, scores, k, words):
    with pytest.raises(InputError, match=words):
        precision_at_k(truth, scores, k)


def test_no_draws():
    with pytest.raises(InputError, match="n_draws is 0"):
        tag_scores(Drawer(), np.zeros((2, 2)), n_draws=0)
