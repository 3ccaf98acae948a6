"""A factor model's rotation to expected loadings, its constants, and what is said of minima."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas
import pytest

import latentia
from latentia.errors import FitWarning, InputError
from latentia.models.factors.bootstrap import bootstrap_errors
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.standard_errors import information_errors
from latentia.models.linear.rotation import counted, order, rotate, target_of

PROBLEM = json.loads(Path(__file__).with_name("r_reference.json").read_text())[
    "holzinger_swineford"
]
S = pandas.DataFrame(PROBLEM["correlation"], columns=PROBLEM["variables"])
SPEC = "x1:x3 | x4 x5 x6 | x7, x8, x9"
BLOCKS = np.kron(np.eye(3), np.ones((3, 1)))


def fit(**fields):
    model = FactorAnalysis(n_components=3, n_starts=1, n_rotation_starts=2, **fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return model.fit_covariance(S, 301)


def start():
    model = fit()
    return model.loadings_ @ model.rotation_matrix_.T


@pytest.mark.parametrize("rotation", ["target", "target_orthogonal"])
@pytest.mark.parametrize("value", [None, 1.0, 0.7])
def test_words_are_the_target_of_rotate(rotation, value):
    T = np.where(BLOCKS == 1, np.nan if value is None else value, 0)
    expected = rotate(start(), rotation, kaiser=False, target=T, n_starts=2, random_state=0)
    found = fit(rotation=rotation, target=SPEC, target_value=value)
    L = order(expected, 3, T).loadings
    np.testing.assert_allclose(found.loadings_, L, atol=1e-6)
    # The factors come in the order of the target, and with its signs.
    assert (np.abs(L).argmax(axis=1) == BLOCKS.argmax(axis=1)).all()
    assert (L[BLOCKS == 1] > 0).all()
    same = fit(rotation=rotation, target="1:3 | 4:6 | 7:9", target_value=value)
    np.testing.assert_array_equal(same.loadings_, found.loadings_)


CONSTANTS = [
    ("geomin", "geomin_epsilon", "delta", 0.05),
    ("geomin_orthogonal", "geomin_epsilon", "delta", 0.05),
    ("oblimin", "oblimin_gamma", "gamma", -1.0),
    ("crawford_ferguson", "crawford_ferguson_kappa", "kappa", 0.4),
    ("crawford_ferguson_orthogonal", "crawford_ferguson_kappa", "kappa", 0.4),
    ("promax", "promax_power", "power", 2.5),
]


@pytest.mark.parametrize(("rotation", "field", "name", "value"), CONSTANTS)
def test_constants_are_those_of_rotate(rotation, field, name, value):
    kaiser = rotation == "promax"
    settings = {"kaiser": kaiser, "n_starts": 2, "random_state": 0}
    expected = order(rotate(start(), rotation, **settings, **{name: value})).loadings
    found = fit(rotation=rotation, **{field: value}).loadings_
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - fit(rotation=rotation).loadings_).max() > 1e-4
    with pytest.raises(InputError, match=f"{field} is {value}, which counts only with rotation"):
        fit(rotation="varimax", **{field: value})


def test_the_general_factor_of_a_bifactor_rotation_comes_first():
    found = fit(rotation="bifactor_orthogonal")
    assert (np.diff(np.abs(found.loadings_).sum(axis=0)[1:]) <= 0).all()
    # GPArotation's bifactorT, see test_rotation
    np.testing.assert_allclose(found.loadings_[:3, 0], [0.676284, 0.447570, 0.648110], atol=1e-5)


def test_standard_errors_of_a_target_rotation_agree_with_the_bootstrap():
    model = fit(rotation="target", target=SPEC)
    exact = information_errors(model)
    drawn = bootstrap_errors(model, None, parametric=True, n_replicates=60)
    ratios = drawn.loadings / exact.loadings
    assert 0.8 < np.median(ratios) < 1.25
    assert drawn.n_failed == 0


def test_a_saved_model_keeps_its_target(tmp_path):
    model = fit(rotation="target", target=SPEC, target_value=1)
    model.save(tmp_path / "m")
    again = latentia.load(tmp_path / "m")
    assert (again.target, again.target_value) == (SPEC, 1)
    np.testing.assert_array_equal(again.loadings_, model.loadings_)
    assert str(again.summary()) == str(model.summary())


def test_local_minima_are_said_in_the_summary():
    A = np.random.default_rng(9).normal(size=(10, 4))
    A *= np.sqrt(0.6) / np.linalg.norm(A, axis=1, keepdims=True)
    model = FactorAnalysis(n_components=4, n_starts=1, rotation="geomin")
    model.fit_covariance(A @ A.T + 0.4 * np.eye(10))
    n_starts, n_at_best, n_minima = model.rotation_minima_
    assert n_starts == 10 > n_at_best
    assert n_minima > 1
    said = " ".join(str(model.summary()).split())
    assert f"of {n_starts} starts {n_at_best} ended at the lowest, which is shown" in said
    assert "local minima" not in str(fit(rotation="oblimin").summary())


def test_targets_in_words():
    names = ["a", "b c", "d", "1"]
    assert counted("b c | a d", names) == "2 | 1 3"
    assert counted(None, names) is None
    expected = [[0, 0.5], [0.5, 0], [0, 0.5], [0, 0]]
    np.testing.assert_array_equal(target_of("b c | a d", names, 2, 0.5), expected)


MISTAKES = [
    ({"rotation": "target"}, "rotation is 'target', and target is none: name the variables"),
    ({"rotation": "target", "target": "x1 | x2"}, "target has 2 factor.* n_components is 3"),
    ({"rotation": "target", "target": "x1 | x2 |"}, "a factor has no variable"),
    ({"rotation": "target", "target": "x1 | x2 | y"}, "--target: X has no column 'y' among its 9"),
    ({"rotation": "target", "target": SPEC, "kaiser": True}, "kaiser is True; rotation 'target'"),
    ({"target": SPEC}, "target is .* which counts only with rotation target or target_orthogonal"),
    ({"rotation": "bifactor", "n_components": 2}, "it needs at least 3: a general factor and two"),
    (
        {"rotation": "target", "target": SPEC, "target_value": 1, "matrix": "covariance"},
        "target_value is of standardized loadings",
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), MISTAKES)
def test_mistakes_are_refused_in_a_sentence(fields, sentence):
    with pytest.raises(InputError, match=sentence):
        FactorAnalysis(**({"n_components": 3} | fields)).fit_covariance(S, 301)
