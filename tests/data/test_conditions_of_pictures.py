"""Conditions on pictures, archives and data sets, each of their parts where it alone decides."""

import io
import json
import os
import tarfile
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from latentia.data import (
    archives,
    arrays,
    crops,
    dataset,
    download,
    folders,
    frames,
    framing,
    hugging_face,
    idx,
    images,
    lab,
    limits,
    many_bands,
    matlab_files,
    named,
    on_disk,
    pairs,
    picture_labels,
    picture_sources,
    pictures,
    text,
    unpaired,
)
from latentia.data.archives import Member, MemberError, Packed
from latentia.data.dataset import Dataset, Part, in_file_order, split
from latentia.errors import InputError

RNG = np.random.default_rng(0)


def refusal(call, *arguments):
    """Return the sentence in which a call is refused."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return str(caught.value)


def packed(path, members):
    """Return an archive of these members: bytes, or a kind of .tar's, by name."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return Packed(path)
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            elif len(content) == 1:
                info.type, info.linkname = content, "elsewhere"
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content if info.size else b""))
    return Packed(path)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a/./b//c", ("a", "b", "c")),
        ("a:b/c", None),
        ("/a", None),
        ("a/../b", None),
        ("a\0b", None),
        ("ab:c", ("ab:c",)),
    ],
)
def test_names_that_lead_out_of_an_archive_have_no_parts(name, parts):
    assert archives._parts(name) == parts


@pytest.mark.parametrize(
    ("name", "flag", "original", "is_foreign"),
    [("é", 0, "é", True), ("é", 0x800, "é", False), ("é", 0, "e", False), ("e", 0, "e", False)],
)
def test_a_name_is_foreign_if_nothing_tells_its_encoding(name, flag, original, is_foreign):
    info = SimpleNamespace(filename=name, flag_bits=flag, orig_filename=original)
    assert archives._is_foreign(info) == is_foreign


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_folders_without_files_are_known_by_their_parent(tmp_path, ending):
    held = packed(
        tmp_path / f"x.{ending}",
        {"a/": b"", "a/x/": b"", "a/1.png": b"12", "b/y/": b"", "b/2.png": b"12", "../c/": b""},
    )
    assert () in held.bare
    a = Member(held, (*held.root.parts, "a"))
    assert [folder.name for folder in a.bare_folders()] == ["x"]
    assert held.root.bare_folders() == []


def test_a_zip_may_have_something_before_it(tmp_path):
    whole = packed(tmp_path / "x.zip", {"a.png": b"12"}).path.read_bytes()
    (tmp_path / "y.zip").write_bytes(b"before it" + whole)
    assert [*Packed(tmp_path / "y.zip").entries] == [("a.png",)]
    (tmp_path / "z.bin").write_bytes(whole)
    assert [*Packed(tmp_path / "z.bin").entries] == [("a.png",)]


def test_members_that_are_no_files_are_told(tmp_path):
    held = packed(tmp_path / "x.tar", {"s": tarfile.GNUTYPE_SPARSE, "l": b"2", "f": b"12"})
    assert held.reasons == {("s",): "it is no file", ("l",): archives.LINK}
    assert [*held.entries] == [("f",)]


def test_an_error_without_words_is_named(tmp_path, monkeypatch):
    held = packed(tmp_path / "x.zip", {"f": b"12"})
    for error, words in ((TimeoutError(), "TimeoutError"), (OSError("a\n b"), "a b")):

        def fail(error=error):
            raise error

        held.entries[("f",)] = held.entries[("f",)]._replace(open=fail)
        with pytest.raises(MemberError) as caught:
            held.opened(("f",))
        assert str(caught.value) == f"it is damaged in its archive ({words})"
        with monkeypatch.context() as patch:
            patch.setattr(Packed, "_read", lambda _, fail=fail: fail())
            said = refusal(Packed, tmp_path / "x.zip")
        assert said == f"{tmp_path}/x.zip cannot be read as an archive: {words}"
        with monkeypatch.context() as patch:
            patch.setattr(download, "_fetch_from", lambda *_, fail=fail: fail())
            file = SimpleNamespace(name="f.gz")
            said = refusal(download._fetch, file, ["https://a.org"], tmp_path, "do this")
        assert said.endswith(f"(https://a.org: {words}); check the network, or do this")


