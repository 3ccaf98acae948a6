"""One self-contained HTML page: no script, no request, every number's definition one press away."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentia.evaluation import verdict, wording
from latentia.evaluation.model_section import ModelSection
from latentia.metrics.definitions import DEFINITIONS, Definition
from latentia.metrics.estimates import Estimate
from latentia.plots.latent_pictures import errors_by_size
from latentia.plots.page import PIXELATED, Picture, data_uri, format_number, template, write_page

SCRIPT = re.compile(r"script-src ('sha256-[\w+/=]+')")
"""What the policy of a live page allows."""
MOST_COLUMNS = 11
"""Models beside each other in a table; of more, each row is a list."""


@dataclass(frozen=True)
class Report:
    """The whole page: a data line, the models' sections, notes, and what made it, folded away."""

    title: str
    line: str
    """What was done with which data, in a line."""
    facts: Mapping[str, str]
    """Data, seed, versions, checksums."""
    sections: tuple[ModelSection, ...]
    notes: tuple[str, ...] = ()
    """What was assumed, left out or changed, and what figures must be quoted with."""
    command: str = ""
    """The words that make the report again."""
    images: bool = True
    """Whether samples are images, or rows of a table."""
    compared: bool = False
    """Whether the models are set against each other, which opens with a verdict."""
    test_images: tuple[bytes, ...] = ()
    n_test: int = 0
    size: tuple[int, int] = (0, 0)
    """Width and height of an image."""


@dataclass(frozen=True)
class Strip:
    """The same images of every model, under each other."""

    title: str
    measure: str
    lines: Sequence[Mapping[str, Any]]
    caption: str


@dataclass(frozen=True)
class Row:
    """A metric: its definition, and for each model a figure, in words, or why there is none."""

    definition: Definition
    cells: Sequence[Mapping[str, Any]]


def write_report(path: Path, report: Report) -> Path:
    """Write the page, whole or not at all; every number in it must have a definition."""
    unknown = {key for section in report.sections for key in section.metrics} - set(DEFINITIONS)
    if unknown:
        raise KeyError(f"no definition for {sorted(unknown)}")
    sections, side = _beside(report)
    several = report.compared and len(sections) > 1
    groups = rows_by_subject(report.sections)
    shown = {row.definition.key for rows in groups.values() for row in rows}
    page = template("report.html").render(
        report=report,
        scripts=_scripts(report.sections),
        sections=[_shown(s, report, shown) for s in sections],
        anchors={s.name: f"model-{i}" for i, s in enumerate(report.sections, 1)},
        verdict=verdict.verdict(report.sections, report.images) if several else (),
        winners=verdict.winners(report.sections) if several else (),
        warnings=verdict.warnings(report.sections, report.images) if several else (),
        strips=_strips(report) if several else (),
        side=side,
        groups=groups,
        headings=wording.GROUPS,
        starred=any(cell.get("best") for rows in groups.values() for r in rows for cell in r.cells),
        definitions=[d for d in DEFINITIONS.values() if any(d.key in s.metrics for s in sections)],
        listed=len(sections) > MOST_COLUMNS,
        smooth=max(report.size) > PIXELATED,
        words=wording.WORDS,
    )
    return write_page(path, page)


def _scripts(sections: Sequence[ModelSection]) -> list[str]:
    """Return the hashes of the scripts of the models that are embedded, and of no other."""
    return sorted({found for s in sections for found in SCRIPT.findall(s.live)})


def _beside(report: Report) -> tuple[Sequence[ModelSection], Sequence[Picture]]:
    """Return the sections, and of a table the linear models' loadings, which stand side by side."""
    if report.images or not report.compared:
        return report.sections, ()
    kept, side = list[ModelSection](), list[Picture]()
    for section in report.sections:
        own = [p for p in section.pictures if p.title != wording.LOADINGS]
        side += [
            replace(p, title=section.title) for p in section.pictures if p.title == wording.LOADINGS
        ]
        kept.append(replace(section, pictures=tuple(own)))
    return kept, side


