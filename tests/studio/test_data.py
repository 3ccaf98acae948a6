"""Uploads and named data, and what the pages say of them."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from latentia.data import names
from latentia.data.named import load
from latentia.studio.data import choices, described, spec_of


def png(value):
    stream = io.BytesIO()
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def uploaded(studio, *files):
    answer = studio.own.post("/data/upload", files=[("files", file) for file in files])
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("data=")[2]


def test_a_folder_of_pictures_is_read_as_the_library_reads_it(studio):
    sent = [(f"pets/{kind}/{i}.png", png(i)) for kind in ("cats", "dogs") for i in range(12)]
    key = uploaded(studio, *sent, ("pets/.DS_Store", b"x"))
    assert key == "uploads/pets"
    found = load(spec_of(studio.folder, key))
    assert found.class_names == ("cats", "dogs")
    assert len(found.x_train) + len(found.x_test) == 24


def test_loose_pictures_and_archives_and_tables_are_each_one_data_set(studio):
    loose = uploaded(studio, *[(f"{i}.png", png(i)) for i in range(12)])
    assert len(load(spec_of(studio.folder, loose)).x_train) == 11
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(12):
            archive.writestr(f"{i}.png", png(i))
    packed = uploaded(studio, ("my pets.zip", stream.getvalue()))
    assert packed == "uploads/my-pets"
    assert len(load(spec_of(studio.folder, packed)).x_train) == 11
    rows = "a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(30))
    table = uploaded(studio, ("rows.csv", rows.encode()))
    assert load(spec_of(studio.folder, table)).columns == ("a", "b")


def test_an_upload_never_takes_the_place_of_another(studio):
    keys = [uploaded(studio, ("rows.csv", b"a,b\n1,2\n")) for _ in range(3)]
    assert keys == ["uploads/rows", "uploads/rows-2", "uploads/rows-3"]


def test_two_files_of_one_name_are_refused_and_leave_nothing(studio):
    files = [("files", ("a/x.csv", b"1")), ("files", ("a/x.csv", b"2"))]
    answer = studio.own.post("/data/upload", files=files)
    assert answer.status_code == 400
    assert "two files are called a/x.csv" in answer.text
    assert list(studio.folder.uploads.iterdir()) == []


def test_no_file_is_said(studio):
    answer = studio.own.post("/data/upload", files={"files": ("", b"")})
    assert answer.status_code == 400
    assert "no file was sent" in answer.text


def test_what_data_are_is_what_the_command_says(studio, capsys):
    from latentia.cli import main

    main(["data", "describe", "digits"])
    lines = described(capsys.readouterr().out)
    page = studio.own.get("/data/show?data=digits").text
    for label, value in lines:
        assert label in page
        assert value.replace("'", "&#39;") in page
    assert "/models/vae?data=digits" in page
    assert "/models/rnn" not in page.partition("<main")[2]


def test_all_named_data_can_be_chosen(studio):
    assert [c.key for c in choices(studio.folder)] == [*names()]
    for name in names():
        assert spec_of(studio.folder, name) == name


@pytest.mark.parametrize("data", ["nothing", "uploads/absent", "/etc", ""])
def test_unknown_data_are_refused_at_the_form(studio, data):
    answer = studio.own.post("/models/vae/train", data={"data": data, "n_epochs": "2"})
    assert answer.status_code == 422
    assert 'value="2"' in answer.text
    assert studio.queue.jobs() == []


def test_a_sound_form_queues_the_command_that_it_shows(studio):
    given = {"data": "digits", "n_epochs": "2", "run-name": "mine"}
    shown = studio.own.post("/models/vae/recipe", data=given).text
    answer = studio.own.post("/models/vae/train", data=given)
    assert answer.headers["location"] == "/runs/mine"
    job = studio.queue.job("mine")
    assert job.words == (
        "train", "vae", "--data", "digits", "--n-epochs", "2", "--run", str(studio.runs / "mine")
    )  # fmt: skip
    assert f"latentia {' '.join(job.words)}" in shown
    again = studio.own.post("/models/vae/train", data=given)
    assert again.status_code == 422
    assert "there is a run mine already" in again.text


def test_a_refused_form_keeps_what_was_typed_and_says_why_at_the_field(studio):
    answer = studio.own.post("/models/vae/train", data={"data": "digits", "n_epochs": "0"})
    assert answer.status_code == 422
    assert "n_epochs is 0; it must be at least 1" in answer.text
    assert 'value="0"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_runs_get_names_of_their_own(studio):
    for _ in range(3):
        studio.own.post("/models/pca/train", data={"data": "digits"})
    assert [job.name for job in studio.queue.jobs()] == [f"pca-digits-{n}" for n in (1, 2, 3)]


def test_pictures_are_known_by_the_first_of_them_and_tables_have_none(studio):
    from latentia.plots.grids import tile

    strip = studio.own.get("/data/pictures?data=digits")
    shown = np.asarray(Image.open(io.BytesIO(strip.content)))
    assert np.array_equal(shown, tile(load("digits").x_train[:6], n_columns=6))
    assert studio.own.get("/data/pictures?data=ring").status_code == 204
    assert studio.own.get("/data/pictures?data=mnist").status_code == 204
    assert studio.own.get("/data/pictures?data=nothing").status_code == 400
    key = uploaded(studio, *[(f"{i}.png", png(i)) for i in range(12)])
    assert studio.own.get(f"/data/pictures?data={key}").headers["content-type"] == "image/png"


def test_an_upload_is_deleted_only_when_that_is_said_twice_and_nothing_learns_from_it(studio):
    key = uploaded(studio, ("rows.csv", b"a,b\n1,2\n3,5\n"))
    place, sure = studio.folder.uploads / "rows", {"data": key, "sure": "yes"}
    assert 'name="sure"' in studio.own.get(f"/data/show?data={key}").text
    assert 'name="sure"' not in studio.own.get("/data/show?data=digits").text
    assert studio.own.post("/data/delete", data={"data": key}).status_code == 400
    run = studio.runs / "pca-1"
    words = ["train", "pca", "--data", str(place / "rows.csv"), "--run", str(run)]
    studio.queue.add("pca-1", words)
    refused = studio.own.post("/data/delete", data=sure)
    assert refused.status_code == 400
    assert "pca-1 learns from uploads/rows" in refused.text
    assert place.is_dir()
    studio.queue.stop("pca-1")
    other = ["train", "pca", "--data", "digits", "--run", str(studio.runs / "pca-2")]
    studio.queue.add("pca-2", other)
    assert studio.own.post("/data/delete", data=sure).headers["location"] == "/data"
    assert not place.exists()
    assert not list(studio.folder.uploads.iterdir())
    assert studio.own.post("/data/delete", data=sure).status_code == 400


def test_what_is_no_upload_is_never_deleted(studio, tmp_path):
    (tmp_path / "mine").mkdir()
    (studio.folder.uploads / "link").symlink_to(tmp_path / "mine")
    run = studio.runs / "vae-1"
    run.mkdir()
    for key in ("digits", "uploads/link", "uploads/..", "uploads/", "uploads", "vae-1", "../mine"):
        answer = studio.own.post("/data/delete", data={"data": key, "sure": "yes"})
        assert answer.status_code == 400, key
    assert (tmp_path / "mine").is_dir()
    assert run.is_dir()


def test_a_form_offers_the_uploads_that_its_model_can_learn_from(studio):
    pets = uploaded(studio, *[(f"pets/{kind}/{i}.png", png(i)) for kind in "ab" for i in range(12)])
    table = uploaded(studio, ("rows.csv", b"a,b\n" + b"1,2\n2,5\n" * 9))
    for model, wanted in (("dcgan", {pets}), ("pca", {pets, table})):
        page = studio.own.get(f"/models/{model}").text
        assert {key for key in (pets, table) if f'"{key}"' in page} == wanted
