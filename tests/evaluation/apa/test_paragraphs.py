"""Sentences to edit: in both languages, and no number in them that the model has not."""

import json
import re
import warnings
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy import stats

import latentia
from latentia.errors import FitWarning
from latentia.evaluation.apa.documents import factor_document
from latentia.evaluation.apa.factors import Analysis, factor_tables, rotation_words
from latentia.evaluation.apa.paragraphs import paragraphs
from latentia.evaluation.apa.table import plain
from latentia.evaluation.apa.wording import wording
from latentia.evaluation.factor_report import Observed
from latentia.evaluation.reliability_report import scales_of_factors
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.robust import robust_test
from latentia.models.fields import model_fields
from tests.evaluation.apa.conftest import NAMES, printed

WORDS = json.loads((files("latentia.evaluation.apa") / "wording.json").read_text("utf-8"))
HANGUL = re.compile("[가-힣]")
NUMBER = re.compile(r"−?(?:\d[\d,]*)?(?:\.\d+|\d)")


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key):
    said = WORDS[key]
    assert set(said) == {"en", "ko"}
    fields = {lang: set(re.findall(r"\{(\w+)\}", text)) for lang, text in said.items()}
    assert {f.lower() for f in fields["en"]} == {f.lower() for f in fields["ko"]}
    assert not HANGUL.search(said["en"])
    italics = {lang: re.findall(r"\*(.*?)\*", text) for lang, text in said.items()}
    assert set(italics["ko"]) <= set(italics["en"])


def numbers_of(told, rows):
    """Return every number that may stand in a paragraph, as it is printed there."""
    model, s = told.model, told.model.fit_statistics()
    L, n = model.standardized_loadings_, len(rows)
    largest, h2 = np.abs(L).max(axis=1), model.communalities_
    R = np.corrcoef(rows.T)
    inverse = np.linalg.inv(R)
    partial = inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(6, dtype=bool)
    kmo = (R[off] ** 2).sum() / ((R[off] ** 2).sum() + (partial[off] ** 2).sum())
    null = -(n - 1 - (2 * 6 + 5) / 6) * np.linalg.slogdet(R)[1]
    t = robust_test(model, rows)
    found = {printed(x) for x in (largest.min(), largest.max(), h2.min(), h2.max(), kmo, 0.3)}
    found |= {printed(model.factor_correlations_[1, 0]), printed(100 * h2.mean(), 1, False)}
    found |= {printed(x, bounded=False) for x in (null, s.chi_square, t.chi_square)}
    bounds = (s.cfi, s.tli, s.rmsea, s.rmsea_low, s.rmsea_high, s.srmr, t.cfi, t.tli, t.rmsea)
    found |= {printed(x, 3) for x in (*bounds, s.p_value, t.p_value)}
    for scale in told.scales:
        figures = (scale.alpha, scale.alpha_low, scale.alpha_high, scale.omega_one_factor)
        found |= set(map(printed, figures))
    assert stats.chi2.sf(null, 15) < 0.001
    counts = {str(k) for k in told.suggestion.counts.values()}
    return found | counts | {".001", "6", "1,200", "15", str(s.dof), "90", "95", "0", "1", "2"}


def test_each_number_is_one_of_the_fit(told, rows):
    allowed = numbers_of(told, rows)
    for part in paragraphs(told, "en"):
        text = plain(part.text).replace(f"Latentia {latentia.__version__}", "")
        for name in (*NAMES, "F1", "F2"):
            text = text.replace(name, "")
        found = NUMBER.findall(text)
        assert len(found) > 8
        assert set(found) <= allowed, set(found) - allowed


def test_the_language_asked_for_comes_first(told):
    parts = paragraphs(told, "ko")
    assert [p.language for p in parts] == ["ko", "ko", "en", "en"]
    korean = [plain(p.text) for p in parts[:2]]
    assert all(text.endswith("다.") or "ω = " in text for text in korean)
    assert "최대우도법" in korean[0]
    assert not HANGUL.search("".join(plain(p.text) for p in parts[2:]).replace("국어", ""))


def test_variables_with_several_coefficients_and_with_none_are_named(rows, observed):
    mixed = rows.copy()
    mixed[:, 2] = rows[:, 0] + rows[:, 4] + np.random.default_rng(1).normal(size=len(rows))
    mixed[:, 5] = np.random.default_rng(0).normal(size=len(rows))
    model = FactorAnalysis(n_components=2, rotation="varimax").fit(mixed)
    text = plain(paragraphs(Analysis("x", model), "en")[1].text)
    size = np.abs(model.standardized_loadings_) >= 0.3
    crossed = [f"x{i}" for i in np.flatnonzero(size.sum(axis=1) > 1)]
    assert crossed
    assert f"more than one factor: {', '.join(crossed)}." in text
    assert "No coefficient of at least .30: x5." in text
    assert "Correlations among" not in text


ROTATIONS = next(f for f in model_fields("FactorAnalysis") if f.name == "rotation").choices
METHODS = next(f for f in model_fields("FactorAnalysis") if f.name == "method").choices


