"""Metrics against SciPy, closed forms and hand-made cases."""

import numpy as np
import pytest
from scipy import linalg
from scipy.stats import entropy as scipy_entropy
from sklearn.decomposition import PCA

from latentia.errors import InputError
from latentia.metrics.coverage import class_shares, coverage, entropy, nearest_classes
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import jackknifed
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


def test_the_jackknife_of_a_mean_is_the_mean_s_own_error():
    """Of 30 rows a tenth are three: the error is that of the means of the ten groups."""
    rows = np.random.default_rng(3).normal(size=(30, 2))
    groups = rows.reshape(3, 10, 2).mean(axis=(0, 2))
    found = jackknifed(lambda left: float(left.mean()), rows)
    assert found.values.mean() == pytest.approx(found)
    assert found == pytest.approx(rows.mean())
    assert found.standard_error == pytest.approx(groups.std(ddof=1) / np.sqrt(10))
    three, two = (jackknifed(frechet_distance_to(rows), rows[:n]) for n in (3, 2))
    assert three.standard_error > 0
    assert two >= 0
    assert np.isnan(two.standard_error)


def frechet_distance_to(rows):
    return lambda left: frechet_distance(left, rows)


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


def test_features_of_faint_images_are_as_faint():
    x = np.random.default_rng(0).random((30, 4, 4))
    whole, faint = (
        frechet_distance(features.transform(part[:15]), features.transform(part[15:]))
        for part in (x, 1e-3 * x)
        for features in (PixelFeatures().fit(part),)
    )
    assert faint == pytest.approx(1e-6 * whole, rel=1e-6)


def test_features_are_named_with_their_hash():
    x = np.random.default_rng(0).random((30, 4, 4))
    one, other = PixelFeatures(5).fit(x), PixelFeatures(5).fit(1 - x)
    assert one.name.startswith("pca-5 of pixels, sha256 ")
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
    assert coverage(np.array([0.8, 0.14, 0.06]), threshold=0.3) == 2


def test_five_nearest_training_images_vote_in_components_of_the_training_images():
    x_train = np.array([[0.0], [0.2], [0.3], [0.4], [0.5], [5.0], [6.0]])
    y_train = np.array([7, 9, 9, 9, 7, 7, 7])
    assert nearest_classes(x_train, y_train, np.array([[-0.1], [9.0]])).tolist() == [9, 7]
    # Samples vary most where training images do not vary at all.
    flat = np.column_stack([np.linspace(0, 1, 20), np.zeros(20)])
    strange = np.column_stack([[0.1, 0.9], [50.0, -50.0]])
    halves = (np.arange(20) >= 10).astype(int)
    assert nearest_classes(flat, halves, strange).tolist() == [0, 1]


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


def test_as_many_training_codes_vote_as_asked_for_and_else_five():
    z, y = np.arange(7.0)[:, None], np.array([1, 0, 1, 0, 0, 0, 0])
    here, yes = np.zeros((1, 1)), np.ones(1, int)
    votes = [code_accuracy(z, y, here, yes, **k) for k in ({"k": 1}, {"k": 3}, {"k": 5}, {})]
    assert votes == [1, 1, 0, 0]


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(InputError, match="give one shape"):
        squared_error(np.zeros((3, 4, 4)), np.zeros((3, 1, 4, 4)))
    with pytest.raises(InputError, match="give one shape"):
        psnr(np.zeros((3, 4, 4)), np.zeros((1, 4, 4)))


def test_frechet_distance_of_independent_gaussians_against_the_closed_form():
    """Diagonal covariances: Σ (μ − ν)² + (σ − τ)², exact for features made exactly so."""
    white = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 5)))[0]
    white -= white.mean(axis=0)
    white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T))).T
    sigma, tau = np.array([1.0, 2, 3, 0.5]), np.array([2.0, 2, 1, 0])
    a, b = white[:, :4] * sigma + 1, white[:, 1:] * tau - np.arange(4)
    expected = np.sum((1 + np.arange(4)) ** 2) + np.sum((sigma - tau) ** 2)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shapes", [((1, 3), (4, 3)), ((5, 3), (5, 1)), ((5,), (5,))])
