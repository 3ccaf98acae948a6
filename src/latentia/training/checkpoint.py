"""Checkpoints that survive a kill at any moment: hashed, verified before parsing, last K kept.

A checkpoint is two files. ``step_00000123.safetensors`` holds the tensors, and the JSON state in
its header; ``step_00000123.json`` holds its SHA-256 and is written last, so a checkpoint without
it does not exist. The hash is checked before a byte is parsed, because one flipped bit otherwise
loads in silence.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from latentia.errors import InputError
from latentia.files import remove_partial, write_atomically

log = logging.getLogger(__name__)

BEST = "best"


class Checkpoints:
    """The checkpoints of one run, of which the last ``keep`` stay, besides the best.

    The folder is made if it is missing, and cleared of what a killed writer left.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        self.folder = folder
        self.keep = keep
        folder.mkdir(parents=True, exist_ok=True)
        remove_partial(folder)

    def save(self, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Write the checkpoint of a step, then drop the oldest beyond ``keep``."""
        self._write(f"step_{step:08d}", tensors, state)
        for old in self._names()[: -self.keep]:
            self._path(old, "json").unlink()
            self._path(old, "safetensors").unlink(missing_ok=True)

    def save_best(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Write the checkpoint with the best held-out score in place of the one before."""
        self._write(BEST, tensors, state)

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return tensors and state of the newest undamaged checkpoint, or None if there is none."""
        names = self._names()
        for name in reversed(names):
            try:
                return self._read(name)
            except (OSError, ValueError, KeyError) as damage:
                log.warning("checkpoint %s is damaged (%s); trying the one before", name, damage)
        if names:
            raise InputError(f"every checkpoint in {self.folder} is damaged: train anew elsewhere")
        return None

    def best(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return tensors and state of the checkpoint with the best held-out score."""
        return self._read(BEST) if self._path(BEST, "json").exists() else None

    @property
    def empty(self) -> bool:
        """Whether no step has been saved."""
        return not self._names()

    def _names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("step_*.json"))

    def _path(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}.{kind}"

    def _write(self, name: str, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        # A best checkpoint is replaced: without its old manifest it is absent, never mismatched.
        self._path(name, "json").unlink(missing_ok=True)
        whole = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        content = safetensors.torch.save(whole, metadata={"state": json.dumps(state)})
        write_atomically(self._path(name, "safetensors"), content)
        manifest = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        write_atomically(self._path(name, "json"), json.dumps(manifest).encode())

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
        manifest = json.loads(self._path(name, "json").read_text())
        content = self._path(name, "safetensors").read_bytes()
        if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
            raise ValueError("its SHA-256 is not the one in its manifest")
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return safetensors.torch.load(content), json.loads(header["__metadata__"]["state"])