def test_every_estimator_and_rotation_has_words():
    for lang in ("en", "ko"):
        words = wording(lang)
        assert all(f"method {name}" in words for name in METHODS)
        assert all(f"rotation {name}" in words for name in ROTATIONS)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rotation": "varimax"}, "orthogonal rotation (varimax, Kaiser normalization)"),
        ({"rotation": "varimax", "kaiser": False}, "orthogonal rotation (varimax)"),
        ({"rotation": "promax"}, "oblique rotation (promax, power 4, Kaiser normalization)"),
        ({"rotation": "oblimin", "oblimin_gamma": -0.5}, "oblique rotation (oblimin, γ = −0.5)"),
        ({"rotation": "geomin"}, "oblique rotation (geomin, ε = 0.01)"),
        ({"rotation": "crawford_ferguson"}, "oblique rotation (Crawford–Ferguson, κ = 1/6)"),
        ({"rotation": "target", "target": "1:3 | 4:6"}, "oblique rotation (target)"),
        ({}, "unrotated"),
    ],
    ids=str,
)
def test_a_rotation_is_named_with_its_setting(fields, said, rows):
    model = FactorAnalysis(n_components=2, **fields).fit(rows)
    assert rotation_words(model, wording("en")) == said


def test_one_factor_is_one(rows):
    told = Analysis("x", FactorAnalysis().fit(rows))
    method, result = paragraphs(told, "en")[:2]
    assert "The factor was extracted by maximum likelihood." in plain(method.text)
    assert "The factor explained" in plain(result.text)
    titles = [plain(table.title) for table in factor_tables(told, "en")]
    assert titles == ["Factor Loadings of 6 Variables on One Factor", "Fit of the Factor Model"]


def test_other_estimates_are_told(rows):
    answers = np.digitize(rows, [-1, 0, 1]).astype(float)
    answers[3, 2] = np.nan
    for fields, said in (
        ({"correlation": "polychoric"}, "Polychoric correlations were analyzed."),
        ({"missing": "fiml", "n_starts": 1}, "full-information maximum likelihood"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            told = Analysis("x", FactorAnalysis(**fields).fit(answers))
        assert said in plain(paragraphs(told, "en")[0].text)
        assert said in plain(factor_tables(told, "en")[0].note)
    note = plain(factor_tables(told, "en")[-1].note)
    assert "χ² of the likelihood ratio." in note
    minres = Analysis("x", FactorAnalysis(method="minres").fit(rows))
    assert "rough guides" in plain(factor_tables(minres, "en")[-1].note)


def test_heywood_cases_and_constant_columns_are_named(rows):
    twice = np.column_stack([rows, rows[:, 0], np.ones(len(rows))])
    with pytest.warns(FitWarning):
        model = FactorAnalysis(n_components=3).fit(twice)
    told = Analysis("x", model)
    table = factor_tables(told, "en")[0]
    assert "Left out, as without variance: x7." in plain(table.note)
    assert "x7" not in [row[0].text for row in table.rows]
    assert model.heywood_
    assert f"lower bound: {' and '.join(model.heywood_)}." in plain(table.note)
    assert "Heywood case" in plain(paragraphs(told, "en")[1].text)


def test_a_matrix_without_n_says_so_and_leaves_tests_out(rows):
    model = FactorAnalysis().fit_covariance(np.corrcoef(rows.T))
    told = Analysis("m", model)
    method, result = (plain(p.text) for p in paragraphs(told, "en")[:2])
    assert "N = ?" in method
    assert "Bartlett" not in method
    assert "χ²" not in result
    fit = factor_tables(told, "en")[-1].rows[0]
    assert [cell.text for cell in fit[1:4]] == ["—", str(model.fit_statistics().dof), "—"]


def test_many_variables_have_no_table_of_coefficients():
    model = FactorAnalysis().fit_covariance(0.5 * np.eye(301) + 0.5, 1000)
    document = factor_document(Analysis("m", model), "t")
    assert [table.name for table in document.tables] == ["fit"]
    assert document.figures == ()
    assert "of 301 variables no table of coefficients was set" in document.left_out[0]


def test_scales_of_factors_follow_the_largest_coefficient(rows):
    model = FactorAnalysis(n_components=2, rotation="varimax").fit(rows)
    own = np.abs(model.standardized_loadings_).argmax(axis=1)
    for scale in scales_of_factors(model, Observed("x", rows), 0.3):
        j = int(scale.name[1:]) - 1
        members = np.flatnonzero(own == j)
        assert scale.variable_names == tuple(f"x{i}" for i in members)
        L = model.standardized_loadings_[members, j]
        assert scale.reversed == tuple(f"x{i}" for i, x in zip(members, L) if x < 0)
    assert scales_of_factors(model, replace(Observed("x", rows), weights=np.ones(9)), 0.3) == []
    assert scales_of_factors(model, Observed("x", rows), 0.99) == []
