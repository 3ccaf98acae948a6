"""Files of several functions: ``vae.onnx`` becomes ``vae.encode.onnx`` and ``vae.decode.onnx``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentia.files import refuse_existing, write_atomically
from latentia.models.exported import Exported


@dataclass(frozen=True, eq=False)
class Written:
    """A file that was written, and how far what it gives is from what the model gives.

    ``differences`` are by function, as in `latentia.pages.agreement`, and so is what was
    ``allowed``; ``bits`` is the precision of the weights.
    """

    path: Path
    differences: Mapping[str, float]
    allowed: Mapping[str, float]
    bits: int

    def __str__(self) -> str:
        """Tell all of it in a line."""
        found = ", ".join(f"{name} {value:.1e}" for name, value in self.differences.items())
        size = self.path.stat().st_size / 1e6
        return (
            f"{self.path}: {size:.2f} MB, weights of {self.bits} bits; largest difference from the "
            f"model: {found}"
        )


def places(out: Path, functions: Sequence[Exported], overwrite: bool) -> Mapping[str, Path]:
    """Return the file of each function, none of which may be there unless it is to be replaced.

    A function that is alone has the name that was given.
    """
    alone = len(functions) == 1
    found = {
        function.name: out if alone else out.with_suffix(f".{function.name}{out.suffix}")
        for function in functions
    }
    for path in found.values():
        refuse_existing(path, overwrite)
    return found


def write_all(contents: Mapping[Written, bytes]) -> list[Written]:
    """Write files, when all of them are made."""
    for written, content in contents.items():
        write_atomically(written.path, content)
    return list(contents)
