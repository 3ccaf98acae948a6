"""Standard errors of loadings, against lavaan, finite differences, simulation and each other."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from latentia.errors import FitWarning, InputError
from latentia.models.factors import bootstrap
from latentia.models.factors.bootstrap import bootstrap_errors
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.standard_errors import (
    Restriction,
    covariance_of_estimates,
    information_errors,
    restriction_of,
)
from latentia.models.linear.criteria import geomin
from latentia.models.linear.rotation import Rotation, align, rotate

# R 4.2.2, lavaan 0.6-14. lavaan's own standardizedSolution of a rotated model takes forward
# differences with steps of 1e-3, good for three digits only; the covariance of its unstandardized
# estimates is exact, and so are the errors below:
# D <- HolzingerSwineford1939[, paste0("x", 1:9)]
# trace("lav_model_vcov_se", where=asNamespace("lavaan"), print=FALSE,
#       tracer=quote(assign("V", VCOV, globalenv())))
# f <- efa(D, nfactors=2, rotation="varimax", output="lavaan", control=list(rel.tol=1e-11),
#          rotation.args=list(gpa.tol=1e-6, tol=1e-10, rstarts=0))   # rows weighted as by Kaiser
#   or rotation="quartimin", with std.ov=FALSE in rotation.args; or nfactors=3,
#   rotation="geomin", with geomin.epsilon=0.001 and std.ov=FALSE. (With std.ov=TRUE its oblique
#   rotations take diag(Λ Λ' + Ψ) for the implied variances, without Φ, in the border.)
# J <- numDeriv::jacobian(standardized, estimates)   # Λ / √Σᵢᵢ by columns, ψ / Σᵢᵢ, Φ below
# sqrt(diag(J %*% V %*% t(J)))                       # the diagonal; V in the order of estimates
VARIMAX_ERRORS = [
    0.05461579, 0.06098945, 0.05198363, 0.0242582, 0.02394781, 0.02520418, 0.0511406,
    0.04960094, 0.04801786, 0.05634954, 0.06483172, 0.05770475, 0.04347085, 0.04339945,
    0.04395867, 0.05872667, 0.05311581, 0.04964358, 0.05310351, 0.03664441, 0.05252838,
    0.03858848, 0.03900435, 0.03901805, 0.05160221, 0.06414799, 0.07034699,
]  # fmt: skip
QUARTIMIN_ERRORS = [
    0.06075846, 0.06559187, 0.05886326, 0.02782583, 0.02504341, 0.02968102, 0.05961907,
    0.04670177, 0.03938925, 0.0634178, 0.07032344, 0.0635414, 0.03543046, 0.02379771,
    0.04025379, 0.06398057, 0.05571022, 0.05260499, 0.05310351, 0.03664441, 0.05252838,
    0.03858848, 0.03900435, 0.03901805, 0.05160221, 0.06414799, 0.07034699, 0.0657914,
]  # fmt: skip
GEOMIN_ESTIMATES = [
    0.6266562, 0.497879097, 0.717904385, 0.015004257, -0.07720547, 0.06960576, -0.007993405,
    0.252733894, 0.473504867, 0.143202301, -0.001041603, -0.125947392, 0.842722467, 0.898089124,
    0.804607395, 0.076729496, -0.021568958, 0.017932287, 0.006686212, -0.129590657,
    -0.002799656, 0.000466631, 0.005636447, -0.016869474, 0.693601742, 0.664085169, 0.427402498,
    0.512528058, 0.748735786, 0.542774361, 0.279193035, 0.242877301, 0.305215804, 0.502208573,
    0.468549585, 0.543246718, 0.407594837, 0.100920227, 0.116270575,
]  # fmt: skip
GEOMIN_ERRORS = [
    0.066954, 0.06174872, 0.0711638, 0.01830134, 0.07142892, 0.06882273, 0.00811846, 0.08159666,
    0.07226823, 0.08215936, 0.01319082, 0.0909683, 0.02440328, 0.03925637, 0.04080848,
    0.08050469, 0.03778226, 0.03803922, 0.0395894, 0.06878155, 0.03480763, 0.03720719,
    0.01850672, 0.0404018, 0.06519983, 0.06468576, 0.05948661, 0.06341732, 0.05989248,
    0.07497491, 0.03843381, 0.03949374, 0.03868886, 0.0892566, 0.07922717, 0.05804463,
    0.10368792, 0.11716491, 0.11403612,
]  # fmt: skip
COVARIANCE = [
    1.3583698455, 0.4073713302, 1.3817838655, 0.5798993223, 0.4510639369, 1.2748648608,
    0.5048349962, 0.2089233703, 0.2081696129, 1.3506645079, 0.4406155374, 0.2110910752,
    0.1122962909, 1.0977527816, 1.659785764, 0.4548081306, 0.2475445713, 0.2441089815,
    0.8955157094, 1.0145240421, 1.196358378, 0.0847654345, -0.0967510176, 0.088341838,
    0.2197425898, 0.1429995481, 0.1440783892, 1.1831394643, 0.2638376844, 0.1096593857,
    0.2123226427, 0.12559335, 0.1806052086, 0.1654310049, 0.5352452212, 1.0219828148,
    0.4583385471, 0.2440094509, 0.3738525709, 0.2433627372, 0.2952413297, 0.2359969494,
    0.3732972192, 0.4573165598, 1.01500387,
]  # fmt: skip

HOLZINGER = np.zeros((9, 9))
HOLZINGER[np.tril_indices(9)] = COVARIANCE
HOLZINGER += np.tril(HOLZINGER, -1).T
N_HOLZINGER = 301
PATTERN = np.array([[0.8, 0.1], [0.7, 0.0], [0.6, -0.1], [0.1, 0.7], [0.0, 0.6], [0.3, 0.5]])


def parts(values, k, p=9):
    """Split lavaan's order into Λ, ψ and Φ's lower triangle."""
    values = np.asarray(values)
    return values[: p * k].reshape(k, p).T, values[p * k : p * (k + 1)], values[p * (k + 1) :]


def model_covariance(correlation, scale):
    phi = np.array([[1, correlation], [correlation, 1]])
    common = PATTERN @ phi @ PATTERN.T
    return (common + np.diag(1 - np.diag(common))) * np.outer(scale, scale)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rotation": "varimax"}, VARIMAX_ERRORS),
        ({"rotation": "quartimin", "matrix": "covariance"}, QUARTIMIN_ERRORS),
    ],
)
def test_lavaan(settings, expected):
    model = FactorAnalysis(n_components=2, **settings).fit_covariance(HOLZINGER, N_HOLZINGER)
    found = information_errors(model)
    loadings, noise, phi = parts(expected, 2)
    np.testing.assert_allclose(found.noise_variance, noise, atol=3e-7)
    # lavaan's first factor may be our second.
    order = np.argmin(np.abs(found.loadings[:, :, None] - loadings[:, None]).sum(axis=0), axis=0)
    np.testing.assert_allclose(found.loadings[:, order], loadings, atol=3e-7)
    np.testing.assert_allclose(
        found.factor_correlations[1, 0], phi[0] if len(phi) else 0, atol=3e-7
    )


def test_lavaan_at_its_own_solution():
    L, psi, below = parts(GEOMIN_ESTIMATES, 3)
    phi = np.eye(3)
    phi[np.tril_indices(3, -1)] = below
    phi = phi + phi.T - np.eye(3)
    units = np.sqrt(np.diag(HOLZINGER))
    r = Restriction(geomin(0.001), True, False, units, np.zeros(9, bool))
    assert np.abs(r(L, phi, psi)).max() < 2e-6
    errors = np.sqrt(np.diag(covariance_of_estimates(L, phi, psi, r)) / N_HOLZINGER)
    loadings, noise, correlations = parts(GEOMIN_ERRORS, 3)
    np.testing.assert_allclose(errors[:27].reshape(9, 3), loadings, atol=2e-8)
    np.testing.assert_allclose(errors[27:30], correlations, atol=2e-8)
    np.testing.assert_allclose(errors[30:], noise, atol=2e-8)


@pytest.fixture(scope="module")
def unrotated():
    """Fits to Σ and to Σ ± h, Σ ± 2h in each of its elements, and the differences' weights."""
    sigma = model_covariance(0.3, scale=np.array([1, 1.5, 0.7, 1, 0.8, 1.2]))
    step = 2e-3
    model = FactorAnalysis(n_components=2, n_starts=1)
    around = []
    for row, column in zip(*np.tril_indices(6)):
        change = np.zeros((6, 6))
        change[row, column] = change[column, row] = step
        shifted = [clone(model).fit_covariance(sigma + h * change) for h in (1, -1, 2, -2)]
        around.append(shifted)
    return sigma, around, np.array([8, -8, -1, 1]) / (12 * step)


