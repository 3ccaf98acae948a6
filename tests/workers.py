"""Which of xdist's workers gets which tests, and when: what a worker makes, its tests share."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/browser/test_live_page.py",
    "tests/browser/test_live_reports.py",
    "tests/browser/test_play.py",
    "tests/browser/test_special_pages.py",
    "tests/cli/test_evaluate.py",
    "tests/cli/test_explore.py",
    "tests/cli/test_verbs.py",
    "tests/distributed/",
    "tests/evaluation/test_classifier.py",
    "tests/evaluation/test_comparison.py",
    "tests/evaluation/test_evaluate.py",
    "tests/evaluation/test_sections.py",
    "tests/faults/test_damage.py",
    "tests/faults/test_operations.py",
    "tests/laws/test_laws.py",
    "tests/oracles/test_clustering.py",
    "tests/oracles/test_variational.py",
    "tests/pages/test_every_model.py",
    "tests/test_names.py",
)
"""Places whose tests share what takes long to make: one worker makes it, once."""
MOST, PARTS = 32, 128
"""Tests handed out at once: a part of what is left, so that the workers end together."""


class ByPlace(LoadScopeScheduling):
    """Give what lies in one of the places to one worker, and the other tests some at a time.

    xdist's own groups fail in pytest 9.2. It goes through all tests so far after each test, and
    sends each by itself, for which a worker with short tests waits; here it does neither.
    """

    def __init__(self, config, log=None):
        super().__init__(config, log)
        self.numbers = {}

    def _split_scope(self, nodeid):
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)

    def mark_test_complete(self, node, item_index, duration=0):
        """Forget a test that is done, and give its worker more when it has nearly none left."""
        nodeid = self.registered_collections[node][item_index]
        scope, units = self._split_scope(nodeid), self.assigned_work[node]
        del units[scope][nodeid]
        if not units[scope]:
            del units[scope]
        self._reschedule(node)

    def _share(self):
        return min(MOST, len(self.workqueue) // PARTS)

    def _reschedule(self, node):
        if node.shutting_down:
            return
        if not self.workqueue:
            node.shutdown()
        elif self._pending_of(self.assigned_work[node]) <= 2 + self._share() // 4:
            self._assign_work_unit(node)

    def _assign_work_unit(self, node):
        if node not in self.numbers:
            found = self.registered_collections[node]
            self.numbers[node] = {nodeid: number for number, nodeid in enumerate(found)}
        numbers, share = [], self._share()
        while self.workqueue and (not numbers or len(numbers) < share):
            scope, unit = self.workqueue.popitem(last=False)
            self.assigned_work[node][scope] = unit
            numbers += [self.numbers[node][nodeid] for nodeid in unit]
        node.send_runtest_some(numbers)
