"""What a fitted model offers to be exported: functions of tensors, what goes in and comes out.

A function gives what a verb gives: probabilities after the sigmoid, images in [0, 1], a table in
its own units. What the verb does before and after its nets is part of it. Each family states its
own in ``exported``; nothing else asks what a model is.

Shapes leave the axis of the batch out, which comes first. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import latentia
from latentia.errors import InputError
from latentia.models.inputs import is_channels_last

Kind = Literal[
    "code", "image", "row", "class", "condition", "probabilities", "score", "symbol", "state"
]
Bound = float | tuple[float, ...] | None
USUAL = 2.0
"""Standard deviations to each side of the mean between which most values of a column lie."""


@dataclass(frozen=True)
class Quantity:
    """An input or an output of an exported function.

    Attributes
    ----------
    name, kind, shape, words
        What it is called, what it is, its shape without the batch, and in words.
    low, high
        The range of images and probabilities, and of others what is usual: a number, one for each
        column, or None where there is none.
    names
        Of its columns, classes, symbols or factors, if they have any.
    free
        Of images: height and width may be any multiples of this number; 0 if they are fixed.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    words: str
    low: Bound = None
    high: Bound = None
    names: tuple[str, ...] = ()
    free: int = 0


@dataclass(frozen=True)
class Exported:
    """A function of a model: of tensors, to be exported, and by the verb, to compare with it.

    ``call`` and ``verb`` take the inputs in their order and give the outputs in theirs, one alone
    or several in a tuple, as tensors and as arrays.
    """

    name: str
    call: Callable[..., Any]
    verb: Callable[..., Any]
    inputs: tuple[Quantity, ...]
    outputs: tuple[Quantity, ...]


def nothing(model: Any) -> tuple[Exported, ...]:
    """Refuse to export a model that states no functions."""
    raise InputError(
        f"{type(model).__name__} states no functions that could be exported; a class of your own "
        "states them in a method exported"
    )


def export(
    self: Any,
    path: str | Path,
    *,
    only: Sequence[str] = (),
    precision: Literal["auto", "half", "single"] = "auto",
    overwrite: bool = False,
) -> list[Path]:
    """Write the fitted model's functions as files that other software runs; return the paths.

    Parameters
    ----------
    path
        Its suffix says what is written: .onnx for ONNX, .pt2 for `torch.export`, .html for a page
        that runs the model, .json for the program that such a page runs. Of a model with several
        functions ``vae.onnx`` becomes ``vae.encode.onnx`` and ``vae.decode.onnx``.
    only
        Names of the functions that are wanted; none exports all.
    precision
        Of a page's and a program's weights: 16 bits ("half"), 32 ("single"), or 16 where these give
        what the model gives to 5e-4 ("auto").
    overwrite
        Replace files that exist.

    Raises
    ------
    InputError
        If the model has no such function, the format cannot hold it, or what is exported does not
        give what the model gives.
    """
    # Formats stand above models.
    written: list[Path] = latentia.export(
        self, path, only=only, precision=precision, overwrite=overwrite
    )
    return written


def push_to_hub(
    self: Any,
    name: str,
    *,
    private: bool = False,
    page: bool = True,
    overwrite: bool = False,
    data: Any = None,
    run: str | Path | None = None,
) -> str:
    """Send the fitted model to a model hub, with a card and a page; return its address.

    ``latentia.load("hf://name/model")`` loads it again. Needs the extra ``hub`` and a token
    (``hf auth login`` or ``HF_TOKEN``).

    Parameters
    ----------
    name
        Your name on the hub and the model's, such as ``jane/digits-vae``.
    private
        Whether only you may see it.
    page
        Send the page, ``index.html``, too.
    overwrite
        Make a new version of a model that is there already; the hub keeps the earlier ones.
    data
        What it was trained on, as `latentia.load_data` returns it; if its licence is known, the
        page shows some of it.
    run
        The directory of its training, whose figures the card tells.
    """
    address: str = latentia.push_to_hub(
        self, name, private=private, page=page, overwrite=overwrite, data=data, run=run
    )
    return address


