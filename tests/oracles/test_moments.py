"""Means and covariances in one pass: against NumPy, in any pieces, from any kind of array."""

import re
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from latentia.errors import FitWarning, InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear import products
from latentia.models.linear.moments import Moments
from latentia.models.linear.products import byte_products, integer_products_are_exact
from latentia.models.linear.reading import checked_covariance, checked_mean, read_moments

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(200, 5)) @ RNG.normal(size=(5, 5)) + [0, 3, -40, 0.5, 7]
IMAGES = RNG.integers(0, 256, (200, 3, 4), dtype=np.uint8)
OTHERS = {"covariance_", "loadings_", "noise_variance_", "mean_"}


def expect(found, X, weights=None, tolerance=1e-12):
    """Compare with NumPy's mean and covariance of flattened float64 rows."""
    rows = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
    S = np.cov(rows.T, ddof=0, aweights=weights)
    np.testing.assert_allclose(
        found.mean, np.average(rows, axis=0, weights=weights), rtol=tolerance, atol=1e-13
    )
    size = np.abs(S).max() + 1e-3 * (rows**2).max()
    np.testing.assert_allclose(found.covariance, S, atol=tolerance * size, rtol=0)


def same_bits(one, two):
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.covariance, two.covariance)
    assert (one.n_rows, one.weight, one.sample_shape) == (two.n_rows, two.weight, two.sample_shape)


def strided(X):
    """Return equal values whose memory runs backwards, with gaps."""
    wide = np.zeros((2 * len(X), *X.shape[1:-1], 2 * X.shape[-1]), X.dtype)
    view = wide[::-2, ..., ::2]
    view[:] = X
    return view


LAYOUTS = {
    "as it is": lambda X: X,
    "Fortran": np.asfortranarray,
    "strided": strided,
    "read-only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
    "tensor": torch.tensor,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "X",
    [TABLE, TABLE.astype(np.float32), TABLE.astype(np.float16), TABLE.astype(int), TABLE > 0],
    ids=lambda X: str(X.dtype),
)
def test_tables(X, layout):
    found = Moments().add(LAYOUTS[layout](X))
    expect(found, X)
    assert (found.n_rows, found.weight, found.n_features, found.sample_shape) == (200, 200, 5, (5,))
    assert found.covariance.dtype == np.float64
    np.testing.assert_array_equal(found.covariance, found.covariance)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_of_bytes_count_as_unit_floats_and_tables_of_bytes_do_not(layout):
    flat = IMAGES.reshape(200, 12)
    found = Moments().add(LAYOUTS[layout](IMAGES))
    expect(found, IMAGES / 255)
    assert found.sample_shape == (3, 4)
    expect(Moments().add(LAYOUTS[layout](flat)), flat)
    expect(Moments().add(LAYOUTS[layout](IMAGES / 255)), IMAGES / 255)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_sparse(kind, dtype):
    dense = (np.where(RNG.random((300, 6)) < 0.2, RNG.normal(size=(300, 6)), 0) * 50).astype(dtype)
    expect(Moments().add(kind(dense)), dense)
    weights = RNG.random(300)
    expect(Moments().add(kind(dense), weights), dense, weights)
    expect(Moments().add(kind(dense[:90])).add(dense[90:]), dense)
    expect(Moments().add(dense[:90]).merge(Moments().add(kind(dense[90:]))), dense)


def test_sparse_rows_after_dense_ones():
    far = TABLE + 50
    expect(Moments().add(far[:100]).add(sparse.csr_array(far[100:])), far)
    expect(Moments().add(sparse.csr_array(far[:100])).add(far[100:]), far)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_big_offsets_cost_no_digits(dtype):
    draws = np.random.default_rng(0).normal(size=(5000, 4))
    X = (draws + np.array([1e6, -1e6, 0, 1e6])).astype(dtype)
    truth = np.cov((X.astype(np.float64) - X[0].astype(np.float64)).T, ddof=0)
    pieces = [Moments().add(X[:1]).add(X[1:]), Moments().add(X), Moments().add(X, np.ones(5000))]
    merged = Moments()
    for rows in np.array_split(X, 7):
        merged.merge(Moments().add(rows))
    for found in (*pieces, merged):
        single = dtype == np.float32
        np.testing.assert_allclose(found.covariance, truth, atol=2e-7 if single else 1e-9)
        mean = X.mean(axis=0, dtype=np.float64)
        np.testing.assert_allclose(found.mean, mean, rtol=1e-13, atol=1e-7 if single else 1e-14)


