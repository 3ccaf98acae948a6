"""``latentia doctor``: what is installed here, in lines to paste into a report of an error."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import latentia
from latentia.cli.parser import Parser

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "safetensors", "pyarrow", "matplotlib")
FOR_MAKERS = ("test", "docs")
"""Extras that nobody needs who uses Latentia."""
NEED = re.compile(r"""([\w.-]+).*extra\s*==\s*["']([\w-]+)["']""")


def doctor(parser: Parser, words: list[str]) -> None:
    """Say what is installed and what is missing, to paste into a report."""
    parser.set_defaults(call=_doctor)


def _doctor(given: argparse.Namespace) -> None:
    for label, found in lines():
        print(f"{label:<9} {found}")


def lines() -> Iterator[tuple[str, str]]:
    """Yield what is known of this installation: a label and a line each."""
    yield "latentia", f"{latentia.__version__}, {_origin()}"
    yield "python", f"{platform.python_version()} on {platform.platform()}"
    yield "versions", ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    yield from _arithmetic()
    yield from _folders()
    settings = sorted(name for name in os.environ if name.startswith("LATENTIA_"))
    yield "settings", " ".join(f"{name}={os.environ[name]}" for name in settings) or "none"
    missing = missing_extras(importlib.metadata.requires("latentia") or ()) if _known() else {}
    for extra, names in missing.items():
        yield "missing", f"{', '.join(names)} (pip install 'latentia[{extra}]')"


def missing_extras(needs: list[str] | tuple[()]) -> dict[str, list[str]]:
    """Return what is not installed of each extra that a user may want.

    >>> missing_extras(['no-such>=1; extra == "excel"', 'numpy>=2; extra == "hub"', "scipy"])
    {'excel': ['no-such']}
    """
    found: dict[str, list[str]] = {}
    for name, extra in (match.groups() for match in map(NEED.match, needs) if match):
        if extra not in FOR_MAKERS and _version(name) == "missing":
            found.setdefault(extra, []).append(name)
    return found


def _known() -> bool:
    return _version("latentia") != "missing"


def _origin() -> str:
    if not _known():
        return "read from a folder and not installed: pip install . there installs it"
    editable = (Path(latentia.__file__).parents[2] / "pyproject.toml").exists()
    return "installed from a checkout" if editable else "installed"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _arithmetic() -> Iterator[tuple[str, str]]:
    """Yield threads and GPU as torch sees them, or why torch cannot be imported."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield "torch", f"cannot be imported: {' '.join(str(error).split())}"
        return
    asked = os.environ.get("LATENTIA_THREADS", "not set")
    threads = f"torch takes {torch.get_num_threads()}, LATENTIA_THREADS is {asked}"
    yield "threads", f"{os.cpu_count()} processors, {threads}"
    if torch.cuda.is_available():
        named = ", ".join(map(torch.cuda.get_device_name, range(torch.cuda.device_count())))
        yield "gpu", f"{named}, CUDA {torch.version.cuda}"
    else:
        yield "gpu", "Apple's MPS" if torch.backends.mps.is_available() else "none that torch sees"


def _folders() -> Iterator[tuple[str, str]]:
    """Yield the folder of downloaded data and models, with what it takes and has left."""
    from shutil import disk_usage

    from latentia.data.download import cache_folder
    from latentia.data.limits import size

    folder = cache_folder()
    if not folder.is_dir():
        yield "cache", f"{folder}, not made yet"
        return
    taken = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    yield "cache", f"{folder}, {size(taken)} taken, {size(disk_usage(folder).free)} free"
