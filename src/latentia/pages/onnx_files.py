"""A fitted model's functions as ONNX, by torch's exporter, and tried in ONNX Runtime at once.

References
----------
.. [1] ONNX, Open Neural Network Exchange, operator set 18, https://onnx.ai.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.models.exported import Exported
from latentia.pages.agreement import allowed, differences, refuse_other
from latentia.pages.facts import OF_NO_RUN, facts_of_function
from latentia.pages.graphs import chosen, frozen, quiet, sides_of, traced
from latentia.pages.named import Written, places, write_all
from latentia.pages.program import Precision

OPSET = 18
"""The operator set: the first that torch's exporter writes, which most software of today reads."""
MISSING = "ONNX takes further packages: pip install 'latentia[onnx]'"


def write(
    model: Any,
    out: Path,
    only: Sequence[str],
    precision: Precision,
    overwrite: bool,
    of_run: Mapping[str, Any] = OF_NO_RUN,
) -> list[Written]:
    """Write a file for each function, its facts in the metadata, and return them."""
    if not all(map(find_spec, ("onnx", "onnxruntime", "onnxscript"))):
        raise InputError(MISSING)
    from onnxruntime import InferenceSession

    twin, contents = frozen(model), dict[Written, bytes]()
    functions = chosen(twin.exported(), only)
    paths = places(out, functions, overwrite)
    for function in functions:
        proto = converted(twin, function)
        session = InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        found = {function.name: differences(twin, function, partial(run, session))}
        limits = allowed("onnx", twin, found)
        refuse_other(found, limits)
        for key, value in facts_of_function(model, function, found, limits, of_run).items():
            entry = proto.metadata_props.add()
            entry.key = key
            entry.value = value if isinstance(value, str) else json.dumps(value)
        written = Written(paths[function.name], found, limits, 32)
        contents[written] = proto.SerializeToString()
    return write_all(contents)


def converted(model: Any, function: Exported) -> Any:
    """Return a function as an ONNX model, its inputs and outputs by their names."""
    names = [quantity.name for quantity in function.inputs]
    # A state goes in and comes out, and no two values may have one name.
    outputs = [
        f"{quantity.name}_after" if quantity.name in names else quantity.name
        for quantity in function.outputs
    ]
    with quiet():
        program: Any = torch.onnx.export(
            traced(model, function),
            dynamo=True,
            opset_version=OPSET,
            input_names=names,
            output_names=outputs,
            verbose=False,
        )
    proto = program.model_proto
    name_sizes(proto.graph, function)
    return proto


def name_sizes(graph: Any, function: Exported) -> None:
    """Call the sizes that are free batch, height and width, where they have torch's own names."""
    names = dict[str, str]()
    for quantity, value in zip(function.inputs, graph.input):
        sizes = [size.dim_param for size in value.type.tensor_type.shape.dim]
        names[sizes[0]] = "batch"
        for axis, name in zip(sides_of(quantity), ("height", "width")) if quantity.free else ():
            # Of multiples it is how many.
            names[sizes[axis].rpartition("*")[2]] = name
    for value in (*graph.input, *graph.output, *graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = re.sub(
                    r"[a-z]\w*", lambda found: names.get(found[0], found[0]), size.dim_param
                )


def run(session: Any, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
    """Return what ONNX Runtime gives."""
    given = {part.name: values for part, values in zip(session.get_inputs(), inputs)}
    found: list[NDArray[Any]] = session.run(None, given)
    return found
