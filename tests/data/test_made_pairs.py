"""Pairs made of any images, by name, from a folder, from arrays."""

import shutil

import numpy as np
import pytest
from PIL import Image

from latentia.data import load
from latentia.data.made_pairs import (
    HOLE_GREY,
    KINDS,
    NOISE,
    SHORTEST_LINE,
    SKETCHED_AT_ONCE,
    holes,
    noisy,
    outlines,
    sketch,
    with_holes,
)
from latentia.data.pairs import load_pairs
from latentia.errors import InputError

COLOURS = np.random.default_rng(0).integers(0, 256, (20, 9, 12, 3), dtype=np.uint8)
RNG = np.random.default_rng(1)


@pytest.fixture
def folder(tmp_path):
    for i, pixels in enumerate(COLOURS):
        Image.fromarray(pixels).save(tmp_path / f"{i:02d}.png")
    return tmp_path


@pytest.mark.parametrize("kind", ["edges", "sketch", "grey", "noisy", "holes"])
def test_of_a_folder_of_pictures(folder, kind):
    data = load_pairs(f"{kind}:{folder}")
    assert data.pair_train.shape == (18, 3, 9, 12)
    assert data.x_train.dtype == data.pair_train.dtype == np.uint8
    assert len(data.x_train) == 18
    again = load_pairs(data.spec)
    np.testing.assert_array_equal(again.x_test, data.x_test)
    turned = load_pairs(f"{kind}:{folder}:reversed")
    np.testing.assert_array_equal(turned.x_train, data.pair_train)
    np.testing.assert_array_equal(turned.pair_test, data.x_test)
    np.testing.assert_array_equal(load_pairs(turned.spec).x_train, turned.x_train)
    assert load_pairs(f"{kind}:{folder}", image_size=8).pair_train.shape[2:] == (8, 8)


@pytest.mark.parametrize("seed", [0, 7])
def test_the_seed_decides_which_pictures_are_held_out(folder, seed):
    for spec, size in ((f"grey:{folder}", None), (f"holes:{folder}", 8)):
        data = load_pairs(spec, random_state=seed, image_size=size)
        whole = load(str(folder), random_state=seed, image_size=size)
        np.testing.assert_array_equal(data.pair_test, whole.x_test)
        np.testing.assert_array_equal(data.pair_train, whole.x_train)
    assert (load(str(folder)).x_test != load(str(folder), random_state=7).x_test).any()


def test_made_pairs_say_where_their_images_come_from():
    made, images = load_pairs("edges:fashion-mnist-small"), load("fashion-mnist-small")
    for name in ("description", "origin", "licence"):
        assert getattr(made, name) == getattr(images, name) != ""
    assert made.notes == (*images.notes, f"The inputs are {made.name}, made here.")
    assert made.name.endswith(images.name)


def test_made_pairs_have_a_test_part_of_their_own_where_their_images_have(folder):
    assert not load_pairs(f"noisy:{folder}").own_test
    for part in ("train", "test"):
        (folder / "parts" / part).mkdir(parents=True)
        for path in folder.glob("0*.png"):
            shutil.copy(path, folder / "parts" / part)
    data = load_pairs(f"noisy:{folder / 'parts'}")
    assert data.own_test
    assert (len(data.x_train), len(data.x_test)) == (10, 10)


def test_inputs_are_made_of_their_targets(folder):
    edges, grey = (load_pairs(f"{kind}:{folder}") for kind in ("edges", "grey"))
    np.testing.assert_array_equal(edges.x_train, outlines(edges.pair_train))
    as_files = [
        np.asarray(Image.fromarray(np.moveaxis(x, 0, 2)).convert("L")) for x in grey.pair_train
    ]
    assert np.abs(grey.x_train - np.stack(as_files).astype(int)).max() <= 1


def test_soft_pictures_have_outlines_too_and_flat_ones_have_none():
    ramp = np.linspace(0, 1, 16)
    x = np.broadcast_to(0.2 * np.outer(ramp, ramp), (1, 16, 16)).copy()
    x[0, 4:12, 6] += 0.15
    found = outlines(x)[0] > 0
    assert found[4:12, 6:8].all()
    assert found.sum() <= 17
    assert not outlines(x / 10).any()
    hard = (RNG.random((1, 16, 16)) > 0.5).astype(float)
    np.testing.assert_array_equal(outlines(hard), outlines(0.7 * hard))


