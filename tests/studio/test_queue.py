"""The queue: on disk, one at a time, and not dependent on the studio that began a training."""

import errno
import os
import sys
import threading
import time

import pytest

from latentia.errors import InputError
from latentia.files import held_folder
from latentia.studio import queue as queues
from latentia.studio.queue import Queue
from tests.studio.conftest import running_instead, typed, written_run

SLEEP = "import time; print('begun', flush=True); time.sleep(60)"


@pytest.fixture
def sleeping(monkeypatch):
    """Let each training be a process that does nothing for long; end what is left of them."""
    started = running_instead(monkeypatch, SLEEP)
    yield started
    for _, child in started:
        child.kill()
        child.wait()


def test_one_at_a_time_in_the_order_in_which_they_were_asked_for(studio, sleeping):
    for name in ("b", "a", "c"):
        studio.queue.add(name, ["train", "vae", "--run", name])
    assert studio.queue.step() == "b"
    assert studio.queue.step() is None
    assert [studio.queue.state(n) for n in "bac"] == ["running", "waiting", "waiting"]
    sleeping[0][1].kill()
    sleeping[0][1].wait()
    assert studio.queue.state("b") == "failed"
    assert studio.queue.step() == "a"
    assert sleeping[1][0][1:4] == ["-m", "latentia", "train"]


def test_each_training_that_is_done_is_told_once(studio, sleeping):
    told, ended = [], threading.Event()
    for name in ("a", "b"):
        studio.queue.add(name, ["train", "vae", "--run", name])
    watching = threading.Thread(target=studio.queue.watch, args=(ended, told.append), daemon=True)
    watching.start()
    try:
        until(lambda: len(sleeping) == 1)
        written_run(studio.runs, "a")
        sleeping[0][1].kill()
        until(lambda: len(sleeping) == 2)
        # It has no report: it was stopped, or failed.
        sleeping[1][1].kill()
        until(lambda: studio.queue.state("b") == "failed")
        ended.wait(2 * queues.EVERY)
    finally:
        ended.set()
        watching.join()
    assert told == ["a"]


def test_a_training_that_ends_as_soon_as_it_begins_is_told(studio, sleeping, monkeypatch):
    told, ended, step = [], threading.Event(), studio.queue.step

    def over_at_once():
        if (name := step()) is not None:
            written_run(studio.runs, name)
            sleeping[-1][1].kill()
            sleeping[-1][1].wait()
        return name

    monkeypatch.setattr(studio.queue, "step", over_at_once)
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    watching = threading.Thread(target=studio.queue.watch, args=(ended, told.append), daemon=True)
    watching.start()
    try:
        until(lambda: told)
    finally:
        ended.set()
        watching.join()
    assert told == ["a"]


def until(holds):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_studio_that_begins_anew_knows_the_training_and_the_queue(studio, sleeping):
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    studio.queue.add("b", ["train", "vae", "--run", "b"])
    studio.queue.step()
    anew = Queue(studio.folder)
    assert anew.state("a") == "running"
    assert anew.state("b") == "waiting"
    assert anew.step() is None
    anew.stop("a")
    sleeping[0][1].wait(10)
    assert anew.state("a") == "failed"
    assert anew.step() == "b"


def test_a_training_is_in_a_session_of_its_own(studio, sleeping):
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    studio.queue.step()
    assert os.getsid(sleeping[0][1].pid) != os.getsid(0)


def test_the_number_of_a_process_that_ended_is_not_mistaken_for_it(studio):
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    job = studio.queue.job("a")
    studio.queue._keep(queues.replace(job, pid=os.getpid()))
    assert studio.queue.state("a") == "failed"
    studio.queue.stop("a")
    time.sleep(0.05)


def test_what_waits_can_be_taken_back(studio):
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    studio.queue.stop("a")
    assert studio.queue.jobs() == []


def test_what_is_asked_of_a_training_leads_to_a_page_that_is_there(studio, sleeping):
    written_run(studio.runs, "kept")

    def led(address, **given):
        answer = studio.own.post(address, data=given)
        assert answer.status_code == 303, answer.text
        place = answer.headers["location"]
        assert studio.own.get(place).status_code == 200
        return place

    for name in ("begun", "waits"):
        studio.queue.add(name, ["train", "vae", "--run", name])
    assert studio.queue.step() == "begun"
    # Of what waits nothing is left but a run that there was before.
    assert led("/runs/waits/stop") == "/"
    assert led("/runs/kept/go-on", more_epochs="2") == "/runs/kept"
    assert studio.queue.state("kept") == "waiting"
    assert led("/runs/kept/stop") == "/runs/kept"
    assert led("/runs/begun/stop") == "/runs/begun"
    assert led("/runs/kept/delete", sure="yes") == "/"


def test_a_run_is_not_trained_twice_at_once(studio):
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    with pytest.raises(InputError, match="is being trained"):
        studio.queue.add("a", ["resume", "a"])


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_without_locks_trainings_are_begun_and_watched_in_silence(
    studio, sleeping, monkeypatch, caplog
):
    import fcntl

    def flock(descriptor, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    assert studio.queue.step() == "a"
    assert studio.queue.state("a") == "running"
    sleeping[0][1].kill()
    sleeping[0][1].wait()
    assert [shown.state for shown in studio.queue.shown()] == ["failed"]
    # That there are no locks is said once, by the studio as it begins.
    assert caplog.text == ""


def test_a_damaged_job_does_not_hide_the_others(studio):
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    place = studio.queue.place("b")
    place.mkdir()
    for content in (b"", b"{", b"[]", b'{"name": 1}', b'{"words": 3}', b"\xff"):
        (place / "job.json").write_bytes(content)
        assert [job.name for job in studio.queue.jobs()] == ["a"]


def test_how_a_run_stands_is_read_from_its_folder(studio):
    written_run(studio.runs, "whole")
    written_run(studio.runs, "half", whole=False)
    assert studio.queue.state("whole") == "done"
    assert studio.queue.state("half") == "stopped"
    assert {s.name for s in studio.queue.shown()} == {"whole", "half"}


@pytest.mark.slow
def test_a_real_refusal_is_told_in_the_commands_own_sentence(studio):
    spec = str(studio.runs / "nothing.csv")
    run = str(studio.folder.run("a"))
    studio.queue.add("a", ["train", "pca", "--data", spec, "--run", run])
    studio.queue.step()
    studio.queue.children["a"].wait(60)
    assert studio.queue.state("a") == "failed"
    assert studio.queue.complaint("a").startswith(f"there is no data set '{spec}'")
    answer = studio.own.get("/runs/a")
    assert "no such file or folder" in answer.text
    assert "Traceback" not in answer.text


def test_a_training_does_not_read_what_is_typed_where_the_studio_was_started(studio, monkeypatch):
    code = "import sys; print(repr(sys.stdin.read()), flush=True); sys.exit('and failed')"
    started = running_instead(monkeypatch, code)
    studio.queue.add("a", ["train", "vae", "--run", "a"])
    with typed("a word"):
        assert studio.queue.step() == "a"
    started[0][1].wait()
    assert (studio.queue.place("a") / "log.txt").read_text().split("\n")[:2] == ["''", "and failed"]


def test_a_run_lives_while_a_process_holds_it_and_not_by_what_a_killed_one_left(studio):
    run = written_run(studio.runs, "a", whole=False)
    (run / "holder").write_text("999999")
    assert not studio.queue.lives("a")
    with held_folder(run, lambda: ""):
        assert studio.queue.lives("a")
    assert not studio.queue.lives("a")
