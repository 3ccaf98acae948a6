"""Parzen windows, precision and recall, modes and copies against scikit-learn, SciPy, all pairs."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import entropy, mannwhitneyu, multivariate_normal
from sklearn.neighbors import KernelDensity

from latentia.data import Dataset, load, toys
from latentia.errors import InputError
from latentia.evaluation.evaluate import evaluate
from latentia.metrics import distances
from latentia.metrics.distances import squared_distance_blocks
from latentia.metrics.frechet import PixelFeatures
from latentia.metrics.modes import mode_coverage, stacked_mode_coverage
from latentia.metrics.neighbours import copying_test, nearest_training
from latentia.metrics.parzen import BANDWIDTHS, WARNING, log_densities, parzen_log_likelihood
from latentia.metrics.precision_recall import precision_recall
from latentia.models.linear.probabilistic_pca import ProbabilisticPCA
from latentia.models.measures import yardstick


def gathered(a, b):
    return np.concatenate([squared for _, squared in squared_distance_blocks(a, b)])


def test_distances_against_scipy_in_blocks_far_from_zero(monkeypatch):
    a, b = np.random.default_rng(0).normal(size=(2, 50, 7)) + 1e6
    expected = cdist(a, b, "sqeuclidean")
    np.testing.assert_allclose(gathered(a, b), expected, rtol=1e-9)
    monkeypatch.setattr(distances, "BLOCK_VALUES", 170)
    parts = list(squared_distance_blocks(a, b))
    assert [len(squared) for _, squared in parts] == [3] * 16 + [2]
    np.testing.assert_allclose(gathered(a, b), expected, rtol=1e-9)


def test_equal_rows_are_at_distance_0():
    a = np.random.default_rng(0).random((300, 784))
    assert (np.diag(gathered(a, a)) == 0).all()
    assert (gathered(a, a)[~np.eye(300, dtype=bool)] > 1).all()


@pytest.mark.parametrize("d", [1, 3, 64])
def test_log_densities_against_scikit_learn(d):
    windows, x = np.random.default_rng(d).normal(size=(2, 80, d))
    found = log_densities(x, windows, [0.05, 0.3, 2.0])
    for sigma, values in zip([0.05, 0.3, 2.0], found):
        expected = KernelDensity(bandwidth=sigma, rtol=1e-12).fit(windows).score_samples(x)
        np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_one_window_is_a_gaussian_and_nothing_underflows():
    x = np.array([[0.0, 0.0], [300.0, 400.0]])
    expected = multivariate_normal([0, 0], 0.01).logpdf(x)
    found = log_densities(x, np.zeros((1, 2)), [0.1])[0]
    np.testing.assert_allclose(found, expected)
    assert found[1] < -1e7


def test_the_bandwidth_is_the_one_that_fits_held_out_data():
    windows, validation, test = np.random.default_rng(0).random((3, 200, 4, 4))
    found = parzen_log_likelihood(windows, validation, test)
    flat = [x.reshape(200, 16) for x in (windows, validation, test)]
    scores = [KernelDensity(bandwidth=s).fit(flat[0]).score(flat[1]) for s in BANDWIDTHS]
    assert found.bandwidth == BANDWIDTHS[int(np.argmax(scores))]
    each = KernelDensity(bandwidth=found.bandwidth).fit(flat[0]).score_samples(flat[2])
    assert found.value == pytest.approx(each.mean(), rel=1e-9)
    assert found.standard_error == pytest.approx(each.std(ddof=1) / 200**0.5, rel=1e-9)
    assert not found.at_edge


def test_printing_an_estimate_shows_the_warning_and_the_counts():
    windows, validation, test = np.random.default_rng(0).normal(size=(3, 60, 2))
    found = parzen_log_likelihood(windows, validation[:20], test[:40], [5.0, 9.0])
    assert "Theis" in WARNING
    for bandwidths, edge in (
        ((5.0, 9.0), " (at the edge of its grid: widen it)"),
        ((1.0, 5.0, 9.0), ""),
        ((5.0,), ""),
    ):
        shown = dataclasses.replace(found, bandwidth=5.0, bandwidths=bandwidths)
        assert str(shown) == (
            f"Parzen-window log-likelihood {found.value:.1f} ± {found.standard_error:.1f} nats a "
            f"sample: 60 drawn samples, 40 test samples, σ = 5{edge} by 20 held-out samples.\n"
            f"{WARNING}"
        )
    assert "60 drawn samples, 40 test samples, σ = 5 (at the edge" in str(found)
    assert "by 20 held-out samples" in str(found)


def test_parzen_windows_prefer_centroids_to_the_data_as_the_warning_says():
    """A few centres of dense data beat as many draws of the true model in high dimensions."""
    draw = np.random.default_rng(0)
    validation, test, real = draw.normal(size=(3, 300, 60))
    honest = parzen_log_likelihood(real, validation, test, np.geomspace(0.3, 2, 12))
    centre = parzen_log_likelihood(np.zeros((300, 60)), validation, test, np.geomspace(0.3, 2, 12))
    assert centre.value > honest.value + 5


def test_what_has_no_parzen_window():
    x = np.zeros((5, 2))
    with pytest.raises(InputError, match="greater than 0"):
        parzen_log_likelihood(x, x, x, [0.1, 0.0])
    with pytest.raises(InputError, match="greater than 0"):
        parzen_log_likelihood(x, x, x, [])
    with pytest.raises(InputError, match="NaN"):
        parzen_log_likelihood(x, x, x + np.nan)
    with pytest.raises(InputError, match="3 values"):
        parzen_log_likelihood(x, np.zeros((5, 3)), x)
    with pytest.raises(InputError, match="at least 2 rows"):
        parzen_log_likelihood(x, x, x[:1])


def by_all_pairs(real, fake, k):
    """Return precision, recall, density, coverage, spelt out."""

    def radius(rows, i):
        return sorted(np.linalg.norm(rows - rows[i], axis=1))[k]

    def inside(i, j):
        return np.linalg.norm(real[i] - fake[j]) <= radius(real, i)

    n, m = len(real), len(fake)
    balls = [[inside(i, j) for j in range(m)] for i in range(n)]
    recalled = [
        any(np.linalg.norm(real[i] - fake[j]) <= radius(fake, j) for j in range(m))
        for i in range(n)
    ]
    columns = list(zip(*balls))
    return (
        sum(any(c) for c in columns) / m,
        sum(recalled) / n,
        sum(sum(c) for c in columns) / (k * m),
        sum(any(b) for b in balls) / n,
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(5, 20), st.integers(5, 20))
def test_overlap_against_all_pairs(seed, k, n, m):
    draw = np.random.default_rng(seed)
    real, fake = draw.normal(size=(n, 3)), 0.7 * draw.normal(size=(m, 3)) + 0.5
    found = precision_recall(real, fake, k=k)
    figures = (found.precision, found.recall, found.density, found.coverage)
    assert figures == pytest.approx(by_all_pairs(real, fake, k))


def test_overlap_of_the_same_distribution_and_of_collapse():
    real, fresh = np.random.default_rng(0).normal(size=(2, 1000, 8))
    same = precision_recall(real, fresh, k=5)
    assert same.density == pytest.approx(1, abs=0.05)
    assert same.coverage == pytest.approx(1 - 0.5**5, abs=0.03)  # Naeem et al., eq. 8
    assert precision_recall(real, real, k=1).coverage == 1
    collapsed = precision_recall(real, 0.05 * fresh, k=5)
    assert collapsed.precision == 1
    assert collapsed.recall < 0.05
    assert collapsed.coverage < 0.2
    scattered = precision_recall(real, 5 * fresh, k=5)
    assert scattered.precision < 0.1
    assert scattered.recall > 0.9


def test_every_figure_is_printed_with_the_counts_and_the_space():
    real, fake = np.random.default_rng(0).normal(size=(2, 1200, 2))
    lines = str(precision_recall(real, fake[:50], k=3, features="pca-2")).splitlines()
    assert len(lines) == 5
    assert all("k = 3, 1,200 real, 50 drawn" in line for line in lines[:4])
    assert lines[4] == "in pca-2"


def test_what_has_no_overlap():
    x = np.random.default_rng(0).normal(size=(6, 2))
    for k in (0, 6, 7):
        with pytest.raises(InputError, match=f"k is {k}"):
            precision_recall(x, np.concatenate([x, x]), k=k)
    with pytest.raises(InputError, match="cannot be compared"):
        precision_recall(x, x[:, :1], k=1)


def test_modes_of_made_up_samples():
    centres = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    x = np.array([[0, 0.2], [0.1, 0], [10, 0.29], [0, 9.0], [9.9, 10]])
    found = mode_coverage(x, centres, 0.1)
    assert (found.covered, found.n_modes, found.n_samples) == (3, 4, 5)
    assert found.high_quality == pytest.approx(0.8)
    assert found.reverse_kl == pytest.approx(entropy([0.4, 0.2, 0.2, 0.2], [0.25] * 4))
    assert "3 of 4 modes, 80.0% of high quality" in str(found)
    wide, narrow = (mode_coverage(x, centres, 0.1, n_deviations=n) for n in (11, 1.5))
    assert (wide.covered, narrow.covered) == (4, 2)
    assert (wide.high_quality, narrow.high_quality) == pytest.approx((1.0, 0.4))


@pytest.mark.parametrize(("mixture", "n_modes"), [(toys.ring(), 8), (toys.grid(), 25)])
def test_a_mixtures_own_draws_cover_it(mixture, n_modes):
    x, _ = mixture.sample(2500, seed=1)
    found = mode_coverage(x, mixture.centres, mixture.standard_deviation)
    assert found.covered == n_modes
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.01)
    assert found.reverse_kl < 3 * (n_modes - 1) / (2 * 2500)
    one = mode_coverage(np.tile(mixture.centres[:1], (9, 1)), mixture.centres, 0.01)
    assert one.covered == 1
    assert one.reverse_kl == pytest.approx(np.log(n_modes))


def test_modes_of_stacked_digits():
    every = np.stack(np.meshgrid(*[np.arange(10)] * 3), axis=-1).reshape(-1, 3)
    assert stacked_mode_coverage(every).covered == 1000
    assert stacked_mode_coverage(every).reverse_kl == pytest.approx(0, abs=1e-12)
    some = np.array([[0, 0, 1], [0, 0, 1], [0, 1, 0], [9, 9, 9]])
    found = stacked_mode_coverage(some)
    assert (found.covered, found.n_modes) == (3, 1000)
    expected = entropy([2, 1, 1] + [0] * 997, np.ones(1000))
    assert found.reverse_kl == pytest.approx(expected)
    assert "quality" not in str(found)


@pytest.mark.parametrize("digits", [[[0, 10, 0]], [[-1, 0, 0]], [0, 1], np.zeros((0, 3), int)])
def test_what_is_no_stack_of_digits(digits):
    with pytest.raises(InputError, match="digits"):
        stacked_mode_coverage(np.array(digits))


def test_what_has_no_modes():
    with pytest.raises(InputError, match="NaN"):
        mode_coverage(np.full((3, 2), np.nan), np.eye(2), 1.0)
    with pytest.raises(InputError, match="greater than 0"):
        mode_coverage(np.zeros((3, 2)), np.eye(2), 0.0)


@pytest.mark.parametrize("rounded", [False, True])
def test_copying_against_mann_and_whitney(rounded):
    train, test, fake = np.random.default_rng(0).normal(size=(3, 120, 2))
    if rounded:  # many ties
        train, test, fake = (np.round(2 * x) for x in (train, test, fake))
    sampled, fresh = (cdist(x, train).min(axis=1) for x in (fake[:90] * 1.2, test))
    expected = mannwhitneyu(
        sampled, fresh, alternative="less", method="asymptotic", use_continuity=False
    )
    found = copying_test(train, test, fake[:90] * 1.2)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-4)
    assert found.share_farther == pytest.approx(expected.statistic / (90 * 120), rel=1e-6)
    assert (found.n_samples, found.n_test, found.n_train) == (90, 120, 120)


def test_copies_blurs_and_strangers_by_their_z():
    train, test, new = np.random.default_rng(0).normal(size=(3, 300, 6))
    assert abs(copying_test(train, test, new).z) < 3
    assert copying_test(train, test, train).z < -20
    assert copying_test(train, test, train).p_value < 1e-90
    assert copying_test(train, test, 3 * new).z > 10
    assert copying_test(train, train, train).z == 0
    assert "300 samples, 300 test, 300 training" in str(copying_test(train, test, new))


def test_z_is_standard_normal_for_a_perfect_model():
    draws = np.random.default_rng(0).normal(size=(150, 3, 60, 2))
    z = np.array([copying_test(*sets).z for sets in draws])
    assert abs(z.mean()) < 0.25
    assert z.std() == pytest.approx(1, abs=0.15)


def test_nearest_training_images_in_the_samples_order():
    train, fake = np.random.default_rng(0).random((2, 30, 4, 5))
    found = nearest_training(train, fake)
    all_pairs = cdist(fake.reshape(30, -1), train.reshape(30, -1))
    np.testing.assert_array_equal(found.rows, all_pairs.argmin(axis=1))
    np.testing.assert_allclose(found.distances, all_pairs.min(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(found.neighbours, train[found.rows])
    np.testing.assert_array_equal(found.samples, fake)
    assert (nearest_training(train, train[::-1]).distances == 0).all()


def test_what_has_no_neighbours():
    x = np.zeros((4, 3, 3))
    with pytest.raises(InputError, match="one shape"):
        nearest_training(x, np.zeros((4, 2, 2)))
    with pytest.raises(InputError, match="one shape"):
        nearest_training(x[:0], x)
    with pytest.raises(InputError, match="uint8"):
        nearest_training(x.astype(np.uint8), x)


def test_evaluate_measures_overlap_and_says_of_how_many():
    data = load("digits")
    model = ProbabilisticPCA(n_components=20).fit(data.x_train)
    found = evaluate(model, data)
    features = PixelFeatures().fit(data.x_train)
    fake = model.sample(1000, random_state=0)
    real = features.transform(data.x_test)
    expected = precision_recall(real, features.transform(fake), k=5)
    for name in ("precision", "recall", "density", "coverage"):
        assert found[name] == pytest.approx(getattr(expected, name), abs=1e-6)
    assert "of 297 and 1,000 of them there, k = 5" in yardstick(data)


def test_evaluate_counts_no_classes_by_too_few_samples():
    x = np.random.default_rng(0).random((300, 4))
    data = Dataset("many", x, np.arange(300) % 150, x[:60], np.arange(60))
    found = evaluate(ProbabilisticPCA(n_components=2).fit(x), data)
    assert "precision" in found
    assert "classes_covered" not in found
    few = dataclasses.replace(data, x_test=x[:5], y_test=np.arange(5))
    assert "precision" not in evaluate(ProbabilisticPCA(n_components=2).fit(x), few)


@pytest.mark.parametrize(("channels", "classes", "modes"), [(3, 10, 1000), (2, 4, 16), (1, 5, 5)])
def test_modes_that_no_sample_shows_count_too(channels, classes, modes):
    found = stacked_mode_coverage(np.zeros((7, channels), int), n_classes=classes)
    assert (found.covered, found.n_modes, found.n_samples) == (1, modes, 7)
    assert found.reverse_kl == pytest.approx(np.log(modes))
