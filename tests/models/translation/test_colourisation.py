"""Grey pictures get colours, and keep their lightness."""

import numpy as np
import pytest
from sklearn.base import clone

import latentia
from latentia.data.lab import lab_of, lightness
from latentia.errors import InputError
from latentia.models.translation.colourisation import (
    Colouriser,
    chroma,
    colour_error,
    coloured,
    scaled,
    unscaled,
)

RNG = np.random.default_rng(0)


def two_colours(n):
    """Return dim pictures, orange where they are lighter and blue where they are darker."""
    light = RNG.random((n, 1, 4, 4)).repeat(4, axis=2).repeat(4, axis=3)
    warm, cold = (np.array(c)[None, :, None, None] for c in ([0.9, 0.5, 0.2], [0.1, 0.25, 0.6]))
    return np.where(light > 0.5, warm, cold) * (0.7 + 0.3 * light)


def test_taking_pictures_apart_and_together():
    x = RNG.random((4, 3, 8, 8))
    ab = lab_of(x)[:, 1:]
    assert 0 <= scaled(ab).min() <= scaled(ab).max() <= 1
    np.testing.assert_allclose(unscaled(scaled(ab)), ab, atol=1e-4)
    np.testing.assert_allclose(coloured(lightness(x), ab), x, atol=1e-4)


def test_colours_that_follow_from_the_lightness_are_learnt():
    x, x_test = two_colours(96), two_colours(16)
    net = latentia.Pix2Pix(
        objective="l1", width=8, n_epochs=8, batch_size=8, learning_rate=3e-3, random_state=0
    )
    model = Colouriser(translator=net).fit(x)
    found = model.transform(x_test)
    grey = coloured(lightness(x_test), np.zeros((16, 2, 16, 16)))
    assert colour_error(x_test, found) < 0.3 * colour_error(x_test, grey)
    assert chroma(grey) < 0.1 < chroma(found)
    files = x_test.mean(axis=1)
    of_files = model.transform(files)
    np.testing.assert_array_equal(of_files, model.transform(files[:, None].repeat(3, axis=1)))
    np.testing.assert_allclose(lightness(of_files).mean(), lightness(grey).mean(), atol=0.05)
    inside = (found > 0.005).all(axis=1) & (found < 0.995).all(axis=1)
    np.testing.assert_allclose(lightness(found)[inside], lightness(x_test)[inside], atol=1e-3)


def test_it_is_an_estimator_and_leaves_its_translator_alone():
    net = latentia.Pix2Pix(width=4, n_epochs=1, random_state=0)
    model = Colouriser(translator=net).fit(two_colours(4))
    assert not hasattr(net, "generator_")
    assert clone(model).get_params()["translator__width"] == 4


def test_what_has_no_colours():
    model = Colouriser(translator=latentia.Pix2Pix(width=4, n_epochs=1, random_state=0))
    with pytest.raises(InputError, match=r"colours need images .* have shape"):
        model.fit(RNG.random((4, 16, 16)))
    with pytest.raises(InputError, match="give"):
        model.fit(two_colours(4)).transform(RNG.random((16, 16)))


def test_pictures_with_their_channels_last_go_in_and_come_out_so():
    x = two_colours(12).astype(np.float32)
    last = np.moveaxis(x, 1, 3)
    net = latentia.Pix2Pix(objective="l1", width=4, n_epochs=1, batch_size=4, random_state=0)
    plain = Colouriser(translator=net).fit(x)
    model = Colouriser(translator=net).fit(list(last), channels="last")
    assert (model.data_shape_, model.channels_, plain.channels_) == ((3, 16, 16), "last", "first")
    expected = plain.transform(x)
    np.testing.assert_array_equal(model.transform(last), np.moveaxis(expected, 1, 3))
    grey = x.mean(1)
    of_grey = np.moveaxis(plain.transform(grey), 1, 3)
    np.testing.assert_array_equal(model.transform(grey), of_grey)
    assert model.fit(x).transform(x).shape == x.shape
    with pytest.raises(InputError, match=r"channels is 'last', and X has shape \(12, 16, 16\)"):
        model.fit(grey, channels="last")
    with pytest.raises(InputError, match="channels is 'end'; it must be one of first, last"):
        model.fit(last, channels="end")
    np.testing.assert_array_equal(model.transform(x), expected)
