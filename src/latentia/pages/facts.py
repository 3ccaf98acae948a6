"""What stands in every exported file: which model, learnt from what, by which version."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from latentia.data.named import describe, names
from latentia.models.exported import Exported
from latentia.models.own_parts import told
from latentia.pages.provenance import SCORES, recorded
from latentia.training.config import versions

FACTS = "latentia.json"
"""The file within a .pt2 that holds them."""
OF_NO_RUN: Mapping[str, Any] = {}


def facts_of(model: Any) -> dict[str, Any]:
    """Return what is known of a fitted model, as JSON has it."""
    learnt = vars(model)
    facts: dict[str, Any] = {
        "model": type(model).__name__,
        "parameters": {name: _plain(value) for name, value in told(model).items()},
        "n_parameters": int(model.n_parameters()),
        "versions": dict(versions()),
    }
    if "data_shape_" in learnt:
        facts["data_shape"] = list(map(int, model.data_shape_))
    if "symbols_" in learnt:
        facts["symbols"] = list(model.symbols_)
        facts["first"] = [float(p) for p in model.frequencies_]
    return facts


def facts_of_run(run: Path) -> dict[str, Any]:
    """Return what a run's folder says of its training: the data, their licence, and figures.

    A folder that holds a model alone says nothing.
    """
    config, figures = recorded(run)
    if config is None:
        return {}
    origin = config.data
    spec = str(origin.get("spec", ""))
    # Where the data lie on the machine of the training is nobody's business.
    data = {"name": ",".join(Path(part).name for part in spec.split(","))}
    if spec in names():
        known = describe(spec)
        data |= {"origin": known.origin, "licence": known.licence}
    if "samples" in origin:
        data["samples"] = origin["samples"]
    return {"data": data, "figures": {key: figures[key] for key in SCORES if key in figures}}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def facts_of_function(
    model: Any,
    function: Exported,
    found: Mapping[str, float],
    limits: Mapping[str, float],
    of_run: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the facts of a file with one function: what goes in and comes out, in which units."""
    return {
        **facts_of(model),
        **of_run,
        "function": function.name,
        "inputs": [asdict(quantity) for quantity in function.inputs],
        "outputs": [asdict(quantity) for quantity in function.outputs],
        "difference": found[function.name],
        "allowed": limits[function.name],
    }
