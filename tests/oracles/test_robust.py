"""Satorra and Bentler's test and Mardia's moments against lavaan, psych and plain formulas.

R 4.2.2 with lavaan 0.6-14 and psych 2.2.9, of R's ``attitude``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.robust import mardia, robust_test

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


@pytest.mark.parametrize("rotation", ["none", "oblimin"])
@pytest.mark.parametrize("k", LAVAAN)
def test_the_scaled_test_is_lavaans(k, rotation):
    found = robust_test(FactorAnalysis(n_components=k, rotation=rotation).fit(X), X)
    ours = found.chi_square, found.p_value, found.scaling, found.baseline_scaling
    ours += found.cfi, found.tli, found.rmsea
    # lavaan's search of one factor stops at 1e-6.
    np.testing.assert_allclose(ours, LAVAAN[k], atol=3e-5 if k == 1 else 1e-7)
    assert found.dof == (14 if k == 1 else 8)


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
    (lambda: robust_test(FactorAnalysis(method="minres").fit(X), X), "is of ml on complete rows"),
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
