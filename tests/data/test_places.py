"""Which names and folders are taken for what: cases in which one part of a condition decides."""

import io
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from latentia.data import load, tables
from latentia.data.archives import innermost, is_archive, is_support, part_of
from latentia.data.folders import train_and_test
from latentia.data.limits import VARIABLE
from latentia.data.many_bands import BadImageError, _unit
from latentia.data.numerals import first_word
from latentia.data.on_disk import are_too_many
from latentia.data.pictures import stack
from latentia.errors import InputError


def png(value=0):
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def write(root, *names):
    """Write a picture under each name, a folder where the name ends in a slash."""
    for i, name in enumerate(names):
        place = root / name
        if name.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(png(i))
    return root


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Train", "train"),
        ("test_images", "test"),
        ("test_cats", ""),
        ("cats", ""),
        ("images", ""),
        ("testimony", ""),
    ],
)
def test_a_part_is_told_by_one_word(name, part):
    assert part_of(name) == part


def test_support_is_hidden_or_another_programs():
    assert [is_support(name) for name in (".x", "__MACOSX", "x")] == [True, True, False]


@pytest.mark.parametrize(
    ("names", "inner"),
    [
        (["a/1.png"], "a"),
        (["a/b/1.png"], "a/b"),
        (["a/1.png", "b/1.png"], ""),
        (["train/1.png"], ""),
        (["a/1.png", "README"], "a"),
        (["a/1.png", "notes.TXT"], "a"),
        (["a/1.png", "1.png"], ""),
        (["a/1.png", ".git/x", "__MACOSX/x"], "a"),
    ],
)
def test_the_only_folder_in_a_folder_is_looked_into(tmp_path, names, inner):
    assert innermost(write(tmp_path / "in", *names)) == tmp_path / "in" / inner


def test_a_link_to_a_folder_is_not_looked_into_and_one_in_an_archive_hides_none(tmp_path):
    write(tmp_path / "there", "1.png")
    write(tmp_path / "in", "./")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "there", target_is_directory=True)
    assert innermost(tmp_path / "in") == tmp_path / "in"


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["train/1.png", "test/1.png"], ["train", "test"]),
        (["train/1.png"], ["train"]),
        (["train/1.png", ".x/1.png", "1.png"], ["train"]),
        (["train/1.png", "cats/1.png"], []),
        (["train/1.png", "test/1.png", "cats/1.png"], ["train", "test"]),
    ],
)
def test_a_folder_has_parts_or_only_the_first(tmp_path, names, parts):
    found = train_and_test(write(tmp_path, *names))
    assert [path.name for path in found] == parts


def test_an_archive_is_a_file_told_by_its_name_or_its_content(tmp_path):
    write(tmp_path, "a.png", "folder.zip/")
    with zipfile.ZipFile(tmp_path / "zipped", "w") as archive:
        archive.writestr("a", "b")
    with tarfile.open(tmp_path / "tarred", "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(tmp_path / "a.png", "a.png")
    (tmp_path / "empty.zip").write_bytes(b"")
    for name in ("zipped", "tarred", "empty.zip"):
        assert is_archive(tmp_path / name), name
    for name in ("a.png", "folder.zip", "none.zip"):
        assert not is_archive(tmp_path / name), name


def test_a_table_in_an_archive_may_have_remarks_beside_it(tmp_path):
    table = "a,b\n" + "".join(f"{i}.5,{i * i}\n" for i in range(9))
    for beside, is_table in (
        ({"__MACOSX/._t.csv": "x", "README.md": "x", "about/": ""}, True),
        ({"more.png": "x"}, False),
    ):
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            for name, content in {"t.csv": table, **beside}.items():
                archive.writestr(name, content)
        assert tables.is_table(tmp_path / "t.zip") == is_table
        if is_table:
            assert load(str(tmp_path / "t.zip")).columns == ("a", "b")


def test_a_member_that_comes_again_is_told_also_where_one_of_them_is_a_link(tmp_path):
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        link = tarfile.TarInfo("0.png")
        link.type, link.linkname = tarfile.SYMTYPE, "1.png"
        archive.addfile(link)
        hard = tarfile.TarInfo("hard.png")
        hard.type, hard.linkname = tarfile.LNKTYPE, "1.png"
        archive.addfile(hard)
        pipe = tarfile.TarInfo("pipe.png")
        pipe.type = tarfile.FIFOTYPE
        archive.addfile(pipe)
        for i in (0, 1, 2, 1):
            info = tarfile.TarInfo(f"{i}.png")
            info.size = len(png(i))
            archive.addfile(info, io.BytesIO(png(i)))
    notes = " ".join(load(str(tmp_path / "p.tar")).notes)
    assert "holds 2 members whose names come again later, of which the last was taken" in notes
    assert "0.png, 1.png" in notes
    assert "hard.png: it is a link in an archive" in notes
    assert "pipe.png: it is no file" in notes


def test_a_table_beside_a_folder_that_is_no_part_is_not_of_it(tmp_path):
    write(tmp_path / "pics", *(f"{i}.png" for i in range(8)))
    rows = "".join(f"{i}.png,{'uv'[i % 2]}\n" for i in range(8))
    (tmp_path / "t.csv").write_text("file,label\n" + rows)
    assert load(str(tmp_path / "pics")).y_train is None
    (tmp_path / "pics").rename(tmp_path / "train")
    assert load(str(tmp_path / "train")).class_names == ("u", "v")


def pictures(*shapes):
    return [np.zeros(shape, np.uint8) for shape in shapes]


def test_pictures_are_stacked_if_their_channels_agree():
    assert stack(pictures((4, 4), (4, 4)), "x").shape == (2, 4, 4)
    assert stack(pictures((4, 4), (3, 4, 4)), "x").shape == (2, 3, 4, 4)
    assert stack(pictures((5, 4, 4), (5, 4, 4)), "x").shape == (2, 5, 4, 4)
    for shapes, said in (
        ([(5, 4, 4), (3, 4, 4)], "5 (1), 3 (1)"),
        ([(4, 4), (5, 4, 4), (5, 4, 4)], "5 (2), 1 (1)"),
        ([(3, 4, 4), (5, 4, 4), (5, 4, 4)], "5 (2), 3 (1)"),
    ):
        with pytest.raises(InputError) as caught:
            stack(pictures(*shapes), "x")
        assert f"images in x have different numbers of channels, {said}; give" in str(caught.value)


@pytest.mark.parametrize("values", [[-0.5, 0.5], [0.5, 1.5]])
def test_bands_of_unknown_white_are_refused(values):
    with pytest.raises(
        BadImageError, match=r"its float32 values span .*; what is white is known of"
    ):
        _unit(np.array([[values]], np.float32))
    with pytest.raises(BadImageError, match="its int16 values span 0 to 1;"):
        _unit(np.array([[[0, 1]]], np.int16))
    assert _unit(np.array([[[0, 65535]]], np.uint16)).tolist() == [[[0, 1]]]


def test_pictures_one_a_file_are_no_pack_that_grows(tmp_path, monkeypatch):
    write(tmp_path, "a.png", "b.png")
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    monkeypatch.setenv(VARIABLE, "1K")
    assert are_too_many(files, [1, 1], 4000, 4000)
    assert not are_too_many(files, [1, 2], 4000, 4000)
    assert not are_too_many(files, [1, 1], 4, 4)


def test_the_first_word_is_no_gap_and_no_number():
    assert first_word(pa.chunked_array([[None, "NA", "1.5", "w"]])) == ("w", 4)
