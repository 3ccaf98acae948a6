"""Laws of the models from image to image, which have no latent rows."""

import numpy as np
import pytest
import torch

import latentia
from latentia.errors import InputError
from tests.conftest import small_models
from tests.laws.test_laws import TRANSLATORS, answers


def test_every_translator_is_under_law():
    assert "Pix2Pix" in TRANSLATORS


@pytest.mark.parametrize("name", TRANSLATORS)
@pytest.mark.parametrize("layout", [(8, 8), (1, 8, 8), (3, 8, 9), (2, 21, 10)])
def test_shapes_and_range(name, layout):
    X = np.random.default_rng(0).random((12, *layout), dtype=np.float32)
    model = small_models()[name].fit(X, answers(name, X))
    out = model.transform(X)
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
