"""The reliability of scales from a file to a page: read, key, compute, explain, write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from latentia.data.options import chosen
from latentia.errors import InputError
from latentia.evaluation.factor_report import MOST_DRAWN, Observed, refuse_weights
from latentia.evaluation.table_writing import Columns, write_sheets, write_table
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.hierarchical import Method
from latentia.models.factors.reliability import reliability, reliability_of_covariance
from latentia.models.factors.reliability_summary import Reliability, label, meanings, overview
from latentia.models.factors.summary import Part
from latentia.plots.factors import loadings_heat_map
from latentia.plots.page import Drawing, Picture, template, write_page
from latentia.plots.style import svg
from latentia.training.config import versions

WHOLE = "all items"
"""What the scale is called that has every column."""
LONGEST_SCALE, USUAL_LEVEL = 60, 0.95


@dataclass(frozen=True)
class Scale:
    """A scale's name, its items, and those of them that are to be turned round."""

    name: str
    items: tuple[str, ...]
    reverse: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """(n, p) rows, NaN where a cell is empty, and the names of their columns."""

    columns: tuple[str, ...]
    rows: NDArray[np.float64]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.float64]:
        """Return the rows."""
        return np.array(self.rows, dtype=dtype)


def scales_of(observed: Observed, specs: Sequence[str], reverse: Sequence[str]) -> list[Scale]:
    """Return the scales that ``NAME=ITEMS`` words tell, or one of all columns.

    Items are columns as of ``--columns``, with commas between them; a minus before one turns it
    round, as ``reverse`` does in whichever scale has it.
    """
    names = _names(observed)
    turned = chosen(reverse, names, "reverse", observed.name)
    if not specs:
        return [Scale(WHOLE, tuple(names), tuple(turned))]
    found = [_scale(spec, names, turned, observed.name) for spec in specs]
    for i, scale in enumerate(found):
        if scale.name in [other.name for other in found[:i]]:
            raise InputError(f"--scales: two scales are called {scale.name!r}; rename one")
    unused = [item for item in turned if not any(item in scale.items for scale in found)]
    if unused:
        raise InputError(f"--reverse {unused[0]}: no scale has this item; leave it out")
    return found


def scales_of_factors(model: FactorAnalysis, observed: Observed, least: float) -> list[Reliability]:
    """Return the reliability of the variables that load on each factor most, by ``least`` or more.

    Those with negative loadings are turned round. A factor with fewer than two has no scale, and
    neither have images, nor rows with weights.
    """
    if len(model.data_shape_) > 1 or observed.weights is not None:
        return []
    names, loadings = model.variable_names(), model.standardized_loadings_
    size = np.abs(loadings)
    own, found = np.where(size.max(axis=1) >= least, size.argmax(axis=1), -1), []
    for j in range(model.n_latent):
        places = np.flatnonzero(own == j)
        items = tuple(names[i] for i in places)
        reverse = tuple(names[i] for i in places if loadings[i, j] < 0)
        if len(items) >= 2:
            found.append(Scale(f"F{j + 1}", items, reverse))
    return measured(
        observed,
        found,
        reverse_found=False,
        missing=None,
        n_factors=1,
        method="minres",
        level=None,
    )


def _scale(spec: str, names: Sequence[str], turned: Sequence[str], owner: str) -> Scale:
    name, sign, rest = spec.partition("=")
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    if not (sign and name.strip() and parts) or len(name) > LONGEST_SCALE:
        raise InputError(
            f"--scales {spec!r}: write NAME=ITEMS, such as agreeable=A1:A5, with a minus before "
            "items to reverse, agreeable=-A1,A2:A5"
        )
    items, reverse = list[str](), [*turned]
    for part in parts:
        minus = part.startswith("-") and part not in names
        meant = chosen([part[minus:]], names, "scales", owner)
        if minus and (twice := [item for item in meant if item in turned]):
            raise InputError(f"{twice[0]!r} has a minus in --scales and is in --reverse: give one")
        items += meant
        reverse += meant if minus else []
    kept = tuple(dict.fromkeys(items))
    return Scale(name.strip(), kept, tuple(item for item in kept if item in reverse))


def _names(observed: Observed) -> list[str]:
    if observed.matrix is not None:
        return list(observed.matrix.columns)
    columns = getattr(observed.rows, "column_names", None)
    if columns is not None:
        return [*map(str, columns)]
    shape = np.shape(observed.rows)
    if len(shape) != 2:
        raise InputError(f"{observed.name} holds arrays of shape {shape[1:]}; items are columns")
    return [f"x{j}" for j in range(shape[1])]


def measured(
    observed: Observed,
    scales: Sequence[Scale],
    *,
    reverse_found: bool,
    missing: Literal["pairwise", "complete"] | None,
    n_factors: int | None,
    method: Method,
    level: float | None,
    correlation: Literal["pearson", "polychoric"] = "pearson",
) -> list[Reliability]:
    """Return the reliability of each scale of rows or of a matrix."""
    refuse_weights(observed, "reliability")
    if observed.matrix is not None:
        if correlation == "polychoric":
            raise InputError("correlation is 'polychoric': it is for rows, and this is a matrix")
        if missing is not None:
            raise InputError(f"missing is {missing!r}: it is for rows, and this is a matrix")
        if level is not None and observed.n_samples is None:
            raise InputError(f"level is {level}: without --n-samples α of a matrix has no interval")
        return [
            reliability_of_covariance(
                observed.matrix.of(scale.items),
                observed.n_samples,
                reverse=scale.reverse,
                reverse_found=reverse_found,
                n_factors=n_factors,
                method=method,
                level=USUAL_LEVEL if level is None else level,
                name=scale.name,
            )
            for scale in scales
        ]
    return [
        reliability(
            _rows(observed, scale.items),
            reverse=scale.reverse,
            reverse_found=reverse_found,
            missing=missing or "pairwise",
            n_factors=n_factors,
            method=method,
            level=USUAL_LEVEL if level is None else level,
            name=scale.name,
            correlation=correlation,
        )
        for scale in scales
    ]


