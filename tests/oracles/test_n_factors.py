"""Numbers of factors against psych, permutations and simulated factor models."""

import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from latentia.errors import FitWarning, InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import (
    VOTELESS,
    consensus,
    hull,
    kmo,
    minimum_average_partial,
    reduced,
    sphericity,
    suggest,
)
from latentia.models.factors.polychoric import polychoric


def numbers(text):
    return np.array(text.split(), float)


# R 4.2.2, psych 2.2.9. R is cov2cor(ability.cov$cov), lower triangle row by row, n = 112.
ABILITY = numbers(
    """
    0.46626493273404 0.551663190180477 0.572436361493909 0.340324989232195 0.193099184200868
    0.445090137382892 0.576479925702575 0.262922870510902 0.354025184203094 0.183964450481195
    0.514405790851105 0.239276608467733 0.356471505982897 0.218836981560446 0.791377858846796
    """
)
# psych::fa.parallel(R, n.obs=112, fm="minres", fa="both", n.iter=40, plot=FALSE)
FA_VALUES = numbers(
    """
    2.55507282121116 0.557914398024643 0.0323507748921075 -0.00878610609228797
    -0.284327821977749 -0.297151139748865
    """
)
PC_VALUES = numbers(
    """
    3.07682357211885 1.1396875187539 0.817186905197598 0.411312695926487 0.35507439763689
    0.199914910366278
    """
)
# psych::vss(R, n=5, n.obs=112, rotate="none", plot=FALSE)$map, from one component on
MAP = numbers(
    "0.116681167935852 0.106490759672213 0.23411290138928 0.401861099753906 0.999999999801002"
)
# psych::KMO(R); psych::cortest.bartlett(R, n=112)
MSA = 0.732074702868317
MSA_EACH = numbers(
    """
    0.849020112512435 0.733167490678924 0.746164284307551 0.731657263855962 0.666220113742118
    0.686839273096385
    """
)
SPHERICITY = (268.353765306515, 15, 2.02715780394187e-48)

# R is cor(lavaan::HolzingerSwineford1939[, x1..x9]), n = 301; the same calls.
HOLZINGER = numbers(
    """
    0.297345511015847 0.440667995256077 0.339848981024972 0.372706265348223 0.152930187381682
    0.158639566830315 0.293443689100553 0.139387489333306 0.0771982257085102 0.733170166386544
    0.356770187255645 0.192531901635957 0.197661021625728 0.704480241872092 0.719955540265243
    0.0668639156576552 -0.0756689159870858 0.0719310475085952 0.17382911710637 0.102044752581405
    0.121101696294931 0.223926769157719 0.0922792281688818 0.186012632548421 0.10689837520997
    0.138669981252845 0.149611323119705 0.486757925677912 0.390340414178281 0.206040568694455
    0.328650613353634 0.207848305589032 0.227466416523461 0.214161742836952 0.340645718978524
    0.44901544745235
    """
)
HOLZINGER_FA = numbers(
    """
    2.63221821098477 0.93444912649731 0.504218629958437 -0.0923109456687535 -0.142573512787435
    -0.16882601254751 -0.28775981594878 -0.301964449957955 -0.44523512299941
    """
)
HOLZINGER_MAP = numbers(
    """
    0.0802261368968735 0.0634152289336804 0.0682270613407552 0.120052296718314 0.206652420995803
    0.342536172805884 0.442664262379848 0.99999999999914
    """
)
FOLDER = os.environ.get("LATENTIA_REFERENCE", "")


def symmetric(lower):
    p = round((1 + np.sqrt(1 + 8 * len(lower))) / 2)
    matrix = np.zeros((p, p))
    matrix[np.tril_indices(p, -1)] = lower
    return matrix + matrix.T + np.eye(p)


def simple_structure(n, k, each, seed=0, loading=0.7):
    generator = np.random.default_rng(seed)
    scores, p = generator.normal(size=(n, k)), k * each
    loadings = np.kron(np.eye(k), np.full((1, each), loading))
    noise = generator.normal(size=(n, p)) * np.sqrt(1 - loading**2)
    return scores @ loadings + noise


