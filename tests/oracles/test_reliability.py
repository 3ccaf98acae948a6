"""Reliability against R's psych and lavaan, a certificate for the greatest lower bound, algebra.

The numbers were printed by R 4.2.2 with psych 2.2.9, lavaan 0.6-14 and GPArotation 2022.10-2, from
R's ``attitude`` and the correlations in ``r_reference.json``; each stands below its call.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas
import pytest
from scipy import linalg

from latentia.errors import InputError
from latentia.models.factors.hierarchical import omega, schmid_leiman, usual_groups
from latentia.models.factors.reliability import (
    greatest_lower_bound,
    reliability,
    reliability_of_covariance,
)
from latentia.models.factors.reliability_summary import MEANT, overview
from tests.oracles.made_answers import ANSWERS, ANSWERS_WITH_GAPS

PROBLEMS = json.loads(Path(__file__).with_name("r_reference.json").read_text())
ATTITUDE = pandas.DataFrame(
    PROBLEMS["attitude"]["scores"]["rows"], columns=PROBLEMS["attitude"]["variables"]
)
HOLZINGER = np.array(PROBLEMS["holzinger_swineford"]["correlation"])
BFI = pandas.DataFrame(
    PROBLEMS["bfi_complete"]["correlation"], columns=PROBLEMS["bfi_complete"]["variables"]
)

# a <- alpha(attitude): a$total, unlist(a$feldt), then columns of a$alpha.drop and a$item.stats
TOTAL = {
    "alpha": 0.84314276956476,
    "standardized_alpha": 0.83908380302951,
    "guttman_6": 0.87521513736035,
    "mean_correlation": 0.42690664264972,
    "median_correlation": 0.44547793807225,
    "alpha_low": 0.73937568564311,
    "alpha_high": 0.91577307215998,
    # f <- cfa("f =~ rating + ... + advance", attitude, std.lv=TRUE, control=list(rel.tol=1e-15)):
    # with l <- sum(lambda) and u <- sum(diag(theta)), l^2/(l^2 + u)
    "omega_one_factor": 0.85632677930349,
}
DROPPED = [0.80976020630892, 0.79691745727414, 0.82784776593866, 0.80303097502257,
           0.79538657419821, 0.86387231144644, 0.84046486826546]  # fmt: skip
REST = [0.67126205722366, 0.74210971022224, 0.56071111148026, 0.71444549813368,
        0.78627559383440, 0.26503433919668, 0.46081054946850]  # fmt: skip
DEVIATIONS = [12.1725619475859, 13.3147571746799, 12.2354299935244, 11.7370128765529,
              10.3972255361983, 9.8949075489516, 10.2887060053424]  # fmt: skip

# x <- attitude; x[2,1] <- x[5,3] <- x[9,3] <- x[30,7] <- NA; x$critical <- 100 - x$critical
# b <- alpha(x, keys="critical"); alpha.ci(b$total$raw_alpha, 27, 7, p.val=.1)
GAPS = {
    "alpha": 0.84531847572663,
    "standardized_alpha": 0.84153335060022,
    "guttman_6": 0.8790333940899,
    "alpha_low": 0.75764607452210,
    "alpha_high": 0.91088663682480,
}
GAPS_DROPPED = [0.81097919141883, 0.80086860695323, 0.83229460211207, 0.80664260552801,
                0.79858065777285, 0.86726904838983, 0.83803867544181]  # fmt: skip
GAPS_REST = [0.68249134070092, 0.73890378040047, 0.54982116272084, 0.71210963755587,
             0.78715249692188, 0.25598738938294, 0.50081267732786]  # fmt: skip
GAPS_MEANS = [64.689655172414, 66.6, 52.357142857143, 56.366666666667, 64.633333333333,
              72.766666666667, 43.068965517241]  # fmt: skip

# f <- factanal(covmat=R, n.obs=301, factors=3, rotation="none", control=list(nstart=20, lower=.005,
#   opt=list(factr=10, pgtol=1e-9))); o <- oblimin(loadings(f), eps=1e-10); P <- o$Phi
# g <- sqrt(c(P[1,2]*P[1,3]/P[2,3], P[1,2]*P[2,3]/P[1,3], P[1,3]*P[2,3]/P[1,2])); then the lines of
# psych's schmid and omegah: hierarchical, total, limit, ECV, and omega.group sorted by total
HIERARCHY = [0.45311831643976, 0.85072811515045, 0.53262412323075, 0.30006754354818]
GROUPS = [[0.65255207471008, 0.28128917991617, 0.37126289479392],
          [0.71637604852578, 0.18992679394860, 0.52644925457718],
          [0.88687796355752, 0.23677262536357, 0.65010533819395]]  # fmt: skip
GENERAL = [0.49478412738191, 0.29535813394764, 0.41412085359874, 0.44525852176134,
           0.41367278615694, 0.45713933074622, 0.23206113520212, 0.34719870748039,
           0.44769329823670]  # fmt: skip
# m <- omega(R, 3, fm=...): omega_h, omega.tot, omega.lim, ECV; psych's searches stop near 1e-6
PSYCH = {
    ("ml", 3): [0.453116758663, 0.850728099685, 0.532622301803, 0.300066589020],
    ("minres", 3): [0.449242434071, 0.850835073357, 0.528001781001, 0.297265646965],
    ("minres", 2): [0.415240681329, 0.816690565382],
}
PSYCH_ONE = 0.770698283744
# k: -1 for A1 C4 C5 E1 E2 N1 to N5 O2 O5, else 1; omega(bfi, 5, key=k), its group factors by total
REVERSED = ["A1", "C4", "C5", "E1", "E2", "N1", "N2", "N3", "N4", "N5", "O2", "O5"]
PSYCH_BFI = [0.462421500572, 0.877885546661, 0.526744633547, 0.245385319954]
PSYCH_BFI_GROUPS = [0.640848175817, 0.719593521876, 0.727985754869, 0.752448221543, 0.792366333823]


def with_gaps():
    frame = ATTITUDE.copy()
    frame.iloc[1, 0] = frame.iloc[4, 2] = frame.iloc[8, 2] = frame.iloc[29, 6] = np.nan
    return frame.assign(critical=100 - frame["critical"])


def test_alpha_and_its_items_are_psychs():
    found = reliability(ATTITUDE)
    for name, value in TOTAL.items():
        tolerance = 1e-7 if name == "omega_one_factor" else 1e-12
        assert getattr(found, name) == pytest.approx(value, abs=tolerance), name
    np.testing.assert_allclose(found.items.alpha_if_dropped, DROPPED, atol=1e-12)
    np.testing.assert_allclose(found.items.item_rest, REST, atol=1e-12)
    np.testing.assert_allclose(found.items.deviation, DEVIATIONS, atol=1e-12)
    assert (found.against, found.reversed, found.n_samples) == ((), (), 30)


@pytest.mark.parametrize("how", [{"reverse": ["critical"]}, {"reverse_found": True}])
def test_gaps_and_a_reversed_item_are_as_psychs(how):
    found = reliability(with_gaps(), level=0.9, n_factors=1, **how)
    for name, value in GAPS.items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name
    np.testing.assert_allclose(found.items.alpha_if_dropped, GAPS_DROPPED, atol=1e-12)
    np.testing.assert_allclose(found.items.item_rest, GAPS_REST, atol=1e-12)
    assert found.items.n.tolist() == [29, 30, 28, 30, 30, 30, 29]
    assert "4 cells in 4 of 30 rows are empty: a covariance uses the rows" in found.notes[0]
    assert (found.reversed, found.against) == (("critical",), ())
    # psych too turns round by the largest and the least number of all items
    np.testing.assert_allclose(found.items.mean, GAPS_MEANS, rtol=1e-12)


def test_an_item_that_runs_against_the_others_is_named_and_left():
    frame = with_gaps()
    found = reliability(frame, n_factors=1)
    assert found.against == ("critical",)
    assert found.alpha == pytest.approx(0.782107076736, abs=1e-10)
    [said] = [note for note in found.notes if "run against" in note]
    assert "critical; with these reversed, α would be 0.85 and not 0.78" in said
    assert "critical (against)" in str(found)
    assert reliability(frame, reverse=["critical"], n_factors=1).against == ()


def test_complete_rows_are_those_without_gaps():
    found = reliability(with_gaps(), missing="complete", n_factors=1)
    whole = with_gaps().dropna()
    assert found.alpha == pytest.approx(reliability(whole, n_factors=1).alpha, abs=1e-12)
    assert found.n_samples == len(whole) == 26
    assert found.notes[0].endswith("the 26 complete rows are used")
    assert found.alpha != pytest.approx(reliability(with_gaps(), n_factors=1).alpha, abs=1e-3)


def test_a_matrix_gives_what_its_rows_give():
    rows, S = reliability(ATTITUDE, n_factors=1), ATTITUDE.cov()
    found = reliability_of_covariance(S, 30, n_factors=1)
    for name in TOTAL:
        assert getattr(found, name) == pytest.approx(getattr(rows, name), abs=1e-12)
    unknown = reliability_of_covariance(S, n_factors=1)
    assert unknown.alpha == pytest.approx(rows.alpha, abs=1e-12)
    assert np.isnan([unknown.alpha_low, unknown.alpha_high]).all()
    assert "α has no interval" in unknown.notes[0]
    assert "n unknown" in str(unknown)


def test_omega_hierarchical_is_that_of_a_tight_solution_in_r():
    found = omega(HOLZINGER, 3, "ml")
    ours = found.hierarchical, found.total, found.asymptotic, found.explained_common_variance
    np.testing.assert_allclose(ours, HIERARCHY, atol=1e-8)
    order = np.argsort(found.group_total)
    parts = np.c_[found.group_total, found.group_general, found.group_specific][order]
    np.testing.assert_allclose(parts, GROUPS, atol=5e-7)
    np.testing.assert_allclose(found.solution.general, GENERAL, atol=5e-7)


@pytest.mark.parametrize(("method", "k"), PSYCH)
def test_omega_is_psychs(method, k):
    found = omega(HOLZINGER, k, method)
    ours = found.hierarchical, found.total, found.asymptotic, found.explained_common_variance
    theirs = PSYCH[method, k]
    # psych's own searches stop between 1e-6 and 1e-5.
    np.testing.assert_allclose(ours[: len(theirs)], theirs, atol=1e-5)
    assert any("convention" in note for note in found.notes) == (k == 2)


def test_omega_of_one_factor_is_total_alone():
    found = omega(HOLZINGER, 1)
    assert found.total == pytest.approx(PSYCH_ONE, abs=1e-6)
    assert np.isnan([found.hierarchical, found.asymptotic, found.explained_common_variance]).all()
    assert found.solution is None


def test_five_traits_keyed_are_psychs():
    sign = np.where(np.isin(BFI.columns, REVERSED), -1, 1)
    found = omega(BFI.to_numpy() * np.outer(sign, sign), 5)
    ours = found.hierarchical, found.total, found.asymptotic, found.explained_common_variance
    np.testing.assert_allclose(ours, PSYCH_BFI, atol=2e-4)
    np.testing.assert_allclose(np.sort(found.group_total), PSYCH_BFI_GROUPS, atol=2e-4)
    assert "".join(BFI.columns[found.group_of == found.group_of[0]].str[0]) == "AAAAA"


def test_schmid_leiman_keeps_the_correlations_where_one_factor_explains_those_of_factors():
    gamma = np.array([0.8, 0.6, 0.7, 0.5])
    Phi = np.outer(gamma, gamma)
    np.fill_diagonal(Phi, 1)
    L = np.kron(np.eye(4), [[0.8], [0.7], [0.6]]) + 0.05
    found = schmid_leiman(L, Phi)
    np.testing.assert_allclose(found.second_order, gamma, atol=1e-6)
    loadings = np.c_[found.general, found.groups]
    np.testing.assert_allclose(loadings @ loadings.T, L @ Phi @ L.T, atol=1e-6)


@pytest.mark.parametrize("name", ["ability_cov", "attitude", "usarrests", "holzinger_swineford"])
def test_the_greatest_lower_bound_is_proved_by_both_sides(name):
    """Feasible θ bounds it from one side, any X ⪰ 0 with a diagonal of 1 or more from the other."""
    R = np.array(PROBLEMS[name]["correlation"])
    found = greatest_lower_bound(R)
    # an independent solution: the log-barrier path of max Σθ
    theta = _by_barrier(R)
    assert linalg.eigvalsh(R - np.diag(theta))[0] >= 0
    assert found == pytest.approx(1 - theta.sum() / R.sum(), abs=2e-6)
    parts = reliability_of_covariance(R, reverse_found=True, n_factors=1)
    assert parts.greatest_lower_bound >= max(parts.standardized_alpha, parts.guttman_6) - 1e-9


def _by_barrier(R):
    """Maximise Σθ + (log det(R − diag θ) + Σ log θ)/t by Newton's steps, t to 10⁸."""
    theta, t = np.full(len(R), 0.5 * linalg.eigvalsh(R)[0]), 1.0
    while t < 1e8:
        for _ in range(30):
            inverse = linalg.inv(R - np.diag(theta))
            slope = t - np.diag(inverse) + 1 / theta
            step = linalg.solve(inverse**2 + np.diag(1 / theta**2), slope, assume_a="pos")
            size = 1.0
            while (theta + size * step).min() <= 0 or (
                linalg.eigvalsh(R - np.diag(theta + size * step))[0] <= 0
            ):
                size /= 2
            theta = theta + size * step
            if slope @ step < 1e-10:
                break
        t *= 4
    return theta


