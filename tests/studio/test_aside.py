"""Processes beside the studio: they answer, keep what they loaded, and end without ending it."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from latentia.errors import InputError
from latentia.studio import aside
from latentia.studio.aside import Aside, _begun


@pytest.fixture
def beside(monkeypatch):
    """Return a process that has to answer within a second, once it is there."""
    found = Aside(60)
    assert found.ask(len, "abc") == 3
    found.seconds = 1
    begun = []
    monkeypatch.setattr(aside, "_begun", lambda: begun.append(_begun()) or begun[-1])
    yield found
    for child, _ in filter(None, (*begun, found.child)):
        child.kill()


def test_one_process_answers_again_and_again_and_is_not_the_studio(beside):
    first = beside.ask(os.getpid)
    assert first == beside.ask(os.getpid) != os.getpid()


def test_a_refusal_is_the_functions_own(beside):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        beside.ask(Path("nowhere").read_bytes)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        beside.ask(divmod, 1, 0)
    assert beside.ask(len, "ab") == 2


def test_what_answers_too_late_is_ended_and_the_next_is_answered(beside):
    before = beside.ask(os.getpid)
    with pytest.raises(InputError, match="took longer than 1 s"):
        beside.ask(time.sleep, 600)
    beside.seconds = 60
    assert beside.ask(os.getpid) != before


def test_what_ends_its_process_does_not_end_the_studio(beside):
    with pytest.raises(InputError, match="more memory than there is for it, or is damaged"):
        beside.ask(os._exit, 1)
    beside.seconds = 60
    assert beside.ask(len, "a") == 1


def test_what_takes_more_memory_than_it_may_is_refused(beside):
    with pytest.raises(InputError, match="more memory than there is for it"):
        beside.ask(bytearray, 2**62)
    assert beside.ask(len, "a") == 1


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="needs Linux")
def test_memory_is_limited(beside):
    limits = beside.ask(Path("/proc/self/limits").read_text)
    (line,) = [line for line in limits.splitlines() if line.startswith("Max data size")]
    assert int(line.split()[3]) >= aside.LEAST_MEMORY


def test_what_waits_for_an_answer_is_let_go_when_the_studio_ends(beside):
    beside.seconds, refused = 600, []

    def wait():
        with pytest.raises(InputError):
            beside.ask(time.sleep, 600)
        refused.append(True)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not beside.lock.locked():
        time.sleep(0.01)
    beside.end()
    waiting.join(60)
    assert refused
    with pytest.raises(InputError, match="the studio ends"):
        beside.ask(len, "a")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
def test_a_process_beside_may_take_half_of_the_machines_memory(beside):
    import resource

    most, _ = beside.ask(resource.getrlimit, resource.RLIMIT_DATA)
    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    assert most == max(aside.LEAST_MEMORY, half)
