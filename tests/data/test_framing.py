"""How pictures are brought to one size: which, how, and that it is said and kept."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from latentia.data import load
from latentia.data.crops import load_crops
from latentia.data.framing import Frame, chosen_frame, frame_of
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.errors import InputError

LANCZOS = Image.Resampling.LANCZOS


@pytest.mark.parametrize(
    ("asked", "frame", "kept"),
    [
        (64, Frame(64, 64), 64),
        (np.int64(64), Frame(64, 64), 64),
        ("64", Frame(64, 64), 64),
        ("64x48", Frame(64, 48), "64x48"),
        ("64 X 48", Frame(64, 48), "64x48"),
        ("64×48", Frame(64, 48), "64x48"),
        ((64, 48), Frame(64, 48), "64x48"),
        ("64 crop", Frame(64, 64), 64),
        ("64 fit", Frame(64, 64, True), "64x64 fit"),
        ("64x48 fit", Frame(64, 48, True), "64x48 fit"),
    ],
)
def test_a_size_is_said_in_many_ways_and_kept_in_one(asked, frame, kept):
    assert frame_of(asked) == frame
    assert frame.asked == kept
    assert frame_of(frame.asked) == frame


@pytest.mark.parametrize("asked", ["64x", "x48", "64x0", "0", "64x48x3", "64 fill", "-3", "", 6.5])
def test_what_is_no_size_is_refused(asked):
    with pytest.raises(InputError, match=r"^image_size is .*; it must be .* such as 64x48"):
        frame_of(asked)


def picture(size, mode="RGB"):
    draws = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 3))
    return Image.fromarray(draws.astype(np.uint8)).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("asked", ["12x6", "12x6 fit", "7", "7 fit"])
def test_pictures_are_cut_or_lie_whole_as_pillow_does_it(tmp_path, mode, asked):
    images = {size: picture(size, mode) for size in ((20, 30), (31, 17), (8, 8))}
    for number, image in enumerate(images.values()):
        image.save(tmp_path / f"{number}.png")
    data = load(str(tmp_path), image_size=asked)
    frame = frame_of(asked)
    place = ImageOps.pad if frame.whole else ImageOps.fit
    expected = [
        np.asarray(place(im, (frame.width, frame.height), LANCZOS)) for im in images.values()
    ]
    found = np.concatenate([data.x_train, data.x_test])
    found = found if mode == "L" else np.moveaxis(found, 1, 3)
    assert sorted(map(bytes, found)) == sorted(map(bytes, expected))
    assert data.image_size == frame.asked
    (note,) = [note for note in data.notes if "were brought to" in note]
    assert f"{frame.width}×{frame.height} pixels (width × height)" in note
    assert ("whole, on black" in note) == frame.whole
    assert ("cut from the middle" in note) != frame.whole


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ([(256, 200)] * 3, None),
        ([(257, 200)] * 3, 64),
        ([(640, 480), (480, 640)], 64),
        ([(640, 480)] * 3 + [(5, 5)], 64),
        ([(40, 30), (30, 41), (90, 90)], 24),
        ([(5, 6), (7, 8)], 5),
        ([], None),
    ],
)
def test_without_a_size_one_is_chosen_by_the_pictures(sizes, side):
    frame, why = chosen_frame(sizes, "my photographs")
    assert frame == (None if side is None else Frame(side, side))
    assert ("my photographs" in why) == (side is not None)
    if side is not None:
        for size in (min(sizes, key=np.prod), max(sizes, key=np.prod)):
            assert f"{size[0]}×{size[1]}" in why
        assert f"{side}×{side}" in why
        assert "--image-size" in why
        least = "" if side == 64 else ", and half of them are smaller"
        said = f"; 64 is the usual side{least}, and --image-size 128 or 64x48 takes another."
        assert why.endswith(said)
        assert chosen_frame(sizes, "x", "fit")[0] == Frame(side, side, True)


def test_a_turned_photograph_counts_as_it_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture((300, 200)).save(tmp_path / "a.jpg", exif=exif)
    picture((200, 300)).save(tmp_path / "b.jpg")
    data = load(str(tmp_path))
    assert "all of 200×300 pixels" in data.description
    assert any("are 200×300 pixels large" in note for note in data.notes)
    assert data.image_size == 64


@pytest.mark.parametrize("loader", [load, load_pairs, load_unpaired])
def test_every_reader_of_files_keeps_the_size_that_was_chosen(tmp_path, loader):
    for side in "AB":
        (tmp_path / f"train{side}").mkdir()
        for i in range(26):
            picture((20 + i, 30)).save(tmp_path / f"train{side}/{i}.png")
    data = loader(str(tmp_path), image_size="9x7 fit")
    assert data.image_size == "9x7 fit"
    assert data.x_train.shape[-2:] == (7, 9)
    again = loader(data.spec, image_size=data.image_size)
    np.testing.assert_array_equal(again.x_train, data.x_train)
    if loader is load:
        assert loader(str(tmp_path), image_size="fit").image_size == "24x24 fit"


def test_pieces_are_squares(tmp_path):
    for i in range(10):
        picture((20, 21)).save(tmp_path / f"{i}.png")
    assert load_crops(str(tmp_path), image_size=8).x_train.shape[1:] == (3, 8, 8)
    for asked in ("8x6", "8 fit", "fit"):
        with pytest.raises(InputError, match=r"image_size is .*; pieces .* are squares"):
            load_crops(str(tmp_path), image_size=asked)
