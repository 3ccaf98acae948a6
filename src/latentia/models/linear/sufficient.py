"""Sufficient statistics: what a model needs of its rows, gathered in pieces that merge.

They travel between processes as checked bytes, which hold nothing but numbers:

    latentia NAME VERSION⏎      the kind, such as moments, and the version of its layout
    32 bytes                    SHA-256 of all that follows
    the rest                    a safetensors file of arrays

``merge`` is associative and commutative up to rounding, and one of no rows changes nothing: any
tree of merges gives the same.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from hashlib import sha256
from typing import Any, ClassVar, Self

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from latentia.errors import InputError

HEAD = re.compile(rb"latentia ([a-z ]{1,40}) ([0-9]{1,6})\n")
DIGEST = 32
SLACK = 1e-5
"""Share by which rounding may break an inequality of Cauchy and Schwarz."""


class SufficientStatistic(ABC):
    """What is known of the rows seen so far; see the module's page."""

    kind: ClassVar[str]
    """The name in the first line of the bytes."""
    version: ClassVar[int]
    layout: ClassVar[dict[str, tuple[str, int]]]
    """The type and the number of dimensions of each array."""

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """Take up the rows that another has seen, which stays as it is; return this one."""

    @abstractmethod
    def _arrays(self) -> dict[str, Any]:
        """Return what `layout` names."""

    @classmethod
    @abstractmethod
    def _restored(cls, arrays: dict[str, Any]) -> Self:
        """Return the statistic from its arrays, or raise InputError if they contradict."""

    def to_bytes(self) -> bytes:
        """Return all that is known, to be sent, stored, and read by `from_bytes`."""
        values = self._arrays()
        arrays = {
            name: np.asarray(values[name], dtype, order="C")
            for name, (dtype, _) in self.layout.items()
        }
        body = safetensors.numpy.save(arrays)
        return b"latentia %s %d\n" % (self.kind.encode(), self.version) + _sealed(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` was called on.

        Raises
        ------
        InputError
            For bytes that are damaged, cut off, of another kind or version, or contradict.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InputError(f"data is of type {type(data).__name__}; give bytes of to_bytes()")
        data = bytes(data)
        found, end = HEAD.match(data), f"give what {cls.__name__}.to_bytes() returned"
        if found is None:
            raise InputError(f"the bytes are no {cls.kind} of Latentia; {end}")
        if found[1] != cls.kind.encode():
            raise InputError(f"the bytes hold {found[1].decode()}, not {cls.kind}; {end}")
        if int(found[2]) != cls.version:
            raise InputError(
                f"the bytes are {cls.kind} in version {int(found[2])} of the layout, and this "
                f"Latentia reads version {cls.version}: use one version of Latentia throughout"
            )
        body = data[found.end() :]
        if _sealed(body[DIGEST:]) != body:
            raise InputError(f"the bytes of {cls.kind} are damaged or cut off; send them again")
        return cls._restored(cls._parsed(body[DIGEST:]))

    @classmethod
    def _parsed(cls, body: bytes) -> dict[str, NDArray[Any]]:
        try:
            arrays = safetensors.numpy.load(body)
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise contradiction(cls.kind, f"no arrays ({error})") from None
        found = {name: (str(array.dtype), array.ndim) for name, array in arrays.items()}
        if found != cls.layout:
            raise contradiction(cls.kind, f"arrays {found}, not {cls.layout}")
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise contradiction(cls.kind, f"NaN or infinity in {name!r}")
        return arrays


def _sealed(body: bytes) -> bytes:
    return sha256(body).digest() + body


def contradiction(kind: str, what: str) -> InputError:
    """Return what is said of bytes, or sums, that are whole but cannot come from rows."""
    return InputError(f"the {kind} hold {what}, which no rows give; gather them anew")


def coded_names(names: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return names of columns as an array of bytes."""
    return np.frombuffer(json.dumps(names).encode(), np.uint8)


def decoded_names(kind: str, coded: NDArray[np.uint8], d: int) -> tuple[str, ...]:
    """Return d names of columns, or none, from an array of bytes."""
    try:
        names = json.loads(coded.tobytes())
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or len(names) not in (0, d):
        raise contradiction(kind, "other names than one a column")
    if not all(isinstance(name, str) for name in names):
        raise contradiction(kind, "names that are no words")
    return tuple(names)


def common_names(mine: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of columns that two parts share; a part may have none."""
    if mine and others and mine != others:
        i = next((i for i, (a, b) in enumerate(zip(mine, others)) if a != b), 0)
        raise InputError(
            f"column {i} is {others[i]!r} here and was {mine[i]!r} in the rows before; give the "
            "same columns in the same order"
        )
    return mine or others
