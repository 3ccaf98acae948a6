"""The law of folders: files read + files reported left out = files there, for every loader."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentia.data import load
from latentia.data.crops import load_crops
from latentia.data.folders import beside, contents, sub_folders
from latentia.data.pairs import equal_names, load_pairs
from latentia.data.picture_files import order
from latentia.data.unpaired import load_unpaired
from latentia.errors import InputError

RNG = np.random.default_rng(0)


def picture(path, size=(16, 8), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)


def rubbish(folder):
    """Put into a folder everything that is no usable picture; return how many files that is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("photo.cr2", "notes.txt", "broken.png", ".hidden.png", "Thumbs.db"):
        (folder / name).write_bytes(b"no picture")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / ".cache/x").mkdir(parents=True)
    picture(folder / ".cache/x/1.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "lost.png").symlink_to("nowhere.png")
    (folder / "again").symlink_to(folder.parent if folder.name == "more" else folder)
    return 10


def linked(folder, n, elsewhere):
    """Put n pictures into a folder by a link to another one."""
    for number in range(n):
        picture(elsewhere / f"linked{number}.png")
    (folder / "link").symlink_to(elsewhere)


def told(notes):
    """Return how many files notes say were not read, by what they say first."""
    lines = [
        re.match(
            r"(\d+) (of \d+ (files|pairs) were left out|hidden files? not|files? in .* left out)", n
        )
        for n in notes
    ]
    return sum(int(line[1]) for line in lines if line)


@pytest.mark.parametrize("loader", [load, load_crops, load_pairs])
def test_of_one_folder(tmp_path, loader):
    for number in range(20):
        picture(tmp_path / f"set/{number}.png")
    linked(tmp_path / "set", 5, tmp_path / "elsewhere")
    n_bad = rubbish(tmp_path / "set")
    data = loader(str(tmp_path / "set"), image_size=4)
    assert told(data.notes) == n_bad
    if loader is not load_crops:
        assert len(data.x_train) + len(data.x_test) == 25
    for name in ("photo.cr2", "notes.txt", "broken.png", "empty.jpg", "pipe.png", "lost.png"):
        assert any(name in note for note in data.notes), name
    for reason in ("a named pipe", "a link to nothing", "a link to a folder that it lies in"):
        assert any(reason in note for note in data.notes), reason


@pytest.mark.parametrize("loader", [load, load_crops, load_pairs])
@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Train", "Test"), ("TRAINING", "valid"), ("train", "")]
)
def test_of_folders_in_parts_with_other_things_beside(tmp_path, loader, train, test):
    for number in range(12):
        picture(tmp_path / train / f"{number}.png")
        if test:
            picture(tmp_path / test / f"{number}.png")
            picture(tmp_path / "more" / f"{number}.png")
    n_bad = 12 + rubbish(tmp_path / "more") if test else rubbish(tmp_path / train)
    (tmp_path / "readme.txt").write_text("three")
    data = loader(str(tmp_path), image_size=4)
    assert told(data.notes) == n_bad + 1
    assert data.class_names == ()
    if test and loader is not load_crops:
        assert (len(data.x_train), len(data.x_test)) == (12, 12)
    assert any("were taken as the parts of" in n for n in data.notes) == (train[0] == "T")


def test_of_two_test_parts_the_one_that_is_not_taken_is_told(tmp_path):
    for part in ("train", "test", "val"):
        for number in range(4):
            picture(tmp_path / part / f"{number}.png")
    data = load(str(tmp_path))
    assert len(data.x_test) == 4
    assert data.notes[0].startswith(f"4 files in {tmp_path.name} beside train, test were left out")


@pytest.mark.parametrize("loader", [load_pairs, load_unpaired])
def test_of_folders_of_two_sides(tmp_path, loader):
    for side in "AB":
        for number in range(30):
            picture(tmp_path / f"Train{side}" / f"{number}.png")
    n_bad = 2 * rubbish(tmp_path / "more")
    rubbish(tmp_path / "trainC")
    data = loader(str(tmp_path), image_size=4)
    assert told(data.notes) == n_bad
    n_read = 30 if loader is load_pairs else 60
    assert len(data.x_train) + len(data.x_test) == n_read


