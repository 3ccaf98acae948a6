"""Factor analysis of ordinal answers: uncertainty of correlations, DWLS, the adjusted test.

R 4.2.2 with lavaan 0.6-14. lavaan's k factors are an echelon: f1 =~ NA*o1 + ... + NA*o8,
f2 =~ NA*o2 + ... + NA*o8, f1 ~~ 1*f1, f2 ~~ 1*f2, f1 ~~ 0*f2, in
cfa(model, d, estimator="WLSMV" or "ULSMV", ordered=names(d), missing="listwise" or "pairwise",
zero.add=c(0,0), control=list(rel.tol=1e-13, x.tol=1e-13, iter.max=10000, eval.max=20000)).
"""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from latentia.errors import InputError
from latentia.models.factors.dwls import Climb, DiagonallyWeighted, lowest_weighted, searched
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.ordinal import influences
from latentia.models.factors.polychoric import polychoric
from latentia.models.factors.robust import robust_test
from latentia.models.factors.standard_errors import robust_errors
from tests.oracles.made_answers import ANSWERS, ANSWERS_WITH_GAPS

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", "absent")) / "factor_analysis"
DATA = {"complete": ANSWERS, "gaps": ANSWERS_WITH_GAPS}
# lavInspect(f, "gamma")[r, r:(r+7)], r the row of the first correlation: of r21 with r21, r31, ...
GAMMA = {
    "complete": [0.8688392969, 0.07379690109, 0.1628716363, 0.2303901152, 0.1342542594,
                 0.09370514633, 0.204902922, 0.4261968947],
    "gaps": [1.020010077, 0.04626774347, 0.1361367714, 0.262954455, 0.1309454986,
             0.1043379971, 0.2531138663, 0.5059012962],
}  # fmt: skip
FIELDS = ("chi_square", "scaling", "baseline_scaling", "cfi", "tli", "rmsea", "rmsea_low",
          "rmsea_high")  # fmt: skip
# fitMeasures(f, c("chisq.scaled", "chisq.scaling.factor", "baseline.chisq.scaling.factor",
# "cfi.scaled", "tli.scaled", "rmsea.scaled", "rmsea.ci.lower.scaled", "rmsea.ci.upper.scaled"))
LAVAAN = {
    ("dwls", 1, "complete"): [239.24356269, 0.75819266188, 1.4235318042, 0.881879000118,
                              0.834630600165, 0.148217046438, 0.131703377843, 0.165342433961],
    ("dwls", 1, "gaps"): [217.161362581, 0.764522016093, 1.3823757599, 0.88392955197,
                          0.837501372759, 0.140554784882, 0.124014457256, 0.157732452993],
    ("dwls", 2, "complete"): [19.3066332642, 0.456250462583, 1.4235318042, 0.996602199773,
                              0.99268166105, 0.0311800523211, 0, 0.0585228202956],
    ("dwls", 2, "gaps"): [18.9255149322, 0.476374191103, 1.3823757599, 0.996511602659,
                          0.992486528804, 0.0302232455408, 0, 0.0577953907058],
    ("minres", 2, "complete"): [18.7845147509, 0.616046803128, 1.8713195828, 0.995839414005,
                                0.991038737857, 0.0298614929938, 0, 0.0575231702358],
    ("minres", 2, "gaps"): [18.1714775879, 0.740535770507, 2.0637761556, 0.995897515508,
                            0.991163879557, 0.0282348428242, 0, 0.0563192066911],
}  # fmt: skip
# fitted(f)$cov: o1 with o2, ..., o8
FITTED = {
    ("dwls", 1, "gaps"): [0.4650510843, 0.4372904491, 0.3648721012, 0.5307681464, 0.4499146776,
                          0.4604058121, 0.3713227199],
    ("dwls", 2, "complete"): [0.5840566013, 0.6276176057, 0.4980712841, 0.4176875982, 0.268140051,
                              0.2911327744, 0.2433024752],
    ("dwls", 2, "gaps"): [0.589419033, 0.618133365, 0.5166569944, 0.4121728717, 0.2593465529,
                          0.2937086282, 0.2359646024],
    ("minres", 2, "gaps"): [0.592231183, 0.6088250293, 0.5210709868, 0.4129721307, 0.262240038,
                            0.2981632803, 0.2370825407],
}  # fmt: skip


