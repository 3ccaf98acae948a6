"""Data sets of torch's and Hugging Face's, taken by every verb as the array that they stand for."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

from latentia import PCA, VAE
from latentia.errors import InputError
from latentia.models.foreign_datasets import samples_and_labels
from latentia.models.inputs import as_array
from tests.conftest import SHARED, small_models

BYTES = np.random.default_rng(0).integers(0, 256, (9, 8, 7)).astype(np.uint8)
RGB = np.random.default_rng(1).integers(0, 256, (9, 3, 8, 7)).astype(np.uint8)
TABLE = np.random.default_rng(2).normal(size=(12, 4)).astype(np.float32)


class Pairs(Dataset):
    """Samples with their labels, of any kind, as torchvision's data sets have them."""

    def __init__(self, samples, kind=tuple):
        self.samples, self.kind = samples, kind

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return {"label": i, "image": self.samples[i]} if self.kind is dict else (self.samples[i], i)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(torch.from_numpy(TABLE))


class Feature:
    pass


Feature.__name__ = "Image"


class ClassLabel:
    def __init__(self, names=None):
        self.names = names


class Table:
    """What a data set of Hugging Face's answers, without its library."""

    def __init__(self, columns, features):
        self.held, self.features, self.asked = columns, features, 0

    @property
    def column_names(self):
        return list(self.held)

    def with_format(self, kind):
        assert kind is None
        return self

    def __len__(self):
        return len(next(iter(self.held.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.held[key]
        self.asked += 1
        return {name: values[key] for name, values in self.held.items()}


def pictures(arrays):
    return [Image.fromarray(np.moveaxis(a, 0, 2) if a.ndim == 3 else a) for a in arrays]


HELD = Table({"label": list(range(9)), "img": pictures(RGB)}, {"img": Feature(), "label": 0})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (TensorDataset(torch.from_numpy(TABLE)), TABLE),
        (TensorDataset(torch.from_numpy(TABLE), torch.arange(12)), TABLE),
        (StackDataset(x=torch.from_numpy(TABLE), y=torch.arange(12)), TABLE),
        (Subset(TensorDataset(torch.from_numpy(TABLE)), [3, 1]), TABLE[[3, 1]]),
        (Pairs(torch.from_numpy(RGB)), RGB),
        (Pairs(list(RGB), dict), RGB),
        (Pairs(pictures(RGB)), RGB),
        (Pairs(pictures(BYTES)), BYTES),
        (Stream(), TABLE),
        (DataLoader(Stream(), batch_size=5), TABLE),
        (DataLoader(TensorDataset(torch.from_numpy(TABLE)), batch_size=5), TABLE),
        (DataLoader(Pairs(torch.from_numpy(RGB)), batch_size=4, shuffle=True), RGB),
        (DataLoader(Pairs(torch.from_numpy(RGB), dict), batch_size=4, drop_last=True), RGB),
        (DataLoader(TABLE, sampler=SubsetRandomSampler([5]), batch_size=2), TABLE[[5]]),
        (DataLoader(Pairs(pictures(RGB)), batch_size=2, collate_fn=list), RGB),
        (HELD, RGB),
        (Table({"image": pictures(BYTES)}, {}), BYTES),
        (Table({"n": list(range(9)), "pixels": BYTES.tolist()}, {}), BYTES),
        (Table({"a": TABLE[:, 0].tolist(), "b": TABLE[:, 1].tolist()}, {}), TABLE[:, :2]),
        (
            Table({"a": TABLE[:, 0].tolist(), "k": [0] * 12}, {"k": ClassLabel(), "a": 0}),
            TABLE[:, :1],
        ),
    ],
)
def test_a_data_set_is_the_array_of_its_samples_in_order(given, expected):
    np.testing.assert_array_equal(as_array(given), expected)


@pytest.mark.parametrize("name", ["PCA", "Autoencoder", "VAE", "AutoencoderKMeans"])
def test_every_verb_takes_them(name):
    model = small_models()[name]
    X = np.random.default_rng(0).random((24, 6)).astype(np.float32)
    given = DataLoader(TensorDataset(torch.from_numpy(X), torch.arange(24)), batch_size=8)
    theirs, ours = clone(model).fit(given), clone(model).fit(X)
    for verb in ("transform", "reconstruct", "score"):
        found = np.asarray(getattr(theirs, verb)(given))
        np.testing.assert_array_equal(found, np.asarray(getattr(ours, verb)(X)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (TensorDataset(torch.zeros(0, 4)), "X is a TensorDataset that holds no samples"),
        (StackDataset(a=torch.zeros(3, 4), b=torch.zeros(3)), r"the parts a, b; .*\[sample\['a'\]"),
        (Table({"w": ["x", "y"], "n": [1, 2]}, {}), r"numbers: w; .*remove_columns\(\['w'\]\)"),
        (Pairs(pictures([BYTES[0], BYTES[1, :5]])), r"X\[1\] has shape \(5, 7\)"),
        (Table({"a": []}, {}), "X is a Table that holds no samples"),
    ],
)
def test_what_has_no_samples_is_one_sentence(given, words):
    with pytest.raises(InputError, match=words):
        PCA(1).fit(given)


@pytest.mark.parametrize(
    ("columns", "features", "expected"),
    [
        ({"kind": [1, 0, 1]}, {"kind": ClassLabel(["cat", "dog"])}, ["dog", "cat", "dog"]),
        ({"kind": [1, 0, 1]}, {"kind": ClassLabel()}, [1, 0, 1]),
        ({"label": [2, 5, 2], "n": [1, 2, 3]}, {}, [2, 5, 2]),
        ({"label": [2, 5, 2], "kind": [1, 0, 1]}, {"kind": ClassLabel()}, [1, 0, 1]),
    ],
)
def test_labels_of_hugging_face_are_its_classes_or_a_column_of_that_name(
    columns, features, expected
):
    X, y = samples_and_labels(Table({"img": pictures(BYTES[:3])} | columns, features))
    np.testing.assert_array_equal(X, BYTES[:3])
    assert y.tolist() == expected


def test_a_dictionary_of_parts_names_them():
    class DatasetDict(dict):
        features = column_names = {"train": ["a"], "test": ["a"]}
        with_format = None

    with pytest.raises(InputError, match=r"X is a DatasetDict .* train, test; .* X\['train'\]"):
        VAE(hidden=(4,), n_components=2, **SHARED).fit(DatasetDict(train=1))


@pytest.mark.parametrize("name", sorted(small_models()))
def test_one_positional_argument_is_the_number_of_components(name):
    model, owner = small_models()[name], type(small_models()[name])
    if "n_components" not in model.get_params():
        with pytest.raises(InputError, match=f"{owner.__name__} takes its parameters by name"):
            owner(3)
        return
    assert owner(3).get_params() == owner(n_components=3).get_params()
    assert clone(owner(3)).n_components == 3
    with pytest.raises(InputError, match="2 have none, and only n_components may"):
        owner(3, 4)
    with pytest.raises(InputError, match="n_components twice, 3 and 4"):
        owner(3, n_components=4)


def test_words_in_a_data_frame_are_named_with_what_to_do():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    columns = {"size": [1.0, 2.0, 4.0], "town": ["a", "b", "a"], "when": ["x", "y", "z"]}
    for frame, cure in (
        (pandas.DataFrame(columns), "drop(columns=['town', 'when'])"),
        (polars.DataFrame(columns), "drop(['town', 'when'])"),
    ):
        for verb in (PCA(1).fit, PCA(1).fit_transform):
            with pytest.raises(InputError, match="columns without numbers: town, when") as error:
                verb(frame)
            assert cure in str(error.value)
        assert PCA(1).fit(eval(f"frame.{cure}")).n_features_in_ == 1
