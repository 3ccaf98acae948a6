"""Each test is run once, by whichever worker has time, and those of a place by one."""

from collections import Counter
from types import SimpleNamespace

import pytest

pytest.importorskip("xdist")

from tests.workers import MOST, TOGETHER, ByPlace

TESTS = [f"tests/a/test_{n}.py::test_it" for n in range(6000)]
TESTS += [f"{place}::test_{n}" for n in range(70) for place in TOGETHER[:3]]


class Worker:
    """A worker that runs what it is sent when it is told to."""

    gateway = SimpleNamespace(id="gw")
    shutting_down = False

    def __init__(self):
        self.waiting, self.ran, self.sent = [], [], []

    def send_runtest_some(self, numbers):
        self.sent.append(len(numbers))
        self.waiting += numbers

    def shutdown(self):
        self.shutting_down = True

    def run(self, schedule):
        # The last one waits until it is known what follows it.
        if len(self.waiting) > 1 or (self.waiting and self.shutting_down):
            self.ran.append(self.waiting.pop(0))
            schedule.mark_test_complete(self, self.ran[-1])


@pytest.fixture
def begun():
    """Return a schedule of `TESTS` and its two workers."""
    option = SimpleNamespace(loadscopereorder=True, tx=["popen", "popen"])
    values = {"tx": ["popen", "popen"], "numprocesses": 2}
    config = SimpleNamespace(option=option, getvalue=values.get)
    schedule, workers = ByPlace(config, SimpleNamespace(loadscopesched=lambda *_: None)), []
    for _ in range(2):
        workers.append(Worker())
        schedule.add_node(workers[-1])
        schedule.add_node_collection(workers[-1], list(TESTS))
    schedule.schedule()
    return schedule, workers


def test_every_test_is_run_once_and_those_of_a_place_by_one_worker(begun):
    schedule, (slow, fast) = begun
    for turn in range(3 * len(TESTS)):
        fast.run(schedule)
        if turn % 3 == 0:
            slow.run(schedule)
    assert sorted(slow.ran + fast.ran) == list(range(len(TESTS)))
    assert schedule.tests_finished
    assert 0.2 < len(slow.ran) / len(TESTS) < 0.3
    for place in TOGETHER[:3]:
        by = [[n for n in worker.ran if TESTS[n].startswith(place)] for worker in (slow, fast)]
        assert sorted(map(len, by)) == [0, 70]
    sent = Counter(slow.sent + fast.sent)
    assert max(number for number in sent if number != 70) == MOST
    assert fast.sent[-1] == 1


def test_what_a_lost_worker_had_left_goes_to_the_other(begun):
    schedule, (lost, other) = begun
    for _ in range(100):
        lost.run(schedule)
    crashed = schedule.remove_node(lost)
    assert TESTS.index(crashed) == lost.waiting[0]
    for _ in range(len(TESTS)):
        other.run(schedule)
    assert sorted(lost.ran + other.ran) == list(range(len(TESTS)))
