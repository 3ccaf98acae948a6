"""A model's page in a notebook's cell, read and moved by Python: an anywidget (extra `notebook`).

The page runs in a frame without the notebook's origin, and gives and takes nothing but z and y.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from latentia.data.dataset import Dataset
from latentia.errors import Count, InputError, check_arguments, shown
from latentia.pages.live import page_of
from latentia.pages.scene import decoder_of
from latentia.training.progress import tell_notes

MISSING = "z of the page is read and set with anywidget: pip install 'latentia[notebook]'"


def play(
    model: Any, data: Dataset | None = None, *, height: Count = 640, with_images: bool = False
) -> Any:
    """Return the model's page for a notebook, as `latentia.models.exported.play` says."""
    check_arguments(play, locals())
    check_is_fitted(model)
    if data is not None and not isinstance(data, Dataset):
        raise InputError(f"data is {shown(data)}; give what latentia.load_data returns")
    page, beside = page_of(model, data, with_images=with_images)
    title = str(beside["title"]["en"])
    try:
        importlib.import_module("anywidget")
    except ImportError:
        tell_notes([MISSING], shown=True)
        return Framed(page, title, height)
    z, y = start_of(model, beside["scene"])
    return widget()(page=page, title=title, height=height, z=z, y=y)


def start_of(model: Any, scene: dict[str, Any]) -> tuple[list[float], list[float] | None]:
    """Return z and what is given beside it as the page opens: of models that decode, else none."""
    decoder = decoder_of({function.name: function for function in model.exported()})
    if decoder is None:
        return [], None
    z = [float(value) for value in scene["pins"][0]]
    if len(decoder.inputs) == 1:
        return z, None
    given = decoder.inputs[1]
    if given.kind == "class":
        return z, [1.0, *[0.0] * (given.shape[0] - 1)]
    middle = (np.asarray(given.low, float) + np.asarray(given.high, float)) / 2
    return z, np.broadcast_to(middle, given.shape).tolist()


@dataclass(frozen=True)
class Framed:
    """The page alone, where there is no anywidget."""

    page: str
    title: str
    height: int

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" title="{html.escape(self.title)}" '
            f'style="width: 100%; height: {self.height}px; border: 0" '
            f'srcdoc="{html.escape(self.page)}"></iframe>'
        )

    @property
    def z(self) -> list[float]:
        """Say what reads it."""
        raise InputError(MISSING)


@cache
def widget() -> Any:
    """Return the class of the widget, made where anywidget is."""
    import anywidget
    import traitlets

    class LivePage(anywidget.AnyWidget):
        """A model's page, whose ``z`` and ``y`` are lists of numbers, read and set.

        ``y`` is what the model is given beside z, a class of one 1 among 0s, or None.
        """

        _esm = (resources.files("latentia.pages") / "templates" / "widget.js").read_text("utf-8")
        page = traitlets.Unicode().tag(sync=True)
        title = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        z = traitlets.Any().tag(sync=True)
        y = traitlets.Any().tag(sync=True)

        @traitlets.validate("z", "y")
        def _checked(self, proposal: Any) -> list[float] | None:
            name = proposal["trait"].name
            return as_numbers(name, proposal["value"], vars(self)["_trait_values"].get(name))

    return LivePage


def as_numbers(name: str, value: Any, before: Sequence[float] | None) -> list[float] | None:
    """Return what z or y is set to as a list of as many numbers as before.

    >>> as_numbers("z", np.array([[1, 2]]), [0.0, 0.0])
    [1.0, 2.0]
    """
    if value is None and before is None:
        return None
    try:
        numbers = np.asarray(value, dtype=float).ravel()
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all() or (before is not None and len(numbers) != len(before)):
        n = "" if before is None else f"{len(before)} "
        raise InputError(f"{name} is {shown(value)}; it must be {n}finite numbers")
    found: list[float] = numbers.tolist()
    return found