@pytest.mark.parametrize(
    ("members", "inner"),
    [
        ({"in/1.png": b"12", "x.dat": b"2"}, "in"),
        ({"in/1.png": b"12", "x.dat": b"12"}, ""),
        ({"in/1.png": b"12", "x.txt": b"12"}, "in"),
        ({"in/1.png": b"12", "on/1.png": b"12"}, ""),
    ],
)
def test_pictures_lie_in_the_only_folder_beside_nothing_that_is_read(tmp_path, members, inner):
    root = packed(tmp_path / "x.tar", members).root
    assert "/".join(archives.innermost(root).inside) == inner


X, Y = np.zeros((12, 2)), np.arange(12) % 2


@pytest.mark.parametrize(
    ("held", "refused"),
    [
        ({"x": X, "x_test": X}, ""),
        ({"x": X, "x_train": X[:5]}, ""),
        ({"x_train": X}, "holds ['x_train']; name the samples 'x' or 'images'"),
        ({"x_test": X}, "holds ['x_test']; name the samples 'x' or 'images'"),
    ],
)
def test_parts_are_two_or_none(tmp_path, held, refused):
    np.savez(tmp_path / "t.npz", **held)
    if refused:
        assert refusal(named.load, f"{tmp_path}/t.npz") == f"{tmp_path}/t.npz {refused}"
    else:
        assert len(named.load(f"{tmp_path}/t.npz").x_train) == 11


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "t.npz: 'smile' was taken for its labels."),
        ({"hat": Y, "few": Y[:5]}, "t.npz: 'smile' was taken for its labels; there are also hat."),
    ],
)
def test_an_array_of_few_values_is_labels_and_others_are_told(tmp_path, more, said):
    np.savez(tmp_path / "t.npz", x=X, smile=Y, **more)
    assert said in named.load(f"{tmp_path}/t.npz").notes
    assert arrays._usual_name("train_weights") == "train_weights"
    np.savez(tmp_path / "t.npz", x=X, few=Y[:5])
    assert named.load(f"{tmp_path}/t.npz").y_train is None


def test_a_square_of_whole_numbers_is_no_matrix():
    square = np.array([[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]])
    assert len(arrays._of_a_square(square, "x")) == 1
    assert arrays._of_a_square(4 * np.eye(3, dtype=int) + 1, "x") == ()


def test_what_is_in_memory_is_converted_and_drawn_at_random_whatever_its_size(monkeypatch):
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", 1)
    values = np.arange(60, dtype=">f4").reshape(30, 2)
    native = arrays._native(values, "x")
    assert native.dtype.isnative
    np.testing.assert_array_equal(native, values)
    data = split(Part(native), "x", 0)
    assert "3 of its 30 samples were drawn at random for it." in data.notes[0]
    assert data.x_test.tolist() != native[-3:].tolist()
    np.testing.assert_array_equal(in_file_order(data).x, native)


def test_parts_of_their_own_follow_each_other():
    data = Dataset("x", X[:8] + 1, Y[:8], X[:4], Y[:4])
    found = in_file_order(data)
    np.testing.assert_array_equal(found.x, np.concatenate([data.x_train, data.x_test]))
    np.testing.assert_array_equal(found.y, [*Y[:8], *Y[:4]])
    for y_train, y_test in ((None, Y[:4]), (Y[:8], None)):
        assert in_file_order(Dataset("x", X[:8], y_train, X[:4], y_test)).y is None


def test_rows_on_the_disk_stay_in_their_order(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(60.0).reshape(30, 2))
    held = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = Dataset("x", held[:27], None, held[27:], None, own_test=False)
    np.testing.assert_array_equal(in_file_order(data).x, held)


@pytest.mark.parametrize(
    ("y_train", "y_test", "labelled"),
    [
        (Y[:8], Y[:4], True),
        (None, Y[:4], False),
        (Y[:8], None, False),
        (X[:8], X[:4], False),
    ],
)
def test_samples_are_labelled_if_those_of_both_parts_have_classes(y_train, y_test, labelled):
    data = Dataset("x", X[:8], y_train, X[:4], y_test)
    assert data.labelled == labelled
    classes = {"": "2 classes: 0, 1", "n": "2 classes: no, yes"}
    if labelled:
        assert data._classes() == classes[""]
        named_ = Dataset("x", X[:8], y_train, X[:4], y_test, ("no", "yes"))
        assert named_._classes() == classes["n"]


def four_files(folder):
    for name in idx.FILES.values():
        (folder / name).touch()
    return str(folder)


