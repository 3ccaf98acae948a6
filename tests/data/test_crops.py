"""Folders of pictures of any sizes as sharp pieces, and models trained on them by the jobs."""

import json

import numpy as np
import pandas
import pytest
from PIL import Image

from latentia.data import crops, folders, load
from latentia.data.crops import load_crops
from latentia.data.limits import VARIABLE
from latentia.errors import InputError
from latentia.evaluation import runs as jobs
from latentia.evaluation.comparison import recipe
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.srresnet import SRResNet


@pytest.fixture
def pictures(tmp_path):
    """A folder of twenty pictures of different sizes, each of one colour, one grey, and a text."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(20):
        colour = (10 * number, 255 - 10 * number, 7)
        image = Image.new("RGB", (20 + number, 33 - number), colour)
        (image if number else image.convert("L")).save(folder / f"{number:02}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_pieces_are_sharp_and_test_pictures_are_others(pictures):
    data = load_crops(str(pictures), image_size=12)
    assert data.x_train.shape[1:] == data.x_test.shape[1:] == (3, 12, 12)
    assert data.x_train.dtype == np.uint8
    seen = [{int(x[0, 0, 0]) // 10 for x in part[1:]} for part in (data.x_train, data.x_test)]
    assert seen[1] == {9, 19}
    assert not seen[0] & seen[1]
    assert "1 files were left out" in data.notes[1]
    assert not data.own_test
    assert not any("hidden file" in note for note in data.notes)
    again = load_crops(data.spec, image_size=data.image_size)
    np.testing.assert_array_equal(again.x_train, data.x_train)


def test_hidden_files_beside_the_pictures_are_told(pictures):
    (pictures / ".hidden.png").touch()
    (note,) = [n for n in load_crops(str(pictures), image_size=12).notes if "hidden file" in n]
    assert ".hidden.png" in note


def test_parts_of_a_folder_are_kept(pictures):
    (pictures / "train").mkdir()
    (pictures / "test").mkdir()
    for path in pictures.glob("*.png"):
        path.rename(pictures / ("test" if path.stem == "05" else "train") / path.name)
    data = load_crops(str(pictures), image_size=12)
    assert {int(x[0, 0, 0]) for x in data.x_test} == {50}
    assert data.own_test


def test_other_data_are_loaded_as_they_are(tmp_path):
    """Some of them are archives by their content, of arrays or of sheets and no pictures."""
    images = np.random.default_rng(0).random((12, 16, 16), dtype=np.float32)
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "a.npz", images=images)
    pandas.DataFrame(images[:, 0]).to_excel(tmp_path / "a.xlsx", index=False)
    for spec in ("digits", *(str(tmp_path / f"a.{kind}") for kind in ("npy", "npz", "xlsx"))):
        np.testing.assert_array_equal(load_crops(spec).x_train, load(spec).x_train)
    (tmp_path / "empty.zip").touch()
    with pytest.raises(InputError, match="is empty"):
        load_crops(str(tmp_path / "empty.zip"))
    with pytest.raises(InputError, match="no data set"):
        load_crops(str(tmp_path / "absent"))


def test_what_cannot_be_cut_is_refused(pictures, tmp_path):
    with pytest.raises(InputError, match="image_size is 0"):
        load_crops(str(pictures), image_size=0)
    with pytest.raises(InputError, match="at least 96 pixels"):
        load_crops(str(pictures))
    few = tmp_path / "few"
    few.mkdir()
    (pictures / "03.png").rename(few / "03.png")
    with pytest.raises(InputError, match="1 pictures to train and 0 to test"):
        load_crops(str(few))


def test_a_run_on_a_folder_is_measured_and_reported(pictures, tmp_path):
    model = SRResNet(scale=2, n_blocks=1, width=2, n_epochs=1, random_state=0)
    report = jobs.train(model, str(pictures), tmp_path / "run", image_size=16)
    figures = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert figures["luma_psnr"] > 20
    assert 0 < figures["luma_ssim"] <= 1
    page = report.read_text()
    assert "Enlarged" in page
    assert "Latent map" not in page
    jobs.resume(tmp_path / "run")
    again = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert again["luma_psnr"] == figures["luma_psnr"]
    jobs.train(Bicubic(scale=2), str(pictures), tmp_path / "bicubic", image_size=16)
    figures = json.loads((tmp_path / "bicubic" / "evaluation.json").read_text())
    assert figures["n_parameters"] == 0
    assert "luma_psnr" in figures


def test_bicubic_is_compared_without_a_seed():
    assert recipe("Bicubic", load("digits"), 0, None).get_params() == {"scale": 4}


def test_pieces_of_many_pictures_stay_in_their_budget(tmp_path, monkeypatch):
    draws = np.random.default_rng(0)
    for i in range(20):
        pixels = draws.integers(0, 256, (40, 30, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i:02}.png")
    whole = load_crops(str(tmp_path), image_size=10)
    assert not any("of memory" in note for note in whole.notes)
    n = len(whole.x_train) + len(whole.x_test)
    monkeypatch.setenv(VARIABLE, str(8 * 300 * 200))
    held = []
    monkeypatch.setattr(crops, "read_all", watched(held))
    data = load_crops(str(tmp_path), image_size=10)
    kept = len(data.x_train) + len(data.x_test)
    assert kept * 300 <= 300 * 200 + 20 * 300
    (note,) = [note for note in data.notes if "of memory" in note]
    assert note.startswith(f"20 pictures would give {n} pieces; {kept} were cut")
    assert note.endswith(f"{VARIABLE} raises it.")
    # Pictures are not kept: what a reader returns holds no pixels.
    assert len(held) == 20
    assert all(not isinstance(found, np.ndarray) for found in held)


def watched(held):
    def read_all(files, read, owner):
        def noted(path, take):
            held.append(found := read(path, take))
            return found

        return folders.read_all(files, noted, owner)

    return read_all
