"""Checkpoints that survive a kill at any moment: hashed, verified before parsing, few kept.

A checkpoint is two files. ``step_00000123.safetensors`` holds the tensors, and the JSON state in
its header; ``step_00000123.json`` holds its SHA-256 and is written last, so a checkpoint without
it does not exist. The hash is checked before a byte is parsed, because one flipped bit otherwise
loads in silence. The header also says how ``metrics.jsonl`` began when the checkpoint was saved.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from latentia.errors import InputError
from latentia.files import read_bytes, read_json, remove_partial, write_atomically
from latentia.training.metrics_file import Seal

log = logging.getLogger(__name__)

BEST = "best"
ROOM = 16_000_000
"""Bytes that the last checkpoints of a run may take for all ``keep`` of them to stay."""
PARTIAL = ("step_????????.*.*.tmp", "best.*.*.tmp")
"""Names that version 0.1.0 gave to files that were not yet whole."""
Saved = tuple[dict[str, Tensor], dict[str, Any]]
"""Tensors, and the state beside them."""


class Checkpoints:
    """The checkpoints of one run, of which the last ``keep`` stay, besides the best.

    Of checkpoints that together take more than `ROOM` two stay, so that a damaged one gives way to
    the one before, and when training has ended the last alone, which further training needs.

    For the process that ``writes``, the folder is made if it is missing, and cleared of what a
    killed writer left.
    """

    def __init__(self, folder: Path, keep: int = 3, *, writes: bool = True) -> None:
        self.folder = folder
        self.keep = keep
        if writes:
            folder.mkdir(parents=True, exist_ok=True)
            remove_partial(folder, PARTIAL)

    def save(
        self,
        step: int,
        tensors: Mapping[str, Tensor],
        state: Mapping[str, Any],
        seal: Seal | None = None,
        *,
        over: bool = False,
    ) -> None:
        """Write the checkpoint of a step, after which training may be over; drop old ones."""
        name = f"step_{step:08d}"
        self._write(name, tensors, state, seal)
        small = self.keep * self._path(name, "safetensors").stat().st_size <= ROOM
        keep = self.keep if small else min(self.keep, 1 if over else 2)
        for old in self._names()[:-keep]:
            self._path(old, "json").unlink()
            self._path(old, "safetensors").unlink(missing_ok=True)

    def save_best(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Write the checkpoint with the best held-out score in place of the one before."""
        self._write(BEST, tensors, state, None)

    def latest(self) -> Saved | None:
        """Return tensors and state of the newest undamaged checkpoint, or None if there is none."""
        found = self.latest_with(lambda seal: True)
        return None if found is None else found[:2]

    def latest_with(
        self, fits: Callable[[Seal | None], bool]
    ) -> tuple[dict[str, Tensor], dict[str, Any], Seal | None] | None:
        """Return tensors, state and seal of the newest undamaged checkpoint whose seal fits.

        Raises
        ------
        InputError
            If there are checkpoints, and none can be used.
        """
        names, unsealed = self._names(), False
        for name in reversed(names):
            try:
                tensors, state, seal = self.read(name)
            except (OSError, ValueError, KeyError, TypeError) as damage:
                log.warning("checkpoint %s is damaged (%s); trying the one before", name, damage)
                continue
            if fits(seal):
                return tensors, state, seal
            unsealed = True
            log.warning("metrics.jsonl is damaged before %s; trying the checkpoint before", name)
        if unsealed:
            raise InputError(
                f"{self.folder.parent / 'metrics.jsonl'} is damaged before the oldest checkpoint: "
                "put back a copy, or remove it to go on without the values up to here"
            )
        if names:
            raise InputError(f"every checkpoint in {self.folder} is damaged: train anew elsewhere")
        return None

    def best(self) -> Saved | None:
        """Return tensors and state of the checkpoint with the best held-out score."""
        return self.read(BEST)[:2] if self._path(BEST, "json").exists() else None

    @property
    def empty(self) -> bool:
        """Whether no step has been saved."""
        return not self._names()

    def _names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("step_*.json"))

    def _path(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}.{kind}"

    def _write(
        self,
        name: str,
        tensors: Mapping[str, Tensor],
        state: Mapping[str, Any],
        seal: Seal | None,
    ) -> None:
        # A best checkpoint is replaced: without its old manifest it is absent, never mismatched.
        self._path(name, "json").unlink(missing_ok=True)
        whole = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        metadata = {"state": json.dumps(state)}
        if seal is not None:
            metadata["seal"] = json.dumps(seal)
        content = safetensors.torch.save(whole, metadata=metadata)
        write_atomically(self._path(name, "safetensors"), content)
        manifest = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        write_atomically(self._path(name, "json"), json.dumps(manifest).encode())

    def read(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any], Seal | None]:
        """Return tensors, state and seal of one checkpoint; an error if it is damaged."""
        manifest = read_json(self._path(name, "json"))
        content = read_bytes(self._path(name, "safetensors"), manifest["bytes"])
        if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
            raise ValueError("its SHA-256 is not the one in its manifest")
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = header["__metadata__"]
        seal = json.loads(metadata["seal"]) if "seal" in metadata else None
        return safetensors.torch.load(content), json.loads(metadata["state"]), seal