def test_what_has_a_partner_by_name_only_is_left_out_and_told(tmp_path):
    for number in range(4):
        picture(tmp_path / f"A/{number}.png")
        picture(tmp_path / f"B/{number}.jpg")
        (tmp_path / f"A/{number}.json").write_text("{}")
    (tmp_path / "B/readme.txt").write_text("pairs")
    data = load_pairs(str(tmp_path))
    assert len(data.x_train) + len(data.x_test) == 4
    assert told(data.notes) == 5
    (note,) = (note for note in data.notes if "json" in note)
    assert note.index("0.json") < note.index("3.json: a picture has its name")
    assert "readme.txt: it has no partner" in note
    picture(tmp_path / "A/3.JPG")
    with pytest.raises(InputError, match=r"A/3.JPG and .*A/3.png have one name"):
        equal_names(tmp_path / "A", tmp_path / "B")


def test_of_the_picture_verbs(tmp_path):
    for number in range(6):
        picture(tmp_path / f"in/{number}.png")
    linked(tmp_path / "in", 3, tmp_path / "elsewhere")
    rubbish(tmp_path / "in")
    found = order([tmp_path / "in"], tmp_path / "out")
    # Those two are pictures by their names, and found to be none when they are read.
    assert len(found.targets) == 9 + 2
    names = [Path(str(source)).name for source, _ in found.bad]
    assert sorted(names) == ["again", "lost.png", "photo.cr2", "pipe.png"]
    assert "notes.txt" in found.notes[0]
    assert found.notes[1].startswith("3 hidden files not looked at")


def test_when_everything_is_left_out_nothing_is_done(tmp_path):
    rubbish(tmp_path / "in")
    (tmp_path / "in/broken.png").unlink()
    (tmp_path / "in/empty.jpg").unlink()
    with pytest.raises(InputError, match=r"there are no pictures in .*photo.cr2: pictures in cr2"):
        order([tmp_path / "in"], tmp_path / "out")
    for loader in (load, load_crops, load_pairs):
        with pytest.raises(InputError, match=r"photo.cr2"):
            loader(str(tmp_path / "in"))


def test_classes_that_a_loose_file_takes_away_are_told(tmp_path):
    for kind in ("cat", "dog"):
        for number in range(3):
            picture(tmp_path / kind / f"{number}.png")
    assert load(str(tmp_path)).class_names == ("cat", "dog")
    picture(tmp_path / "loose.png")
    data = load(str(tmp_path))
    assert data.y_train is None
    assert any("not taken as classes" in note and "loose.png" in note for note in data.notes)


def test_a_test_part_that_lacks_a_class_keeps_the_numbers_of_the_others(tmp_path):
    for number in range(3):
        for kind in ("cat", "dog", "emu"):
            picture(tmp_path / "train" / kind / f"{number}.png")
        picture(tmp_path / "test/dog" / f"{number}.png")
    data = load(str(tmp_path))
    assert data.class_names == ("cat", "dog", "emu")
    assert data.y_test.tolist() == [1, 1, 1]
    for number in range(2):
        picture(tmp_path / "test/emu" / f"{number}.png")
    assert load(str(tmp_path)).y_test.tolist() == [1, 1, 1, 2, 2]


def test_a_class_called_train_is_a_class(tmp_path):
    for kind in ("car", "train"):
        for number in range(3):
            picture(tmp_path / kind / f"{number}.png")
    assert load(str(tmp_path)).class_names == ("car", "train")


