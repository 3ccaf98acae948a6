"""The studio's words: in both languages, all there, none forgotten; every model on the map."""

import re
from importlib import resources

import pytest

import latentia
from latentia.models.fields import model_fields
from latentia.models.zoo import CHECKOUT, SHIPPED, read_index
from latentia.pages import provenance
from latentia.plots.sentences import catalogue, in_language
from latentia.studio.map import GROUPS, PLACES, TOOLS
from latentia.studio.rendering import LANGUAGES, formula, words

SOURCES = [
    file.read_text("utf-8")
    for folder in ("templates", "static")
    for file in (resources.files("latentia.studio") / folder).iterdir()
]
ASKED = {key for text in SOURCES for key in re.findall(r'\bsay\("([^"]+)"[,)]', text)}


def test_every_text_that_is_asked_for_is_there_in_both_languages():
    assert len(ASKED) > 80
    assert not ASKED - words().keys()
    for key, both in words().items():
        assert both.keys() == {*LANGUAGES}, key
        holes = [sorted(re.findall(r"\{(\w+)\}", both[language])) for language in LANGUAGES]
        assert holes[0] == holes[1], key


def test_korean_is_korean():
    plain = {"same/toml", "export/page.html"}
    for key, both in words().items():
        if both["en"] and key not in plain and len(both["en"]) > 12:
            assert re.search("[가-힣]", both["ko"]), key


def test_each_model_has_one_place_on_the_map_with_its_words():
    named = [place.name for group in GROUPS for place in group.places]
    assert sorted(named) == sorted(latentia.MODELS)
    assert len(PLACES) == len(named)
    assert {f"idea/{name}" for name in named} <= words().keys()
    assert {f"group/{group.key}" for group in GROUPS} <= words().keys()
    assert {f"tool/{tool.key}" for tool in TOOLS} <= words().keys()


def test_each_model_of_the_zoo_is_shown_where_it_belongs():
    index = read_index(CHECKOUT) or read_index(SHIPPED)
    shown = {zoo: place.name for place in PLACES.values() for zoo in place.zoo}
    assert {name: entry.model for name, entry in index.items()} == shown


@pytest.mark.parametrize(
    ("command", "language"),
    [
        pytest.param(c, each, marks=pytest.mark.slow if (n + m) % 2 else [])
        for n, c in enumerate(PLACES)
        for m, each in enumerate(LANGUAGES)
    ],
)
def test_each_place_has_a_page_in_both_languages(studio, command, language):
    studio.own.cookies.set("language", language, domain="127.0.0.1")
    page = studio.own.get(f"/models/{command}")
    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text
    assert PLACES[command].full[language] in page.text.replace("&#39;", "'")


def test_what_each_field_is_for_is_told_in_korean():
    fields = {field.help: field.name for name in latentia.MODELS for field in model_fields(name)}
    known = catalogue()["fields"]
    assert {text: name for text, name in fields.items() if text not in known} == {}
    assert known.keys() <= fields.keys()
    for english, korean in known.items():
        assert re.search("[가-힣]", korean)
        assert in_language(english, "ko") == korean


def test_what_a_field_may_be_is_told_in_korean(studio):
    studio.own.cookies.set("language", "ko", domain="127.0.0.1")
    page = studio.own.get("/models/vae").text
    assert '<span lang="ko">잠재 공간의 크기.</span> (<span lang="ko">1 이상</span>)' in page


def test_the_page_has_no_style_or_script_that_its_policy_forbids():
    for text in SOURCES:
        assert not re.search(r'<[^>]*\s(style|on\w+)="', text)
        assert not re.search(r"<script(?! src=)", text)
        assert not re.search(r"""(src|href)=["']https?:""", text)


def test_refusals_are_told_in_the_readers_language(studio):
    for language, said in (
        ("ko", '<span lang="ko">nothing(이)라는 실행이 없습니다: 목록에서 고르세요</span>'),
        ("en", '<span lang="en">there is no run nothing: choose one from the list</span>'),
    ):
        studio.own.cookies.set("language", language, domain="127.0.0.1")
        assert said in studio.own.get("/runs/nothing").text


def test_a_place_shows_the_formula_of_its_model_if_that_has_one():
    with_one = {name for name, place in PLACES.items() if formula(place)}
    known = provenance.words()
    assert with_one == {n for n, place in PLACES.items() if f"formula/{place.family}" in known}
    assert {"pca", "vae"} <= with_one < PLACES.keys()
    assert all("<math" in formula(PLACES[name]) for name in with_one)


def test_the_model_of_the_zoo_that_is_asked_for_is_played_with_and_else_the_first(studio):
    command, place = next((k, p) for k, p in PLACES.items() if len(p.zoo) > 1)
    first, second, *_ = place.zoo
    for asked, played in ((second, second), (first, first), ("none-such", first), ("", first)):
        page = studio.own.get(f"/models/{command}?zoo={asked}").text
        assert re.findall(r'"/live/zoo/([\w-]+)#', page) == [played, played]
        assert re.findall(r'<a href="\?zoo=([\w-]+)" aria-current="true">', page) == [played]
