"""Moments summed over two processes, each of which saw only its own rows.

The last step may bring the processes down, so that each step writes what it found before the next
one begins.
"""

import signal
import warnings

import numpy as np
import pytest

from latentia.errors import FitWarning
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.moments import Moments
from latentia.training.distributed import rank

PATIENCE = 20
"""Seconds that a step may take before its process counts as hanging."""
CUT = 120
ARRAYS = ("loadings_", "noise_variance_", "mean_", "covariance_", "factor_correlations_")


def table():
    """Return 400 rows whose means are far from 0, and sorted, so that the shards differ."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(400, 2)) @ draw.normal(size=(2, 8)) + draw.normal(size=(400, 8))
    return X[np.argsort(X[:, 0])] * np.geomspace(0.1, 10, 8) + [0, 1e4, -3, 0, 5, 0, 0, 100]


def images():
    return np.random.default_rng(1).integers(0, 256, (400, 3, 4), dtype=np.uint8)


def weights():
    return np.random.default_rng(2).integers(0, 3, 400)


def shard(rows, first):
    """Return this process's part: the first ``first`` rows, or the others."""
    return rows[:first] if rank() == 0 else rows[first:]


def of_kinds(one, two):
    """Return the moments of this process's part, of the same images as another kind of array."""
    return Moments().add(shard(one if rank() == 0 else two, CUT))


def fit(moments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = FactorAnalysis(n_components=2, rotation="varimax").fit_moments(moments)
    return {name: getattr(model, name) for name in ARRAYS} | {"n": model.n_samples_}


def told(moments):
    return {
        "mean": moments.mean,
        "covariance": moments.covariance,
        "n_rows": moments.n_rows,
        "weight": moments.weight,
        "shape": moments.sample_shape,
    }


STEPS = {
    "floats": lambda: fit(Moments().add(shard(table(), CUT)).all_reduce()),
    "bytes": lambda: told(Moments().add(shard(images(), CUT)).all_reduce()),
    "weights": lambda: told(Moments().add(shard(table(), CUT), shard(weights(), CUT)).all_reduce()),
    "floats first": lambda: told(of_kinds(images() / 255, images()).all_reduce()),
    "bytes first": lambda: told(of_kinds(images(), images() / 255).all_reduce()),
    "none in the second": lambda: told(Moments().add(shard(table(), 400)).all_reduce()),
}


def write(folder):
    """Write what each step gives in this process."""
    for name, step in STEPS.items():
        signal.alarm(PATIENCE)
        np.savez(folder / f"{name}-{rank()}.npz", **step())


@pytest.fixture(scope="module")
def results(two):
    """Return a function that gives a step's results in both processes."""
    folder, errors = two

    def read(step):
        files = [folder / f"{step}-{number}.npz" for number in range(2)]
        assert all(file.exists() for file in files), errors[-3000:]
        return [dict(np.load(file)) for file in files]

    read.folder, read.stderr = folder, errors
    return read


def compare(found, expected):
    """Hold both processes against one piece, and against each other to the bit."""
    for name, value in expected.items():
        np.testing.assert_array_equal(found[0][name], found[1][name], err_msg=name)
        value = np.asarray(value)
        size = 1e-8 * np.abs(value).max()
        np.testing.assert_allclose(found[0][name], value, rtol=1e-8, atol=size, err_msg=name)


def test_a_fit_to_shards_is_the_fit_to_all_rows(results):
    compare(results("floats"), fit(Moments().add(table())))


def test_bytes_are_summed_to_the_same_bits(results):
    expected = told(Moments().add(images()))
    compare(results("bytes"), expected)
    for found in results("bytes"):
        np.testing.assert_array_equal(found["covariance"], expected["covariance"])
        np.testing.assert_array_equal(found["mean"], expected["mean"])


def test_weights(results):
    expected = told(Moments().add(table(), weights()))
    compare(results("weights"), expected)
    assert results("weights")[0]["weight"] == weights().sum()


def test_floats_in_the_first_process_and_bytes_in_the_second(results):
    compare(results("floats first"), told(Moments().add(images())))


def test_bytes_in_the_first_process_and_floats_in_the_second(results):
    compare(results("bytes first"), told(Moments().add(images() / 255)))


def test_a_process_without_rows_says_so_and_none_hangs(results):
    results("bytes first")
    assert not list(results.folder.glob("none in the second-*"))
    assert "InputError: a process has seen no rows" in results.stderr
    assert "SIGALRM" not in results.stderr


def test_one_process_alone_needs_no_group():
    found, expected = Moments().add(table()).all_reduce(), Moments().add(table())
    np.testing.assert_array_equal(found.covariance, expected.covariance)
    np.testing.assert_array_equal(found.mean, expected.mean)
    assert found.n_rows == 400
