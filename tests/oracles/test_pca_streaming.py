"""PCA in pieces, of sparse rows, rotated, and by each solver, against one SVD in memory."""

import numpy as np
import pytest
import torch
from scipy import linalg, sparse

import latentia
from latentia.errors import FitWarning, InputError
from latentia.models.linear import decomposition
from latentia.models.linear.eigen import lanczos, leading
from latentia.models.linear.moments import Moments
from latentia.models.linear.pca import PCA

EXACT = ["auto", "exact", "covariance", "gram", "svd", "krylov"]
ORTHOGONAL = ["varimax", "quartimax", "equamax", "geomin_orthogonal"]
OBLIQUE = ["promax", "oblimin", "quartimin", "geomin"]

# R 4.2.2: cov2cor(datasets::ability.cov$cov), the lower triangle row by row.
ABILITY = """
    0.46626493273404 0.551663190180477 0.572436361493909 0.340324989232195 0.193099184200868
    0.445090137382892 0.576479925702575 0.262922870510902 0.354025184203094 0.183964450481195
    0.514405790851105 0.239276608467733 0.356471505982897 0.218836981560446 0.791377858846796
"""
# psych 2.2.9: principal(R, nfactors=2, rotate="varimax", n.obs=112)$loadings
ABILITY_VARIMAX = [
    [0.58991422487641, 0.579475527153466],
    [0.144556162574021, 0.749691481894592],
    [0.244004562415243, 0.840497136765501],
    [0.0603478121319662, 0.660965986031817],
    [0.929689590029443, 0.151637632162539],
    [0.913823168073698, 0.144587569009834],
]


@pytest.fixture(scope="module")
def rows():
    """(400, 12) rows with well separated variances, correlated columns and means far from 0."""
    draws = np.random.default_rng(0)
    turn = linalg.qr(draws.normal(size=(12, 12)))[0]
    return draws.normal(size=(400, 12)) * 2.0 ** -np.arange(12) @ turn + np.arange(12)


def table(n, d, draws=None):
    """Return rows whose variances fall as 1/j, around means of 3."""
    draws = np.random.default_rng(2) if draws is None else draws
    return draws.normal(size=(n, d)) / np.sqrt(1 + np.arange(d)) + 3


def axes(X, k):
    return linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:k]


def sine(components, truth):
    """Return the sine of the largest angle between two row spaces."""
    return np.linalg.norm(components - (components @ truth.T) @ truth, 2)


def same(one, other, tolerance=1e-8):
    for name in ("mean_", "explained_variance_", "explained_variance_ratio_", "singular_values_"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance)
    np.testing.assert_allclose(one.components_, other.components_, atol=tolerance)
    assert one.noise_variance_ == pytest.approx(other.noise_variance_, abs=tolerance)


def with_correlation(R, n=112):
    """Return (n, p) rows whose sample correlation matrix is R, with unit variances."""
    draws = np.random.default_rng(3).normal(size=(n, len(R)))
    white = linalg.qr(draws - draws.mean(axis=0), mode="economic")[0] * np.sqrt(n - 1)
    return white @ linalg.cholesky(R)


# In pieces


@pytest.mark.parametrize("sizes", [[400], [200, 200], [5, 395], [100, 7, 293]])
def test_blocks_give_what_one_piece_gives(rows, sizes):
    whole, pieces = PCA(n_components=5).fit(rows), PCA(n_components=5)
    for block in np.split(rows, np.cumsum(sizes)[:-1]):
        pieces.partial_fit(block)
    same(pieces, whole)
    np.testing.assert_allclose(pieces.transform(rows), whole.transform(rows), atol=1e-8)


def test_moments_gathered_anywhere_give_the_same(rows):
    moments = Moments().add(rows[300:]).merge(Moments().add(rows[:300]))
    same(PCA(n_components=5).fit_moments(moments), PCA(n_components=5).fit(rows))


def test_weights_count_rows(rows):
    counts = np.random.default_rng(1).integers(0, 4, len(rows))
    weighted = PCA(n_components=5).partial_fit(rows, sample_weight=counts)
    same(weighted, PCA(n_components=5).fit(np.repeat(rows, counts, axis=0)))
    with pytest.raises(InputError, match=r"sums to 1; weights count rows"):
        PCA(n_components=1).partial_fit(rows, sample_weight=np.full(400, 1 / 400))


def test_the_first_block_needs_as_many_rows_as_components(rows):
    with pytest.raises(InputError, match="n_components is 5; 4 samples of 12 values"):
        PCA(n_components=5).partial_fit(rows[:4])


