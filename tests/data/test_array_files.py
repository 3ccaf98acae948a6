"""Arrays in files: kinds of numbers, headers that promise too much, and what damage does."""

import gzip
import io
import math
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentia.cli.main import main
from latentia.data import load, tables
from latentia.data.dataset import Dataset, Part, join
from latentia.data.text import read_text
from latentia.errors import InputError

X = np.random.default_rng(0).integers(0, 256, (10, 4, 4), dtype=np.uint8)
TABLE = np.random.default_rng(1).normal(size=(10, 3)).astype(np.float32)
KINDS = {
    "big-endian": (TABLE.astype(">f8"), np.float64),
    "big-endian integers": (X.astype(">u2"), np.uint16),
    "half precision": (TABLE.astype(np.float16), np.float32),
    "long doubles": (TABLE.astype(np.longdouble), np.float64),
    "Fortran's order": (np.asfortranarray(TABLE), np.float32),
    "booleans": (X > 99, np.bool_),
}


def whole(data):
    """Return all rows of a data set, in the order of their sums."""
    rows = np.concatenate([data.x_train, data.x_test])
    return rows[np.argsort(rows.reshape(len(rows), -1).sum(axis=1, dtype=float))]


@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize("name", KINDS)
def test_numbers_of_any_kind_are_read_in_one_that_computes(name, ending, tmp_path):
    array, kind = KINDS[name]
    path = tmp_path / f"x.{ending}"
    np.save(path, array) if ending == "npy" else np.savez(path, x=array)
    data = load(str(path))
    for part in (data.x_train, data.x_test):
        assert part.dtype == kind
        assert part.dtype.isnative
    found = whole(data)
    order = np.argsort(array.reshape(10, -1).sum(axis=1, dtype=float))
    np.testing.assert_array_equal(found, array[order].astype(kind))


OTHERS = {
    "complex": (TABLE + 1j, "complex64 array .* real numbers"),
    "records": (np.zeros(9, [("a", "f8"), ("b", "f8")]), "records with the fields a, b"),
    "objects": (TABLE.astype(object), "Python objects.*astype"),
    "words": (np.array([["a", "b"]] * 9), "<U1 array"),
    "dates": (np.zeros((9, 2), "M8[D]"), "datetime64"),
    "no columns": (np.zeros((9, 0)), r"shape \(9, 0\)"),
    "one dimension": (np.zeros(9), r"shape \(9,\)"),
}


@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize("name", OTHERS)
def test_what_holds_no_samples_is_one_sentence(name, ending, tmp_path):
    array, words = OTHERS[name]
    path = tmp_path / f"x.{ending}"
    if ending == "npy":
        np.save(path, array, allow_pickle=True)
    else:
        np.savez(path, x=array)
    with pytest.raises(InputError, match=words) as raised:
        load(str(path))
    assert "\n" not in str(raised.value)


def test_an_axis_that_moves_is_told(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((9, 8, 8, 3), np.uint8))
    data = load(str(tmp_path / "x.npy"))
    assert data.x_train.shape[1:] == (3, 8, 8)
    told = "its last axis was taken for the channels of images."
    assert data.notes[0] == f"{tmp_path / 'x.npy'}: {told}"


LABELLED = {
    "words": (np.array(["zebra", "cat"] * 5), ("cat", "zebra")),
    "words in bytes": (np.array([b"zebra", b"cat"] * 5), ("cat", "zebra")),
    "whole floats": (np.array([7.0, 3.0] * 5), ("3", "7")),
    "one column": (np.array([[7], [3]] * 5), ("3", "7")),
}


@pytest.mark.parametrize("name", LABELLED)
def test_labels_keep_their_names(name, tmp_path):
    y, names = LABELLED[name]
    np.savez(tmp_path / "x.npz", x=TABLE, y=y)
    np.savez(tmp_path / "p.npz", x_train=TABLE, y_train=y, x_test=TABLE[:3], y_test=y[1:4])
    data, parts = load(str(tmp_path / "x.npz")), load(str(tmp_path / "p.npz"))
    assert data.class_names == parts.class_names == names
    assert parts.y_train.tolist() == [1, 0] * 5
    assert parts.y_test.tolist() == [0, 1, 0]


def test_labels_that_are_not_there_or_no_classes(tmp_path):
    np.savez(tmp_path / "gap.npz", x=TABLE, y=np.array([1.0, np.nan] * 5))
    with pytest.raises(InputError, match=r"gap.npz\[y\] has 5 missing .* data row 2"):
        load(str(tmp_path / "gap.npz"))
    np.savez(tmp_path / "m.npz", x=TABLE, y=np.linspace(0, 1, 10))
    data = load(str(tmp_path / "m.npz"))
    assert data.y_train is None
    assert "measures and no classes" in data.notes[0]


