"""Fit statistics against R's factanal, psych and lavaan, their equations, and simulation."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from latentia.errors import InputError
from latentia.models.factors.fit_statistics import _reason, fit_statistics


def numbers(text):
    return np.array(text.split(), float)


# R 4.2.2. Lower triangles, row by row, of cov2cor(ability.cov$cov), n = 112, and of
# cor(lavaan::HolzingerSwineford1939[, x1..x9]), n = 301.
ABILITY = numbers(
    """
    0.46626493273404 0.551663190180477 0.572436361493909 0.340324989232195 0.193099184200868
    0.445090137382892 0.576479925702575 0.262922870510902 0.354025184203094 0.183964450481195
    0.514405790851105 0.239276608467733 0.356471505982897 0.218836981560446 0.791377858846796
    """
)
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

# factanal(covmat=ability.cov$cov, n.obs=112, factors=k, rotation="none", control=list(nstart=20,
# lower=0.005, opt=list(factr=10, pgtol=1e-9, maxit=5000))): loadings by column, uniquenesses,
# then objective, STATISTIC, dof, PVAL.
FACTANAL = {
    1: (
        numbers(
            """
            0.682203107513414 0.38395442646524 0.501811073008226 0.299786911585931 0.876518049364108
            0.848680673039624
            """
        ),
        numbers(
            """
            0.53459891927209 0.852579001034258 0.748185643483253 0.910127795853621 0.23171610865697
            0.279741114729968
            """
        ),
        (0.699345035353783, 75.1795913005317, 9, 1.4563845654701e-12),
    ),
    2: (
        numbers(
            """
            0.647526336043264 0.347431547538366 0.4710815671293 0.253020544939527 0.964058511277463
            0.81540101443391 0.354239279955205 0.538478549388142 0.748266402348967 0.408116599918922
            -0.134682776499236 -0.039151499439454
            """
        ),
        numbers(
            """
            0.455224171114769 0.589332168244305 0.218179546721517 0.769421422108874
            0.0524517364057117 0.333588341415623
            """
        ),
        (0.0571602168369765, 6.10661649875032, 4, 0.191326315609795),
    ),
}

# psych 2.2.9, psych::fa(R, nfactors=k, n.obs=112, fm="minres", rotate="none").
PSYCH = {
    1: (
        numbers(
            """
            0.80229306019002 0.526473114231906 0.68327742983221 0.402825452617611 0.721441074164494
            0.696140227960278
            """
        ),
        numbers(
            """
            0.356325845570934 0.722826059990958 0.53313195388189 0.837731654723417 0.47952277650838
            0.515388783015412
            """
        ),
        {
            "objective": 0.759350590290157,
            "chi_square": 81.6301884561918,
            "p_value": 7.66236613865612e-14,
            "rmsea": 0.26827843895595,
            "rmsea_low": 0.217785235692198,
            "rmsea_high": 0.324735051268446,
            "tli": 0.519068716573705,
            "bic": 39.163698614536,
            "rms": 0.126692982445115,
            "null_chi_square": 268.353765306515,
        },
    ),
    2: (
        numbers(
            """
            0.749760606861624 0.52388375734886 0.750003526932719 0.392331776832626 0.818299243620831
            0.7265108191706 0.0704307673598987 0.319495409129766 0.521748171022007 0.220255339521531
            -0.518684233103622 -0.376418195811747
            """
        ),
        numbers(
            """
            0.432898539407585 0.623468492331045 0.165273555623673 0.79756336229961
            0.0613530142192829 0.330491371489892
            """
        ),
        {
            "objective": 0.0670512545969268,
            "chi_square": 7.16330903277169,
            "p_value": 0.1275056839503,
            "rmsea": 0.0835495067729261,
            "rmsea_low": 0,
            "rmsea_high": 0.182611228709,
            "tli": 0.952559067196375,
            "bic": -11.7106864524087,
            "rms": 0.032189725474289,
            "null_chi_square": 268.353765306515,
        },
    ),
}

# lavaan 0.6-14, efa(HolzingerSwineford1939[, x1..x9], nfactors=3, rotation="geomin",
# meanstructure=TRUE); loadings and uniquenesses of factanal(x, factors=3, rotation="none").
LAVAAN = (
    numbers(
        """
        0.488047073309862 0.244472742579415 0.272438843632305 0.834522322046392 0.839042997115318
        0.823369080270571 0.228781303282654 0.269711752536045 0.376472945037375 0.313524294021123
        0.173129588059806 0.407055274338633 -0.15280919873963 -0.20909687858502 -0.128821502761659
        0.484530610132263 0.621728925249188 0.560757053524688 0.388567245593092 0.401899793563496
        0.466163837536526 -0.0320750557213511 -0.0969950541266106 0.0158925702972689
        -0.458999604222239 -0.268624514620358 0.0239358975894674
        """
    ),
    numbers(
        """
        0.512528071155636 0.748735769513628 0.542774355098777 0.279193032622059 0.24287730438319
        0.305215803956965 0.502208563701806 0.468549582272651 0.543246723486055
        """
    ),
    -3706.54053304495,
    {
        "chi_square": 22.8967346074908,
        "p_value": 0.0286155353290839,
        "rmsea": 0.0549255375520809,
        "rmsea_low": 0.0173758489197792,
        "rmsea_high": 0.0887831832674094,
        "tli": 0.962972028120067,
        "cfi": 0.987657342706689,
        "rms": 0.0192452772214207,
        "srmr": 0.0172134992443175,
        "aic": 7497.08106608991,
        "bic": 7652.77969720936,
        "null_chi_square": 918.851589292384,
    },
)
FOLDER = os.environ.get("LATENTIA_REFERENCE", "")


def symmetric(lower):
    p = round((1 + math.sqrt(1 + 8 * len(lower))) / 2)
    matrix = np.zeros((p, p))
    matrix[np.tril_indices(p, -1)] = lower
    return matrix + matrix.T + np.eye(p)


def implied(columns, uniquenesses):
    loadings = columns.reshape(-1, len(uniquenesses)).T
    return loadings @ loadings.T + np.diag(uniquenesses)


def agree(found, expected, tolerance):
    for name, value in expected.items():
        # R's uniroot finds the interval to about 1e-4 in the noncentrality.
        loose = 1e-5 if name in ("rmsea_low", "rmsea_high") else tolerance
        assert getattr(found, name) == pytest.approx(value, rel=loose, abs=1e-12), name


@pytest.mark.parametrize("k", [1, 2])
def test_factanal(k):
    columns, uniquenesses, expected = FACTANAL[k]
    found = fit_statistics(symmetric(ABILITY), implied(columns, uniquenesses), 112, k)
    values = (found.objective, found.chi_square, found.dof, found.p_value)
    assert values == pytest.approx(expected, rel=1e-12)
    assert found.reason == ""


@pytest.mark.parametrize("k", [1, 2])
def test_psych(k):
    columns, uniquenesses, expected = PSYCH[k]
    agree(
        fit_statistics(symmetric(ABILITY), implied(columns, uniquenesses), 112, k), expected, 1e-12
    )


def test_lavaan():
    columns, uniquenesses, likelihood, expected = LAVAAN
    R, model = symmetric(HOLZINGER), implied(columns, uniquenesses)
    found = fit_statistics(R, model, 301, 3, likelihood, "lavaan")
    # lavaan stops its own search early: residuals near zero differ most.
    agree(found, expected, 1e-6)
    assert found.chi_square == found.chi_square_uncorrected == 301 * found.objective


def test_counts_of_parameters():
    found = fit_statistics(np.eye(9), np.eye(9), 100, 3)
    assert (found.n_parameters, found.n_loadings_and_variances) == (33, 36)
    assert (found.n_moments, found.dof, found.null_dof) == (45, 12, 36)


def test_the_objective_is_its_formula():
    columns, uniquenesses, _ = FACTANAL[1]
    R, model = symmetric(ABILITY), implied(columns, uniquenesses)
    log_determinants = np.linalg.slogdet(model)[1] - np.linalg.slogdet(R)[1]
    expected = log_determinants + np.trace(R @ np.linalg.inv(model)) - 6
    assert fit_statistics(R, model, 112, 1).objective == pytest.approx(expected, rel=1e-12)


def test_units_of_the_variables_do_not_matter():
    columns, uniquenesses, _ = FACTANAL[1]
    R, model = symmetric(ABILITY), implied(columns, uniquenesses)
    units = np.outer(*[np.array([1, 1e3, 1e-2, 5, 7, 1e4])] * 2)
    one, other = fit_statistics(R, model, 112, 1), fit_statistics(R * units, model * units, 112, 1)
    assert (one.chi_square, one.rms) == pytest.approx((other.chi_square, other.rms), rel=1e-9)


@pytest.mark.parametrize("convention", ["bartlett", "lavaan"])
@pytest.mark.parametrize("n", [112, 3000])
def test_rmsea_interval_solves_its_equations(convention, n):
    columns, uniquenesses, _ = FACTANAL[1]
    R, model = symmetric(ABILITY), implied(columns, uniquenesses)
    found = fit_statistics(R, model, n, 1, convention=convention)
    unit = found.dof * (n if convention == "lavaan" else n - 1)
    for end, quantile in ((found.rmsea_low, 0.95), (found.rmsea_high, 0.05)):
        cdf = stats.ncx2.cdf(found.chi_square, found.dof, unit * end**2)
        assert cdf == pytest.approx(quantile, abs=1e-8)
    assert found.rmsea_low < found.rmsea < found.rmsea_high


def test_a_perfect_fit():
    R = symmetric(ABILITY)
    found = fit_statistics(R, R, 112, 1)
    assert found.objective == pytest.approx(0, abs=1e-12)
    assert (found.rmsea, found.rmsea_low, found.rmsea_high, found.cfi) == (0, 0, 0, 1)
    assert found.rms == found.srmr == 0
    assert found.tli > 1


@pytest.mark.parametrize("convention", ["bartlett", "lavaan"])
def test_a_model_worse_than_none_has_a_cfi_of_0_and_a_weak_null_leaves_it_in_range(convention):
    weak = np.eye(6) + 0.02 * (1 - np.eye(6))
    worse = np.eye(6) - 0.15 * (1 - np.eye(6))
    found = fit_statistics(weak, worse, 100, 1, convention=convention)
    assert found.chi_square - found.dof > found.null_chi_square - found.null_dof
    assert found.cfi == 0
    assert fit_statistics(weak, weak, 100, 1, convention=convention).cfi == 1
    columns, uniquenesses, _ = FACTANAL[1]
    good = fit_statistics(
        symmetric(ABILITY), implied(columns, uniquenesses), 112, 1, convention=convention
    )
    excess = good.chi_square - good.dof, good.null_chi_square - good.null_dof
    assert good.cfi == pytest.approx(1 - excess[0] / excess[1], rel=1e-12)


@pytest.mark.parametrize(("k", "dof"), [(3, 0), (4, -3), (6, -6)])
def test_no_degrees_of_freedom(k, dof):
    R = symmetric(ABILITY)
    found = fit_statistics(R, R, 112, k)
    assert found.dof == dof
    assert all(math.isnan(v) for v in (found.p_value, found.rmsea, found.rmsea_high, found.tli))
    assert math.isnan(found.chi_square) == (dof < 0)
    assert f"{dof} degrees of freedom" in found.reason


def test_a_singular_correlation_has_a_reason():
    R = np.ones((4, 4))
    found = fit_statistics(R, 0.5 * np.eye(4) + 0.5, 50, 1)
    assert math.isnan(found.objective)
    assert math.isnan(found.chi_square)
    assert "observed" in found.reason
    assert found.rms == pytest.approx(0.5)
    assert "implied" in fit_statistics(0.5 * np.eye(4) + 0.5, R, 50, 1).reason


def test_without_the_number_of_samples():
    columns, uniquenesses, expected = FACTANAL[2]
    found = fit_statistics(symmetric(ABILITY), implied(columns, uniquenesses), None, 2)
    assert found.objective == pytest.approx(expected[0])
    assert found.rms > 0
    assert math.isnan(found.chi_square)
    assert math.isnan(found.bic)
    assert found.reason == "n_samples is not given"


def test_too_few_samples_for_the_correction():
    found = fit_statistics(np.eye(9), np.eye(9), 4, 1)
    assert math.isnan(found.chi_square)
    assert "too small" in found.reason
    assert found.chi_square_uncorrected == 0


def test_one_variable():
    found = fit_statistics([[2.0]], [[2.0]], 10, 0)
    assert (found.objective, found.dof, found.null_dof) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correlation": np.ones((2, 3))}, "square"),
        ({"correlation": [[1, 0.5], [0.2, 1]]}, "symmetric"),
        ({"correlation": [[1, np.nan], [np.nan, 1]]}, "finite"),
        ({"implied": np.eye(3)}, r"\(3, 3\)"),
        ({"correlation": np.eye(3)}, r"implied is \(2, 2\); it must be \(3, 3\)"),
        ({"n_samples": 1}, "n_samples is 1"),
        ({"n_components": 3}, "n_components is 3"),
        ({"convention": "mplus"}, "mplus"),
    ],
)
def test_what_is_refused(change, words):
    right = {"correlation": np.eye(2), "implied": np.eye(2), "n_samples": 9, "n_components": 1}
    with pytest.raises(InputError, match=words):
        fit_statistics(**(right | change))


def profile(log_psi, R, k):
    """Return F minimised over the loadings, and its gradient (Jöreskog 1967)."""
    psi = np.exp(log_psi)
    values, vectors = np.linalg.eigh(R / np.sqrt(np.outer(psi, psi)))
    rest = values[:-k]
    loadings = np.sqrt(psi)[:, None] * vectors[:, -k:] * np.sqrt(np.maximum(values[-k:] - 1, 0))
    gradient = np.diag(loadings @ loadings.T + np.diag(psi) - R) / psi
    return np.sum(rest - np.log(rest) - 1), gradient, loadings @ loadings.T + np.diag(psi)


def maximum_likelihood(R, k):
    start = np.log((1 - 0.5 * k / len(R)) / np.diag(np.linalg.inv(R)))
    found = optimize.minimize(
        lambda x: profile(x, R, k)[:2], start, jac=True, bounds=[(math.log(0.005), 0.1)] * len(R)
    )
    return profile(found.x, R, k)[2]


def test_p_values_are_uniform_when_the_model_holds():
    generator = np.random.default_rng(3)
    loadings = np.array([0.8, 0.7, 0.6, 0.75, 0.65])
    root = np.linalg.cholesky(np.outer(loadings, loadings) + np.diag(1 - loadings**2))
    p_values = []
    for _ in range(120):
        R = np.corrcoef(generator.normal(size=(150, 5)) @ root.T, rowvar=False)
        p_values.append(fit_statistics(R, maximum_likelihood(R, 1), 150, 1).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.05
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.05)


def r_problems():
    for path in sorted(Path(FOLDER, "factor_analysis").glob("*_reference.json")):
        content = json.loads(path.read_text())
        if "fa" in content:
            for k, methods in content["fa"].items():
                for method, result in methods.items():
                    if "objective" in result and result["objective"] < 1e6:
                        yield content, f"{content['dataset']} {k} {method}", result


def statistics_of(content, result):
    R = np.array(content["correlation"]["values"])
    loadings = np.array(result["loadings"]["values"], float).reshape(len(R), -1)
    phi = np.array(result["Phi"]["values"]) if result["Phi"] else np.eye(loadings.shape[1])
    model = loadings @ phi @ loadings.T + np.diag(list(result["uniquenesses"].values()))
    return fit_statistics(R, model, content["n"], loadings.shape[1])


@pytest.mark.skipif(not FOLDER, reason="LATENTIA_REFERENCE is not set")
def test_all_of_psych():
    names = {"objective": "objective", "chi_square": "STATISTIC", "tli": "TLI", "bic": "BIC"}
    names |= {"p_value": "PVAL", "rms": "rms", "null_chi_square": "null_chisq"}
    count = 0
    for content, problem, result in r_problems():
        expected = {ours: result.get(theirs) for ours, theirs in names.items()}
        interval = result.get("RMSEA") or {}
        ends = {"rmsea": "RMSEA", "rmsea_low": "lower", "rmsea_high": "upper"}
        expected |= {ours: interval.get(theirs) for ours, theirs in ends.items()}
        numbers = {name: v for name, v in expected.items() if isinstance(v, int | float)}
        found = statistics_of(content, result)
        errors = {m: abs(getattr(found, m) - v) / max(1, abs(v)) for m, v in numbers.items()}
        digits = {m: min(15, round(-math.log10(max(e, 1e-15)))) for m, e in errors.items()}
        print(problem, digits)
        assert max(errors.values()) < 1e-6, problem
        count += 1
    assert count > 50


@pytest.mark.parametrize(
    ("R", "S", "objective", "reasons"),
    [
        (1, 1, 0.1, []),
        (1, 1, math.nan, ["the likelihood of rows with such gaps has no saturated maximum"]),
        (0, 1, math.nan, ["the observed correlation matrix is not positive definite"]),
        (1, 0, math.nan, ["the implied correlation matrix is not positive definite"]),
        (
            0,
            0,
            math.nan,
            [
                "the observed correlation matrix is not positive definite",
                "the implied correlation matrix is not positive definite",
            ],
        ),
    ],
)
def test_what_has_no_statistics_says_which_matrix_is_why(R, S, objective, reasons):
    matrices = (np.diag([1.0, 1.0, regular]) for regular in (R, S))
    found = _reason(*matrices, objective, 100, 99.0, 3, no_likelihood=False)
    assert found == "; ".join(reasons)
    found = _reason(np.eye(3), np.eye(3), 0.1, math.nan, math.nan, 0, no_likelihood=True)
    assert found == (
        "n_samples is not given; the model has 0 degrees of freedom, so that no test is possible; "
        "log_likelihood is not given"
    )
