"""``latentia figure``: the lectures' figures by name, in English or Korean."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from latentia.cli.parser import Parser
from latentia.errors import InputError, nearest

if TYPE_CHECKING:
    from latentia.theory.figures import Record

LECTURES = ("000", "001", "002", "003", "004")
ENDINGS = (".png", ".svg", ".html")
LANGUAGE = "en or ko (default: what LATENTIA_LANG says, or en)"
ABOUT = """\
Draw a figure of the lectures, and print its caption, the rows of the lectures that it shows, and
the numbers that matter. 'latentia figure list' lists them, by lecture or topic. As .html it is a
page in which the figure's models are played and what it depends on is moved."""


def figure(parser: Parser, words: list[str]) -> None:
    """Draw a figure of the lectures, or list them."""
    parser.description = ABOUT
    if words and words[0] == "list":
        parser.add_argument("name", metavar="list", choices=("list",))
        parser.add_argument("--lecture", choices=LECTURES, help="only those of one lecture")
        parser.add_argument("--topic", help="only those with these words in title, topic or name")
        parser.add_argument("--json", action="store_true", help="as JSON, in both languages")
        parser.set_defaults(call=_list)
    else:
        parser.add_argument("name", metavar="NAME", help="a figure's name, or list")
        parser.add_argument("--out", type=Path, help="a .png, .svg or .html (default: NAME.png)")
        parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
        parser.add_argument("--data", help="a name or a path, for a figure that needs it")
        parser.set_defaults(call=_draw)
    parser.add_argument("--lang", choices=("en", "ko"), help=LANGUAGE)


def _draw(given: argparse.Namespace) -> None:
    from latentia.files import refuse_existing, write_atomically
    from latentia.plots.sentences import language
    from latentia.theory.figures import draw, record

    known = record(given.name)
    out = given.out or Path(f"{known.name}.png")
    if out.suffix.lower() not in ENDINGS:
        raise InputError(f"--out {out}: a figure is written as .png, .svg or .html")
    refuse_existing(out, given.overwrite)
    lang = language(given.lang)
    drawn = draw(known.name, lang, given.data)
    from latentia.plots.style import png_bytes, svg_file

    if out.suffix.lower() == ".html":
        from latentia.pages.lecture_figure import write_figure

        write_figure(out, drawn, lang)
    else:
        written = svg_file if out.suffix.lower() == ".svg" else png_bytes
        write_atomically(out, written(drawn.figure))
    print(f"{known.title[lang]} ({', '.join(known.rows)})")
    print(known.caption[lang])
    print(*(f"  {sentence}" for sentence in drawn.numbers), sep="\n")
    print(out)


def _list(given: argparse.Namespace) -> None:
    from latentia.plots.sentences import language
    from latentia.theory.figures import lectures, records

    shown = [r for r in records() if _is_asked_for(r, given.lecture, given.topic)]
    if not shown:
        words = {word for each in records() for word in _words(each).split() if len(word) > 2}
        close = nearest(given.topic, sorted(words))
        raise InputError(f"no figure has '{given.topic}' in its title, topic or name{close}")
    if given.json:
        print(json.dumps([vars(r) | {"rows": list(r.rows)} for r in shown], ensure_ascii=False))
        return
    lang, width = language(given.lang), max(len(r.name) for r in shown)
    for number, title in lectures().items():
        own = [r for r in shown if number in r.lectures]
        if own and given.lecture in (None, number):
            print(f"{number}  {title[lang]}")
            print(*(f"  {r.name:<{width}}  {r.title[lang]}" for r in own), sep="\n")


def _words(record: Record) -> str:
    from latentia.theory.figures import lecture_rows

    topics = (f"{lecture_rows()[row]['topic']} {lecture_rows()[row]['heading']}"
              for row in record.rows)  # fmt: skip
    return " ".join((record.name, *record.title.values(), *topics)).lower()


def _is_asked_for(record: Record, lecture: str | None, topic: str | None) -> bool:
    if lecture is not None and lecture not in record.lectures:
        return False
    return topic is None or all(word in _words(record) for word in topic.lower().split())
