"""What a command prints may go nowhere; its work goes on, and its status says what was."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from latentia.cli.main import main
from latentia.training.progress import ErrorStream, FileProgress, TrainingProgress
from tests.children import environment

FULL = Path("/dev/full")


def run(words, **streams):
    command = [sys.executable, "-m", "latentia", *words]
    return subprocess.run(command, env=environment(), check=False, **streams)


def test_too_little_memory_is_said_without_an_empty_reason(monkeypatch, capsys):
    def exhausted(words):
        raise MemoryError

    monkeypatch.setattr(sys.modules["latentia.cli.main"], "_run", exhausted)
    assert main(["models"]) == 2
    assert "memory does not suffice (nothing is left)" in capsys.readouterr().err


class Full(io.StringIO):
    """A stream on a full disk, at a terminal or not."""

    terminal = False

    def isatty(self):
        return self.terminal

    def write(self, text=""):
        raise OSError(28, "No space left on device")

    flush = write


class Terminal(Full):
    terminal = True


@pytest.mark.parametrize("stream", [Full(), Terminal(), None])
def test_progress_stops_no_training(stream, monkeypatch):
    with monkeypatch.context() as within:
        within.setattr(sys, "stderr", stream)
        with TrainingProgress(2, 1, "VAE", True) as watch:
            watch(1, 1, 8, {"loss": 1.0})
            watch.tell(1, "ails: it")
            watch(2, 1, 8, {"loss": 0.5})
        with FileProgress(1, "made", True) as files:
            files.begin(1, "a.png")
            files(1.0)
            files.print("a sentence")
        Console(file=ErrorStream(), force_terminal=True).print("x")


@pytest.mark.parametrize("stream", [Full(), None])
def test_an_error_that_cannot_be_told_keeps_its_status(stream, monkeypatch, capsys):
    with monkeypatch.context() as within:
        within.setattr(sys, "stderr", stream)
        assert main(["train", "nothing"]) == 2
    assert capsys.readouterr().out == ""


def test_an_error_is_told_without_an_output(monkeypatch, capsys):
    with monkeypatch.context() as within:
        within.setattr(sys, "stdout", None)
        assert main(["train", "nothing"]) == 2
    assert capsys.readouterr().err.startswith("latentia: error: there is no model 'nothing'")


def test_nobody_reads():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        finished = run(["models"], stdout=pipe, stderr=subprocess.PIPE)
    assert (finished.returncode, finished.stderr) == (141, b"")


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_a_full_disk_behind_the_output_is_a_sentence():
    with FULL.open("wb") as full:
        # So few lines that they wait for the end.
        finished = run(["data", "list"], stdout=full, stderr=subprocess.PIPE)
        assert finished.returncode == 2
        assert b"latentia: error: " in finished.stderr
        assert finished.stderr.count(b"\n") == 1
        assert b"No space left" in finished.stderr
        assert run(["models"], stdout=subprocess.DEVNULL, stderr=full).returncode == 0


def test_closed_streams_do_not_get_a_files_number(tmp_path):
    """Else what a library prints to stream 2 would go into the next file that is opened."""
    program = (
        "import os, sys; os.close(1); os.close(2); sys.stdout = sys.stderr = None\n"
        "from latentia.cli.main import main; status = main(['models'])\n"
        f"opened = os.open('{tmp_path}/a', os.O_CREAT | os.O_WRONLY)\n"
        "os._exit(status if opened > 2 else 9)"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, env=environment(), check=False).returncode == 0
