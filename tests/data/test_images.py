"""Single picture files of every kind: grey by one rule, limits from the header, broken ones."""

import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from latentia.data import images, load
from latentia.data.framing import Frame
from latentia.data.images import BadImageError
from latentia.data.limits import VARIABLE
from latentia.data.picture_files import read_picture
from latentia.errors import InputError

RNG = np.random.default_rng(0)
ON_WHITE = "what is transparent in it was laid on white"


def saved(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


def both(path):
    """Return what training and the picture verbs see of a file, in [0, 1]."""
    trained, _ = images.read(path)
    picture = read_picture(path)
    shown = picture.on_white().pixels
    return trained / 255, (shown / np.iinfo(shown.dtype).max).reshape(trained.shape)


GREYS = {
    "uint8": (np.array([[0, 50, 200]], np.uint8), [0, 50 / 255, 200 / 255]),
    "uint16": (np.array([[0, 50, 65535]], np.uint16), [0, 50 / 65535, 1]),
    "dark uint16": (np.array([[1, 2, 3]], np.uint16), [1 / 65535, 2 / 65535, 3 / 65535]),
    "int32": (np.array([[0, 50, 60000]], np.int32), [0, 50 / 65535, 60000 / 65535]),
    "float": (np.array([[0, 0.25, 0.5]], np.float32), [0, 0.25, 0.5]),
    "bool": (np.array([[False, True, True]]), [0, 1, 1]),
}


@pytest.mark.parametrize("kind", GREYS)
def test_grey_is_a_share_of_the_white_of_its_type_wherever_it_is_read(tmp_path, kind):
    values, expected = GREYS[kind]
    trained, shown = both(saved(tmp_path / "a.tif", values))
    np.testing.assert_allclose(trained[0], expected, atol=0.501 / 255)
    np.testing.assert_allclose(shown[0], expected, atol=0.501 / 65535)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.array([[0, 50]], np.float32), "span 0 to 50; what is white is known of floats in"),
        (np.array([[0, 200]], np.float32), "span 0 to 200"),
        (np.array([[-0.1, 0.5]], np.float32), "span -0.1 to 0.5"),
        (np.array([[0, np.inf]], np.float32), "not all finite"),
        (np.array([[0, np.nan]], np.float32), "not all finite"),
        (np.array([[0, 70000]], np.int32), "span 0 to 70000; what is white is known of 0 to 65535"),
        (np.array([[-5, 7]], np.int32), "span -5 to 7"),
    ],
)
def test_grey_without_a_known_white_is_refused_and_named(tmp_path, values, sentence):
    path = saved(tmp_path / "a.tif", np.repeat(values, 3, axis=0))
    for read in (images.read, read_picture):
        with pytest.raises(BadImageError, match=sentence):
            read(path)
    saved(tmp_path / "b.tif", np.zeros((3, 2), np.uint8))
    saved(tmp_path / "c.tif", np.zeros((3, 2), np.uint8))
    (note,) = (n for n in load(str(tmp_path)).notes if "left out" in n)
    assert note.startswith("1 of 3 files were left out")
    assert "a.tif" in note


