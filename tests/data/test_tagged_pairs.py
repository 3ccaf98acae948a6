"""Pictures of two digits: the tags say what is in them."""

import numpy as np
import pytest

from latentia.data.tagged_pairs import TAGS, tagged_pairs, tags_of
from latentia.errors import InputError

IMAGES = np.random.default_rng(0).random((30, 8, 9))
LABELS = np.arange(30) % 10


def named(left, right):
    """Return the names of the tags that are true of two digits."""
    row = tags_of(np.array([[left, right]]))[0]
    assert set(row) <= {0, 1}
    return {name for name, true in zip(TAGS, row, strict=True) if true}


@pytest.mark.parametrize(
    ("left", "right", "tags"),
    [
        (3, 8, {"a 3", "a 8", "odd", "even", "loop", "right larger", "sum over 9"}),
        (4, 1, {"a 4", "a 1", "even", "odd", "straight", "left larger"}),
        (6, 6, {"a 6", "even", "loop", "two loops", "twins", "sum over 9"}),
        (9, 8, {"a 9", "a 8", "odd", "even", "loop", "two loops", "left larger", "neighbours",
                "sum over 9"}),
        (3, 5, {"a 3", "a 5", "odd", "right larger"}),
    ],
)  # fmt: skip
def test_tags_of_two_digits(left, right, tags):
    assert named(left, right) == tags


def test_each_half_is_an_image_of_its_digit():
    found = tagged_pairs(IMAGES, LABELS, 50, seed=3)
    assert found.pictures.shape == (50, 8, 18)
    for picture, digits in zip(found.pictures, found.digits):
        for half, digit in zip((picture[:, :9], picture[:, 9:]), digits):
            assert any(np.array_equal(half, image) for image in IMAGES[digit == LABELS])
    np.testing.assert_array_equal(found.tags, tags_of(found.digits))
    assert (found.tags.sum(axis=1) >= 3).all()


def test_seeds():
    one, same, other = (tagged_pairs(IMAGES, LABELS, 20, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.pictures, same.pictures)
    assert not np.array_equal(one.digits, other.digits)


@pytest.mark.parametrize(
    ("images", "labels", "n", "words"),
    [
        (IMAGES[:, None], LABELS, 3, r"images \(m, H, W\)"),
        (IMAGES, LABELS[:3], 3, "a label each"),
        (IMAGES, LABELS + 1, 3, "digits 0 to 9"),
        (IMAGES, LABELS, 0, "n is 0"),
    ],
)
def test_what_cannot_be_paired(images, labels, n, words):
    with pytest.raises(InputError, match=words):
        tagged_pairs(images, labels, n)