def maximum_likelihood(R, k):
    """Return the correlation implied by k factors, by minimising Jöreskog's profile (1967)."""

    def profile(log_psi):
        psi = np.exp(log_psi)
        values, vectors = np.linalg.eigh(R / np.sqrt(np.outer(psi, psi)))
        rest = values[:-k]
        root = np.sqrt(psi)[:, None] * vectors[:, -k:] * np.sqrt(np.maximum(values[-k:] - 1, 0))
        implied = root @ root.T + np.diag(psi)
        return np.sum(rest - np.log(rest) - 1), np.diag(implied - R) / psi, implied

    start = np.log((1 - 0.5 * k / len(R)) / np.diag(np.linalg.inv(R)))
    bounds = [(np.log(0.005), 0.1)] * len(R)
    found = optimize.minimize(lambda x: profile(x)[:2], start, jac=True, bounds=bounds)
    return profile(found.x)[2]


def test_psych_on_ability():
    R = symmetric(ABILITY)
    found = suggest(R, 112)
    np.testing.assert_allclose(found.eigenvalues, PC_VALUES, rtol=1e-12)
    np.testing.assert_allclose(found.factor_eigenvalues, FA_VALUES, atol=1e-6)
    np.testing.assert_allclose(found.map_values[1:], MAP, atol=1e-9)
    # fa.parallel says 2 factors and 1 component, vss 2.
    assert found.counts == {
        "kaiser": 2,
        "map": 2,
        "empirical_kaiser": 2,
        "parallel_components": 1,
        "parallel_factors": 2,
    }


def test_psych_on_holzinger():
    found = suggest(symmetric(HOLZINGER), 301)
    np.testing.assert_allclose(found.factor_eigenvalues, HOLZINGER_FA, atol=2e-6)
    np.testing.assert_allclose(found.map_values[1:], HOLZINGER_MAP, atol=1e-9)
    assert found.counts["map"] == 2
    assert found.counts["parallel_components"] == found.counts["parallel_factors"] == 3


# R's factanal(x, k)$PVAL for k = 1, 2, … of cor(x), by data set, and Bartlett's test for k = 0:
# which is the first above .05
NOT_REJECTED = {"attitude": (30, 2), "holzinger_swineford": (301, 4), "mtcars": (32, 3)}


@pytest.mark.skipif(not FOLDER, reason="R's data are not here")
@pytest.mark.parametrize("name", NOT_REJECTED)
def test_sequential_tests_stop_where_factanals_do(name):
    n, k = NOT_REJECTED[name]
    table = Path(FOLDER) / "factor_analysis" / f"{name}_data.csv"
    R = np.corrcoef(np.genfromtxt(table, delimiter=",", skip_header=1).T)
    found = suggest(R, n, fit=maximum_likelihood)
    assert found.counts["sequential_tests"] == k
    assert "sequential_tests" not in found.consensus.agree


def test_sequential_tests_that_reject_every_number_name_none():
    R = symmetric(HOLZINGER)
    assert (
        "sequential_tests" not in suggest(R, 301, max_components=3, fit=maximum_likelihood).counts
    )
    assert suggest(np.eye(6), 100, fit=maximum_likelihood).counts["sequential_tests"] == 0


def test_psych_kmo_and_sphericity():
    overall, each = kmo(symmetric(ABILITY))
    assert overall == pytest.approx(MSA, rel=1e-12)
    np.testing.assert_allclose(each, MSA_EACH, rtol=1e-12)
    assert sphericity(symmetric(ABILITY), 112) == pytest.approx(SPHERICITY, rel=1e-9)


def test_kmo_without_correlations_is_undefined():
    overall, each = kmo(np.eye(3))
    assert np.isnan(overall)
    assert np.isnan(each).all()


def test_the_minres_diagonal_is_a_least_squares_optimum():
    R = symmetric(HOLZINGER)
    lower = np.tril_indices(len(R), -1)

    def squares(loadings):
        return np.sum((R - np.outer(loadings, loadings))[lower] ** 2)

    found = np.sqrt(reduced(R[None])[0].diagonal())
    best = optimize.minimize(squares, np.full(len(R), 0.5), tol=1e-12)
    assert squares(found) == pytest.approx(best.fun, rel=1e-9)


