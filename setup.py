"""What pyproject.toml cannot say: a wheel takes the zoo's index and those entries that ship."""

import json
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ZOO = Path("zoo")
INDEX = ZOO / "index.json"
PLACE = Path("latentia", "models", "shipped")


def shipped() -> list[Path]:
    """Return the index and the files of the entries that it marks."""
    entries = json.loads(INDEX.read_text("utf-8"))
    names = (name for name, entry in entries.items() if entry["ships"])
    return [INDEX, *(path for name in names for path in sorted((ZOO / name).iterdir()))]


class WithZoo(build_py):
    """Builds the package with its part of the zoo; an editable one reads the checkout's."""

    def run(self) -> None:
        """Copy these files beside the modules."""
        super().run()
        for path in [] if self.editable_mode else shipped():
            copy = Path(self.build_lib) / PLACE / path.relative_to(ZOO)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


class SourceWithZoo(sdist):
    """Packs the same files with the source, so that a wheel can be built of it."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy them beside what setuptools finds, which asks nobody else."""
        super().make_release_tree(base_dir, [*files, *map(str, shipped())])


setup(cmdclass={"build_py": WithZoo, "sdist": SourceWithZoo})
