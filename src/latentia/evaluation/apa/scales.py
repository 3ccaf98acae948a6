"""The reliability of scales as tables of the APA: scales, items, general and group loadings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from latentia.evaluation.apa.table import Cell, Column, Row, Styled, Table, joined, styled
from latentia.evaluation.apa.wording import wording
from latentia.models.factors.reliability_summary import Reliability

REVERSED, AGAINST = " (R)", " (−)"


def scale_tables(scales: Sequence[Reliability], language: str) -> tuple[Table, ...]:
    """Return a table of the scales, one of the items of each, and one of each one's hierarchy."""
    words = wording(language)
    found = [reliability_table(scales, language, styled(words["reliability title"]))]
    for place, scale in enumerate(scales, start=1):
        found.append(_items(scale, f"items-{place}", words))
        found += _hierarchy(scale, f"hierarchy-{place}", words)
    return tuple(found)


def reliability_table(
    scales: Sequence[Reliability], language: str, title: Styled, note: Styled = ()
) -> Table:
    """Return one row for each scale; ω by several factors stands there where a scale has it."""
    words, level = wording(language), f"{100 * scales[0].level:.6g}"
    interval = styled(words["interval"], {"level": level})
    several = any(scale.omega is not None and scale.omega.solution is not None for scale in scales)
    columns = [Column(styled(words["scale"])), Column(styled(words["items"]))]
    columns += [Column(styled("*N*")), Column(styled("α"))]
    columns += [Column(styled(words[end]), interval) for end in ("low", "high")]
    columns.append(Column(styled(words["omega"])))
    keys = ["reliability note", *["polychoric"] * any(scale.polychoric for scale in scales)]
    if several:
        columns += [Column(styled(words[f"omega {which}"])) for which in ("total", "hierarchical")]
        keys.append("omega note")
    columns.append(Column(styled(words["mean r"])))
    rows = tuple(_scale(scale, several) for scale in scales)
    told = [styled(words[key]) for key in keys]
    return Table("reliability", title, tuple(columns), rows, joined([*told, note], " "))


def _scale(scale: Reliability, several: bool) -> Row:
    figures = [scale.alpha, scale.alpha_low, scale.alpha_high, scale.omega_one_factor]
    if several:
        w, nan = scale.omega, math.nan
        figures += [nan, nan] if w is None else [w.total, w.hierarchical]
    figures.append(scale.mean_correlation)
    return (
        Cell(scale.name),
        Cell(len(scale.variable_names), "count"),
        Cell(float(scale.n_samples or math.nan), "count"),
        *(Cell(x, "bounded") for x in figures),
    )


def _label(scale: Reliability, item: str) -> str:
    return item + REVERSED * (item in scale.reversed) + AGAINST * (item in scale.against)


def _marks(scale: Reliability, words: Mapping[str, str]) -> Iterator[Styled]:
    if scale.reversed:
        yield styled(words["reversed note"])
    if scale.against:
        yield styled(words["against note"])


def _items(scale: Reliability, name: str, words: Mapping[str, str]) -> Table:
    items = scale.items
    heads = (words["item"], "*n*", "*M*", "*SD*", words["item rest"], words["alpha without"])
    rows = tuple(
        (
            Cell(_label(scale, item)),
            Cell(float(items.n[i]), "count"),
            Cell(float(items.mean[i]), "number"),
            Cell(float(items.deviation[i]), "number"),
            Cell(float(items.item_rest[i]), "bounded"),
            Cell(float(items.alpha_if_dropped[i]), "bounded"),
        )
        for i, item in enumerate(scale.variable_names)
    )
    note = joined([styled(words["items note"]), *_marks(scale, words)], " ")
    title = styled(words["items title"], {"name": scale.name})
    return Table(name, title, tuple(Column(styled(head)) for head in heads), rows, note)


def _hierarchy(scale: Reliability, name: str, words: Mapping[str, str]) -> Iterator[Table]:
    w = scale.omega
    if w is None or w.solution is None:
        return
    g, S = w.solution.general, w.solution.groups
    group = styled(words["group"])
    columns = (
        Column(styled(words["item"])),
        Column(styled(words["general"])),
        *(Column(styled(f"G{j + 1}"), group) for j in range(w.n_groups)),
        Column(styled(words["uniqueness"])),
    )
    rows = tuple(
        (
            Cell(_label(scale, item)),
            *(Cell(float(x), "bounded") for x in (g[i], *S[i], w.uniquenesses[i])),
        )
        for i, item in enumerate(scale.variable_names)
    )
    note = joined([styled(words["hierarchy note"]), *_marks(scale, words)], " ")
    yield Table(name, styled(words["hierarchy title"], {"name": scale.name}), columns, rows, note)
