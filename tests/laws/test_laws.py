"""Laws that hold for every model."""

import copy
import dataclasses
import functools
import inspect
import json

import numpy as np
import pytest
import torch

import latentia
from latentia import MODELS
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.models.autoencoders.linear_vae import LinearVAE
from latentia.models.base import Encoder, LatentModel
from latentia.models.clustering import base as clustering
from latentia.models.gradient import GradientModel
from latentia.models.linear.gaussian import LinearGaussian
from latentia.models.translation.base import Translator
from latentia.training.updates import Loss
from tests.conftest import learns_from, small_models
from tests.models.language.conftest import small_sequence_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
"""The fixture `images`."""
NAMES = list(small_models())
LATENT = [name for name, model in small_models().items() if isinstance(model, LatentModel)]
CODED = [
    name
    for name, model in small_models().items()
    if isinstance(model, Encoder) and learns_from(model) == "samples"
]
TRANSLATORS = [name for name, model in small_models().items() if isinstance(model, Translator)]
TRAINED = [name for name, model in small_models().items() if isinstance(model, GradientModel)]
ONE_EPOCH = {name: {"n_epochs": 1} for name in TRAINED}


@pytest.fixture(autouse=True)
def three_starts(monkeypatch):
    """What is asked here holds of the likeliest of three starts as it does of twenty's."""
    monkeypatch.setattr(clustering, "STARTS", 3)


def labels(X):
    """Return labels for any number of samples; only a conditional model looks at them."""
    return np.arange(len(X)) % 4


def answers(name, X):
    """Return what is fitted beside X: labels, domains, or the image that each is to become."""
    model = small_models()[name]
    if learns_from(model) == "pairs":
        return X[..., ::-1].copy()
    return np.arange(len(X)) % 8 // 7 if learns_from(model) == "domains" else labels(X)


@functools.cache
def trained_once(name):
    X = IMAGES
    return small_models()[name].fit(X, answers(name, X))


def fitted(name):
    """Return a model trained on `IMAGES`, a copy that a test may change."""
    return copy.deepcopy(trained_once(name))


def given(model, X):
    return (labels(X),) if model.takes_labels else ()


def test_every_public_model_is_under_law():
    assert set(small_models() | small_sequence_models()) == set(MODELS)


OF_DATA = ("transform", "reconstruct", "score", "score_samples", "predict", "predict_proba")
"""Of data; those that a model lacks are left out."""
OF_EACH_KIND = ("PCA", "ProbabilisticPCA", "FactorAnalysis", "VAE", "ConditionalVAE", "Pix2Pix")


def data_set(name):
    """Return `IMAGES` as a data set, with what a model learns beside them and a part for tests."""
    y = answers(name, IMAGES)
    beside = {"pair_train": y, "pair_test": y[:2]} if y.ndim > 1 else {}
    known = None if beside else y
    some = None if known is None else known[:2]
    return Dataset("images", IMAGES, known, IMAGES[::-1][:2], some, **beside)


