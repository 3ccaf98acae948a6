"""Folders of pictures in every mode, and with every kind of bad file."""

import numpy as np
import pytest
from PIL import Image

from latentia.data import images, load
from latentia.data.limits import VARIABLE
from latentia.errors import InputError


def picture(mode, size=(6, 4), value=100):
    return Image.new(mode, size, value if mode in ("L", "I;16", "P") else None)


def saved(folder, name, image, **options):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def test_labels_from_sub_folders_and_parts_from_train_and_test(tmp_path):
    for part in ("train", "test"):
        for label, value in (("dark", 10), ("light", 240)):
            for i in range(3):
                saved(tmp_path / part / label, f"{i}.png", picture("L", value=value))
    data = load(str(tmp_path))
    assert data.x_train.shape == (6, 4, 6)
    assert data.class_names == ("dark", "light")
    assert data.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    assert (data.x_train[data.y_train == 1] == 240).all()


def test_16_bit_grey_is_scaled_not_saturated(tmp_path):
    values = np.array([[0, 255, 256], [32768, 65280, 65535]], np.uint16)
    path = saved(tmp_path, "a.png", Image.fromarray(values))
    pixels, _ = images.read(path)
    np.testing.assert_array_equal(pixels, np.rint(values / 65535 * 255))


def test_transparency_is_laid_on_white(tmp_path):
    path = saved(tmp_path, "a.png", Image.new("RGBA", (2, 2), (255, 0, 0, 0)))
    assert (images.read(path)[0] == 255).all()
    half = saved(tmp_path, "b.png", Image.new("RGBA", (2, 2), (0, 0, 0, 128)))
    assert np.all(np.abs(images.read(half)[0].astype(int) - 127) <= 1)


def test_palette_and_cmyk_become_rgb(tmp_path):
    red = Image.new("RGB", (3, 2), (255, 0, 0))
    for name, image in (("p.png", red.convert("P")), ("c.tif", red.convert("CMYK"))):
        pixels, _ = images.read(saved(tmp_path, name, image))
        assert pixels.shape == (3, 2, 3)
        np.testing.assert_allclose(pixels[:, 0, 0], [255, 0, 0], atol=2)


def test_exif_rotation_is_applied(tmp_path):
    values = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    image = Image.fromarray(values)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, "a.png", image, exif=exif)
    np.testing.assert_array_equal(images.read(path)[0], np.rot90(values, -1))


def test_the_first_frame_of_an_animation_and_it_is_said(tmp_path):
    frames = [Image.new("L", (4, 4), v) for v in (0, 200)]
    path = saved(tmp_path, "a.gif", frames[0], save_all=True, append_images=frames[1:])
    pixels, notes = images.read(path)
    assert pixels.max() == 0
    assert "first frame" in notes[0]


def test_bombs_are_refused_from_the_header(tmp_path, monkeypatch):
    path = saved(tmp_path, "a.png", picture("L", (40, 40)))
    monkeypatch.setenv(VARIABLE, "1000")
    with pytest.raises(images.BadImageError, match=f"40×40 .* limit of 1,000 bytes.*{VARIABLE}="):
        images.read(path)


def bad_files(folder):
    whole = saved(folder, "whole.png", Image.effect_noise((40, 40), 50)).read_bytes()
    (folder / "whole.png").unlink()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("hello")
    return ("truncated.png", "empty.png", "text.jpg")


def test_bad_files_are_all_named_and_the_rest_is_used(tmp_path):
    bad = bad_files(tmp_path)
    for i in range(3):
        saved(tmp_path, f"good{i}.png", picture("L"))
    (tmp_path / ".DS_Store").write_text("x")
    data = load(str(tmp_path))
    note = next(note for note in data.notes if "left out" in note)
    assert note.startswith("3 of 6 files")
    assert all(name in note for name in bad)
    assert len(data.x_train) + len(data.x_test) == 3


def test_only_bad_files(tmp_path):
    bad = bad_files(tmp_path)
    with pytest.raises(InputError, match="none of the 3 files") as raised:
        load(str(tmp_path))
    assert all(name in str(raised.value) for name in bad)


def test_empty_folder_and_single_image(tmp_path):
    with pytest.raises(InputError, match="no files"):
        load(str(tmp_path))
    saved(tmp_path, "a.png", picture("L"))
    with pytest.raises(InputError, match="at least 2"):
        load(str(tmp_path))


def test_different_sizes_get_one_and_it_is_said(tmp_path):
    saved(tmp_path, "a.png", picture("L", (6, 4)))
    saved(tmp_path, "b.png", picture("RGB", (9, 9)))
    data = load(str(tmp_path))
    assert data.x_train.shape == (1, 3, 4, 4)
    assert data.image_size == 4
    assert any("2 sizes, from 6×4 to 9×9, and were brought to 4×4" in n for n in data.notes)
    data = load(str(tmp_path), image_size=5)
    assert data.x_train.shape == (1, 3, 5, 5)


def test_sub_folders_that_hold_nothing_are_told(tmp_path):
    for name in ("cat", "dog", "Thumbs.db", ".git", "ant"):
        (tmp_path / "set" / name).mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    for n, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / "set" / "cat" / f"{n}.png")
    (tmp_path / "set" / "fox" / "inner").mkdir(parents=True)
    Image.fromarray(pixels[0]).save(tmp_path / "set" / "fox" / "inner" / "a.png")
    place = tmp_path / "set"
    data = load(str(place))
    assert data.class_names == ("cat", "fox")
    said = [note for note in data.notes if "without files" in note]
    empty = f"{place / 'ant'}; {place / 'dog'}"
    assert said == [f"sub-folders without files are no classes: {empty}."]
    for name in ("ant", "dog"):
        Image.fromarray(pixels[1]).save(place / name / "b.png")
    assert not any("without files" in note for note in load(str(place)).notes)
