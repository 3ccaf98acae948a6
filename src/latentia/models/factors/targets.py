"""Which variables a user expects on which factor, in words: the target of a rotation.

``"A1:A5 | C1:C5"`` says that the first factor has A1 to A5 and the second C1 to C5. All other
loadings are drawn to 0; the expected ones are free (a partially specified target), or drawn to a
value of the user's (a full one).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.options import chosen
from latentia.errors import InputError
from latentia.models.inputs import Matrix
from latentia.models.linear.criteria import Constants
from latentia.models.linear.rotation import TARGETS, RotationRule

HOW = "name the variables of each factor, with | between factors, such as 'A1:A5 | C1:C5'"


def check_rotation(model: Any) -> None:
    """Refuse a target rotation without its target, and a bifactor one without groups."""
    if model.rotation in TARGETS and model.target is None:
        raise InputError(f"rotation is {model.rotation!r}, and target is none: {HOW}")
    if model.rotation in TARGETS and model.kaiser:
        raise InputError(f"kaiser is True; rotation {model.rotation!r} takes loadings as they are")
    if model.target_value is not None and model.matrix == "covariance":
        raise InputError("target_value is of standardized loadings; leave matrix at 'auto'")
    if "bifactor" in model.rotation and model.n_components < 3:
        raise InputError(
            f"rotation is {model.rotation!r} and n_components {model.n_components}; it needs at "
            "least 3: a general factor and two groups"
        )


def rule_of(
    model: Any, names: Sequence[str], varies: NDArray[np.bool_], n_starts: int
) -> RotationRule:
    """Return how a factor model rotates the loadings of the columns that vary."""
    T = None
    if model.target is not None:
        T = target_of(model.target, names, model.n_components, model.target_value)[varies]
    constants = Constants(
        model.oblimin_gamma, model.geomin_epsilon, model.crawford_ferguson_kappa, T
    )
    rule = model.rotation, model.kaiser, n_starts, model.random_state
    return RotationRule(*rule, constants, model.promax_power)


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