def test_minres_keeps_off_the_heywood_bound():
    R = np.array([[1, 0.9, 0.8], [0.9, 1, 0.3], [0.8, 0.3, 1]])
    diagonal = reduced(R[None])[0].diagonal()
    assert diagonal[0] == pytest.approx(0.995)


def test_map_is_velicers_formula():
    R = symmetric(HOLZINGER)
    values, vectors = np.linalg.eigh(R)
    loadings = vectors[:, -2:] * np.sqrt(values[-2:])
    rest = R - loadings @ loadings.T
    partial = rest / np.sqrt(np.outer(np.diag(rest), np.diag(rest)))
    expected = np.mean(partial[~np.eye(9, dtype=bool)] ** 2)
    assert minimum_average_partial(R)[2] == pytest.approx(expected, rel=1e-12)
    assert minimum_average_partial(R)[0] == pytest.approx(np.mean(R[np.triu_indices(9, 1)] ** 2))


def test_simulated_factors_are_found_by_every_criterion():
    X = simple_structure(400, 3, 4)
    found = suggest(np.corrcoef(X, rowvar=False), X=X, fit=maximum_likelihood, max_components=4)
    assert set(found.counts.values()) == {3}
    assert len(found.counts) == 9
    assert found.consensus.n_factors == 3
    assert found.consensus.dissent == ()
    assert list(found.bic) == list(found.held_out) == [0, 1, 2, 3, 4]


def test_noise_has_no_factor():
    X = np.random.default_rng(1).normal(size=(300, 6))
    found = suggest(np.corrcoef(X, rowvar=False), X=X, fit=maximum_likelihood, n_folds=2)
    expected = {"map": 0, "parallel_components": 0, "bic": 0, "held_out": 0}
    assert {name: found.counts[name] for name in expected} == expected
    assert list(found.bic) == [0, 1, 2, 3]  # four factors of six variables are not identified


def test_bic_differences_are_schwarzs():
    X = stats.zscore(simple_structure(200, 1, 5, seed=3))
    R = np.corrcoef(X, rowvar=False)
    found = suggest(R, 200, fit=maximum_likelihood, n_simulations=1)
    models = (np.eye(5), maximum_likelihood(R, 1))
    none, one = (stats.multivariate_normal(cov=S).logpdf(X).sum() for S in models)
    expected = -2 * (one - none) + np.log(200) * 5
    assert found.bic[1] - found.bic[0] == pytest.approx(expected, rel=1e-9)


def test_held_out_likelihood_is_on_the_data_scale():
    X = simple_structure(300, 1, 5, seed=2)
    one = suggest(
        np.corrcoef(X, rowvar=False), X=X, fit=maximum_likelihood, n_folds=3, max_components=1
    )
    other = suggest(
        np.corrcoef(X, rowvar=False), X=10 * X, fit=maximum_likelihood, n_folds=3, max_components=1
    )
    assert one.held_out[1] - other.held_out[1] == pytest.approx(5 * np.log(10))
    truth = stats.multivariate_normal(cov=0.49 + 0.51 * np.eye(5)).entropy()
    assert one.held_out[1] == pytest.approx(-truth, abs=0.15)


