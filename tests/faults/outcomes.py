"""What became of a command on a faulty disk or in a damaged folder, and the table of it."""

import collections

OUTCOMES = ("harmless", "fallback", "sentence", "silent", "traceback")
FAILURES = ("silent", "traceback")
FALLEN_BACK = ("trying the one before", "trying the checkpoint before", "cut back to", "are lost")
"""What is said where an older checkpoint, or fewer metrics, are gone on from."""


def outcome(status, said, same):
    """Return what became of a command, given its exit status, what it said, and its result.

    ``same`` says whether the result is that of an undisturbed run; it is called if there is one.
    """
    lines = [line for line in said.splitlines() if "  step " not in line]
    errors = [line for line in lines if line.startswith("latentia: error: ")]
    if "Traceback" in said or status not in (0, 2) or len(errors) != (status == 2):
        return "traceback"
    if status == 2:
        return "sentence"
    if not same():
        return "silent"
    fallen_back = any(words in line for line in lines for words in FALLEN_BACK)
    return "fallback" if fallen_back else "harmless"


class Table:
    """Counts outcomes by what was done; keeps what was said by those that failed."""

    def __init__(self):
        self.rows = collections.defaultdict(collections.Counter)
        self.failed = []

    def add(self, row, found, told=""):
        self.rows[row][found] += 1
        if found in FAILURES:
            self.failed.append((row, found, told))

    def __str__(self):
        head = f"{'':<34}{'tried':>7}" + "".join(f"{name:>11}" for name in OUTCOMES)
        lines = [head]
        total = sum(self.rows.values(), collections.Counter())
        for row, counts in [*sorted(self.rows.items()), ("all", total)]:
            cells = "".join(f"{counts[name]:>11}" for name in OUTCOMES)
            lines.append(f"{row:<34}{sum(counts.values()):>7}{cells}")
        return "\n".join(lines)