@pytest.mark.parametrize(
    "name", [n if n in OF_EACH_KIND else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_a_data_set_stands_for_its_training_samples_in_each_verb(name):
    model, data = fitted(name), data_set(name)
    found = [verb for verb in OF_DATA if hasattr(model, verb)]
    for verb in found:
        call = getattr(model, verb)
        takes_y = "y" in inspect.signature(call).parameters
        beside = (answers(name, IMAGES),) if takes_y else ()
        np.testing.assert_array_equal(call(data), call(IMAGES, *beside), err_msg=verb)
        if model.takes_labels:
            pairs = torch.utils.data.TensorDataset(*map(torch.from_numpy, (IMAGES, *beside)))
            np.testing.assert_array_equal(call(pairs), call(IMAGES, *beside), err_msg=verb)
    assert found or not hasattr(model, "transform")


@pytest.mark.parametrize("name", [*OF_EACH_KIND, "CycleGAN"])
def test_a_model_learns_of_a_data_set_what_it_learns_of_its_arrays(name):
    data, small = data_set(name), ONE_EPOCH.get(name, {})
    of_arrays, of_data = (
        small_models()[name].set_params(**small).fit(*given_)
        for given_ in ((IMAGES, answers(name, IMAGES)), (data,))
    )
    np.testing.assert_array_equal(of_data.transform(data), of_arrays.transform(data))


@pytest.mark.parametrize("name", LATENT)
@pytest.mark.parametrize("layout", [(8, 8), (1, 8, 8), (3, 8, 9)])
def test_shapes_of_each_verb(name, layout):
    X = np.random.default_rng(0).random((40, *layout), dtype=np.float32)
    model = small_models()[name].set_params(**ONE_EPOCH.get(name, {})).fit(X, answers(name, X))
    assert model.inverse_transform(np.zeros((2, 3)), *given(model, X[:2])).shape == (2, *layout)
    if hasattr(model, "transform"):
        assert model.transform(X, *given(model, X)).shape == (40, 3)
        assert model.reconstruct(X, *given(model, X)).shape == X.shape
        assert np.isfinite(model.score(X, answers(name, X)))
    if hasattr(model, "sample"):
        drawn = model.sample(5, random_state=0)
        assert drawn.shape == (5, *layout)
        # A Gaussian's samples have no bounds; all others are images.
        if not isinstance(model, LinearGaussian | LinearVAE):
            assert drawn.min() >= 0
            assert drawn.max() <= 1


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize(
    "X", [np.full((40, 8, 8), 0.5, np.float32), np.tile([3.0, -2, 0, 7], (40, 1))]
)
def test_data_that_do_not_vary_are_learnt_or_refused(name, X):
    """Their scale is 0; every number that comes out is finite."""
    model = small_models()[name]
    if isinstance(model, LinearGaussian) and not isinstance(model, latentia.PCA):
        with pytest.raises(InputError, match=r"leaves no variance for the noise|0 vary"):
            model.fit(X)
        return
    y = (np.arange(40) % 2,) if model.takes_labels else ()
    model.fit(X, *y)
    assert np.isfinite(model.transform(X, *y)).all()
    verbs = [v for v in ("score_samples", "exact_score_samples") if hasattr(model, v)]
    for found in (getattr(model, verb)(X, *y) for verb in verbs):
        assert np.isfinite(found).all()


@pytest.mark.parametrize("name", LATENT)
def test_uint8_equals_its_floats_and_float32_is_kept(name, images):
    bytes_ = np.rint(images * 255).astype(np.uint8)
    models = [
        small_models()[name].set_params(**ONE_EPOCH.get(name, {})).fit(X, answers(name, X))
        for X in (bytes_, bytes_ / np.float32(255))
    ]
    Z = np.ones((2, 3), np.float32)
    outputs = [model.inverse_transform(Z, *given(model, Z)) for model in models]
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-5)
    assert outputs[0].dtype == np.float32
    if hasattr(models[0], "transform"):
        assert models[0].transform(bytes_, *given(models[0], bytes_)).dtype == np.float32


@pytest.mark.parametrize("name", LATENT)
def test_tensors_in_tensors_out(name, images):
    model = small_models()[name].fit(torch.from_numpy(images), answers(name, images))
    more = given(model, images)
    decoded = model.inverse_transform(torch.zeros(40, 3), *more)
    assert isinstance(decoded, torch.Tensor)
    if hasattr(model, "transform"):
        codes = model.transform(torch.from_numpy(images), *more)
        assert isinstance(codes, torch.Tensor)
        np.testing.assert_array_equal(codes.numpy(), model.transform(images, *more))


@pytest.mark.parametrize("name", TRAINED)
def test_same_seed_same_weights_other_seed_other_weights(name, images):
    def weights(seed):
        model = (
            small_models()[name]
            .set_params(random_state=seed, n_epochs=1)
            .fit(images, answers(name, images))
        )
        return torch.cat([p.flatten() for net in model.nets().values() for p in net.parameters()])

    first = weights(0)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


@pytest.mark.parametrize("name", TRAINED)
def test_fit_leaves_the_callers_generator_alone(name, images):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    small_models()[name].set_params(n_epochs=1).fit(images, answers(name, images))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("name", TRAINED)
def test_gradients_reach_exactly_the_nets_of_each_update(name, images):
    model = fitted(name)
    batch = model.read(images, answers(name, images), reset=False).batch(np.arange(16))
    for update in model.updates():
        for net in model.nets().values():
            net.train().zero_grad()
        loss = update.loss(*batch)
        total = loss.total if isinstance(loss, Loss) else loss
        total.backward(inputs=list(update.parameters()))
        moved = {id(p) for p in update.parameters()}
        assert moved
        for net in model.nets().values():
            for parameter in net.parameters():
                assert (parameter.grad is not None) == (id(parameter) in moved)
        assert any(p.grad.abs().sum() > 0 for p in update.parameters())


WITHOUT_MEAN = ("VAE", "IDEC", "GAN", "Pix2Pix", "SRResNet")
"""One of each family, which goes on without averaged weights too."""
LEFT_ALONE = {"DEC": ["decoder_"]}
"""Nets that a model's updates leave as its autoencoder had them."""


@pytest.mark.parametrize("name", TRAINED)
def test_the_updates_move_every_net_but_those_that_are_to_stay(name, images):
    model = fitted(name)
    moved = {id(p) for update in model.updates() for p in update.parameters()}
    left = [
        key
        for key, net in model.nets().items()
        for p in list(net.parameters())[:1]
        if id(p) not in moved
    ]
    assert left == LEFT_ALONE.get(name, [])


@pytest.mark.parametrize("name", LATENT)
def test_a_saved_model_is_the_same_model(name, images, tmp_path):
    model = fitted(name)
    path = model.save(tmp_path / "model")
    loaded = latentia.load(path)
    Z = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    more = given(model, Z)
    decoded = [each.inverse_transform(Z, *more) for each in (loaded, model)]
    np.testing.assert_array_equal(*decoded)
    assert loaded.get_params() == model.get_params()
    if hasattr(model, "transform"):
        more = given(model, images)
        codes = [each.transform(images, *more) for each in (loaded, model)]
        np.testing.assert_array_equal(*codes)
    assert "latentia.load" in (path / "README.md").read_text()
    with pytest.raises(InputError, match="exists"):
        model.save(path)


@pytest.mark.parametrize("name", TRAINED)
def test_nets_evaluate_when_they_are_trained_and_when_they_are_loaded(name, images, tmp_path):
    model = fitted(name)
    loaded = latentia.load(model.save(tmp_path / "model"))
    for each in (model, loaded):
        assert each.nets()
        for net in each.nets().values():
            assert not any(layer.training for layer in net.modules())
            assert all(value.device.type == "cpu" for value in net.state_dict().values())


@pytest.mark.parametrize(
    "name",
    ["PCA", "ProbabilisticPCA", "FactorAnalysis", "Autoencoder", "DenoisingAutoencoder", "VAE"],
)
def test_a_saved_model_of_a_table_is_the_same_model(name, table, tmp_path):
    model = small_models()[name].fit(table)
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.reconstruct(table), model.reconstruct(table))
    assert loaded.reconstruct(table).dtype == np.float64


