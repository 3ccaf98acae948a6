"""The nearest correlation matrix against Higham's example, and against another way to find it."""

import numpy as np
import pytest
from scipy.optimize import minimize

from latentia.errors import InputError
from latentia.models.linear.nearest_correlation import nearest_correlation

PUBLISHED = np.array(
    [
        [1.0, -0.13, 0.25, -0.02, -0.1, 0.5],
        [-0.13, 1.0, -0.04, 0.03, -0.19, 0.32],
        [0.25, -0.04, 1.0, 0.07, -0.2, 0.54],
        [-0.02, 0.03, 0.07, 1.0, -0.16, 0.46],
        [-0.1, -0.19, -0.2, -0.16, 1.0, 0.19],
        [0.5, 0.32, 0.54, 0.46, 0.19, 1.0],
    ]
)
"""Correlations of two decimals, of which no data are."""


def random_indefinite(seed, p):
    """Return a symmetric matrix with ones on its diagonal and a negative eigenvalue."""
    draws = np.random.default_rng(seed)
    while True:
        R = np.triu(draws.uniform(-1, 1, (p, p)), 1)
        R = R + R.T + np.eye(p)
        if np.linalg.eigvalsh(R)[0] < -0.1:
            return R


def nearest_by_descent(R, seed):
    """Return the nearest matrix of unit vectors' products, and its distance."""
    p = len(R)

    def distance(flat):
        V = flat.reshape(p, p)
        V = V / np.linalg.norm(V, axis=1, keepdims=True)
        return np.square(V @ V.T - R).sum()

    starts = np.random.default_rng(seed).normal(size=(3, p * p))
    found = min((minimize(distance, s, tol=1e-12) for s in starts), key=lambda f: f.fun)
    return float(np.sqrt(found.fun))


def test_highams_example():
    A = np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])
    X, said = nearest_correlation(A)
    # Higham 2002, section 4: 0.7607 and 0.1573, 0.5278 away.
    np.testing.assert_allclose(X[[0, 0, 1], [1, 2, 2]], [0.7607, 0.1573, 0.7607], atol=5e-5)
    assert "(least eigenvalue -0.414)" in said
    assert "0.528 away in the Frobenius norm" in said
    assert "by 0.239" in said


@pytest.mark.parametrize("R", [PUBLISHED, *(random_indefinite(seed, 4) for seed in range(3))])
def test_no_correlation_matrix_is_nearer(R):
    X, _ = nearest_correlation(R)
    np.testing.assert_allclose(np.diag(X), 1, atol=1e-12)
    assert np.linalg.eigvalsh(X)[0] > -1e-9
    assert abs(np.linalg.norm(X - R) - nearest_by_descent(R, 0)) < 1e-5


def test_variances_are_kept_and_a_sound_matrix_is_left():
    D = np.array([1.0, 2, 3, 4, 5, 6])
    X, _ = nearest_correlation(PUBLISHED * np.outer(D, D))
    np.testing.assert_allclose(X, nearest_correlation(PUBLISHED)[0] * np.outer(D, D), atol=1e-10)
    sound = (np.eye(3) + 1) / 2
    same, said = nearest_correlation(sound)
    np.testing.assert_array_equal(same, sound)
    assert "not indefinite" in said
    with pytest.raises(InputError, match="not symmetric"):
        nearest_correlation(np.array([[1, 0.5], [0.1, 1]]))
