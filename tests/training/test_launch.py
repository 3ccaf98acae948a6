"""Processes that train together end together, and one sentence names what was lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from latentia.training import launch
from latentia.training.launch import LOST, run_processes
from tests.children import environment

PROLOGUE = "import os, signal, sys, time; rank = int(os.environ['RANK'])\n"
WAIT = "time.sleep(60)\n"
KILL = "os.kill(os.getpid(), signal.SIG{})\n"


def run(program, n=2):
    return run_processes([sys.executable, "-S", "-c", PROLOGUE + program], n)


@pytest.fixture(autouse=True)
def short_grace(monkeypatch):
    monkeypatch.setattr(launch, "SECONDS_TO_END", 0.2)


def test_each_process_knows_its_place(tmp_path):
    program = f"import json; json.dump(dict(os.environ), open(f'{tmp_path}/{{rank}}', 'w'))"
    assert run(program, 3) == (0, "")
    told = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(3)]
    for rank, given in enumerate(told):
        assert given["RANK"] == given["LOCAL_RANK"] == str(rank)
        assert given["WORLD_SIZE"] == given["LATENTIA_DEVICES"] == "3"
    assert len({given[launch.MEETING] for given in told}) == 1


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        (KILL.format("KILL"), 1, "was killed by SIGKILL, as a system does that runs out of memory"),
        (KILL.format("SEGV"), 1, "was killed by SIGSEGV"),
    ],
)
def test_a_killed_process_ends_all_and_is_named(lost, end, status, words, tmp_path):
    others = f"open(f'{tmp_path}/{{rank}}', 'w').write(str(os.getpid())); " + WAIT
    found = run(f"if rank == {lost}:\n    {end}else:\n    {others}", 3)
    assert found == (status, f"process {lost} of 3 (counted from 0) {words}")
    for file in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)


def test_who_is_left_alone_is_not_to_blame():
    alone = f"sys.exit({LOST})\n"
    killed = "time.sleep(0.1); " + KILL.format("KILL")
    status, sentence = run(f"if rank != 1:\n    {alone}else:\n    {killed}", 3)
    assert (status, sentence[:12]) == (1, "process 1 of")


def test_who_does_not_answer_is_named():
    """A stopped process neither ends nor takes a signal; the others lose patience with it."""
    stopped = KILL.format("STOP") + "    " + WAIT
    status, sentence = run(f"if rank == 1:\n    {stopped}else:\n    sys.exit({LOST})")
    assert status == 1
    assert sentence == (
        "process 1 of 2 (counted from 0) did not answer any more and was stopped for good"
    )


def test_what_one_process_said_last_is_told():
    program = "sys.stderr.buffer.write(b'a\\nb \\xff\\n'); sys.exit(3 if rank else 75)"
    assert run(program) == (
        3,
        "process 1 of 2 (counted from 0) ended with status 3: b \N{REPLACEMENT CHARACTER}",
    )


def test_what_concerns_all_is_told_by_the_first(capfd):
    assert run("print(f'wrong {rank}', file=sys.stderr); sys.exit(2)") == (2, "")
    assert capfd.readouterr().err == "wrong 0\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_handed_on(number, tmp_path, heard):
    handler = signal.getsignal(number)
    program = (
        f"signal.signal({int(number)}, lambda *_: sys.exit(130))\n"
        f"open(f'{tmp_path}/{{rank}}', 'w'); " + WAIT
    )

    def send():
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=send).start()
    assert run(program) == (130, "")
    assert signal.getsignal(number) == handler


def test_a_process_ends_when_its_parent_is_gone():
    program = "from latentia.training.launch import *; end_with_parent(); print(1, flush=True); "
    child = subprocess.Popen(
        [sys.executable, "-c", program + "time.sleep(60)"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child.stdout, child.stdin:
        child.stdout.readline()
    assert child.wait(30) == -signal.SIGTERM