def test_parallel_items_have_one_reliability():
    R = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
    found = reliability_of_covariance(R, 100)
    expected = 5 * 0.4 / (1 + 4 * 0.4)
    for name in ("alpha", "standardized_alpha", "omega_one_factor", "greatest_lower_bound"):
        assert getattr(found, name) == pytest.approx(expected, abs=1e-6), name


def test_a_page_explains_every_figure_and_escapes_names():
    frame = ATTITUDE.rename(columns={"rating": "<b>rating"})
    page = reliability(frame).to_html()
    assert "<b>rating" not in page
    for name in ("α standardized", "λ₆", "glb", "ω hierarchical", "r rest", "α without"):
        assert f"{name}: " in page
        assert MEANT[name][:20].replace("'", "&#39;") in page
    [row] = overview([reliability(ATTITUDE, n_factors=1)]).rows
    assert row[:6] == ("all items", "7", "30", "0.843", "0.739", "0.916")


def test_each_table_of_a_scale_holds_its_figures_in_their_columns():
    found = reliability(ATTITUDE, n_factors=3)
    omega, items = found.omega, found.items
    figures, *tables = found.part(explained=False).shown
    expected = {
        "ω of subscales": [
            np.bincount(omega.group_of), omega.group_total, omega.group_general,
            omega.group_specific,
        ],
        "Items": [
            items.n, items.mean, items.deviation, items.item_rest, items.alpha_if_dropped,
            items.first_component,
        ],
        "Schmid–Leiman loadings of standardized items": [
            omega.solution.general, *omega.solution.groups.T, omega.uniquenesses,
        ],
    }  # fmt: skip
    assert [table.title for table in tables] == [*expected]
    for table, columns in zip(tables, expected.values(), strict=True):
        cells = np.array([[c.replace("–", "nan") for c in row[1:]] for row in table.rows], float)
        np.testing.assert_allclose(cells, np.transpose(columns), atol=0.0051)
        assert len(table.header) == len(columns) + 1
    assert [row[1] for row in figures.rows[-3:]] == [
        f"{omega.total:.3f}", f"{omega.hierarchical:.3f}, {omega.asymptotic:.3f}",
        f"{omega.explained_common_variance:.3f}",
    ]  # fmt: skip
    one = reliability(ATTITUDE, n_factors=1).part(explained=False).shown
    assert [table.title for table in one] == ["Figures", "Items"]
    assert [table.title for table in found.part().shown][-1] == "What the figures mean"


