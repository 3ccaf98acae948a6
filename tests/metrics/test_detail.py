"""Detail of outputs: by NumPy's correlations, and generators whose answer is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from latentia.metrics.detail import Detail, detail_of


def pictures(n=12, channels=3, side=24, seed=0):
    """Return (n, C, H, W) smooth images with detail of their own."""
    noise = np.random.default_rng(seed).normal(size=(n, channels, side, side))
    smooth = gaussian_filter(noise, (0, 0, 4, 4))
    fine = gaussian_filter(noise[::-1], (0, 0, 0.7, 0.7))
    return (0.5 + smooth / smooth.std() / 8 + fine / fine.std() / 20).clip(0, 1)


TEXTURE = pictures(1, seed=9) - gaussian_filter(pictures(1, seed=9), (0, 0, 4, 4))


def blurred(images):
    return gaussian_filter(images, (0, 0, 3, 3))


def brute_force(outputs, targets):
    def detail(image):
        return (image - gaussian_filter(image, (0, 2, 2))).ravel()

    a, b = [detail(x) for x in outputs], [detail(x) for x in targets]
    own = np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(a, b)])
    pairs = [np.corrcoef(x, y)[0, 1] for i, x in enumerate(a) for j, y in enumerate(a) if i != j]
    return own, np.mean(pairs)


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_against_correlations_one_by_one(weight):
    targets = pictures()
    outputs = targets + weight * TEXTURE + 0.1 * pictures(seed=4)
    found = detail_of(outputs, targets)
    np.testing.assert_allclose((found.own, found.shared), brute_force(outputs, targets))


@pytest.mark.parametrize(
    ("make", "follows"),
    [
        (lambda y: y, True),
        (lambda y: blurred(y) + TEXTURE, False),
        (lambda y: np.broadcast_to(y.mean(axis=0), y.shape), False),
        (lambda y: y[::-1], True),
        (lambda y: 0.7 * y + 0.1, True),
        (lambda y: y + 0.2 * TEXTURE, True),
        (lambda y: gaussian_filter(y, (0, 0, 1, 1)), True),
    ],
)
def test_generators_whose_answer_is_known(make, follows):
    y = pictures()
    found = detail_of(make(y), y)
    assert found.follows == follows
    if not follows:
        assert f"{found.shared:.2f} with that of others" in found.sentence()


def test_data_that_are_alike_themselves_are_no_texture():
    """Faces all have eyes: outputs that are the truth share as much detail as the truth does."""
    alike = pictures() + 3 * TEXTURE
    found = detail_of(alike, alike)
    assert found.shared > 0.7
    assert found.follows


def test_channels_signs_and_what_has_no_detail():
    x = pictures()
    grey = x.mean(axis=1)
    assert detail_of(grey, x).own == pytest.approx(1)
    assert detail_of(x, grey).own > 0.5
    assert detail_of(1 - x, x).own == pytest.approx(-1)
    assert detail_of(1 - x, x, either_sign=True).own == pytest.approx(1)
    assert detail_of(np.full_like(x, 0.3), x) is None
    some = x.copy()
    some[2:] = 0.3
    assert detail_of(some, x).own == pytest.approx(1)
    assert detail_of(x[:1], x[:1]) is None


def test_what_follows():
    assert Detail(own=0.02, shared=0.1).follows
    assert not Detail(own=0.02, shared=0.59).follows
    assert Detail(own=0.8, shared=0.8).follows
