"""Statistics as bytes: what comes back, what is refused, and merging in any tree."""

import json

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from latentia import PCA, FactorAnalysis, ProbabilisticPCA
from latentia.errors import InputError
from latentia.models.linear.moments import Moments
from latentia.models.linear.sufficient import _sealed

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(240, 2)) @ RNG.normal(size=(2, 6)) + RNG.normal(size=(240, 6)) + 30
IMAGES = RNG.integers(0, 256, (240, 2, 3), dtype=np.uint8)
NAMES = tuple("uvwxyz")
HEAD = b"latentia moments 1\n"


def batch(X, names=NAMES):
    return pa.record_batch([pa.array(column) for column in X.T], names=list(names))


def same(one, two):
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, vars(two)[name], err_msg=name)


@pytest.mark.parametrize(
    "rows", [TABLE, IMAGES, IMAGES / 255, batch(TABLE), TABLE[:1], TABLE[:0]], ids=range(6)
)
def test_bytes_come_back_bit_for_bit(rows):
    moments = Moments().add(rows)
    same(Moments.from_bytes(moments.to_bytes()), moments)
    assert moments.to_bytes() == Moments.from_bytes(moments.to_bytes()).to_bytes()


@given(st.lists(st.integers(0, 240), max_size=5), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_merging_in_any_tree(cuts, chance):
    """Pairs are merged at random, each through bytes, until one is left."""
    parts = {
        kind: [Moments().add(part).to_bytes() for part in np.split(X, sorted(cuts))]
        for kind, X in (("floats", TABLE), ("bytes", IMAGES))
    }
    for found in parts.values():
        while len(found) > 1:
            one = found.pop(chance.randrange(len(found)))
            two = found.pop(chance.randrange(len(found)))
            found.append(Moments.from_bytes(one).merge(Moments.from_bytes(two)).to_bytes())
    same(Moments.from_bytes(parts["bytes"][0]), Moments().add(IMAGES))
    found, whole = Moments.from_bytes(parts["floats"][0]), Moments().add(TABLE)
    assert np.abs(found.covariance / whole.covariance - 1).max() < 1e-10
    scale = np.sqrt(np.diag(whole.covariance))
    assert np.abs((found.covariance - whole.covariance) / np.outer(scale, scale)).max() < 1e-12
    assert np.abs((found.mean - whole.mean) / scale).max() < 1e-12


GOOD = Moments().add(TABLE).to_bytes()


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255), st.integers(0, len(GOOD) - 1))
@settings(max_examples=150, deadline=None)
def test_damaged_and_cut_bytes_are_refused(place, flip, length):
    damaged = bytearray(GOOD)
    damaged[place] ^= flip
    for data in (bytes(damaged), GOOD[:length], GOOD + b"x"):
        with pytest.raises(InputError):
            Moments.from_bytes(data)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_foreign_bytes_are_refused(data):
    for found in (data, HEAD + data, HEAD + _sealed(data)):
        with pytest.raises(InputError):
            Moments.from_bytes(found)


def with_arrays(**changed):
    arrays = safetensors.numpy.load(GOOD[len(HEAD) + 32 :])
    arrays |= changed
    return HEAD + _sealed(
        safetensors.numpy.save({k: v for k, v in arrays.items() if v is not None})
    )


F = np.float64
CONTRADICTIONS = {
    "NaN": {"sum": np.full(6, np.nan)},
    "infinity in 'weight'": {"weight": np.array(np.inf)},
    "rows of weight": {"n_rows": np.array(0)},
    "of weight -1": {"weight": np.array(-1.0)},
    "unknown scale": {"scale": np.array(2.0)},
    "an unknown scale": {"cancellation": np.array(0.0)},
    "sums of other shapes": {"sum": np.zeros(5)},
    "sums of other": {"sample_shape": np.array([2, 2])},
    "hold sums": {"sample_shape": np.array([-2, -3])},
    "other than 21 products": {"products": np.zeros(20)},
    "products that are not": {"products": -np.ones(21)},
    "not those of any columns": {"products": np.where(np.tri(6)[np.tri(6, dtype=bool)], 1.0, 1)
                                 + np.arange(21.0)},
    "mean square below": {"sum": np.full(6, 1e9)},
    "arrays": {"names": None},
    "arrays {": {"more": np.zeros(2)},
    "not {": {"sum": np.zeros((6, 1))},
    "hold arrays": {"sum": np.zeros(6, np.float32)},
    "names than one": {"names": np.frombuffer(b'["a"]', np.uint8)},
    "other names": {"names": np.frombuffer(b"[" * 5000, np.uint8)},
    "no words": {"names": np.frombuffer(json.dumps([1] * 6).encode(), np.uint8)},
}  # fmt: skip