def test_a_folder_of_floats_keeps_their_differences(tmp_path):
    for number, value in enumerate((0.2, 0.4, 0.8)):
        saved(tmp_path / f"{number}.tif", np.full((2, 3), value, np.float32))
    data = load(str(tmp_path))
    found = np.concatenate([data.x_train, data.x_test])[:, 0, 0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(sorted(found.tolist()), [0.2, 0.4, 0.8], atol=1e-5)


def tiff(path, bands, bits, strip, extra=()):
    """Write an uncompressed TIFF of one row by hand: Pillow writes neither 12 bits nor 5 bands."""
    photometric = 2 if bands >= 3 else 1
    entries = [
        (256, 4, [len(strip) * 8 // (bands * bits)]), (257, 4, [1]), (258, 3, [bits] * bands),
        (259, 3, [1]), (262, 3, [photometric]), (273, 4, [None]), (277, 3, [bands]),
        (278, 4, [1]), (279, 4, [len(strip)]),
    ]  # fmt: skip
    entries += [(338, 3, list(extra))] if extra else []
    place = 8 + 2 + 12 * len(entries) + 4
    tail, table = b"", b""
    for tag, kind, values in entries:
        packed = (
            b"" if values == [None] else struct.pack("<" + "HI"[kind == 4] * len(values), *values)
        )
        if values == [None]:
            field = b"STRP"
        elif len(packed) > 4:
            field, tail = struct.pack("<I", place + len(tail)), tail + packed
        else:
            field = packed.ljust(4, b"\0")
        table += struct.pack("<HHI", tag, kind, len(values)) + field
    table = table.replace(b"STRP", struct.pack("<I", place + len(tail)))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    path.write_bytes(head + table + b"\0" * 4 + tail + strip)
    return path


def test_twelve_bits_are_out_of_4095(tmp_path):
    # Two values in three bytes: 4095 and 2048.
    trained, shown = both(tiff(tmp_path / "a.tif", 1, 12, bytes([0xFF, 0xF8, 0x00])))
    np.testing.assert_allclose(shown[0], [1, 2048 / 4095], atol=1e-5)
    np.testing.assert_allclose(trained, shown, atol=0.501 / 255)


@pytest.mark.parametrize(("bands", "extra"), [(4, (0,)), (5, (0, 0)), (6, (0, 0, 0))])
def test_bands_that_no_picture_has_are_left_out_and_counted(tmp_path, bands, extra):
    path = tiff(tmp_path / "a.tif", bands, 8, bytes(range(2 * bands)), extra)
    pixels, notes = images.read(path)
    assert pixels[:, 0].tolist() == [[0, bands], [1, bands + 1], [2, bands + 2]]
    assert notes == read_picture(path).notes == (f"{bands - 3} of its {bands} bands were left out",)


def test_sixteen_bit_grey_keeps_its_transparency_and_says_what_that_costs(tmp_path):
    values = np.array([[0, 1000, 65535]], np.uint16)
    path = saved(tmp_path / "a.png", values, transparency=1000)
    pixels, notes = images.read(path)
    picture = read_picture(path)
    assert pixels.tolist() == [[0, 255, 255]]
    assert picture.alpha.tolist() == [[255, 0, 255]]
    assert picture.pixels.tolist() == [[[0, 4, 255]]]
    assert picture.notes == ("its 16-bit grey was read as 8 bits, beside its transparency",)
    assert notes == (*picture.notes, ON_WHITE)


def png(width, height, colour=0):
    """Return a PNG whose pixels, as far as there are any, are all 0, of any size in few bytes."""
    n_bytes = (width + 7) // 8 + 1
    packer = zlib.compressobj(9)
    content = (
        b"".join(packer.compress(bytes(n_bytes)) for _ in range(min(height, 100))) + packer.flush()
    )
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 1, colour, 0, 0, 0)),)
    chunks += ((b"IDAT", content), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def test_a_picture_larger_than_pillows_own_limit_is_read_if_memory_allows(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(png(60, 50))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert images.read(tmp_path / "a.png")[0].shape == (50, 60)
    assert Image.MAX_IMAGE_PIXELS == 1000
    monkeypatch.setenv(VARIABLE, "2K")
    with pytest.raises(BadImageError, match=r"60×50 pixels .* limit of 2,048 bytes.*raise it"):
        images.read(tmp_path / "a.png")


def test_pixels_are_not_loaded_before_the_limit_is_checked(tmp_path):
    (tmp_path / "a.png").write_bytes(png(60_000, 40_000))
    with pytest.raises(BadImageError, match=r"60000×40000 pixels and would take 2.2 GiB"):
        images.read(tmp_path / "a.png")


def packed_as_zip(folder):
    """Return an archive of a folder's files."""
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for path in sorted(folder.glob("*.png")):
            archive.write(path, path.name)
    return str(folder / "all.zip")


def test_small_files_that_take_much_together_are_refused_with_their_sum(tmp_path, monkeypatch):
    """Their archive is small beside what they come to, as one that is made to fill a disk."""
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(png(256, 256))
    packed = packed_as_zip(tmp_path)
    monkeypatch.setattr("latentia.data.on_disk.MOST_GROWTH", 100)
    monkeypatch.setenv(VARIABLE, "200000")
    with pytest.raises(InputError, match=r"pictures in .* would take 524,288 bytes .* 200,000"):
        load(packed)
    assert len(load(packed, image_size=50).x_train) == 7
    monkeypatch.setenv(VARIABLE, "600000")
    assert len(load(packed).x_train) == 7


def fifo(path):
    os.mkfifo(path)
    return path


def linked(path):
    path.symlink_to("nowhere.png")
    return path


def device(path):
    path.symlink_to("/dev/zero")
    return path


def folder(path):
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (fifo, "it is a named pipe, not a file"),
        (device, "it is a device, not a file"),
        (folder, "it is a folder, not a file"),
        (linked, "it is a link to nothing"),
    ],
)
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path, make, sentence):
    path = make(tmp_path / "a.png")
    for read in (images.read, read_picture):
        with pytest.raises(BadImageError, match=sentence):
            read(path)


