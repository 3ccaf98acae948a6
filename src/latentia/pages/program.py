"""A fitted model as a program that a page runs: functions of few operations, and their weights.

The document is plain JSON: a function is a list of operations, each with a name, references to what
it takes, and attributes. A reference of at least 0 is an input or an earlier operation of the
function, one below 0 a weight, −1 the first of the table. Weights are gzip in base64: first those
in 16 bits, then those in 32, of each the lowest bytes first. A weight whose entry in the table goes
on is multiplied, along an axis, by 32-bit numbers: where they begin, how many, each for how many.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentia.models.exported import Exported
from latentia.pages.agreement import allowed, differences, refuse_other
from latentia.pages.facts import facts_of
from latentia.pages.graphs import chosen, frozen, traced
from latentia.pages.interpreter import RUN, run
from latentia.pages.layers import Scaled, Value
from latentia.pages.named import Written
from latentia.pages.operations import values_of

Precision = Literal["auto", "half", "single"]
SMALL = 256
"""Weights of a tensor up to which 32 bits cost nothing, as of biases."""
LARGER = (2**16, 2**18)
"""Tensors of up to so many weights keep 32 bits where a function would else differ too much."""


@dataclass
class Program:
    """Functions of a model, and the table of their weights.

    Attributes
    ----------
    functions
        By name: inputs, outputs, operations, results.
    weights
        Tensors that the operations refer to; ``half`` says which are kept in 16 bits.
    scaled
        Of weights that are multiplied when they are read: the place of the factor, and its axis.
    facts
        What a reader should know of the model, and how far the program is from it.
    """

    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: list[Tensor] = field(default_factory=list)
    half: list[bool] = field(default_factory=list)
    scaled: dict[int, tuple[int, int]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        parts: dict[bool, list[NDArray[Any]]] = {True: [], False: []}
        lengths, table = {True: 0, False: 0}, list[list[Any]]()
        for weight, half in zip(self.weights, self.half):
            values = weight.numpy().astype("<f2" if half else "<f4").ravel()
            table.append([lengths[half], int(half), list(weight.shape)])
            parts[half].append(values)
            lengths[half] += values.size
        for place, (by, axis) in self.scaled.items():
            shape = self.weights[place].shape
            table[place] += [table[by][0], shape[axis], shape[axis + 1 :].numel()]
        raw = b"".join(in_planes(parts[half], 2 if half else 4) for half in (True, False))
        packed = base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode()
        return {
            "functions": self.functions,
            "table": table,
            "lengths": [lengths[False], lengths[True]],
            "weights": packed,
            "facts": self.facts,
        }

    def written(self, path: Path) -> Written:
        """Return what a file is that holds the program."""
        bits = 16 if any(self.half) else 32
        return Written(path, self.facts["differences"], self.facts["allowed"], bits)

    def stored_weights(self) -> list[Tensor]:
        """Return the weights as they are when they are read again."""
        read = [w.half().float() if half else w for w, half in zip(self.weights, self.half)]
        for place, (by, axis) in self.scaled.items():
            along = [-1 if k == axis else 1 for k in range(read[place].ndim)]
            read[place] = read[place] * read[by].reshape(along)
        return read

    def run(self, name: str, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Return what a function gives, computed by torch with the weights as they are stored."""
        given = [torch.from_numpy(np.asarray(part)) for part in inputs]
        with torch.no_grad():
            found = run(self.functions[name], self.stored_weights(), given)
        return [part.numpy() for part in found]


def in_planes(parts: Sequence[NDArray[Any]], width: int) -> bytes:
    r"""Return numbers as bytes, the first of all numbers first: so they compress by a quarter more.

    >>> in_planes([np.array([1, 2], "<u2")], 2)
    b'\x01\x02\x00\x00'
    """
    raw = np.frombuffer(b"".join(part.tobytes() for part in parts), np.uint8)
    return raw.reshape(-1, width).T.tobytes()


def program_of(model: Any, only: Sequence[str] = (), precision: Precision = "auto") -> Program:
    """Return a fitted model as a program, which gives what the model gives.

    Parameters
    ----------
    only
        The functions; none takes all.
    precision
        16 bits, 32, or 16 where they are near enough, with 32 in the smaller tensors if need be.

    Raises
    ------
    InputError
        If the program lacks an operation, or does not give what the model gives.
    """
    twin = frozen(model)
    functions = chosen(twin.exported(), only)
    program = Program(facts=facts_of(model))
    for function in functions:
        _add(program, twin, function)
    below = {"auto": (SMALL, *LARGER, inf), "half": (SMALL,), "single": (inf,)}
    tried = [tuple(w.ndim > 1 and w.numel() > n for w in program.weights) for n in below[precision]]
    for half in dict.fromkeys(tried):
        program.half = list(half)
        found = {f.name: differences(twin, f, partial(program.run, f.name)) for f in functions}
        limits = allowed("half" if any(program.half) else "single", twin, found)
        program.facts |= {
            "bits": 16 if any(program.half) else 32,
            "differences": found,
            "allowed": limits,
        }
        if all(found[name] <= limits[name] for name in found):
            break
    refuse_other(found, limits, "; take precision 'single'" if precision == "half" else "")
    return program


def _add(program: Program, model: Any, function: Exported) -> None:
    """Put a function into a program."""
    graph = traced(model, function)
    n_inputs, results = values_of(graph, f"{type(model).__name__}'s {function.name}")
    writer = _Writer(program, n_inputs)
    places = [writer.place(value) for value in results]
    program.functions[function.name] = {
        "inputs": [asdict(quantity) for quantity in function.inputs],
        "outputs": [asdict(quantity) for quantity in function.outputs],
        "operations": writer.operations,
        "results": places,
    }


class _Writer:
    """Values as a list of operations, in the order in which they are needed."""

    def __init__(self, program: Program, n_inputs: int) -> None:
        self.program, self.n_inputs = program, n_inputs
        self.operations: list[list[Any]] = []
        self.places: dict[int, int] = {}
        self.kept: list[Value] = []

    def place(self, value: Any) -> Any:
        """Return the reference to a value, a weight, or nothing."""
        if value is None:
            return None
        if isinstance(value, Tensor):
            return self._weight(value)
        if isinstance(value, Scaled):
            return self._scaled(value)
        if value.operation == "input":
            return value.attributes[0]
        if id(value) not in self.places:
            self._write(value)
        return self.places[id(value)]

    def _write(self, value: Value) -> None:
        assert value.operation in RUN, value.operation
        given = [self.place(part) for part in value.inputs]
        attributes = [
            {"r": self.place(part)} if isinstance(part, Value) else part
            for part in value.attributes
        ]
        self.operations.append([value.operation, given, attributes])
        self.kept.append(value)
        self.places[id(value)] = self.n_inputs + len(self.operations) - 1

    def _scaled(self, value: Scaled) -> int:
        factor = self._weight(value.factor)
        self.program.weights.append(value.weight.detach().float().contiguous())
        self.program.half.append(False)
        place = len(self.program.weights) - 1
        self.program.scaled[place] = (-1 - factor, value.axis)
        return -1 - place

    def _weight(self, weight: Tensor) -> int:
        for place, known in enumerate(self.program.weights):
            alike = known.shape == weight.shape and place not in self.program.scaled
            if alike and torch.equal(known, weight):
                return -1 - place
        self.program.weights.append(weight.detach().float().contiguous())
        self.program.half.append(False)
        return -len(self.program.weights)