@pytest.mark.parametrize("far", [0, 1.9, 1e3])
@pytest.mark.parametrize("sorted_by", [None, 0])
def test_float32_products_lose_less_than_a_millionth(far, sorted_by):
    """Also where blocks lie far from the first one, of which float32 would make little."""
    X = (np.random.default_rng(0).normal(size=(60_000, 30)) + far).astype(np.float32)
    X[:, 7], X[:, 8] = 1e6, np.arange(60_000) < 3
    X[:, 9] *= 1e-25
    X = X if sorted_by is None else X[np.argsort(X[:, sorted_by])]
    found, truth = Moments().add(X), Moments().add(X.astype(np.float64))
    scale = np.sqrt(np.diag(truth.covariance)) + (np.arange(30) == 7)
    assert np.abs((found.mean - truth.mean) / scale).max() < 1e-6
    assert np.abs((found.covariance - truth.covariance) / np.outer(scale, scale)).max() < 1e-6
    np.testing.assert_array_equal(found.varies, np.arange(30) != 7)


def test_a_first_block_far_from_the_rest():
    X = np.vstack([TABLE[:3], TABLE + 1e6])
    found = Moments().add(TABLE[:3]).add(TABLE + 1e6)
    S = np.cov((X - X.mean(axis=0)).T, ddof=0)
    np.testing.assert_allclose(found.covariance, S, rtol=1e-9)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_split_in_any_order(data):
    offset = data.draw(st.sampled_from([0, 1, 1e3, 1e6]))
    cuts = sorted(data.draw(st.lists(st.integers(0, 200), max_size=6)))
    floats, bytes_ = np.split(TABLE + offset, cuts), np.split(IMAGES, cuts)
    order = data.draw(st.permutations(range(len(floats))))
    by_merge, by_add, whole = Moments(), Moments(), Moments().add(TABLE + offset)
    exact_merge, exact_add = Moments(), Moments()
    for i in order:
        by_merge.merge(Moments().add(floats[i]))
        by_add.add(floats[i])
        exact_merge.merge(Moments().add(bytes_[i]))
        exact_add.add(bytes_[i])
    for found in (by_merge, by_add):
        assert found.n_rows == 200
        scale = np.sqrt(np.diag(whole.covariance))
        np.testing.assert_allclose(found.mean / scale, whole.mean / scale, rtol=1e-12, atol=1e-12)
        off = (found.covariance - whole.covariance) / np.outer(scale, scale)
        assert np.abs(off).max() < 1e-12
    same_bits(exact_merge, Moments().add(IMAGES))
    same_bits(exact_add, Moments().add(IMAGES))


def test_merging_leaves_the_other_as_it_was():
    other, empty = Moments().add(TABLE), Moments()
    empty.merge(other).add(TABLE + 3)
    expect(other, TABLE)
    expect(empty, np.vstack([TABLE, TABLE + 3]))
    twice = Moments().add(TABLE)
    twice.merge(twice)
    expect(twice, TABLE)
    assert twice.n_rows == 400


def test_nothing_adds_nothing():
    assert Moments().merge(Moments()).n_features == 0
    assert Moments().add(TABLE[:0]).n_rows == 0
    same_bits(Moments().add(TABLE).merge(Moments()), Moments().add(TABLE))
    same_bits(Moments().add(TABLE).add(TABLE[:0]), Moments().add(TABLE))
    with pytest.raises(InputError, match="0 sample"):
        FactorAnalysis().fit_moments(Moments())


