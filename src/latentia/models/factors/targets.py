"""Which variables a user expects on which factor, in words: the target of a rotation.

``"A1:A5 | C1:C5"`` says that the first factor has A1 to A5 and the second C1 to C5. All other
loadings are drawn to 0; the expected ones are free (a partially specified target), or drawn to a
value of the user's (a full one).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentia.data.options import chosen
from latentia.errors import InputError
from latentia.models.inputs import Matrix

HOW = "name the variables of each factor, with | between factors, such as 'A1:A5 | C1:C5'"


def target_of(spec: str, names: Sequence[str], k: int, value: float | None) -> Matrix:
    """Return the (p, k) target, NaN where a loading is free."""
    groups = grouped(spec, names)
    if len(groups) != k:
        raise InputError(f"target has {len(groups)} factor(s), and n_components is {k}: {HOW}")
    found = np.zeros((len(names), k))
    for j, group in enumerate(groups):
        found[group, j] = np.nan if value is None else value
    return found


def grouped(spec: str, names: Sequence[str]) -> list[list[int]]:
    """Return the places of the variables of each factor."""
    places = {name: place for place, name in enumerate(names)}
    groups = []
    for part in spec.split("|"):
        words = [word for word in part.replace(",", " ").split() if word]
        # A name may hold blanks.
        found = chosen([part.strip()] if part.strip() in places else words, names, "target", "X")
        if not found:
            raise InputError(f"target is {spec!r}, and a factor has no variable: {HOW}")
        groups.append([places[name] for name in found])
    return groups


def counted(spec: str | None, names: Sequence[str]) -> str | None:
    """Return the same target with variables counted from 1, for data without names."""
    if spec is None:
        return None
    return " | ".join(" ".join(str(i + 1) for i in group) for group in grouped(spec, names))
