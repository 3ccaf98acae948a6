"""PCA against scikit-learn on real data, and against its own algebra."""

import numpy as np
import pytest
import sklearn.decomposition
from sklearn.datasets import load_digits

from latentia.errors import InputError
from latentia.models.linear.pca import PCA
from latentia.models.linear.rotation import order, rotate


@pytest.fixture(scope="module")
def digits():
    return load_digits().data / 16


@pytest.mark.parametrize("n_components", [1, 10, 64])
@pytest.mark.parametrize("whiten", [False, True])
def test_agrees_with_scikit_learn_on_digits(digits, n_components, whiten):
    if whiten and n_components == 64:
        n_components = 50  # constant pixels have no variance to whiten
    ours = PCA(n_components=n_components, whiten=whiten).fit(digits)
    theirs = sklearn.decomposition.PCA(n_components, whiten=whiten, svd_solver="full").fit(digits)
    kept = theirs.explained_variance_ > 1e-12
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-5)
    np.testing.assert_allclose(ours.noise_variance_, theirs.noise_variance_, atol=1e-5)
    codes, expected = ours.transform(digits), theirs.transform(digits)
    signs = np.sign((codes * expected).sum(axis=0))
    np.testing.assert_allclose((codes * signs)[:, kept], expected[:, kept], atol=1e-5)
    np.testing.assert_allclose(
        ours.inverse_transform(codes), theirs.inverse_transform(expected), atol=1e-5
    )


def test_the_randomised_solver_finds_the_same_subspace(digits):
    exact = PCA(n_components=5).fit(digits)
    randomised = PCA(n_components=5, solver="randomized", random_state=0).fit(digits)
    np.testing.assert_allclose(randomised.components_, exact.components_, atol=1e-4)


def test_more_columns_than_rows(digits):
    wide = digits[:20]
    ours = PCA(n_components=19).fit(wide)
    np.testing.assert_allclose(ours.reconstruct(wide), wide, atol=1e-10)
    np.testing.assert_allclose(ours.components_ @ ours.components_.T, np.eye(19), atol=1e-10)


def test_the_score_is_the_variance_left_out(digits):
    model = PCA(n_components=10).fit(digits)
    left = np.linalg.eigvalsh(np.cov(digits, rowvar=False))[:-10].sum()
    assert model.score(digits) == pytest.approx(-left * (len(digits) - 1) / len(digits), rel=1e-9)
    assert model.truncated(3).score(digits) == pytest.approx(
        PCA(n_components=3).fit(digits).score(digits), rel=1e-9
    )


def test_whitened_codes_have_unit_covariance(digits):
    codes = PCA(n_components=10, whiten=True).fit(digits).transform(digits)
    np.testing.assert_allclose(np.cov(codes, rowvar=False), np.eye(10), atol=1e-9)


def test_memory_mapped_uint8_images_need_no_float_copy(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (50, 6, 7), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    ours = PCA(n_components=4).fit(mapped)
    theirs = sklearn.decomposition.PCA(4, svd_solver="full").fit(images.reshape(50, -1) / 255)
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-5)


def test_too_many_components_are_refused():
    with pytest.raises(InputError, match="at most 3"):
        PCA(n_components=4).fit(np.eye(3))


@pytest.mark.parametrize("n", [4, 5, 6, 7, 12])
@pytest.mark.parametrize("k", [1, 3])
def test_noise_is_the_mean_variance_left_out_of_the_rank(n, k):
    """n centred rows span n − 1 dimensions at most, so that d − k directions are too many."""
    X = np.random.default_rng(n).normal(size=(n, 6)) * [3, 2, 1, 1, 0.5, 0.2]
    left = np.linalg.eigvalsh(np.cov(X, rowvar=False))[::-1][k : min(n - 1, 6)]
    model = PCA(n_components=k).fit(X)
    expected = left.mean() if len(left) else 0
    assert model.noise_variance_ == pytest.approx(expected, rel=1e-8, abs=1e-12)
    assert PCA(n_components=min(n, 6)).fit(X).noise_variance_ == 0


def test_the_largest_loading_of_each_component_is_positive(digits):
    for X in (digits, -digits, digits[:20]):
        components = PCA(n_components=10).fit(X).components_
        assert (components.max(axis=1) == np.abs(components).max(axis=1)).all()


def test_truncated_models_keep_whitening(digits):
    whole = PCA(n_components=8, whiten=True).fit(digits)
    np.testing.assert_allclose(
        whole.truncated(3).transform(digits), whole.transform(digits)[:, :3], atol=1e-12
    )


def test_the_randomised_solver_takes_its_seed_and_iterations():
    X = np.random.default_rng(0).normal(size=(400, 300))

    def error(**settings):
        return PCA(n_components=3, solver="randomized", **settings).fit(X).score(X)

    assert error(random_state=1) == error(random_state=1)
    assert error(random_state=1) != error(random_state=2)
    assert error(iterated_power=0) < error(iterated_power=1) < error(iterated_power=4)


def test_rotations_start_from_the_seed():
    X = np.random.default_rng(4).normal(size=(60, 8))
    plain, values = PCA(n_components=4).fit(X).loadings_, []
    for seed in (0, 1, 2):
        model = PCA(n_components=4, rotation="geomin", random_state=seed).fit(X)
        best = rotate(plain, "geomin", kaiser=False, n_starts=10, random_state=seed)
        np.testing.assert_allclose(model.loadings_, order(best).loadings, atol=1e-6)
        values.append(round(best.criterion, 5))
    assert len(set(values)) > 1


def test_the_least_direction_of_a_few_more_rows_than_columns_keeps_its_digits():
    """A scatter matrix would square its share of 1e-9, which leaves no digit of it."""
    draw = np.random.default_rng(0)
    turn = np.linalg.qr(draw.normal(size=(5, 5)))[0]
    X = (draw.normal(size=(40, 5)) * [1, 0.7, 0.5, 0.3, 1e-9]) @ turn.T
    model = PCA(n_components=5).fit(X)
    singular = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(model.explained_variance_, singular**2 / 39, rtol=1e-4)