def _shown(section: ModelSection, report: Report, in_table: set[str]) -> dict[str, Any]:
    """Return a section with its chips, PCA's curve, and the figures that the table leaves out."""
    pictures = list(section.pictures)
    if section.errors_by_size:
        others = {
            s.short: (s.n_latent, s.metrics["squared_error"])
            for s in report.sections
            if s.n_latent is not None
            and s.encodes
            and "squared_error" in s.metrics
            and s.name != section.name
        }
        pictures.append(errors_by_size(section.errors_by_size, others))
    chips = [
        {
            "value": format_number(section.metrics[key]),
            "label": label,
            "best": section in verdict.best(report.sections, key),
        }
        for key, label in wording.CHIPS.items()
        if key in section.metrics
    ]
    rest = [
        (DEFINITIONS[key], format_number(value))
        for key, value in section.metrics.items()
        if key not in in_table
    ]
    # The time always stands last.
    chips = chips[: wording.MOST_CHIPS - 1] + chips[wording.MOST_CHIPS - 1 :][-1:]
    folded = {
        "parameters": wording.plural(len(section.parameters), "parameter"),
        "more": wording.plural(len(rest) + len(section.more), "more measurement"),
    }
    return {"s": section, "pictures": pictures, "chips": chips, "rest": rest} | folded


def rows_by_subject(sections: Sequence[ModelSection]) -> dict[str, list[Row]]:
    """Return the table's rows by what they tell of; a figure of one model among several is none."""
    least = min(2, len(sections))
    found = {}
    for group, (_, keys) in wording.GROUPS.items():
        rows = [
            _row(DEFINITIONS[key], sections)
            for key in keys
            if sum(key in s.metrics for s in sections) >= least
        ]
        if rows:
            found[group] = rows
    return found


def _row(definition: Definition, sections: Sequence[ModelSection]) -> Row:
    key, cells = definition.key, list[dict[str, Any]]()
    best = {s.name for s in verdict.best(sections, key)}
    for section in sections:
        if key not in section.metrics:
            reason = definition.absent or wording.WORDS["unmeasured"]
            cells.append({"model": section.short, "reason": reason})
            continue
        value = section.metrics[key]
        exact = repr(float(value))
        if isinstance(value, Estimate) and len(value.values) > 1:
            error = format_number(value.standard_error)
            exact += f" ± {error} ({wording.WORDS['error']})"
        text = format_number(value)
        known = {"model": section.short, "text": text, "exact": exact}
        cells.append(known | {"best": section.name in best})
    return Row(definition, cells)


def _strips(report: Report) -> list[Strip]:
    """Return the test images as each model rebuilds them, and what each draws, best first."""
    units, found = wording.UNITS[report.images][1], list[Strip]()
    rebuilt = [s for s in report.sections if s.rebuilt]
    if rebuilt and report.test_images:
        n = len(report.test_images)
        found.append(
            Strip(
                wording.REBUILT.format(n=wording.number(n), units=units),
                wording.ERROR_DOWN,
                _lines(rebuilt, "squared_error", "rebuilt"),
                wording.ORDERED_ERROR.format(n=f"{report.n_test:,}", units=units),
            )
        )
    drawn = [s for s in report.sections if s.drawn]
    if drawn:
        without = [s.spoken for s in report.sections if s.encodes and not s.drawn]
        caption = wording.ORDERED_DISTANCE.format(units=units)
        if without:
            have, draw = ("has", "draws") if len(without) == 1 else ("have", "draw")
            said = wording.NO_PRIOR.format(names=wording.listed(without), have=have, draw=draw)
            caption += f" {said[:1].upper()}{said[1:]}"
        n = max(len(s.drawn) for s in drawn)
        lines = _lines(drawn, "frechet_distance", "drawn")
        title = wording.DRAWN.format(n=wording.number(n), units=units)
        found.append(Strip(title, wording.DISTANCE_DOWN, lines, caption))
    return found


def _lines(sections: Sequence[ModelSection], key: str, what: str) -> list[dict[str, Any]]:
    best = {s.name for s in verdict.best(sections, key)}
    in_order = verdict.ordered(sections, key)
    in_order += [s for s in sections if s not in in_order]
    return [
        {
            "section": s,
            "uris": [data_uri(image) for image in getattr(s, what)],
            "label": f"{wording.WORDS[what]} {s.title}",
            "value": format_number(s.metrics[key]) if key in s.metrics else "",
            "best": s.name in best,
        }
        for s in in_order
    ]
