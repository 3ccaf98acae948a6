"""Tables of the APA as LaTeX with booktabs: a whole file, whose tables can be taken from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from latentia.evaluation.apa.table import Cell, Document, Styled, Table, one_line

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": "$<$", ">": "$>$", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "−": "$-$", "–": "--", "—": "---", "²": "$^2$", "′": "$'$", "±": r"$\pm$", "×": r"$\times$",
    "≥": r"$\geq$", "≤": r"$\leq$", "\u00a0": "~", "√": r"$\surd$", "…": r"\dots{}",
    **{letter: rf"$\{name}$" for letter, name in GREEK.items()},
}  # fmt: skip
"""What stands for a sign that LaTeX would take for something else, or has no letter for."""
HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
LONG, WIDE, VERY_WIDE = 40, 8, 12
"""Rows of which more go over several pages; columns of which more are set closer."""
PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage[utf8]{inputenc}
  \usepackage{textcomp}
\else
  \usepackage{fontspec}
\fi
\usepackage[margin=1in]{geometry}
\usepackage{booktabs}
\usepackage{longtable}
\usepackage{caption}
\captionsetup[table]{
  labelfont=bf, textfont=it, labelsep=newline, justification=raggedright, singlelinecheck=false
}
"""


def as_latex(document: Document) -> str:
    """Return a file of LaTeX; paragraphs in another language than the tables' are comments.

    It needs booktabs and caption, and kotex where there is Hangul in its tables. Letters that are
    neither Latin, Greek nor Hangul need XeLaTeX or LuaLaTeX.
    """
    body = [*(_table(table, document.words["note"]) for _, table in document.numbered())]
    for part in document.paragraphs:
        text = f"\\section*{{{escaped(part.heading)}}}\n{styled_latex(part.text)}"
        if part.language != document.language:
            text = "\n".join(f"% {line}" for line in text.splitlines())
        body.append(text)
    hangul = any(HANGUL.search(re.sub("(?m)^% .*$", "", part)) for part in body)
    names = [
        rf"\renewcommand{{\{kind}name}}{{{escaped(document.words[kind].split('{')[0].strip())}}}"
        for kind in ("table", "figure")
    ]
    slope = "it" if document.language == "en" else "normalfont"
    head = PREAMBLE.replace("textfont=it", f"textfont={slope}") + (
        "\\usepackage{kotex}\n" if hangul else ""
    )
    begin = "\n".join([r"\begin{document}", *(names if hangul else [])])
    return "\n\n".join([head + begin, *body, r"\end{document}"]) + "\n"


def escaped(text: str) -> str:
    """Return text for LaTeX, with nothing in it that LaTeX takes for a command."""
    return "".join(SIGNS.get(sign, sign) for sign in one_line(text))


def styled_latex(text: Styled) -> str:
    """Return styled text for LaTeX."""
    return "".join(
        rf"\textit{{{escaped(run.text)}}}" if run.italic else escaped(run.text) for run in text
    )


def _table(table: Table, note: str) -> str:
    long = len(table.rows) > LONG
    places = "l" + "r" * (len(table.columns) - 1)
    caption = rf"\caption{{{styled_latex(table.title)}}}\label{{tab:{table.name}}}"
    told = rf"\textit{{{escaped(note)}}} {styled_latex(table.note)}" if table.note else ""
    size = r"\small" if len(table.columns) <= WIDE else r"\footnotesize\setlength{\tabcolsep}{4pt}"
    if len(table.columns) > VERY_WIDE:
        size = r"\scriptsize\setlength{\tabcolsep}{2.5pt}"
    head, body = "\n".join(_head(table)), "\n".join(_body(table))
    if long:
        return "\n".join([
            "{" + size,
            rf"\begin{{longtable}}[l]{{{places}}}",
            caption + r"\\",
            head + r"\endfirsthead",
            head + r"\endhead",
            body,
            r"\end{longtable}}",
            rf"\noindent{{\footnotesize {told}\par}}",
        ])  # fmt: skip
    return "\n".join([
        r"\begin{table}[htbp]",
        r"\raggedright",
        caption,
        size,
        rf"\begin{{tabular}}{{{places}}}",
        head,
        body,
        r"\end{tabular}",
        rf"\par\smallskip{{\footnotesize {told}\par}}",
        r"\end{table}",
    ])  # fmt: skip


def _head(table: Table) -> Iterator[str]:
    yield r"\toprule"
    if spans := table.spans():
        titles = [
            rf"\multicolumn{{{count}}}{{c}}{{{styled_latex(under)}}}" for under, count in spans
        ]
        yield " & ".join(titles) + r" \\"
        yield "".join(_rules(spans))
    yield " & ".join(styled_latex(column.title) for column in table.columns) + r" \\"
    yield r"\midrule"


def _rules(spans: Sequence[tuple[Styled, int]]) -> Iterator[str]:
    place = 1
    for under, count in spans:
        if under:
            yield rf"\cmidrule(lr){{{place}-{place + count - 1}}}"
        place += count


def _body(table: Table) -> Iterator[str]:
    yield from map(_row, table.rows)
    if table.totals:
        yield r"\midrule"
        yield from map(_row, table.totals)
    yield r"\bottomrule"


def _row(row: Sequence[Cell]) -> str:
    cells = (rf"\textbf{{{escaped(c.text)}}}" if c.bold else escaped(c.text) for c in row)
    # A bracket after a row's end would be taken for its argument.
    return "{}" + " & ".join(cells) + r" \\"