def turned(model, rotation, kaiser, raw, target):
    """Return standardized loadings, Φ and uniquenesses of an unrotated fit, rotated."""
    A = model.loadings_ if raw else model.standardized_loadings_
    found = Rotation(A, np.eye(2), np.eye(2), 0.0, True, 1)
    if rotation != "none":
        found = rotate(A, rotation, kaiser=kaiser, tolerance=1e-13)
    L = found.loadings / (model.scale_[:, None] if raw else 1)
    P = align(L, target)
    parts = (L @ P, P.T @ found.factor_correlations @ P, model.uniquenesses_)
    return np.concatenate([np.ravel(part) for part in parts])


@pytest.mark.parametrize(
    ("rotation", "kaiser", "matrix"),
    [
        ("none", False, "correlation"),
        ("varimax", False, "correlation"),
        ("varimax", False, "covariance"),
        ("varimax", True, "correlation"),
        ("quartimax", False, "correlation"),
        ("equamax", True, "covariance"),
        ("geomin_orthogonal", False, "correlation"),
        ("oblimin", False, "correlation"),
        ("oblimin", False, "covariance"),
        ("oblimin", True, "correlation"),
        ("geomin", False, "correlation"),
        ("geomin", False, "covariance"),
        ("geomin", True, "covariance"),
    ],
)
def test_the_covariance_carried_from_the_data(unrotated, rotation, kaiser, matrix):
    """ML is efficient: carrying Cov(S) through fit and rotation gives the inverse information.

    n Cov(s_ab, s_cd) = σ_ac σ_bd + σ_ad σ_bc, and ∂(estimates)/∂S by differences at S = Σ.
    """
    sigma, around, weights = unrotated
    model = FactorAnalysis(n_components=2, rotation=rotation, kaiser=kaiser, matrix=matrix)
    model.fit_covariance(sigma, 100)
    target, raw = model.standardized_loadings_, matrix == "covariance"
    J = np.array(
        [
            weights @ np.array([turned(m, rotation, kaiser, raw, target) for m in shifted])
            for shifted in around
        ]
    ).T
    rows, columns = np.tril_indices(6)
    gamma = sigma[np.ix_(rows, rows)] * sigma[np.ix_(columns, columns)]
    gamma += sigma[np.ix_(rows, columns)] * sigma[np.ix_(columns, rows)]
    expected = np.sqrt(np.maximum(np.diag(J @ gamma @ J.T), 0) / 100)
    found = information_errors(model)
    together = [found.loadings, found.factor_correlations, found.noise_variance]
    np.testing.assert_allclose(np.concatenate([p.ravel() for p in together]), expected, atol=2e-6)
    units = np.sqrt(np.diag(sigma))
    L, psi = model.loadings_ / units[:, None], model.noise_variance_ / units**2
    r = restriction_of(model, units, np.ones(6, bool))
    assert np.abs(r(L, model.factor_correlations_, psi)).max() < 1e-7


