"""What translators that learn from two domains share: the domains, both ways, their score.

Shapes: ``X`` is (n, H, W) or (n, C, H, W), ``y`` (n,) the domain of each image, A or B; inside,
``a`` and ``b`` are (N, C, H, W) in [0, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from latentia.base import in_kind_of, to_numpy, unit_floats
from latentia.conditions import Classes, checked_labels
from latentia.data.source import Source, as_floats
from latentia.errors import InputError
from latentia.plots.grids import DRAWABLE
from latentia.translation.base import Translator

SHOWN = 8
"""Images of each domain in an epoch's picture."""


@dataclass(eq=False, repr=False, kw_only=True)
class UnpairedTranslator(Translator, ABC):
    """A translator between two domains that learns from images of each, none of them paired.

    Attributes
    ----------
    classes_
        (2,) the labels of ``y``, sorted: that of domain A, then that of B.
    """

    learns_from = "domains"

    @property
    def output_shape_(self) -> tuple[int, ...]:
        """The shape of an image of either domain."""
        return tuple(self.data_shape_)

    def targets(self, y: Any, n_rows: int, *, reset: bool) -> NDArray[np.int64]:  # noqa: ANN401
        """Return (n,) domains, 0 for A and 1 for B, learning their labels in ``fit``.

        Raises
        ------
        InputError
            For labels that are missing, not one for each image, not of two domains, or unknown;
            for tables and images that are too small.
        """
        owner = type(self).__name__
        self.check_is_image(self.sample_shape_)
        if y is None:
            raise InputError(f"{owner} needs y: for each image of X its domain, 0 (A) or 1 (B)")
        labels = checked_labels(np.asarray(to_numpy(y)), n_rows)
        if reset:
            found = np.unique(labels)
            if len(found) != 2:
                raise InputError(
                    f"y holds {len(found)} different labels; {owner} translates between 2 domains"
                )
            self.classes_ = found
        return Classes(self.classes_, np.full(2, 0.5)).targets(labels, n_rows)

    def source(self, array: NDArray[Any], y: Any, *, reset: bool) -> Source:  # noqa: ANN401
        """Return batches of an image of A beside one of B, as many as the larger domain has.

        No loss looks at both images of a row, so that it does not matter which ones meet.
        """
        domains = self.targets(y, len(array), reset=reset)
        numbers = [np.flatnonzero(domains == domain) for domain in (0, 1)]
        for label, found in zip(self.classes_, numbers):
            if not len(found):
                raise InputError(f"y holds no image of domain {label!s}; give some of both")
        n = max(map(len, numbers))
        in_a, in_b = (recycled(found, n, seed) for seed, found in enumerate(numbers))
        return Source(array, array, (in_a, in_b))

    def of_b(self, b: Tensor) -> Tensor:
        """Return a batch's images of B as (N, C, H, W) floats in [0, 1]."""
        return as_floats(b).reshape(len(b), *self.sample_shape_)

    @abstractmethod
    def translate_back(self, b: Tensor) -> Tensor:
        """Return what (N, C, H, W) images of B in [0, 1] become in A."""

    def around(self, a: Tensor) -> Tensor:
        """Return images of A, translated to B and back."""
        return self.translate_back(self.translate(a))

    def around_back(self, b: Tensor) -> Tensor:
        """Return images of B, translated to A and back."""
        return self.translate(self.translate_back(b))

    def inverse_transform(self, X: ArrayLike) -> Any:  # noqa: ANN401
        """Return images of domain B translated to A.

        Parameters
        ----------
        X
            (n, H, W) or (n, C, H, W) images shaped as in ``fit``, uint8 or floats in [0, 1].

        Returns
        -------
        Y
            The same shape, float32 in [0, 1]; a tensor if ``X`` is one.
        """
        check_is_fitted(self)
        array = self._incoming(X, reset=False)
        return in_kind_of(X, self.in_parts("translate_back", array))

    def reconstruct(self, X: ArrayLike, y: ArrayLike | None = None) -> Any:  # noqa: ANN401
        """Return images translated to the other domain and back.

        Parameters
        ----------
        X
            Images as for ``transform``.
        y
            (n,) the domain of each; without it, all are of A:
            ``inverse_transform(transform(X))``.

        Returns
        -------
        Y
            The same shape, float32 in [0, 1]; a tensor if ``X`` is one.

        Raises
        ------
        InputError
            For other images or domains than those of ``fit``.
        """
        check_is_fitted(self)
        array = self._incoming(X, reset=False)
        if y is None:
            return in_kind_of(X, self.in_parts("around", array))
        domains = self.targets(y, len(array), reset=False)
        output = np.empty(array.shape, np.float32)
        for domain, verb in enumerate(("around", "around_back")):
            rows = domains == domain
            if rows.any():
                output[rows] = self.in_parts(verb, array[rows])
        return in_kind_of(X, output)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return minus the mean absolute difference between images and `reconstruct`, in [0, 1].

        Without ``y`` all images are of domain A; with it, each goes round from its own. It says
        how much of an image survives, not how well it is translated: the identity scores 0.
        """
        check_is_fitted(self)
        images = unit_floats(self._incoming(X, reset=False))
        output = to_numpy(self.reconstruct(X, y))
        return -float(np.abs(output - images, dtype=np.float64).mean())

    def preview(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return images of both domains, what they become, and what comes back."""
        a, b = x[:SHOWN], self.of_b(beside[0][:SHOWN])
        if a.shape[1] not in DRAWABLE:
            return []
        fake_b, fake_a = self.translate(a), self.translate_back(b)
        return [
            ("A", a),
            ("A → B", fake_b),
            ("A → B → A", self.translate_back(fake_b)),
            ("B", b),
            ("B → A", fake_a),
            ("B → A → B", self.translate(fake_a)),
        ]


def recycled(numbers: NDArray[np.intp], n: int, seed: int) -> NDArray[np.intp]:
    """Return n of the numbers: one random order of them after another, the last cut off.

    >>> np.bincount(recycled(np.array([1, 3]), 5, seed=0)).tolist()
    [0, 3, 0, 2]
    """
    draw = np.random.default_rng(seed)
    return np.concatenate([draw.permutation(numbers) for _ in range(-(-n // len(numbers)))])[:n]
