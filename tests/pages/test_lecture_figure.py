"""The page of a figure that is moved, as a file: in both languages, and each place of its own."""

import re

import pytest
from markupsafe import escape

import latentia.theory.figures as figures
from latentia.pages.lecture_figure import write_figure
from latentia.plots.sentences import LANGUAGES


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_has_a_sheet_for_each_place_and_begins_at_the_figures_own(lang, tmp_path):
    drawn = figures.draw("lipschitz-cone", lang)
    record, (name, values, start) = drawn.record, drawn.sheet.moved
    page = write_figure(tmp_path / "page.html", drawn, lang).read_text("utf-8")
    assert f'<html lang="{lang}">' in page
    title, caption = map(escape, (record.title[lang], record.caption[lang]))
    assert f"<h1>{title}</h1><p>{caption}</p>" in page
    label = figures.in_korean(name) if lang == "ko" else name
    assert f'<label for="place">{label}</label>' in page
    assert f'min="0" max="{len(values) - 1}" value="{start}"' in page
    sheets = re.findall(r'<section class="card stack sheet"( hidden)? data-value="(.*?)">', page)
    assert sheets == [("" if i == start else " hidden", f"{v:g}") for i, v in enumerate(values)]
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]+)"', page)
    assert len({*pictures}) == len(values)
    told = re.findall(r'<ul class="small">(.*?)</ul>', page)
    assert told[start].count("<li>") == len(drawn.numbers)
    assert len({*told}) == len(values)
    assert page.count("<iframe") == 1 + len(drawn.sheet.models)
    assert f"--lang {lang}</code>" in page
