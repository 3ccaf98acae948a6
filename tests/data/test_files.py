"""Files of every kind, whole and broken, against NumPy, Pillow and Arrow as they wrote them."""

import gzip
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentia.data import describe, load, names
from latentia.data.idx import parse
from latentia.errors import InputError
from latentia.training.batches import Source


def idx_bytes(array):
    """Return an array as an idx file."""
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    kind = array.dtype.str[1:]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, codes[kind], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).flatmap(
        lambda kind: arrays(kind, st.tuples(st.integers(1, 4), st.integers(1, 3)))
    )
)
def test_idx_round_trip(array):
    found = parse(idx_bytes(array), "x")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("damage", [b"", b"\0\0\x08\x03", b"PNG", None])
def test_broken_idx(damage):
    content = idx_bytes(np.zeros((3, 2, 2), np.uint8))[:-1] if damage is None else damage
    with pytest.raises(InputError, match=r"idx file|promises"):
        parse(content, "x")


@pytest.fixture
def idx_folder(tmp_path):
    folder = tmp_path / "sets" / "mnist"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, n in (("train", 30), ("t10k", 10)):
        x = rng.integers(0, 256, (n, 5, 5), dtype=np.uint8)
        y = rng.integers(0, 3, n, dtype=np.uint8)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(x)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(y))
    return folder


def test_a_folder_with_the_four_files_plain_or_gzipped(idx_folder):
    data = load(str(idx_folder))
    assert data.name == "mnist"
    assert data.x_train.shape == (30, 5, 5)
    assert data.x_train.dtype == np.uint8
    assert len(data.y_test) == 10


@pytest.mark.parametrize("inner", [True, False])
def test_the_environment_names_the_cache(idx_folder, monkeypatch, inner):
    cache = idx_folder.parent if inner else idx_folder
    monkeypatch.setenv("LATENTIA_DATA", str(cache))
    data = load("mnist")
    assert data.x_train.shape == (30, 5, 5)
    assert data.licence


def test_a_truncated_gzip_is_named(idx_folder):
    path = idx_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="train-images"):
        load(str(idx_folder))


def test_npy_npz_csv_parquet_hold_the_same_table(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 3))
    columns = {name: X[:, i] for i, name in enumerate("abc")}
    labels = np.array(["cat", "dog"] * 20)
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "x.npz", x=X, y=labels)
    pq.write_table(pa.table(columns | {"Label": labels}), tmp_path / "x.parquet")
    lines = ["a,b,c,class"] + [
        ",".join(map(repr, map(float, r))) + f",{w}" for r, w in zip(X, labels)
    ]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    found = [load(str(tmp_path / f"x.{kind}")) for kind in ("npy", "npz", "csv", "parquet")]
    for data in found:
        np.testing.assert_array_equal(data.x_train, found[0].x_train)
        assert len(data.x_test) == 4
        assert "no test part" in data.notes[-1]
    for data in found[1:]:
        assert data.class_names == ("cat", "dog")
        np.testing.assert_array_equal(data.y_train, found[1].y_train)


def test_parts_of_an_npz_are_used(tmp_path):
    x = np.zeros((5, 4, 4), np.uint8)
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.arange(5), x_test=x[:2], y_test=np.arange(2))
    data = load(str(tmp_path / "x.npz"))
    assert (len(data.x_train), len(data.x_test)) == (5, 2)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", "a,b\n1,2\n3,x\n", "'b'"),
        ("t.csv", "a,b\n1,2\n3,\n4,5\n", "'b' has 1 missing .* row 2"),
        ("t.csv", "a,b\n1,2\n3,nan\n4,5\n", "'b' has 1 missing"),
        ("t.csv", "a,b\n", "0 rows"),
        ("t.csv", "a,b\n1,2\n", "at least 2"),
        ("t.csv", "", "zero bytes"),
        ("t.npy", "rubbish", "cannot be read"),
        ("t.npz", "rubbish", "cannot be read"),
        ("t.parquet", "rubbish", "cannot be read"),
        ("t.xyz", "rubbish", "no known kind"),
    ],
)
def test_one_sentence_for_what_cannot_be_read(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=words) as raised:
        load(str(tmp_path / name))
    assert "\n" not in str(raised.value)


def test_nothing_pickled_is_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        load(str(tmp_path / "x.npy"))


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        load("mnsit")
    with pytest.raises(InputError, match="did you mean 'digits'"):
        describe("digts")


def test_bundled_sets_are_what_they_say():
    assert set(names()) >= {"digits", "fashion-mnist-small", "mnist", "fashion-mnist"}
    for name in ("digits", "fashion-mnist-small"):
        data, known = load(name), describe(name)
        assert data.x_train.shape == (known.n_train, *known.shape)
        assert data.x_test.shape == (known.n_test, *known.shape)
        assert set(data.y_test) == set(range(10))
        assert not known.needs_network
    assert set(np.bincount(load("fashion-mnist-small").y_train)) == {1000}


def test_source_gathers_any_rows_from_any_kind(tmp_path):
    import torch

    x = np.random.default_rng(0).integers(0, 256, (20, 3, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    rows = np.array([7, 3, 3, 19, 0])
    expected = torch.from_numpy(x[rows]).float()[:, None] / 255
    for held in (x, np.load(tmp_path / "x.npy", mmap_mode="r"), torch.from_numpy(x)):
        source = Source(held, np.arange(20))
        batch, targets = source.batch(rows)
        assert batch.dtype == torch.float32
        torch.testing.assert_close(batch, expected)
        assert targets.tolist() == rows.tolist()
    assert source.shape == (1, 3, 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_source_names_the_row_that_is_not_finite(bad):
    x = np.zeros((6000, 2))
    x[5000, 1] = bad
    with pytest.raises(InputError, match="sample 5000"):
        Source(x)


def test_a_file_larger_than_memory_stays_on_the_disk(tmp_path, monkeypatch):
    from latentia.data import dataset

    x = np.random.default_rng(0).integers(0, 256, (50, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", 100)
    data = load(str(tmp_path / "x.npy"))
    assert isinstance(data.x_train, np.memmap)
    np.testing.assert_array_equal(data.x_test, x[45:])
    said = "x has no test part and stays on the disk: its last 5 samples are the test."
    assert data.notes[-1] == said
