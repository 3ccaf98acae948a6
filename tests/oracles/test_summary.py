"""The summary against R's psych, its own equations, and the cases that break tables."""

import html
import math
import sys
import unicodedata
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import stats
from sklearn.exceptions import NotFittedError

from latentia.errors import FitWarning, InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.summary import (
    WIDTH,
    Table,
    cut,
    number,
    text_width,
    wrapped,
)


def summarise(model, **options):
    return model.summary(**options)


# R 4.2.2: ability.cov$cov, n = 112.
NAMES = ["general", "picture", "blocks", "maze", "reading", "vocab"]
COVARIANCE = np.array(
    [
        [24.641, 5.991, 33.52, 6.023, 20.755, 29.701],
        [5.991, 6.7, 18.137, 1.782, 4.936, 7.204],
        [33.52, 18.137, 149.831, 19.424, 31.43, 50.753],
        [6.023, 1.782, 19.424, 12.711, 4.757, 9.075],
        [20.755, 4.936, 31.43, 4.757, 52.604, 66.762],
        [29.701, 7.204, 50.753, 9.075, 66.762, 135.292],
    ]
)
# psych 2.2.9: f <- fa(cov2cor(ability.cov$cov), nfactors=2, n.obs=112, fm="ml", rotate=ROTATION);
# the first, second and fourth rows of f$Vaccounted, then f$R2.scores and f$complexity.
# fa's varimax stops at 1e-5, 0.006 from the maximum in the sums: instead, with rotate="none",
# L <- unclass(varimax(f$loadings, eps=1e-14)$loadings), and the same numbers by fa's equations,
# colSums(L^2), diag(t(solve(R, L)) %*% L) and rowSums(L^2)^2 / rowSums(L^4).
PSYCH = {
    "oblimin": (
        [
            [1.82480521165476, 1.756996181233958],
            [0.30413420194246, 0.292832696872326],
            [0.50946577196539, 0.490534228034610],
        ],
        [0.954641074449380, 0.845351165995744],
        [
            1.92110781473, 1.00058037645, 1.00172093546, 1.00272239869, 1.00280409024,
            1.00885502795,
        ],
    ),
    "varimax": (
        [
            [1.86410422568363, 1.71769716720509],
            [0.310684037613938, 0.286282861200848],
            [0.520437629340535, 0.479562370659465],
        ],
        [0.940157562013699, 0.812199434169987],
        [
            1.98790196402, 1.12892980274, 1.11732127672, 1.11041679133, 1.06999522453,
            1.15926406779,
        ],
    ),
}  # fmt: skip


def ability(n_samples=112, rotation="oblimin", names=NAMES):
    """Return the model of the ability tests with two factors."""
    model = FactorAnalysis(n_components=2, rotation=rotation)
    model.fit_covariance(COVARIANCE, n_samples=n_samples)
    model.feature_names_in_ = np.asarray(names, dtype=object)
    return model


def fitted(X, k=1, **fields):
    """Return a model fitted in silence: what it warns of is tested elsewhere."""
    with pytest.warns(FitWarning):
        return FactorAnalysis(n_components=k, **fields).fit(X)


def table_rows(text, title):
    """Return the lines of the table of a title."""
    block = next(b for b in text.split("\n\n") if b.startswith(title))
    return block.splitlines()[1:]


@pytest.mark.parametrize("rotation", ["oblimin", "varimax"])
def test_numbers_are_those_of_psych(rotation):
    variance, reliability, complexity = PSYCH[rotation]
    found = summarise(ability(rotation=rotation), sort=False)
    np.testing.assert_allclose(found.variance[[0, 1, 3]], variance, atol=2e-4)
    np.testing.assert_allclose(found.variance[2], np.cumsum(variance[1]), atol=2e-4)
    np.testing.assert_allclose(found.score_reliability, reliability, atol=2e-4)
    np.testing.assert_allclose(found.complexities, complexity, atol=1e-3)


def test_equations():
    model = ability()
    found = summarise(model, sort=False)
    scale = np.sqrt(np.diag(COVARIANCE))
    R, L, Phi = COVARIANCE / np.outer(scale, scale), found.loadings, found.factor_correlations
    np.testing.assert_allclose(found.communalities, np.diag(L @ Phi @ L.T), atol=1e-10)
    np.testing.assert_allclose(found.communalities + found.uniquenesses, 1, atol=1e-5)
    np.testing.assert_allclose(found.variance[0].sum(), found.communalities.sum())
    # Under maximum likelihood R⁻¹Λ = Σ⁻¹Λ, so that psych's equation, which has R, is ours.
    structure = L @ Phi
    ours = np.diag(structure.T @ np.linalg.solve(R, structure))
    np.testing.assert_allclose(found.score_reliability, ours, atol=1e-5)