def play(self: Any, data: Any = None, *, height: int = 640, with_images: bool = False) -> Any:
    """Return the model's page as a widget of a notebook, whose ``z`` is that of its sliders.

    ``widget.z`` is the latent row that the page shows, and setting it moves the page. Needs the
    extra ``notebook``; without it the page is shown, and ``z`` is not to be read.

    Parameters
    ----------
    data
        What it was trained on, as `latentia.load_data` returns it, of which the page shows codes,
        and images if their licence is known.
    with_images
        Show images also where it is not.
    height
        Pixels of the frame; the page scrolls in it.
    """
    return latentia.play(self, data, height=height, with_images=with_images)


def public_shape(model: Any, shape: Sequence[int]) -> tuple[int, ...]:
    """Return an image's shape as the verbs take it: with its channels last if ``fit`` had them."""
    sides = tuple(map(int, shape))
    return (*sides[1:], sides[0]) if is_channels_last(model) and len(sides) == 3 else sides


def into_nets(model: Any, x: Any, shape: Sequence[int] = ()) -> Any:
    """Return a batch of data, or of samples of a shape, as nets take it: (N, C, H, W) or (N, d)."""
    if len(shape or model.data_shape_) == 2:
        return x[:, None]
    return x.movedim(-1, 1) if is_channels_last(model) and x.ndim == 4 else x


def out_of_nets(model: Any, x: Any, shape: Sequence[int]) -> Any:
    """Return what nets give as the verbs do, of data whose shape inside is ``shape``."""
    if len(shape) == 2:
        return x[:, 0]
    return x.movedim(1, -1) if is_channels_last(model) and x.ndim == 4 else x


def data_of(model: Any, name: str, words: str, mean: Any = 0.0, deviation: Any = 0.0) -> Quantity:
    """Return the quantity that is a sample of the model's data, an image or a row.

    Of a table ``mean`` and ``deviation`` are its columns'; without them it lies in [0, 1].
    """
    shape = model.data_shape_
    if len(shape) > 1:
        return Quantity(name, "image", public_shape(model, shape), words, 0.0, 1.0)
    low: Bound = 0.0
    high: Bound = 1.0
    if np.any(deviation):
        spread = USUAL * np.broadcast_to(deviation, shape)
        low, high = (tuple((mean + s).astype(float).tolist()) for s in (-spread, spread))
    named = vars(model).get("columns_", vars(model).get("feature_names_in_", ()))
    return Quantity(name, "row", tuple(shape), words, low, high, tuple(map(str, named)))


def code_of(model: Any, words: str = "the latent variables") -> Quantity:
    """Return the quantity that is a latent row, between −3 and 3 as standard normal ones are."""
    return Quantity("z", "code", (model.n_latent,), words, -3.0, 3.0)


def in_two(values: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return numbers as the sum of two of single precision, so that they can be taken away exactly.

    >>> whole, rest = in_two(np.array([100.000001]))
    >>> float(whole[0]) == 100.0, bool(abs(rest[0] - 1e-6) < 1e-13)
    (True, True)
    """
    whole = np.asarray(values).astype(np.float32)
    return whole, (values - whole.astype(np.float64)).astype(np.float32)


def linear_coders(
    model: Any, coding: NDArray[Any], decoding: NDArray[Any], deviation: NDArray[Any]
) -> tuple[Exported, ...]:
    """Return ``z = (x − μ) W`` and ``x = z V + μ`` of a linear model, μ its ``mean_``.

    Parameters
    ----------
    coding, decoding
        (d, k) W and (k, d) V.
    deviation
        (d,) standard deviations of the columns.
    """
    import torch

    coding, decoding = coding.astype(np.float32), decoding.astype(np.float32)
    W, V, whole, rest = map(torch.from_numpy, (coding, decoding, *in_two(model.mean_)))

    def encode(x: Any) -> Any:
        return (into_nets(model, x).flatten(1) - whole - rest) @ W

    def decode(z: Any) -> Any:
        x: Any = torch.addmm(whole, z, V)
        x = x.unflatten(1, model.sample_shape_)
        return out_of_nets(model, x, model.data_shape_)

    z = code_of(model, "the latent variables, or factor scores")
    x = data_of(model, "x", "the data", model.mean_, deviation)
    return (
        Exported("encode", encode, model.transform, (x,), (z,)),
        Exported("decode", decode, model.inverse_transform, (z,), (x,)),
    )
