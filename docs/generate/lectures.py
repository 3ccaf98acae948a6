"""A page for each lecture, made from the registry of figures, and the glossary and the errors.

Titles, captions and numbers are the registry's, in the page's language. Pictures are those that
``latentia figure`` draws, and beside those that can be moved or played stands their page; they are
kept between builds in one folder, and the reduced build shows those that it finds there.
"""

from __future__ import annotations

import csv
import importlib
import inspect
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

WORDS = {
    "en": {
        "rows": "Rows of the lecture",
        "draw": "Draw it",
        "code": "The code that draws it",
        "data": "It needs data of your own",
        "live": "Move it and play its models",
        "missing": "This build left the picture out; the command above draws it.",
        "others": "Shown elsewhere",
        "others_about": "What else this lecture shows, and where it is found.",
        "also": "Figures that this lecture shares with another",
        "row": "row",
        "what": "what the slide shows",
        "intro": "Its figures, in the order of the slides. Each is one command. "
        "With `--out NAME.html` it is a page in which models are played and the figure is moved.",
    },
    "ko": {
        "rows": "강의에서의 위치",
        "draw": "그리기",
        "code": "이 그림을 그리는 코드",
        "data": "직접 준비한 데이터가 필요합니다",
        "live": "직접 움직이고 모델을 다뤄 보기",
        "missing": "이번 빌드에서는 그림을 넣지 않았습니다. 위의 명령으로 그릴 수 있습니다.",
        "others": "다른 곳에서 다루는 내용",
        "others_about": "이 강의에 나오는 나머지 내용입니다.",
        "also": "다른 강의와 함께 쓰는 그림",
        "row": "번호",
        "what": "슬라이드의 내용",
        "intro": "슬라이드 순서대로 모은 그림입니다. 그림마다 명령 하나로 그릴 수 있습니다. "
        "`--out 이름.html`을 붙이면 모델을 직접 움직여 보는 페이지가 됩니다.",
    },
}
ERRORS = {
    "en": {"said": "The slide says", "right": "What is right", "shown": "What shows it"},
    "ko": {"said": "슬라이드의 설명", "right": "바른 설명", "shown": "확인한 것"},
}


def write_lectures(source: Path, language: str, figures: Path, full: bool) -> None:
    """Write the pages of the lectures, the glossary and the errors, in one language."""
    folder = source / "lectures"
    write_glossary(folder, language)
    write_errors(folder, language)
    registry = importlib.import_module("latentia.theory.figures")
    for number, title in registry.lectures().items():
        page = lecture_page(registry, number, title[language], language, figures, folder, full)
        (folder / f"{number}.md").write_text(page, "utf-8")