def test_the_four_files_are_no_pictures_to_cut(tmp_path):
    assert not crops._is_other(str(tmp_path))
    assert crops._is_other(four_files(tmp_path))
    assert crops._is_other("digits")


@pytest.mark.parametrize(
    ("n_pictures", "n_pieces", "said"),
    [
        ((2, 2), (1, 1), ""),
        ((0, 3), (1, 1), "p holds 0 pictures to train and 3 to test on; give at least 10, or "),
        ((3, 0), (1, 1), "p holds 3 pictures to train and 0 to test on; give at least 10, or "),
        ((3, 3), (0, 1), "no picture has sides of at least 8 pixels; cut smaller crops"),
        ((3, 3), (1, 0), "no picture has sides of at least 8 pixels; cut smaller crops"),
    ],
)
def test_both_parts_have_pictures_and_pieces(n_pictures, n_pieces, said):
    parts = [SimpleNamespace(owner="p", files=[], odd=[])]
    train, test = (
        crops.Pieces(np.zeros((n_x, 3, 8, 8)), n, (), []) for n, n_x in zip(n_pictures, n_pieces)
    )
    call = crops._check, parts, {}, 8, train, test
    if said:
        assert refusal(*call).startswith(said)
    else:
        call[0](*call[1:])


def test_a_trickle_is_an_error_and_an_end_is_none(monkeypatch):
    clock = iter([0, 0, 100, 200, 201])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    given = iter([None, 0, 1])
    paced = download._Paced(SimpleNamespace(readinto=lambda _: next(given), close=lambda: None))
    assert paced.readinto(b"") is None
    assert paced.readinto(b"") == 0
    clock = iter([300, 301])
    with pytest.raises(TimeoutError, match=r"it sent 1 bytes in \d+ seconds"):
        paced.readinto(b"")
    paced.close()


class Answer(io.BytesIO):
    """What a server says to a request for a range."""

    length = 0

    def __init__(self, status, there):
        super().__init__(b"new")
        self.status, self.headers = status, {"Content-Range": there}


@pytest.mark.parametrize(
    ("status", "there", "content"),
    [
        (206, "bytes 3-5/6", b"oldnew"),
        (200, "bytes 0-5/6", b"new"),
        (206, "bytes 0-5/6", None),
    ],
)
def test_a_range_is_appended_if_it_is_the_one_asked_for(
    tmp_path, monkeypatch, status, there, content
):
    opener = SimpleNamespace(open=lambda *_, **__: Answer(status, there))
    monkeypatch.setattr(download.urllib.request, "build_opener", lambda *_: opener)
    part = tmp_path / "f.part"
    part.write_bytes(b"old")
    if content is None:
        with pytest.raises(OSError, match="it sent 'bytes 0-5/6' where bytes from 3 were asked"):
            download._download("https://a.org/f", part, 99)
        return
    download._download("https://a.org/f", part, 99)
    assert part.read_bytes() == content


tifffile = pytest.importorskip("tifffile")
DEEP = RNG.integers(0, 65536, (5, 6, 3)).astype(np.uint16)


def test_more_than_eight_bits_are_read_where_they_are_asked_for(tmp_path):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, DEEP, photometric="rgb")
    assert many_bands.has_many_bands(path)
    assert [pixels.dtype for pixels in frames.frames_of(path, None)] == [np.uint8]
    deep = next(iter(frames.frames_of(path, None, deep=True)))
    np.testing.assert_allclose(np.moveaxis(deep, 0, 2), DEEP / 65535, atol=1e-6)
    assert images.read(path)[0].dtype == np.uint8
    assert images._bands(path, None, None)[0].dtype == np.float32


def test_a_cameras_file_is_no_tiff_of_many_bands(tmp_path):
    path = tmp_path / "x.dng"
    tifffile.imwrite(path, DEEP, photometric="rgb")
    assert many_bands.has_many_bands(path)
    assert images._bands(path, None, None) is None
    assert pictures._size_of(path) is None
    with pytest.raises(images.BadImageError, match=r"^it is a camera's raw file; "):
        images.read(path)


