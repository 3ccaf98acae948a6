"""Rotations against R, their gradients against differences, and the algebra they must keep.

The table below was printed by R 4.2.2 with GPArotation 2022.10-2, from the loadings A in the
line ``start`` (Holzinger and Swineford's nine tests, three factors by maximum likelihood), with
e <- 1e-8 and m <- 3000: a name, the criterion (none from stats) and the loadings by row.

    Varimax(A, eps=e, maxit=m); quartimax(A, eps=e, maxit=m); cfT(A, kappa=k/(2*p), eps=e, maxit=m)
    geominT(A, delta=.01, eps=e, maxit=m); quartimin(A, eps=e, maxit=m)
    oblimin(A, normalize=TRUE, eps=1e-8, maxit=m); oblimin(A, gam=-0.5, eps=e, maxit=m)
    geominQ(A, delta=.01, eps=e, maxit=m); stats::varimax(A, eps=1e-15)
    stats::promax(stats::varimax(A, eps=1e-15)$loadings, m=4)
"""

import json
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import ortho_group

from latentia.errors import InputError
from latentia.models.linear import criteria
from latentia.models.linear.criteria import Constants, search_for
from latentia.models.linear.rotation import METHODS, Rotation, align, order, rotate

HOLZINGER = """
start 0 0.488047073 0.313524305 0.388567243 0.244472743 0.173129596 0.401899786 0.272438843
 0.407055281 0.466163829 0.834522318 -0.152809196 -0.032075050 0.839042999 -0.209096878
 -0.096995055 0.823369085 -0.128821502 0.015892572 0.228781299 0.484530594 -0.458999601 0.269711752
 0.621728926 -0.268624534 0.376472944 0.560757057 0.023935884
Varimax -0.380043245120 0.320222 0.130102 0.606633 0.135345 -0.040870 0.480911 0.079546 0.113333
 0.661856 0.837936 0.076661 0.113106 0.866683 0.070310 0.032256 0.815060 0.065754 0.161670 0.101869
 0.695354 -0.062429 0.077607 0.703573 0.174394 0.169857 0.510630 0.408851
quartimax -0.619455802219 0.352564 0.124389 0.589659 0.157518 -0.042325 0.473984 0.114514 0.113999
 0.656595 0.844120 0.055706 0.071868 0.868727 0.048289 -0.010246 0.823367 0.045588 0.121544
 0.116271 0.692262 -0.071035 0.103782 0.702076 0.166639 0.202426 0.507812 0.397372
equamax 0.326315904340 0.305442 0.133723 0.613429 0.125263 -0.039308 0.483765 0.063818 0.114286
 0.663394 0.834365 0.085984 0.131337 0.864938 0.079943 0.051136 0.810557 0.074829 0.179394 0.095474
 0.696436 -0.060440 0.065960 0.704412 0.175795 0.155210 0.512533 0.412277
geominT 0.613332384421 0.315368 0.053152 0.620637 0.129631 -0.099166 0.473947 0.073914 0.033425
 0.671301 0.837605 0.050856 0.128991 0.867132 0.053666 0.048222 0.814069 0.034631 0.175719 0.111614
 0.696344 0.020953 0.084922 0.676950 0.256861 0.172121 0.456435 0.467755
oblimin_gam0 0.038118881760 0.191035 0.030936 0.602040 0.043689 -0.116624 0.505430 -0.069495
 0.023070 0.689324 0.840473 0.005308 0.021761 0.888208 0.007558 -0.067434 0.807562 -0.010931
 0.077506 0.043589 0.723098 -0.151594 -0.032673 0.701502 0.104231 0.034825 0.463174 0.366063
oblimin_gam0_normalize 0.175363984810 0.182440 0.067904 0.594480 0.035854 -0.086391 0.502281
 -0.079360 0.064740 0.681239 0.840089 0.008423 0.020518 0.889119 0.005383 -0.067785 0.806303
 -0.004574 0.076028 0.048981 0.716832 -0.165546 -0.031069 0.710477 0.087981 0.031577 0.487212
 0.351971
oblimin_negative 0.231018152705 0.221332 0.049745 0.593709 0.065697 -0.101249 0.493578 -0.033023
 0.040234 0.674368 0.835458 0.018942 0.036517 0.878341 0.019523 -0.049946 0.805154 0.003844
 0.090212 0.057314 0.712594 -0.133695 -0.005943 0.696879 0.115088 0.067255 0.468967 0.368142
geominQ 0.459259734562 0.187771 0.028821 0.604153 0.043639 -0.119168 0.506564 -0.072594 0.019862
 0.690957 0.839063 0.007403 0.024037 0.887049 0.010185 -0.065256 0.806261 -0.009225 0.079800
 0.031358 0.726257 -0.150174 -0.045446 0.703241 0.106054 0.025105 0.463130 0.368175
stats_varimax_normalized nan 0.277003 0.151506 0.622725 0.104525 -0.026608 0.489521 0.033661
 0.130363 0.662645 0.826880 0.098905 0.165210 0.860976 0.091373 0.086570 0.801127 0.088584 0.212443
 0.090442 0.695935 -0.072705 0.050596 0.709026 0.161778 0.131556 0.523747 0.406368
stats_promax_m4 nan 0.145652 0.008793 0.623908 0.006852 -0.136490 0.528236 -0.122088 -0.001571
 0.716117 0.841002 0.002088 0.018333 0.895587 0.007471 -0.074662 0.803964 -0.016268 0.076871
 0.047195 0.736713 -0.177401 -0.048386 0.705779 0.089434 0.002111 0.455003 0.367692
"""