def test_one_factor_against_the_hessian_of_the_likelihood():
    """Where S = Σ, observed and expected information agree."""
    scale = np.array([1, 2, 0.5, 1, 3])
    weight = np.array([0.8, 0.7, 0.6, 0.5, 0.4])
    sigma = (np.outer(weight, weight) + np.diag(1 - weight**2)) * np.outer(scale, scale)
    found = information_errors(FactorAnalysis(n_components=1).fit_covariance(sigma, 200))

    def implied(theta):
        """Return Σ of standardized loadings and standard deviations."""
        common = np.outer(theta[:5], theta[:5])
        return (common + np.diag(1 - theta[:5] ** 2)) * np.outer(theta[5:], theta[5:])

    def loss(theta):
        S = implied(theta)
        return 100 * (np.linalg.slogdet(S)[1] + np.trace(np.linalg.solve(S, sigma)))

    theta, d = np.concatenate([weight, scale]), 1e-3 * np.eye(10)
    hessian = np.array(
        [
            [
                (
                    loss(theta + a + b)
                    - loss(theta + a - b)
                    - loss(theta - a + b)
                    + loss(theta - a - b)
                )
                / 4e-6
                for a in d
            ]
            for b in d
        ]
    )
    expected = np.sqrt(np.diag(np.linalg.inv(hessian)))[:5]
    np.testing.assert_allclose(found.loadings[:, 0], expected, rtol=1e-4)
    np.testing.assert_allclose(found.noise_variance, 2 * weight * expected, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize(("rotation", "correlation"), [("varimax", 0.0), ("oblimin", 0.4)])
def test_estimates_scatter_as_much_as_stated(rotation, correlation):
    sigma = model_covariance(correlation, np.ones(6))
    settings = {"n_components": 2, "rotation": rotation, "n_starts": 1, "n_rotation_starts": 1}
    truth = FactorAnalysis(**settings).fit_covariance(sigma, 400)
    root = np.linalg.cholesky(sigma)
    draw = np.random.default_rng(0)
    found, stated = [], []
    for replicate in range(200):
        X = draw.normal(size=(400, 6)) @ root.T
        model = FactorAnalysis(**settings).fit_covariance(np.cov(X.T, bias=True), 400)
        P = align(model.standardized_loadings_, truth.standardized_loadings_)
        found.append(model.standardized_loadings_ @ P)
        if replicate % 5 == 0:
            stated.append(information_errors(model).loadings @ np.abs(P))
    ratio = np.mean(stated, axis=0) / np.std(found, axis=0)
    assert abs(ratio.mean() - 1) < 0.05
    assert np.abs(ratio - 1).max() < 0.2


@pytest.fixture(scope="module")
def holzinger_rows():
    draws = np.random.default_rng(3).normal(size=(N_HOLZINGER, 9))
    white = (draws - draws.mean(axis=0)) @ np.linalg.inv(
        np.linalg.cholesky(np.cov(draws.T, bias=True))
    ).T
    return white @ np.linalg.cholesky(HOLZINGER).T


@pytest.mark.parametrize("parametric", [False, True])
@pytest.mark.parametrize("rotation", ["varimax", "oblimin"])
def test_bootstrap_agrees_with_information(holzinger_rows, rotation, parametric):
    model = FactorAnalysis(n_components=3, rotation=rotation, n_rotation_starts=2).fit(
        holzinger_rows
    )
    theory = information_errors(model)
    found = bootstrap_errors(model, holzinger_rows, n_replicates=60, parametric=parametric)
    ratio = found.loadings / theory.loadings
    assert found.n_replicates + found.n_failed == 60
    assert abs(np.median(ratio) - 1) < 0.18
    assert np.quantile(np.abs(ratio - 1), 0.7) < 0.25
    inside = (found.low < model.standardized_loadings_) & (
        model.standardized_loadings_ < found.high
    )
    assert inside.all()


def test_bootstrap_repeats_under_a_seed(holzinger_rows):
    model = FactorAnalysis(n_components=2, rotation="promax").fit(holzinger_rows)
    calls = []
    settings = {"n_replicates": 5, "progress": lambda done, of: calls.append((done, of))}
    first, again, other = (
        bootstrap_errors(model, holzinger_rows, random_state=seed, **settings) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.loadings, again.loadings)
    assert (first.loadings != other.loadings).all()
    assert calls[:5] == [(done, 5) for done in range(1, 6)]
    assert first.method == "bootstrap"
    assert first.n_replicates == 5


@pytest.mark.parametrize(
    ("settings", "parametric"),
    [
        ({"missing": "fiml"}, False),
        ({"missing": "fiml"}, True),
        ({"method": "minres"}, True),
        ({"method": "principal_component", "matrix": "covariance"}, False),
    ],
)
def test_bootstrap_of_what_has_no_formula(holzinger_rows, settings, parametric):
    X = holzinger_rows.copy()
    if "missing" in settings:
        X[np.random.default_rng(0).random(X.shape) < 0.05] = np.nan
    model = FactorAnalysis(n_components=1, n_starts=1, **settings).fit(X)
    found = bootstrap_errors(model, X, n_replicates=4, parametric=parametric)
    assert found.n_replicates == 4
    assert (found.loadings > 0).all()
    with pytest.raises(InputError, match="bootstrap_errors"):
        information_errors(model)


def test_bootstrap_of_images_keeps_their_scale():
    images = np.random.default_rng(0).uniform(0.2, 0.8, size=(60, 3, 3))
    images += 0.2 * np.random.default_rng(1).uniform(-1, 1, size=(60, 1, 1))
    model = FactorAnalysis(n_components=1).fit(images)
    for parametric in (False, True):
        found = bootstrap_errors(model, images, n_replicates=40, parametric=parametric)
        ratio = np.median(found.loadings / information_errors(model).loadings)
        assert 0.6 < ratio < 1.6


def test_constant_columns_and_heywood_cases():
    phi = np.array([[1, 0.2], [0.2, 1]])
    common = PATTERN @ phi @ PATTERN.T
    S = np.zeros((7, 7))
    S[:6, :6] = common + np.diag(1 - np.diag(common))
    S[0, 1:6] *= 1.4
    S[1:6, 0] *= 1.4
    with pytest.warns(UserWarning, match="Heywood|constant"):
        model = FactorAnalysis(n_components=2, rotation="oblimin").fit_covariance(S, 100)
    found = information_errors(model)
    assert found.held == tuple(model.heywood_) == ("x0",)
    assert found.noise_variance[0] == 0
    assert (found.loadings[6] == 0).all()
    assert found.noise_variance[6] == 0
    assert (found.noise_variance[1:6] > 0).all()
    assert (found.loadings[1:6] > 0).all()


def test_levels():
    sigma = model_covariance(0.3, np.ones(6))
    model = FactorAnalysis(n_components=2).fit_covariance(sigma, 100)
    wide, narrow = information_errors(model, level=0.99), information_errors(model, level=0.5)
    np.testing.assert_allclose((wide.high - wide.low) / wide.loadings, 2 * 2.5758293)
    np.testing.assert_allclose((narrow.high + narrow.low) / 2, model.standardized_loadings_)


def test_what_information_refuses():
    sigma = model_covariance(0.3, np.ones(6))
    for settings, words in [
        ({"rotation": "promax"}, "promax"),
        ({"method": "minres"}, "minres"),
    ]:
        model = FactorAnalysis(n_components=2, **settings).fit_covariance(sigma, 100)
        with pytest.raises(InputError, match=f"{words}.*bootstrap_errors"):
            information_errors(model)
    unknown = FactorAnalysis(n_components=2).fit_covariance(sigma)
    with pytest.raises(InputError, match="give n_samples"):
        information_errors(unknown)
    with pytest.raises(InputError, match="level is 1"):
        information_errors(unknown, level=1)


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_a_solution_that_is_not_unique():
    sigma = model_covariance(0.3, np.ones(6))[:4, :4]
    model = FactorAnalysis(n_components=3).fit_covariance(sigma, 100)
    with pytest.raises(InputError, match="not unique"):
        information_errors(model)


def test_what_the_bootstrap_refuses(holzinger_rows):
    model = FactorAnalysis(n_components=1).fit(holzinger_rows)
    with pytest.raises(InputError, match="needs X"):
        bootstrap_errors(model, None)
    with pytest.raises(InputError, match="X has 300 rows"):
        bootstrap_errors(model, holzinger_rows[:300])
    with pytest.raises(InputError, match="n_replicates is 1"):
        bootstrap_errors(model, holzinger_rows, n_replicates=1)
    unknown = FactorAnalysis(n_components=1).fit_covariance(HOLZINGER)
    with pytest.raises(InputError, match="give n_samples"):
        bootstrap_errors(unknown, None, parametric=True)
    known = FactorAnalysis(n_components=1).fit_covariance(HOLZINGER, N_HOLZINGER)
    assert bootstrap_errors(known, None, parametric=True, n_replicates=3).n_replicates == 3


@pytest.mark.parametrize("gaps", [False, True])
def test_parametric_samples_have_the_size_and_the_moments_of_the_fit(monkeypatch, gaps):
    """The covariance of n normal rows, divided by n, is (n − 1)/n Σ on average."""
    n = 12
    model = FactorAnalysis(n_components=2, rotation="oblimin", n_starts=1)
    model.set_params(missing="fiml" if gaps else "error")
    X = np.random.default_rng(1).normal(size=(n, 6)) @ np.linalg.cholesky(
        model_covariance(0.5, np.array([1, 2, 3, 1, 1, 2]))
    ).T + np.arange(6)
    X[0, 0] = np.nan if gaps else X[0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X)
    seen = []

    def refuse(replica, drawn, n_samples=None):
        seen.append(drawn)
        assert n_samples == (None if gaps else n)
        raise InputError("seen enough")

    monkeypatch.setattr(FactorAnalysis, "fit" if gaps else "fit_covariance", refuse)
    with pytest.raises(InputError, match="seen enough"):
        bootstrap_errors(model, X, parametric=True, n_replicates=1200)
    Sigma, scale = model.get_covariance(), np.sqrt(np.diag(model.get_covariance()))
    drawn = np.array(seen)
    if gaps:
        np.testing.assert_array_equal(np.isnan(drawn), np.broadcast_to(np.isnan(X), drawn.shape))
        centre = np.nanmean(drawn, axis=(0, 1))
        np.testing.assert_allclose((centre - model.mean_) / scale, 0, atol=0.03)
        found, expected = np.cov(drawn[:, 1:].reshape(-1, 6).T), Sigma
    else:
        found, expected = drawn.mean(axis=0), (n - 1) / n * Sigma
    np.testing.assert_allclose((found - expected) / np.outer(scale, scale), 0, atol=0.035)
    assert abs(model.factor_correlations_[0, 1]) > 0.1


def test_intervals_of_the_bootstrap_have_their_level(holzinger_rows):
    model = FactorAnalysis(n_components=1).fit(holzinger_rows)
    narrow, wide = (
        bootstrap_errors(model, None, parametric=True, n_replicates=150, level=level)
        for level in (0.5, 0.9)
    )
    np.testing.assert_array_equal(narrow.loadings, wide.loadings)
    for found, width in ((narrow, 2 * 0.6745), (wide, 2 * 1.6449)):
        ratio = (found.high - found.low) / found.loadings
        assert np.median(ratio) == pytest.approx(width, rel=0.15)


def test_errors_of_the_bootstrap_are_over_the_replicates(monkeypatch):
    draw, k = np.random.default_rng(0), 2
    refits = [tuple(draw.normal(size=shape) for shape in ((4, k), (k, k), (4,))) for _ in range(6)]
    given = iter([*refits[:3], None, *refits[3:]])

    def estimates(model, refit):
        found = next(given)
        if found is None:
            raise InputError("no such matrix")
        return found

    monkeypatch.setattr(bootstrap, "_estimates", estimates)
    model = FactorAnalysis().fit_covariance(0.5 * np.eye(4) + 0.5, n_samples=100)
    done = []
    found = bootstrap_errors(
        model,
        None,
        n_replicates=7,
        parametric=True,
        level=0.5,
        progress=lambda *counts: done.append(counts),
    )
    loadings, phi, noise = (np.stack(values) for values in zip(*refits))
    np.testing.assert_allclose(found.loadings, np.std(loadings, axis=0, ddof=1))
    off = np.std(phi, axis=0, ddof=1)
    np.fill_diagonal(off, 0)
    np.testing.assert_allclose(found.factor_correlations, off)
    np.testing.assert_allclose(found.noise_variance, np.std(noise, axis=0, ddof=1))
    np.testing.assert_allclose(found.low, np.quantile(loadings, 0.25, axis=0))
    np.testing.assert_allclose(found.high, np.quantile(loadings, 0.75, axis=0))
    assert (found.n_replicates, found.n_failed) == (6, 1)
    assert done == [(number, 7) for number in range(1, 8)]


def test_refits_have_the_signs_and_order_of_the_model(holzinger_rows):
    model = FactorAnalysis(n_components=3, rotation="oblimin", n_starts=1, n_rotation_starts=1)
    model.fit(holzinger_rows)
    first = bootstrap_errors(model, holzinger_rows, n_replicates=8)
    order, signs = [2, 0, 1], np.array([-1, 1, 1])
    model.loadings_ = model.loadings_[:, order] * signs
    model.factor_correlations_ = model.factor_correlations_[np.ix_(order, order)]
    model.factor_correlations_ *= np.outer(signs, signs)
    other = bootstrap_errors(model, holzinger_rows, n_replicates=8)
    np.testing.assert_allclose(other.loadings, first.loadings[:, order], atol=1e-12)
    np.testing.assert_allclose(
        other.factor_correlations, first.factor_correlations[np.ix_(order, order)], atol=1e-12
    )
    np.testing.assert_allclose(other.low[:, 0], -first.high[:, 2], atol=1e-12)
    np.testing.assert_allclose(other.low[:, 1], first.low[:, 0], atol=1e-12)


def test_refits_take_one_start_of_the_estimation_and_all_other_settings(monkeypatch):
    settings = {"n_components": 2, "method": "minres", "rotation": "oblimin", "kaiser": True}
    settings |= {"n_starts": 3, "n_rotation_starts": 2, "noise_floor": 0.01, "random_state": 5}
    model = FactorAnalysis(**settings).fit_covariance(model_covariance(0.4, np.ones(6)), 300)
    original, seen = FactorAnalysis.fit_covariance, []

    def watched(replica, *arguments, **company):
        seen.append(replica.get_params())
        return original(replica, *arguments, **company)

    monkeypatch.setattr(FactorAnalysis, "fit_covariance", watched)
    bootstrap_errors(model, None, parametric=True, n_replicates=2)
    assert seen == [model.get_params() | {"n_starts": 1}] * 2


@pytest.mark.parametrize("parametric", [False, True])
def test_the_bootstrap_leaves_out_rows_without_any_value_as_the_fit_does(parametric):
    X = np.random.default_rng(0).normal(size=(60, 1)) + np.random.default_rng(1).normal(
        size=(60, 4)
    )
    X[5], X[7, 2] = np.nan, np.nan
    model = FactorAnalysis(missing="fiml", n_starts=1)
    with pytest.warns(FitWarning, match="without any value"):
        model.fit(X)
    found = bootstrap_errors(model, X, n_replicates=3, parametric=parametric)
    assert np.isfinite(found.loadings).all()
