"""The page on models of one's own: its code runs, and prints what the page says."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "own_models.md"


def test_the_page_on_models_of_ones_own_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    code = "\n".join(blocks)
    said = re.findall(r"^(?:.*print\(.*\)  )?# (.*)$", code, re.MULTILINE)
    exec(compile(code, str(PAGE), "exec"), {"__name__": "own_models"})
    assert capsys.readouterr().out.splitlines() == said
    assert len(said) >= 9
    text = (tmp_path / "comparison" / "report.html").read_text()
    assert "A VAE whose codes are sparse. It derives from VAE." in text
    assert "own_net" in text