def test_what_is_no_file_is_never_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "x.tif")
    os.mkfifo(tmp_path / "x.parquet")
    os.mkfifo(tmp_path / "x.txt")

    def fail(path):
        raise AssertionError(path)

    monkeypatch.setattr(images, "has_many_bands", fail)
    monkeypatch.setattr(hugging_face, "schema_of", fail)
    assert images._bands(tmp_path / "x.tif", None, None) is None
    assert not hugging_face.is_image_table(tmp_path / "x.parquet")
    (tmp_path / "x.bin").touch()
    assert not hugging_face.is_image_table(tmp_path / "x.bin")


def test_pages_of_one_are_no_stack():
    assert many_bands._notes((1, 5, 6), "TYX") == ()
    assert many_bands._notes((4, 5, 6), "TYX") == ("only the first of its 4 pages was used",)


@pytest.mark.parametrize(
    ("mode", "deep", "n_bytes"),
    [("I;16", True, 120), ("I;16", False, 30), ("L", True, 30), ("RGB", True, 90)],
)
def test_a_picture_says_how_many_bytes_it_will_take(mode, deep, n_bytes):
    told = []
    image = Image.new(mode, (5, 6))
    images._tell(image, None, told.append, deep)
    assert told == [n_bytes]
    assert images.is_grey(image) == (mode != "RGB")
    assert images._notes(image) == ()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("a \n b"), "a b"),
        (OSError(), "it is broken ()"),
        (LookupError("a"), "it is broken (a)"),
    ],
)
def test_an_error_is_told_if_it_has_words_for_a_reader(error, words):
    assert images._sentence(error) == words


@pytest.mark.parametrize("head", [b"0000ftypavis", b"0000freeheic"])
def test_heic_has_two_marks(head):
    with pytest.raises(images.BadImageError, match=r"^$"):
        images._header(io.BytesIO(head + bytes(99)))


def test_what_a_reader_would_keep_is_told_where_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "reader", lambda: None)
    lost = ("its bands were left out",)
    monkeypatch.setattr(images, "_bands", lambda *_: None)
    for suffix, deep, note, told in (
        (".tif", True, lost, True),
        (".tif", True, ("its colours were reduced",), True),
        (".tif", False, lost, False),
        (".tif", True, ("another",), False),
        (".png", True, lost, False),
    ):
        Image.new("L", (5, 6)).save(tmp_path / f"x{suffix}")
        monkeypatch.setattr(
            images, "opened", lambda path, tell, note=note: (Image.new("L", (5, 6)), note)
        )
        notes = images.read(tmp_path / f"x{suffix}", deep=deep)[1]
        assert notes == ((*note, images.NEEDED) if told else note)
    monkeypatch.setattr(images, "reader", lambda: tifffile)
    assert images.read(tmp_path / "x.tif", deep=True)[1] == lost


@pytest.mark.parametrize(("word", "frame"), [("fit", None), ("crop", None), (None, None)])
def test_no_pictures_need_no_frame(word, frame):
    assert framing.chosen_frame([], "p", word) == (frame, "")


@pytest.mark.parametrize("shape", [(3, 4), (2, 1, 4, 4), (3,)])
def test_colours_are_three_channels(shape):
    assert refusal(lab.check_colours, np.zeros(shape)) == (
        f"colours need images (n, 3, H, W); these have shape {shape}"
    )
    lab.check_colours(np.zeros((3, 4, 4)))


@pytest.mark.parametrize("given", ["0", "0G", "much", ""])
def test_the_limit_is_a_number_of_bytes(monkeypatch, given):
    monkeypatch.setenv(limits.VARIABLE, given)
    said = f"{limits.VARIABLE} is {given!r}; give a number of bytes, such as 8G"
    assert refusal(limits.most_bytes) == said


@pytest.mark.parametrize(
    ("kind", "has_bytes"),
    [
        (pa.struct([("bytes", pa.binary())]), True),
        (pa.struct([("bytes", pa.large_binary())]), True),
        (pa.struct([("bytes", pa.null())]), True),
        (pa.struct([("bytes", pa.string())]), False),
        (pa.struct([("path", pa.binary())]), False),
    ],
)
def test_a_column_of_pictures_holds_bytes(kind, has_bytes):
    assert hugging_face._has_bytes(kind) == has_bytes
    schema = pa.schema([("blob", pa.binary()), ("image_name", pa.string()), ("s", kind)])
    assert hugging_face.image_column(schema) == ("s" if has_bytes else None)


