"""Laws of the models from image to image, which have no latent rows."""

import numpy as np
import pytest
import torch

import latentia
from latentia.errors import InputError
from tests.conftest import small_models
from tests.laws.test_laws import TRANSLATORS, answers

BOTH_WAYS = [name for name in TRANSLATORS if hasattr(small_models()[name], "inverse_transform")]


def test_every_translator_is_under_law():
    assert {"Pix2Pix", "CycleGAN"} <= set(TRANSLATORS)
    assert BOTH_WAYS == ["CycleGAN"]


@pytest.mark.parametrize("name", TRANSLATORS)
@pytest.mark.parametrize("layout", [(8, 8), (1, 8, 8), (3, 8, 9), (2, 21, 10)])
def test_shapes_and_range(name, layout):
    X = np.random.default_rng(0).random((12, *layout), dtype=np.float32)
    model = small_models()[name].fit(X, answers(name, X))
    verbs = ["transform", *(["inverse_transform", "reconstruct"] if name in BOTH_WAYS else [])]
    for verb in verbs:
        out = getattr(model, verb)(X)
        assert out.shape == X.shape
        assert out.dtype == np.float32
        assert out.min() >= 0
        assert out.max() <= 1
    assert -1 <= model.score(X, answers(name, X)) < 0


@pytest.mark.parametrize("name", TRANSLATORS)
def test_uint8_equals_its_floats(name, images):
    bytes_ = np.rint(images * 255).astype(np.uint8)
    outputs = []
    for X in (bytes_, bytes_ / np.float32(255)):
        model = small_models()[name].fit(X, answers(name, X))
        outputs.append(model.transform(X))
    np.testing.assert_allclose(*outputs, atol=1e-5)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_tensors_in_tensors_out(name, images):
    X = torch.from_numpy(images)
    model = small_models()[name].fit(X, torch.from_numpy(answers(name, images)))
    out = model.transform(X)
    assert isinstance(out, torch.Tensor)
    np.testing.assert_array_equal(out.numpy(), model.transform(images))


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_saved_model_is_the_same_model(name, images, tmp_path):
    model = small_models()[name].fit(images, answers(name, images))
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.transform(images), model.transform(images))
    assert loaded.output_shape_ == model.output_shape_
    assert loaded.score(images, answers(name, images)) == model.score(images, answers(name, images))


@pytest.mark.parametrize("name", TRANSLATORS)
def test_other_shapes_than_fitted_are_refused(name, images):
    model = small_models()[name].fit(images, answers(name, images))
    with pytest.raises(InputError, match="shape"):
        model.transform(np.zeros((2, 9, 9)))


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_reconstruct_goes_there_and_back_from_each_images_own_domain(name, images):
    y = answers(name, images)
    model = small_models()[name].fit(images, y)
    there, back = model.transform, model.inverse_transform
    np.testing.assert_array_equal(model.reconstruct(images), back(there(images)))
    output = model.reconstruct(images, y)
    a, b = images[y == 0], images[y == 1]
    np.testing.assert_allclose(output[y == 0], back(there(a)), atol=1e-6)
    np.testing.assert_allclose(output[y == 1], there(back(b)), atol=1e-6)
    error = np.abs(output.astype(float) - images).mean()
    assert model.score(images, y) == pytest.approx(-error, rel=1e-6)
    assert model.score(images) == pytest.approx(-np.abs(back(there(images)) - images).mean())


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_both_ways_keep_tensors_and_survive_saving(name, images, tmp_path):
    model = small_models()[name].fit(images, answers(name, images))
    loaded = latentia.load(model.save(tmp_path / "model"))
    X = torch.from_numpy(images)
    for verb in ("inverse_transform", "reconstruct"):
        output = getattr(loaded, verb)(X)
        assert isinstance(output, torch.Tensor)
        np.testing.assert_array_equal(output.numpy(), getattr(model, verb)(images))
        with pytest.raises(InputError, match="shape"):
            getattr(model, verb)(np.zeros((2, 9, 9)))
