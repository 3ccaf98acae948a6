"""Satorra and Bentler's test, Yuan and Bentler's, and Mardia's moments against lavaan and psych.

R 4.2.2 with lavaan 0.6-14 and psych 2.2.9, of R's ``attitude``.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.robust import mardia, robust_test
from latentia.models.factors.yuan_bentler import Gaps, MeanAndCovariance
from latentia.models.linear.missing import observed_log_likelihood
from latentia.models.linear.patterns import Patterns
from tests.oracles.made_answers import NUMBERS, NUMBERS_WITH_GAPS

REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", "absent")) / "factor_analysis"

X = np.array(
    json.loads(Path(__file__).with_name("r_reference.json").read_text())["attitude"]["scores"][
        "rows"
    ]
)
# f <- cfa("f =~ rating + ... + advance", attitude, std.lv=TRUE, estimator="MLM"), and
# efa(attitude, nfactors=2, estimator="MLM"): fitMeasures(f, c("chisq.scaled", "pvalue.scaled",
# "chisq.scaling.factor", "baseline.chisq.scaling.factor", "cfi.robust", "tli.robust",
# "rmsea.robust"))
LAVAAN = {
    1: [22.289861424679508, 0.072851427190095, 1.320498612321814, 1.075238905320096,
        0.881143586037427, 0.821715379056141, 0.161442533691812],
    2: [5.71255201415529, 0.67939424822343, 1.17339911938855, 1.07523890532010,
        1, 1.07650039826125, 0],
}  # fmt: skip
# mardia(attitude): b1p and b2p, by the covariance /(n - 1)
PSYCH_B1, PSYCH_B2 = 20.089318085753991, 61.910544745853166


# of the same fits: "rmsea.ci.lower.robust", "rmsea.ci.upper.robust"
INTERVALS = {1: (0, 0.2818024409), 2: (0, 0.1827679993)}
# YG of made_answers, and x1 to x9 of HolzingerSwineford1939 without x2 in rows i % 7 == 0, x5 in
# i % 5 == 1, x9 in i % 11 == 3, x1 in i % 13 == 4; k factors as an echelon, see test_dwls:
# cfa(model, d, estimator="MLR", missing="fiml", em.h1.tol=1e-13, em.h1.iter.max=20000,
# control=list(rel.tol=1e-13, x.tol=1e-13, iter.max=10000, eval.max=20000)): "chisq.scaled",
# "chisq.scaling.factor", "baseline.chisq.scaling.factor", "cfi.robust", "tli.robust",
# "rmsea.robust", "rmsea.ci.lower.robust", "rmsea.ci.upper.robust"
MLR = {
    ("made", 1): [358.088084849, 0.922280033213, 0.984630867537, 0.783352492826, 0.696693489956,
                  0.185120441384, 0.167322012509, 0.203506832342],
    ("made", 2): [12.2976726319, 1.00396947567, 0.984630867537, 1, 1.00109331288, 0, 0,
                  0.0464519424904],
    ("schools", 2): [129.557802333148, 0.882827585083653, 1.04282002637467, 0.879740639838239,
                     0.772140159693506, 0.136050651235687, 0.111276763941133, 0.162034335537756],
    ("schools", 3): [19.5631446304486, 0.939970966729394, 1.04282002637467, 0.99256475285773,
                     0.977694258573189, 0.0425671978839997, 0, 0.0843046701695876],
}  # fmt: skip


def rows_of(name):
    if name == "made":
        return NUMBERS_WITH_GAPS
    if not REFERENCE.exists():
        pytest.skip("LATENTIA_REFERENCE does not name the folder of R's results")
    file = REFERENCE / "holzinger_swineford_data.csv"
    rows, i = np.genfromtxt(file, delimiter=",", skip_header=1), np.arange(1, 302)
    for column, every, rest in ((1, 7, 0), (4, 5, 1), (8, 11, 3), (0, 13, 4)):
        rows[i % every == rest, column] = np.nan
    return rows


@pytest.mark.parametrize("case", MLR, ids=str)
def test_the_test_of_rows_with_gaps_is_lavaans(case):
    name, k = case
    rows = rows_of(name)
    model = FactorAnalysis(n_components=k, missing="fiml", tolerance=1e-10, n_starts=1)
    found = robust_test(model.fit(rows), rows)
    ours = found.chi_square, found.scaling, found.baseline_scaling, found.cfi, found.tli
    ours += found.rmsea, found.rmsea_low, found.rmsea_high
    # lavaan differences its gradient for the Hessian behind c.
    np.testing.assert_allclose(ours, MLR[case], rtol=5e-6)
    assert found.kind == "yuan_bentler"


def test_without_gaps_the_indices_are_nearly_those_of_satorra_and_bentler():
    """One takes A at the saturated moments, the other at the model's."""
    complete = robust_test(FactorAnalysis(n_components=2).fit(NUMBERS), NUMBERS)
    model = FactorAnalysis(n_components=2, missing="fiml", tolerance=1e-10, n_starts=1)
    gaps = robust_test(model.fit(NUMBERS), NUMBERS)
    for name in ("rmsea", "rmsea_low", "rmsea_high", "cfi", "tli"):
        assert getattr(gaps, name) == pytest.approx(getattr(complete, name), abs=5e-5)


