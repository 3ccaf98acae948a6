"""``latentia factor``: a factor analysis of a table, from the file to the page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from latentia.cli.parser import SAVED, Parser, add_fields, field_values, free_path, saved_model
from latentia.cli.table_options import add_table_options, table_options
from latentia.errors import InputError

if TYPE_CHECKING:
    from latentia.evaluation.apa.table import Document
    from latentia.evaluation.factor_report import Observed
    from latentia.models.factors.factor_analysis import FactorAnalysis

ONE_FILE = "or a .docx, .tex, .xlsx, .html or .txt file for tables as a journal prints them"
LANGUAGE = "of these tables: en or ko (default: what LATENTIA_LANG says, or en)"
CUTOFF = 0.3
"""The least loading that is shown, unless another is asked for."""
OF_A_SOLUTION = (
    *(
        "standard_errors",
        "compare_with",
        "group",
        "cutoff",
        "method",
        "algorithm",
        "noise_floor",
        "n_starts",
    ),
    *("rotation", "kaiser", "n_rotation_starts", "scores", "target", "target_value"),
    *("geomin_epsilon", "oblimin_gamma", "crawford_ferguson_kappa", "promax_power"),
)
"""What the number of factors that is suggested does not depend on."""


def factor(parser: Parser, words: list[str]) -> None:
    """Analyse the factors of a table or a covariance matrix."""
    parser.add_argument(
        "data",
        help="a table or matrix in any file that is read, or a data set's name or path",
    )
    parser.add_argument(
        "--suggest", action="store_true", help="suggest a number of factors by several criteria"
    )
    parser.add_argument(
        "--n-samples", type=int, help="rows behind a covariance matrix, which tests of fit need"
    )
    parser.add_argument(
        "--smooth",
        action="store_true",
        help="analyse the nearest correlation matrix if that of the file is indefinite",
    )
    parser.add_argument(
        "--standard-errors",
        choices=("information", "robust", "bootstrap"),
        help="of the loadings; robust ones are of dwls and minres on polychoric correlations",
    )
    parser.add_argument(
        "--compare-with",
        type=saved_model,
        metavar="MODEL",
        help=f"congruence of the factors with those of a saved factor analysis: {SAVED}",
    )
    parser.add_argument(
        "--group",
        metavar="COLUMN",
        help="test whether the groups that a column tells share loadings, intercepts, noise; "
        "--target says which loadings are not 0, or else each factor has a marker variable",
    )
    parser.add_argument("--cutoff", type=float, help="least loading that is shown (default: 0.3)")
    parser.add_argument(
        "--out", type=Path, help=f"a new folder for the report and model, {ONE_FILE}"
    )
    parser.add_argument("--lang", choices=("en", "ko"), help=LANGUAGE)
    add_table_options(parser)
    add_fields(parser, "FactorAnalysis")
    parser.set_defaults(call=_factor)


def _factor(given: argparse.Namespace) -> None:
    _refuse(given)
    cutoff = CUTOFF if given.cutoff is None else given.cutoff
    from latentia.evaluation import factor_report
    from latentia.evaluation.apa.documents import analysis_of, factor_document
    from latentia.evaluation.apa.files import check_out, is_document, write_document
    from latentia.models.factors.factor_analysis import FactorAnalysis
    from latentia.plots.sentences import language

    lang, out = language(given.lang), given.out or free_path(f"factors-{Path(given.data).stem}")
    check_out(out)
    if is_document(out) and given.standard_errors:
        raise InputError(f"--standard-errors are of the report: give a folder, not {out}, to --out")
    values = field_values("FactorAnalysis", vars(given))
    model = FactorAnalysis().set_params(**values)
    model.validate_parameters()
    observed = _read(given)
    print(*observed.notes, sep="\n", end="\n" if observed.notes else "")
    found, errors, solved = None, None, None
    parts = []
    other = None if given.compare_with is None else factor_report.saved(given.compare_with)
    if given.suggest:
        found = factor_report.suggestion(model, observed)
        print(factor_report.suggestion_text(found))
    if "n_components" in given:
        solved = factor_report.fitted(model, observed)
        print(solved.summary(cutoff))
        if given.standard_errors:
            errors = factor_report.standard_errors(solved, observed, given.standard_errors)
        parts = factor_report.parts_of(solved, observed, other, str(given.compare_with))
        print(*(f"\n{part}\n" for part in parts), sep="", end="")
    title = f"Factor analysis of {observed.name}"
    document = factor_document(analysis_of(solved, observed, found, cutoff), title, lang)
    print(*document.left_out, sep="\n", end="\n" if document.left_out else "")
    if is_document(out):
        print(write_document(out, document))
        return
    _save(out, solved, observed, document)
    page = out / "report.html"
    notes = observed.notes
    print(factor_report.write_factor_page(page, title, solved, found, errors, cutoff, notes, parts))


def _read(given: argparse.Namespace) -> Observed:
    """Return the table or matrix, and the groups of its rows if they are asked for."""
    from latentia.evaluation import factor_report

    options = table_options(given)
    if given.group is None:
        return factor_report.read(given.data, given.n_samples, given.smooth, options)
    if given.n_samples is not None or given.smooth:
        raise InputError("--group is of rows; --n-samples and --smooth are of a matrix")
    return factor_report.read_groups(given.data, given.group, options)


def _refuse(given: argparse.Namespace) -> None:
    """Refuse a command without a number of factors, or with options that then say nothing."""
    if "n_components" not in given and not given.suggest:
        raise InputError("factor needs a number of factors: --n-factors K, or --suggest to find it")
    for name in OF_A_SOLUTION:
        if "n_components" not in given and vars(given).get(name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} is of a solution: give --n-factors K as well")


def _save(out: Path, solved: FactorAnalysis | None, observed: Observed, document: Document) -> None:
    """Write the model, its tables, and those that a journal prints."""
    from latentia.evaluation.apa.files import write_documents
    from latentia.evaluation.factor_tables import write_factor_tables

    notes = write_documents(out / "paper", document)
    if solved is not None:
        solved.save(out / "model")
        notes = (*write_factor_tables(out, solved, observed)[1], *notes)
    print(*notes, sep="\n", end="\n" if notes else "")
