"""Archives read as the folders in them, whatever their names and members."""

import io
import os
import shutil
import stat
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from latentia.data import load
from latentia.data.crops import load_crops
from latentia.data.limits import VARIABLE
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 8, 6, 3)).astype(np.uint8)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


FILES = {f"{'ab'[i % 2]}/{i:02}.png": png(PIXELS[i]) for i in range(20)}
PARTS = {f"{'Train' if i < 12 else 'Val'}/{name}": v for i, (name, v) in enumerate(FILES.items())}


def packed(path, files):
    """Write an archive, of the kind that its name tells."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    mode = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
    with tarfile.open(path, mode[path.suffix]) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def unpacked(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def same(data, other):
    for name in ("x_train", "y_train", "x_test", "y_test", "pair_train", "pair_test"):
        np.testing.assert_array_equal(getattr(data, name), getattr(other, name))
    assert data.class_names == other.class_names


@pytest.mark.parametrize("name", ["p.zip", "p.tar", "p.tar.gz", "p.tgz", "p.tar.bz2", "p.tar.xz"])
@pytest.mark.parametrize("files", [FILES, PARTS], ids=["one part", "two parts"])
def test_an_archive_is_what_its_folder_is(tmp_path, name, files):
    folder = load(str(unpacked(tmp_path / "folder", files)))
    archive = load(str(packed(tmp_path / name, files)))
    same(archive, folder)
    assert archive.name == name
    assert archive.own_test == (files is PARTS)
    assert [str(n) for n in archive.names_train] == [str(n) for n in folder.names_train]
    wrapped = {f"photos/{key}": value for key, value in files.items()}
    same(load(str(packed(tmp_path / f"w{name}", wrapped))), folder)
    assert not any("cut off" in note for note in archive.notes)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["folder", name, f"w{name}"])


@pytest.mark.parametrize("loader", [load_crops, load_pairs, load_unpaired])
def test_every_reader_of_folders_reads_archives(tmp_path, loader):
    sides = {f"train{side}/{i:02}.png": png(PIXELS[i]) for side in "AB" for i in range(26)}
    options = {"image_size": 4} if loader is load_crops else {}
    folder = loader(str(unpacked(tmp_path / "folder", sides)), **options)
    archive = loader(str(packed(tmp_path / "p.zip", sides)), **options)
    same(archive, folder)


def test_a_zip_is_known_by_its_content_too(tmp_path):
    path = packed(tmp_path / "p.zip", FILES).rename(tmp_path / "p.jpg")
    assert len(load(str(path)).x_train) == 18
    (tmp_path / "folder").mkdir()
    path.rename(tmp_path / "folder/p.jpg")
    with pytest.raises(InputError, match=r"p.jpg: it is a zip archive, not a picture"):
        load(str(tmp_path / "folder"))


HOSTILE = {
    "../../up.png": "its name leads out of the archive",
    "/etc/x.png": "its name leads out of the archive",
    "C:/x.png": "its name leads out of the archive",
    "a/inner.zip": "it is an archive in an archive",
    "a/inner.tar.gz": "it is an archive in an archive",
    "a/empty.png": "it has zero bytes",
    "a/broken.png": "it is not an image of a kind that can be read",
}


@pytest.mark.parametrize("name", ["p.zip", "p.tar", "p.tgz"])
def test_what_is_odd_in_an_archive_is_left_out_and_told(tmp_path, name):
    odd = dict.fromkeys(HOSTILE, b"rubbish") | {"a/empty.png": b""}
    hidden = {"__MACOSX/a/._00.png": b"x", "a/Thumbs.db": b"x", "a/.hidden.png": b"x"}
    data = load(str(packed(tmp_path / name, FILES | odd | hidden)))
    assert len(data.x_train) + len(data.x_test) == 20
    assert data.class_names == ("a", "b")
    left_out, passed_over = data.notes[:2]
    assert left_out.startswith("7 of 27 files were left out")
    for reason in HOSTILE.values():
        assert reason in left_out
    assert passed_over.startswith("3 hidden files not looked at")
    assert [path.name for path in tmp_path.rglob("*")] == [name]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "secret.png").write_bytes(png(PIXELS[0]))
    path = packed(tmp_path / "p.tar", FILES)
    with tarfile.open(path, "a") as archive:
        for kind, target in ((tarfile.SYMTYPE, "../secret.png"), (tarfile.LNKTYPE, "a/00.png")):
            info = tarfile.TarInfo(f"a/link{kind}.png")
            info.type, info.linkname = kind, target
            archive.addfile(info)
        info = tarfile.TarInfo("a/pipe.png")
        info.type = tarfile.FIFOTYPE
        archive.addfile(info)
    data = load(str(path))
    assert len(data.x_train) + len(data.x_test) == 20
    assert data.notes[0].startswith("3 of 23 files")
    assert data.notes[0].count("a link in an archive, which is not followed") == 1
    assert data.notes[0].count("/a/link") == 2
    path = packed(tmp_path / "p.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("a/link.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, str(tmp_path / "secret.png"))
    assert "a/link.png: it is a link in an archive" in load(str(path)).notes[0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_one_name_the_last_counts_and_it_is_told(tmp_path):
    path = packed(tmp_path / "p.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a/00.png", png(PIXELS[25]))
    data = load(str(path))
    every = np.concatenate([data.x_train, data.x_test])
    there = [bool((every == np.moveaxis(PIXELS[i], 2, 0)).all((1, 2, 3)).any()) for i in (0, 25)]
    assert there == [False, True]
    assert any("holds 1 members whose names come again" in note for note in data.notes)


def test_a_member_that_is_damaged_or_locked_is_left_out(tmp_path):
    path = packed(tmp_path / "p.zip", FILES)
    whole = bytearray(path.read_bytes())
    whole[whole.find(b"a/02.png") + 60] ^= 0xFF
    path.write_bytes(whole)
    data = load(str(path))
    assert data.notes[0].startswith("1 of 20 files were left out")
    assert "a/02.png: it is damaged in its archive" in data.notes[0]
    locked = bytearray(packed(tmp_path / "q.zip", FILES).read_bytes())
    place = locked.find(b"PK\1\2")
    locked[place + 8] |= 1
    (tmp_path / "q.zip").write_bytes(locked)
    assert "a/00.png: it is locked with a password" in load(str(tmp_path / "q.zip")).notes[0]


@pytest.mark.parametrize("name", ["p.zip", "p.tar", "p.tgz", "p.tar.xz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_an_archive_that_is_cut_off_is_one_sentence(tmp_path, name, share):
    path = packed(tmp_path / name, FILES)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    if name == "p.tar" and share:
        # What is there can be read, and that something is missing is said.
        assert any("p.tar lacks its end: it is cut off" in note for note in load(str(path)).notes)
        return
    with pytest.raises(InputError, match=r"p\.\S+ (cannot be read as an archive: |is empty)"):
        load(str(path))


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    bomb = {"a.png": bytes(3 * 2**20)}
    monkeypatch.setenv(VARIABLE, "1M")
    with pytest.raises(InputError, match=r"a.png: it would take 3.0 MiB .* limit of 1.0 MiB"):
        load(str(packed(tmp_path / "p.zip", bomb)))
    with pytest.raises(InputError, match=r"p.tgz, unpacked, would take .* limit of 1.0 MiB"):
        load(str(packed(tmp_path / "p.tgz", bomb)))


def test_a_head_that_promises_less_than_there_is_cannot_hide_a_bomb(tmp_path):
    path = packed(tmp_path / "p.zip", {"a.png": bytes(2**20), **FILES})
    whole = bytearray(path.read_bytes())
    for place in (whole.find(b"PK\3\4") + 22, whole.find(b"PK\1\2") + 24):
        whole[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(whole)
    assert "a.png: it is damaged in its archive" in load(str(path)).notes[0]


def test_links_in_folders_are_followed_and_loops_are_not(tmp_path):
    unpacked(tmp_path / "elsewhere", {"x.png": png(PIXELS[0]), "y.png": png(PIXELS[1])})
    folder = unpacked(tmp_path / "in", FILES)
    (folder / "c").symlink_to(tmp_path / "elsewhere")
    (folder / "a/again").symlink_to(folder)
    data = load(str(folder))
    assert data.class_names == ("a", "b", "c")
    assert len(data.x_train) + len(data.x_test) == 22
    assert "again: it is a link to a folder that it lies in" in data.notes[0]
    assert os.path.lexists(folder / "a/again")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_folders_without_files_are_told_as_those_on_the_disk_are(kind, tmp_path):
    for name in ("in/cat", "in/dog", "in/fox", "in/fox/young", "in/.git", "other"):
        (tmp_path / f"p/{name}").mkdir(parents=True)
    for number in range(4):
        (tmp_path / f"p/in/{('cat', 'dog')[number % 2]}/{number}.png").write_bytes(png(PIXELS[0]))
    file = shutil.make_archive(str(tmp_path / "a"), kind, tmp_path / "p")
    (tmp_path / "p/other").rmdir()
    plain, packed_ = load(str(tmp_path / "p")), load(file)
    [told] = [note for note in plain.notes if "without files" in note]
    assert told == f"sub-folders without files are no classes: {tmp_path / 'p/in/fox'}."
    assert told.replace(str(tmp_path / "p"), file) in packed_.notes
    assert plain.class_names == packed_.class_names == ("cat", "dog")
