"""The house rules that a machine can check; each checker is shown to be able to fail."""

import ast
import graphlib
import importlib
import re
import statistics
from pathlib import Path

import pytest

import latentia

PACKAGE = Path(latentia.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(p for f in ("examples", "benchmarks", "scripts") for p in (ROOT / f).glob("*.py"))

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
    {"pages"},
    {"studio"},
    {"cli", "__main__"},
]
"""From the ground up: a part imports its own level and those below it."""

LONGEST_FILE = 450
LONGEST_FUNCTION = 40
LONGEST_LOOP = 60  # train()
MEDIAN_FUNCTION = 6
MOST_LINES = 70_400
MOST_AT_ROOT = 14
MOST_EXCEPTIONS = 30
FOREIGN = {
    "__array__",
    "columns",
    "tocsr",
    "to_delayed",
    "num_columns",
    "madvise",
    "logpdf",
    "ppf",
    "dist",
    "bias",
    "state_dict",
    "batch_sampler",
    "column_names",
    "with_format",
    "tolist",
    "features",
    "mode",
    "backed_size_oblivious",
    "__len__",
    "__getitem__",
}
"""Attributes of arrays, data frames, Dask arrays, memory maps, SciPy's distributions, nets, data
sets of torch's and Hugging Face's, pictures of Pillow's, a switch of torch's."""
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
    drawers = [function.name for function in functions(source) if function.args.kwarg]
    # They are given names that no field has, and refuse them.
    refusing = {"fields.py": ["__call__"], "base.py": ["set_params"]}
    assert drawers == (refusing.get(path.name, []) if path.parent == PACKAGE / "models" else [])
    assert "pickle.load" not in source
    assert re.search(r"(?<!safetensors\.)torch\.load\(", source) is None
    assert "allow_pickle=True" not in source


def test_importing_the_package_imports_nothing_heavy():
    assert "import torch" not in (PACKAGE / "__init__.py").read_text()


def test_the_root_has_few_names():
    plain = {"__init__.py", "__main__.py", "py.typed", "__pycache__"}
    names = sorted(path.name for path in PACKAGE.iterdir() if path.name not in plain)
    print(f"{len(names)} names at the root: {', '.join(names)}")
    assert len(names) <= MOST_AT_ROOT


def imported_modules(path):
    """Return the package's modules that a file imports, lazily or for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("latentia"):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in inside}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & MODULES.keys()


def module_name(path):
    parts = ["latentia", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_name(path): path for path in FILES}


def test_no_imports_go_in_a_circle():
    imports = {name: imported_modules(path) - {"latentia"} for name, path in MODULES.items()}
    assert list(graphlib.TopologicalSorter(imports).static_order())


def test_a_circle_of_imports_would_be_seen():
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def test_exceptions_from_the_checkers_are_few():
    source = "\n".join(path.read_text() for path in FILES)
    found = source.count("# noqa") + source.count("type: ignore")
    print(f"{found} noqas and type: ignores")
    assert found <= MOST_EXCEPTIONS


def test_the_package_is_no_larger_than_its_subject():
    lines = [len(path.read_text().splitlines()) for path in FILES]
    print(f"{len(FILES)} files of {sum(lines)} lines, the longest {max(lines)}")
    assert sum(lines) <= MOST_LINES


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_own_types_are_not_asked_for_attributes(path):
    """``hasattr`` is for objects of other software, by the names of these attributes."""
    asked = re.findall(r"hasattr\([^()]*(?:\([^()]*\))?[^()]*\)", path.read_text())
    assert all(any(f'"{name}"' in call for name in FOREIGN) for call in asked), asked


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_what_scripts_import_is_there(path):
    """Benchmarks and scripts that no test runs would otherwise break unseen when code moves."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("latentia"):
            for alias in node.names:
                if f"{node.module}.{alias.name}" not in MODULES:
                    assert hasattr(importlib.import_module(node.module), alias.name), alias.name


def test_children_of_tests_import_what_their_parent_does():
    """Without its own environment a child imports what is installed, another checkout perhaps."""
    files = [p for p in Path(__file__).parent.rglob("*.py") if p.name != "test_start.py"]
    calls = [
        node
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("subprocess.run", "subprocess.Popen")
    ]
    assert len(calls) > 10
    assert all(any(k.arg == "env" for k in call.keywords) for call in calls)
