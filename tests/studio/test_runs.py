"""A run's page and its events, and what is handed on of it."""

import json
import os
import re
from dataclasses import replace

import pytest

from latentia.files import held_folder
from latentia.studio.runs import followed, model_of, new_lines
from tests.studio.conftest import RECORDS, finished, written_run


def events(text):
    """Return the events of a stream: each as its fields."""
    blocks = [b for b in text.split("\n\n") if b and not b.startswith(":")]
    return [dict(line.split(": ", 1) for line in b.splitlines() if ": " in line) for b in blocks]


def test_the_stream_is_the_lines_of_the_metrics(studio):
    run = written_run(studio.runs)
    answer = studio.own.get("/runs/vae-1/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [e["data"] for e in events(answer.text) if e["event"] == "record"]
    assert lines == (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == RECORDS
    assert events(answer.text)[-1] == {"event": "state", "data": "done"}


def test_a_browser_that_lost_the_stream_goes_on_behind_its_last_line(studio):
    written_run(studio.runs)
    whole = [e for e in events(studio.own.get("/runs/vae-1/stream").text) if e["event"] == "record"]
    rest = studio.own.get("/runs/vae-1/stream", headers={"last-event-id": whole[1]["id"]}).text
    assert [e for e in events(rest) if e["event"] == "record"] == whole[2:]
    for wrong in ("x", "-1", "9" * 40, "1.5"):
        answer = studio.own.get("/runs/vae-1/stream", headers={"last-event-id": wrong})
        assert answer.status_code == 200


def test_half_a_line_waits_for_its_other_half_and_a_cut_file_begins_anew(tmp_path):
    file = tmp_path / "metrics.jsonl"
    assert new_lines(file, 0) == ([], 0, False)
    file.write_bytes(b'{"a": 1}\n{"b"')
    assert new_lines(file, 0) == ([('{"a": 1}', 9)], 9, False)
    file.write_bytes(b'{"a": 1}\n{"b": 2}\n')
    assert new_lines(file, 9) == ([('{"b": 2}', 18)], 18, False)
    file.write_bytes(b'{"a": 1}\n')
    assert new_lines(file, 18) == ([('{"a": 1}', 9)], 9, True)


def test_a_stream_follows_a_run_until_it_ends(studio, monkeypatch):
    run = written_run(studio.runs, whole=False)
    states = iter(["waiting", "running", "running", "done"])
    monkeypatch.setattr(studio.queue, "state", lambda name: next(states))
    monkeypatch.setattr("latentia.studio.runs.BETWEEN", 0.0)
    metrics = run / "metrics.jsonl"

    async def all_of_it():
        found = []
        async for event in followed(studio.queue, "vae-1", metrics, 0):
            found.append(event)
            if "running" in event:
                with metrics.open("a") as stream:
                    stream.write('{"late": 1}\n')
        return found

    text = "".join(finished(all_of_it()))
    assert [e["data"] for e in events(text) if e["event"] == "state"] == [
        "waiting", "running", "done",
    ]  # fmt: skip
    records = [e["data"] for e in events(text) if e["event"] == "record"]
    assert records == [*(json.dumps(r) for r in RECORDS), '{"late": 1}']


def test_a_stream_tells_once_of_each_line_a_file_cut_back_and_a_silence(studio, monkeypatch):
    metrics = written_run(studio.runs, whole=False) / "metrics.jsonl"
    contents = ["a\nb\n", *["a\nb\n"] * 3, "c\n", "c\n", "c\n"]
    turns = iter(zip(contents, ["running"] * 6 + ["done"]))

    def state(name):
        content, now = next(turns)
        metrics.write_bytes(content.encode())
        return now

    monkeypatch.setattr(studio.queue, "state", state)
    monkeypatch.setattr("latentia.studio.runs.BETWEEN", 0.01)
    monkeypatch.setattr("latentia.studio.runs.ALIVE", 0.015)

    async def all_of_it():
        return [event async for event in followed(studio.queue, "vae-1", metrics, 0)]

    assert finished(all_of_it()) == [
        "id: 2\nevent: record\ndata: a\n\n",
        "id: 4\nevent: record\ndata: b\n\n",
        "event: state\ndata: running\n\n",
        ": still there\n\n",
        "event: anew\ndata: \n\n",
        "id: 2\nevent: record\ndata: c\n\n",
        "event: state\ndata: done\n\n",
    ]


def test_the_page_tells_curves_pictures_doctor_and_scores(studio):
    written_run(studio.runs)
    page = studio.own.get("/runs/vae-1").text
    assert "<svg" in page
    assert "epoch_0001.png epoch_0002.png" in page
    assert "undertrained: 60% are left" in page
    assert "−ELBO 5.50" in page
    korean = studio.own.get("/runs/vae-1", headers={"cookie": studio_cookie("language=ko")}).text
    assert "학습이 모자랍니다" in korean
    assert "낮을수록 좋" in korean


def studio_cookie(more):
    from tests.studio.conftest import PORT, TOKEN

    return f"latentia-{PORT}={TOKEN}; {more}"


def test_pictures_are_the_runs_own_and_nothing_else(studio):
    run = written_run(studio.runs)
    (run / "samples" / "secret.png").write_bytes(b"no")
    (studio.runs / "epoch_0001.png").write_bytes(b"no")
    assert studio.own.get("/runs/vae-1/samples/epoch_0002.png").content == b"\x89PNG picture 2"
    for name in ("secret.png", "..%2fconfig.json", "%2e%2e%2fepoch_0001.png", "epoch_0009.png"):
        assert studio.own.get(f"/runs/vae-1/samples/{name}").status_code in (400, 404)


def test_a_model_that_is_not_there_is_said_in_a_sentence(studio):
    written_run(studio.runs, whole=False)
    for what in ("page.html", "model.zip", "onnx.zip", "report.html"):
        answer = studio.own.get(f"/runs/vae-1/export/{what}")
        assert answer.status_code == 400
        assert "yet: " in answer.text
    assert studio.own.get("/runs/vae-1/export/passwd").status_code == 400
    assert studio.own.get("/runs/nobody/export/page.html").status_code == 400


def test_curves_are_exported_as_picture_and_drawing(studio):
    written_run(studio.runs)
    png = studio.own.get("/runs/vae-1/export/curves.png")
    svg = studio.own.get("/runs/vae-1/export/curves.svg")
    assert png.content.startswith(b"\x89PNG")
    assert b"<svg" in svg.content
    assert "attachment" in svg.headers["content-disposition"]


def test_go_on_adds_the_command_that_goes_on(studio):
    run = written_run(studio.runs, whole=False)
    assert studio.own.post("/runs/vae-1/go-on").status_code == 303
    assert studio.queue.job("vae-1").words == ("resume", str(run))


@pytest.mark.parametrize("more", ["0", "-3", "x", "1e3", "9" * 30])
def test_more_epochs_are_a_whole_number(studio, more):
    written_run(studio.runs)
    answer = studio.own.post("/runs/vae-1/go-on", data={"more_epochs": more})
    assert answer.status_code == 400
    assert "it must be a whole number" in answer.text
    assert studio.queue.jobs() == []


def test_a_run_is_deleted_only_when_that_is_said_twice(studio):
    run = written_run(studio.runs)
    studio.queue.add("vae-1", ["train", "vae", "--run", str(run)])
    sure = {"sure": "yes"}
    assert studio.own.post("/runs/vae-1/delete", data=sure).status_code == 400
    studio.queue.stop("vae-1")
    assert studio.own.post("/runs/vae-1/delete").status_code == 400
    assert (run / "report.html").is_file()
    assert studio.own.post("/runs/vae-1/delete", data=sure).status_code == 303
    assert not run.exists()
    assert studio.own.post("/runs/vae-1/delete", data=sure).status_code == 400


def test_what_is_no_run_is_never_deleted(studio, tmp_path):
    foreign = studio.runs / "mine"
    foreign.mkdir()
    (foreign / "config.json").write_text(json.dumps({"model": "bert"}))
    elsewhere = written_run(tmp_path, "elsewhere")
    (studio.runs / "link").symlink_to(elsewhere)
    for name in ("mine", "link", "uploads", "..", "nobody"):
        answer = studio.own.post(f"/runs/{name}/delete", data={"sure": "yes"})
        assert answer.status_code in (400, 404, 405)
    assert (foreign / "config.json").is_file()
    assert (elsewhere / "report.html").is_file()


def test_two_runs_with_models_are_played_side_by_side(studio):
    for name in ("one", "two", "three"):
        (written_run(studio.runs, name) / "model").mkdir()
        if name != "three":
            (studio.runs / name / "model" / "config.json").write_text("{}")
    page = studio.own.get("/compare?run=one&run=two").text
    assert re.findall('data-src="/live/runs/([a-z]+)#', page) == ["one", "two"]
    assert 'data-src="/live/runs/three' not in studio.own.get("/compare?run=one&run=three").text
    assert "data-src" not in studio.own.get("/compare?run=one&run=two&run=three").text


def test_runs_stand_side_by_side_with_the_best_marked(studio):
    for name, value in (("one", 7.0), ("two", 5.0)):
        run = written_run(studio.runs, name)
        (run / "evaluation.json").write_text(json.dumps({"negative_elbo": value}))
    page = studio.own.get("/compare?run=one&run=two&run=nobody").text
    assert page.count("<b>5</b>") == 1
    assert "<b>7</b>" not in page
    assert "7" in page


def test_what_failed_can_be_changed_where_it_stands(studio):
    (studio.folder.uploads / "rows").mkdir()
    (studio.folder.uploads / "rows" / "rows.csv").write_text("a,b\n" + "1,2\n3,1\n" * 30)
    given = {"data": "uploads/rows", "hidden": "8 4", "n_epochs": "3", "run-name": "mine"}
    assert studio.own.post("/models/vae/train", data=given).status_code == 303
    job = studio.queue.job("mine")
    studio.queue._keep(replace(job, pid=os.getpid()))
    page = studio.own.get("/runs/mine").text
    (back,) = re.findall(r'href="(/models/vae\?[^"]*)#train"', page)
    form = studio.own.get(back.replace("&amp;", "&")).text
    assert 'value="8 4"' in form
    assert 'value="3"' in form
    assert 'value="uploads/rows" checked' in form


def test_a_run_that_a_terminal_trains_is_told_so_with_its_doctor_and_cannot_be_stopped_here(studio):
    run = written_run(studio.runs, "theirs", whole=False)
    (run / "holder").write_text(str(os.getpid()))
    with held_folder(run, lambda: "in use"):
        page = studio.own.get("/runs/theirs").text
    assert "A terminal trains it" in page
    assert "/runs/theirs/stop" not in page
    assert "undertrained: 60% are left" in page


@pytest.mark.parametrize(
    ("config", "words", "named"),
    [
        ({"model": "VAE"}, ("train", "gan"), "vae"),
        ({}, ("train", "gan"), "gan"),
        ({}, ("train",), ""),
        ({"model": "Mine"}, ("resume", "runs/a"), "Mine"),
    ],
)
def test_a_runs_model_is_that_of_its_config_or_else_of_its_command(config, words, named):
    assert model_of(config, words) == named
