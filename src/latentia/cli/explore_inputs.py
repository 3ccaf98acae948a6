"""What ``latentia explore`` works on: a model, and the data that its options ask for."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data import Dataset
from latentia.data.arrays import labels_beside, read_labels
from latentia.errors import InputError, nearest
from latentia.evaluation.runs import data_of
from latentia.explore.codes import codes_of
from latentia.explore.inversion import invert
from latentia.explore.labels import Classes, Pair, classes
from latentia.explore.pictures import read_pictures
from latentia.models.base import Encoder, LatentModel
from latentia.models.inputs import spread

MOST_SAMPLES = 5000
"""Test samples that are drawn on a map, measured, or judged, spread evenly over all."""
FRAMES = 24
"""Of a moving picture, from one end to the other."""


class Task:
    """A model, and the data and samples that the options ask for, read when they are needed."""

    def __init__(self, model: LatentModel, given: argparse.Namespace) -> None:
        self.model, self.given = model, given
        self.moves = given.out.suffix in (".gif", ".mp4")

    @cached_property
    def data(self) -> Dataset:
        """The data set named, or else the one that the model was trained on."""
        return data_of(self.given.run, self.given.data, self.model)

    @cached_property
    def kept(self) -> NDArray[np.intp]:
        """The numbers of up to 5,000 test samples."""
        return spread(np.arange(len(self.data.x_test)), MOST_SAMPLES)

    @cached_property
    def test(self) -> NDArray[Any]:
        """These test samples."""
        return np.asarray(self.data.x_test[self.kept])

    def rows(self, default: Sequence[int]) -> list[int]:
        """Return the numbers of the test samples asked for, each of which there is."""
        n = len(self.data.x_test)
        chosen = list(self.given.rows or default[:n])
        for row in chosen:
            if not 0 <= row < n:
                raise InputError(f"there is no row {row}; the {n} test samples are 0 to {n - 1}")
        return chosen

    def samples(self, default: Sequence[int]) -> NDArray[Any]:
        """Return one's own pictures, or test samples, in the model's layout."""
        if self.given.images:
            return read_pictures(self.given.images, self.model)
        return np.asarray(self.data.x_test[self.rows(default)])

    def codes(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return codes of samples: encoded, or found by descent where there is no encoder."""
        if isinstance(self.model, Encoder):
            return codes_of(self.model, X)
        return invert(self.model, X).codes

    def steps(self, default: int) -> int:
        """Return the points of a walk: those asked for, or more in a film than in a figure."""
        asked: int | None = self.given.n_steps
        return asked if asked is not None else FRAMES if self.moves else default

    def label_sets(self) -> dict[str, Classes]:
        """Return the labels asked for; else all those of the data's own .npz, or its classes."""
        data, named = self.data, self._named_labels()
        if named:
            found = {name: labels_beside(data, values, name) for name, values in named.items()}
            return {name: classes(name, *parts) for name, parts in found.items()}
        if data.y_train is None or data.y_test is None:
            raise InputError(f"{data.name} has no labels; name some with --labels FILE.npz:key")
        return {"class": classes("class", data.y_train, data.y_test, data.class_names)}

    def shown_labels(self) -> Classes | None:
        """Return the first labels, to colour or caption by; the data's own only if they differ."""
        data = self.data
        parts = [part for part in (data.y_train, data.y_test) if part is not None]
        if not self.given.labels and (not parts or len(np.unique(np.concatenate(parts))) < 2):
            return None
        return next(iter(self.label_sets().values()))

    def _named_labels(self) -> dict[str, NDArray[Any]]:
        data = self.data
        own = data.spec if data.spec.endswith(".npz") else ""
        found: dict[str, NDArray[Any]] = {}
        for spec in self.given.labels or ():
            new = read_labels(spec if ".np" in spec or not own else f"{own}:{spec}")
            for name in new.keys() & found.keys():
                raise InputError(f"--labels gives {name!r} twice; name one of them otherwise")
            found |= new
        if self.given.labels or not own or data.y_train is None:
            return found
        n = len(data.x_train) + len(data.x_test)
        return {name: values for name, values in read_labels(own).items() if len(values) == n}

    def attributes(self) -> dict[str, Pair]:
        """Return what the labels say that samples have, in the training and the test part.

        A class's name that several labels share, such as ``1``, has its labels' name before it.
        """
        sets = {name: found.attributes() for name, found in self.label_sets().items()}
        count = Counter(name for found in sets.values() for name in found)
        return {
            name if count[name] == 1 else f"{own} {name}": pair
            for own, found in sets.items()
            for name, pair in found.items()
        }

    def judged(self, labels: Mapping[str, Pair], name: str) -> dict[str, Pair]:
        """Return the labels that differ among the kept test samples too, as ``name`` must."""
        found = {key: (train, test[self.kept]) for key, (train, test) in labels.items()}
        found = {k: (train, test) for k, (train, test) in found.items() if test.any() > test.all()}
        if name not in found:
            raise InputError(
                f"all test samples are alike in {name!r}, so that its edit cannot be judged; give "
                "--no-check"
            )
        return found

    def attribute(self, labels: Mapping[str, Pair]) -> str:
        """Return the attribute asked for; ``age`` finds ``age > 43``, and nothing the first."""
        name = self.given.attribute or next(iter(labels))
        found = [key for key in labels if key == name or key.startswith(f"{name} > ")]
        if not found:
            known = ", ".join(labels)
            raise InputError(f"there is no attribute {name!r}, but {known}{nearest(name, labels)}")
        return found[0]
