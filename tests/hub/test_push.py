"""What is sent to a hub: a model that is loaded as it was, a card, and nothing of own data."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import latentia
from latentia import PCA, VAE, InputError, load_data
from latentia.cli import main
from latentia.metrics.definitions import DEFINITIONS
from latentia.pages import card as cards
from latentia.pages.card import Subject
from latentia.training.config import RunConfig
from tests.conftest import small_models

pytestmark = pytest.mark.filterwarnings(
    # Of huggingface-hub's own calls.
    "ignore:Use 'content=:DeprecationWarning"
)
RUN = ["train", "pca", "--data", "digits", "--n-components", "3", "--run", "run"]


@pytest.fixture
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


@pytest.fixture(scope="module")
def pca(digits):
    return PCA(n_components=3).fit(digits.x_train)


def header_of(hub, name="jane/pca"):
    text = hub.repositories[name].files["README.md"].decode()
    _, header, body = re.split("^---$", text, maxsplit=2, flags=re.M)
    return yaml.safe_load(header), body


def page_of(hub, name="jane/pca"):
    text = hub.repositories[name].files["index.html"].decode()
    return json.loads(text.split('id="page">')[1].split("</script>")[0])


def test_a_run_is_pushed_and_every_figure_of_its_card_is_the_run_s(hub, inside, capsys):
    assert main(RUN) == 0
    assert main(["push", "run", "jane/pca"]) == 0
    assert f"{hub.url}/jane/pca\n" in capsys.readouterr().out
    files = hub.repositories["jane/pca"].files
    assert {*files} == {
        ".gitattributes",
        "config.json",
        "model.safetensors",
        "README.md",
        "index.html",
    }
    X = load_data("digits").x_test
    again, here = latentia.load("hf://jane/pca"), latentia.load("run")
    assert np.array_equal(again.transform(X), here.transform(X))
    header, body = header_of(hub)
    recorded = json.loads(Path("run/evaluation.json").read_text())
    result = header["model-index"][0]["results"][0]
    told = {metric["type"]: metric for metric in result["metrics"]}
    assert {*told} == {*recorded} & {*DEFINITIONS} - {"seconds", "n_parameters"}
    assert {*header["metrics"]} == {*told}
    assert len(told) > 2
    for key, metric in told.items():
        assert metric["value"] == pytest.approx(recorded[key], rel=1e-12)
        assert metric["name"] == DEFINITIONS[key].label
        assert f"| {DEFINITIONS[key].label} |" in body
    assert header["model-index"][0]["name"] == "pca"
    assert result["dataset"] == {"name": "digits", "type": "digits"}
    assert result["task"]["type"] == header["pipeline_tag"] == "image-feature-extraction"
    assert (header["license"], header["library_name"]) == ("cc-by-4.0", "latentia")
    assert header["tags"] == ["latentia", "latent-variable-model", "pca"]
    assert "latentia train pca --data digits --n-components 3 --run run" in body
    assert "latentia evaluate hf://jane/pca\n" in body
    assert 'latentia.load("hf://jane/pca")' in body
    assert "index.html" in body
    assert page_of(hub)["images"]["tested"]["n"] == 12
    assert str(inside).encode() not in b"".join(hub.bodies)


def test_commands_take_a_model_on_a_hub(hub, inside, capsys):
    assert main(RUN) == 0
    assert main(["push", "run", "jane/pca", "--no-page"]) == 0
    assert "index.html" not in hub.repositories["jane/pca"].files
    assert "index.html" not in header_of(hub)[1]
    capsys.readouterr()
    assert main(["evaluate", "run"]) == 0
    here = capsys.readouterr().out
    assert main(["evaluate", "hf://jane/pca"]) == 0
    assert capsys.readouterr().out == here
    for words in (
        ["reconstruct", "hf://jane/pca", "--out", "a.npy"],
        ["transform", "hf://jane/pca", "digits", "--out", "b.npy"],
        ["explore", "map", "hf://jane/pca", "--out", "c.png"],
        ["export", "hf://jane/pca", "--out", "d.json"],
    ):
        assert main(words) == 0, words
        assert Path(words[-1]).stat().st_size > 100
    assert main(["resume", "hf://jane/pca"]) == 2
    said = capsys.readouterr().err
    assert "--start-from hf://jane/pca" in said
    assert said.count("error") == 1


def test_a_vae_is_fine_tuned_from_a_hub(hub, inside, digits):
    small = {"hidden": (8,), "n_components": 3, "n_epochs": 1, "batch_size": 64, "random_state": 0}
    model = VAE(**small, device="cpu").fit(digits.x_train[:100])
    assert model.push_to_hub("jane/vae", page=False) == f"{hub.url}/jane/vae"
    assert main(["train", "--start-from", "hf://jane/vae", "--n-epochs", "1", "--run", "more"]) == 0
    assert latentia.load("more").get_params()["hidden"] == (8,)
    assert np.array_equal(latentia.load("hf://jane/vae").sample(2, 0), model.sample(2, 0))


def test_push_to_hub_says_private_and_keeps_versions(hub, pca, digits):
    pca.push_to_hub("hf://jane/pca", private=True, page=False)
    repository = hub.repositories["jane/pca"]
    assert repository.private
    assert len(repository.commits) == 2
    first = repository.sha(1)
    with pytest.raises(InputError, match=r"jane/pca exists: .*--overwrite"):
        pca.push_to_hub("jane/pca", page=False)
    PCA(n_components=2).fit(digits.x_train).push_to_hub("jane/pca", page=False, overwrite=True)
    assert len(repository.commits) == 3
    assert latentia.load("hf://jane/pca").n_components == 2
    assert latentia.load(f"hf://jane/pca@{first}").n_components == 3
    with pytest.raises(InputError, match="no revision 'v9'"):
        latentia.load("hf://jane/pca@v9")


def test_public_unless_private(hub, pca):
    pca.push_to_hub("jane/pca", page=False)
    assert not hub.repositories["jane/pca"].private
    with pytest.raises(InputError, match="jane/pca exists and is public: leave --private out"):
        pca.push_to_hub("jane/pca", page=False, private=True, overwrite=True)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"notes.txt": b"mine"}, "holds notes.txt, which Latentia did not write"),
        ({"config.json": b'{"model_type": "bert"}', "model.safetensors": b"x"}, "config.json"),
    ],
)
def test_what_somebody_else_wrote_is_not_replaced(hub, pca, files, words):
    hub.put("jane/theirs", files)
    with pytest.raises(InputError, match=words):
        pca.push_to_hub("jane/theirs", page=False, overwrite=True)
    assert hub.repositories["jane/theirs"].files == files


def test_an_empty_repository_is_filled(hub, pca):
    hub.put("jane/new", {".gitattributes": b""})
    pca.push_to_hub("jane/new", page=False)
    assert "config.json" in hub.repositories["jane/new"].files


def test_nothing_of_own_images_is_sent(hub, inside, capsys):
    draws = np.random.default_rng(0)
    pictures = draws.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    Path("portraits").mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(f"portraits/{i}.png")
    assert main(["train", "pca", "--data", "portraits", "--n-components", "2", "--run", "run"]) == 0
    capsys.readouterr()
    assert main(["push", "run", "jane/pca"]) == 0
    assert "the licence of portraits is not known" in capsys.readouterr().err
    page = page_of(hub)
    assert (page["images"], page["scene"]["codes"], page["habit"]) == ({}, None, None)
    header, body = header_of(hub)
    assert not {"license", "datasets"} & {*header}
    assert "The licence of the data is not known" in body
    config = json.loads(hub.repositories["jane/pca"].files["config.json"])
    assert "data" not in config
    sent = b"".join(hub.bodies)
    assert str(inside).encode() not in sent
    assert b"image/png" not in sent


def test_a_card_without_a_run_tells_no_figures(hub, pca, digits):
    pca.push_to_hub("jane/pca", page=False)
    header, body = header_of(hub)
    assert "model-index" not in header
    assert "## Figures" not in body
    pca.push_to_hub("jane/pca", page=False, overwrite=True, data=digits)
    assert header_of(hub)[0]["license"] == "cc-by-4.0"
    config = json.loads(hub.repositories["jane/pca"].files["config.json"])
    assert config["data"]["spec"] == "digits"
    pca.push_to_hub("jane/less", page=False, data=replace(digits, image_size=8))
    config = json.loads(hub.repositories["jane/less"].files["config.json"])
    assert config["data"] == {"spec": "digits", "image_size": 8}


def fitted(name, images):
    """Return a small model of a name, fitted to images, to pairs, to domains, or to labels."""
    model, half = small_models()[name], np.arange(len(images)) % 2
    if name in ("Bicubic", "SRResNet"):
        return model.fit(np.repeat(np.repeat(images, 4, axis=1), 4, axis=2))
    if name == "Pix2Pix":
        return model.fit(images, 1 - images)
    return model.fit(images, half) if name in ("CycleGAN", "ConditionalGAN") else model.fit(images)


TASKS = {
    "VAE": "unconditional-image-generation",
    "DCGAN": "unconditional-image-generation",
    "ConditionalGAN": "",
    "Autoencoder": "image-feature-extraction",
    "Pix2Pix": "image-to-image",
    "CycleGAN": "image-to-image",
    "Bicubic": "image-to-image",
    "SRResNet": "image-to-image",
}


@pytest.mark.parametrize("name", TASKS)
def test_every_model_has_a_card_with_its_task(name, images):
    model = fitted(name, images)
    subject = Subject(model, "jane/it")
    text = cards.card(subject, page=False)
    header = yaml.safe_load(re.split("^---$", text, maxsplit=2, flags=re.M)[1])
    assert header.get("pipeline_tag", "") == TASKS[name]
    told = {key: sentence in text for key, sentence in cards.OF_KINDS.items()}
    mended, drawn = TASKS[name] == "image-to-image", TASKS[name].startswith("un") or "Cond" in name
    coded = name in ("VAE", "Autoencoder")
    assert told == {"drawn": drawn, "mended": mended, "written": False, "coded": coded}


def test_the_doctor_and_the_statistic_of_copies_are_told(digits):
    few = replace(digits, x_test=digits.x_test[:50])
    model = VAE(hidden=(8,), n_components=2, n_epochs=1, random_state=0, device="cpu")
    model.fit(digits.x_train[:200])
    text = cards.card(Subject(model, "jane/it", few), page=True)
    assert "Doctor: undertrained" in text
    found = cards.copying(Subject(model, "jane/it", few))
    assert re.search(r"data-copying z = .*\(50 samples, 50 test, 1,500 training\)", found)
    assert cards.escaped(found) in text
    copies = replace(few, x_train=np.asarray(model.sample(50, random_state=0)))
    assert float(re.search(r"z = (\S+) ", cards.copying(Subject(model, "j/i", copies)))[1]) < -3


def test_names_are_no_marks_of_the_card(digits):
    kind = type("PCA<b>|x", (PCA,), {"__doc__": "A `model` [of](http://evil) <img src=x>."})
    text = cards.card(Subject(kind(n_components=2).fit(digits.x_train[:50]), "jane/it"), page=True)
    told = re.sub("```.*?```", "", text, flags=re.S)
    assert not [mark for mark in ("<b>", "<img", "[of](", "PCA<", "`model`") if mark in told]


@pytest.mark.parametrize("name", ["vae", "a/b/c", "jane/", "../x", "jane/v@1", "", "jane/a b"])
def test_a_name_that_is_none_is_refused(name, pca):
    with pytest.raises(InputError, match=r"name of a model on a hub|names a revision"):
        pca.push_to_hub(name)


def test_a_missing_token_a_wrong_one_and_a_missing_hub_are_told(hub, pca, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    with pytest.raises(InputError, match=r"\(401\): that is not allowed; a token"):
        pca.push_to_hub("jane/pca", page=False)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match=r"no token for http.* is known: 'hf auth login'"):
        pca.push_to_hub("jane/pca", page=False)
    assert hub.repositories == {}


def test_arguments_of_a_push_are_checked(pca):
    for wrong, words in (({"private": "yes"}, "private"), ({"data": "digits"}, "load_data")):
        with pytest.raises(InputError, match=words):
            pca.push_to_hub("jane/pca", **wrong)


def test_a_cards_header_is_written_in_the_letters_of_its_names(monkeypatch, pca):
    monkeypatch.setattr(cards, "metadata", lambda subject: {"datasets": ["Größe"]})
    header = cards.card(Subject(pca, "größe"), page=False)
    assert "datasets:\n- Größe\n" in header


@pytest.mark.parametrize(
    ("spec", "datasets", "kind"),
    [("mnist", ["ylecun/mnist"], "ylecun/mnist"), ("digits", None, "digits")],
)
def test_data_that_hubs_have_are_called_as_they_are_there(spec, datasets, kind, pca, tmp_path):
    config = RunConfig(model="PCA", parameters={}, data={"spec": spec}, threads=1)
    config.write(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"psnr": 20.5, "seconds": 1.0}')
    found = cards.metadata(Subject(pca, "jane/it", run=tmp_path))
    assert found.get("datasets") == datasets
    [entry] = found["model-index"]
    [result] = entry["results"]
    assert entry["name"] == "it"
    assert result["dataset"]["type"] == kind
    assert {m["type"]: m["value"] for m in result["metrics"]} == {"psnr": 20.5}