def test_the_log_likelihood_is_that_of_the_rows(table):
    model = fitted(table)
    by_rows = stats.multivariate_normal(model.mean_, model.get_covariance()).logpdf(table).mean()
    found = summarise(model)
    assert found.log_likelihood == pytest.approx(by_rows)
    assert f"{by_rows:.4f} nats per sample" in str(found)


@pytest.mark.parametrize(
    "line",
    [
        "pk + p = 18, for p(p + 1)/2 = 21 moments",
        "pk + p - k(k - 1)/2 = 17",
        "6.11, dof 4, p = 0.191",
        "0.068 [0.000, 0.171]",
        "0.968, 0.992",
        "-1.89, -12.77",
        "KMO sampling adequacy                0.732",
        "268.35, dof 15, p = 2.03e-48",
        "F1  1.00  0.46",
        "SS loadings              1.82  1.76",
        "R² of regression scores  0.95  0.85",
        "general  0.39  0.47  0.54  0.455  1.9",
        "maximum likelihood, rotation oblimin: k = 2, p = 6, n = 112",
    ],
)
def test_the_text_says_what_r_prints(line):
    assert line in str(summarise(ability()))


def test_variables_are_sorted_and_small_loadings_blank():
    found = summarise(ability())
    assert found.variable_names == ("reading", "vocab", "blocks", "picture", "maze", "general")
    rows = table_rows(str(found), "Standardized")
    assert rows[1].split() == ["reading", "0.99", "0.95", "0.052", "1.0"]
    assert rows[3].split() == ["blocks", "0.90", "0.78", "0.218", "1.0"]
    assert rows[3].index("0.90") > rows[1].index("0.99")
    assert repr(found) == str(found)


def test_as_they_come_and_with_every_loading():
    found = summarise(ability(), sort=False, cutoff=0)
    assert list(found.variable_names) == NAMES
    rows = table_rows(str(found), "Standardized loadings\n")
    assert all(len(row.split()) == 6 for row in rows[1:-1])
    with pytest.raises(InputError, match="cutoff is -1"):
        summarise(ability(), cutoff=-1)


def test_uncorrelated_factors_have_no_table_of_correlations():
    found = summarise(ability(rotation="varimax"))
    assert found.factor_correlations is None
    assert "Factor correlations" not in str(found)


def test_without_n_the_reason_is_said():
    text = str(summarise(ability(n_samples=None)))
    assert "n unknown" in text
    assert "–, dof 4, p = –" in text
    assert "–: n_samples is not given" in text
    assert "log_likelihood" not in text
    assert "-18.0661 nats per sample" in text
    assert "0.732" in text


def test_hangul_is_aligned():
    names = ["일반", "그림 맞추기", "blocks", "미로", "읽기 read", "e\u0301te\u0301"]
    names[3] = unicodedata.normalize("NFD", names[3])
    assert len(names[3]) > 2
    rows = table_rows(str(summarise(ability(names=names))), "Standardized")[:-1]
    assert len({text_width(row) for row in rows}) == 1
    assert {len(row) for row in rows} != {len(rows[0])}


def test_no_name_breaks_the_table():
    names = ["가" * 60, "a" * 60, "two\nlines\tand\x1b[31m", "", "x", "y"]
    rows = table_rows(str(summarise(ability(names=names))), "Standardized")[:-1]
    assert len(rows) == 7
    assert len({text_width(row) for row in rows}) == 1
    assert sum("…" in row for row in rows) == 2
    assert not any("\x1b" in row for row in rows)


def test_cut_names_fit_and_short_ones_are_left():
    assert cut("가나다라", 8) == "가나다라"
    assert [text_width(cut("가나다라마", width)) for width in (9, 8, 7)] == [9, 7, 7]
    assert cut("abcdef", 4) == "abc…"


def test_tables_without_rows_and_long_notes():
    assert str(Table("Nothing", (), ())) == "Nothing"
    for text in ("한국어 낱말 " * 40, "words " * 90, "가" * 300):
        lines = wrapped(text).splitlines()
        assert max(map(text_width, lines)) <= WIDTH
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_numbers_have_no_negative_zero():
    assert [number(x, 2) for x in (-0.001, math.nan, -0.5)] == ["0.00", "–", "-0.50"]