def test_a_seed_repeats_the_simulations():
    R = symmetric(HOLZINGER)
    first, again, other = (suggest(R, 301, random_state=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.factor_null, again.factor_null)
    assert not np.array_equal(first.component_null, other.component_null)


@pytest.mark.parametrize("n", [4, 9, 10, 60])
def test_simulated_correlations_are_those_of_normal_rows(n):
    p, generator = 9, np.random.default_rng(0)
    found = suggest(symmetric(HOLZINGER), n, n_simulations=1000).component_null
    rows = generator.normal(size=(1000, n, p))
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    direct = np.linalg.eigvalsh(rows.swapaxes(1, 2) @ rows)[:, ::-1]
    np.testing.assert_allclose(found[0], direct.mean(axis=0), atol=0.04)
    np.testing.assert_allclose(found[1], np.quantile(direct, 0.95, axis=0), atol=0.1)


def test_permuted_columns_agree_with_normal_draws():
    X = simple_structure(250, 2, 5, seed=4)
    R = np.corrcoef(X, rowvar=False)
    permuted, normal = suggest(R, X=X, null="permutation"), suggest(R, 250)
    assert permuted.counts["parallel_components"] == normal.counts["parallel_components"] == 2
    np.testing.assert_allclose(permuted.component_null[0], normal.component_null[0], atol=0.03)


# R 4.2.2, by its own eigen, factanal and chull:
#   l <- eigen(R)$values
#   ref <- pmax(1, (1 + sqrt(p/n))^2 * (p - c(0, cumsum(l)[-p]))/(p:1)); sum(cumprod(l > ref))
#   factanal(covmat = R, n.obs = n, factors = k, rotation = "none",
#            control = list(nstart = 20, opt = list(factr = 10, pgtol = 1e-9)))
#   chi <- n * criteria["objective"]; chi0 <- -n * log(det(R)); d0 <- p * (p - 1)/2
#   cfi <- 1 - max(chi - dof, 0)/max(chi0 - d0, chi - dof)
#   h <- chull(c(-dof, -d0, -min(dof)), c(cfi, -1, -1)); st of h by its definition
RETAINED = {
    "bfi_complete": (
        6,
        "1.2128729504 1.0039398589 1.0000000000 1.0000000000",
        "0 0.41980962 0.64502449 0.76098211 0.84464841 0.92668872 0.95888075 0.97338293",
        {1: 1.789479, 2: 1.861291, 3: 1.308278, 5: 2.394159, 6: 2.108816},
    ),
    "holzinger_swineford": (
        3,
        "1.3757345828 1.0000000000 1.0000000000 1.0000000000",
        "0 0.67688322 0.87392409 0.98765734 1.00000000",
        {1: 3.053549, 2: 1.515922, 3: 7.89827},
    ),
    "mtcars": (
        2,
        "2.5163539400 1.1050819327 1.0000000000 1.0000000000",
        "0 0.60500135 0.87848543 0.96602448",
        {1: 2.01109, 2: 2.811724},
    ),
}
REFERENCE = json.loads((Path(__file__).parent / "r_reference.json").read_text())


@pytest.mark.parametrize("name", RETAINED)
def test_the_empirical_kaiser_criterion_and_the_hull_are_rs(name):
    n_kaiser, references, cfi, bends = RETAINED[name]
    content = REFERENCE[name]
    p = len(content["variables"])
    R = np.asarray(content["correlation"], float)
    R = R if R.ndim == 2 else symmetric(R)
    found = suggest(R, content["n"], n_simulations=20, max_components=7, fit=best_likelihood)
    assert found.counts["empirical_kaiser"] == n_kaiser
    np.testing.assert_allclose(found.kaiser_references[:4], numbers(references), atol=1e-10)
    assert len(found.kaiser_references) == p
    np.testing.assert_allclose(list(found.comparative_fit.values()), numbers(cfi), atol=2e-7)
    assert list(found.hull) == list(bends)
    np.testing.assert_allclose(list(found.hull.values()), list(bends.values()), rtol=1e-4)
    assert found.counts["hull"] == max(bends, key=bends.get)


def best_likelihood(R, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return FactorAnalysis(n_components=k).fit_covariance(R).get_covariance()


def test_the_hull_is_the_upper_convex_one_by_brute_force():
    draw, p = np.random.default_rng(0), 12
    for _ in range(60):
        fits = dict(enumerate(np.round(np.cumsum(draw.normal(0.1, 0.15, size=7)), 2).tolist()))
        at = {k: -((p - k) ** 2 - p - k) / 2 for k in fits}
        rising = [k for k in fits if all(fits[j] < fits[k] for j in range(k))]
        inner = [
            k
            for k in rising[1:-1]
            if all(
                fits[i] + (fits[j] - fits[i]) * (at[k] - at[i]) / (at[j] - at[i]) < fits[k] - 1e-12
                for i in rising
                for j in rising
                if i < k < j
            )
        ]
        found = hull(fits, p)
        level = len(rising) > 1 and rising[-1] < 6
        assert list(found) == inner + [rising[-1]] * level
        assert [bend == np.inf for bend in found.values()] == [False] * len(inner) + [True] * level
        assert all(bend > 1 for bend in found.values())


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        ({"kaiser": 6, "map": 5, "parallel_components": 5, "parallel_factors": 6}, 5),
        ({"kaiser": 3, "map": 3}, 3),
        ({"kaiser": 2, "map": 1, "parallel_components": 2, "parallel_factors": 3}, 1),
        ({"kaiser": 0, "map": 0}, 1),
        ({"sequential_tests": 4, "map": 2, "hull": 3}, 2),
    ],
    ids=str,
)
def test_the_number_of_factors_is_the_one_that_most_criteria_name(counts, answer):
    found = consensus(counts)
    assert found.n_factors == answer
    assert all(max(counts[name], 1) == answer for name in found.agree)
    assert not {*found.agree} & {*found.dissent}
    assert {n for n, c in counts.items() if c != answer} - {*found.agree} == {*found.dissent}
    votes = [max(count, 1) for name, count in counts.items() if name not in VOTELESS]
    most = max(map(votes.count, votes))
    assert {answer, *found.as_many} == {k for k in votes if votes.count(k) == most}
    assert consensus({"kaiser": 4}) is None