def test_two_parts_number_their_classes_alike():
    train = Part(TABLE[:4], np.array([0, 1, 2, 0]), ("ant", "cat", "dog"))
    data = join(train, Part(TABLE[:2], np.array([0, 1]), ("cat", "dog")), "d")
    assert data.class_names == ("ant", "cat", "dog")
    assert data.y_test.tolist() == [1, 2]


def test_a_part_without_names_of_classes_leaves_those_of_the_other():
    named, plain = Part(TABLE[:3], np.array([0, 1, 0]), ("ant", "cat")), Part(TABLE[:2])
    assert join(named, plain, "d").class_names == ("ant", "cat")
    assert join(named, plain, "d").y_train.tolist() == [0, 1, 0]
    assert join(plain, named, "d").class_names == ()
    for train, test in ((1, 2), (2, 0)):
        said = f"d holds {train} training and {test} test samples; at least 2 and 1 are needed"
        with pytest.raises(InputError, match=said):
            join(Part(TABLE[:train]), Part(TABLE[:test]), "d")


def npy_header(shape, kind="<f8"):
    """Return the start of a .npy file that promises an array."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n"


def zipped(content, claimed=None):
    """Return a .npz file's bytes with one member, which may claim another size."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", content)
    held = stream.getvalue()
    if claimed is None:
        return held
    size = struct.pack("<I", len(content))
    return held.replace(size, struct.pack("<I", claimed))


def idx_header(*shape):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


SMALL = npy_header((4, 2)) + bytes(64)
GREEDY = {
    "x.npy": (npy_header((2**40, 8)) + bytes(100), "its header promises 65,536.0 GiB"),
    "more.npy": (npy_header((2**62, 2**62)) + bytes(100), "its header promises"),
    "minus.npy": (npy_header((-5, -5)) + bytes(400), "cannot be read"),
    "x.npz": (zipped(npy_header((2**40, 8)) + bytes(100)), "its header promises 65,536.0 GiB"),
    "size.npz": (zipped(SMALL, 2**32 - 2), "promises 4.0 GiB for 'x.npy'"),
    "x-idx3": (idx_header(2**31, 2**15, 2**15) + bytes(50), "its header promises"),
    "all-idx": (idx_header(*[2**32 - 1] * 255), "its header promises"),
    "x-idx3.gz": (gzip.compress(idx_header(2**31, 2**15, 2**15) + bytes(50)), "would take"),
    "tail-idx3.gz": (gzip.compress(idx_header(2, 2, 2) + bytes(2**25)), "has more; .* 24 bytes"),
}


@pytest.mark.parametrize("name", GREEDY)
def test_a_header_is_held_against_the_file_before_memory_is_taken(name, tmp_path):
    content, words = GREEDY[name]
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    with pytest.raises(InputError, match=words):
        load(str(tmp_path / name))
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_what_is_unpacked_is_limited_and_the_limit_can_be_raised(tmp_path, monkeypatch):
    zeros = np.zeros((1000, 10))
    np.savez_compressed(tmp_path / "x.npz", x=zeros)
    np.savez(tmp_path / "plain.npz", x=zeros)
    (tmp_path / "x-idx2.gz").write_bytes(gzip.compress(idx_header(8000, 10) + bytes(80_000)))
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "50K")
    # What is not compressed costs what it is.
    assert len(load(str(tmp_path / "plain.npz")).x_train) == 900
    for name in ("x.npz", "x-idx2.gz"):
        with pytest.raises(InputError, match=r"would take 80,.* LATENTIA_MAX_BYTES=1G"):
            load(str(tmp_path / name))
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "1G")
    for name in ("x.npz", "x-idx2.gz"):
        assert len(load(str(tmp_path / name)).x_train) in (900, 7200)
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "much")
    with pytest.raises(InputError, match="LATENTIA_MAX_BYTES is 'much'; give a number of bytes"):
        load(str(tmp_path / "x.npz"))


