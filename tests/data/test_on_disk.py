"""Folders larger than the limit of memory: what comes out is what memory would hold."""

import tempfile

import numpy as np
import pytest
from PIL import Image

from latentia import VAE
from latentia.data import load
from latentia.data.limits import VARIABLE
from latentia.errors import InputError

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (40, 16, 20, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i, pixels in enumerate(COLOURS):
        place = tmp_path / "in" / "ba"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i:02}.png")
    return tmp_path / "in"


def both(folder, monkeypatch, **options):
    """Return the folder as memory holds it, and as the disk does."""
    held = load(str(folder), **options)
    monkeypatch.setenv(VARIABLE, "10K")
    return held, load(str(folder), **options)


@pytest.mark.parametrize("options", [{}, {"image_size": "12x10"}, {"random_state": 3}])
def test_a_folder_beyond_the_limit_is_the_same_data_on_the_disk(folder, monkeypatch, options):
    held, kept = both(folder, monkeypatch, **options)
    for name in ("x_train", "y_train", "x_test", "y_test", "names_train", "names_test"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(held, name))
    assert isinstance(kept.x_train, np.memmap)
    assert not isinstance(held.x_train, np.memmap)
    assert (kept.class_names, kept.image_size) == (held.class_names, held.image_size)
    n_bytes = held.x_train.nbytes + held.x_test.nbytes
    said = f"take {n_bytes:,} bytes, more than the limit of memory: they were decoded into"
    assert any(said in note for note in kept.notes)
    assert not any("limit of memory" in note for note in held.notes)
    assert {*held.notes} < {*kept.notes}


def test_a_model_trained_from_the_disk_is_the_same_to_the_bit(folder, monkeypatch):
    held, kept = both(folder, monkeypatch)
    models = [
        VAE(n_components=2, hidden=(8,), n_epochs=2, batch_size=8, random_state=0).fit(data.x_train)
        for data in (held, kept)
    ]
    for name, weights in models[0].decoder_.state_dict().items():
        np.testing.assert_array_equal(weights, models[1].decoder_.state_dict()[name])


def test_parts_stay_parts_grey_stays_grey_and_bad_files_are_left_out(tmp_path, monkeypatch):
    for part, first in (("train", 0), ("test", 30)):
        (tmp_path / part).mkdir()
        for i in range(first, first + 10):
            Image.fromarray(COLOURS[i, ..., 0]).save(tmp_path / part / f"{i}.png")
    (tmp_path / "train" / "00.png").write_bytes(b"no picture")
    monkeypatch.setenv(VARIABLE, "3000")
    data = load(str(tmp_path), image_size="20x16")
    assert data.own_test
    np.testing.assert_array_equal(data.x_test, COLOURS[30:40, ..., 0])
    np.testing.assert_array_equal(data.x_train, COLOURS[:10, ..., 0])
    assert any("1 of 11 files were left out" in note and "00.png" in note for note in data.notes)


def test_a_disk_without_room_is_told(folder, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage)
    monkeypatch.setenv(VARIABLE, "20K")
    place = tempfile.gettempdir()
    with pytest.raises(InputError, match=f"take 38,400 bytes, and {place} has 1,000 bytes left"):
        load(str(folder))