def test_without_samples_only_the_matrix_speaks():
    found = suggest(symmetric(ABILITY), fit=maximum_likelihood)
    assert set(found.counts) == {"kaiser", "map"}
    assert found.component_null is found.factor_null is None
    assert found.bic == found.held_out == {}


def test_a_singular_correlation_is_survived():
    X = np.random.default_rng(0).normal(size=(5, 8))
    R = np.corrcoef(X, rowvar=False)
    found = suggest(R, 5, fit=lambda R, k: np.eye(len(R)))
    assert found.bic == {}
    assert "bic" not in found.counts
    assert np.isnan(found.map_values[4:]).all()
    with pytest.raises(InputError, match="singular"):
        kmo(R)
    with pytest.raises(InputError, match="singular"):
        sphericity(R, 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correlation": [[1.0]]}, "at least 2"),
        ({"correlation": np.ones((2, 3))}, "square"),
        ({"null": "permutation"}, "permutation if X"),
        ({"null": "bootstrap"}, "bootstrap"),
        ({"n_samples": 1}, "n_samples is 1"),
        ({"n_simulations": 0}, "n_simulations is 0"),
        ({"n_folds": 1}, "n_folds is 1"),
        ({"X": np.ones((9, 3))}, "constant"),
        ({"X": np.eye(4)}, r"must be \(9, 3\)"),
        ({"max_components": -1}, "max_components is -1"),
    ],
)
def test_what_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        suggest(**({"correlation": np.eye(3), "n_samples": 9} | change))


@pytest.mark.skipif(not FOLDER, reason="LATENTIA_REFERENCE is not set")
def test_all_of_psych():
    for path in sorted(Path(FOLDER, "factor_analysis").glob("*_reference.json")):
        content = json.loads(path.read_text())
        if "parallel" not in content:
            continue
        R, parallel = np.array(content["correlation"]["values"]), content["parallel"]
        found = suggest(R, content["n"], n_simulations=400)
        partial = np.array(content["MAP"]["map"], float)
        overall, each = kmo(R)
        pairs = {
            "fa_values": (found.factor_eigenvalues, parallel["fa_values"], 2e-6),
            "pc_values": (found.eigenvalues, parallel["pc_values"], 1e-12),
            "map": (found.map_values[1 : len(partial) + 1], partial, 1e-9),
            "kmo": (overall, content["KMO"]["MSA"], 1e-12),
            "kmo_each": (each, list(content["KMO"]["MSAi"].values()), 1e-12),
            "component_null": (found.component_null[0], parallel["pc_sim_mean_quantile"], 0.1),
            "factor_null": (found.factor_null[0], parallel["fa_sim_mean_quantile"], 0.1),
        }
        errors = {m: float(np.max(np.abs(np.subtract(a, b)))) for m, (a, b, _) in pairs.items()}
        print(
            content["dataset"],
            {m: round(float(-np.log10(max(e, 1e-15)))) for m, e in errors.items()},
        )
        assert all(errors[m] < tolerance for m, (_, _, tolerance) in pairs.items())
        theirs = (parallel["nfact"], parallel["ncomp"], content["MAP"]["nfact"])
        names = ("parallel_factors", "parallel_components", "map")
        assert tuple(found.counts[name] for name in names) == theirs