def test_a_pipe_is_no_data_set(tmp_path):
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(InputError, match="pipe or a device"):
        load(str(tmp_path / "x.csv"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the bytes of a small sound file of every kind, by name."""
    folder = tmp_path_factory.mktemp("sound")
    words = np.array(["u", "v"] * 5)
    np.save(folder / "x.npy", X)
    np.savez(folder / "x.npz", x=X, y=words)
    np.savez_compressed(folder / "c.npz", x=X, y=words)
    (folder / "x-idx3").write_bytes(idx_header(*X.shape) + X.tobytes())
    (folder / "x-idx3.gz").write_bytes(gzip.compress(idx_header(*X.shape) + X.tobytes()))
    lines = [f"{i}.5,{i * 2},{word}" for i, word in enumerate(words)]
    (folder / "x.csv").write_text("\n".join(["a,b,label", *lines]))
    (folder / "s.csv").write_bytes("가;b\n1,5;2\n3,25;4\n1.000,5;7\n".encode("cp949"))
    pq.write_table(pa.table({"a": TABLE[:, 0], "b": TABLE[:, 1]}), folder / "x.parquet")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def damaged(content, draws, kind):
    """Return bytes that are cut, or of which a few are others."""
    if kind == 0:
        return content[: draws.integers(len(content))]
    found = bytearray(content)
    for place in draws.integers(len(found), size=kind):
        found[place] = draws.integers(256)
    return bytes(found)


def outcomes(sound, folder, n, seed=0):
    """Return how many of n damaged files of each kind were read, and how many refused."""
    draws, sentences = np.random.default_rng(seed), []
    for name, content in sound.items():
        path = folder / name
        for case in range(n):
            path.write_bytes(damaged(content, draws, case % 3))
            try:
                data = load(str(path))
            except InputError as error:
                sentences.append(str(error))
            else:
                assert isinstance(data, Dataset)
                assert math.prod(data.x_train.shape) <= 10 * len(content)
    assert not any("\n" in sentence for sentence in sentences)
    return {"refused": len(sentences), "read": n * len(sound) - len(sentences)}


def test_a_damaged_file_is_a_data_set_or_one_sentence(sound, tmp_path):
    found = outcomes(sound, tmp_path, 38)
    print(found)
    assert min(found.values()) > 20


@pytest.mark.slow
def test_thousands_of_damaged_files(sound, tmp_path):
    print(outcomes(sound, tmp_path, 2000, seed=1))


def test_checksums_of_members_are_checked(tmp_path):
    content = bytearray(zipped(SMALL))
    content[content.find(b"\x93NUMPY") + 70] ^= 1
    (tmp_path / "x.npz").write_bytes(bytes(content))
    with pytest.raises(InputError, match="CRC"):
        load(str(tmp_path / "x.npz"))


@pytest.mark.parametrize(
    "name", ["a.csv", "a.txt", "a.tsv", "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"]
)
def test_a_file_of_holes_is_refused_before_memory_is_taken(tmp_path, name):
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.write(b"" if "idx" in name else b"1,2\n" * 40_000)
        stream.truncate(3 * 2**40)
    tracemalloc.start()
    words = "is not an idx file" if "idx" in name else "3,072.0 GiB .* LATENTIA_MAX_BYTES"
    with pytest.raises(InputError, match=words):
        load(str(path))
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


def test_zeros_are_no_table_and_no_array(tmp_path):
    for name in ("a.txt", "b.csv", "c-idx1-ubyte"):
        (tmp_path / name).write_bytes(bytes(70_000))
        with pytest.raises(InputError):
            load(str(tmp_path / name))


def test_an_idx_file_of_too_many_dimensions_is_refused(tmp_path):
    path = tmp_path / "deep-idx-ubyte"
    path.write_bytes(b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"a")
    with pytest.raises(InputError, match="255 dimensions; at most 4 are read"):
        load(str(path))


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_a_pipe_is_no_table_wherever_one_is_read(tmp_path, name):
    path = tmp_path / name
    os.mkfifo(path)
    with pytest.raises(InputError, match="is no regular file"):
        tables.read(path) if name == "a.csv" else read_text(path)


def test_names_of_arrays_may_be_capitals_and_a_path_may_be_a_path(tmp_path):
    y = np.arange(10) % 2
    np.savez(tmp_path / "a.npz", X=TABLE, Y=y)
    np.savez(tmp_path / "b.npz", x=TABLE, X=TABLE + 1, y=y)
    np.savez(tmp_path / "c.npz", X_train=TABLE, X_test=TABLE[:2], y_train=y, y_test=y[:2])
    for name in "abc":
        data = load(tmp_path / f"{name}.npz")
        rows = data.x_train if name == "c" else whole(data)
        np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(TABLE, axis=0))
        assert data.labelled
    for other in (TABLE, 3, None):
        with pytest.raises(InputError, match=r"spec is .*; it must be text"):
            load(other)


def test_a_folder_of_tables_says_that_they_are_given_one_by_one(tmp_path):
    (tmp_path / "train.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"; tables are given one by one, such as train\.csv"):
        load(tmp_path)


@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize(
    ("kind", "file"), [("correlation", "r.npy"), ("covariance", "r.csv"), (None, None)]
)
def test_a_matrix_that_is_taken_for_rows_is_told_with_the_command_that_takes_it(
    kind, file, ending, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(40, 6)) * np.arange(1, 7)
    found = {"correlation": np.corrcoef(X.T), "covariance": np.cov(X.T), None: X[:6]}[kind]
    np.save("x.npy", found) if ending == "npy" else np.savez("x.npz", x=found)
    said = [note for note in load(f"x.{ending}").notes if "matrix" in note]
    assert len(said) == (kind is not None)
    assert main(["data", "describe", f"x.{ending}"]) == 0
    assert (f"a {kind} matrix was taken for rows" in capsys.readouterr().out) == bool(kind)
    if kind is None:
        return
    assert f"latentia factor FILE{file[1:]}" in said[0]
    np.save(file, found) if file == "r.npy" else np.savetxt(file, found, delimiter=",")
    assert main(["factor", file, "--suggest"]) == 0
    assert f"a square {'array of' if file == 'r.npy' else kind}" in capsys.readouterr().out


def test_a_square_of_whole_numbers_or_thousands_is_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("latentia.data.arrays.MOST_VARIABLES", 4)
    for n, array in (("4", np.full((4, 4), 0.5) + np.eye(4) / 2), ("5", np.eye(5) / 2 + 0.5)):
        np.save(tmp_path / f"{n}.npy", array)
        assert ("matrix" in load(tmp_path / f"{n}.npy").notes[0]) == (n == "4")
    np.save(tmp_path / "b.npy", np.eye(4) > 0)
    assert "matrix" not in load(tmp_path / "b.npy").notes[0]


def medical(n, *, several=1, **keys):
    """Return arrays under the names of MedMNIST's files."""
    draw, found = np.random.default_rng(0), {}
    for part, count in n.items():
        found[f"{part}_images"] = draw.integers(0, 256, (count, 9, 9, 3), dtype=np.uint8)
        found[f"{part}_labels"] = draw.integers(0, 2, (count, several), dtype=np.uint8)
    return found | keys


def test_arrays_under_the_names_of_medmnist_are_read_with_the_validation_part(tmp_path):
    held = medical({"train": 20, "val": 6, "test": 8})
    np.savez(tmp_path / "m.npz", **held)
    data = load(tmp_path / "m.npz")
    x = np.concatenate([held["train_images"], held["val_images"]])
    np.testing.assert_array_equal(data.x_train, np.moveaxis(x, 3, 1))
    np.testing.assert_array_equal(data.x_test, np.moveaxis(held["test_images"], 3, 1))
    y = np.concatenate([held["train_labels"], held["val_labels"]])[:, 0]
    np.testing.assert_array_equal(data.y_train, y)
    np.testing.assert_array_equal(data.y_test, held["test_labels"][:, 0])
    assert (
        data.notes[0] == "m.npz: its 6 samples for validation were joined to the 20 for training."
    )
    np.savez(tmp_path / "v.npz", **medical({"train": 20, "val": 6}))
    data = load(tmp_path / "v.npz")
    assert (len(data.x_train), len(data.x_test), len(data.y_test)) == (20, 6, 6)
    assert data.notes[0] == "v.npz: its 6 samples for validation are the test part."
    other = {"x_valid": np.ones((7, 8)), "Y_val": np.ones(7)}
    rows = {f"{kind}_{part}": TABLE for kind, part in (("x", "train"), ("data", "test"))}
    np.savez(tmp_path / "o.npz", **rows, **other)
    data = load(tmp_path / "o.npz")
    np.testing.assert_array_equal(data.x_train, TABLE)
    told = "o.npz: its 7 samples for validation are not as those for training, and were left out."
    assert told in data.notes


def test_several_labels_a_sample_are_left_out_and_told(tmp_path):
    np.savez(tmp_path / "m.npz", **medical({"train": 9, "val": 3, "test": 4}, several=14))
    data = load(tmp_path / "m.npz")
    assert (len(data.x_train), data.y_train, data.y_test) == (12, None, None)
    for part in ("train", "val", "test"):
        note = f"m.npz: y_{part} holds several labels a sample, and was left out."
        assert note in data.notes


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("https://x.org/a.csv", "is an address, and no file here: download it first, and give its"),
        ("s3://b/a.zip", "is an address, and no file here: download it first"),
        ("file:///a/b%20c.txt", "is an address: give the path alone, /a/b c.txt"),
        ("file://localhost/a.npy", "is an address: give the path alone, /a.npy"),
    ],
)
def test_an_address_is_no_path_in_any_command(spec, told, capsys):
    for words in (
        *(f"train {model} --data" for model in ("pca", "lstm", "pix2pix", "cyclegan", "srresnet")),
        *("compare --data", "factor --suggest", "data describe"),
    ):
        assert main([*words.split(), spec]) == 2
        assert f"error: {spec} {told}" in capsys.readouterr().err