def test_a_block_of_another_width_is_refused_and_changes_nothing(rows):
    model = PCA(n_components=3).partial_fit(rows)
    before = model.components_.copy()
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(rows[:, :5])
    model.partial_fit(np.repeat(rows.mean(axis=0)[None], 2, axis=0))
    np.testing.assert_allclose(model.components_, before, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_a_memory_map_gives_what_its_array_gives(tmp_path, rows, dtype):
    array = (rows * 9 + 40).clip(0, 255).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    mapped = PCA(n_components=5).fit(np.load(tmp_path / "x.npy", mmap_mode="r"))
    same(mapped, PCA(n_components=5).fit(array), 2e-4 if dtype == np.float32 else 1e-8)


def test_a_wide_memory_map_is_no_covariance(tmp_path):
    array = table(30, 9000)
    np.save(tmp_path / "x.npy", array)
    mapped = PCA(n_components=4).fit(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert sine(mapped.components_, axes(array, 4)) < 1e-8


def test_dask_arrays_are_read_block_by_block(rows):
    da = pytest.importorskip("dask.array")
    same(
        PCA(n_components=5).fit(da.from_array(rows, chunks=(90, 5))),
        PCA(n_components=5).fit(rows),
    )


def test_bytes_of_a_table_are_numbers_and_of_images_shares(rows):
    bytes_ = np.random.default_rng(5).integers(0, 256, (200, 9), dtype=np.uint8)
    tabular, images = PCA(n_components=3).fit(bytes_), bytes_.reshape(200, 3, 3)
    same(tabular, PCA(n_components=3).fit(bytes_.astype(np.float64)))
    assert tabular.components_.dtype == np.float64
    pictured = PCA(n_components=3).fit(images)
    np.testing.assert_allclose(
        pictured.explained_variance_ * 255**2, tabular.explained_variance_, rtol=1e-5
    )
    same(PCA(n_components=3).fit(torch.from_numpy(images)), pictured)


# Sparse rows


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.coo_matrix])
@pytest.mark.parametrize(("shape", "k"), [((300, 40), 5), ((60, 300), 5), ((30, 90), None)])
def test_sparse_rows_give_what_dense_rows_give(form, shape, k):
    X = sparse.random_array(shape, density=0.1, rng=np.random.default_rng(0), format="csr")
    ours, dense = PCA(n_components=k).fit(form(X)), PCA(n_components=k).fit(X.toarray())
    kept = slice(None, None if k else shape[0] - 1)
    np.testing.assert_allclose(ours.explained_variance_, dense.explained_variance_, atol=1e-9)
    np.testing.assert_allclose(ours.components_[kept], dense.components_[kept], atol=1e-8)
    np.testing.assert_allclose(
        ours.transform(form(X))[:, kept], dense.transform(X.toarray())[:, kept], atol=1e-8
    )
    np.testing.assert_allclose(ours.reconstruct(X), dense.reconstruct(X.toarray()), atol=1e-8)
    assert ours.score(form(X)) == pytest.approx(dense.score(X.toarray()), abs=1e-9)


@pytest.mark.parametrize("shape", [(1500, 6000), (4300, 4200), (4000, 1200)])
def test_large_sparse_rows_are_never_filled_in(shape, monkeypatch):
    X = sparse.random_array(shape, density=0.003, rng=np.random.default_rng(1), format="csr")
    X = sparse.csr_array(X @ sparse.diags_array(3.0 / np.sqrt(1 + np.arange(shape[1]))))
    expected = PCA(n_components=4, solver="krylov").fit(X.toarray()).components_

    def refuse(*_, **__):
        raise AssertionError("filled in")

    for kind in (sparse.csr_array, sparse.csc_array):
        monkeypatch.setattr(kind, "toarray", refuse if shape[1] > 4096 else kind.toarray)
    model = PCA(n_components=4).fit(X)
    assert sine(model.components_, expected) < 1e-8
    assert model.transform(X).shape == (shape[0], 4)
    assert np.isfinite(model.score(X))


def test_sparse_blocks_can_be_streamed_in_float32_too():
    X = sparse.random_array((300, 20), density=0.2, rng=np.random.default_rng(0), format="csr")
    pieces = PCA(n_components=3).partial_fit(X[:100]).partial_fit(X[100:])
    same(pieces, PCA(n_components=3).fit(X.toarray()))
    single = PCA(n_components=3).fit(X.astype(np.float32))
    assert single.transform(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.components_, pieces.components_, atol=1e-5)