def test_the_number_of_group_factors_leaves_degrees_of_freedom():
    assert [usual_groups(p) for p in (3, 5, 6, 7, 40)] == [1, 1, 3, 3, 3]


MISTAKES = [
    (lambda: reliability(ATTITUDE, reverse=["ratin"]), "'ratin' is no item .* did you mean 'rati"),
    (lambda: reliability(ATTITUDE[["rating"]]), "all items has 1 item.* at least 2"),
    (lambda: reliability(ATTITUDE.assign(rating="a")), "holds a value that is no number"),
    (lambda: reliability(ATTITUDE, level=1), "level is 1"),
    (lambda: reliability(ATTITUDE, missing="drop"), "missing is 'drop'"),
    (lambda: reliability(ATTITUDE, n_factors=7), "n_factors is 7; ω of 7 items takes fewer"),
    (lambda: reliability([[1, -1], [2, -2], [3, -3]]), "cancel, so that their sum does not vary"),
    (lambda: reliability([[1, np.nan], [2, 1], [np.nan, 2]]), "columns 0 and 1 are observed toge"),
    (lambda: reliability([[1, np.nan], [2, 1], [3, np.nan]], missing="complete"), "fewer than 2"),
    (lambda: schmid_leiman(np.ones((4, 1)), [[1]]), "pattern has shape"),
]


