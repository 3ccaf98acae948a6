"""Determinacy of factor scores and congruence of solutions, against R's psych and by algebra.

L, P and S are those of ``structure``; numbers by R 4.2.2 with psych 2.2.9.
"""

import warnings

import numpy as np
import pandas
import pytest

from latentia.errors import FitWarning, InputError
from latentia.models.factors.congruence import compared, congruence
from latentia.models.factors.determinacy import determinacy
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.rotation import align

NAMES = [f"x{i}" for i in range(1, 10)]


def structure():
    L = np.zeros((9, 3))
    L[:3, 0], L[3:6, 1], L[6:, 2] = [0.7, 0.5, 0.6], [0.8, 0.85, 0.75], [0.6, 0.7, 0.5]
    L[8, 0], L[0, 1] = 0.25, 0.1
    P = np.array([[1, 0.3, 0.2], [0.3, 1, 0.4], [0.2, 0.4, 1]])
    S = L @ P @ L.T
    np.fill_diagonal(S, 1)
    return L, P, S


# w <- factor.scores(S, L, Phi=P, method=m)$weights
# diag(t(w) %*% L %*% P) / sqrt(diag(t(w) %*% S %*% w)), with w the signs of loadings over 0.3 last
VALIDITY = {
    "regression": [0.827193039854, 0.924541614362, 0.822097508468],
    "bartlett": [0.819149180963, 0.922086407882, 0.809189992181],
    "ten_berge": [0.825035561229, 0.924007048620, 0.818639179496],
    "unit_weighted": [0.802045502506, 0.917998522597, 0.805872657458],
}
# A <- L + matrix(c(.05, -.02, .1), 9, 3); factor.congruence(A, L), of its Procrustes(A, L) the diag
PAIRS = [[0.989996617645, 0.104322507935, 0.152759921054],
         [0.113077881183, 0.992351048495, 0.042623511996],
         [0.193352533286, 0.065686364371, 0.986235640289]]  # fmt: skip
TURNED = [0.988756852395, 0.991996590041, 0.988851493309]
ROTATION = [[0.99984961722019, -0.00246007151919, -0.0171665661319],
            [0.00227525593557, 0.99993933512586, -0.0107772574658],
            [0.01719203754843, 0.01073657842038, 0.9997945587613]]  # fmt: skip


class Solved:
    """A factor model with the parameters of ``structure``, as its fit would have them."""

    @staticmethod
    def model():
        L, P, S = structure()
        model = FactorAnalysis(n_components=3, n_starts=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            model.fit_covariance(pandas.DataFrame(S, columns=NAMES), 200)
        model.loadings_, model.factor_correlations_ = L, P
        model.noise_variance_ = 1 - np.diag(L @ P @ L.T)
        return model


def test_validity_is_that_of_psychs_scores():
    found = determinacy(Solved.model())
    for kind, expected in VALIDITY.items():
        np.testing.assert_allclose(found.validity[kind], expected, atol=1e-10, err_msg=kind)
    expected = 2 * np.square(VALIDITY["regression"]) - 1
    np.testing.assert_allclose(found.least_agreement, expected, atol=1e-10)
    _, P, _ = structure()
    np.testing.assert_allclose(found.accuracy["ten_berge"], P, atol=1e-10)
    # Bartlett's scores share nothing with other factors beyond what factors share.
    rho = found.validity["bartlett"][:, None]
    np.testing.assert_allclose(found.univocality["bartlett"], rho * P, atol=1e-10)


def test_validity_is_what_drawn_factors_show():
    model, (L, P, _) = Solved.model(), structure()
    draw = np.random.default_rng(0)
    z = draw.multivariate_normal(np.zeros(3), P, 40_000)
    X = z @ L.T + draw.normal(size=(len(z), 9)) * np.sqrt(model.noise_variance_)
    found = determinacy(model)
    for kind in ("regression", "bartlett", "ten_berge"):
        scores = X @ model.score_weights(kind)
        seen = [np.corrcoef(scores[:, j], z[:, j])[0, 1] for j in range(3)]
        np.testing.assert_allclose(found.validity[kind], seen, atol=0.01)


def test_scores_that_do_not_exist_are_nan_and_the_summary_tells_the_rest():
    model = Solved.model()
    model.loadings_ = model.loadings_.copy()
    model.loadings_[:, 2] = 0
    model.factor_correlations_ = np.eye(3)
    found = determinacy(model)
    assert np.isnan(found.validity["bartlett"]).all()
    assert np.isfinite(found.validity["regression"][:2]).all()
    assert np.isnan(found.validity["unit_weighted"][2])
    text = str(Solved.model().summary())
    assert "ρ regression     0.83  0.92  0.82" in text
    assert "ρ unit-weighted  0.80  0.92  0.81" in text
    assert "Ferrando" in text


def test_congruence_and_procrustes_are_psychs():
    L, _, _ = structure()
    A = L + np.tile([[0.05], [-0.02], [0.1]], (3, 3))
    found = congruence(A, L)
    np.testing.assert_allclose(found.all_pairs, PAIRS, atol=1e-11)
    np.testing.assert_allclose(found.factors, np.diag(PAIRS), atol=1e-11)
    assert found.verdicts == ("equal",) * 3
    turned = congruence(A, L, procrustes=True)
    np.testing.assert_allclose(turned.rotation, ROTATION, atol=1e-10)
    np.testing.assert_allclose(turned.factors, TURNED, atol=1e-11)
    assert turned.root_mean_square < found.root_mean_square


def test_order_and_signs_of_factors_do_not_matter():
    L, _, _ = structure()
    other = L[:, [2, 0, 1]] * [1, -1, 1]
    found = congruence(other, L)
    np.testing.assert_allclose(found.factors, 1, atol=1e-12)
    np.testing.assert_allclose(found.loadings, L, atol=1e-12)
    np.testing.assert_allclose(found.variables, 1, atol=1e-12)
    np.testing.assert_array_equal(found.rotation, align(other, L))
    assert congruence([[1, 0], [0, 1], [0.0, 0]], [[1, 0.7], [0.7, 1], [0, 0]]).verdicts == (
        "not similar",
        "not similar",
    )


def test_models_are_compared_by_the_names_of_their_variables():
    model = Solved.model()
    other = Solved.model()
    other.feature_names_in_ = np.array(NAMES[::-1], dtype=object)
    other.loadings_, other.noise_variance_ = model.loadings_[::-1], model.noise_variance_[::-1]
    assert "φ as they are       1.000  1.000  1.000" in str(compared(model, other, "that one"))
    other.feature_names_in_ = np.array([*NAMES[:8], "y"], dtype=object)
    with pytest.raises(InputError, match="that one is of other variables: x9, y are in one alone"):
        compared(model, other, "that one")
    fewer = FactorAnalysis(n_components=2, n_starts=1)
    fewer.fit_covariance(pandas.DataFrame(structure()[2], columns=NAMES))
    with pytest.raises(InputError, match=r"has 2 factor.*, and this solution 3; compare as many"):
        compared(model, fewer, "that one")