@pytest.mark.parametrize("name", NAMES)
def test_damaged_weights_are_refused(name, images, tmp_path):
    path = fitted(name).save(tmp_path / "model")
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InputError, match="damaged"):
        latentia.load(path)


@pytest.mark.parametrize(
    ("name", "ema_decay"),
    [
        *((name, 0.9) for name in TRAINED),
        *(
            pytest.param(name, None, marks=[] if name in WITHOUT_MEAN else pytest.mark.slow)
            for name in TRAINED
        ),
    ],
)
def test_ten_and_ten_steps_are_twenty(name, ema_decay, images, tmp_path):
    """Stop in the middle of an epoch, resume, and end with the same bytes."""

    class StoppedError(Exception):
        pass

    def fit(run, resume=False, stop_at=None):
        model = small_models()[name].set_params(n_epochs=2, batch_size=4, ema_decay=ema_decay)
        if stop_at is not None:
            plain = model.updates

            def updates():
                calls = iter(range(10**9))
                first, *rest = plain()

                def stop():
                    if first.after is not None:
                        first.after()
                    if next(calls) + 1 == stop_at:
                        raise StoppedError

                return [dataclasses.replace(first, after=stop), *rest]

            model.updates = updates
        held_out = (images[:8], answers(name, images[:8]))
        return model.fit(images, answers(name, images), validation=held_out, run=run, resume=resume)

    whole = fit(tmp_path / "whole")
    with pytest.raises(StoppedError):
        fit(tmp_path / "broken", stop_at=13)
    resumed = fit(tmp_path / "broken", resume=True)
    for key, net in whole.nets().items():
        for a, b in zip(
            net.state_dict().values(), resumed.nets()[key].state_dict().values(), strict=True
        ):
            assert torch.equal(a, b)
    lines = [(tmp_path / r / "metrics.jsonl").read_text() for r in ("whole", "broken")]
    records = [[json.loads(line) for line in text.splitlines()] for text in lines]
    for one, other in zip(*records, strict=True):
        assert one["values"] == other["values"]
        assert one["step"] == other["step"]


@pytest.mark.parametrize(
    ("name", "verb", "reason"),
    [
        ("Pix2Pix", "inverse_transform", "one direction"),
        ("Pix2Pix", "reconstruct", "one direction"),
        ("Pix2Pix", "sample", "no prior"),
        ("CycleGAN", "sample", "no prior"),
        ("DCGAN", "transform", "no encoder"),
        ("DCGAN", "reconstruct", "no encoder"),
        ("DCGAN", "score", "implicit"),
        ("PCA", "sample", "no density"),
        ("DenoisingAutoencoder", "sample", "no prior"),
    ],
)
def test_an_absent_verb_says_why(name, verb, reason):
    model = small_models()[name]
    assert not hasattr(model, verb)
    with pytest.raises(AttributeError, match=reason):
        getattr(model, verb)