def test_seeds_folds_and_bounds_reach_their_criteria():
    X = simple_structure(80, 2, 3)
    R = np.corrcoef(X, rowvar=False)

    def said(**settings):
        return suggest(R, X=X, fit=maximum_likelihood, n_simulations=20, **settings)

    one, again, other = said(), said(random_state=0), said(random_state=1)
    assert one.held_out == again.held_out
    assert one.held_out != other.held_out
    assert said(n_folds=3).held_out != one.held_out
    for null in ("normal", "permutation"):
        found = [said(null=null, random_state=seed).component_null[0] for seed in (0, 0, 1)]
        np.testing.assert_array_equal(found[0], found[1])
        assert (found[0] != found[2]).any()
    assert len(one.map_values) == 6
    bounded = said(max_components=1)
    assert list(bounded.bic) == list(bounded.held_out) == [0, 1]
    assert len(bounded.map_values) == 2


def test_the_held_out_likelihood_is_that_of_folds_by_hand():
    X = simple_structure(60, 1, 4)
    found = suggest(
        np.corrcoef(X, rowvar=False),
        X=X,
        fit=maximum_likelihood,
        n_folds=4,
        n_simulations=1,
        random_state=7,
        max_components=1,
    ).held_out
    total = 0.0
    for held in np.array_split(np.random.default_rng(7).permutation(60), 4):
        train = np.delete(X, held, axis=0)
        D = train.std(axis=0)
        S = maximum_likelihood(np.corrcoef(train, rowvar=False), 1) * np.outer(D, D)
        total += stats.multivariate_normal(train.mean(axis=0), S).logpdf(X[held]).sum()
    assert found[1] == pytest.approx(total / 60, rel=1e-9)


def test_the_null_has_the_spread_of_n_rows():
    """The squared correlation of two independent normal columns is 1/(n − 1) on average."""
    found = suggest(np.eye(2), 6, n_simulations=4000, random_state=1).component_null
    draw = np.random.default_rng(0).normal(size=(20000, 6, 2))
    draw -= draw.mean(axis=1, keepdims=True)
    r = (draw[..., 0] * draw[..., 1]).sum(axis=1) / np.linalg.norm(draw, axis=1).prod(axis=1)
    assert found[0][0] == pytest.approx(1 + np.abs(r).mean(), abs=0.015)
    assert found[1][0] == pytest.approx(1 + np.quantile(np.abs(r), 0.95), abs=0.02)


def independent_answers(seed, n=150, d=6):
    """Return answers to independent items, of which most people choose the same one."""
    draw = np.random.default_rng(seed).normal(size=(n, d))
    return np.digitize(draw, [1.2, 1.7]).astype(float)


def test_permuted_columns_are_correlated_as_the_data_are():
    """Each column keeps its values and its gaps; what correlates them is what was given."""
    X = independent_answers(0)
    X[:30, 1] = np.nan
    seen = []

    def correlate(shuffled):
        seen.append(shuffled)
        return np.corrcoef(np.nan_to_num(shuffled), rowvar=False)

    found = suggest(
        np.eye(6), X=X, null="permutation", correlate=correlate, n_simulations=5, random_state=3
    )
    assert len(seen) == 5
    for shuffled in seen:
        np.testing.assert_array_equal(np.isnan(shuffled), np.isnan(X))
        np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(X, axis=0))
        assert (shuffled[30:] != X[30:]).any(axis=0).all()
    highest = [np.linalg.eigvalsh(correlate(shuffled))[-1] for shuffled in seen[:5]]
    assert found.component_null[0][0] == pytest.approx(np.mean(highest))
    assert found.held_out == {}
    with pytest.raises(InputError, match="missing, infinite or constant"):
        suggest(np.eye(6), X=X, null="permutation")


def test_independent_answers_have_no_factor_against_their_own_chance():
    """Against normal data, polychoric correlations of independent answers have several."""
    shuffled, normal = [], []
    for seed in range(4):
        X = independent_answers(seed)

        def correlate(rows):
            return polychoric(rows).correlation

        R, counts = correlate(X), []
        for options in ({"null": "permutation", "correlate": correlate}, {}):
            found = suggest(R, X=X, n_simulations=20, random_state=0, **options)
            counts.append(found.counts["parallel_factors"])
        shuffled.append(counts[0])
        normal.append(counts[1])
    assert np.sum(shuffled) <= 1 < np.sum(normal)