@pytest.mark.parametrize(("call", "sentence"), MISTAKES)
def test_mistakes_are_refused_in_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()


def test_pairs_that_make_no_correlation_matrix_leave_omega_out():
    a, b = np.array([1.0, 2, 3, 4]), np.array([1.1, 1.9, 3.2, 3.9])
    gap = np.full(4, np.nan)
    X = np.vstack([np.c_[a, b, gap], np.c_[a, gap, b], np.c_[gap, a, 6 - 0.4 * b]])
    found = reliability(X)
    assert linalg.eigvalsh(found.correlation)[0] < -1e-3
    assert found.omega is None
    assert np.isnan([found.omega_one_factor, found.guttman_6, found.greatest_lower_bound]).all()
    assert any("make no correlation matrix" in note for note in found.notes)


def test_a_constant_item_is_left_out_and_named():
    found = reliability(ATTITUDE.assign(same=3.0), n_factors=1)
    assert found.alpha == pytest.approx(TOTAL["alpha"], abs=1e-12)
    assert found.notes[0].startswith("1 constant column(s) were left out")
    assert "same" in found.notes[0]


@pytest.mark.parametrize("value", [1.0, 3.0, 5.0])
def test_an_item_with_one_answer_is_left_out_whichever_it_is(value):
    rows = np.random.default_rng(0).integers(1, 6, (50, 4)).astype(float)
    constant = np.insert(rows, 2, value, axis=1)
    found, wanted = reliability(constant), reliability(rows)
    assert found.variable_names == ("x0", "x1", "x3", "x4")
    assert found.alpha == pytest.approx(wanted.alpha, abs=1e-12)
    assert any("x2" in note for note in found.notes)


