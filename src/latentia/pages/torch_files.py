"""A fitted model's functions as `torch.export` keeps them, for torch in Python and C++."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from latentia.pages.agreement import allowed, differences, refuse_other
from latentia.pages.facts import FACTS, OF_NO_RUN, facts_of_function
from latentia.pages.graphs import chosen, frozen, quiet, traced
from latentia.pages.named import Written, places, write_all
from latentia.pages.program import Precision


def write(
    model: Any,
    out: Path,
    only: Sequence[str],
    precision: Precision,
    overwrite: bool,
    of_run: Mapping[str, Any] = OF_NO_RUN,
) -> list[Written]:
    """Write a file for each function, with the facts beside it, and return them."""
    twin, contents = frozen(model), dict[Written, bytes]()
    functions = chosen(twin.exported(), only)
    paths = places(out, functions, overwrite)
    for function in functions:
        stream = io.BytesIO()
        graph = traced(twin, function)
        with quiet():
            torch.export.save(graph, stream)
            stream.seek(0)
            again = torch.export.load(stream).module()
        found = {function.name: differences(twin, function, partial(run, again))}
        limits = allowed("single", twin, found)
        refuse_other(found, limits)
        facts = facts_of_function(model, function, found, limits, of_run)
        with quiet():
            whole = io.BytesIO()
            torch.export.save(graph, whole, extra_files={FACTS: json.dumps(facts)})
        written = Written(paths[function.name], found, limits, 32)
        contents[written] = whole.getvalue()
    return write_all(contents)


def run(graph: nn.Module, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
    """Return what a graph gives."""
    with torch.no_grad(), quiet():
        found = graph(*(torch.from_numpy(np.ascontiguousarray(x)) for x in inputs))
    return [part.numpy() for part in found]