CALLS = {
    "Varimax": ("varimax", False),
    "quartimax": ("quartimax", False),
    "equamax": ("equamax", False),
    "geominT": ("geomin_orthogonal", False),
    "oblimin_gam0": ("quartimin", False),
    "oblimin_gam0_normalize": ("oblimin", True),
    "oblimin_negative": ("oblimin", False),
    "geominQ": ("geomin", False),
    "stats_varimax_normalized": ("varimax", True),
    "stats_promax_m4": ("promax", True),
}
OBLIQUE = METHODS[6:]
SIMPLE = [method for method in METHODS if "bifactor" not in method]
CLEAN = np.kron(np.eye(3), np.array([[0.9], [0.8], [0.7], [0.6]]))


def parsed(table):
    rows = (row.split() for row in table.strip().replace("\n ", " ").splitlines())
    return {name: (float(f), np.array(L, float).reshape(-1, 3)) for name, f, *L in rows}


def noisy(seed=0, p=12, k=3):
    rng = np.random.default_rng(seed)
    structure = np.kron(np.eye(k), np.ones((-(-p // k), 1)))[:p] * rng.uniform(0.5, 0.9, (p, 1))
    return structure + rng.normal(scale=0.1, size=(p, k))


@pytest.mark.parametrize("r_name", CALLS)
def test_agrees_with_r(r_name):
    value, expected = parsed(HOLZINGER)[r_name]
    method, kaiser = CALLS[r_name]
    gamma = -0.5 if r_name == "oblimin_negative" else 0.0
    ours = rotate(parsed(HOLZINGER)["start"][1], method, kaiser=kaiser, gamma=gamma)
    assert ours.converged
    np.testing.assert_allclose(ours.loadings @ align(ours.loadings, expected), expected, atol=5e-6)
    if r_name.startswith("stats"):
        # Varimax of Kaiser's rows, from R's loadings; promax begins with it.
        L = parsed(HOLZINGER)["stats_varimax_normalized"][1]
        squares = L**2 / (L**2).sum(axis=1, keepdims=True)
        assert np.isnan(value)
        assert ours.criterion == pytest.approx(-len(L) * squares.var(axis=0).sum() / 4, abs=1e-6)
    else:
        assert value - 1e-9 <= ours.criterion <= value + 2e-12


def digits(difference):
    return f"{-np.log10(max(difference, 1e-16)):.1f}"


@pytest.mark.skipif("LATENTIA_REFERENCE" not in os.environ, reason="R's results are not at hand")
@pytest.mark.parametrize("r_name", sorted(set(CALLS) - {"equamax", "oblimin_negative"}))
def test_is_never_worse_than_r_on_every_stored_problem(r_name):
    method, kaiser = CALLS[r_name]
    folder = Path(os.environ["LATENTIA_REFERENCE"], "factor_analysis")
    for path in sorted(folder.glob("*_reference.json")):
        problems = json.loads(path.read_text())
        for k, stored in problems["rotations"].items() if "rotations" in problems else ():
            ours = rotate(stored["start_loadings"]["values"], method, kaiser=kaiser)
            expected = np.array(stored[r_name]["loadings"]["values"])
            apart = np.abs(ours.loadings @ align(ours.loadings, expected) - expected).max()
            value = stored[r_name].get("f", ours.criterion)
            print(f"{path.stem} {k} {r_name}: loadings {digits(apart)} digits,", end=" ")
            print(f"criterion {digits(abs(ours.criterion - value))}")
            assert ours.converged
            assert ours.criterion <= value + 1e-8
            assert apart < 1e-4 or ours.criterion < value - 1e-6


SLOPES = (criteria.quartimax, criteria.varimax, criteria.crawford_ferguson(0.3))
SLOPES += (criteria.oblimin(0), criteria.oblimin(-0.7), criteria.geomin(0.01))


@pytest.mark.parametrize("criterion", SLOPES)
def test_slopes_agree_with_differences(criterion):
    def part(flat, which):
        return np.ravel(criterion(flat.reshape(12, 3))[which]).squeeze()

    value, slope = partial(part, which=0), partial(part, which=1)
    assert check_grad(value, slope, noisy().ravel()) < 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_projected_gradients_agree_with_differences_on_the_constraint(method):
    search = search_for(noisy(), method, Constants(-0.3))
    point = search.at(search.retract(np.eye(3) + 0.3 * ortho_group.rvs(3, random_state=1)))
    direction = search.project(point.T, np.random.default_rng(2).normal(size=(3, 3)))
    ahead, behind = (search.at(search.retract(point.T + h * direction)) for h in (1e-5, -1e-5))
    slope = (ahead.value - behind.value) / 2e-5
    assert slope == pytest.approx((point.gradient * direction).sum(), rel=1e-6)


@pytest.mark.parametrize("kaiser", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_the_fit_is_kept_and_the_constraint_met(method, kaiser):
    A = noisy()
    for found in (rotation := rotate(A, method, kaiser=kaiser), order(rotation)):
        L, phi, T = found.loadings, found.factor_correlations, found.matrix
        np.testing.assert_allclose(L @ phi @ L.T, A @ A.T, atol=1e-12)
        np.testing.assert_allclose(L, A @ np.linalg.inv(T).T, atol=1e-12)
        np.testing.assert_allclose(T.T @ T, phi, atol=1e-12)
        np.testing.assert_allclose(np.diag(phi), 1, atol=1e-12)
        assert (method in OBLIQUE) == (np.abs(phi - np.eye(3)).max() > 1e-3)
    shares = np.diag(phi @ L.T @ L)
    assert (np.diff(shares) <= 0).all()
    assert (L.sum(axis=0) >= 0).all()


@pytest.mark.parametrize("method", SIMPLE)
def test_a_hidden_simple_structure_is_found(method):
    hidden = CLEAN @ ortho_group.rvs(3, random_state=3)
    found = rotate(hidden, method, kaiser=True, delta=1e-6, n_starts=5, random_state=0)
    atol = 1e-3 if method.startswith("geomin") else 1e-7
    np.testing.assert_allclose(found.loadings @ align(found.loadings, CLEAN), CLEAN, atol=atol)


@pytest.mark.parametrize("method", SIMPLE)
def test_a_structure_turned_by_45_degrees_is_no_trap(method):
    clean = np.kron(np.eye(2), np.ones((3, 1)))
    found = rotate(clean @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2), method, kaiser=False)
    np.testing.assert_allclose(found.loadings @ align(found.loadings, clean), clean, atol=1e-6)


@pytest.mark.parametrize("method", SIMPLE)
def test_signs_and_order_of_the_columns_do_not_matter(method):
    A = noisy(seed=4)
    P = np.array([[0, -1, 0], [0, 0, 1], [-1, 0, 0]])
    here, there = (order(rotate(start, method, kaiser=False)) for start in (A, A @ P))
    assert here.criterion == pytest.approx(there.criterion, abs=1e-12)
    np.testing.assert_allclose(here.loadings, there.loadings, atol=1e-7)


def test_factors_are_ordered_by_what_they_explain_with_their_correlations():
    L = np.kron(np.eye(3), [[0.6], [0.5]]) * [1.1, 1.05, 1.0]
    L[0, 1] = L[3, 2] = 0.3
    T = np.linalg.cholesky([[1, -0.3, 0.1], [-0.3, 1, 0.6], [0.1, 0.6, 1]]).T
    phi = T.T @ T
    found = order(
        Rotation(
            L * [-1, 1, 1], phi * np.outer([-1, 1, 1], [-1, 1, 1]), T * [-1, 1, 1], 0.5, True, 2
        )
    )
    shares = np.diag(phi @ L.T @ L)
    by_shares = np.argsort(-shares)
    assert list(by_shares) != list(np.argsort(-np.diag(L.T @ L)))
    np.testing.assert_allclose(found.loadings, L[:, by_shares])
    np.testing.assert_allclose(found.factor_correlations, phi[np.ix_(by_shares, by_shares)])
    np.testing.assert_allclose(found.matrix, T[:, by_shares])
    assert (found.criterion, found.converged, found.n_optima) == (0.5, True, 2)


@pytest.mark.parametrize("power", [2.0, 4.0, 6.0])
def test_promax_regresses_the_power_of_varimax_loadings_on_them(power):
    A = noisy()
    L = rotate(A, "varimax", kaiser=True).loadings
    U = np.linalg.lstsq(L, L * np.abs(L) ** (power - 1))[0]
    U *= np.sqrt(np.diag(np.linalg.inv(U.T @ U)))
    found = rotate(A, "promax", kaiser=True, power=power)
    np.testing.assert_allclose(found.loadings, L @ U, atol=1e-8)


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_the_descent_of_each_start_takes_at_most_max_iter_steps(max_iter, monkeypatch):
    steps, along = [], criteria.Search.along
    monkeypatch.setattr(criteria, "NEWTON_STEPS", 0)
    monkeypatch.setattr(criteria.Search, "along", lambda *given: steps.append(1) or along(*given))
    loadings = np.random.default_rng(3).normal(size=(9, 3))
    rotate(loadings, "varimax", kaiser=False, n_starts=4, random_state=0, max_iter=max_iter)
    assert len(steps) == 4 * max_iter


def test_a_search_ends_by_its_tolerance():
    A = noisy()
    assert rotate(A, "geomin", kaiser=False).converged
    assert not rotate(A, "geomin", kaiser=False, tolerance=1e-30).converged


@pytest.mark.parametrize(("method", "name"), [("oblimin", "gamma"), ("geomin", "delta")])
def test_parameters_of_a_criterion_reach_it(method, name):
    made = {"gamma": criteria.oblimin, "delta": criteria.geomin}[name]
    for value in {"gamma": (-0.5, 0.0, 0.2), "delta": (0.001, 0.01, 0.1)}[name]:
        found = rotate(noisy(), method, kaiser=False, **{name: value})
        assert found.criterion == pytest.approx(made(value)(found.loadings)[0], rel=1e-12)


def test_starts_repeat_under_a_seed_and_differ_between_seeds():
    A = np.random.default_rng(1).normal(size=(10, 4))
    many = [
        [rotate(A, "geomin", kaiser=False, n_starts=2, random_state=seed) for seed in range(6)]
        for _ in range(2)
    ]
    for one, again in zip(*many):
        np.testing.assert_array_equal(one.loadings, again.loadings)
    assert np.ptp([one.criterion for one in many[0]]) > 1e-3


def test_more_starts_find_better_optima_and_count_them():
    A = np.random.default_rng(5).normal(size=(10, 4))
    one = rotate(A, "geomin", kaiser=False)
    many = rotate(A, "geomin", kaiser=False, n_starts=10, random_state=0)
    again = rotate(A, "geomin", kaiser=False, n_starts=10, random_state=0)
    assert one.n_optima == 1 < many.n_optima
    assert many.criterion <= one.criterion
    np.testing.assert_array_equal(many.loadings, again.loadings)


@pytest.mark.parametrize("method", SIMPLE)
def test_scale_rows_of_zeros_and_one_factor(method):
    A = np.vstack([noisy(), np.zeros(3)])
    small, large = (rotate(c * A, method, kaiser=True).loadings / c for c in (1e-5, 1e5))
    np.testing.assert_allclose(small, large, atol=1e-8)
    assert not small[-1].any()
    single = rotate(-A[:, :1], method, kaiser=False)
    np.testing.assert_allclose(single.loadings, -A[:, :1], atol=1e-15)
    assert order(single).matrix[0, 0] == pytest.approx(-1)


def test_a_criterion_without_a_minimum_is_said_not_to_converge():
    assert not rotate(noisy(), "oblimin", kaiser=False, gamma=1.0).converged


def test_align_finds_a_signed_permutation_or_names_the_shapes():
    P = np.array([[0.0, -1, 0], [0, 0, 1], [-1, 0, 0]])
    np.testing.assert_array_equal(align(noisy(), noisy() @ P), P)
    with pytest.raises(InputError, match="cannot be aligned"):
        align(noisy(), noisy(p=6))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "varimacks"}, "did you mean 'varimax'"),
        ({"loadings": np.ones((2, 3))}, "shape"),
        ({"loadings": [[np.nan], [1.0]]}, "finite"),
        ({"loadings": np.ones((4, 2)), "method": "promax"}, "rank 1"),
        ({"n_starts": 0}, "n_starts is 0"),
        ({"delta": 0.0}, "delta is 0.0"),
        ({"gamma": 2.0}, "gamma is 2.0"),
        ({"power": 1.0}, "power is 1.0"),
    ],
)
def test_wrong_input_is_named(arguments, words):
    with pytest.raises(InputError, match=words):
        rotate(**({"loadings": noisy(), "method": "varimax", "kaiser": False} | arguments))