def lecture_page(
    registry: Any, number: str, title: str, language: str, figures: Path, folder: Path, full: bool
) -> str:
    """Return the page of a lecture."""
    words = WORDS[language]
    own = [each for each in registry.records() if each.lectures[0] == number]
    others = [r for r in registry.records() if number in r.lectures and r not in own]
    parts = [f"# {title}", words["intro"]]
    for record in own:
        parts += [f"({record.name})=", f"## {record.title[language]}", record.caption[language]]
        parts += [f"```console\n$ latentia figure {record.name}{_flag(language)}\n```"]
        parts += picture(registry, record, language, figures, folder, full)
        parts += [
            f"*{words['rows']}: {', '.join(record.rows)}*",
            code_of(registry, record, words["code"]),
        ]
    if others:
        parts += [f"## {words['also']}"]
        parts += ["\n".join(f"- [{r.title[language]}](#{r.name})" for r in others)]
    shown = {row for each in registry.records() for row in each.rows}
    left = {k: v for k, v in registry.lecture_rows().items() if k[:3] == number and k not in shown}
    if left:
        parts += [f"## {words['others']}", words["others_about"]]
        rows = [
            f"| {row} | {_caption(each, language)} | {_run(each)} |" for row, each in left.items()
        ]
        heads = f"| {words['row']} | {words['what']} | {words['draw']} |\n|---|---|---|\n"
        parts += [heads + "\n".join(rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _flag(language: str) -> str:
    return "" if language == "en" else f" --lang {language}"


def _caption(row: dict[str, Any], language: str) -> str:
    caption = row["caption"]
    return str(caption[language] if isinstance(caption, dict) else caption).replace("|", "\\|")


def _run(row: dict[str, Any]) -> str:
    return f"`{row['run']}`" if "run" in row else ""


def picture(
    registry: Any, record: Any, language: str, figures: Path, folder: Path, full: bool
) -> list[str]:
    """Return a figure's picture and the numbers that it found, drawn if they are to be."""
    words = WORDS[language]
    if record.data:
        return [f"{words['data']}: {record.data[language]}"]
    drawn, said = (figures / f"{record.name}-{language}.{kind}" for kind in ("png", "json"))
    if full and not (drawn.exists() and said.exists()):
        _draw(registry, record.name, figures)
    if not drawn.exists():
        return [f"*{words['missing']}*"]
    shutil.copy(drawn, folder / drawn.name)
    live = []
    if (page := drawn.with_suffix(".html")).exists():
        extra = folder.parent / "_extra" / "live"
        extra.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, extra / f"{record.name}.html")
        live = [f'<p><a href="../live/{record.name}.html">{words["live"]}</a></p>']
    numbers = json.loads(said.read_text("utf-8")) if said.exists() else []
    alt = record.caption[language].replace("]", "").replace("[", "")
    return [
        f":::{{container}} wide\n![{alt}]({drawn.name}){{.lecture}}\n:::",
        *live,
        "\n".join(f"- {_plain(each)}" for each in numbers),
    ]


def _draw(registry: Any, name: str, figures: Path) -> None:
    """Draw a figure, which may take minutes, once for both languages."""
    from latentia.pages.lecture_figure import write_figure
    from latentia.plots.style import png_bytes

    figures.mkdir(parents=True, exist_ok=True)
    made = registry.draw(name, "en")
    for language in ("en", "ko"):
        if language == "ko":
            registry.translate(made)
        (figures / f"{name}-{language}.png").write_bytes(png_bytes(made.figure))
        numbers = json.dumps(made.numbers, ensure_ascii=False)
        if made.sheet.models or made.sheet.moved[0] or made.record.lab:
            write_figure(figures / f"{name}-{language}.html", made, language)
        (figures / f"{name}-{language}.json").write_text(numbers, "utf-8")


def _plain(text: str) -> str:
    return text.replace("*", "\\*").replace("_", "\\_").replace("<", "\\<")


def code_of(registry: Any, record: Any, label: str) -> str:
    """Return the source of the function that draws a figure, folded."""
    module = importlib.import_module(f"{registry.__name__}.{record.home}")
    source = inspect.getsource(getattr(module, record.name.replace("-", "_")))
    return f"<details><summary>{label}</summary>\n\n```python\n{source}```\n\n</details>"


def write_glossary(folder: Path, language: str) -> None:
    """Write the glossary's table below its introduction."""
    path = folder / "glossary.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    path.unlink()
    heads = {
        "en": "| English | 한국어 | in Latentia |",
        "ko": "| 한국어 | English | Latentia에서 |",
    }
    keys = (
        ("english", "korean", "latentia") if language == "en" else ("korean", "english", "latentia")
    )
    lines = [
        "| " + " | ".join(row[key].replace("|", "\\|") for key in keys) + " |"
        for row in sorted(rows, key=lambda row: row["english"].lower() if language == "en" else "")
    ]
    page = folder / "glossary.md"
    table = "\n".join([heads[language], "|---|---|---|", *lines])
    page.write_text(f"{page.read_text('utf-8')}\n{table}\n", "utf-8")


def commands_of(error: dict[str, Any], language: str) -> str:
    """Return the commands that show an error: a figure that must exist, or a script."""
    lines = []
    if "figure" in error:
        importlib.import_module("latentia.theory.figures").record(error["figure"])
        lines.append(f"$ latentia figure {error['figure']}{_flag(language)}")
    lines += [f"$ {error['run']}"] if "run" in error else []
    return "```console\n" + "\n".join(lines) + "\n```" if lines else ""


def write_errors(folder: Path, language: str) -> None:
    """Write what the slides and the tutorials get wrong, by weight."""
    path = folder / "errors.toml"
    known = tomllib.loads(path.read_text("utf-8"))
    path.unlink()
    page = folder / "errors.md"
    parts = [page.read_text("utf-8").strip()]
    for key in ("severe", "false", "imprecise"):
        part = known[key]
        parts += [f"## {part['title'][language]}", part["about"][language]]
        for each in part["errors"]:
            lines = [f"*{each['where'][language]}*"]
            lines += [
                f"{label}\n: {each[name][language]}"
                for name, label in ERRORS[language].items()
                if name in each
            ]
            parts += ["### " + each["name"][language], *lines, commands_of(each, language)]
    page.write_text("\n\n".join(parts) + "\n", "utf-8")