@pytest.mark.parametrize("sentence", CONTRADICTIONS)
def test_arrays_that_contradict_are_refused(sentence):
    with pytest.raises(InputError) as error:
        Moments.from_bytes(with_arrays(**CONTRADICTIONS[sentence]))
    assert sentence in str(error.value) or "which no rows give" in str(error.value)
    assert "\n" not in str(error.value)


def test_other_kinds_versions_and_objects_are_refused():
    rest = GOOD[len(HEAD) :]
    for data, sentence in (
        (b"latentia pattern counts 1\n" + rest, "the bytes hold pattern counts, not moments"),
        (b"latentia moments 2\n" + rest, "in version 2 of the layout, and this Latentia reads ve"),
        (b"\x80\x04pickle", "no moments of Latentia; give what Moments.to_bytes"),
        ("text", "of type str"),
        (None, "of type NoneType"),
    ):
        with pytest.raises(InputError, match=sentence):
            Moments.from_bytes(data)
    same(Moments.from_bytes(memoryview(GOOD)), Moments().add(TABLE))


def test_sums_of_a_database():
    """Around 0 or around a shift, by SQL's sums of products."""
    for shift in (None, np.round(TABLE.mean(axis=0))):
        away = TABLE if shift is None else TABLE - shift
        found = Moments.from_sums(240, away.sum(axis=0), away.T @ away, shift=shift, names=NAMES)
        whole = Moments().add(TABLE)
        np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(found.covariance, whole.covariance, rtol=1e-8)
        assert (found.n_rows, found.names) == (240, NAMES)
    for bad in (
        {"weight": 0},
        {"sums": TABLE.sum(axis=0) * 2},
        {"products": -away.T @ away},
        {"products": np.eye(5)},
        {"names": ("a",)},
        {"shift": np.full(6, np.nan)},
    ):
        given = {"weight": 240, "sums": TABLE.sum(axis=0), "products": TABLE.T @ TABLE} | bad
        with pytest.raises(InputError, match="the moments hold"):
            Moments.from_sums(**given)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int32, bool])
def test_arrow_batches(dtype):
    X = (TABLE > 30) if dtype is bool else TABLE.astype(dtype)
    table = pa.Table.from_batches([batch(X[:100]), batch(X[100:])])
    whole = Moments().add(X)
    for found in (Moments().add(table), Moments().add(batch(X)), Moments().add(table.slice(0))):
        np.testing.assert_allclose(found.covariance, whole.covariance, rtol=1e-12, atol=1e-12)
        assert (found.names, found.n_rows) == (NAMES, 240)
    weights = RNG.random(240)
    np.testing.assert_allclose(
        Moments().add(table, weights).mean, Moments().add(X, weights).mean, rtol=1e-12
    )


def test_arrow_columns_that_are_refused():
    holes = pa.table({"u": [1.0, None], "v": [2, 3]})
    with pytest.raises(InputError, match="column 'u' holds missing values among rows 0 to 1: fill"):
        Moments().add(holes)
    with pytest.raises(InputError, match="columns without numbers: v"):
        Moments().add(pa.table({"u": [1.0, 2.0], "v": ["a", "b"]}))
    with pytest.raises(InputError, match=r"column 'v' holds values of type list.*cast it"):
        Moments().add(pa.table({"u": [1.0, 2.0], "v": [[1], [2]]}))
    other = batch(TABLE, "uvwxyq")
    for refuse in (Moments().add(batch(TABLE)).add, lambda X: one().merge(Moments().add(X))):
        with pytest.raises(InputError, match="column 5 is 'q' here and was 'z' in the rows before"):
            refuse(other)


def one():
    return Moments().add(batch(TABLE))


@pytest.mark.parametrize(
    "model", [PCA(n_components=2), ProbabilisticPCA(n_components=2), FactorAnalysis(n_components=2)]
)
def test_every_linear_model_fits_moments_and_keeps_their_names(model):
    truth = model.fit(TABLE).transform(TABLE)
    found = model.fit_moments(Moments.from_bytes(one().to_bytes()))
    assert list(found.feature_names_in_) == list(NAMES)
    frame = pytest.importorskip("pandas").DataFrame(TABLE, columns=list(NAMES))
    np.testing.assert_allclose(found.transform(frame), truth, atol=1e-6)
    plain = model.fit_moments(Moments().add(TABLE))
    assert "feature_names_in_" not in vars(plain)