# GPArotation 2022.10-2 from the same loadings, the best of several starts (Tmat=Random.Start(3),
# eps=1e-7): bifactorT(A), bifactorQ(A), cfT(A, kappa=.3), cfQ(A, kappa=.3), targetT(A, Target=B),
# targetQ(A, Target=B) with B = BLOCKS, and "partial" with its ones NA; geominQ(A, delta=.05);
# stats::promax(varimax(A, eps=1e-15)$loadings, m=3)
MORE = """
bifactorT 0.00625853354495 -0.676284 0.124324 0.121058 -0.447570 -0.001996 0.225701 -0.648110
 -0.119719 0.151149 -0.373653 0.762344 -0.004623 -0.308551 0.813068 -0.028958 -0.405611 0.727815
 0.023433 -0.234880 0.053487 -0.663146 -0.439251 -0.036888 -0.580645 -0.600460 0.002520 -0.310153
bifactorQ 0.00296854147097 -0.667559 -0.201614 0.014998 -0.484398 -0.060002 -0.124078 -0.674778
 0.044134 0.005721 -0.274037 -0.803012 0.003404 -0.199796 -0.845630 0.007633 -0.315230 -0.773660
 -0.013468 -0.070555 -0.025789 0.697438 -0.297205 0.038319 0.670693 -0.510096 -0.038268 0.435633
cfT 0.511594591245 -0.625875 -0.143661 -0.274070 -0.489179 0.034082 -0.103957 -0.664925 -0.118931
 -0.030925 -0.168597 -0.105729 -0.825351 -0.089904 -0.100002 -0.859674 -0.215587 -0.094264
 -0.799638 0.060135 -0.698141 -0.082304 -0.174464 -0.706582 -0.041886 -0.415881 -0.517948
 -0.124602
cfQ 0.41224916335 -0.623876 -0.146829 0.073190 -0.511108 -0.015078 -0.089676 -0.681839 0.105835
 0.051611 -0.116616 -0.798212 0.064097 -0.032743 -0.848659 0.065332 -0.168742 -0.764048 0.048227
 0.149392 -0.035795 0.721372 -0.098068 0.050899 0.706795 -0.368551 -0.003114 0.484871
targetTpartial 0.447353386115 -0.602078 -0.305956 0.177102 -0.485540 -0.124502 -0.003758 -0.652998
 -0.064138 0.163417 -0.125751 -0.834913 0.088957 -0.046280 -0.865509 0.076649 -0.174476 -0.810973
 0.081645 0.112575 -0.101159 0.689119 -0.122343 -0.071495 0.715102 -0.372740 -0.158976 0.540874
targetQpartial 0.2208459175 -0.589262 -0.173858 0.075234 -0.510484 -0.031608 -0.084284 -0.676241
 0.088910 0.072942 -0.020298 -0.839632 0.008332 0.067806 -0.889787 0.004359 -0.076997 -0.805450
 -0.004509 0.228934 -0.036013 0.736020 -0.025389 0.046954 0.731868 -0.309405 -0.017170 0.504536
targetT 1.45348388192 0.609757 0.282343 0.189607 0.489537 0.107691 0.004510 0.652522 0.039136
 0.172942 0.153133 0.828677 0.103206 0.074935 0.862178 0.090316 0.201102 0.803177 0.096174
 -0.118440 0.094886 0.689028 0.114943 0.056746 0.717648 0.370556 0.138064 0.548070
targetQ 1.00132049299 0.677921 0.055861 -0.021799 0.625853 -0.055788 -0.186502 0.800030 -0.243496
 -0.018813 -0.033609 0.896191 -0.057679 -0.141555 0.968459 -0.051637 0.039138 0.850069 -0.079626
 -0.426983 -0.031382 0.905336 -0.116324 -0.171152 0.864703 0.265709 -0.123715 0.544043
geominQ05 1.09962257917 -0.600202 -0.195200 0.045486 -0.500796 -0.047911 -0.105344 -0.683140
 0.062847 0.036531 -0.033163 -0.835177 0.015168 0.054647 -0.881799 0.016096 -0.087845 -0.802977
 -0.000241 0.142227 -0.042128 0.718551 -0.110295 0.031343 0.701464 -0.368481 -0.038003 0.469947
promax3 nan 0.153735 0.024512 0.618090 0.014291 -0.122497 0.518546 -0.111058 0.015870 0.704942
 0.836147 0.004504 0.030492 0.889068 0.007678 -0.060373 0.800161 -0.012370 0.087333 0.044942
 0.727529 -0.158762 -0.046248 0.703178 0.102530 0.007741 0.461075 0.372577
"""
BLOCKS = np.kron(np.eye(3), np.ones((3, 1)))
FREE = np.where(BLOCKS == 1, np.nan, 0)
MORE_CALLS = {
    "bifactorT": ("bifactor_orthogonal", {}),
    "bifactorQ": ("bifactor", {}),
    "cfT": ("crawford_ferguson_orthogonal", {"kappa": 0.3}),
    "cfQ": ("crawford_ferguson", {"kappa": 0.3}),
    "targetT": ("target_orthogonal", {"target": BLOCKS}),
    "targetQ": ("target", {"target": BLOCKS}),
    "targetTpartial": ("target_orthogonal", {"target": FREE}),
    "targetQpartial": ("target", {"target": FREE}),
    "geominQ05": ("geomin", {"delta": 0.05}),
    "promax3": ("promax", {"power": 3.0}),
}