@pytest.mark.parametrize(
    "X", [TABLE, TABLE.astype(np.float32), IMAGES, torch.tensor(TABLE), sparse.csr_array(TABLE)]
)
def test_weights_repeat_rows(X):
    counts = RNG.integers(0, 4, X.shape[0])
    rows = np.repeat(np.arange(X.shape[0]), counts)
    heavy, repeated = Moments().add(X, counts), Moments().add(X[rows])
    np.testing.assert_allclose(heavy.mean, repeated.mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(heavy.covariance, repeated.covariance, rtol=1e-10, atol=1e-12)
    assert heavy.weight == repeated.weight == counts.sum()
    assert heavy.n_rows == X.shape[0]


def test_weights_go_with_their_blocks(monkeypatch):
    monkeypatch.setattr(products, "BLOCK_VALUES", 1)
    monkeypatch.setattr(products, "BLOCK_BYTES", 1)
    weights = np.concatenate([np.zeros(64), RNG.random(136)])
    expect(Moments().add(TABLE, weights), TABLE, weights)
    expect(Moments().add(IMAGES, weights), IMAGES / 255, weights)
    mixed = Moments().add(IMAGES[:100], weights[:100]).add(IMAGES[100:])
    expect(mixed, IMAGES / 255, np.concatenate([weights[:100], np.ones(100)]))


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.zeros(200), "every sample weight is zero"),
        (-np.ones(200), "least value -1"),
        (np.ones(199), r"shape \(199,\).*give 200 finite numbers"),
        (np.ones((200, 1)), r"shape \(200, 1\)"),
        (np.full(200, np.nan), "give 200 finite numbers"),
        (np.full(200, np.inf), "give 200 finite numbers"),
    ],
)
def test_bad_weights(weights, sentence):
    for X in (TABLE, IMAGES, sparse.csr_array(TABLE), torch.tensor(TABLE)):
        with pytest.raises(InputError, match=sentence):
            Moments().add(X, weights)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor, sparse.csr_array, np.asfortranarray])
def test_gaps_are_named_by_column_and_rows(kind, bad, monkeypatch):
    monkeypatch.setattr(products, "BLOCK_VALUES", 1)
    X = TABLE.copy()
    X[130, 3] = X[131, 3] = bad
    with pytest.raises(InputError, match=r"column 3 holds NaN or infinity among rows 128 to 191;"):
        Moments().add(kind(X))
    weights = np.ones(200)
    with pytest.raises(InputError, match=r"column 3.*rows 128 to 191"):
        Moments().add(kind(X), weights)


@pytest.mark.parametrize("other", [TABLE[:, :4], TABLE.reshape(200, 5, 1), IMAGES])
def test_other_shapes(other):
    with pytest.raises(InputError, match=r"samples have shape .*those before had \(5,\)"):
        Moments().add(TABLE).add(other)
    with pytest.raises(InputError, match=r"samples have shape .*those before had \(5,\)"):
        Moments().add(TABLE).merge(Moments().add(other))


def test_images_of_bytes_and_of_floats_mix():
    for one, two in ((IMAGES[:90], IMAGES[90:] / 255), (IMAGES[:90] / 255, IMAGES[90:])):
        expect(Moments().add(one).add(two), IMAGES / 255)
        expect(Moments().add(one).merge(Moments().add(two)), IMAGES / 255)
        other = Moments().add(two)
        Moments().add(one).merge(other)
        expect(other, IMAGES[90:] / 255)


def test_tables_of_bytes_and_of_floats_mix():
    flat = IMAGES.reshape(200, 12)
    expect(Moments().add(flat[:90]).add(flat[90:] / 2), np.vstack([flat[:90], flat[90:] / 2]))
    expect(Moments().add(flat[90:] / 2).add(flat[:90]), np.vstack([flat[:90], flat[90:] / 2]))


@pytest.fixture(params=[True, False], ids=["int8", "float32"])
def by_integers(request, monkeypatch):
    if request.param and not integer_products_are_exact():
        pytest.skip("torch does not multiply int8 matrices exactly here")
    monkeypatch.setattr(products, "integer_products_are_exact", lambda: request.param)
    monkeypatch.setattr(products, "integer_products_pay", lambda: request.param)
    return request.param


EXTREMES = {
    "black": lambda n, d: np.zeros((n, d), np.uint8),
    "white": lambda n, d: np.full((n, d), 255, np.uint8),
    "both": lambda n, d: np.random.default_rng(n).choice(np.array([0, 255], np.uint8), (n, d)),
    "any": lambda n, d: np.random.default_rng(n).integers(0, 256, (n, d), dtype=np.uint8),
}