def fitted(method, k, data, **options):
    options = {"correlation": "polychoric", "n_starts": 3, **options}
    return FactorAnalysis(n_components=k, method=method, **options).fit(data)


def implied(model):
    return model.get_covariance() / np.outer(model.scale_, model.scale_)


@pytest.mark.parametrize("data", DATA)
def test_uncertainty_of_polychoric_correlations_is_lavaans(data):
    found = influences(DATA[data], polychoric(DATA[data]))
    gamma = found.covariance()
    # lavaan goes down the columns of the lower triangle, as ours along the rows of the upper.
    np.testing.assert_allclose(gamma[0, :8], GAMMA[data], atol=2e-7)
    np.testing.assert_allclose(found.variances(), gamma.diagonal(), rtol=1e-12)


def test_influences_are_what_a_rows_weight_changes():
    """By finite differences of the weight, up to expected for observed curvature; 2 is a row twice.

    Without what an error of the cuts carries, the correlation of the two would be 0.966.
    """
    X, upper = ANSWERS_WITH_GAPS[:, :3], np.triu_indices(3, 1)
    h = np.vstack([block for _, block in influences(X, polychoric(X)).blocks()])
    rows, changed = range(0, 500, 20), []
    for row in rows:
        weights = np.ones(500)
        weights[row] += 0.01
        changed.append(polychoric(X, sample_weight=weights).correlation[upper])
    slopes = (np.array(changed) - polychoric(X).correlation[upper]) * 500 / 0.01
    ours = h[rows].ravel()
    assert np.corrcoef(slopes.ravel(), ours)[0, 1] > 0.995
    assert (slopes.ravel() @ ours) / (ours @ ours) == pytest.approx(1, abs=0.05)
    X = X[:120]
    twice = np.ones(120)
    twice[:40] = 2
    again = np.vstack([X, X[:40]])
    weighted = influences(X, polychoric(X, sample_weight=twice), twice).variances()
    np.testing.assert_allclose(weighted, influences(again, polychoric(again)).variances())


@pytest.mark.parametrize("case", LAVAAN)
def test_the_adjusted_test_is_lavaans(case):
    method, k, data = case
    found = robust_test(fitted(method, k, DATA[data]), DATA[data])
    ours = [getattr(found, name) for name in FIELDS]
    # lavaan's search stops at some 1e-7 of χ², its root of the interval at 1e-4 of λ.
    np.testing.assert_allclose(ours[0], LAVAAN[case][0], rtol=1e-7)
    np.testing.assert_allclose(ours[1:], LAVAAN[case][1:], atol=3e-8)
    assert (found.kind, found.dof) == ("scaled_shifted", 20 if k == 1 else 13)


@pytest.mark.parametrize("case", FITTED)
def test_fitted_correlations_are_lavaans(case):
    method, k, data = case
    np.testing.assert_allclose(
        implied(fitted(method, k, DATA[data]))[0, 1:], FITTED[case], atol=3e-7
    )


@pytest.mark.skipif(
    not REFERENCE.exists(), reason="LATENTIA_REFERENCE does not name the folder of R's results"
)
def test_ten_items_of_bfi_with_gaps_are_lavaans():
    X = np.genfromtxt(REFERENCE / "bfi_with_missing_data.csv", delimiter=",", skip_header=1)
    found = robust_test(fitted("dwls", 3, X[:, :10]), X[:, :10])
    ours = found.chi_square, found.scaling, found.cfi, found.rmsea, found.rmsea_high
    theirs = 336.992554333516, 0.430199130340862, 0.970251833360733, 0.0795705887262428
    np.testing.assert_allclose(ours, [*theirs, 0.0871133877512331], rtol=3e-7)


