"""Invariance over groups against lavaan, another optimiser, and what must not matter.

R 4.2.2 with lavaan 0.6-14, of Y and group in made_answers: cfa(model, d, group="group",
std.lv=TRUE, group.equal=c("loadings", "intercepts", "residuals")[0:3], control=list(rel.tol=1e-13,
x.tol=1e-13, iter.max=10000, eval.max=20000)), model "simple" f1 =~ y1+y2+y3+y4, f2 =~ y5+y6+y7+y8,
"markers" f1 =~ NA*y1+y2+y3+y4+y6+y7+y8, f2 =~ NA*y5+y2+y3+y4+y6+y7+y8.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.invariance import LEVELS, invariance
from tests.oracles.made_answers import GROUP, NUMBERS, NUMBERS_WITH_GAPS

REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", "absent")) / "factor_analysis"
FIELDS = ("chi_square", "dof", "p_value", "cfi", "tli", "rmsea", "rmsea_high", "log_likelihood",
          "aic", "n_parameters")  # fmt: skip
# fitMeasures(f, c("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea.ci.upper", "logl", "aic",
# "npar")), configural, metric, scalar, strict
SIMPLE = [
    [46.4418473008, 38, 0.163555668503, 0.994601305022, 0.992044028453, 0.0298096545661,
     0.0560613355175, -2936.9350028, 5973.8700056, 50],
    [50.3425755586, 44, 0.236857564598, 0.995943822531, 0.994837592312, 0.02401245048,
     0.0505215904807, -2938.88536693, 5965.77073386, 44],
    [63.2442147476, 50, 0.0988471503394, 0.991530115021, 0.990513728824, 0.0325505327116,
     0.0549472404534, -2945.33618652, 5966.67237305, 38],
    [75.467018613, 58, 0.0613891856491, 0.988829565105, 0.989214752515, 0.034707664475,
     0.0551001610242, -2951.44758846, 5962.89517691, 30],
]  # fmt: skip
MARKERS = [
    [24.6814321381, 26, 0.537060124161, 1, 1.00181622004, 0, 0.0469434668677, -2926.05479522,
     5976.10959044, 62],
    [30.1842665237, 38, 0.812906343612, 1, 1.00736589409, 0, 0.0286940593164, -2928.80621241,
     5957.61242482, 50],
    [46.6336239996, 44, 0.364623120782, 0.998315755764, 0.997856416426, 0.0154732143914,
     0.0459650596413, -2937.03089115, 5962.0617823, 44],
    [59.0197874949, 52, 0.234431086988, 0.995510734778, 0.995165406684, 0.023237548353,
     0.0481536885992, -2943.2239729, 5958.4479458, 36],
]  # fmt: skip
# coef(f) of the second group under scalar invariance of "simple": f1~1, f2~1, f1~~f1, f2~~f2
MEANS, VARIANCES = [-0.40377216, 0.03389112], [1.05344691, 0.97381895]
# HolzingerSwineford1939, v =~ x1+x2+x3, t =~ x4+x5+x6, s =~ x7+x8+x9, group = "school": "chisq",
# "df", "cfi", "rmsea"
SCHOOLS = [
    [115.851343853, 48, 0.923398380434, 0.0969148567517],
    [124.043544178, 54, 0.920923468579, 0.0928365358673],
    [164.102830922, 60, 0.882471812684, 0.107371098088],
    [181.511345227, 69, 0.872978915753, 0.104089126332],
]

# The same with group.label = c("Grant-White", "Pasteur"): d of each variable by integrate() of the
# squared difference of the two groups' lines, configural, over the factor of Pasteur, scalar.
APART = [0.21888981205, 0.31614059015, 0.36258994702, 0.09592424949, 0.15844607531,
         0.10980639211, 0.32557510111, 0.13113422183, 0.09245973863]  # fmt: skip


def of(X=NUMBERS, groups=GROUP, target="1:4 | 5:8", **options):
    options = {"n_components": 2, "rotation": "target" if target else "oblimin", **options}
    return invariance(FactorAnalysis(target=target, **options).fit(X), X, groups)


@pytest.fixture(scope="module")
def simple():
    return of()


@pytest.mark.parametrize(("target", "theirs"), [("1:4 | 5:8", SIMPLE), (None, MARKERS)])
def test_each_level_is_lavaans(target, theirs):
    found = of(target=target)
    assert [step.level for step in found.steps] == [*LEVELS]
    assert all(step.converged for step in found.steps)
    for step, row in zip(found.steps, theirs):
        # lavaan's root of the interval's end is good to some 1e-7.
        np.testing.assert_allclose([getattr(step, name) for name in FIELDS], row, atol=5e-8)
    # Which markers are taken does not matter: lavaan's were x4 and x0.
    assert found.markers == (() if target else ("x5", "x0"))


def test_means_and_deviations_are_lavaans_its_first_group_being_the_second(simple):
    """lavaan takes the groups as they come, and b comes first."""
    ours = (simple.means[0] - simple.means[1]) / simple.deviations[1]
    np.testing.assert_allclose(ours, MEANS, atol=1e-5)
    np.testing.assert_allclose(1 / simple.deviations[1] ** 2, VARIANCES, atol=1e-5)
    assert (simple.groups, simple.sizes) == (("a", "b"), (300, 200))
    assert (simple.means[0] == 0).all()
    assert (simple.deviations[0] == 1).all()


@pytest.mark.skipif(
    not REFERENCE.exists(), reason="LATENTIA_REFERENCE does not name the folder of R's results"
)
def test_two_schools_share_loadings_and_not_intercepts_as_in_lavaan():
    X = np.genfromtxt(REFERENCE / "holzinger_swineford_data.csv", delimiter=",", skip_header=1)
    school = np.repeat(["Pasteur", "Grant-White"], [156, 145])
    found = of(X, school, "1:3 | 4:6 | 7:9", n_components=3)
    ours = [[step.chi_square, step.dof, step.cfi, step.rmsea] for step in found.steps]
    np.testing.assert_allclose(ours, SCHOOLS, rtol=1e-9)
    assert found.level == "metric"
    assert "not the intercepts (ΔCFI -0.038" in found.answer
    assert found.steps[2].delta_dof == 6
    np.testing.assert_allclose(found.effects, [np.zeros(9), APART], atol=2e-6)
    assert found.steps[2].delta_chi_square == pytest.approx(40.059286744, abs=1e-6)


def test_effects_are_how_far_variables_were_moved():
    draw = np.random.default_rng(0)
    f, groups = draw.normal(size=(40_000, 1)), np.arange(40_000) % 2
    X = 0.8 * f + 0.6 * draw.normal(size=(40_000, 8))
    X[groups == 1, 0] += 0.5
    X[groups == 1, 1] += 0.4 * f[groups == 1, 0]
    found = invariance(FactorAnalysis().fit(X), X, groups)
    # Of variance 1 in both groups, and of 1 and 1.8 for the second.
    wanted = [0.5, 0.4 / np.sqrt(1.4)]
    np.testing.assert_allclose(found.effects[1, :2], wanted, atol=0.1)
    assert found.effects[1, 2:].max() < 0.1
    assert re.search(rf"x0 +{found.effects[1, 0]:.2f}\n", str(found))


def test_one_model_in_two_groups_is_the_sum_of_one_in_each():
    """With markers the configural model is a factor analysis of each group by itself."""
    found, total = of(target=None), 0.0
    for label in ("a", "b"):
        model = FactorAnalysis(n_components=2).fit(NUMBERS[label == GROUP])
        fit = model.fit_statistics("lavaan")
        total += fit.chi_square
    assert found.steps[0].chi_square == pytest.approx(total, abs=1e-6)
    assert found.steps[0].dof == 26


@pytest.mark.parametrize("target", ["1:4 | 5:8", None])
def test_units_names_of_groups_and_rotation_do_not_matter(target, simple):
    other = of(NUMBERS * np.geomspace(0.01, 100, 8) + 3, np.where(GROUP == "a", 9, 1), target)
    plain = simple if target else of(target=None, rotation="varimax")
    chis = [[step.chi_square for step in found.steps] for found in (plain, other)]
    np.testing.assert_allclose(*chis, atol=1e-6)


def test_what_is_not_shared_is_found():
    draw, n = np.random.default_rng(2), 2000
    f, group = draw.normal(size=(n, 1)), np.arange(n) % 2
    X = f * np.array([0.8, 0.7, 0.6, 0.9, 0.8]) + 0.6 * draw.normal(size=(n, 5))
    loaded, shifted, noisy, other = (X.copy() for _ in range(4))
    loaded[:, :2] -= 0.6 * f * group[:, None]
    shifted[:, 0] += 0.5 * group
    noisy[:, 0] += draw.normal(size=n) * group
    other[:, :2] += 1.5 * draw.normal(size=(n, 1)) * group[:, None]
    levels = [of(x, group, None, n_components=1).level for x in (X, loaded, shifted, noisy, other)]
    assert levels == ["strict", "configural", "metric", "scalar", None]
    told = of(shifted, group, None, n_components=1)
    assert "their means cannot" in told.answer
    assert told.answer in " ".join(str(told).split())


@pytest.mark.slow
def test_the_ratio_of_likelihoods_keeps_its_level():
    p_values = []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        X = draw.normal(size=(400, 1)) * 0.7 + 0.7 * draw.normal(size=(400, 4))
        found = of(X, np.arange(400) % 2, None, n_components=1, n_starts=1)
        p_values += [step.delta_p_value for step in found.steps[1:]]
    assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.12
    assert 0.4 < np.mean(p_values) < 0.6


def test_rows_with_gaps_are_left_out_and_told():
    model = FactorAnalysis(n_components=2, rotation="target", target="1:4 | 5:8").fit(NUMBERS)
    found = invariance(model, NUMBERS_WITH_GAPS, GROUP)
    assert f"{found.left_out} rows with empty cells" in str(found)
    assert sum(found.sizes) + found.left_out == 500


FEW = np.where(np.arange(500) < 6, "few", "many")
CONSTANT = np.where((GROUP == "b")[:, None] & (np.arange(8) == 2), 1.0, NUMBERS)
MISTAKES = [
    (lambda: of(groups=GROUP[:9]), r"groups \(9,\); give \(n, 8\) rows as the model"),
    (lambda: of(groups=np.zeros(500)), r"there are 1 group\(s\) and 8 variables"),
    (lambda: of(groups=FEW), "group few has 6 complete rows of 8 variables"),
    (lambda: of(CONSTANT), "group b: x2 is constant there"),
]


@pytest.mark.parametrize(("call", "sentence"), MISTAKES)
def test_mistakes_are_refused_in_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()


def test_groups_without_a_common_pattern_are_told_its_fit_and_what_did_not_converge(simple):
    draw, group = np.random.default_rng(3), np.arange(1000) % 2
    f = draw.normal(size=(1000, 1))
    X = f * np.full(5, 0.7) + 0.6 * draw.normal(size=(1000, 5))
    X[:, :2] += 1.5 * draw.normal(size=(1000, 1)) * group[:, None]
    found = of(X, group, None, n_components=1)
    first = found.steps[0]
    assert (found.level, first.cfi < 0.95) == (None, True)
    assert found.answer.startswith("The same pattern of loadings does not fit in all groups (CFI ")
    assert f"CFI {first.cfi:.3f}, RMSEA {first.rmsea:.3f}" in found.answer
    assert "before it converged" not in str(simple)
    steps = tuple(replace(s, converged=s.level != "metric") for s in simple.steps)
    assert "stopped before it converged: metric" in str(replace(simple, steps=steps))
