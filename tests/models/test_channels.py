"""Images with their channels last: a model fitted on them is the one fitted on them moved."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

import latentia
from latentia import PCA, VAE, ConditionalVAE, FactorAnalysis
from latentia.data import load
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation.sampled import sample
from tests.conftest import SHARED, small_models

FIRST = np.random.default_rng(0).random((24, 3, 16, 16)).astype(np.float32)
LAST = np.moveaxis(FIRST, 1, 3)
CLASSES = np.arange(24) % 2
MODELS = small_models()
NAMES = (
    "PCA",
    "ProbabilisticPCA",
    "VAE",
    "ConditionalVAE",
    "DenoisingAutoencoder",
    "AutoencoderKMeans",
    "DCGAN",
    "Pix2Pix",
    "CycleGAN",
    "SRResNet",
    "Bicubic",
)


def moved(array):
    return np.moveaxis(array, 1, 3) if np.ndim(array) == 4 else array


def fitted(name, **own):
    """Return a model fitted on both layouts, and what stands beside X in each."""
    model = clone(MODELS[name]).set_params(**own)
    by_class = model.takes_labels or name == "CycleGAN"
    ys = (FIRST, LAST) if name == "Pix2Pix" else (CLASSES, CLASSES) if by_class else (None, None)
    return (
        clone(model).fit(FIRST, ys[0]),
        clone(model).fit(LAST, ys[1], channels="last"),
        ys,
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_takes_and_gives_what_fit_was_given(name):
    first, last, ys = fitted(name)
    beside = (CLASSES,) if first.takes_labels else ()
    for verb in ("transform", "reconstruct", "predict", "add_noise"):
        if hasattr(first, verb):
            seed = {"random_state": 0} if verb == "add_noise" else {}
            expected = getattr(first, verb)(FIRST, *beside, **seed)
            np.testing.assert_array_equal(
                getattr(last, verb)(LAST, *beside, **seed), moved(expected)
            )
            # What has its channels first, as the arrays of a `Dataset`, comes out so.
            again = getattr(last, verb)(FIRST, *beside, **seed)
            np.testing.assert_array_equal(again, expected)
    if hasattr(first, "score"):
        assert last.score(LAST, ys[1]) == first.score(FIRST, ys[0])
    if hasattr(first, "sample"):
        drawn = first.sample(2, random_state=1)
        np.testing.assert_array_equal(last.sample(2, random_state=1), moved(drawn))
        data = Dataset("x", FIRST, CLASSES, FIRST, CLASSES)
        np.testing.assert_array_equal(last.drawn_for(data, 2, 1), first.drawn_for(data, 2, 1))
    if hasattr(first, "inverse_transform") and hasattr(first, "n_latent"):
        z = np.ones((2, first.n_latent), np.float32)
        given = (CLASSES[:2],) if beside else ()
        np.testing.assert_array_equal(
            last.inverse_transform(z, *given), moved(first.inverse_transform(z, *given))
        )
    assert last._repr_html_().count("data:image") == first._repr_html_().count("data:image")


def test_a_saved_model_a_run_and_its_samples_keep_it(tmp_path):
    model = VAE(n_components=2, hidden=(8,), **SHARED).fit(LAST, channels="last")
    model.save(tmp_path / "saved")
    back = latentia.load(tmp_path / "saved")
    np.testing.assert_array_equal(back.reconstruct(LAST), model.reconstruct(LAST))
    assert back.sample(2, random_state=0).shape == (2, 16, 16, 3)
    sample(tmp_path / "saved", 2, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 0
    assert "channels_" not in vars(clone(model).fit(FIRST))


@pytest.mark.filterwarnings("ignore:.*distinct optima:latentia.errors.FitWarning")
def test_fit_transform_tensors_lists_and_the_map_of_a_file_take_it(tmp_path):
    model = PCA(n_components=2)
    codes = model.fit_transform(LAST, channels="last")
    np.testing.assert_array_equal(codes, PCA(n_components=2).fit_transform(FIRST))
    np.testing.assert_array_equal(model.fit(list(LAST), channels="last").transform(LAST), codes)
    out = model.fit(torch.from_numpy(LAST), channels="last").reconstruct(torch.from_numpy(LAST))
    assert isinstance(out, torch.Tensor)
    assert out.shape == LAST.shape
    many = np.random.default_rng(1).random((200, 4, 4, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", many)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for model in (PCA(n_components=2), FactorAnalysis(n_components=2)):
        whole = model.fit(many, channels="last").reconstruct(many)
        by_blocks = model.fit(mapped, channels="last").reconstruct(many)
        np.testing.assert_allclose(by_blocks, whole, atol=1e-4)
    assert by_blocks.shape == many.shape


@pytest.mark.parametrize(
    ("X", "channels", "sentence"),
    [
        (LAST, "first", r"\(24, 16, 16, 3\), its channels last: fit\(X, channels='last'\)"),
        (LAST, "end", "channels is 'end'; it must be one of first, last"),
        (FIRST[:, 0], "last", r"channels is 'last', and X has shape \(24, 16, 16\); give"),
        (FIRST.reshape(24, -1), "last", r"channels is 'last', and X has shape \(24, 768\)"),
    ],
)
def test_what_is_not_meant_is_refused(X, channels, sentence):
    with pytest.raises(InputError, match=sentence):
        VAE(n_components=2, hidden=(8,), **SHARED).fit(X, channels=channels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_file_with_its_channels_last_is_recognised(tmp_path, channels):
    X = np.random.default_rng(0).integers(0, 256, (10, 12, 9, channels)).astype(np.uint8)
    np.save(tmp_path / "x.npy", X)
    data = load(str(tmp_path / "x.npy"))
    found = np.concatenate([data.x_train, data.x_test])
    assert found.shape == (10, channels, 12, 9)
    assert any("last axis was taken for the channels" in note for note in data.notes)


class Labelled(torch.utils.data.Dataset):
    def __init__(self, kind=tuple):
        self.kind = kind

    def __len__(self):
        return 24

    def __getitem__(self, i):
        x, y = torch.from_numpy(FIRST[i]), int(CLASSES[i]) + 5
        return {"image": x, "label": y} if self.kind is dict else (x, y)


class Streamed(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter([(torch.from_numpy(x), int(y) + 5) for x, y in zip(FIRST, CLASSES)])


LOADER = torch.utils.data.DataLoader


@pytest.mark.parametrize(
    "given",
    [
        Labelled(),
        Labelled(dict),
        Streamed(),
        LOADER(Labelled(), batch_size=5, shuffle=True),
        LOADER(Labelled(dict), batch_size=7),
        LOADER(Streamed(), batch_size=5),
    ],
    ids=["tuples", "dicts", "stream", "shuffled", "dict batches", "streamed batches"],
)
def test_the_labels_in_a_data_set_are_y(given):
    model = ConditionalVAE(n_components=2, hidden=(8,), **SHARED)
    by_y = clone(model).fit(FIRST, CLASSES + 5, validation=(FIRST, CLASSES + 5))
    by_set = clone(model).fit(given, validation=given)
    expected = by_y.transform(FIRST, CLASSES + 5)
    np.testing.assert_array_equal(by_set.transform(given), expected)
    np.testing.assert_array_equal(by_set.reconstruct(given), by_y.reconstruct(FIRST, CLASSES + 5))
    kept = [
        {k: v for k, v in m.history_.items() if k.startswith("validation")} for m in (by_set, by_y)
    ]
    assert kept[0] == kept[1] != {}


def test_labels_that_are_given_count_and_none_are_missed():
    model = ConditionalVAE(n_components=2, hidden=(8,), **SHARED)
    assert clone(model).fit(Labelled(), CLASSES).classes_.tolist() == [0, 1]
    unlabelled = torch.utils.data.TensorDataset(torch.from_numpy(FIRST))
    with pytest.raises(InputError, match="needs a label for each sample: give y"):
        clone(model).fit(unlabelled)