@pytest.mark.parametrize("values", EXTREMES)
@pytest.mark.parametrize("shape", [(1, 3), (2, 7), (1023, 8), (1024, 9), (1025, 17), (5000, 33)])
def test_bytes_are_summed_exactly(by_integers, values, shape):
    X = EXTREMES[values](*shape)
    centred = X.astype(np.int64) - 128
    for laid_out in (X, np.asfortranarray(X), strided(X)):
        sums, S = byte_products(laid_out)
        np.testing.assert_array_equal(sums, centred.sum(axis=0))
        np.testing.assert_array_equal(S, centred.T @ centred)


def test_a_single_column_of_bytes(by_integers):
    X = EXTREMES["any"](1000, 1)
    for rows in (X, X.reshape(-1, 1, 1)[:37]):
        scale = 1 if rows.ndim == 2 else 255
        found = Moments().add(rows)
        np.testing.assert_allclose(found.covariance, [[(rows / scale).var()]], rtol=1e-12)


def test_many_rows_of_a_few_bytes(by_integers):
    X = np.zeros((2**18, 2, 2), np.uint8)
    X[::2] = 1
    np.testing.assert_allclose(Moments().add(X).covariance, np.full((4, 4), 0.25 / 255**2))


@pytest.mark.parametrize("values", EXTREMES)
def test_both_ways_of_multiplying_bytes_give_the_same_bits(values, monkeypatch):
    if not integer_products_are_exact():
        pytest.skip("torch does not multiply int8 matrices exactly here")
    monkeypatch.setattr(products, "integer_products_pay", lambda: True)
    monkeypatch.setattr(products, "BLOCK_BYTES", 2000 * 20)
    X = EXTREMES[values](6001, 20).reshape(-1, 4, 5)
    integers = Moments().add(X)
    monkeypatch.setattr(products, "integer_products_are_exact", lambda: False)
    same_bits(integers, Moments().add(X))
    same_bits(integers, Moments().add(X[::-1]))


@pytest.mark.parametrize("faster", ["integer_products", "exact_floats"])
def test_bytes_are_multiplied_the_faster_way_here(faster, monkeypatch):
    used = []

    def timed(name, seconds):
        def multiply(rows):
            used.append(name)
            clock[0] += seconds
            x = rows.astype(float)
            return x.sum(axis=0), x.T @ x

        return multiply

    clock = [0.0]
    monkeypatch.setattr(products.time, "perf_counter", lambda: clock[0])
    for name in ("integer_products", "exact_floats"):
        monkeypatch.setattr(products, name, timed(name, 1.0 if name == faster else 2.0))
    monkeypatch.setattr(products, "integer_products_are_exact", lambda: True)
    products.integer_products_pay.cache_clear()
    try:
        Moments().add(EXTREMES["any"](50, 3).reshape(-1, 1, 3))
    finally:
        products.integer_products_pay.cache_clear()
    assert used[-1] == faster
    assert used.count(faster) == products.PROBES + 1


@pytest.mark.parametrize("n", [1, 63, 64, 65, 128, 129])
def test_block_boundaries(n, monkeypatch):
    monkeypatch.setattr(products, "BLOCK_VALUES", 64 * 5)
    monkeypatch.setattr(products, "BLOCK_BYTES", 64 * 12)
    expect(Moments().add(TABLE[:n]), TABLE[:n])
    expect(Moments().add(sparse.csc_array(TABLE[:n])), TABLE[:n])
    expect(Moments().add(IMAGES[:n]), IMAGES[:n] / 255)
    expect(Moments().add(np.asfortranarray(IMAGES[:n].reshape(n, 12))), IMAGES[:n].reshape(n, 12))


def map_of(folder, X, mode):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode=mode)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("X", [TABLE, TABLE.astype(">f4"), IMAGES], ids=["f8", "big-endian", "u1"])
def test_memory_maps(X, mode, tmp_path, monkeypatch):
    monkeypatch.setattr(products, "BLOCK_VALUES", 1)
    monkeypatch.setattr(products, "BLOCK_BYTES", 1)
    rows, scale = map_of(tmp_path, X, mode), 255 if X.dtype == np.uint8 else 1
    expect(Moments().add(rows), X / scale)
    expect(Moments().add(rows[7:-3:2, 1:]), X[7:-3:2, 1:] / scale)
    expect(Moments().add(rows[::-1]), X / scale)
    expect(Moments().add(rows * 1), X / scale)


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_what_was_written_to_a_map_stays_and_counts(mode, tmp_path, monkeypatch):
    monkeypatch.setattr(products, "BLOCK_VALUES", 1)
    rows = map_of(tmp_path, TABLE, mode)
    rows[5] = 1000
    changed = TABLE.copy()
    changed[5] = 1000
    expect(Moments().add(rows), changed)
    np.testing.assert_array_equal(rows, changed)
    rows.flush()
    on_disk = np.load(tmp_path / "x.npy")
    np.testing.assert_array_equal(on_disk, changed if mode == "r+" else TABLE)


