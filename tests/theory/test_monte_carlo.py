"""Monte Carlo: the textbook's numbers at every n, and intervals that cover as they promise."""

import numpy as np
import pytest
from scipy import stats

from latentia.errors import InputError
from latentia.theory.densities import as_density
from latentia.theory.monte_carlo import expectation, running


def test_running_numbers_are_those_of_each_beginning():
    values = np.random.default_rng(0).normal(1e8, 1, size=50)
    found = running(values)
    for i, n in enumerate(found.n):
        assert found.mean[i] == pytest.approx(values[:n].mean(), rel=1e-15)
        assert found.standard_error[i] == pytest.approx(stats.sem(values[:n]), rel=1e-6)


def test_intervals_cover_as_promised():
    def covers(seed):
        found = expectation(np.exp, stats.norm(), 2000, random_state=seed)
        low, high = found.interval(0.9)
        return low[-1] < np.exp(0.5) < high[-1]

    hits = sum(covers(seed) for seed in range(300))
    assert stats.binomtest(hits, 300, 0.9).pvalue > 0.001


def test_any_distribution_draws():
    dice = expectation(lambda x: x, stats.randint(1, 7), 20_000, random_state=0)
    plane = expectation(
        lambda x: x[:, 0] * x[:, 1],
        stats.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]]),
        20_000,
        1,
    )
    triangle = expectation(np.sqrt, as_density(lambda x: 2 * x, (0, 1)), 20_000, 2)
    for found, truth in ((dice, 3.5), (plane, 0.6), (triangle, 0.8)):
        assert abs(found.mean[-1] - truth) < 4 * found.standard_error[-1] < 0.1


def test_errors_name_what_is_wrong():
    with pytest.raises(InputError, match="n is 1"):
        expectation(np.exp, stats.norm(), 1)
    with pytest.raises(InputError, match=r"f returns shape \(\) for 10 draws"):
        expectation(np.sum, stats.norm(), 10)
    with pytest.raises(InputError, match="probability is 1"):
        running(np.arange(3.0)).interval(1)
