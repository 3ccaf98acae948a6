"""What data may come as, and one sentence for all else."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas
import pyarrow as pa
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset, random_split

import latentia
from latentia import PCA, VAE, SRResNet, evaluate, load, load_data
from latentia.data import Dataset
from latentia.errors import InputError
from latentia.models.inputs import as_array
from tests.conftest import SHARED, small_models

BYTES = np.random.default_rng(0).integers(0, 256, (6, 9, 8)).astype(np.uint8)
FLOATS = (BYTES / np.float32(255)).astype(np.float32)
TABLE = np.random.default_rng(1).normal(size=(6, 3))
HALVES = FLOATS.astype(np.float16)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (list(BYTES), BYTES),
        (tuple(FLOATS), FLOATS),
        (FLOATS.tolist(), FLOATS.astype(np.float64)),
        ([torch.from_numpy(x) for x in FLOATS], FLOATS),
        ([Image.fromarray(x) for x in BYTES], BYTES),
        ([Image.fromarray(x).convert("RGB") for x in BYTES], np.stack([BYTES] * 3, 1)),
        (np.array([*BYTES, None], object)[:-1], BYTES),
        (torch.from_numpy(FLOATS).to(torch.bfloat16), None),
        (torch.from_numpy(HALVES), HALVES.astype(np.float32)),
        (torch.from_numpy(FLOATS).requires_grad_(), FLOATS),
        (HALVES, HALVES.astype(np.float32)),
        (FLOATS.astype(">f4"), FLOATS),
        (FLOATS.astype(np.longdouble), FLOATS.astype(np.float64)),
        (FLOATS.astype(object), FLOATS.astype(np.float64)),
        (BYTES > 127, BYTES > 127),
    ],
)
def test_images_are_taken_in_every_kind(given, expected):
    if expected is None:
        expected = given.float().numpy()
    found = as_array(given)
    assert found.dtype == expected.dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, expected)
    model = VAE(hidden=(4,), n_components=2, **SHARED).fit(given)
    np.testing.assert_array_equal(model.transform(given), model.transform(expected))


def test_tables_are_taken_in_every_kind():
    X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    codes = PCA(n_components=2).fit(X).transform(X)
    for given in (X.astype(">f4"), list(X), [torch.from_numpy(x) for x in X], X.astype(object)):
        assert PCA(n_components=2).fit(given).transform(given) == pytest.approx(codes, abs=1e-5)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_of_numpy_is_an_array():
    X = np.asmatrix(TABLE)
    assert type(as_array(X)) is np.ndarray
    np.testing.assert_array_equal(as_array(X), TABLE)


def samples():
    yield from FLOATS


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([*BYTES[:3], BYTES[0][:7]], r"X\[3\] has shape \(7, 8\) and X\[0\] \(9, 8\); resize"),
        ([Image.new("L", (8, 8)), Image.new("L", (9, 8))], r"X\[1\] has shape \(8, 9\)"),
        (np.array([*BYTES, BYTES[0][:7]], object), r"X\[6\] has shape \(7, 8\)"),
        (Image.new("L", (8, 8)), "X is one picture; give a list"),
        (np.ones((6, 9, 8, 4)), r"its channels last: fit\(X, channels='last'\)"),
        (
            dataclasses.replace(load_data("digits"), weights_train=np.ones(1500)),
            r"X is the data set 'digits', whose rows have weights: fit\(X\.x_train, \*\*X\.bes",
        ),
        ("digits", r"X is text; load data by name with latentia\.load_data"),
        (samples(), "X is of type generator; give the samples themselves"),
        ({"x": FLOATS, "t": 1}, r"X is a dict of 'x', 't'; give one part, as X\['x'\]"),
        ({}, "X is of type dict; give the samples themselves"),
        (["a.png", "b.JPG"], "X is a list of paths, the first 'a.png'; latentia.load_data reads"),
        ([Path("a.png")], "X is a list of paths, the first 'a.png'; latentia.load_data reads"),
        (Path("in"), r"X is a path; load data by name with latentia\.load_data"),
        ([BYTES[0], Image.new("F", (8, 9), 7.0)], r"X\[1\]: its grey values span 7 to 7; what is"),
        (None, "X is of type NoneType"),
        (7, "X is of type int"),
        (FLOATS.astype(complex), "images are complex128; give uint8, floats"),
        (BYTES.astype(np.int64), "images are int64; give uint8, floats in .*, or bool"),
        (FLOATS[:, None, None], r"X has shape \(6, 1, 1, 9, 8\); give a table"),
        (np.ones((6, 9, 8, 3)), r"its channels last: fit\(X, channels='last'\)"),
        (np.full((6, 9, 8), "a", object), "X holds objects that are not numbers"),
        (np.ma.masked_less(FLOATS, 0.5), "X is a masked array, whose mask would be lost"),
        (np.empty((0, 9, 8)), "X holds 0 images"),
        (np.array([["a", "b"]]), "could not convert string to float"),
        (np.array([["a", "b"]], object), "could not convert string to float"),
        (np.ones((3, 2)) * 1j, "Complex data not supported"),
        (FLOATS[0, 0], "Reshape your data"),
        (random_split(TensorDataset(torch.zeros(4, 9, 8)), [2, 2]), "X is a list of data sets, .*"),
        ([(x, 0) for x in FLOATS], r"X is a list of tuples, .*; give the samples alone: \[sample"),
        ([(x, 0) for x in TABLE], "X is a list of tuples, as of samples and their labels"),
        ((FLOATS, np.zeros(6)), "give images alone, and labels as y"),
        (
            [Image.new("L", (8, 9)), Image.new("RGB", (8, 9))],
            r"X\[1\] has shape \(3, 9, 8\) and .*; give all as many channels, as by convert",
        ),
        (torch.ones(3, 4).to_sparse(), r"X is a tensor .*sparse_coo.*X\.to_dense\(\)"),
        (torch.ones(3, 4, device="meta"), "X is a tensor .* on meta, which holds no plain numbers"),
        (np.zeros((3, 2), "datetime64[D]"), r"X is an array of datetime64\[D\]; give .* numbers"),
        (np.zeros((3, 2), "timedelta64[s]"), "X is an array of timedelta64"),
        (np.zeros(3, [("a", "f4")]), "X is an array of .*; give an array of numbers"),
        (np.zeros((3, 0, 8)), r"X has shape \(3, 0, 8\), images without pixels"),
    ],
)
def test_what_holds_no_samples_is_refused_in_a_sentence(given, words):
    with pytest.raises(InputError, match=words):
        VAE(hidden=(4,), n_components=2, **SHARED).fit(given)


def test_models_of_images_of_any_size_take_lists_too():
    X = list(np.random.default_rng(0).random((3, 16, 16), dtype=np.float32))
    model = SRResNet(scale=2, n_blocks=1, width=2, **SHARED).fit(X)
    assert model.transform([Image.fromarray(BYTES[0])]).shape == (1, 18, 16)
    with pytest.raises(InputError, match=r"X\[1\] has shape \(7, 8\)"):
        model.transform([BYTES[0], BYTES[0][:7]])


def test_a_validation_is_rows_or_rows_and_targets():
    model = VAE(hidden=(4,), n_components=2, **SHARED)
    with pytest.raises(InputError, match="validation is a tuple of 3; give X, or"):
        model.fit(FLOATS, validation=(FLOATS, None, None))


@pytest.mark.parametrize("path", [3, None, b"model", "a\0b"])
def test_what_is_no_path_is_refused_where_one_is_asked_for(path):
    model = VAE(hidden=(4,), n_components=2, **SHARED)
    with pytest.raises(InputError, match=r"path is .*; it must be the path of a folder"):
        load(path)
    if path is not None:
        with pytest.raises(InputError, match=r"run is .*; it must be the path of a folder"):
            model.fit(FLOATS, run=path)
    model.fit(FLOATS)
    with pytest.raises(InputError, match=r"path is .*; it must be the path of a folder"):
        model.save(path)


@pytest.mark.parametrize("model", small_models().values(), ids=lambda model: type(model).__name__)
def test_a_parameter_that_is_set_by_a_wrong_name_is_refused_with_the_nearest(model):
    with pytest.raises(InputError, match="has no parameter 'n_component'"):
        model.set_params(n_component=2)
    with pytest.raises(InputError, match="has no parameter 'lr'"):
        model.set_params(lr=2)
    name = next(iter(model.get_params()))
    assert model.set_params(**{name: getattr(model, name)}) is model


def test_set_params_understands_old_names():
    with pytest.warns(FutureWarning, match="discriminator_steps is called n_critic now"):
        model = small_models()["GAN"].set_params(discriminator_steps=3)
    assert model.n_critic == 3


def test_only_a_model_is_evaluated():
    data = Dataset(name="mine", x_train=FLOATS, y_train=None, x_test=FLOATS, y_test=None)
    for model in ("VAE", [PCA()], FLOATS):
        with pytest.raises(InputError, match=r"model is of type .*; give a fitted model"):
            evaluate(model, data)


def test_a_model_is_evaluated_on_a_data_set():
    model = PCA(n_components=2).fit(FLOATS)
    with pytest.raises(InputError, match=r"data is of type ndarray; give a data set, from load_"):
        evaluate(model, FLOATS)
    # As the sentence says.
    data = Dataset(name="mine", x_train=FLOATS, y_train=None, x_test=FLOATS, y_test=None)
    assert evaluate(model, data)["squared_error"] == pytest.approx(-model.score(FLOATS))


def test_columns_of_objects_that_are_numbers_are_numbers():
    frame = pandas.DataFrame(TABLE, columns=[f"c{i}" for i in range(TABLE.shape[1])])
    found = latentia.PCA(n_components=1).fit(frame.astype(object)).components_
    np.testing.assert_array_equal(found, latentia.PCA(n_components=1).fit(frame).components_)
    mixed = frame.astype(object)
    mixed.iloc[1, 0] = "3"
    with pytest.raises(InputError, match="columns without numbers: c0; leave them out"):
        latentia.PCA(n_components=1).fit(mixed)
    renamed = frame.set_axis([0, *frame.columns[1:]], axis=1)
    with pytest.raises(InputError, match="names are numbers and words: make them alike"):
        latentia.PCA(n_components=1).fit(renamed)


def test_words_in_a_table_of_arrow_are_named():
    table = pa.table({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"], "c": [2.0, 1.0, 4.0]})
    with pytest.raises(InputError, match=r"without numbers: b; leave them out, as by X\.drop\(\["):
        latentia.PCA(n_components=1).fit(table)
    assert latentia.PCA(n_components=1).fit(table.drop(["b"])).components_.shape == (1, 2)