def test_what_many_files_share_is_one_note_and_hides_none(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (0, 200)]
    for number in range(30):
        frames[0].save(tmp_path / f"{number}.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "broken.png").write_bytes(b"no")
    data = load(str(tmp_path))
    assert data.notes[0].startswith("1 of 31 files were left out")
    assert data.notes[1].startswith("30 files, of each: only its first frame was used (")
    assert data.notes[1].endswith("; and 10 more).")


def test_grey_pictures_among_colours_are_told(tmp_path):
    for number in range(4):
        picture(tmp_path / f"{number}.png")
    with Image.open(tmp_path / "2.png") as image:
        image.convert("L").save(tmp_path / "2.png")
    assert load(str(tmp_path)).notes[0].endswith("2.png: it is grey, and got three equal channels.")


def test_pictures_too_small_for_a_piece_are_told(tmp_path):
    for number in range(20):
        picture(tmp_path / f"{number:02}.png", size=(9, 5 if number == 3 else 12))
    data = load_crops(str(tmp_path), image_size=8)
    (note,) = (note for note in data.notes if "gave no piece" in note)
    assert note.startswith("1 of 20 pictures have a side under 8 pixels")
    assert "03.png" in note


def test_links_that_go_round_end(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        picture(tmp_path / name / "1.png")
        (tmp_path / name / "to").symlink_to(tmp_path / other)
    found = contents(tmp_path)
    assert len(found.files) == 4
    assert [reason for _, reason in found.odd] == ["it is a link to a folder that it lies in"] * 2


def test_sub_folders_are_found_in_any_case_and_ones_own_first(tmp_path):
    for name in ("A", "b", "a"):
        (tmp_path / name).mkdir()
    assert sub_folders(tmp_path, "A", "B") == (tmp_path / "A", tmp_path / "b")
    assert sub_folders(tmp_path, "a") == (tmp_path / "a",)
    assert sub_folders(tmp_path, "a", "c") is None
    assert beside(tmp_path, [tmp_path / "A"]) == ()


@pytest.mark.parametrize("loader", [load, load_crops, load_pairs, load_unpaired])
@pytest.mark.parametrize("size", ["a", 2.5, True, 0, -3])
def test_a_side_that_is_none_is_one_sentence(tmp_path, loader, size):
    with pytest.raises(InputError, match=r"^image_size is .*; it must be"):
        loader(str(tmp_path), image_size=size)


@pytest.mark.parametrize(
    ("loader", "spec"),
    [
        (load, "digits"),
        (load, "x.npy"),
        (load_crops, "digits"),
        (load_crops, "x.npy"),
        (load_pairs, "digits"),
        (load_pairs, "noisy:x.npy"),
        (load_pairs, "p.npz"),
        (load_unpaired, "digits:0,1"),
    ],
)
def test_a_side_without_effect_is_refused(tmp_path, loader, spec, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = RNG.random((40, 8, 8))
    np.save("x.npy", x)
    np.savez("p.npz", x=x, y=x)
    with pytest.raises(InputError, match=r"image_size is 12, and .* is no folder of pictures"):
        loader(spec, image_size=12)


def test_a_reason_that_many_share_is_told_once_with_their_number(tmp_path):
    for number in range(9):
        (tmp_path / f"{number}.png").write_text("none")
    with pytest.raises(InputError) as failed:
        load(str(tmp_path))
    assert str(failed.value).count("it is not an image") == 1
    assert "/4.png and 4 more (9 in all): it is not an image" in str(failed.value)
    assert "5.png" not in str(failed.value)
    picture(tmp_path / "b.png")
    picture(tmp_path / "c.png")
    assert "/4.png and 4 more (9 in all): it is not" in load(str(tmp_path)).notes[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["cat.0", "cat.1", "dog.0", "dog.1"], "cat, dog"),
        (["0_cat", "1_cat", "0_dog", "1_dog"], "cat, dog"),
        (["great_pug_1", "great_pug_2", "pug (1)", "pug (2)"], "great_pug, pug"),
        (["cat.0", "cat.1", "dog.0", "2"], ""),
        (["IMG_1", "IMG_2", "IMG_3"], ""),
        (["ann", "bea", "cleo"], ""),
    ],
)
def test_words_in_names_are_told_where_there_are_no_classes(names, words, tmp_path):
    for name in names:
        picture(tmp_path / f"all/{name}.jpg")
    data = load(str(tmp_path / "all"))
    said = [note for note in data.notes if "every name holds one of the words" in note]
    assert [f"the words {words}: to have" in note for note in said] == [True] * bool(words)
    assert data.y_train is None
    if not words:
        return
    rows = [
        f"{name}.jpg,{'cat' if 'cat' in name else 'dog'}{i % 2}" for i, name in enumerate(names)
    ]
    (tmp_path / "all/labels.csv").write_text("\n".join(["file,label", *rows]))
    data = load(str(tmp_path / "all"))
    assert data.y_train is not None
    assert not [note for note in data.notes if "every name holds" in note]