def test_scores_and_information_are_slopes_of_the_likelihood():
    gaps, p = Gaps(NUMBERS_WITH_GAPS[:60, :3]), 3
    draw = np.random.default_rng(0).normal(size=(9, p))
    point = np.concatenate([draw[0] / 9, np.cov(draw[1:].T)[np.tril_indices(p)]])

    def moments(x):
        S = np.zeros((p, p))
        S[np.tril_indices(p)] = x[p:]
        return MeanAndCovariance(x[:p], S + np.tril(S, -1).T)

    def likelihood(x):
        at, patterns = moments(x), Patterns(NUMBERS_WITH_GAPS[:60, :3])
        return observed_log_likelihood(patterns, at.mean, at.covariance)

    slopes = gaps.scores(moments(point)).mean(axis=0)
    A, by_sigma = gaps.information(moments(point))
    for i, to in enumerate(np.eye(len(point)) * 1e-5):
        rise = (likelihood(point + to) - likelihood(point - to)) / 2e-5
        assert slopes[i] == pytest.approx(rise, abs=1e-7)
        ends = [gaps.scores(moments(point + s * to)).mean(axis=0) for s in (-1, 1)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-5, A[i], atol=1e-6)
    twice = 2 * by_sigma - np.diag(by_sigma.diagonal())
    np.testing.assert_allclose(twice[np.tril_indices(p)], slopes[p:], atol=1e-12)


@pytest.mark.parametrize("rotation", ["none", "oblimin"])
@pytest.mark.parametrize("k", LAVAAN)
def test_the_scaled_test_is_lavaans(k, rotation):
    found = robust_test(FactorAnalysis(n_components=k, rotation=rotation).fit(X), X)
    ours = found.chi_square, found.p_value, found.scaling, found.baseline_scaling
    ours += found.cfi, found.tli, found.rmsea
    # lavaan's search of one factor stops at 1e-6.
    np.testing.assert_allclose(ours, LAVAAN[k], atol=3e-5 if k == 1 else 1e-7)
    assert found.dof == (14 if k == 1 else 8)
    np.testing.assert_allclose((found.rmsea_low, found.rmsea_high), INTERVALS[k], atol=2e-5)


def test_units_and_constant_columns_do_not_matter():
    plain = robust_test(FactorAnalysis(n_components=2).fit(X), X)
    scaled = np.c_[X * np.geomspace(0.01, 100, 7), np.ones(len(X))]
    with pytest.warns(match="constant"):
        model = FactorAnalysis(n_components=2).fit(scaled)
    assert robust_test(model, scaled).scaling == pytest.approx(plain.scaling, rel=1e-6)


def test_the_scaling_is_one_for_normal_rows_and_grows_with_heavy_tails():
    draw = np.random.default_rng(0)
    L = np.kron(np.eye(2), np.full((4, 1), 0.7))
    rows = draw.normal(size=(4000, 2)) @ L.T + 0.7 * draw.normal(size=(4000, 8))
    heavy = rows / np.sqrt(draw.chisquare(6, (4000, 1)) / 6)
    normal, tailed = (robust_test(FactorAnalysis(n_components=2).fit(x), x) for x in (rows, heavy))
    assert normal.scaling == pytest.approx(1, abs=0.05)
    # An elliptical distribution scales by 1 + its kurtosis: E r⁴ p / (E r²)² / (p + 2) = 2 here.
    assert 1.4 < tailed.scaling < 2.4


def test_mardias_moments_are_psychs_by_the_covariance_of_mardia():
    found, ratio = mardia(X), len(X) / (len(X) - 1)
    assert found.skewness == pytest.approx(PSYCH_B1 * ratio**3, rel=1e-12)
    assert found.kurtosis == pytest.approx(PSYCH_B2 * ratio**2, rel=1e-12)
    assert found.skewness_dof == 84
    assert found.skewness_chi_square == pytest.approx(30 * found.skewness / 6)
    assert found.kurtosis_z == pytest.approx((found.kurtosis - 63) / np.sqrt(8 * 63 / 30))


MISTAKES = [
    (
        lambda: robust_test(FactorAnalysis(method="minres").fit(X), X),
        "robust tests are of ml on rows of numbers",
    ),
    (lambda: robust_test(FactorAnalysis().fit(X), X[:20]), r"X has shape \(20, 7\), and the model"),
    (lambda: mardia(np.where(X > 90, np.nan, X)), "complete rows"),
    (lambda: mardia(np.c_[X, X[:, 0]]), "singular: Mardia's test needs a regular one"),
    (lambda: robust_test(FactorAnalysis().fit(X[:, :3]), X[:, :3]), "0 degrees of freedom"),
]


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize(("call", "sentence"), MISTAKES)
def test_mistakes_are_refused_in_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()
