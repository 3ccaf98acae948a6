"""Set Latentia up in ``.venv`` beside this file, then run its main job, its tests or its site.

    python3 start.py compare [options]    latentia compare, or any other command of latentia
    python3 start.py studio [options]     latentia studio, the local web application
    python3 start.py test [options]       ruff, mypy and pytest; options go to pytest
    python3 start.py core [options]       pytest of the linear half, without torch, in .venv-core
    python3 start.py docs [options]       the site, in English and Korean; --full draws all figures

On a machine without an NVIDIA GPU it takes care not to pull in the CUDA build of torch, which is
several gigabytes. ``LATENTIA_TORCH=cuda`` or ``cpu`` decides otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "latentia-installed"
CORE_TOOLS = ("pytest", "pytest-xdist", "hypothesis", "pandas")
CORE_TESTS = ("tests/contract", "tests/oracles", "tests/test_without_torch.py")
EXTRAS = {"test": "test", "docs": "docs", "studio": "excel,heic,onnx,spss,studio,word"}
"""What a command needs beside ``deep``; the studio also what is uploaded to it and taken along."""
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def main() -> int:
    """Install what is missing and run what was asked for."""
    if sys.version_info < (3, 11):
        print(f"Latentia needs Python 3.11 or later; this is {sys.version.split()[0]}")
        return 2
    words = sys.argv[1:] or ["--help"]
    if words[0] == "core":
        return core(words[1:])
    if not install(EXTRAS.get(words[0], "")):
        return 2
    if words[0] == "docs":
        return run(str(ROOT / "docs" / "make.py"), *words[1:])
    return test(words[1:]) if words[0] == "test" else run("-m", "latentia", *words)


def install(extra: str) -> bool:
    """Make the environment hold Latentia, with an extra's tools if asked; skip what is done."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    done = STAMP.read_text("utf-8").split() if STAMP.exists() else []
    extras = {*done[1:], extra} - {""} if done[:1] == [wanted] else {extra} - {""}
    if done[:1] == [wanted] and extras == {*done[1:]}:
        return True
    if not PYTHON.exists():
        print(f"making {VENV}", flush=True)
        venv.create(VENV, with_pip=True)
    if not install_torch():
        return False
    print("installing Latentia and what it needs", flush=True)
    target = f"{ROOT}[{','.join(sorted({'deep', *extras}))}]"
    if pip("install", "--quiet", "--editable", target) != 0:
        return False
    STAMP.write_text(" ".join([wanted, *sorted(extras)]), "utf-8")
    return True


def install_torch() -> bool:
    """Install torch: the build for the GPU where there is one, otherwise the CPU build."""
    requirement = torch_requirement()
    if run("-c", "import torch", quiet=True) == 0:
        return True
    kind = os.environ.get("LATENTIA_TORCH") or ("cuda" if has_gpu() else "cpu")
    extra: list[str] = []
    if kind == "cpu" and needs_cuda(requirement, extra):
        extra = ["--extra-index-url", CPU_INDEX]
        if needs_cuda(requirement, extra):
            print(
                "only the CUDA build of torch (several GB) can be had here: set LATENTIA_TORCH=cuda"
                " to take it, or install a CPU build of torch into .venv yourself"
            )
            return False
    print(f"installing torch for {kind}", flush=True)
    return pip("install", "--quiet", requirement, *extra) == 0


def torch_requirement() -> str:
    """Return the range of torch that ``pyproject.toml`` asks for."""
    import tomllib  # not in the older Pythons that `main` turns away

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return next(n for n in project["optional-dependencies"]["deep"] if re.match(r"torch\b", n))


def has_gpu() -> bool:
    """Return whether an NVIDIA driver is here."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def needs_cuda(requirement: str, extra: list[str]) -> bool:
    """Return whether installing the requirement would bring CUDA packages; installs nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--quiet", "--dry-run", "--report", str(report), *extra]
        if pip("install", *options, requirement) != 0:
            return True
        plan = json.loads(report.read_text("utf-8"))["install"]
    names = [package["metadata"]["name"].lower() for package in plan]
    return any(re.match(r"(nvidia|cuda|triton)", name) for name in names)


def test(options: list[str]) -> int:
    """Run the style check, the type check and the tests; return the first failure's status."""
    # Else every process of the tests compiles the package and its part of the tests once more.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    statuses = [
        run("-m", "ruff", "check", "."),
        run("-m", "ruff", "format", "--check", "."),
        run("-m", "mypy"),
        run("-m", "pytest", "-n", "2", "--dist", "loadgroup", *options),
    ]
    return next((status for status in statuses if status), 0)


def core(options: list[str]) -> int:
    """Run the tests that need no torch, where there is none; return pytest's status."""
    folder = ROOT / ".venv-core"
    python = folder / PYTHON.relative_to(VENV)
    if not python.exists():
        print(f"making {folder}", flush=True)
        venv.create(folder, with_pip=True)
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    needs = ["--editable", str(ROOT), *CORE_TOOLS]
    pytest = ["-m", "pytest", "-n", "2", *CORE_TESTS, *options]
    for words in ([*install, *needs], pytest):
        status = subprocess.run([str(python), *words], cwd=ROOT).returncode
        if status:
            return status
    return 0


def pip(*words: str) -> int:
    """Run the environment's pip."""
    return run("-m", "pip", "--disable-pip-version-check", *words)


def run(*words: str, quiet: bool = False) -> int:
    """Run the environment's Python in the current folder."""
    sink = subprocess.DEVNULL if quiet else None
    folder = ROOT if words[:1] == ("-m",) and words[1] in ("ruff", "mypy", "pytest") else None
    return subprocess.run([str(PYTHON), *words], cwd=folder, stdout=sink, stderr=sink).returncode


if __name__ == "__main__":
    sys.exit(main())