def test_sparse_rows_are_refused_where_they_cannot_be_used(images):
    X = sparse.random_array((40, 64), density=0.2, rng=np.random.default_rng(0), format="csr")
    with pytest.raises(InputError, match="fill in the zeros"):
        PCA(solver="svd").fit(X)
    with pytest.raises(InputError, match="fitted on samples of shape"):
        PCA(n_components=2).fit(images).transform(X)
    X.data[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        PCA().fit(X)


# Solvers


@pytest.mark.parametrize("solver", EXACT)
@pytest.mark.parametrize("shape", [(300, 40), (40, 300), (150, 150)])
def test_exact_solvers_find_the_subspace_of_an_svd(solver, shape):
    X = table(*shape)
    model = PCA(n_components=6, solver=solver).fit(X)
    singular = linalg.svdvals(X - X.mean(axis=0))
    np.testing.assert_allclose(model.singular_values_, singular[:6], rtol=1e-10)
    assert sine(model.components_, axes(X, 6)) < 1e-8
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize("shape", [(1300, 1100), (1100, 1500)])
@pytest.mark.parametrize("flat", [False, True])
def test_iteration_on_large_tables_is_exact(shape, flat):
    X = np.random.default_rng(4).normal(size=shape) if flat else table(*shape)
    model, expected = PCA(n_components=5).fit(X), axes(X, 5)
    assert sine(model.components_, expected) < 1e-8
    if not flat:
        halves = PCA(n_components=5, solver="randomized", iterated_power=9).fit(X)
        assert sine(halves.components_, expected) < 1e-5


def test_float32_is_good_to_a_millionth_of_the_largest_variance():
    for shape in [(3000, 60), (60, 3000), (1300, 1100)]:
        X = table(*shape)
        model = PCA(n_components=5).fit(X.astype(np.float32))
        assert model.components_.dtype == np.float32
        _, singular, turn = linalg.svd(X - X.mean(axis=0), full_matrices=False)
        gap = (singular[4] ** 2 - singular[5] ** 2) / singular[0] ** 2
        assert sine(model.components_.astype(np.float64), turn[:5]) < 2e-6 / gap


def test_float32_falls_back_where_variances_span_too_much():
    draws = np.random.default_rng(0).normal(size=(2000, 6))
    X = (draws * [1000, 100, 10, 1, 0.1, 0.01]).astype(np.float32)
    truth = PCA(n_components=6).fit(X.astype(np.float64)).explained_variance_
    np.testing.assert_allclose(PCA(n_components=6).fit(X).explained_variance_, truth, rtol=1e-4)


@pytest.mark.parametrize("shape", [(60, 30), (30, 60)])
def test_small_directions_keep_the_digits_of_an_svd(shape):
    draws = np.random.default_rng(0)
    side = min(shape) - 2
    left, right = (linalg.qr(draws.normal(size=(m, m)))[0] for m in shape)
    left -= left.mean(axis=0)
    X = (
        linalg.qr(left[:, :side], mode="economic")[0]
        * 10.0 ** -np.linspace(0, 6, side)
        @ right[:side]
    )
    model = PCA(n_components=side).fit(X)
    np.testing.assert_allclose(model.singular_values_, 10.0 ** -np.linspace(0, 6, side), rtol=1e-8)


def test_all_components_of_wide_rows_are_orthonormal():
    model = PCA().fit(table(40, 300))
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(40), atol=1e-10)
    assert model.singular_values_[-1] < 1e-6 * model.singular_values_[0]


def test_iteration_sees_repeated_and_missing_variance():
    values = np.r_[np.full(7, 3.0), np.full(3, 1.0), np.zeros(1190)]
    for k, truth in [(5, values[:5]), (9, values[:9]), (12, values[:12])]:
        found = leading(lambda V: values[:, None] * V, 1200, k)
        np.testing.assert_allclose(found.values, truth, atol=1e-10)
        np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(k), atol=1e-10)
    single = lanczos(lambda v: values * v, 1200, 9, None)
    np.testing.assert_allclose(single.values, values[:9], atol=1e-8)


def test_iteration_that_cannot_converge_is_replaced_or_says_so(monkeypatch):
    X = np.random.default_rng(4).normal(size=(1300, 1100))
    monkeypatch.setattr("latentia.models.linear.eigen.MOST_BASIS", 32)
    assert sine(PCA(n_components=5).fit(X).components_, axes(X, 5)) < 1e-8
    monkeypatch.setattr(decomposition, "MOST_DENSE", 1000)
    with pytest.warns(FitWarning, match="axis 5 is too close to the next"):
        PCA(n_components=5).fit(X)


# Rotation