@pytest.mark.parametrize(("value", "name"), [(1, "b"), (2, "2"), (-1, "-1"), ("1", "1"), (0, "a")])
def test_a_number_stands_for_the_name_in_its_place(value, name):
    assert hugging_face._named(value, {"names": ["a", "b"]}) == name
    assert hugging_face._named(value, {"names": "ab"}) == str(value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0", b"\1\0\x08\1\0\0\0\1a", b"\0\1\x08\1\0\0\0\1a", b"\0\0\x77\1\0\0\0\1a"],
)
def test_idx_files_begin_as_they_must(content):
    said = f"t is not an idx file: its first bytes are {content[:4]!r}"
    assert refusal(idx.parse, content, "t") == said
    assert idx.parse(b"\0\0\x08\1\0\0\0\1a", "t").tolist() == [97]


@pytest.mark.parametrize("start", [b"", b"\0\0\x08", b"\0\0\x77\1\0\0\0\5", b"\0\0\x08\2\0\0\0\5"])
def test_what_begins_otherwise_promises_nothing(start):
    assert idx._promised(start, 77) == 77
    assert idx._promised(b"\0\0\x08\1\0\0\0\5", 77) == 13


def test_a_file_of_matlab_without_variables_says_so(tmp_path):
    import scipy.io

    scipy.io.savemat(tmp_path / "t.mat", {})
    said = refusal(matlab_files._numeric, tmp_path / "t.mat")
    assert said.startswith(f"{tmp_path}/t.mat holds no matrix of numbers, but nothing; ")


@pytest.mark.parametrize(
    ("spec", "label"), [("nothing.mp4", None), ("film.mp4", "none"), ("word.txt", None)]
)
def test_a_film_is_a_file_without_labels(tmp_path, spec, label):
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "word.txt").write_text("words")
    assert named._pictures(str(tmp_path / spec), 0, None, label) is None


def test_the_cache_holds_a_data_set_under_its_name_or_is_its_folder(tmp_path, monkeypatch):
    fetched = []
    monkeypatch.setattr(named, "fetch", lambda name: fetched.append(name) or tmp_path / "got")
    for folder in ("data/mnist", "mnist/mnist", "got"):
        (tmp_path / folder).mkdir(parents=True)
    four_files(tmp_path / "got")
    found = {}
    monkeypatch.setattr(named.idx, "load_folder", lambda files, _: found.update(files) or X)
    for cache, four, where in (
        ("data", None, "got"),
        ("data", "data/mnist", "data/mnist"),
        ("mnist", "mnist", "mnist"),
        ("mnist", "mnist/mnist", "mnist/mnist"),
    ):
        monkeypatch.setenv("LATENTIA_DATA", str(tmp_path / cache))
        if four:
            four_files(tmp_path / four)
        named._load("mnist", 0, None)
        assert {path.parent for path in found.values()} == {tmp_path / where}
    assert fetched == ["mnist"]
    four_files(tmp_path / "data")
    (tmp_path / "data" / "mnist" / idx.FILES["x_train"]).unlink()
    monkeypatch.setenv("LATENTIA_DATA", str(tmp_path / "data"))
    assert named._cached("mnist") is None


def test_archives_count_as_packed_and_their_animations_do_not(tmp_path):
    held = packed(tmp_path / "x.zip", {"a.gif": bytes(99), "b.gif": bytes(99)})
    members = list(held.root.iterdir())
    size = (tmp_path / "x.zip").stat().st_size
    assert on_disk._n_packed(members, [2, 3]) == size
    assert on_disk._n_packed([tmp_path / "x.zip"], [2]) == size
    assert on_disk._n_packed([tmp_path / "x.zip"], [1]) == np.inf


def kept(monkeypatch, shown, names=("a.gif", "b.mp4"), counts=(2, 1), **more):
    """Return pictures kept on the disk, files showing these frames, None for a broken one."""

    def frames_of(path, frame):
        if shown[path.name] is None:
            raise images.BadImageError("it is broken")
        return iter(shown[path.name])

    def read(path, frame):
        raise images.BadImageError("a film is no picture")

    monkeypatch.setattr(on_disk, "frames_of", frames_of)
    monkeypatch.setattr(on_disk.images, "read", read)
    return on_disk.keep([Path(name) for name in names], counts, None, 2, 2, "p", **more)


def test_frames_are_grey_if_all_of_them_are(monkeypatch):
    grey, coloured = np.ones((2, 2), np.uint8), np.ones((3, 2, 2), np.uint8)
    for first, shape in ((grey, (3, 2, 2)), (coloured, (3, 3, 2, 2))):
        found = kept(monkeypatch, {"a.gif": [first, grey], "b.mp4": [grey]})
        assert found.x.shape == shape
        assert [path.name for path, _ in found.good] == ["a.gif", "b.mp4"]


