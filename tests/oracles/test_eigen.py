"""The few largest eigenpairs, against LAPACK, where iterations are known to go wrong."""

import warnings

import numpy as np
import pytest

from latentia.errors import FitWarning
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.eigen import DENSE, GUARD, leading, leading_of

RNG = np.random.default_rng(0)
SIZES = [DENSE - 1, DENSE, DENSE + 1, 300]


def of_spectrum(values):
    Q = np.linalg.qr(RNG.normal(size=(len(values), len(values))))[0]
    S = (Q * values) @ Q.T
    return (S + S.T) / 2


def check(S, k, tolerance=1e-9):
    """Hold eigenvalues, residuals and orthonormality against a full decomposition."""
    values, vectors = leading_of(S, k)
    truth = np.linalg.eigvalsh(S)[::-1]
    size = np.abs(truth).max()
    assert (values.shape, vectors.shape) == ((k,), (len(S), k))
    np.testing.assert_allclose(values, truth[:k], atol=tolerance * size, rtol=0)
    assert (np.diff(values) <= tolerance * size).all()
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(k), atol=1e-9)
    assert np.abs(S @ vectors - vectors * values).max() <= tolerance * size


def with_tail(p, *head):
    """Return eigenvalues: a few large ones before a flat tail."""
    return np.concatenate([head, np.linspace(1, 0, p - len(head))])


SPECTRA = {
    "separate": lambda p: with_tail(p, 50, 40, 30, 20),
    "twins": lambda p: with_tail(p, 9, 9, 9, 9),
    "clustered": lambda p: with_tail(p, 10, 10 - 1e-9, 10 - 1e-6, 9.999),
    "cut through a cluster": lambda p: with_tail(p, *[5.0] * 20),
    "low rank": lambda p: np.concatenate([[5, 4, 3], np.zeros(p - 3)]),
    "rank of one": lambda p: np.eye(p)[0],
    "steep": lambda p: np.logspace(0, -14, p),
    "indefinite": lambda p: with_tail(p, 50, 40, 30, 20) - 5,
    "negative tail larger": lambda p: np.concatenate([[3, 2, 1, 0.5], -100 * np.ones(p - 4)]),
    "all equal": np.ones,
    "all equal, negative": lambda p: -np.ones(p),
}


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("p", SIZES)
@pytest.mark.parametrize("name", SPECTRA)
def test_spectra(name, p, k):
    check(of_spectrum(SPECTRA[name](p)), k)


@pytest.mark.parametrize("p", SIZES)
@pytest.mark.parametrize("n", [20, 100, 2000])
def test_covariances(n, p):
    factors = RNG.normal(size=(n, 5)) @ RNG.normal(size=(5, p))
    check(np.cov((factors + RNG.normal(size=(n, p))).T), 5)


def test_as_many_as_columns():
    S = of_spectrum(with_tail(200, 3, 2))
    for k in (1, 39, 40, 41, 199, 200):
        check(S, k)
    values, _ = leading_of(np.diag([1.0, 3.0, 2.0]), 3)
    np.testing.assert_allclose(values, [3, 2, 1])


EXACT = {
    "diagonal of rank 3": lambda p: np.diag(np.concatenate([[5.0, 4, 3], np.zeros(p - 3)])),
    "all ones": lambda p: np.ones((p, p)),
    "two kinds of rows": lambda p: np.cov(
        np.random.default_rng(3).integers(0, 2, (2, p)).T.astype(float)
    ),
    "copies of two columns": lambda p: np.corrcoef(
        np.repeat(np.random.default_rng(4).normal(size=(50, 2)), p // 2, axis=1).T
    ),
}


@pytest.mark.parametrize("p", [162, 300])
@pytest.mark.parametrize("name", EXACT)
def test_matrices_whose_rank_is_soon_used_up(name, p):
    check(EXACT[name](p), 3)


@pytest.mark.parametrize("name", EXACT)
def test_the_same_small_enough_for_lapack(name):
    check(EXACT[name](DENSE), 3)


def test_communalities_of_copied_columns_are_at_most_one():
    X = np.repeat(RNG.normal(size=(50, 2)), 100, axis=1)
    model = FactorAnalysis(n_components=3, method="principal_component", n_starts=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model.fit(X)
    assert model.communalities_.max() < 1 + 1e-6


def test_communalities_of_equal_correlations_are_those():
    R = 0.5 * np.ones((200, 200)) + 0.5 * np.eye(200)
    model = FactorAnalysis(n_components=2, method="minres", n_starts=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model.fit_covariance(R)
    np.testing.assert_allclose(model.communalities_, 0.5, atol=0.02)


def test_a_spectrum_without_gaps():
    check(of_spectrum(np.linspace(1, 0, 400)), 8)


def test_a_warm_start_needs_fewer_products():
    S = of_spectrum(with_tail(300, 9, 8, 7))
    calls = []

    def product(V):
        calls.append(V.shape)
        return S @ V

    guess = RNG.normal(size=(300, 3 + GUARD))
    values, vectors, converged = leading(product, 300, 3, guess)
    cold = len(calls)
    calls.clear()
    near = S + 1e-6 * of_spectrum(np.linspace(-1, 1, 300))
    again = leading(lambda V: calls.append(1) or near @ V, 300, 3, vectors)
    assert len(calls) < cold
    assert converged
    assert again.converged
    truth = np.linalg.eigvalsh(near)[::-1][:3]
    np.testing.assert_allclose(again.values[:3], truth, rtol=1e-10)
    assert vectors.shape == (300, 3 + GUARD)
    np.testing.assert_allclose(values[:3], [9, 8, 7], rtol=1e-10)


@pytest.mark.parametrize("start", ["wrong", "repeated", "zero"])
def test_a_bad_start_does_no_harm(start):
    S = of_spectrum(with_tail(300, 9, 8, 7))
    _, Q = np.linalg.eigh(S)
    V = {
        "wrong": Q[:, : 3 + GUARD],
        "repeated": np.repeat(RNG.normal(size=(300, 1)), 3 + GUARD, axis=1),
        "zero": np.zeros((300, 3 + GUARD)),
    }[start]
    if start == "wrong":
        V = V + 1e-3 * RNG.normal(size=V.shape)
    found = leading(lambda block: S @ block, 300, 3, V, tolerance=1e-10)
    assert found.converged
    np.testing.assert_allclose(found.values[:3], [9, 8, 7], rtol=1e-9)


@pytest.mark.parametrize("p", [61, 90, 300])
def test_a_basis_that_starts_again_converges_where_room_is_short(p):
    S = of_spectrum(with_tail(p, 5, 4.5, 4))
    V = RNG.normal(size=(p, 24))
    found = leading(lambda block: S @ block, p, 3, V, tolerance=1e-10)
    assert found.converged
    np.testing.assert_allclose(found.values[:3], np.linalg.eigvalsh(S)[:-4:-1], rtol=1e-9)
    residual = S @ found.vectors[:, :3] - found.vectors[:, :3] * found.values[:3]
    assert np.abs(residual).max() < 1e-8


def test_the_matrix_is_left_as_it_was():
    S = of_spectrum(with_tail(200, 9, 8))
    before = S.copy()
    check(S, 2)
    np.testing.assert_array_equal(S, before)