def varimax_of_r(A, eps):
    """Return what R's stats::varimax gives, up to signs and order of columns.

    Kaiser's normalisation, then T ← UVᵀ of Aᵀ(Z³ − Z diag(mean Z²)), Z = AT, until the sum of
    singular values grows by a share of less than eps.
    """
    lengths = np.linalg.norm(A, axis=1, keepdims=True)
    x, T, size = A / lengths, np.eye(A.shape[1]), 0.0
    for _ in range(1000):
        Z = x @ T
        U, singular, Vt = linalg.svd(x.T @ (Z**3 - Z * (Z**2).mean(axis=0)))
        T, before, size = U @ Vt, size, singular.sum()
        if size < before * (1 + eps):
            break
    return x @ T * lengths


def columns_in_order(L):
    L = L * np.sign(L.sum(axis=0))
    return L[:, np.argsort(-(L**2).sum(axis=0))]


def test_varimax_is_that_of_psych_carried_to_its_end():
    """psych leaves R's default eps of 1e-5, which stops 0.002 before the maximum."""
    R = np.eye(6)
    R[np.tril_indices(6, -1)] = np.array(ABILITY.split(), float)
    R = np.tril(R) + np.tril(R, -1).T
    X = with_correlation(R)
    plain = PCA(n_components=2).fit(X).loadings_
    stopped, ended = (columns_in_order(varimax_of_r(plain, eps)) for eps in (1e-5, 1e-15))
    np.testing.assert_allclose(stopped, ABILITY_VARIMAX, atol=1e-9)
    model = PCA(n_components=2, rotation="varimax").fit(X)
    np.testing.assert_allclose(model.loadings_, ended, atol=1e-6)
    np.testing.assert_allclose(model.loadings_, ABILITY_VARIMAX, atol=2.5e-3)
    scores = model.transform(X)
    np.testing.assert_allclose(np.cov(scores, rowvar=False), np.eye(2), atol=1e-9)
    # psych::principal's weights are R⁻¹ times the structure.
    np.testing.assert_allclose(scores, X @ linalg.solve(R, model.loadings_), atol=1e-8)


@pytest.mark.parametrize("rotation", ORTHOGONAL + OBLIQUE)
def test_rotation_keeps_the_projection_and_scales_scores(rows, rotation):
    plain = PCA(n_components=3).fit(rows)
    model = PCA(n_components=3, rotation=rotation).fit(rows)
    np.testing.assert_allclose(model.reconstruct(rows), plain.reconstruct(rows), atol=1e-9)
    assert model.score(rows) == pytest.approx(plain.score(rows), abs=1e-9)
    phi, scores = model.factor_correlations_, model.transform(rows)
    np.testing.assert_allclose(np.cov(scores, rowvar=False), phi, atol=1e-9)
    np.testing.assert_allclose(np.diag(phi), 1, atol=1e-9)
    if rotation in ORTHOGONAL:
        np.testing.assert_allclose(phi, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(
        model.loadings_ @ phi @ model.loadings_.T, plain.loadings_ @ plain.loadings_.T, atol=1e-9
    )
    np.testing.assert_allclose(
        model.inverse_transform(scores), scores @ model.loadings_.T + model.mean_, atol=1e-9
    )


def test_rotated_models_stream_take_sparse_rows_and_are_saved(tmp_path):
    X = sparse.random_array((200, 12), density=0.3, rng=np.random.default_rng(0), format="csr")
    model = PCA(n_components=3, rotation="promax").fit(X)
    pieces = PCA(n_components=3, rotation="promax").partial_fit(X[:90]).partial_fit(X[90:])
    np.testing.assert_allclose(pieces.loadings_, model.loadings_, atol=1e-7)
    np.testing.assert_allclose(model.transform(X), model.transform(X.toarray()), atol=1e-9)
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.loadings_, model.loadings_)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))


def test_rotation_refuses_what_has_no_meaning(rows):
    with pytest.raises(InputError, match="rotated components depend on how many are kept"):
        PCA(n_components=3, rotation="varimax").fit(rows).truncated(2)
    with pytest.raises(InputError, match=r"but 2 components of the .* have variance"):
        PCA(n_components=3, rotation="varimax").fit(rows[:, :2] @ np.eye(2, 6))
    assert PCA(n_components=1, rotation="varimax").fit(rows).loadings_.shape == (12, 1)


def test_a_fit_forgets_the_parts_that_were_read_before():
    first, second, third = np.random.default_rng(0).normal(size=(3, 30, 4)) * [4, 3, 2, 1]
    model = PCA(n_components=2).partial_fit(first).fit(second).partial_fit(third)
    alone = PCA(n_components=2).partial_fit(third)
    np.testing.assert_array_equal(model.components_, alone.components_)
    np.testing.assert_array_equal(model.mean_, alone.mean_)
