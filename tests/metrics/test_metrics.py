"""Metrics against SciPy, closed forms and hand-made cases."""

import numpy as np
import pytest
from scipy import linalg

from latentia.metrics.coverage import class_shares, coverage
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.metrics.neighbours import code_accuracy, memorisation
from latentia.metrics.reconstruction import psnr, squared_error


def test_squared_error_is_summed_over_pixels_and_averaged_over_images():
    x = np.zeros((2, 3, 4))
    assert squared_error(x, x + np.array([[[0.5]], [[1.0]]])) == pytest.approx((12 * 0.25 + 12) / 2)


def test_psnr_is_averaged_over_images_in_decibels():
    x = np.zeros((2, 5, 5))
    assert psnr(x, x + np.array([[[0.1]], [[0.01]]])) == pytest.approx((20 + 40) / 2)
    assert psnr(x, x) == float("inf")


def test_frechet_distance_against_the_matrix_square_root():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)), rng.normal(size=(300, 4)) + 1
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = linalg.sqrtm(cov_a @ cov_b).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a + cov_b - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 2) == pytest.approx(16, rel=1e-9)


def test_frechet_distance_of_singular_features():
    a = np.random.default_rng(0).normal(size=(50, 1)) @ np.ones((1, 3))
    expected = 3 * (np.std(a[:, 0], ddof=1)) ** 2  # (s − 2s)² along one direction of length √3
    assert frechet_distance(a, 2 * a - a.mean(0)) == pytest.approx(expected, rel=1e-8)


def test_features_are_named_with_their_hash():
    x = np.random.default_rng(0).random((30, 4, 4))
    one, other = PixelFeatures(5).fit(x), PixelFeatures(5).fit(1 - x)
    assert one.name.startswith("pca-5 of pixels, ")
    assert one.name != other.name
    assert one.transform(x).shape == (30, 5)


def test_class_shares_and_coverage():
    rng = np.random.default_rng(0)
    centres = np.eye(3).repeat(40, axis=0)
    x = centres + 0.01 * rng.normal(size=centres.shape)
    y = np.arange(3).repeat(40)
    shares = class_shares(x, y, x[[0, 1, 2, 45]], 3)
    np.testing.assert_allclose(shares, [0.75, 0.25, 0])
    assert coverage(shares) == 2
    assert coverage(np.array([0.97, 0.03, 0.0])) == 1


def test_copies_are_told_from_new_samples():
    rng = np.random.default_rng(0)
    train, test, fresh = rng.normal(size=(3, 300, 5))
    assert memorisation(train, test, train) == 0
    assert memorisation(train, test, fresh) == pytest.approx(1, abs=0.15)


def test_accuracy_of_codes():
    z = np.arange(20.0)[:, None]
    y = (z[:, 0] > 9).astype(int)
    assert code_accuracy(z, y, z, y, k=1) == 1
    assert code_accuracy(z, y, z, 1 - y, k=1) == 0
