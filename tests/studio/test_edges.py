"""What is damaged, missing or misnamed is said, or is nothing, and the studio goes on."""

import threading
from functools import partial
from importlib import resources
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
from PIL import Image

from latentia.errors import InputError
from latentia.studio import first_pictures, live, server
from latentia.studio.comparing import figures
from latentia.studio.data import write
from latentia.studio.folder import RunsFolder
from latentia.studio.guard import _cookie
from latentia.studio.runs import records_of, scores
from tests.studio.conftest import PORT, TOKEN, written_run


def watching():
    """Return the threads that start what waits in a queue."""
    return {thread for thread in threading.enumerate() if "watch" in thread.name}


def refused(answer, words):
    return answer.status_code == 400 and words in answer.text


def test_a_folder_that_is_not_there_yet_holds_no_runs(tmp_path):
    assert RunsFolder(tmp_path / "later").names() == []


def test_long_names_are_cut_and_numbered(tmp_path):
    folder = RunsFolder(tmp_path)
    assert folder.free_name("a" * 60, set()) == "a" * 60 + "-1"
    assert folder.free_name("a" * 61, {"a" * 60 + "-1"}) == "a" * 60 + "-2"
    folder.uploads.mkdir(parents=True, exist_ok=True)
    assert folder.free_upload("b" * 61).name == "b" * 60
    (folder.uploads / ("b" * 60)).mkdir()
    assert folder.free_upload("b" * 60).name == "b" * 60 + "-2"


def test_the_first_pictures_stand_in_a_row_and_of_what_has_none_nothing_is_made(tmp_path):
    strip, table = tmp_path / "strip.png", tmp_path / "t.csv"
    assert first_pictures.made("digits", strip)
    with Image.open(strip) as found:
        width, height = found.size
    assert width / height > 0.8 * first_pictures.SHOWN
    table.write_text("a,b\n" + "1,2\n" * 9)
    for spec in (str(table), str(tmp_path / "nowhere.npz")):
        assert not first_pictures.made(spec, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize("damage", ["{", "[]", None])
def test_figures_of_a_run_that_cannot_be_read_are_none(studio, damage):
    run = written_run(studio.runs)
    assert figures(studio, "vae-1") == {"negative_elbo": 5.5, "seconds": 1.0}
    assert scores(run)
    file = run / "evaluation.json"
    if damage is None:
        file.unlink()
    else:
        file.write_text(damage)
    assert figures(studio, "vae-1") == {}
    assert scores(run) == []


def test_records_of_a_run_that_cannot_be_read_are_none(studio):
    run = written_run(studio.runs)
    assert len(records_of(run)) == 4
    (run / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    assert records_of(run) == []
    assert studio.own.get("/runs/vae-1").status_code == 200


def test_what_is_not_there_is_refused_in_a_sentence(studio):
    written_run(studio.runs, whole=False)
    assert refused(studio.own.get("/static/none.js"), "the studio has no file")
    assert refused(studio.own.get("/runs/vae-1/report"), "vae-1 has no report yet")
    assert refused(studio.own.post("/runs/no/go-on"), "there is no run no to go on with")
    assert refused(studio.own.get("/runs/vae-1/samples/epoch_0009.png"), "has drawn no epoch_0009")


def test_a_name_that_a_run_cannot_have_is_refused_before_anything_is_begun(studio):
    written_run(studio.runs)
    for name, words in (("a/b", "cannot name a run"), ("vae-1", "there is a run vae-1 already")):
        answer = studio.own.post("/models/vae/train", data={"data": "digits", "run-name": name})
        assert words in answer.text, name
    assert studio.queue.jobs() == []


def test_a_file_is_never_written_outside_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="leads out of its folder"):
        write(None, tmp_path / "in", PurePosixPath("../out.txt"))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("header", ["", "a=b", "=;=\x00", f"latentia-{PORT + 1}={TOKEN}"])
def test_a_header_without_the_cookie_has_none(header):
    assert _cookie(header, f"latentia-{PORT}") == ""
    assert _cookie(f"a=b; latentia-{PORT}={TOKEN}", f"latentia-{PORT}") == TOKEN


def test_pages_of_a_trained_model_are_made_in_the_background(studio, monkeypatch):
    made, done = [], threading.Event()

    def page(folder, name, with_images=False):
        made.append((name, with_images, threading.current_thread() is threading.main_thread()))
        if len(made) == 2:
            done.set()
            raise InputError("the disk is full")
        return Path("x")

    monkeypatch.setattr(live, "page_of_run", page)
    live.ready(studio.folder, "vae-1")
    assert done.wait(20)
    assert made == [("vae-1", True, False), ("vae-1", False, False)]


def test_the_library_is_loaded_where_forms_are_settled_and_here(monkeypatch):
    asked = []
    monkeypatch.setattr(server.FORMS, "ask", asked.append)
    monkeypatch.setattr(server, "load_library", lambda: asked.append("here"))
    server.load_libraries()
    assert asked == [server.load_library, "here"]
    monkeypatch.setattr(server.FORMS, "ask", lambda _: (_ for _ in ()).throw(InputError("late")))
    server.load_libraries()
    assert asked[2:] == ["here"]


def test_what_was_begun_beside_the_studio_ends_with_it(studio, monkeypatch):
    ended = []
    for name in ("FORMS", "TABLES"):
        beside = SimpleNamespace(end=partial(ended.append, name))
        monkeypatch.setattr(server, name, beside)
    monkeypatch.setattr(server, "load_libraries", lambda: None)
    before = watching()
    with server._watched(studio.queue):
        assert watching() > before
        assert ended == []
    assert sorted(ended) == ["FORMS", "TABLES"]
    assert watching() == before


def test_a_browser_is_told_what_each_file_is(studio):
    files = [file.name for file in (resources.files("latentia.studio") / "static").iterdir()]
    kinds = {"css": "text/css", "js": "text/javascript"}
    assert len(files) > 2
    for name in (*files, "design.css"):
        answer = studio.own.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kinds[name.rpartition(".")[2]]), name