VERBS = ("fit", "transform", "inverse_transform", "reconstruct", "sample", "score")
OF_SOME = ("fit_transform", "score_samples", "predict", "predict_proba", "fit_predict")
OF_LINEAR = ("partial_fit", "fit_moments")


@pytest.mark.parametrize("name", MODELS)
def test_every_absent_verb_of_every_model_says_why(name):
    model = (small_models() | small_sequence_models())[name]
    for verb in (*VERBS, *OF_SOME, *OF_LINEAR):
        if not hasattr(model, verb):
            with pytest.raises(AttributeError, match=rf"^{name} has no {verb}: .{{15}}"):
                getattr(model, verb)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = model.nothing


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("n_epochs", 0, "n_epochs is 0; it must be at least 1"),
        ("n_epochs", 1.5, "whole number"),
        ("batch_size", True, "batch_size is True"),
        ("learning_rate", float("nan"), "greater than 0"),
        ("ema_decay", 1.0, "less than 1"),
        ("device", "gpu", "auto, cpu, cuda"),
        ("architecture", "mlpp", "one of"),
        ("random_state", -1, "at least 0"),
    ],
)
def test_a_bad_parameter_is_named(name, field, value, words, images):
    if field not in small_models()[name].get_params():
        pytest.skip(f"{name} has no {field}")
    model = small_models()[name].set_params(**{field: value})
    with pytest.raises(InputError, match=words) as raised:
        model.fit(images, answers(name, images))
    assert field in str(raised.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.full((10, 8, 8), 3.0), "0, 1"),
        (np.full((10, 8, 8), np.nan), "0, 1"),
        (np.zeros((10, 8, 8), np.int64), "uint8"),
        (np.zeros((0, 8, 8), np.uint8), "0 images"),
    ],
)
def test_bad_images_are_refused(name, X, words):
    with pytest.raises(InputError, match=words):
        small_models()[name].fit(X, answers(name, X))


@pytest.mark.parametrize("name", LATENT)
def test_other_shapes_than_fitted_are_refused(name, images):
    model = fitted(name)
    with pytest.raises(InputError, match="columns"):
        model.inverse_transform(np.zeros((2, 7)))
    if hasattr(model, "transform"):
        with pytest.raises(InputError, match="shape"):
            model.transform(np.zeros((2, 9, 9)))


@pytest.mark.parametrize("name", TRAINED)
def test_a_loss_that_is_not_finite_is_refused_by_name(name, images):
    model = small_models()[name]
    plain = model.updates

    def updates():
        first, *rest = plain()
        return [dataclasses.replace(first, loss=lambda x, *_: x.sum() * float("nan")), *rest]

    model.updates = updates
    with pytest.raises(InputError, match=r"is nan at step 1: try a smaller learning_rate"):
        model.fit(images, answers(name, images))


def test_fewer_rows_than_a_batch_still_train(images):
    model = small_models()["VAE"].set_params(batch_size=1000).fit(images)
    assert model.transform(images).shape == (40, 3)


@pytest.mark.parametrize("name", TRAINED)
def test_losses_are_float32_under_bfloat16_autocast(name, images):
    model = fitted(name)
    batch = model.read(images, answers(name, images), reset=False).batch(np.arange(16))
    for update in model.updates():
        with torch.autocast("cpu", torch.bfloat16):
            loss = update.loss(*batch)
        total = loss.total if isinstance(loss, Loss) else loss
        assert total.dtype == torch.float32
        assert torch.isfinite(total)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused_by_name(seed, images):
    model = small_models()["ProbabilisticPCA"].fit(images)
    with pytest.raises(InputError, match="random_state"):
        model.sample(2, random_state=seed)


def test_one_flipped_bit_in_saved_weights_is_found(images, tmp_path):
    path = small_models()["PCA"].fit(images).save(tmp_path / "model")
    weights = bytearray((path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (path / "model.safetensors").write_bytes(weights)
    with pytest.raises(InputError, match="damaged"):
        latentia.load(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_fields_default_is_that_of_the_nearest_class_that_states_it(name):
    """A mixin that repeats its bases' fields would undo what a class between them states."""
    cls = type(small_models()[name])
    for field in dataclasses.fields(cls):
        assert getattr(cls, field.name) == field.default, field.name


@pytest.mark.parametrize("name", ["DEC", "IDEC", "VaDE", "SRGAN"])
def test_what_is_trained_first_has_a_constant_step(name, images, tmp_path):
    """A schedule is the model's own: its warm start is a run of another length and step."""
    model = small_models()[name].set_params(learning_rate_schedule="cosine", n_epochs=1)
    model.fit(images, run=tmp_path / "run")
    first = latentia.load(tmp_path / "run" / "pretraining" / "model")
    assert first.learning_rate_schedule == "constant"