@pytest.mark.parametrize("r_name", MORE_CALLS)
def test_criteria_with_constants_and_targets_agree_with_r(r_name):
    value, expected = parsed(MORE)[r_name]
    method, constants = MORE_CALLS[r_name]
    A, kaiser = parsed(HOLZINGER)["start"][1], method == "promax"
    ours = rotate(A, method, kaiser=kaiser, n_starts=4, random_state=0, **constants)
    assert ours.converged
    # R's oblique bifactor search stops at 1e-5.
    apart = 5e-5 if r_name == "bifactorQ" else 5e-6
    L = ours.loadings @ align(ours.loadings, expected)
    np.testing.assert_allclose(L, expected, atol=apart)
    if method != "promax":
        # R leaves the factor ¼ out of the bifactor criterion.
        ours_in_r = ours.criterion * (4 if "bifactor" in method else 1)
        assert value - 1e-9 <= ours_in_r <= value + 2e-11
    assert ours.minima == (4, ours.n_at_best, ours.n_optima)


def test_kappa_by_default_is_that_of_varimax():
    A = noisy()
    ours = rotate(A, "crawford_ferguson_orthogonal", kaiser=False).loadings
    np.testing.assert_allclose(ours, rotate(A, "varimax", kaiser=False).loadings, atol=1e-8)
    other = rotate(A, "crawford_ferguson_orthogonal", kaiser=False, kappa=1.0).loadings
    assert np.abs(ours - other).max() > 1e-3