def test_of_broken_films_nothing_is_kept(monkeypatch):
    found = kept(monkeypatch, {"a.gif": None, "b.mp4": None}, ends_last=True)
    assert len(found.x) == 0
    assert [why for _, why in found.bad] == ["it is broken"] * 2


def test_pairs_are_told_by_what_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for spec in ("edges:", "a,b", "a.dat", "nothing.csv"):
        (tmp_path / "a.dat").write_text("input,target\n")
        said = refusal(pairs._load, spec, 0, None)
        assert said.startswith(f"{spec!r} names no pairs of images; give a folder of pictures ")
    (tmp_path / "t.csv").write_text("\n")
    assert pairs._list_of(tmp_path / "t.csv").pairs == []
    for name in ("A", "B", "A,B/A", "A,B/B"):
        (tmp_path / name).mkdir(parents=True)
    seen = []

    def stop(*_):
        raise InputError("stop")

    monkeypatch.setattr(pairs, "_settled", stop)
    monkeypatch.setattr(pairs, "_layout", lambda folder: seen.append(folder) or [])
    monkeypatch.setattr(pairs, "equal_names", lambda a, b: seen.append((a, b)))
    for spec, expected in (("A,B", Path("A,B")), ("B,A", (Path("B"), Path("A")))):
        with pytest.raises(InputError, match="stop"):
            pairs._load(spec, 0, None)
        assert seen.pop() == expected


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"x": 3, "y": 3}, "xy"),
        ({"input": 3, "target": 3}, ["input", "target"]),
        ({"x": 3, "target": 3}, None),
        ({"x": 3}, None),
        ({"y": 3}, None),
    ],
)
def test_arrays_of_pairs_have_both_sides(tmp_path, held, found):
    np.savez(tmp_path / "p.npz", **{key: np.zeros((n, 4, 4)) for key, n in held.items()})
    if found is None:
        said = refusal(pairs._arrays, tmp_path / "p.npz")
        assert said.startswith(f"{tmp_path}/p.npz holds {sorted(held)}; name the pairs ")
    else:
        assert len(pairs._arrays(tmp_path / "p.npz")) == 1


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["cat.1", "cat.2", "dog.1", "dog.2"], True),
        (["cat.1", "cat.2", "1", "2"], False),
        (["cat.1", "cat.2"], False),
        (["cat.1", "cat.2", "dog.1"], False),
    ],
)
def test_words_in_names_may_be_classes_if_each_comes_again(names, told):
    assert bool(picture_labels.words_in_names([Path(f"{name}.png") for name in names])) == told


def test_tables_lie_beside_a_part_that_has_something_around_it(tmp_path):
    for name in ("train", "more.csv"):
        (tmp_path / name).mkdir()
    (tmp_path / "labels.csv").touch()
    assert [p.name for p in picture_labels._beside_a_part(tmp_path / "train")] == ["labels.csv"]
    root = packed(tmp_path / "train.zip", {"1.png": b"12", "labels.csv": b"12"}).root
    assert picture_labels._beside_a_part(root) == []


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([{"f": "1", "c": "1"}, {"f": "2", "c": "1"}], None),
        ([{"f": "1", "c": "1", "d": "0"}, {"f": "2", "c": "0", "d": "1"}], ["c", "d"]),
        ([{"f": str(i), "c": str(i % 2)} for i in range(4)], "c"),
        ([{"f": "1", "Label": "u", "d": "0"}, {"f": "2", "Label": "v", "d": "1"}], "Label"),
    ],
)
def test_a_column_of_classes_has_several_values(rows, column):
    assert picture_labels._class_column(rows, "f", None, picture_labels.WORDS) == column


def test_a_column_of_names_names_something():
    places = {("1",): Path("1.png")}
    assert picture_labels._column_of_names([], places) is None
    assert picture_labels._column_of_names([{None: "1"}], places) is None
    assert picture_labels._column_of_names([{"f": "2", "g": "3"}], places) is None
    assert picture_labels._column_of_names([{"f": "2", "g": "1"}], places) == "g"
    assert picture_labels._class_of({"c": None}, "c") == ""