def resident(path):
    """Return the bytes of a mapped file that lie in this process's memory."""
    total, here = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            here = line.endswith(str(path))
        elif here and line.startswith("Rss:"):
            total += 1024 * int(line.split()[1])
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/smaps")
@pytest.mark.parametrize("mode", ["r", "r+"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_a_map_lets_go_of_its_pages(dtype, mode, tmp_path, monkeypatch):
    monkeypatch.setattr(products, "BLOCK_VALUES", 2**18)
    monkeypatch.setattr(products, "BLOCK_BYTES", 2**20)
    X = np.ones((2**19, 8), dtype)
    X[::3] = 0
    rows = map_of(tmp_path, X, mode)
    assert rows.sum() == X.sum()
    assert resident(tmp_path / "x.npy") > 0.9 * X.nbytes
    expect(Moments().add(rows), X, tolerance=1e-9)
    assert resident(tmp_path / "x.npy") < 0.1 * X.nbytes
    assert rows.sum() == X.sum()
    Moments().add(rows[1000:])
    assert resident(tmp_path / "x.npy") < 0.1 * X.nbytes


def learned(fit):
    """Return a fit's numbers; its findings are not of interest here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = fit(FactorAnalysis(n_components=2, n_starts=1))
    return {name: np.asarray(getattr(model, name)) for name in OTHERS}, model


def test_a_fit_is_the_same_from_every_kind_of_array(tmp_path):
    X = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 7)) + RNG.normal(size=(300, 7))
    counts = np.clip(np.round(40 * X + 120), 0, 255).astype(np.uint8)
    for table in (X, counts):
        truth, _ = learned(lambda model, X=table: model.fit(X.astype(np.float64)))
        others = [
            map_of(tmp_path, table, "r"),
            torch.tensor(table),
            sparse.csr_array(table),
            np.asfortranarray(table),
        ]
        for rows in others:
            found, model = learned(lambda model, X=rows: model.fit(X))
            assert (model.n_features_in_, model.data_shape_) == (7, (7,))
            for name, value in truth.items():
                np.testing.assert_allclose(found[name], value, rtol=1e-6, atol=1e-6, err_msg=name)
    images, _ = learned(lambda model: model.fit(IMAGES))
    mapped, model = learned(lambda model: model.fit(map_of(tmp_path, IMAGES, "r")))
    assert model.data_shape_ == (3, 4)
    for name, value in images.items():
        np.testing.assert_allclose(mapped[name], value, rtol=1e-6, atol=1e-6, err_msg=name)


def test_read_moments_checks_what_it_reads_in_blocks(tmp_path):
    model = FactorAnalysis()
    read_moments(model, map_of(tmp_path, TABLE, "r"))
    with pytest.raises(ValueError, match="5 features"):
        read_moments(model, map_of(tmp_path, TABLE[:, :4], "r"), reset=False)
    with pytest.raises(InputError, match="1 dimensions"):
        read_moments(model, map_of(tmp_path, TABLE[:, 0], "r"))
    with pytest.raises(InputError, match="images are int64"):
        read_moments(model, map_of(tmp_path, IMAGES.astype(int), "r"))


@pytest.mark.parametrize("X", [TABLE.astype(str), TABLE + 1j], ids=["text", "complex"])
def test_maps_that_hold_no_numbers(X, tmp_path):
    with pytest.raises(InputError):
        FactorAnalysis().fit(map_of(tmp_path, X, "r"))


def test_maps_of_images_out_of_range(tmp_path):
    images = IMAGES / 255
    images[20] *= 255
    with pytest.raises(InputError, match="image values span"):
        learned(lambda model: model.fit(map_of(tmp_path, images, "r")))


def test_dask_arrays():
    array = pytest.importorskip("dask.array")
    D = array.from_array(TABLE + 1e4, chunks=(77, 2))
    expect(Moments().add(D), TABLE + 1e4, tolerance=1e-9)
    expect(Moments().add(array.from_array(IMAGES, chunks=(50, 2, 2))), IMAGES / 255)
    kept = D[D[:, 0] > 1e4]
    expect(Moments().add(kept), TABLE[TABLE[:, 0] > 0] + 1e4, tolerance=1e-9)
    with pytest.raises(InputError, match="does not go with a Dask array"):
        Moments().add(D, np.ones(200))
    one, _ = learned(lambda model: model.fit(TABLE + 1e4))
    many, _ = learned(lambda model: model.fit(D))
    np.testing.assert_allclose(many["covariance_"], one["covariance_"], rtol=1e-8, atol=1e-8)


def test_dask_gaps_are_named_by_their_rows():
    array = pytest.importorskip("dask.array")
    X = TABLE.copy()
    X[177, 2] = np.nan
    with pytest.raises(InputError, match=r"column 2 .* rows 154 to 199"):
        Moments().add(array.from_array(X, chunks=(77, 5)))


def test_dask_images():
    array = pytest.importorskip("dask.array")
    _, model = learned(lambda model: model.fit(array.from_array(IMAGES, chunks=(50, 2, 2))))
    assert model.data_shape_ == (3, 4)


def test_polars_frames_keep_their_names():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({name: TABLE[:, i] for i, name in enumerate("vwxyz")})
    found, model = learned(lambda model: model.fit(frame))
    assert model.variable_names() == list("vwxyz")
    truth = learned(lambda model: model.fit(TABLE))[0]
    np.testing.assert_allclose(found["loadings_"], truth["loadings_"], rtol=1e-9)
    with pytest.raises(InputError, match="columns without numbers: note"):
        FactorAnalysis().fit(frame.with_columns(polars.lit("?").alias("note")))


@pytest.mark.parametrize("verb", ["fit_covariance", "fit_moments", "fit"])
def test_names_of_an_earlier_fit_are_forgotten(verb):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TABLE, columns=list("vwxyz"))
    fewer = TABLE[:, :4]
    given = {"fit_covariance": np.cov(fewer.T), "fit_moments": Moments().add(fewer), "fit": fewer}
    _, model = learned(lambda model: getattr(model.fit(frame), verb)(given[verb]))
    assert model.variable_names() == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize("verb", ["partial_fit", "fit_moments", "fit_covariance"])
def test_polychoric_correlations_need_rows(verb):
    answers = np.digitize(TABLE - TABLE.mean(axis=0), [-1, 0, 1])
    given = {
        "partial_fit": answers,
        "fit_moments": Moments().add(answers),
        "fit_covariance": np.cov(answers.T),
    }
    with pytest.raises((AttributeError, InputError), match=r"polychoric|than 'pearson' need all"):
        learned(
            lambda model: getattr(model.set_params(correlation="polychoric"), verb)(given[verb])
        )


S = np.cov(TABLE.T)
ASYMMETRIC, INFINITE = S.copy(), S.copy()
ASYMMETRIC[1, 3] += 1
INFINITE[2, 4] = np.nan


@pytest.mark.parametrize(
    ("matrix", "sentence"),
    [
        (S[:3], r"shape \(3, 5\); it must be square"),
        (S[0], "it must be square"),
        (S[:1, :1], "it must be square"),
        (3.0, "it must be square"),
        (INFINITE, "not finite in row 2, column 4"),
        (ASYMMETRIC, r"not symmetric: row (1, column 3|3, column 1) holds"),
        ([[1, 2], [2, 1]], r"indefinite \(least eigenvalue -1\)"),
        (-np.eye(3), "indefinite"),
        ([["a", "b"], ["c", "d"]], "values that are not numbers"),
        (np.array([[1, 1j], [-1j, 1]]).tolist(), "values that are not numbers"),
    ],
)
def test_matrices_that_are_no_covariances(matrix, sentence):
    with pytest.raises(InputError, match=sentence):
        checked_covariance(matrix)
    with pytest.raises(InputError, match=sentence):
        FactorAnalysis().fit_covariance(matrix)


def test_matrices_that_are():
    rounded = S.copy()
    rounded[0, 1] *= 1 + 1e-12
    for good in (S, rounded, S.astype(np.float32), S.tolist(), np.ones((3, 3)), np.zeros((2, 2))):
        matrix, names = checked_covariance(good)
        np.testing.assert_allclose(matrix, good, rtol=1e-6)
        np.testing.assert_array_equal(matrix, matrix.T)
        assert (matrix.dtype, names) == (np.float64, [])


@pytest.mark.parametrize(("above", "below"), [(10.0, 10.0), (0.9, 0.1)])
def test_a_large_variance_hides_no_fault_of_the_others(above, below):
    matrix = np.diag([1e12, 1.0, 1.0, 1.0])
    matrix[1, 2], matrix[2, 1] = above, below
    with pytest.raises(InputError, match=r"indefinite|not symmetric"):
        checked_covariance(matrix)


def test_means():
    np.testing.assert_array_equal(checked_mean(None, 3), np.zeros(3))
    np.testing.assert_array_equal(checked_mean([1, 2, 3], 3), [1, 2, 3])
    for bad in ([1, 2], [1, 2, np.nan], [[1, 2, 3]], 5):
        with pytest.raises(InputError, match="give 3 finite numbers"):
            checked_mean(bad, 3)


def pieces(X):
    """Return the same rows' moments: whole, of float32, weighted, and merged from pieces."""
    merged = Moments()
    for rows in np.array_split(X, 7):
        merged.merge(Moments().add(rows))
    ways = [X, np.float32(X), np.asfortranarray(X), torch.tensor(X)]
    return [*(Moments().add(rows) for rows in ways), Moments().add(X, np.arange(len(X))), merged]


@pytest.mark.parametrize("value", [0, 0.1, 1 / 3, -0.7, 1e9 / 3, 1e-9 / 3])
@pytest.mark.parametrize("n", [20, 100_000])
def test_constant_columns_do_not_vary(n, value):
    X = np.column_stack([np.full(n, value), RNG.normal(size=n)])
    for found in pieces(X):
        np.testing.assert_array_equal(found.varies, [False, True])
    found = Moments().add(sparse.csr_array(X[:20]))
    np.testing.assert_array_equal(found.varies, [False, True])


def test_constant_columns_of_many_sparse_rows_do_not_vary():
    X = np.column_stack([np.full(100_000, 1 / 3), RNG.normal(size=100_000)])
    np.testing.assert_array_equal(Moments().add(sparse.csr_array(X)).varies, [False, True])


def test_constant_columns_stay_so_when_sparse_rows_join_others():
    """What was summed one by one holds fewer digits, whichever rows came first."""
    X = np.column_stack([np.full(100_000, 1 / 3), RNG.normal(size=100_000)])
    one, many = X[:10], sparse.csr_array(X)
    for first, second in ((one, many), (many, one)):
        found = Moments().add(sparse.csr_array(X[:2])).merge(Moments().add(first))
        found.merge(Moments().add(second))
        np.testing.assert_array_equal(found.varies, [False, True])


@pytest.mark.parametrize("far", [0, 1e4, 1e6, 1e8])
def test_columns_far_from_0_vary(far):
    assert Moments().add(TABLE + far).varies.all()
    assert Moments().add(TABLE[:3] + far).merge(Moments().add(TABLE[3:] + far)).varies.all()
    assert Moments().add(TABLE * 1e-120).varies.all()


def test_bytes_that_vary():
    images = np.full((50, 2, 2), 7, np.uint8)
    images[3, 1, 1] = 8
    np.testing.assert_array_equal(Moments().add(images).varies, [False, False, False, True])


def test_a_covariance_larger_than_the_limit_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "1M")
    X = np.random.default_rng(0).normal(size=(3, 400))
    with pytest.raises(InputError, match=r"covariance matrix of 400 columns would take 1\.2 MiB"):
        Moments().add(X)
    assert Moments().add(X[:, :300]).n_rows == 3


def test_a_matrix_is_indefinite_from_a_millionth_of_its_variances_on():
    scale = np.outer([1, 30], [1, 30])
    for beyond, refused in ((0.7e-6, False), (1.4e-6, True)):
        S = np.array([[1, 1 + beyond], [1 + beyond, 1]]) * scale
        with pytest.raises(InputError, match="indefinite") if refused else nullcontext():
            checked_covariance(S)
