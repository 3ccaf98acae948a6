"""Images of two domains in every layout, and with everything that can be wrong with them."""

import numpy as np
import pytest
from PIL import Image

from latentia.data import named
from latentia.data.unpaired import load_unpaired, mixed
from latentia.errors import InputError

RNG = np.random.default_rng(0)
A = RNG.integers(0, 128, (30, 6, 8), dtype=np.uint8)
B = RNG.integers(128, 256, (20, 6, 8, 3), dtype=np.uint8)


def write(folder, images):
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{folder.name}-{number:02d}.png")


def is_b(images):
    """Return which images are of B, whose pixels are all bright."""
    return images.reshape(len(images), -1).min(axis=1) >= 128


def check(data, n_train, n_test):
    """Assert sizes of (A, B), and that labels say which is which."""
    for x, y, sizes in (
        (data.x_train, data.y_train, n_train),
        (data.x_test, data.y_test, n_test),
    ):
        assert np.bincount(y).tolist() == list(sizes)
        np.testing.assert_array_equal(is_b(x), y == 1)


@pytest.mark.parametrize("test_name", [None, "test", "val"])
def test_cyclegans_folders(tmp_path, test_name):
    write(tmp_path / "trainA", A)
    write(tmp_path / "trainB", B)
    if test_name:
        write(tmp_path / f"{test_name}A", A[:5])
        write(tmp_path / f"{test_name}B", B[:3])
    data = load_unpaired(str(tmp_path))
    check(data, *(((30, 20), (5, 3)) if test_name else ((27, 18), (3, 2))))
    assert data.x_train.shape[1:] == (3, 6, 8)
    assert data.class_names == ("A", "B")
    assert sum("no test part" in note for note in data.notes) == (0 if test_name else 2)
    again = load_unpaired(data.spec)
    np.testing.assert_array_equal(again.x_train, data.x_train)


@pytest.mark.parametrize("spec", ["{0}", "{0}/A,{0}/B", "{0}:B,A"])
def test_two_folders_of_different_numbers_and_names(tmp_path, spec):
    write(tmp_path / "A", A)
    write(tmp_path / "B", B[..., 0])
    data = load_unpaired(spec.format(tmp_path))
    if spec.endswith("B,A"):
        assert data.class_names == ("B", "A")
        np.testing.assert_array_equal(is_b(data.x_train), data.y_train == 0)
    else:
        assert data.class_names == ("A", "B")
        check(data, np.bincount(data.y_train), np.bincount(data.y_test))
    assert len(data.x_train) + len(data.x_test) == 50
    np.testing.assert_array_equal(load_unpaired(data.spec).y_train, data.y_train)


def test_pictures_are_resized(tmp_path):
    write(tmp_path / "trainA", A)
    write(tmp_path / "trainB", B[:, :5])
    data = load_unpaired(str(tmp_path))
    shape = data.x_train.shape
    assert shape[-2] == shape[-1] == data.image_size
    assert any("--image-size" in note for note in data.notes)
    assert load_unpaired(str(tmp_path), image_size=8).x_train.shape == (45, 3, 8, 8)


@pytest.mark.parametrize(
    ("suffix", "names"),
    [
        (":bright", ("not bright", "bright")),
        (":bright:1,0", ("bright", "not bright")),
        (":bright:bright,not bright", ("bright", "not bright")),
        (":kind:b,c", ("b", "c")),
    ],
)
def test_labels_in_an_archive(tmp_path, suffix, names):
    x = np.concatenate([A, B[..., 0]])
    file = tmp_path / "pictures.npz"
    np.savez(
        file, images=x, kind=np.resize(["a", "b", "c"], 50), bright=np.repeat([0, 1], [30, 20])
    )
    data = load_unpaired(f"{file}{suffix}")
    assert data.class_names == names
    assert set(data.y_train) == set(data.y_test) == {0, 1}
    if "bright" in suffix:
        first_is_b = names[0] == "bright"
        np.testing.assert_array_equal(is_b(data.x_train), data.y_train == (0 if first_is_b else 1))
        assert len(data.x_train) == 45
    np.testing.assert_array_equal(load_unpaired(data.spec).x_test, data.x_test)
    assert load_unpaired(data.spec).class_names == names


@pytest.mark.parametrize("spec", ["digits:3,5", "digits: 3, 5"])
def test_two_classes_of_a_named_set(spec):
    data, whole = load_unpaired(spec), named.load("digits")
    assert data.class_names == ("3", "5")
    assert data.spec == "digits:3,5"
    for domain, digit in enumerate((3, 5)):
        rows = {x.tobytes() for x in data.x_train[data.y_train == domain]}
        assert rows == {x.tobytes() for x in whole.x_train[whole.y_train == digit]}
    turned = load_unpaired("digits:5,3")
    assert (turned.y_train == 0).sum() == (data.y_train == 1).sum()


def test_classes_are_named_without_regard_to_capitals():
    data = load_unpaired("fashion-mnist-small:Sneaker,ankle boot")
    assert data.name == "fashion-mnist-small, sneaker and ankle boot"
    assert np.bincount(data.y_train).tolist() == [1000, 1000]
    numbered = load_unpaired("fashion-mnist-small:7,9")
    np.testing.assert_array_equal(numbered.x_test, data.x_test)


def test_both_domains_are_spread_evenly_and_end_together():
    y = mixed((np.zeros((90, 1, 1)), np.ones((10, 1, 1))), np.random.default_rng(0))[1]
    assert np.flatnonzero(y).tolist() == list(range(9, 100, 10))
    for sizes in ((50, 3), (1, 40), (25, 25)):
        sides = np.zeros((sizes[0], 1)), np.ones((sizes[1], 1))
        assert set(mixed(sides, np.random.default_rng(0))[1][-2:]) == {0, 1}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("digits", "has 10 classes .* such as digits:8,9"),
        ("digits:3,three", "no class 'three'"),
        ("digits:3,4,5", "name two of them"),
        ("digits:3,3", "both domains are '3'"),
        ("nowhere", "no data set 'nowhere'"),
        ("ring:1,2", "is a table"),
        ("{0}/few", "at least 24"),
        ("{0}/x.npz:colour", "holds no .* labels"),
        ("{0}/x.npz", "no labels"),
    ],
)
def test_what_names_no_two_domains_is_refused(tmp_path, spec, words):
    write(tmp_path / "few" / "trainA", A[:8])
    write(tmp_path / "few" / "trainB", A[8:16])
    np.savez(tmp_path / "x.npz", images=A)
    with pytest.raises(InputError, match=words):
        load_unpaired(spec.format(tmp_path))
