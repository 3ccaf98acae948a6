"""What is installed without a checkout: the index, the smallest models, and nothing else of it."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from latentia.models.zoo import read_index
from tests.children import environment

ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "zoo")
ASKS = """
import latentia
from latentia.pages.zoo_list import rows
for name, *_, where in rows():
    print(name, where)
    if where == "shipped":
        latentia.load(f"zoo:{name}")
"""


@pytest.mark.slow
def test_a_wheel_has_the_smallest_models(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    env = environment()
    done = subprocess.run([*build, "-w", tmp_path, "."], cwd=source, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    shipped = target / "latentia" / "models" / "shipped"
    files = [path for path in shipped.rglob("*") if path.is_file() and path.parent != shipped]
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    env |= {"PYTHONPATH": str(target), "LATENTIA_DATA": str(tmp_path / "cache")}
    asked = [sys.executable, "-c", ASKS]
    told = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    places = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    entries = read_index(ROOT / "zoo")
    words = {True: "shipped", False: "to be fetched"}
    assert places == {name: words[entry.ships] for name, entry in entries.items()}