# efa(d, nfactors=2, rotation="oblimin", estimator="WLSMV", ordered=names(d), missing=...,
# zero.add=c(0,0), rotation.args=list(rstarts=10, std.ov=FALSE, gpa.tol=1e-7), output="lavaan"):
# se of parameterEstimates: of the factor of o1 to o4, of the other, of their correlation
OBLIMIN_ERRORS = {
    "complete": [
        0.0438882622, 0.06754429, 0.0645004434, 0.0581824605, 0.055674352, 0.0498474638,
        0.0461812091, 0.0665452051, 0.0311428655, 0.0686806835, 0.0614012548, 0.0622597066,
        0.0496550033, 0.0564144073, 0.0466502962, 0.0625362198, 0.049078701,
    ],
    "gaps": [
        0.048113699, 0.0738611953, 0.0701861663, 0.0615758924, 0.0600898673, 0.0505163647,
        0.0508953498, 0.069714236, 0.0292459189, 0.0739937646, 0.0676319729, 0.0668350906,
        0.0526910631, 0.0592688215, 0.0498316412, 0.0648320222, 0.0528280092,
    ],
}  # fmt: skip
# efa(d, nfactors=1, estimator="ULSMV", ...): sqrt(diag(vcov(f)))[1:8]
ONE_FACTOR_ERRORS = {
    "complete": [0.0333715975, 0.0382006625, 0.0443663835, 0.0399135413, 0.0286577258,
                 0.0480066883, 0.0343464338, 0.0432965787],
    "gaps": [0.0354462632, 0.0406660568, 0.0485979837, 0.0413835291, 0.0283065452,
             0.0519238019, 0.0352629828, 0.0456022278],
}  # fmt: skip


@pytest.mark.parametrize("data", DATA)
def test_standard_errors_are_lavaans(data):
    X = DATA[data]
    model = fitted("dwls", 2, X, rotation="oblimin")
    found, first = robust_errors(model, X), int(abs(model.loadings_[0]).argmax())
    ours = [*found.loadings[:, first], *found.loadings[:, 1 - first]]
    # lavaan's rotations stop at some 1e-6.
    np.testing.assert_allclose(
        [*ours, found.factor_correlations[0, 1]], OBLIMIN_ERRORS[data], rtol=3e-5
    )
    alone = robust_errors(fitted("minres", 1, X), X).loadings[:, 0]
    np.testing.assert_allclose(alone, ONE_FACTOR_ERRORS[data], rtol=1e-6)


def test_standard_errors_of_unrotated_loadings_are_those_of_refits():
    """The derivative of the loadings by the correlations, by finite differences, carries Γ.

    It is taken at the correlations that the model implies, where residuals bend nothing.
    """
    model, upper = fitted("minres", 2, ANSWERS), np.triu_indices(8, 1)
    R = implied(model)

    def loadings(R):
        again = FactorAnalysis(n_components=2, method="minres", n_starts=1)
        found = again.fit_covariance(R).loadings_
        return (found * np.sign((found * model.standardized_loadings_).sum(axis=0))).ravel()

    slopes = []
    for i, j in zip(*upper):
        to = np.zeros((8, 8))
        to[i, j] = to[j, i] = 1e-4
        slopes.append((loadings(R + to) - loadings(R - to)) / 2e-4)
    gamma = influences(ANSWERS, polychoric(ANSWERS)).covariance()
    spread = np.array(slopes).T @ gamma @ np.array(slopes)
    truth = np.sqrt(np.diag(spread) / 499).reshape(8, 2)
    np.testing.assert_allclose(robust_errors(model, ANSWERS).loadings, truth, rtol=1e-4)


def problem_of(k=2):
    R = polychoric(ANSWERS).correlation
    draw = np.random.default_rng(0)
    V = draw.uniform(0.5, 2, R.shape)
    return DiagonallyWeighted.of(R, (V + V.T) / 2, np.full(8, 0.005)), draw.normal(size=(8, k)) / 2


def test_slopes_and_curvature_are_those_of_the_criterion():
    problem, L = problem_of()
    step, H = 1e-5, problem.hessian(L)
    for i, j in ((0, 0), (3, 1), (7, 0)):
        to = np.zeros_like(L)
        to[i, j] = step
        rise = (problem.value(L + to) - problem.value(L - to)) / (2 * step)
        assert rise == pytest.approx(-(problem.residuals(L) @ L)[i, j], abs=1e-8)
        slopes = [-problem.residuals(M) @ M for M in (L - to, L + to)]
        np.testing.assert_allclose((slopes[1] - slopes[0]) / (2 * step), H[:, :, i, j], atol=1e-7)


