"""Each value stands in its place: figures that are all different, and the words around each."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import latentia
from latentia.evaluation import reliability_report as report
from latentia.evaluation.apa import documents
from latentia.evaluation.apa.factors import Analysis, factor_tables, left_out
from latentia.evaluation.apa.paragraphs import MOST_NAMED, paragraphs
from latentia.evaluation.apa.scales import scale_tables
from latentia.evaluation.apa.table import plain
from latentia.evaluation.apa.wording import wording

PATTERN = np.array(
    [[0.81, 0.12, 0.03], [-0.72, 0.41, 0.05], [0.08, 0.63, 0.02], [0.21, 0.11, 0.19]]
)
PHI = np.array([[1, 0.24, -0.37], [0.24, 1, 0.06], [-0.37, 0.06, 1]])
NAMES = ("calm", "brave", "quick", "odd")
FIT = SimpleNamespace(
    chi_square=123.456, dof=17, p_value=0.0123, cfi=0.9312, tli=0.9123, rmsea=0.0634,
    rmsea_low=0.0321, rmsea_high=0.0876, srmr=0.0412, aic=-61.5, bic=-131.25,
    full_information=False,
)  # fmt: skip
ROBUST = SimpleNamespace(
    chi_square=99.875,
    dof=18,
    p_value=0.0456,
    cfi=0.9413,
    tli=0.9224,
    rmsea=0.0535,
    rmsea_low=0.0123,
    rmsea_high=0.0876,
    kind="satorra_bentler",
)
SUMMARY = SimpleNamespace(
    kmo=0.7654,
    sphericity=(1234.56, 28, 0.0002),
    fit=FIT,
    variance=(np.array([2.5, 1.25, 0.75]), np.array([0.312, 0.156, 0.094])),
    determinacy=SimpleNamespace(validity={"regression": np.array([0.95, 0.87, 0.76])}),
)
ITEMS = SimpleNamespace(
    n=[101, 102, 103], mean=[3.1, 3.2, 3.3], deviation=[1.1, 1.2, 1.3],
    item_rest=[0.51, 0.42, 0.63], alpha_if_dropped=[0.71, 0.72, 0.73],
    first_component=[0.61, 0.62, 0.64],
)  # fmt: skip
OMEGA = SimpleNamespace(
    total=0.89, hierarchical=0.67, n_groups=2, uniquenesses=[0.36, 0.47, 0.58],
    solution=SimpleNamespace(
        general=np.array([0.71, 0.62, 0.53]),
        groups=np.array([[0.31, 0.02], [0.04, 0.35], [0.26, 0.07]]),
    ),
)  # fmt: skip
SCALE = SimpleNamespace(
    name="Mood", level=0.9, alpha=0.81, alpha_low=0.78, alpha_high=0.84, omega_one_factor=0.83,
    mean_correlation=0.44, median_correlation=0.45, standardized_alpha=0.82, guttman_6=0.79,
    greatest_lower_bound=0.86, n_samples=1200, variable_names=("a", "b", "c"), reversed=("b",),
    against=("c",), items=ITEMS, omega=OMEGA, polychoric=False,
)  # fmt: skip
PLAIN = SimpleNamespace(
    **vars(SCALE)
    | {"name": "Pace", "omega": None, "reversed": (), "against": (), "n_samples": None}
)


def model(**fields):
    """Return what is told of a fitted model, all of it different."""
    return SimpleNamespace(
        **{
            "n_latent": 3, "n_samples_": 1234.0, "scale_": np.ones(4), "correlation": "pearson",
            "missing": "error", "matrix": "correlation", "method": "ml", "rotation": "promax",
            "promax_power": 3, "kaiser": False, "summary": lambda cutoff=0.0: SUMMARY,
            "fit_statistics": lambda: FIT, "communalities_": np.array([0.66, 0.55, 0.45, 0.08]),
            "uniquenesses_": np.array([0.34, 0.49, 0.57, 0.92]), "standardized_loadings_": PATTERN,
            "structure_": PATTERN + 0.01, "variable_names": lambda: list(NAMES),
            "factor_correlations_": PHI, "heywood_": (), "constant_": (), "data_shape_": (4,),
        }
        | fields
    )  # fmt: skip


def told(robust=ROBUST, scales=(SCALE,), cutoff=0.4, suggestion=None, **fields):
    return Analysis("answers", model(**fields), suggestion, robust, scales, cutoff)


def texts(of):
    return [plain(part.text) for part in paragraphs(of, "en")[:2]]


RATIO = "χ²(17) = 123.46, p = .012, CFI = .931, TLI = .912, RMSEA = .063, 90% CI [.032, .088], "
ALPHA = "α = .81 (90% CI [.78, .84]), ω = .83 for Mood"


def test_method_and_result_have_each_figure_in_its_place():
    method, result = texts(told())
    assert method == (
        "An exploratory factor analysis of 4 variables (N = 1,234) was carried out with Latentia "
        f"{latentia.__version__}. Sampling adequacy by Kaiser, Meyer, and Olkin was KMO = .77. "
        "Bartlett's test of sphericity gave χ²(28) = 1,234.56, p < .001. The number of factors was "
        "set at three [state the grounds]. Factors were extracted by maximum likelihood; oblique "
        "rotation (promax, power 3)."
    )
    assert result == (
        "Together the factors explained 43.5% of the variance. The fit of the model was "
        f"{RATIO}SRMR = .041. With Satorra and Bentler's correction for nonnormality, the fit was "
        "χ²(18) = 99.88, p = .046, CFI = .941, TLI = .922, RMSEA = .053, "
        "90% CI [.012, .088]. The largest coefficient "
        "of a variable was between .21 and .81 in absolute value, and communalities were between "
        ".08 and .66. Coefficients of at least .40 on more than one factor: brave. No coefficient "
        "of at least .40: odd. Correlations among the factors were between −.37 and .24 (largest "
        f"in absolute value: F1 with F3). Reliabilities were {ALPHA}."
    )


WITHOUT = SimpleNamespace(**vars(FIT) | {"dof": 0})
UNTESTED = SimpleNamespace(**vars(FIT) | {"chi_square": np.nan})
FULL = SimpleNamespace(**vars(FIT) | {"full_information": True})
NO_TESTS = SimpleNamespace(
    **vars(SUMMARY) | {"kmo": np.nan, "sphericity": (np.nan, 28, np.nan), "fit": FIT}
)
CASES = [
    ({"fit_statistics": lambda: WITHOUT}, 1, "The fit of the model", False),
    ({"fit_statistics": lambda: UNTESTED}, 1, "The fit of the model", False),
    ({"robust": None}, 1, "With Satorra", False),
    ({"robust": None}, 1, "The fit of the model", True),
    ({"scales": ()}, 1, "Reliabilities", False),
    ({"cutoff": 0.5}, 1, "No variable had coefficients of at least .50 on more than one", True),
    ({"cutoff": 0.2}, 1, "No coefficient of at least", False),
    ({"heywood_": ("calm", "odd")}, 1, "A Heywood case was found (calm and odd), and", True),
    ({}, 1, "Heywood", False),
    ({"rotation": "varimax"}, 1, "Correlations among", False),
    ({"summary": lambda cutoff: NO_TESTS}, 0, "Sampling adequacy", False),
    ({"summary": lambda cutoff: NO_TESTS}, 0, "sphericity", False),
    ({"rotation": "none"}, 0, "extracted by maximum likelihood and not rotated.", True),
    ({"method": "minres"}, 0, "extracted by minimum residuals; oblique", True),
    ({"n_samples_": 0}, 0, "(N = ?)", True),
    ({"scale_": np.array([1, 1, 0, 1])}, 0, "of 3 variables", True),
    ({"missing": "fiml"}, 0, "full-information maximum likelihood", True),
    ({"correlation": "polychoric"}, 0, "Polychoric correlations were analyzed.", True),
    ({"summary": lambda cutoff: SimpleNamespace(**vars(SUMMARY) | {"fit": FULL})}, 0,
     "The likelihood ratio of independence was χ²(28) = 1,234.56, p < .001.", True),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "part", "said", "there"), CASES, ids=range(len(CASES)))
def test_a_sentence_stands_where_it_holds_and_nowhere_else(fields, part, said, there):
    assert (said in texts(told(**fields))[part]) == there


def test_two_factors_correlate_by_one_number_and_many_names_are_cut_short():
    two = told(n_latent=2, standardized_loadings_=PATTERN[:, :2], factor_correlations_=PHI[:2, :2])
    assert "The factors correlated by .24." in texts(two)[1]
    names = tuple(f"v{i}" for i in range(MOST_NAMED + 1))
    result = texts(told(heywood_=names))[1]
    assert f"(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, and … ({len(names)}))" in result
    assert "…" not in texts(told(heywood_=names[:-1]))[1]


def suggestion(null=True):
    chance = np.array([1.4, 1.3, 1.2, 1.1]), np.array([1.5, 1.35, 1.25, 1.15])
    return SimpleNamespace(
        counts={"kaiser": 5, "map": 2, "hull": 3},
        eigenvalues=np.array([2.5, 1.25, 0.75, 0.5]),
        factor_eigenvalues=np.array([2.1, 0.9, 0.3, -0.2]),
        component_null=chance if null else None,
        factor_null=(chance[0] - 1, chance[1] - 1) if null else None,
    )


def test_criteria_are_told_with_their_own_numbers():
    method = texts(told(suggestion=suggestion()))[0]
    assert (
        "The number of factors was examined by eigenvalues above 1 (5), minimum average partial "
        "(2), and hull method (3); three factors were retained [state the grounds]." in method
    )


def cells(table):
    return [[cell.text for cell in row] for row in table.rows]


def heads(table):
    return [(plain(column.under), plain(column.title)) for column in table.columns]


def tables_of(analysis):
    return {table.name: table for table in factor_tables(analysis, "en")}


def test_each_cell_of_the_tables_is_of_its_row_and_column():
    found = tables_of(told(suggestion=suggestion()))
    assert list(found) == [
        "criteria", "eigenvalues", "loadings", "structure", "factor-correlations", "fit",
        "reliability",
    ]  # fmt: skip
    assert cells(found["criteria"]) == [
        ["Eigenvalues above 1", "5"], ["Minimum average partial", "2"], ["Hull method", "3"]
    ]  # fmt: skip
    assert cells(found["eigenvalues"])[0] == ["1", "2.50", "1.50", "2.10", "0.50"]
    assert cells(found["eigenvalues"])[3] == ["4", "0.50", "1.15", "−0.20", "0.15"]
    columns = [("Components", "Data"), ("Components", "95th percentile")]
    columns += [("Factors", "Data"), ("Factors", "95th percentile")]
    assert heads(found["eigenvalues"]) == [("", "Place"), *columns]
    assert heads(found["criteria"]) == [("", "Criterion"), ("", "Factors")]
    under = "Pattern coefficient"
    factors = [(under, f"F{j}") for j in (1, 2, 3)]
    assert heads(found["loadings"]) == [("", "Variable"), *factors, ("", "h²"), ("", "u²")]
    under = "Structure coefficient"
    assert heads(found["structure"]) == [("", "Variable"), *((under, f) for _, f in factors)]
    assert heads(found["factor-correlations"]) == [("", "Factor"), *(("", f) for _, f in factors)]
    titles = [plain(table.title) for table in found.values()]
    assert titles == [
        "Number of Factors by Criterion",
        "Eigenvalues and Those of Parallel Analysis",
        "Pattern Coefficients of 4 Variables on Three Factors",
        "Structure Coefficients of 4 Variables on Three Factors",
        "Correlations Among the Factors",
        "Fit of the Factor Model",
        "Reliability of the Variables That Load on Each Factor",
    ]
    by_name = {row[0]: row[1:] for row in cells(found["loadings"])}
    assert by_name == {
        "calm": [".81", "", "", ".66", ".34"],
        "brave": ["−.72", ".41", "", ".55", ".49"],
        "quick": ["", ".63", "", ".45", ".57"],
        "odd": ["", "", "", ".08", ".92"],
    }
    totals = [[cell.text for cell in row] for row in found["loadings"].totals]
    assert totals == [
        ["Sum of squared loadings", "2.50", "1.25", "0.75", "", ""],
        ["% of variance", "31.2", "15.6", "9.4", "", ""],
        ["Score determinacy", ".95", ".87", ".76", "", ""],
    ]
    structure = {row[0]: row[1:] for row in cells(found["structure"])}
    assert structure["brave"] == ["−.71", ".42", ".06"]
    assert cells(found["factor-correlations"]) == [
        ["F1", "—", "", ""], ["F2", ".24", "—", ""], ["F3", "−.37", ".06", "—"]
    ]  # fmt: skip
    assert cells(found["fit"]) == [
        ["Three factors", "123.46", "17", ".012", ".931", ".912", ".063", ".032", ".088", ".041",
         "−61.50", "−131.25"],
        ["Three factors, scaled", "99.88", "18", ".046", ".941", ".922", ".053", ".012", ".088",
         "—", "—", "—"],
    ]  # fmt: skip
    shown = [title for _, title in heads(found["fit"])]
    assert shown[1:7] == ["χ²", "df", "p", "CFI", "TLI", "RMSEA"]
    assert heads(found["fit"])[7:9] == [("90% CI", "LL"), ("90% CI", "UL")]
    assert shown[9:] == ["SRMR", "AIC", "BIC"]


NOTES = [
    ({}, "fit", "N = 1,234. χ² with Bartlett's correction. CFI =", True),
    ({}, "fit", "Scaled: Satorra", True),
    ({"robust": None}, "fit", "Scaled: Satorra", False),
    ({"robust": SimpleNamespace(**vars(ROBUST) | {"kind": "yuan_bentler"})}, "fit",
     "Scaled: Yuan", True),
    ({"scales": (SimpleNamespace(**vars(SCALE) | {"polychoric": True}),)}, "reliability",
     "Polychoric correlations", True),
    ({}, "reliability", "Polychoric", False),
    ({"fit_statistics": lambda: FULL}, "fit", "χ² of the likelihood ratio.", True),
    ({}, "fit", "rough guides", False),
    ({"method": "gls"}, "fit", "rough guides", True),
    ({"correlation": "polychoric"}, "fit", "rough guides", True),
    ({}, "loadings", "N = 1,234. Extraction by maximum likelihood; oblique", True),
    ({}, "loadings", "Coefficients below .40 in absolute value are not shown. h² =", True),
    ({"cutoff": 0.0}, "loadings", "Coefficients of at least .30 in absolute value are in", True),
    ({}, "loadings", "the diagonal of ΦΛ′Λ", True),
    ({"rotation": "varimax"}, "loadings", "the diagonal of ΦΛ′Λ", False),
    ({"heywood_": ("odd",)}, "loadings", "Heywood case, the uniqueness at its lower bound: odd.",
     True),
    ({"constant_": ("flat",)}, "loadings", "Left out, as without variance: flat.", True),
    ({"constant_": ("flat",)}, "structure", "Left out", False),
    ({"matrix": "covariance"}, "loadings", "Covariances were analyzed", True),
    ({}, "structure", "Structure coefficients are correlations", True),
    ({}, "factor-correlations", "Extraction by maximum likelihood; oblique rotation (pro", True),
    ({}, "reliability", "if that is at least .40; those with negative", True),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "name", "said", "there"), NOTES, ids=range(len(NOTES)))
def test_notes_say_what_was_done_and_nothing_else(fields, name, said, there):
    assert (said in plain(tables_of(told(**fields))[name].note)) == there


def test_tables_that_have_no_subject_are_left_out():
    assert list(tables_of(told(scales=(), rotation="varimax"))) == ["loadings", "fit"]
    assert [t.name for t in factor_tables(Analysis("x", None, suggestion()), "en")] == [
        "criteria",
        "eigenvalues",
    ]
    many = told(scale_=np.ones(301))
    assert "loadings" not in tables_of(replace(many, scales=()))
    assert "of 301 variables no table" in left_out(many)[0]
    assert left_out(told()) == left_out(Analysis("x", None, suggestion())) == ()
    plain_ = tables_of(told(suggestion=suggestion(null=False)))
    assert heads(plain_["eigenvalues"]) == [
        ("", "Place"), ("Components", "Data"), ("Factors", "Data")
    ]  # fmt: skip
    assert plain_["criteria"].note == ()
    assert "95th" in plain(tables_of(told(suggestion=suggestion()))["criteria"].note)


def test_scales_have_each_figure_in_its_place():
    first, items, hierarchy, more = scale_tables([SCALE, PLAIN], "en")
    shown = [".81", ".78", ".84", ".83"]
    assert cells(first) == [
        ["Mood", "3", "1,200", *shown, ".89", ".67", ".44"],
        ["Pace", "3", "—", *shown, "—", "—", ".44"],
    ]
    assert [title for _, title in heads(first)] == [
        "Scale", "Items", "N", "α", "LL", "UL", "ω", "ω total", "ω hierarchical", "Mean r"
    ]  # fmt: skip
    assert {under for under, _ in heads(first)} == {"", "90% CI"}
    (alone, _) = scale_tables([PLAIN], "en")
    assert cells(alone) == [["Pace", "3", "—", *shown, ".44"]]
    assert "Schmid" in plain(first.note)
    assert "Schmid" not in plain(alone.note)
    assert cells(items) == [
        ["a", "101", "3.10", "1.10", ".51", ".71"],
        ["b (R)", "102", "3.20", "1.20", ".42", ".72"],
        ["c (−)", "103", "3.30", "1.30", ".63", ".73"],
    ]
    assert [title for _, title in heads(items)] == [
        "Item", "n", "M", "SD", "Item–rest r", "α without item"
    ]  # fmt: skip
    assert (items.name, hierarchy.name, more.name) == ("items-1", "hierarchy-1", "items-2")
    assert cells(hierarchy) == [
        ["a", ".71", ".31", ".02", ".36"],
        ["b (R)", ".62", ".04", ".35", ".47"],
        ["c (−)", ".53", ".26", ".07", ".58"],
    ]
    assert [title for _, title in heads(hierarchy)][1:] == ["General", "G1", "G2", "u²"]
    for table in (items, hierarchy):
        assert "(R) = reversed. (−) = runs" in plain(table.note)
        assert "Mood" in plain(table.title)
    assert "reversed" not in plain(more.note)


def test_sentences_of_scales_have_each_figure_in_its_place():
    method, result = texts([SCALE, PLAIN])
    assert method.startswith(f"The reliability of two scales was examined with Latentia "
                             f"{latentia.__version__}: ")  # fmt: skip
    none = SimpleNamespace(**vars(PLAIN) | {"alpha_low": np.nan})
    ends = "Item–rest correlations of {} were between .42 and .63."
    assert result == (
        f"Reliabilities were {ALPHA}; {ALPHA.replace('Mood', 'Pace')}. {ends.format('Mood')} "
        f"ω hierarchical of Mood was .67, and ω total .89. Reversed: b. {ends.format('Pace')}"
    )
    assert texts([none])[1].startswith("Reliabilities were α = .81, ω = .83 for Pace. ")


SCALE_COLUMNS = {
    "items": 3, "n": 1200, "alpha": 0.81, "alpha_low": 0.78, "alpha_high": 0.84,
    "alpha_standardized": 0.82, "guttman_6": 0.79, "greatest_lower_bound": 0.86,
    "mean_correlation": 0.44, "median_correlation": 0.45, "omega_one_factor": 0.83,
    "omega_total": 0.89, "omega_hierarchical": 0.67, "omega_factors": 2,
}  # fmt: skip


def test_columns_of_the_files_are_what_they_are_called():
    found = report._of_scales([SCALE, PLAIN])
    assert {name: column[0] for name, column in found.items()} == {"scale": "Mood"} | SCALE_COLUMNS
    assert [found[f"omega_{part}"][1] for part in ("total", "hierarchical")] == pytest.approx(
        [np.nan, np.nan], nan_ok=True
    )
    assert found["omega_factors"][1] == 0
    items = report._of_items([SCALE, PLAIN])
    assert items["scale"].tolist() == ["Mood"] * 3 + ["Pace"] * 3
    assert items["item"].tolist() == ["a", "b", "c"] * 2
    assert items["reversed"].tolist() == ["false", "true"] + ["false"] * 4
    assert items["against"].tolist() == ["false", "false", "true"] + ["false"] * 3
    for name in ("n", "mean", "deviation", "item_rest", "alpha_if_dropped", "first_component"):
        assert items[name].tolist() == getattr(ITEMS, name) * 2


def test_a_document_has_its_parts_and_the_diagram_its_coefficients(monkeypatch):
    drawn = []
    monkeypatch.setattr(documents, "path_diagram", lambda *given: drawn.append(given))
    given = told()
    found = documents.factor_document(given, "the title", "ko")
    assert (found.title, found.language, found.words) == ("the title", "ko", wording("ko"))
    assert [t.name for t in found.tables] == [t.name for t in factor_tables(given, "ko")]
    assert found.paragraphs == paragraphs(given, "ko")
    ((pattern, names, Phi, cut, unique),) = drawn
    order = given.order()
    assert np.array_equal(pattern, PATTERN[order])
    assert names == [NAMES[i] for i in order]
    assert np.array_equal(Phi, PHI)
    assert cut == 0.4
    assert np.array_equal(unique, given.model.uniquenesses_[order])
    assert ".40" in plain(found.figures[0].note)
    assert documents.factor_document(given, "t", drawn=False).figures == ()
    monkeypatch.setattr(documents, "MOST_DRAWN", 4)
    assert len(documents.factor_document(given, "t").figures) == 1
    for none in (replace(given, model=None), told(data_shape_=(2, 2))):
        assert documents.factor_document(none, "t").figures == ()
    monkeypatch.setattr(documents, "MOST_DRAWN", 3)
    assert documents.factor_document(given, "t").figures == ()
    scales = documents.scales_document([SCALE], "of scales", "ko")
    assert (scales.title, scales.language, scales.words) == ("of scales", "ko", wording("ko"))
    assert scales.paragraphs == paragraphs([SCALE], "ko")
    assert len(scales.tables) == 3


def test_an_analysis_has_its_test_and_its_scales_from_the_data(monkeypatch):
    calls = []
    monkeypatch.setattr(documents, "robust_of", lambda *given: calls.append(given) or "robust")
    monkeypatch.setattr(
        documents, "scales_of_factors", lambda *given: calls.append(given) or [SCALE]
    )
    observed, fitted = SimpleNamespace(name="answers"), model()
    found = documents.analysis_of(fitted, observed, "found", 0.5)
    parts = (found.name, found.model, found.suggestion, found.robust, found.scales, found.cutoff)
    assert parts == ("answers", fitted, "found", "robust", (SCALE,), 0.5)
    assert calls == [(fitted, observed), (fitted, observed, 0.5)]
    assert documents.analysis_of(fitted, observed, None, 0.0, "given").robust == "given"
    assert calls[2:] == [(fitted, observed, 0.3)]
    none = documents.analysis_of(None, observed, "found", 0.5)
    assert (none.model, none.robust, none.scales) == (None, None, ())
