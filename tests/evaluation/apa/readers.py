"""Readers of the files that are written, none of them by their writers' makers but python-docx."""

import io
import re
from html.parser import HTMLParser

import docx
import openpyxl


def of_docx(content):
    """Return each table's rows as texts, a merged cell once."""
    book = docx.Document(io.BytesIO(content))
    return [[_cells(row) for row in table.rows] for table in book.tables]


def _cells(row):
    seen, found = set(), []
    for cell in row.cells:
        if id(cell._tc) not in seen:
            seen.add(id(cell._tc))
            found.append(cell.text)
    return found


class _Tables(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.tables[-1][-1][-1] += data


def of_html(content):
    reader = _Tables()
    reader.feed(content.decode())
    return reader.tables


SIGNS = {
    r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~",
    r"\textbar{}": "|", r"\textquotedbl{}": '"', "$-$": "−", "---": "—", "--": "–",
    "$<$": "<", "$>$": ">", "$^2$": "²", r"$\chi$": "χ", r"$\alpha$": "α", r"$\omega$": "ω",
}  # fmt: skip


def of_latex(content):
    """Return each tabular's rows; every row must have the cells that the preamble promises."""
    tables = []
    pattern = r"\\begin\{(tabular|longtable)\}(?:\[l\])?\{(\w+)\}(.*?)\\end\{\1\}"
    for _, places, body in re.findall(pattern, content.decode(), re.DOTALL):
        body = re.sub(r"\\(top|mid|bottom)rule|\\cmidrule\(lr\)\{[\d-]+\}|\\caption.*", "", body)
        found = []
        for line in re.split(r"\\\\\s*\n", body):
            cells = re.split(r"(?<!\\)&", line.strip().removeprefix("{}"))
            spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
            if line.strip():
                assert len(cells) + spans == len(places), line
                found.append([_plain(cell.strip()) for cell in cells])
        tables.append(found)
    return tables


def _plain(text):
    text = re.sub(r"\\multicolumn\{\d+\}\{c\}\{(.*)\}$", r"\1", text)
    text = re.sub(r"\\text(?:it|bf)\{((?:[^{}]|\\[{}])*)\}", r"\1", text)
    for latex, sign in SIGNS.items():
        text = text.replace(latex, sign)
    return re.sub(r"\\([{}$&#%_])", r"\1", text)


def check_latex(text):
    """Hold a source to balanced braces, dollars and environments, and to no stray sign."""
    code = re.sub(r"(?m)(?<!\\)%.*$", "", text)
    code = re.sub(r"\\\\", " ", code)
    bare = re.sub(r"\\[{}$&#%_]", "", code)
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    open_ = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", bare):
        if kind == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert not open_
    outside = re.sub(r"\$[^$]*\$", "", bare)
    assert not re.search(r"[#^~_](?!\w*\})", re.sub(r"\\\w+\{[^{}]*\}", "", outside))


def of_xlsx(content):
    """Return each sheet's rows of values, with number formats, from the header on."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [
        [[(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows(min_row=4)]
        for sheet in book.worksheets
    ]


def of_text(content):
    """Return each table's lines between its rules."""
    parts = re.split(r"\n\n\n", content.decode())
    tables = [part for part in parts if re.match(r"(Table|표) \d", part)]
    return [
        [line.split() for line in part.splitlines()[2:] if line and "─" not in line]
        for part in tables
    ]