def test_a_sketch_is_one_thin_line_around_a_disc_however_bright_it_is():
    y, x = np.mgrid[:64, :64] - 31.5
    radius = np.hypot(y, x)
    disc = (radius < 20).astype(float)[None]
    drawn = sketch(disc)[0] > 0
    assert np.abs(radius[drawn] - 20).max() < 1.5
    turns = np.sort(np.arctan2(y[drawn], x[drawn]))
    assert np.diff(turns, append=turns[0] + 2 * np.pi).max() < 0.1  # closed
    assert drawn.sum() < 1.3 * 2 * np.pi * 20  # one pixel thin
    np.testing.assert_array_equal(sketch(0.3 + 0.2 * disc)[0] > 0, drawn)
    np.testing.assert_array_equal(sketch((255 * disc).astype(np.uint8))[0] > 0, drawn)


def test_a_sketch_leaves_out_dots_and_does_not_know_its_neighbours():
    assert not sketch(np.full((2, 32, 32), 77, np.uint8)).any()
    dot = np.zeros((1, 32, 32))
    dot[0, 16, 16] = 1
    assert (sketch(dot) > 0).sum() in (0, *range(SHORTEST_LINE, 20))
    few = RNG.random((5, 24, 24))
    many = np.concatenate([few] * (SKETCHED_AT_ONCE // 5 + 1))
    alone = np.concatenate([sketch(x[None]) for x in few])
    np.testing.assert_array_equal(sketch(few), alone)
    np.testing.assert_array_equal(sketch(many)[-5:], alone)


def test_noise_has_its_level_and_its_seed():
    x = np.full((50, 20, 20), 128, np.uint8)
    found = noisy(x, np.random.default_rng(0), 0.1)
    assert (found / 255).std() == pytest.approx(0.1, rel=0.03)
    np.testing.assert_array_equal(found, noisy(x, np.random.default_rng(0), 0.1))
    ends = noisy(np.repeat(np.array([[0, 255]], np.uint8), 500, axis=0)[:, None], RNG, NOISE)
    assert (ends.min(), ends.max()) == (0, 255)


def test_holes_are_squares_inside_and_everywhere():
    masks = holes((400, 3, 12, 15), np.random.default_rng(0), 0.25)
    assert (masks.sum(axis=(1, 2)) == 9).all()
    rows, columns = masks.any(axis=2), masks.any(axis=1)
    assert (rows.sum(axis=1) == 3).all()
    assert (columns.sum(axis=1) == 3).all()
    assert masks.any(axis=0).all()
    x = RNG.integers(0, 100, (400, 3, 12, 15), dtype=np.uint8)
    found = with_holes(x, masks)
    assert (found[np.broadcast_to(masks[:, None], x.shape)] == HOLE_GREY).all()
    kept = np.broadcast_to(~masks[:, None], x.shape)
    np.testing.assert_array_equal(found[kept], x[kept])


def test_films_of_bundled_digits():
    data = load_pairs("moving:digits")
    assert data.x_train.shape[1:] == (4, 32, 32)
    assert data.pair_train.shape == (len(data.x_train), 32, 32)
    assert not np.array_equal(data.x_train[:9], data.x_test[:9])
    assert data.spec == "moving:digits"


def test_what_cannot_be_made(folder):
    with pytest.raises(InputError, match="table"):
        load_pairs("noisy:ring")
    with pytest.raises(InputError, match=r"colours need images .* have shape"):
        load_pairs("grey:digits")
    with pytest.raises(InputError, match=r"images \(m, H, W\)"):
        load_pairs(f"moving:{folder}")
    with pytest.raises(InputError, match="no data set 'nowhere'"):
        load_pairs("edges:nowhere")
    with pytest.raises(InputError, match=", ".join(KINDS)):
        load_pairs("blurred:digits")
