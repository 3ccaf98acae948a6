"""How far a reader walks: the files that a fit enters, and how deep the classes stand.

The figures may only fall, but for the lines of a model's own page, which may only grow.
"""

import ast
import collections
import importlib
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

import latentia

PACKAGE = Path(latentia.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

MOST_FILES = {"VAE": 20, "GAN": 20, "FactorAnalysis": 12, "PCA": 6}
LEAST_OWN_LINES = {"VAE": 60, "GAN": 70}
DEEPEST_CLASS = 5
MOST_ONLY_CHILDREN = 0


def small_fit(name):
    """Return a model, and 64 rows to fit it on."""
    draws = np.random.default_rng(0)
    if name in ("PCA", "FactorAnalysis"):
        return getattr(latentia, name)(n_components=2), draws.normal(size=(64, 6))
    model = getattr(latentia, name)(n_epochs=1, batch_size=16, random_state=0)
    return model, draws.random((64, 8, 8))


def entered(model, X):
    """Return {file of the package: first lines of the functions that a fit enters}."""
    found = collections.defaultdict(set)

    def note(frame, event, argument):
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(PACKAGE)):
            found[file].add(frame.f_code.co_firstlineno)

    sys.settrace(note)
    try:
        model.fit(X)
    finally:
        sys.settrace(None)
    return dict(found)


def lines_of(file, first_lines):
    """Return how many lines those functions of a file have, signature and docstring included."""
    functions = [n for n in ast.walk(ast.parse(Path(file).read_text())) if is_function(n)]
    first = {min([f.lineno, *(d.lineno for d in f.decorator_list)]): f for f in functions}
    return sum(first[i].end_lineno - i + 1 for i in first_lines if i in first)


def is_function(node):
    return isinstance(node, ast.FunctionDef)


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", MOST_FILES)
def test_a_fit_enters_few_files_and_stays_on_its_page(name, record_property):
    model, X = small_fit(name)
    found = entered(model, X)
    own = inspect.getfile(type(model))
    own_lines = lines_of(own, found[own])
    record_property("files", len(found))
    print(f"{name}.fit enters {len(found)} files and {own_lines} lines of its own page")
    assert len(found) <= MOST_FILES[name], sorted(found)
    assert own_lines >= LEAST_OWN_LINES.get(name, 0)


def all_classes():
    """Return every class that the package defines."""
    modules = [
        importlib.import_module(
            ".".join(["latentia", *path.relative_to(PACKAGE).with_suffix("").parts])
        )
        for path in FILES
        if path.stem not in ("__init__", "__main__")
    ]
    return {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }


def depth(cls):
    """Return the number of our classes from a root of ours down to this one."""
    ours = [base for base in cls.__bases__ if base.__module__.startswith("latentia.")]
    return 1 + max((depth(base) for base in ours), default=0)


def test_classes_stand_on_few_floors():
    deepest = max(all_classes(), key=depth)
    print(f"the deepest class is {deepest.__name__}, on floor {depth(deepest)}")
    assert depth(deepest) <= DEEPEST_CLASS


def test_no_abstract_class_has_one_child():
    classes = all_classes()
    alone = {
        base.__name__
        for base in classes
        if inspect.isabstract(base) and sum(base in cls.__bases__ for cls in classes) == 1
    }
    print(f"abstract classes with one child: {sorted(alone) or 'none'}")
    assert len(alone) <= MOST_ONLY_CHILDREN


def test_the_measure_of_ways_sees_what_is_entered():
    found = entered(*small_fit("PCA"))
    assert any(file.endswith("pca.py") for file in found)
    assert lines_of(__file__, {is_function.__code__.co_firstlineno}) == 2
