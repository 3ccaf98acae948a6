"""The benchmark runs as it stands, on little."""

import runpy
import sys
from pathlib import Path

from tests.models.language.conftest import RHYME

ROOT = Path(__file__).parents[3]


def run(script, *words, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [script.name, *words])
    runpy.run_path(str(script), run_name="__main__")
    return capsys.readouterr().out.splitlines()


def test_the_benchmarks_table(tmp_path, monkeypatch, capsys):
    (tmp_path / "text.txt").write_text(RHYME * 3)
    recipe = ROOT / "examples" / "recipes" / "lstm_shakespeare.toml"
    small = recipe.read_text().replace("n_units = 512", "n_units = 8").split("\n")
    lines = ["n_epochs = 1" if line.startswith("n_epochs") else line for line in small]
    (tmp_path / "examples" / "recipes").mkdir(parents=True)
    (tmp_path / "examples" / "recipes" / recipe.name).write_text("\n".join(lines))
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = tmp_path / "benchmarks" / "sequences.py"
    script.write_text((ROOT / "benchmarks" / "sequences.py").read_text())
    words = ("--text", "text.txt", "--runs", "r", "--write", "table.md")
    given = {"monkeypatch": monkeypatch, "tmp_path": tmp_path, "capsys": capsys}
    printed = [line for line in run(script, *words, **given) if line.startswith(("| ", "lstm"))]
    assert [line.split()[1] for line in printed[1:4]] == ["lstm", "rnn", "n-gram"]
    assert len(printed) == 7
    assert printed[1] in (tmp_path / "table.md").read_text()