class Reader(HTMLParser):
    """Collect tags and text, and hold every closing tag against the last one open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("page", [True, False])
def test_html_is_whole_escaped_and_self_contained(page):
    nasty = '<script>alert("1")</script>&'
    model = ability(names=[nasty, *NAMES[1:]])
    model.heywood_ = [nasty]
    text = summarise(model).to_html(page=page)
    reader = Reader(text)
    assert not reader.open
    assert "script" not in reader.tags
    assert html.escape(nasty)[:20] in text
    assert any(nasty in piece for piece in reader.text)
    assert text.startswith("<!doctype html>") == page
    assert ("utf-8" in text) == page
    assert "http://" not in text
    assert "https://" not in text
    assert {"reading", "0.95", "-12.77"} <= {
        piece.strip() for chunk in reader.text for piece in chunk.split(",")
    }


def test_notebooks_show_the_part():
    found = summarise(ability())
    assert found._repr_html_() == found.to_html(page=False)


def test_data_frame():
    pytest.importorskip("pandas")
    found = summarise(ability())
    frame = found.to_frame()
    assert list(frame.columns) == ["F1", "F2", "communality", "uniqueness", "complexity"]
    assert list(frame.index) == list(found.variable_names)
    np.testing.assert_array_equal(frame[["F1", "F2"]], found.loadings)
    np.testing.assert_array_equal(frame["uniqueness"], found.uniquenesses)


def test_without_pandas_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="to_frame needs pandas"):
        summarise(ability()).to_frame()


def test_constant_columns_come_last_and_are_left_out(table):
    X = np.insert(table, 2, 7.0, axis=1)
    found, bare = summarise(fitted(X)), summarise(fitted(table))
    assert found.variable_names[-1] == "x2"
    assert found.marks[-1] == " (constant)"
    assert table_rows(str(found), "Standardized")[-2].split() == [
        "x2", "(constant)", "0.00", "0.000", "–",
    ]  # fmt: skip
    np.testing.assert_allclose(found.variance, bare.variance)
    assert found.kmo == pytest.approx(bare.kmo)
    assert found.sphericity == pytest.approx(bare.sphericity)
    assert "1 constant column" in str(found)


def test_heywood_cases_are_marked(table):
    draw = np.random.default_rng(5)
    X = np.column_stack([table[:, 0], table[:, 0] + 1e-3 * draw.normal(size=60), table[:, 1:]])
    model = fitted(X, k=2)
    found = summarise(model)
    marked = {name for name, mark in zip(found.variable_names, found.marks) if mark}
    assert marked == set(model.heywood_) != set()
    assert f"{model.heywood_[0]} (Heywood)" in str(found)


def test_negative_degrees_of_freedom(table):
    text = str(summarise(fitted(table, k=3)))
    assert "Degrees of freedom                   -2" in text
    assert "–: the model has -2 degrees of freedom" in text


def test_singular_covariance(table):
    X = np.column_stack([table, table[:, 0] + table[:, 1]])
    found = summarise(fitted(X, k=1))
    text = str(found)
    assert math.isnan(found.kmo)
    assert math.isnan(found.sphericity[0])
    assert "–: the observed correlation matrix is not positive definite" in text
    assert "perfectly collinear" in text


def test_no_common_variance_at_all():
    model = FactorAnalysis(n_components=1, method="minres").fit_covariance(np.eye(4), n_samples=50)
    model.loadings_ = np.zeros((4, 1))
    found = summarise(model)
    assert np.isnan(found.complexities).all()
    assert np.isnan(found.variance[3]).all()
    assert "Proportion explained        –" in str(found)


def test_other_methods_bring_a_caveat():
    model = FactorAnalysis(n_components=2, method="minres").fit_covariance(COVARIANCE, 112)
    assert "suppose maximum likelihood" in str(summarise(model))
    assert "suppose maximum likelihood" not in str(summarise(ability()))
    assert "by minres" in summarise(model).title


def test_eight_factors_of_many_wide_names_fit_in_a_hundred_columns():
    draw = np.random.default_rng(0)
    loadings = draw.normal(size=(120, 8))
    S = loadings @ loadings.T + np.diag(draw.uniform(0.5, 2, 120))
    model = FactorAnalysis(n_components=8, n_rotation_starts=1, rotation="geomin")
    model.fit_covariance(S, n_samples=200)
    model.feature_names_in_ = np.asarray([f"한글로 적은 긴 이름의 변수 {i}" for i in range(120)])
    model.heywood_ = list(model.feature_names_in_[:30])
    text = str(summarise(model, cutoff=0))
    assert max(map(text_width, text.splitlines())) <= WIDTH
    assert "80 of 120 variables are left out here" in text
    assert len(table_rows(text, "Standardized")) == 1 + 40 + 2


def test_images():
    X = np.random.default_rng(0).random((50, 12, 12))
    found = summarise(fitted(X, k=3, rotation="varimax"))
    assert found.loadings.shape == (144, 3)
    assert "104 of 144" in str(found)
    assert "<td>" in found.to_html()


def test_an_unfitted_model_is_refused():
    with pytest.raises(NotFittedError):
        summarise(FactorAnalysis())
