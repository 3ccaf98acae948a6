"""Commands in processes of their own: what is printed, what is refused, and what is given up."""

import pytest

from latentia.errors import InputError
from latentia.studio import calls
from tests.studio.conftest import running_instead, typed

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def sleeping(monkeypatch):
    """Let each command be a process that does nothing for long."""
    return running_instead(monkeypatch, SLEEP)


def test_a_command_is_answered_by_what_it_prints_or_by_its_refusal():
    assert "1,797 scanned handwritten digits" in calls.called("data", "describe", "digits")
    with pytest.raises(InputError, match="nowhere"):
        calls.called("data", "describe", "nowhere.npz")


def test_a_command_that_takes_too_long_is_ended(sleeping, monkeypatch):
    monkeypatch.setattr(calls, "SLOWEST", 0.1)
    with pytest.raises(InputError, match="latentia data took longer than"):
        calls.called("data", "describe", "digits")
    assert sleeping[0][1].returncode not in (None, 0)


def test_a_command_ends_with_the_studio(sleeping, monkeypatch):
    begin = calls.subprocess.Popen

    def popen(command, **given):
        child = begin(command, **given)
        monkeypatch.setattr(child, "communicate", interrupted)
        return child

    def interrupted(timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr(calls.subprocess, "Popen", popen)
    with pytest.raises(KeyboardInterrupt):
        calls.called("data", "describe", "digits")
    assert sleeping[0][1].returncode not in (None, 0)


def test_a_command_does_not_read_what_is_typed_where_the_studio_was_started(monkeypatch):
    running_instead(monkeypatch, "import sys; print(repr(sys.stdin.read()))")
    with typed("a word"):
        assert calls.called("data", "describe", "digits").strip() == "''"
