"""Folders as they are downloaded, unpacked and put together: what their names and depth mean."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from latentia.cli.main import main
from latentia.data import load
from latentia.errors import InputError
from tests.data.test_archives import FILES, PIXELS, packed, png, same, unpacked

tifffile = pytest.importorskip("tifffile")


def in_parts(train, test, n_train=12):
    return {
        f"{train if i < n_train else test}/{name}": v for i, (name, v) in enumerate(FILES.items())
    }


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set", "test_set"),
        ("train-images", "val images"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("TrainData", "TestData"),
        ("Training", "Validation"),
    ],
)
def test_parts_by_any_usual_name(tmp_path, train, test):
    plain = load(str(unpacked(tmp_path / "plain", in_parts("train", "test"))))
    data = load(str(unpacked(tmp_path / "in", in_parts(train, test))))
    if train == "TrainData":
        # Without a sign between its words a name may be anybody's.
        assert data.class_names == ("TestData", "TrainData")
        return
    same(data, plain)
    top = [word.split("/")[0] for word in (train, test)]
    assert f"{', '.join(top)} were taken as the parts of in." in data.notes
    same(load(str(packed(tmp_path / "x.zip", in_parts(train, test)))), plain)


def test_folders_within_a_folder_are_looked_into(tmp_path):
    files = {f"data/set/{name}": v for name, v in in_parts("train", "test").items()}
    files["data/README.md"] = b"# read me"
    plain = load(str(unpacked(tmp_path / "plain", in_parts("train", "test"))))
    for spec in (unpacked(tmp_path / "in", files), packed(tmp_path / "x.zip", files)):
        data = load(str(spec))
        same(data, plain)
        assert any("README.md" in note and "left out" in note for note in data.notes)
    wrapped = {f"set/{name}": v for name, v in FILES.items()}
    same(load(str(unpacked(tmp_path / "w", wrapped))), load(str(unpacked(tmp_path / "p", FILES))))
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop/again").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="link to a folder that it lies in"):
        load(str(tmp_path / "loop"))


def test_what_is_no_picture_takes_no_classes_away_and_empty_ones_are_told(tmp_path):
    folder = unpacked(tmp_path / "in", FILES | {"notes.txt": b"x", "labels/.keep": b""})
    (folder / "c").mkdir()
    data = load(str(folder))
    assert data.class_names == ("a", "b")
    (note,) = [note for note in data.notes if "sub-folders" in note]
    assert note == f"sub-folders without files are no classes: {folder / 'c'}; {folder / 'labels'}."
    one = {f"images/{name.replace('/', '-')}": v for name, v in FILES.items()}
    alone = load(str(unpacked(tmp_path / "one", {"notes.txt": b"x"} | one)))
    assert alone.y_train is None
    assert not any("sub-folders" in note for note in alone.notes)


def foreign_zip(path, names):
    """Write an archive whose names are bytes of an encoding that it does not tell."""
    entries, out = [], b""
    for i, name in enumerate(names):
        content = png(PIXELS[i])
        crc, n = zlib.crc32(content), len(content)
        head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0x21, crc, n, n, len(name), 0)
        entries.append((len(out), name, crc, n))
        out += head + name + content
    start = len(out)
    for offset, name, crc, n in entries:
        made = (20, 20, 0, 0, 0, 0x21, crc, n, n, len(name), 0, 0, 0, 0, 0, offset)
        out += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, *made) + name
    end = (0, 0, len(entries), len(entries), len(out) - start, start, 0)
    path.write_bytes(out + struct.pack("<IHHHHIIH", 0x06054B50, *end))
    return path


@pytest.mark.parametrize("codec", ["cp949", "utf-8", "cp437"])
def test_names_in_an_archive_of_another_system(tmp_path, codec):
    words = ("Füße", "Ärmel") if codec == "cp437" else ("고양이", "강아지")
    names = [f"{words[i % 2]}/{i}.png".encode(codec) for i in range(10)]
    data = load(str(foreign_zip(tmp_path / "x.zip", names)))
    assert data.class_names == tuple(sorted(words))
    told = [note for note in data.notes if "names in x.zip were read as CP949" in note]
    assert bool(told) == (codec == "cp949")
    np.testing.assert_array_equal(
        np.sort(np.concatenate([data.y_train, data.y_test])), np.repeat([0, 1], 5)
    )


def test_a_pattern_of_pictures_is_told_to_be_a_folder(tmp_path):
    unpacked(tmp_path, FILES)
    with pytest.raises(InputError, match=r"names pictures, 00.png: give their folder"):
        load(str(tmp_path / "a/*.png"))


def test_raw_files_of_cameras_are_not_read_by_their_small_picture(tmp_path):
    """A .dng is a .tif, whose first picture is small."""
    folder = unpacked(tmp_path / "in", {f"{i}.png": png(PIXELS[i]) for i in range(4)})
    stream = io.BytesIO()
    Image.fromarray(PIXELS[5]).save(stream, "TIFF")
    for name, content in (
        ("a.dng", stream.getvalue()),
        ("b.jxl", b"\xff\x0a"),
        ("c.pdf", b"%PDF-1"),
    ):
        (folder / name).write_bytes(content)
    data = load(str(folder))
    assert len(data.x_train) + len(data.x_test) == 4
    (note,) = [note for note in data.notes if "left out" in note]
    assert "a.dng: it is a camera's raw file; develop" in note
    assert "b.jxl: it is not an image of a kind that can be read; convert the pictures" in note
    assert "c.pdf: it is a PDF, not a picture; make pictures of its pages" in note


def test_files_without_an_ending_are_called_so(tmp_path, capsys):
    unpacked(tmp_path / "in", {f"p{i}": png(PIXELS[i]) for i in range(4)})
    assert main(["data", "describe", str(tmp_path / "in")]) == 0
    assert "4 picture files (4 without an ending)" in capsys.readouterr().out


STACK = np.random.default_rng(0).integers(0, 4096, (10, 2, 9, 8)).astype(np.uint16)


@pytest.mark.parametrize(
    ("values", "axes"),
    [
        (STACK[:, 0].astype(np.uint8), "TYX"),
        (STACK[:, 0], "ZYX"),
        (STACK[:, 0], None),
        (STACK, "TCYX"),
    ],
)
def test_a_stack_of_pages_in_one_file_is_so_many_pictures(tmp_path, values, axes):
    how = {"metadata": {"axes": axes}, "imagej": True} if axes else {"photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "stack.tif", values, **how)
    data = load(str(tmp_path / "stack.tif"))
    expected = values if values.dtype == np.uint8 else values / np.float32(65535)
    np.testing.assert_allclose(data.x_train, expected[:9], atol=1e-7)
    np.testing.assert_allclose(data.x_test, expected[9:], atol=1e-7)
    assert data.x_train.dtype == (np.uint8 if values.dtype == np.uint8 else np.float32)
    assert any("1 of its 10 frames, is the test" in note for note in data.notes)
