"""What Windows would stumble over, read off the source: it was never run there."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted((ROOT / "src").rglob("*.py")), ROOT / "start.py"]
POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
"""Modules that Windows does not have."""
ABSENT = {
    "os": {
        "O_DIRECTORY", "chown", "fork", "getgid", "getpgid", "getuid", "killpg", "mkfifo",
        "nice", "sched_getaffinity", "sched_setaffinity", "setsid", "statvfs", "sysconf", "uname",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "alarm", "pause"},
}  # fmt: skip
"""What modules lack there."""
ASKED_BEFORE = {"_locked"}
"""A function whose only callers ask for the system."""
OPENED = ("read_text", "write_text", "open")
RUN = ("run", "Popen", "check_output")


def is_guarded(function):
    """Return whether a function asks which system it is on."""
    return function.name in ASKED_BEFORE or any(
        word in ast.unparse(function) for word in ("win32", "linux", "'nt'", "'posix'")
    )


def owners(tree):
    """Yield each node with the innermost function that holds it, or the module."""

    def walk(node, owner):
        for child in ast.iter_child_nodes(node):
            inside = child if isinstance(child, ast.FunctionDef) else owner
            yield child, inside
            yield from walk(child, inside)

    return walk(tree, tree)


def missing_there(tree):
    """Yield what a source takes that Windows lacks, without asking for the system."""
    for node, owner in owners(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name in POSIX]
        elif isinstance(node, ast.ImportFrom) and node.module in POSIX:
            names = [node.module]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [node.attr] if node.attr in ABSENT.get(node.value.id, ()) else []
        if names and not (isinstance(owner, ast.FunctionDef) and is_guarded(owner)):
            yield f"{names[0]}, line {node.lineno}"


def texts_without_encoding(tree):
    """Yield calls that open a text in whatever encoding the system is set to."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(k.arg == "encoding" for k in node.keywords):
            continue
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        if name not in (*OPENED, *RUN):
            continue
        told = ast.unparse(node)
        n_given = len(node.args) - (name == "write_text")
        if name in ("read_text", "write_text") and n_given < 1:
            yield f"{told}, line {node.lineno}"
        modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
        opens = name == "open" and any(m in ("r", "w", "a", "x", "r+", "w+") for m in modes)
        if opens and not told.startswith(("tarfile.", "zipfile.", "av.", "gzip.")):
            yield f"{told}, line {node.lineno}"
        if name in RUN and any(k.arg in ("text", "universal_newlines") for k in node.keywords):
            yield f"{told}, line {node.lineno}"


def test_nothing_is_taken_that_windows_lacks_or_reads_otherwise():
    wrong = []
    for source in SOURCES:
        tree = ast.parse(source.read_text("utf-8"))
        found = [*missing_there(tree), *texts_without_encoding(tree)]
        wrong += [f"{source.relative_to(ROOT)}: {each}" for each in found]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        "import fcntl",
        "from resource import getrlimit",
        "def f():\n    import resource",
        "os.killpg(1, 2)",
        "def f():\n    return signal.SIGKILL",
    ],
)
def test_what_windows_lacks_is_found(source):
    assert len([*missing_there(ast.parse(source))]) == 1
    inside = source.partition("\n")[2].strip() or source
    asked = f"def f():\n    if sys.platform != 'win32':\n        {inside}"
    assert [*missing_there(ast.parse(asked))] == []


@pytest.mark.parametrize(
    ("source", "n"),
    [
        ("p.read_text()", 1),
        ("p.read_text('utf-8')", 0),
        ("p.read_text(errors='replace')", 1),
        ("p.write_text(x)", 1),
        ("p.write_text(x, 'utf-8')", 0),
        ("p.write_text(x, encoding='utf-8')", 0),
        ("p.open('w')", 1),
        ("open(p, 'w', encoding='utf-8')", 0),
        ("p.open('wb')", 0),
        ("tarfile.open(p, 'w')", 0),
        ("subprocess.run(words, text=True)", 1),
    ],
)
def test_a_text_without_an_encoding_is_found(source, n):
    assert len([*texts_without_encoding(ast.parse(source))]) == n


def test_a_training_is_told_to_end_by_what_its_system_has():
    from latentia.training.signals import NAMES

    assert {"SIGTERM", "SIGBREAK"} < {*NAMES}