def _rows(observed: Observed, items: Sequence[str]) -> Frame:
    if getattr(observed.rows, "column_names", None) is not None:
        return Frame((*items,), np.column_stack([observed.rows[item] for item in items]))
    places = [int(item[1:]) for item in items]
    return Frame((*items,), np.asarray(observed.rows, dtype=np.float64)[:, places])


def text_of(found: Sequence[Reliability]) -> str:
    """Return all scales as aligned text, the figures explained once."""
    return "\n\n\n".join(map(str, (*_parts(found), meanings(found))))


def _parts(found: Sequence[Reliability]) -> Iterator[Part]:
    if len(found) > 1:
        yield Part(f"Reliability of {len(found)} scales", (overview(found),))
    for scale in found:
        yield scale.part(explained=False)


def write_reliability_page(
    folder: Path, title: str, found: Sequence[Reliability], notes: Sequence[str] = ()
) -> Path:
    """Write ``report.html``, whole or not at all."""
    told = meanings(found)
    explained = Part(told.title, (), tuple(told.note.splitlines()))
    parts = [part.to_html(page=False) for part in (*_parts(found), explained)]
    page = template("factor.html").render(
        title=title,
        verb="reliability",
        facts={"made with": ", ".join(f"{k} {v}" for k, v in versions().items())},
        suggestion=None,
        # The summary's own template has escaped every name in it.
        summary=Markup("<hr>".join(parts)),
        parts=[],
        notes=notes,
        errors=None,
        pictures=list(_pictures(found)),
    )
    return write_page(folder / "report.html", page)


def _pictures(found: Sequence[Reliability]) -> Iterator[Picture]:
    for scale in found:
        w = scale.omega
        if w is None or w.solution is None or len(scale.variable_names) > MOST_DRAWN:
            continue
        loadings = np.column_stack([w.solution.general, w.solution.groups])
        names = [label(scale, i) for i in range(len(loadings))]
        factors = ["g", *(f"G{j + 1}" for j in range(w.n_groups))]
        caption = f"{scale.name}: loadings on the general factor g and on the group factors."
        drawn = svg(loadings_heat_map(loadings, names, factors), caption)
        yield Picture(f"Schmid–Leiman, {scale.name}", caption, drawing=Drawing(drawn))


def write_reliability_tables(folder: Path, found: Sequence[Reliability]) -> tuple[str, ...]:
    """Write ``scales.csv``, ``items.csv`` and ``reliability.xlsx``; return what was not written."""
    tables: dict[str, Columns] = {"scales": _of_scales(found), "items": _of_items(found)}
    for name, columns in tables.items():
        write_table(folder / f"{name}.csv", columns)
    try:
        write_sheets(folder / "reliability.xlsx", tables)
    except InputError as error:
        return (f"reliability.xlsx was not written: {error}.",)
    return ()


def _of_scales(found: Sequence[Reliability]) -> Columns:
    figures = {
        "items": [len(r.variable_names) for r in found],
        "n": [r.n_samples for r in found],
        "alpha": [r.alpha for r in found],
        "alpha_low": [r.alpha_low for r in found],
        "alpha_high": [r.alpha_high for r in found],
        "alpha_standardized": [r.standardized_alpha for r in found],
        "guttman_6": [r.guttman_6 for r in found],
        "greatest_lower_bound": [r.greatest_lower_bound for r in found],
        "mean_correlation": [r.mean_correlation for r in found],
        "median_correlation": [r.median_correlation for r in found],
        "omega_one_factor": [r.omega_one_factor for r in found],
        "omega_total": [r.omega.total if r.omega else np.nan for r in found],
        "omega_hierarchical": [r.omega.hierarchical if r.omega else np.nan for r in found],
        "omega_factors": [r.omega.n_groups if r.omega else 0 for r in found],
    }
    return {"scale": np.array([r.name for r in found])} | {
        k: np.array(v) for k, v in figures.items()
    }


def _of_items(found: Sequence[Reliability]) -> Columns:
    words = {
        "scale": [r.name for r in found for _ in r.variable_names],
        "item": [item for r in found for item in r.variable_names],
        "reversed": [str(item in r.reversed).lower() for r in found for item in r.variable_names],
        "against": [str(item in r.against).lower() for r in found for item in r.variable_names],
    }
    figures = {
        "n": [r.items.n for r in found],
        "mean": [r.items.mean for r in found],
        "deviation": [r.items.deviation for r in found],
        "item_rest": [r.items.item_rest for r in found],
        "alpha_if_dropped": [r.items.alpha_if_dropped for r in found],
        "first_component": [r.items.first_component for r in found],
    }
    return {k: np.array(v) for k, v in words.items()} | {
        k: np.concatenate(v) for k, v in figures.items()
    }