def test_a_hidden_bifactor_structure_is_found_with_the_general_factor_first():
    groups = np.kron(np.eye(3), [[0.5], [0.4], [0.6], [0.5]])
    hidden = np.c_[np.full(12, 0.6), groups]
    turned = hidden @ ortho_group.rvs(4, random_state=5)
    found = rotate(turned, "bifactor_orthogonal", kaiser=False, n_starts=20, random_state=0)
    L = order(found, 1).loadings
    np.testing.assert_allclose(L[:, 0], 0.6, atol=1e-6)
    np.testing.assert_allclose(L[:, 1:] @ align(L[:, 1:], groups), groups, atol=1e-6)


def test_starts_are_counted_by_the_minimum_where_they_end():
    A = np.random.default_rng(9).normal(size=(10, 4))
    found = rotate(A, "geomin", kaiser=False, n_starts=20, random_state=0)
    assert found.n_optima > 1
    assert 1 <= found.n_at_best < found.n_starts == 20
    calm = rotate(noisy(), "quartimin", kaiser=False, n_starts=6, random_state=0)
    assert calm.minima == (6, 6, 1)


TARGET_MISTAKES = [
    ({"method": "target"}, "method is 'target', and no target is given"),
    ({"method": "geomin", "target": BLOCKS}, "and a target is given: methods target_ortho"),
    ({"method": "target", "target": BLOCKS.T}, r"target has shape \(3, 9\); it must be \(9, 3\)"),
    ({"method": "target", "target": np.full((9, 3), np.nan)}, "NaN where a loading is free"),
    ({"method": "target", "target": BLOCKS, "kaiser": True}, "a target is of the loadings as the"),
    ({"method": "crawford_ferguson", "kappa": 2.0}, "kappa is 2.0; it must be at least 0 and"),
]


@pytest.mark.parametrize(("arguments", "sentence"), TARGET_MISTAKES)
def test_targets_and_constants_are_checked(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        rotate(parsed(HOLZINGER)["start"][1], **({"kaiser": False} | arguments))


@pytest.mark.parametrize(("slope", "ends"), [(-1.0, 0.25), (0.0, 1.0), (1.0, 1.0)])
def test_a_step_is_halved_until_the_value_falls_enough(slope, ends):
    """Armijo's rule: by 1e-4 of what the slope promises, and of none where it rises."""
    falls = {1.0: 0.5e-4, 0.5: 0.4e-4, 0.25: 0.3e-4}

    def at(T):
        return criteria.Point(T, -falls[float(T[0, 0])], np.zeros((1, 1)))

    line = SimpleNamespace(at=at, retract=lambda T: T, size=0.0)
    start = criteria.Point(np.zeros((1, 1)), 0.0, np.full((1, 1), slope))
    found = criteria.Search.along(line, start, np.ones((1, 1)), 1.0)
    assert ends == found.T
