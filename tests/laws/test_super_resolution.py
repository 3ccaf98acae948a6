"""Laws of the models that make images larger."""

import numpy as np
import pytest
import torch

import latentia
from latentia.data.degrade import degraded
from latentia.errors import InputError
from latentia.models.translation.super_resolution import SuperResolution
from tests.conftest import small_models

NAMES = [name for name, model in small_models().items() if isinstance(model, SuperResolution)]


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    X = np.random.default_rng(0).random((12, 3, 16, 18), dtype=np.float32)
    return small_models()[request.param].fit(X)


def test_every_such_model_is_under_law():
    assert NAMES == ["Bicubic", "SRResNet", "SRGAN"]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", [(13, 17), (1, 16, 16), (2, 16, 21)])
def test_shapes_and_ranges(name, scale, layout):
    X = np.random.default_rng(0).random((6, *layout), dtype=np.float32)
    model = small_models()[name].set_params(scale=scale).fit(X)
    *channels, height, width = layout
    small = model.inverse_transform(X)
    assert small.shape == (6, *channels, height // scale, width // scale)
    assert small.dtype == np.float32
    large = model.transform(X[..., :5, :])
    assert large.shape == (6, *channels, 5 * scale, width * scale)
    assert large.dtype == np.float32
    assert large.min() >= 0
    assert large.max() <= 1
    assert 0 < model.score(X) < 40


def test_uint8_equals_its_floats(fitted):
    bytes_ = np.random.default_rng(1).integers(0, 256, (2, 3, 9, 8), dtype=np.uint8)
    of_bytes, of_floats = (fitted.transform(x) for x in (bytes_, bytes_ / np.float32(255)))
    np.testing.assert_allclose(of_bytes, of_floats, atol=1e-6)
    small = fitted.inverse_transform(bytes_)
    of_floats = 255 * fitted.inverse_transform(bytes_ / np.float32(255))
    np.testing.assert_allclose(small, of_floats, atol=0.501)
    np.testing.assert_array_equal(small, degraded(bytes_, 2))
    assert small.dtype == np.uint8


def test_tensors_in_tensors_out(fitted):
    x = torch.rand(2, 3, 9, 8)
    for verb in (fitted.transform, fitted.inverse_transform):
        found = verb(x)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_array_equal(found.numpy(), verb(x.numpy()))


def test_a_saved_model_is_the_same_model(fitted, tmp_path):
    x = np.random.default_rng(2).random((2, 3, 20, 24), dtype=np.float32)
    loaded = latentia.load(fitted.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.transform(x), fitted.transform(x))
    assert loaded.score(x) == fitted.score(x)
    assert loaded.get_params() == fitted.get_params()


def test_an_image_does_not_depend_on_those_beside_it(fitted):
    x = np.random.default_rng(3).random((3, 3, 8, 8), dtype=np.float32)
    np.testing.assert_allclose(fitted.transform(x)[1:2], fitted.transform(x[1:2]), atol=1e-6)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 8, 8)), "of 1 channels; this .* was fitted on 3"),
        (np.zeros((2, 3)), "takes images of shape"),
        (np.full((2, 3, 8, 8), 2.0), "0, 1"),
    ],
)
def test_other_images_than_fitted_are_refused(fitted, x, words):
    for verb in (fitted.transform, fitted.inverse_transform, fitted.score):
        with pytest.raises(InputError, match=words):
            verb(x)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fields", "shape", "words"),
    [
        ({"scale": 5}, (4, 3, 16, 16), "scale is 5; it must be one of 2, 3, 4, 6, 8"),
        ({}, (4, 30), "enlarges images; X is a table"),
        ({}, (4, 7, 16), "at least 8 pixels"),
        ({"scale": 6}, (4, 17, 30), "of scale 6 learns from sides of at least 18 pixels"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(name, fields, shape, words):
    with pytest.raises(InputError, match=words):
        small_models()[name].set_params(**fields).fit(np.indices(shape).sum(0) % 2.0)


def test_score_refuses_images_with_nothing_within_the_border(fitted):
    with pytest.raises(InputError, match="at least 5"):
        fitted.score(np.zeros((1, 3, 4, 4)))


@pytest.mark.parametrize("verb", ["sample", "reconstruct"])
def test_an_absent_verb_says_why(fitted, verb):
    assert not hasattr(fitted, verb)
    with pytest.raises(AttributeError, match=r"enlarges|sizes"):
        getattr(fitted, verb)
