"""The house rules that a machine can check; each checker is shown to be able to fail."""

import ast
import re
import statistics
from pathlib import Path

import pytest

import latentia

PACKAGE = Path(latentia.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

LEVELS = [
    {"__init__", "errors", "files"},
    {"metrics"},
    {"data"},
    {"plots"},
    {"training"},
    {"nets"},
    {"models"},
    {"evaluation"},
    {"explore"},
    {"theory"},
    {"cli", "__main__"},
]
"""From the ground up: a part imports its own level and those below it."""

LONGEST_FILE = 450
LONGEST_FUNCTION = 40
LONGEST_LOOP = 60  # train()
MEDIAN_FUNCTION = 6
MOST_COMMENTS = 0.05
NO_DRAWERS = {"utils", "util", "helpers", "common", "core", "misc"}


def part(path):
    """Return the top-level part of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def level(name):
    return next(i for i, names in enumerate(LEVELS) if name in names)


def imported_parts(source):
    """Return the parts of latentia that a source imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = node.module.split(".")
            if names[0] == "latentia":
                found |= {names[1]} if len(names) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("latentia.")}
    return {name for name in found if any(name in names for names in LEVELS)}


def wrong_imports(name, source):
    return {other for other in imported_parts(source) if level(other) > level(name)}


def code_lines(function):
    """Return how many lines a function's body has, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions(source):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    assert not wrong_imports(part(path), path.read_text())


def test_the_import_check_can_fail():
    assert wrong_imports("data", "def f():\n    from latentia.training.train import train") == {
        "training"
    }
    assert wrong_imports("data", "import latentia.cli.main") == {"cli"}


def test_every_part_has_its_level():
    assert {part(path) for path in FILES} == set().union(*LEVELS)


def test_data_need_no_torch():
    for path in (PACKAGE / "data").glob("*.py"):
        assert "import torch" not in path.read_text()


def test_nets_know_no_loss():
    assert all("training.losses" not in p.read_text() for p in (PACKAGE / "nets").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path):
    source = path.read_text()
    assert len(source.splitlines()) <= LONGEST_FILE
    for function in functions(source):
        limit = LONGEST_LOOP if function.name == "train" else LONGEST_FUNCTION
        assert code_lines(function) <= limit, function.name


def test_functions_are_short_on_the_whole():
    lengths = [code_lines(f) for path in FILES for f in functions(path.read_text())]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_comments_are_few():
    lines = [line.strip() for path in FILES for line in path.read_text().splitlines()]
    assert sum(line.startswith("#") for line in lines) / len(lines) <= MOST_COMMENTS


def test_there_is_no_drawer():
    names = {name for p in PACKAGE.rglob("*") for name in (p.stem, p.name)}
    assert not names & NO_DRAWERS


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_keyword_drawers_no_pickles(path):
    source = path.read_text()
    assert all(function.args.kwarg is None for function in functions(source))
    assert "pickle.load" not in source
    assert re.search(r"(?<!safetensors\.)torch\.load\(", source) is None
    assert "allow_pickle=True" not in source


def test_importing_the_package_imports_nothing_heavy():
    assert "import torch" not in (PACKAGE / "__init__.py").read_text()