@pytest.mark.parametrize(
    ("held", "word"),
    [
        ("u", "u"),
        (3, "3"),
        ({"label": "u"}, "u"),
        ({"label": {}}, None),
        ({"n": 1}, None),
        ([], None),
    ],
)
def test_a_class_is_a_word_or_a_number(tmp_path, held, word):
    held = packed(tmp_path / "x.tar", {"1.json": json.dumps(held).encode() + b" "})
    assert picture_labels._class_in(next(held.root.iterdir()), None) == word


@pytest.mark.parametrize("content", ["", "name,label\n1.png,u\n"])
def test_metadata_name_each_picture(tmp_path, content):
    (tmp_path / "metadata.csv").write_text(content)
    (tmp_path / "1.png").touch()
    files = sorted(tmp_path.iterdir())
    said = refusal(picture_labels.read_beside, files, tmp_path)
    assert said == f"{tmp_path}/metadata.csv has no column 'file_name', which names each picture"


def test_a_table_of_classes_in_no_encoding_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"f,c\n1,\x81\x8d\xff\n")
    said = refusal(picture_labels._rows, tmp_path / "t.csv")
    assert said.startswith(f"{tmp_path}/t.csv cannot be read: 'utf-8' codec can't decode")


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["a.parquet", "b.parquet"], 2),
        (["a.parquet", "notes.md"], 1),
        (["a.parquet", "state.json"], 1),
        (["a.parquet", ".b.parquet"], 1),
        (["a.parquet", "1.png"], 0),
        (["a.parquet", "b.tar"], 0),
        (["a.tar", "b.tar"], 2),
        (["a.tar", "1.png"], 0),
        ([], 0),
    ],
)
def test_a_folder_of_tables_holds_nothing_else(tmp_path, monkeypatch, names, taken):
    for name in names:
        (tmp_path / name).touch()
    monkeypatch.setattr(picture_sources, "is_image_table", lambda _: True)
    assert len(picture_sources._files_in(tmp_path)) == taken
    monkeypatch.setattr(picture_sources, "is_image_table", lambda _: False)
    only = taken if names and names[0] == "a.tar" else 0
    assert len(picture_sources._files_in(tmp_path)) == only


def test_documents_are_no_pictures(tmp_path):
    for name, may in (("a.docx", False), ("a.npz", False), ("a.bin", True)):
        (tmp_path / name).write_bytes(b"some bytes")
        assert named.may_hold_pictures(tmp_path / name) == may
    (tmp_path / "a.bin").write_bytes(b"")
    assert not named.may_hold_pictures(tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("classes", "expected", "said"),
    [
        ([("u", "v"), ("v", "w")], [[0, 1], [1, 2]], False),
        ([("u",), ("u",)], [None, None], False),
        ([("u", "v"), ()], [None, None], True),
        ([(), ()], [None, None], False),
    ],
)
def test_classes_are_those_of_all_parts(classes, expected, said):
    parts = [Part(X, np.arange(len(names)) if names else None, tuple(names)) for names in classes]
    found = pictures._of_the_same_classes(parts)
    assert [None if part.y is None else part.y.tolist() for part in found] == expected
    assert found[0].notes == ((pictures.HALF,) if said else ())


def gathered(files, classes):
    classes = {path: name for path, name in classes.items() if name}
    return pictures.Gathered("p", files, [], [], classes, (), {f: f.name for f in files}, ())


@pytest.mark.parametrize(
    ("names", "y"), [(["u", "v"], [0, 1]), (["u", None], None), ([None, None], None), ([], None)]
)
def test_classes_are_numbered_if_every_picture_has_one(names, y):
    files = [Path(f"{i}.png") for i in range(len(names))]
    found, order = pictures._numbered(files, gathered(files, dict(zip(files, names))))
    assert (None if found is None else found.tolist()) == y
    assert order == (("u", "v") if y else ())


