"""Picture files read and written at full depth, and the lists of them."""

import os
import time

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin

from latentia.data import images
from latentia.data.images import BadImageError
from latentia.data.picture_files import (
    FORMATS,
    HELD,
    Canvas,
    Picture,
    fitting,
    named_like,
    order,
    read_picture,
    write_picture,
)
from latentia.errors import InputError
from latentia.files import temporary_name

RNG = np.random.default_rng(0)


def gradient(mode="RGB", size=(7, 5)):
    """Return a picture of a mode with something in each channel."""
    n = len(Image.new(mode, (1, 1)).getbands())
    values = RNG.integers(0, 256, (size[1], size[0], n), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if n == 1 else values, mode if n != 1 else None)


@pytest.mark.parametrize(
    ("mode", "channels", "alpha"),
    [
        ("L", 1, False),
        ("1", 1, False),
        ("P", 3, False),
        ("RGB", 3, False),
        ("RGBA", 3, True),
        ("LA", 1, True),
    ],
)
def test_each_mode_is_read_as_what_it_is(mode, channels, alpha, tmp_path):
    image = gradient(mode if alpha else "RGB").convert(mode)
    image.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.shape == (channels, 5, 7)
    assert (picture.alpha is not None) == alpha
    if alpha:
        np.testing.assert_array_equal(picture.alpha, np.asarray(image.getchannel("A")))
        np.testing.assert_array_equal(picture.pixels[0], np.asarray(image)[..., 0])
    expected, _ = images.read(tmp_path / "a.png")
    laid = picture.on_white().pixels.astype(int)
    assert np.abs(laid.reshape(expected.shape) - expected).max() <= 1


def test_a_palette_beside_which_alpha_stands_keeps_its_alpha(tmp_path):
    image = gradient("RGB").convert("P").convert("PA")
    image.putalpha(gradient("L"))
    image.save(tmp_path / "a.tif")
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.alpha, np.asarray(image.getchannel("A")))
    np.testing.assert_array_equal(
        picture.pixels, np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)
    )


@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "pgm"])
@pytest.mark.parametrize("turned", [False, True])
def test_sixteen_bits_come_back_bit_for_bit(suffix, turned, tmp_path):
    values = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter
    turned = turned and suffix in ("png", "tif")
    Image.fromarray(values).save(tmp_path / f"a.{suffix}", **({"exif": exif} if turned else {}))
    picture = read_picture(tmp_path / f"a.{suffix}")
    expected = np.rot90(values, -1) if turned else values
    np.testing.assert_array_equal(picture.pixels[0], expected)
    canvas = Canvas(1, expected.shape, deep=True)
    canvas.paint((expected[None, :2] / 65535).astype(np.float32))
    canvas.paint((expected[None, 2:] / 65535).astype(np.float32))
    write_picture(tmp_path / f"b.{suffix}", canvas.image, None)
    np.testing.assert_array_equal(read_picture(tmp_path / f"b.{suffix}").pixels[0], expected)


def test_an_uncompressed_tiff_that_lies_on_its_side_is_turned_once(tmp_path):
    values = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(tmp_path / "a.tif", exif=exif)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif")[0], np.rot90(values, -1))


def test_deeper_greys_become_sixteen_bits_and_deep_colours_say_that_they_do_not(tmp_path):
    Image.fromarray(np.array([[0.0, 0.25, 1.0]], np.float32)).save(tmp_path / "f.tif")
    np.testing.assert_array_equal(
        read_picture(tmp_path / "f.tif").pixels[0], [[0, round(65535 / 4), 65535]]
    )
    Image.fromarray(np.array([[0.0, np.nan]], np.float32)).save(tmp_path / "n.tif")
    with pytest.raises(BadImageError, match="finite"):
        read_picture(tmp_path / "n.tif")
    ppm = b"P6 2 1 65535 " + np.full(6, 40000, ">u2").tobytes()
    (tmp_path / "deep.ppm").write_bytes(ppm)
    picture = read_picture(tmp_path / "deep.ppm")
    assert picture.pixels.dtype == np.uint8


def test_a_palette_with_transparency_has_alpha(tmp_path):
    gradient("RGBA").convert("P").save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.shape == (3, 5, 7)
    assert picture.alpha.shape == (5, 7)