def test_frechet_distance_refuses_what_has_no_covariance(shapes):
    with pytest.raises(InputError, match="at least two rows"):
        frechet_distance(*(np.ones(shape) for shape in shapes))


@pytest.mark.parametrize("shape", [(40, 3, 3), (12, 1, 6, 6)])
def test_features_are_principal_components(shape):
    """Against scikit-learn, for more samples than pixels and for fewer."""
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    k = min(5, len(x) - 1)
    features = PixelFeatures(k).fit(x)
    flat = x.reshape(len(x), -1).astype(np.float64)
    expected = PCA(k, svd_solver="full").fit(flat).components_
    np.testing.assert_allclose(np.abs(features.components_ @ expected.T), np.eye(k), atol=1e-6)


def test_no_more_features_than_the_data_vary_along():
    x = np.random.default_rng(0).random((10, 4, 4))
    x[:, 1:] = 0.5
    features = PixelFeatures().fit(x)
    assert features.components_.shape == (4, 16)
    gram = features.components_ @ features.components_.T
    np.testing.assert_allclose(gram, np.eye(4), atol=1e-12)
    with pytest.raises(InputError, match="that differ"):
        PixelFeatures().fit(np.ones((3, 2, 2)))
    with pytest.raises(InputError, match="uint8"):
        features.transform(np.zeros((3, 4, 4), np.uint8))


def test_the_hash_covers_the_basis_and_nothing_but_what_was_learnt():
    x = np.random.default_rng(0).random((30, 4, 4))
    stretched = x.mean(axis=0) + (x - x.mean(axis=0)) * np.arange(1, 5)
    np.testing.assert_allclose(stretched.mean(axis=0), x.mean(axis=0))
    assert PixelFeatures(5).fit(x).name != PixelFeatures(5).fit(stretched).name
    assert PixelFeatures(5).fit(x).name == PixelFeatures(5).fit(x[::-1]).name


def test_labels_may_start_anywhere():
    x = np.eye(3).repeat(10, axis=0)
    y = np.array([1, 2, 7]).repeat(10)
    np.testing.assert_allclose(class_shares(x, y, x[:15], 3), [2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(class_shares(x, y, x[:10], 4), [1, 0, 0, 0])
    with pytest.raises(InputError, match="3 classes"):
        class_shares(x, y, x, 2)


def test_entropy_of_shares():
    assert entropy(np.full(10, 0.1)) == pytest.approx(np.log(10))
    assert entropy(np.array([0.0, 1.0])) == 0
    shares = np.array([0.2, 0.5, 0.3])
    assert entropy(shares) == pytest.approx(scipy_entropy(shares))


def test_distances_against_all_pairs():
    train, test, fake = np.random.default_rng(0).random((3, 30, 2, 3))

    def median(x):
        difference = x.reshape(30, 1, 6) - train.reshape(1, 30, 6)
        return np.median(np.sqrt((difference**2).sum(axis=2)).min(axis=1))

    assert memorisation(train, test, fake) == pytest.approx(median(fake) / median(test), rel=1e-5)


def test_a_test_set_of_copies_has_no_ratio():
    train, fresh = np.random.default_rng(0).random((2, 30, 20))
    assert memorisation(train, train, fresh) == float("inf")
    assert np.isnan(memorisation(train, train, train))


def test_definitions_are_complete():
    for key, definition in DEFINITIONS.items():
        assert definition.key == key
        assert definition.label
        assert definition.formula
        assert definition.meaning.endswith(".")
        assert "FID" not in definition.label


@pytest.mark.parametrize("key", DEFINITIONS)
def test_each_part_of_a_definition_is_what_it_is_called(key):
    known = DEFINITIONS[key]
    assert known.key == key
    assert known.label[:1].isupper() or known.label.startswith("−")
    assert known.unit in ("", "bits", "dB", "nats", "s")
    assert known.better in ("lower", "higher", "neither")
    assert known.meaning.endswith(".")
    assert known.formula
    assert not known.formula.endswith(".")
    assert not known.absent or known.absent[:1].islower()
    assert not known.source or any(c.isdigit() for c in known.source)