@pytest.mark.parametrize(
    ("n_files", "counts", "test_of", "ends_last"),
    [
        (30, 1, 0, False),
        (30, 1, None, False),
        (1, 1, 0, False),
        (3, 2, 0, True),
        (3, 2, None, False),
    ],
)
def test_on_the_disk_rows_for_the_test_are_drawn_or_are_ends(
    monkeypatch, n_files, counts, test_of, ends_last
):
    files = [Path(f"{i}.png") for i in range(n_files)]
    asked = {}

    def keep(files, counts, frame, height, width, owner, *, ends_last):
        asked.update(files=files, ends_last=ends_last)
        n = sum(counts)
        good = [(path, ()) for path in files]
        return on_disk.Kept(np.zeros((n, 2, 2)), good, [], counts, np.arange(n), 0)

    monkeypatch.setattr(pictures.on_disk, "keep", keep)
    pictures._from_disk(gathered(files, {}), None, [counts] * n_files, (2, 2), test_of)
    assert asked["ends_last"] == ends_last
    drawn = test_of is not None and counts == 1 and n_files > 1
    assert (asked["files"] != files) == drawn
    if drawn:
        rows = split(Part(np.arange(30)), "p", 0)
        assert asked["files"] == [files[i] for i in (*rows.x_train, *rows.x_test)]


def test_one_broken_picture_is_told_by_its_name(tmp_path):
    path = tmp_path / "1.png"
    path.write_bytes(b"no picture")
    one = gathered([path], {})
    said = refusal(pictures.read_found, one._replace(owner=str(path)), None)
    assert said == f"{path} cannot be used: {images.UNKNOWN}"
    assert refusal(pictures.read_found, one, None).startswith(
        "none of the 1 files in p is a usable ima"
    )


@pytest.mark.parametrize("name", ["gone.txt", "folder"])
def test_a_text_is_a_file(tmp_path, name):
    (tmp_path / "folder").mkdir()
    said = f"there is no text file '{tmp_path}/{name}'; give a .txt or .abc file"
    assert refusal(text.read_text, tmp_path / name) == said


def test_a_text_in_no_encoding_is_refused_by_its_place(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"ab\x81\x8d\xff")
    assert refusal(text.read_text, tmp_path / "t.txt") == (
        f"{tmp_path}/t.txt is not UTF-8 text: byte 0x81 at place 2; save it as UTF-8"
    )


def test_nothing_is_held_out_where_the_share_is_none(tmp_path):
    (tmp_path / "t.txt").write_text("abcd " * 99)
    notes = text.load_text(tmp_path / "t.txt").notes
    assert notes == ("Measured on the last 49 characters of the text.",)
    for share, expected in ((0, None), (0.5, 223)):
        held = text.load_text(tmp_path / "t.txt", held_out=share).hold_out()[1]
        assert (None if held is None else len(held)) == expected


def test_two_folders_are_two_that_are_there(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    for folder in (a, b):
        folder.mkdir()
    for spec in (f"{a},{b}c", f"{a}c,{b}", f"{a},{b},{a}", str(a)):
        assert unpaired._domain_folders(spec) is None
    assert unpaired._domain_folders(f"{a},{b}") == [(a, b)]


@pytest.mark.parametrize(
    ("y_train", "y_test", "names"),
    [(Y, Y, ()), (Y, Y, ("no", "yes")), (None, Y, ()), (Y, None, ())],
)
def test_two_classes_are_told_by_labels_of_both_parts(monkeypatch, y_train, y_test, names):
    data = Dataset("d", X, y_train, X, y_test, names, spec="d")
    monkeypatch.setattr(unpaired.named, "load", lambda *_, **__: data)
    if y_train is None or y_test is None:
        said = refusal(unpaired._of_classes, "d", 0, None)
        assert said.startswith("d has no labels to tell two domains by; give a folder with trainA")
    else:
        found, _, _ = unpaired._of_classes("d", 0, None)
        assert found.class_names == (names or ("0", "1"))


@pytest.mark.parametrize(
    ("word", "number"), [("U", 0), ("1", 1), ("3", None), ("y", None), ("-1", None)]
)
def test_a_class_is_meant_by_its_name_or_its_number(word, number):
    if number is None:
        said = refusal(unpaired._numbers, [word, "x"], ["u", "v", "x"], "d")
        assert said.startswith(f"d has no class {word!r}; its classes are u, v, x")
    else:
        assert unpaired._numbers([word, "w"], ["u", "v", "w"], "d") == [number, 2]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("train", "test"), False),
        (("Train", "test"), True),
        (("seg_train", "seg_test"), True),
        (("TrainA", "TrainB"), True),
        (("A", "B"), False),
    ],
)
def test_folders_are_named_where_their_names_are_not_the_usual_ones(tmp_path, names, told):
    taken = [tmp_path / name for name in names]
    for folder in taken:
        folder.mkdir()
    said = f"{', '.join(names)} were taken as the parts of {tmp_path.name}."
    assert (said in folders.beside(tmp_path, taken)) == told