def test_a_wrong_suffix_does_not_count(tmp_path):
    Image.new("RGB", (3, 2), (255, 0, 0)).save(tmp_path / "a.jpg", format="PNG")
    assert images.read(tmp_path / "a.jpg")[0][:, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", "png"), ("LA", "png"), ("RGBA", "webp")])
@pytest.mark.parametrize("alpha", [255, 200])
def test_what_is_laid_on_white_is_told_where_anything_shows_through(mode, suffix, alpha, tmp_path):
    image = Image.new(mode, (4, 4))
    image.putalpha(Image.new("L", (4, 4), alpha))
    image.save(tmp_path / f"a.{suffix}")
    assert images.read(tmp_path / f"a.{suffix}")[1] == ((ON_WHITE,) if alpha < 255 else ())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_every_mode_that_a_file_can_have_becomes_grey_or_rgb(tmp_path, mode):
    Image.new(mode, (3, 2)).save(tmp_path / "a.tif")
    trained, shown = both(tmp_path / "a.tif")
    assert trained.shape in ((2, 3), (3, 2, 3))
    np.testing.assert_allclose(trained, shown, atol=1e-9)


def wholes(folder):
    """Return small whole files of several kinds."""
    image = Image.effect_noise((12, 9), 50)
    rgb = Image.merge("RGB", [image] * 3)
    image.save(folder / "g.png", transparency=7)
    rgb.save(folder / "c.jpg")
    rgb.quantize(9).save(folder / "p.gif", save_all=True, append_images=[rgb.quantize(5)])
    rgb.save(folder / "t.tif")
    rgb.save(folder / "w.webp")
    return [(folder / name).read_bytes() for name in ("g.png", "c.jpg", "p.gif", "t.tif", "w.webp")]


def damaged(content, draw):
    """Return a file with one to three bytes changed, or cut off."""
    if draw.random() < 0.3:
        return content[: draw.integers(1, len(content))]
    changed = bytearray(content)
    for place in draw.integers(len(content), size=draw.integers(1, 4)):
        changed[place] = draw.integers(256)
    return bytes(changed)


def check_damaged(folder, n):
    contents = wholes(folder)
    path = folder / "damaged"
    n_read = 0
    for seed in range(n):
        path.write_bytes(damaged(contents[seed % len(contents)], np.random.default_rng(seed)))
        outcomes, sentences = [], []
        for read in (lambda p: images.read(p, Frame(6, 6))[0], lambda p: read_picture(p).pixels):
            try:
                with images.quiet():
                    outcomes.append(read(path))
            except BadImageError as error:
                sentences.append(str(error))
        assert len(outcomes) in (0, 2), seed
        assert all(sentences), seed
        assert not any("\n" in sentence for sentence in sentences), seed
        n_read += len(outcomes) == 2
    assert 0 < n_read < n


def test_damaged_files_are_pictures_or_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "16M")
    check_damaged(tmp_path, 200)


@pytest.mark.slow
def test_many_damaged_files_are_pictures_or_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "16M")
    check_damaged(tmp_path, 5_000)


def test_what_pictures_became_is_told_once_for_each_kind(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    image, turned = Image.fromarray(pixels), Image.Exif()
    turned[0x0112] = 6
    for number in range(2):
        image.convert("CMYK").save(tmp_path / f"cmyk{number}.jpg")
    image.quantize(4).save(tmp_path / "palette.png")
    image.convert("RGBA").save(tmp_path / "solid.png")
    image.save(tmp_path / "phone.jpg", exif=turned)
    clear = np.dstack([pixels, np.full((8, 8), 128, np.uint8)])
    for number in range(3):
        Image.fromarray(clear).save(tmp_path / f"clear{number}.png")
    notes = load(str(tmp_path)).notes
    for sentence in (
        "2 files, of each: its CMYK colours became RGB",
        "phone.jpg: it was turned as its EXIF data say.",
        "3 files, of each: what is transparent in it was laid on white",
    ):
        assert sum(sentence in note for note in notes) == 1, sentence
    for lossless in ("solid.png", "palette.png"):
        assert not any(lossless in note for note in notes)
    upright = Image.Exif()
    upright[0x0112] = 1
    image.save(tmp_path / "upright.jpg", exif=upright)
    assert images.read(tmp_path / "upright.jpg")[1] == ()
