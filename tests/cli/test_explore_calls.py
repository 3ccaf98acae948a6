"""What ``explore`` asks of the library when no option is given, and how long a film is."""

import argparse
import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest

import latentia
from latentia.cli import explore_actions
from latentia.cli.explore_inputs import Task
from latentia.cli.main import main
from latentia.data import load as load_data
from latentia.errors import InputError
from latentia.explore import latent_path
from latentia.explore.codes import decoded
from latentia.models.saved import load
from tests.conftest import SHARED

DEFAULTS = {
    "interpolate": {
        "latent_path": {"n_steps": 8, "spherical": False},
        "interpolate_codes": {"n_steps": 8, "spherical": False},
        "interpolation_figure": {"n_steps": 8, "spherical": False},
    },
    "map": {"manifold": {"coordinates": None, "n_grid": 20, "random_state": 0}},
    "traverse": {
        "traverse": {
            "centre": None, "coordinates": None, "n_coordinates": 10, "reach": 3.0, "n_steps": 7,
            "random_state": 0,
        },
    },
    "attribute": {
        "attribute_direction": {"method": "means", "against": None},
        "edit": {"strengths": [-2, -1, 0, 1, 2], "residual": False},
        "attribute_check": {"strengths": [-2, -1, 0, 1, 2], "residual": False},
        "attribute_figure": {"strengths": [-2, -1, 0, 1, 2], "residual": False},
    },
    "blend": {"shares_of_two": {"n_steps": 5}},
    "neighbours": {"nearest_neighbours": {"n_neighbours": 6}},
    "invert": {
        "invert": {"n_steps": 300, "n_restarts": None, "prior_weight": 0.0, "random_state": 0}
    },
}  # fmt: skip
"""What the help says of each action, as arguments of the functions that it is made of."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, digits = tmp_path_factory.mktemp("runs"), load_data("digits")
    parts = {"x_train": digits.x_train[:120], "y_train": digits.y_train[:120]}
    np.savez(folder / "few.npz", **parts, x_test=digits.x_test[:40], y_test=digits.y_test[:40])
    latentia.PCA(n_components=3).fit(digits.x_train[:120]).save(folder / "pca")
    model = latentia.GAN(n_components=3, hidden=(8,), **SHARED)
    model.fit(digits.x_train[:120]).save(folder / "gan")
    return folder


@pytest.fixture
def calls(folder, monkeypatch, capsys):
    """Return a function that runs an action, and returns each library call by its name."""
    monkeypatch.chdir(folder)

    def run(action, *words, model="pca"):
        seen = {}
        with monkeypatch.context() as patched:
            patched.setattr(explore_actions, "png_bytes", lambda figure: b"picture")
            for name, work in inspect.getmembers(explore_actions, inspect.isfunction):
                if not work.__module__.startswith("latentia.explore"):
                    continue

                def noted(*given, work=work, name=name, **options):
                    bound = inspect.signature(work).bind(*given, **options)
                    bound.apply_defaults()
                    seen[name] = dict(bound.arguments)
                    return work(*given, **options)

                patched.setattr(explore_actions, name, noted)
            asked = [*(() if model == "gan" else ("--data", "few.npz")), *map(str, words)]
            status = main(["explore", action, model, "--overwrite", *asked])
        told = capsys.readouterr()
        assert status == 0, told.err
        return seen, told.out.splitlines()[0]

    return run


@pytest.mark.parametrize("action", DEFAULTS)
def test_without_options_the_defaults_of_the_help_are_asked_for(action, calls, folder):
    seen, out = calls(action)
    assert out == f"{action}.png"
    assert (folder / out).exists()
    for name, expected in DEFAULTS[action].items():
        found = {key: seen[name][key] for key in expected}
        assert found == expected, name


FIRST = {
    "interpolate": ("interpolation_figure", "originals", 2),
    "blend": ("blend_figure", "X", 2),
    "neighbours": ("nearest_neighbours", "X", 5),
    "invert": ("invert", "X", 8),
}


@pytest.mark.parametrize("action", FIRST)
def test_the_first_test_samples_are_taken_where_none_are_named(action, calls, folder):
    seen, _ = calls(action)
    name, key, n = FIRST[action]
    with np.load(folder / "few.npz") as parts:
        np.testing.assert_array_equal(seen[name][key], parts["x_test"][:n])


FILMS = {
    "interpolate": ("interpolate_codes", 24 + 1),
    "traverse": ("traverse", 24),
    "attribute": ("edit", 24),
    "blend": ("shares_of_two", 24),
}


@pytest.mark.parametrize("ending", ["gif", "mp4"])
@pytest.mark.parametrize("action", FILMS)
def test_a_film_has_24_frames_from_one_end_to_the_other(action, ending, calls, monkeypatch):
    shown = []
    monkeypatch.setattr(explore_actions, "check_animation", lambda *given: None)

    def film(path, frames, frames_per_second):
        shown.append((str(path), len(frames), frames_per_second))

    monkeypatch.setattr(explore_actions, "write_animation", film)
    seen, _ = calls(action, "--out", f"film.{ending}")
    name, n = FILMS[action]
    assert shown == [(f"film.{ending}", 2 * n - 2, 10.0)]
    asked = seen[name]["strengths" if action == "attribute" else "n_steps"]
    assert (len(asked) if action == "attribute" else asked) == 24
    if action != "attribute":
        calls(action, "--out", f"film.{ending}", "--n-steps", 5)
        assert shown[1][1] == 2 * (5 + (action == "interpolate")) - 2


@pytest.mark.parametrize(
    "words",
    [
        ("interpolate", "--spherical"),
        ("interpolate", "--rows", 3, 5, 8, "--n-steps", 4),
        ("map", "--n-grid", 3),
        ("traverse", "--rows", 2, "--n-coordinates", 2),
        ("invert",),
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_the_images_are_those_of_the_codes(words, calls, folder):
    calls(*words, "--out", "found.npz")
    with np.load(folder / "found.npz") as found:
        codes, images = found["codes"], found["images"]
    expected = decoded(load(folder / "pca"), codes.reshape(-1, 3))
    np.testing.assert_allclose(images.reshape(expected.shape), expected, atol=1e-5)


def test_draws_are_walked_between_from_the_seed_asked(calls, folder):
    for seed in (0, 4):
        words = ("--random-state", seed, "--out", "found.npz", "--spherical")
        seen, _ = calls("interpolate", *words, model="gan")
        assert (seen["prior_draws"]["n"], seen["prior_draws"]["random_state"]) == (4, seed)
        with np.load(folder / "found.npz") as found:
            way = latent_path(found["codes"][::8], 8, spherical=True)
            np.testing.assert_allclose(found["codes"], way, atol=1e-5)
            assert len(found["images"]) == len(way) == 3 * 8 + 1


def test_classes_have_the_names_that_the_data_give_them():
    digits = load_data("digits")
    few = dataclasses.replace(digits, y_train=digits.y_train % 2, y_test=digits.y_test % 2)
    task = Task(load_data, argparse.Namespace(out=Path("x.png"), labels=None))
    task.data = dataclasses.replace(few, class_names=("even", "odd"))
    [(name, labels)] = task.label_sets().items()
    assert (name, labels.names) == ("class", ("even", "odd"))
    assert task.shown_labels().names == ("even", "odd")
    for values, own in ((labels.train, few.y_train), (labels.test, few.y_test)):
        np.testing.assert_array_equal(values, own)


@pytest.fixture
def task(folder, monkeypatch):
    """Return a function that makes a task of data with other labels, and of labels asked for."""
    monkeypatch.chdir(folder)

    def make(labels=None, spec="digits", **changes):
        made = Task(load_data, argparse.Namespace(out=Path("x.png"), labels=labels))
        made.data = dataclasses.replace(load_data(spec), **changes)
        return made

    return make


def test_labels_are_shown_if_there_are_any_and_they_differ(task):
    digits = load_data("digits")
    ones, zeros = np.ones(len(digits.y_train), int), np.zeros(len(digits.y_test), int)
    alike = {"y_train": ones, "y_test": ones[: len(zeros)], "class_names": ()}
    none = {"y_train": None, "y_test": None, "class_names": ()}
    assert task(**alike).shown_labels() is None
    assert task(**none).shown_labels() is None
    parts = {"y_train": ones, "y_test": zeros, "class_names": ()}
    assert task(**parts).shown_labels().names == ("not class", "class")
    np.save("odd.npy", np.arange(len(ones) + len(zeros)) % 2)
    for own in (alike, none, {}):
        assert task(["odd.npy"], **own).shown_labels().names == ("not odd", "odd")


def test_measures_in_a_file_without_classes_are_labels_only_if_they_are_named(task):
    images, ages = np.random.default_rng(1).random((60, 8, 8)), np.arange(30, 90)
    np.savez("measured.npz", images=images, age=ages)
    assert load_data("measured.npz").y_train is None
    with pytest.raises(InputError, match="has no labels; name some with --labels FILE"):
        task(spec="measured.npz").label_sets()
    assert list(task(["age"], spec="measured.npz").label_sets()) == ["age"]


def test_an_attribute_is_found_by_its_whole_name_or_by_that_of_its_measure(task):
    for known, asked, found in (
        (("aged", "age > 43"), "age", "age > 43"),
        (("age > 43", "aged"), "aged", "aged"),
        (("b", "a"), None, "b"),
    ):
        made = task()
        made.given.attribute = asked
        assert made.attribute(dict.fromkeys(known)) == found
    made.given.attribute = "ag"
    with pytest.raises(InputError, match="there is no attribute 'ag', but aged, age > 43"):
        made.attribute(dict.fromkeys(("aged", "age > 43")))