def test_a_profile_is_kept(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    gradient().save(tmp_path / "a.jpg", icc_profile=profile)
    assert read_picture(tmp_path / "a.jpg").profile == profile
    write_picture(tmp_path / "b.png", gradient(), profile)
    assert read_picture(tmp_path / "b.png").profile == profile
    gradient("CMYK").save(tmp_path / "c.jpg", icc_profile=profile)
    assert read_picture(tmp_path / "c.jpg").profile is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_each_format_holds_what_it_is_said_to(suffix, tmp_path):
    for mode in HELD[FORMATS[suffix]]:
        deep = mode == "I;16"
        image = Image.fromarray(np.full((9, 8), 4000, np.uint16)) if deep else gradient(mode)
        path = fitting(tmp_path / f"a{suffix}", mode)
        write_picture(path, image, None)
        with Image.open(path) as written:
            assert written.format == FORMATS[suffix]
            assert len(written.getbands()) >= len(image.getbands())
    assert fitting(tmp_path / "a.jpg", "RGBA").name == "a.jpg.png"


@pytest.mark.parametrize("suffix", FORMATS)
def test_pictures_are_written_without_loss_or_as_jpeg_of_quality_95(suffix, tmp_path):
    image, kind = gradient(size=(33, 21)), FORMATS[suffix]
    write_picture(tmp_path / f"a{suffix}", image, None)
    with Image.open(tmp_path / f"a{suffix}") as written:
        if kind != "JPEG":
            np.testing.assert_array_equal(np.asarray(written), np.asarray(image))
            return
        image.save(tmp_path / "b.jpg", quality=95)
        with Image.open(tmp_path / "b.jpg") as expected:
            assert written.quantization == expected.quantization
        assert JpegImagePlugin.get_sampling(written) == 0


def test_names_of_formats_that_are_not_written(tmp_path):
    assert named_like(tmp_path / "a.gif") == "a.gif.png"
    assert named_like(tmp_path / "a.JPG") == "a.JPG"
    assert named_like(tmp_path / "a") == "a.png"


def test_laying_on_white_is_between_the_colour_and_white():
    pixels = np.zeros((3, 1, 3), np.uint8)
    picture = Picture(pixels, np.array([[0, 51, 255]], np.uint8))
    np.testing.assert_array_equal(picture.on_white().pixels[0], [[255, 204, 0]])


def filled(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def test_a_folders_tree_and_order_are_kept(tmp_path):
    folder = filled(
        tmp_path / "사진", "b.png", "a/c.gif", "a/노트.txt", ".hidden.png", "out/old.png"
    )
    found = order([folder], folder / "out")
    assert {
        s.relative_to(folder).as_posix(): t.relative_to(folder).as_posix()
        for s, t in found.targets.items()
    } == {"a/c.gif": "out/a/c.gif.png", "b.png": "out/b.png"}
    assert list(found.targets) == sorted(found.targets)
    both = order([folder / "out" / "old.png", folder], tmp_path / "new")
    assert [t.relative_to(tmp_path).as_posix() for t in both.targets.values()] == [
        "new/out/old.png",
        "new/a/c.gif.png",
        "new/b.png",
    ]


def test_what_is_refused_before_any_work(tmp_path):
    folder = filled(tmp_path / "in", "a.png", "b/a.png", "c/readme.txt")
    out = filled(tmp_path / "out", "a.png")
    for paths, where, sentence in (
        ([tmp_path / "no"], out, "no file or folder"),
        ([folder / "c"], out, "no pictures in"),
        ([folder], folder, "is the folder of the inputs"),
        ([folder / "a.png"], folder, "is one of the inputs"),
        ([folder / "a.png", folder / "b"], tmp_path / "new", "would both become"),
        ([folder], out, "a.png exists: choose"),
        ([folder], out / "a.png", "is a file"),
    ):
        with pytest.raises(InputError, match=sentence):
            order(paths, where)
    with pytest.raises(InputError, match="is one of the inputs"):
        order([folder / "a.png"], folder, "replace")
    assert len(order([folder], out, "replace").targets) == 2
    assert list(order([folder], out, "skip").targets) == [folder / "b" / "a.png"]


def test_only_ones_own_half_written_files_are_removed(tmp_path):
    folder = filled(tmp_path / "in", "a.png")
    old, new = temporary_name(), temporary_name()
    out = filled(tmp_path / "out", "a.png.123.tmp", "notes.tmp", old, new)
    for name in ("a.png.123.tmp", old):
        os.utime(out / name, (0, time.time() - 4000))
    order([folder], out).prepare()
    kept = sorted(["a.png.123.tmp", "notes.tmp", new])
    assert sorted(path.name for path in out.iterdir()) == kept


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.png"
    write_picture(path, gradient(), None)
    before = path.read_bytes()
    with pytest.raises(OSError, match="cannot write"):
        write_picture(path, Image.new("CMYK", (3, 3)), None)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
