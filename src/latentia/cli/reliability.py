"""``latentia reliability``: how well the sum of some columns measures what they share."""

from __future__ import annotations

import argparse
from pathlib import Path

from latentia.cli.factor import LANGUAGE, ONE_FILE
from latentia.cli.parser import Parser, free_path
from latentia.cli.table_options import add_table_options, table_options
from latentia.files import printable


def reliability(parser: Parser, words: list[str]) -> None:
    """Measure the reliability of scales: α, ω, every item's part."""
    parser.add_argument(
        "data", help="a table or matrix in any file that is read, or a data set's name or path"
    )
    _add_items(parser)
    parser.add_argument(
        "--missing",
        choices=("pairwise", "complete"),
        help="use the rows that have both items of a pair, or complete rows (default: pairwise)",
    )
    parser.add_argument(
        "--n-factors",
        type=int,
        help="group factors behind ω (default: 3, or 1 for fewer than six items)",
    )
    parser.add_argument(
        "--method",
        choices=("minres", "ml", "principal_axis"),
        default="minres",
        help="how these factors are estimated (default: minres)",
    )
    parser.add_argument(
        "--correlation",
        choices=("pearson", "polychoric"),
        default="pearson",
        help="polychoric for ordinal α and ω of answers such as 1 to 5 (default: pearson)",
    )
    parser.add_argument("--level", type=float, help="of the interval of α (default: 0.95)")
    parser.add_argument("--n-samples", type=int, help="rows behind a matrix, for the interval")
    parser.add_argument(
        "--smooth",
        action="store_true",
        help="take the nearest correlation matrix if that of the file is indefinite",
    )
    parser.add_argument("--out", type=Path, help=f"a new folder for report and tables, {ONE_FILE}")
    parser.add_argument("--lang", choices=("en", "ko"), help=LANGUAGE)
    add_table_options(parser)
    parser.set_defaults(call=_reliability)


def _add_items(parser: Parser) -> None:
    parser.add_argument(
        "--scales",
        nargs="+",
        default=(),
        metavar="NAME=ITEMS",
        help="scales and their columns, such as agreeable=-A1,A2:A5, a minus before an item to "
        "reverse (default: one scale of all columns)",
    )
    parser.add_argument(
        "--reverse",
        nargs="+",
        default=(),
        metavar="COLUMN",
        help="items to reverse, written as for --columns: x becomes the largest answer to an item "
        "of its scale plus the least, less x",
    )
    parser.add_argument(
        "--reverse-found",
        action="store_true",
        help="reverse also the items that are found to run against the others",
    )


def _reliability(given: argparse.Namespace) -> None:
    from latentia.evaluation import reliability_report as report
    from latentia.evaluation.apa.documents import scales_document
    from latentia.evaluation.apa.files import (
        check_out,
        is_document,
        write_document,
        write_documents,
    )
    from latentia.evaluation.factor_report import read
    from latentia.plots.sentences import language

    lang = language(given.lang)
    out = given.out or free_path(f"reliability-{printable(Path(given.data).stem)}")
    check_out(out)
    observed = read(given.data, given.n_samples, given.smooth, table_options(given))
    print(*observed.notes, sep="\n", end="\n" if observed.notes else "")
    found = report.measured(
        observed,
        report.scales_of(observed, given.scales, given.reverse),
        reverse_found=given.reverse_found,
        missing=given.missing,
        n_factors=given.n_factors,
        method=given.method,
        level=given.level,
        correlation=given.correlation,
    )
    print(report.text_of(found))
    title = f"Reliability of {observed.name}"
    document = scales_document(found, title, lang)
    if is_document(out):
        print(write_document(out, document))
        return
    page = report.write_reliability_page(out, title, found, observed.notes)
    notes = report.write_reliability_tables(out, found) + write_documents(out / "paper", document)
    print(*notes, sep="\n", end="\n" if notes else "")
    print(page)