# O and OG of made_answers: L <- lavCor(as.data.frame(O), ordered=colnames(O), zero.add=c(0,0),
# missing="listwise" or "pairwise"); a <- psych::alpha(unclass(L)): raw_alpha, G6(smc), average_r,
# then a$alpha.drop$raw_alpha; psych::omega(unclass(L), nfactors=2, fm="minres"): omega_h,
# omega.tot; with f <- fa(unclass(L), 1, fm="ml"), l^2/(l^2 + sum(f$uniquenesses)), l the sum of
# the loadings
ORDINAL = {
    "complete": [0.8485593855, 0.8631755167, 0.4119051754, 0.62465579, 0.8854512, 0.8491314547],
    "gaps": [0.8486144665, 0.8644716036, 0.4120090246, 0.61098346, 0.88607749, 0.8478222109],
}
ORDINAL_DROPPED = [0.8294425885, 0.8229764658, 0.8334585198, 0.8423527707, 0.813734713,
                   0.8321639031, 0.8273407481, 0.8418741679]  # fmt: skip


@pytest.mark.parametrize("data", ORDINAL)
def test_ordinal_reliability_is_psychs_of_polychoric_correlations(data):
    X = ANSWERS if data == "complete" else ANSWERS_WITH_GAPS
    found = reliability(X, correlation="polychoric", n_factors=2)
    ours = [found.alpha, found.guttman_6, found.mean_correlation]
    np.testing.assert_allclose(ours, ORDINAL[data][:3], atol=2e-8)
    # psych's minres and ml stop at some 1e-6.
    w = found.omega
    ours = [w.hierarchical, w.total, found.omega_one_factor]
    np.testing.assert_allclose(ours, ORDINAL[data][3:], atol=3e-6)
    if data == "gaps":
        np.testing.assert_allclose(found.items.alpha_if_dropped, ORDINAL_DROPPED, atol=2e-8)
    plain = reliability(X, n_factors=2)
    assert f"α is {plain.alpha:.3f}" in " ".join(found.notes)
    assert np.isnan([found.alpha_low, found.alpha_high]).all()
    np.testing.assert_array_equal(found.items.deviation, plain.items.deviation)
    assert "polychoric correlations" in str(found)


def test_an_ordinal_item_turned_round_counts_as_the_others():
    X = pandas.DataFrame(ANSWERS, columns=[f"o{i}" for i in range(8)])
    plain = reliability(X, correlation="polychoric")
    turned = reliability(X.assign(o2=5 - X.o2), reverse=["o2"], correlation="polychoric")
    assert turned.alpha == pytest.approx(plain.alpha, abs=1e-7)
    said = [next(note for note in r.notes if "α is" in note) for r in (plain, turned)]
    assert said[0] == said[1]
    with pytest.raises(InputError, match="an ordinal column has 2 to 20"):
        reliability(X.assign(o2=np.arange(500)), correlation="polychoric")


def test_notes_on_omega_name_the_items():
    draw = np.random.default_rng(0)
    first = draw.normal(size=400)
    X = np.column_stack([first, first + 1e-4 * draw.normal(size=400), draw.normal(size=(400, 4))])
    table = pandas.DataFrame(X, columns=["calm", "at ease", "a", "b", "c", "d"])
    told = " ".join(reliability(table).notes)
    assert "Heywood" in told
    assert "of calm, at ease lies on its floor" in told
    assert not re.search(r"\bx\d\b", told)


def test_items_that_cancel_or_are_too_few_have_no_omega():
    cancel = np.array([[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]])
    with pytest.raises(InputError, match="the items cancel"):
        omega(cancel)
    X = np.random.default_rng(0).normal(size=(60, 1)) + np.random.default_rng(1).normal(
        size=(60, 2)
    )
    found = reliability(X)
    assert np.isnan(found.omega_one_factor)
    assert "need at least 3 items" in " ".join(found.notes)