def test_the_minimum_is_that_of_a_general_search():
    problem, L = problem_of()
    best, trace, _ = lowest_weighted(problem, [L])
    other = minimize(lambda x: problem.value(x.reshape(8, 2)), best.loadings.ravel() + 0.01)
    assert problem.value(best.loadings) == pytest.approx(other.fun, abs=1e-9)
    assert problem.value(best.loadings) <= other.fun + 1e-12
    assert np.diff(trace).max() <= 0


def test_a_heywood_case_stays_on_its_sphere_and_is_named():
    """SciPy's constrained search finds the same; the row that is held pulls outwards."""
    loadings = np.array([1.05, 0.8, 0.7, 0.6, 0.5])
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1)
    problem = DiagonallyWeighted.of(R, np.ones((5, 5)), np.full(5, 0.005))
    found, _ = searched(problem, Climb(np.full((5, 1), 0.5), np.inf), 1e-11)
    rules = {"type": "ineq", "fun": lambda x: 0.995 - x**2}
    other = minimize(lambda x: problem.value(x[:, None]), np.full(5, 0.5), constraints=rules,
                     options={"ftol": 1e-15})  # fmt: skip
    np.testing.assert_allclose(np.abs(found.loadings[:, 0]), np.abs(other.x), atol=1e-6)
    assert (problem.held(found.loadings) > 0).tolist() == [True, False, False, False, False]
    draw = np.random.default_rng(1)
    X = draw.normal(size=(60, 1)) + draw.normal(size=(60, 4)) * [0.05, 1, 1, 1]
    model = fitted("dwls", 1, np.digitize(X, [-0.7, 0, 0.7]))
    assert model.heywood_ == ["x0"]
    assert model.uniquenesses_.min() == pytest.approx(0.005)


def test_rotation_units_and_weights_do_not_matter():
    plain = robust_test(fitted("dwls", 2, ANSWERS), ANSWERS)
    turned = fitted("dwls", 2, ANSWERS * 7 - 2, rotation="oblimin")
    assert robust_test(turned, ANSWERS).chi_square == pytest.approx(plain.chi_square, rel=1e-8)
    twice = fitted("dwls", 2, ANSWERS, zero_add=0.0)
    weighted = FactorAnalysis(n_components=2, method="dwls", correlation="polychoric", n_starts=3)
    weighted.fit(ANSWERS, sample_weight=np.full(500, 2.0))
    np.testing.assert_allclose(implied(weighted), implied(twice), atol=1e-9)


@pytest.mark.slow
def test_the_adjusted_test_keeps_its_level():
    """Of 150 samples of a model that holds, some 5 % are refused at 5 %, far from 0 and from 20."""
    draw, L = np.random.default_rng(1), np.full((5, 1), 0.7)
    p_values = []
    for _ in range(150):
        x = draw.normal(size=(300, 1)) @ L.T + np.sqrt(0.51) * draw.normal(size=(300, 5))
        answers = np.digitize(x, [-0.5, 0.8])
        p_values.append(robust_test(fitted("dwls", 1, answers, n_starts=1), answers).p_value)
    assert 0.005 < np.mean(np.array(p_values) < 0.05) < 0.13
    assert 0.4 < np.mean(p_values) < 0.6


MISTAKES = [
    (lambda: FactorAnalysis(method="dwls").fit(ANSWERS), "needs correlation 'polychoric'"),
    (lambda: FactorAnalysis(method="dwls").fit_covariance(np.eye(4)), "needs correlation"),
    (
        lambda: robust_test(fitted("ml", 1, ANSWERS), ANSWERS),
        "and of dwls and minres on polychoric or mixed",
    ),
    (lambda: robust_test(fitted("dwls", 1, ANSWERS), ANSWERS[:99]), r"X has shape \(99, 8\)"),
    (
        lambda: robust_errors(fitted("dwls", 2, ANSWERS, rotation="promax"), ANSWERS),
        "promax', which minimises no criterion",
    ),
    (
        lambda: robust_errors(FactorAnalysis().fit(ANSWERS), ANSWERS),
        "robust standard errors are of dwls",
    ),
    (
        lambda: DiagonallyWeighted.of(np.eye(3), np.zeros((3, 3)), np.zeros(3)),
        "has no sampling variance",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), MISTAKES)
def test_mistakes_are_refused_in_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()
