"""Defaults: a word means the same wherever it is left out, and in a model as in its base."""

import ast
import inspect
import json
from pathlib import Path

import pytest

import latentia
from tests.laws.test_ranges import public_functions

KEPT = Path(__file__).with_name("defaults.json")

ONE_DEFAULT = {
    "callbacks": "()",
    "channels": "'first'",
    "clips": "False",
    "closed": "False",
    "correlation": "'pearson'",
    "cutoff": "0.3",
    "gaps_stay": "False",
    "image_size": "None",
    "k": "5",
    "level": "0.95",
    "live": "False",
    "max_iter": "2000",
    "most_categories": "USUAL_MOST",
    "n_factors": "None",
    "n_given": "0",
    "n_kernels": "0",
    "of_run": "OF_NO_RUN",
    "options": "USUAL",
    "over": "False",
    "overwrite": "False",
    "page": "True",
    "peak": "1.0",
    "precision": "'auto'",
    "private": "False",
    "progress": "None",
    "residual": "False",
    "resume": "False",
    "reverse_found": "False",
    "sample_weight": "None",
    "seed": "0",
    "spherical": "False",
    "start_from": "None",
    "stride": "1",
    "validation": "None",
    "weights": "None",
    "with_images": "False",
}
"""What a parameter of a name is, wherever it may be left out."""


def defaults():
    """Return each parameter of the package that may be left out: its place, name and default."""
    found = []
    for path in sorted(Path(latentia.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                given = node.args
                last = given.args[len(given.args) - len(given.defaults) :]
                pairs = [*zip(last, given.defaults), *zip(given.kwonlyargs, given.kw_defaults)]
                place = f"{path.stem}.{node.name}"
                found += [(place, a.arg, ast.unparse(d)) for a, d in pairs if d is not None]
    return found


def test_a_parameter_of_one_name_has_one_default():
    found = defaults()
    other = [each for each in found if ONE_DEFAULT.get(each[1], each[2]) != each[2]]
    assert other == []
    # A seed is 0, or that of the model.
    seeds = {default for _, name, default in found if name == "random_state"}
    assert seeds == {"0", "None"}
    assert ONE_DEFAULT.keys() <= {name for _, name, _ in found}


@pytest.mark.parametrize("name", latentia.MODELS)
def test_a_method_may_be_asked_as_that_of_its_base(name):
    """Parameters of one name are left out, or not, in a method as in the one that it replaces."""
    model = getattr(latentia, name)
    for place, kind in enumerate(model.__mro__):
        own = {n: f for n, f in vars(kind).items() if inspect.isfunction(f) and n != "__init__"}
        for method, function in own.items():
            for base in model.__mro__[place + 1 :]:
                if method in vars(base) and base.__module__.startswith("latentia."):
                    mine, theirs = map(inspect.signature, (function, vars(base)[method]))
                    shared = mine.parameters.keys() & theirs.parameters.keys()
                    for each in shared - {"data"}:
                        ends = (each, mine.parameters[each].default)
                        assert ends == (each, theirs.parameters[each].default), (kind, method)


def of_signature(kind):
    """Return what may be left out of a call, and what it then is."""
    given = inspect.signature(kind).parameters.values()
    return {p.name: repr(p.default) for p in given if p.default is not p.empty}


def promised():
    """Return the defaults of every public function, model and method of a model, by its name."""
    found = {f"{f.__module__}.{f.__qualname__}": of_signature(f) for f in public_functions()}
    for name in latentia.MODELS:
        model = getattr(latentia, name)
        found[name] = of_signature(model)
        for method, function in inspect.getmembers(model, inspect.isfunction):
            if method[0] != "_" and function.__module__.startswith("latentia."):
                found[function.__qualname__] = of_signature(function)
    return {name: found[name] for name in sorted(found) if found[name]}


def test_what_is_left_out_is_what_it_was():
    """A default changes what users get who never named it: on purpose, and with a line in the log.

    ``python -m tests.laws.test_defaults`` keeps those of today.
    """
    kept, now = json.loads(KEPT.read_text()), promised()
    assert {name: now[name] for name in now if now[name] != kept.get(name)} == {}
    assert kept.keys() == now.keys()


if __name__ == "__main__":
    rows = (f"{json.dumps(name)}: {json.dumps(each)}" for name, each in promised().items())
    KEPT.write_text("{\n" + ",\n".join(rows) + "\n}\n")
