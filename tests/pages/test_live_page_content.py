"""What stands in a page beside the model: against closed forms, scikit-learn and the run."""

import base64
import json
import re
import shlex
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from latentia import (
    MODELS,
    PCA,
    VAE,
    WGANGP,
    Autoencoder,
    ConditionalVAE,
    ProbabilisticPCA,
    VaDE,
    load_data,
)
from latentia.cli.main import main
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.base import LatentModel
from latentia.models.fields import model_fields
from latentia.models.saved import kind_of, load
from latentia.models.zoo import read_index, zoos
from latentia.pages import html, korean, provenance, scene, thumbnails
from latentia.pages.checks import MOST, RATIO, check_of, given, kept
from latentia.pages.html import content, kinds_of
from latentia.pages.program import program_of
from latentia.training.config import RunConfig

SMALL = {"n_epochs": 1, "batch_size": 64, "random_state": 0, "device": "cpu"}
TEMPLATES = resources.files("latentia.pages") / "templates"


@pytest.fixture(scope="module")
def digits():
    data, _ = load_data("digits").hold_out()
    return data


@pytest.fixture(scope="module")
def pca(digits):
    return PCA(n_components=5).fit(digits.x_train)


def functions_of(model):
    return {f.name: f for f in model.exported()}


def unpacked(found):
    whole = np.frombuffer(base64.b64decode(found["values"]), "<u2").reshape(found["n"], -1)
    low, high = np.array(found["low"]), np.array(found["high"])
    return low + (high - low) * whole / 65535


def test_what_coordinates_of_pca_change_is_what_they_explain(pca, digits):
    found = scene.scene_of(pca, functions_of(pca), digits)
    codes = pca.transform(digits.x_test)
    variances = codes.var(axis=0)
    assert [s["index"] for s in found["sliders"]] == np.argsort(-variances).tolist()
    shares = [s["share"] for s in found["sliders"]]
    assert np.allclose(shares, sorted(variances / variances.sum(), reverse=True), atol=1e-3)


def test_codes_are_those_of_test_rows_with_their_classes(pca, digits):
    found = scene.scene_of(pca, functions_of(pca), digits)
    codes = pca.transform(digits.x_test)
    assert np.allclose(unpacked(found["codes"]), codes, atol=1e-3)
    assert found["labels"] == digits.y_test.tolist()
    assert found["classes"] == list("0123456789")
    assert np.allclose(found["centre"], codes.mean(axis=0), atol=1e-3)
    for slider in found["sliders"]:
        column = codes[:, slider["index"]]
        assert slider["low"] <= column.min() + 1e-3
        assert slider["high"] >= column.max() - 1e-3


def test_the_plane_is_fisher_s_and_its_steps_are_dual(pca, digits):
    found = scene.scene_of(pca, functions_of(pca), digits)["plane"]
    project, move = np.array(found["project"]), np.array(found["move"])
    assert np.allclose(project @ move.T, np.eye(2), atol=1e-3)
    codes = pca.transform(digits.x_test)
    peer = LinearDiscriminantAnalysis(n_components=2).fit(codes, digits.y_test)
    here = (codes - codes.mean(axis=0)) @ project.T
    there = peer.transform(codes)
    for a, b in zip(here.T, there.T, strict=True):
        assert abs(np.corrcoef(a, b)[0, 1]) > 0.99
    assert np.allclose(found["deviations"], here.std(axis=0), rtol=1e-3)
    assert np.allclose(
        np.array(found["reach"]) / 1.08, np.quantile(np.abs(here), 0.995, axis=0), rtol=1e-3
    )
    assert found["classes"] is True


def test_two_classes_lie_along_the_first_axis(digits):
    few = digits.y_test < 2
    data = replace(digits, x_test=digits.x_test[few], y_test=digits.y_test[few])
    model = PCA(n_components=3).fit(digits.x_train)
    plane = scene.scene_of(model, functions_of(model), data)["plane"]
    project = np.array(plane["project"])
    codes = model.transform(data.x_test)
    u, v = ((codes - codes.mean(axis=0)) @ project.T).T
    zeros, ones = data.y_test == 0, data.y_test == 1
    assert abs(u[zeros].mean() - u[ones].mean()) > 1.5 * u.std()
    assert abs(v[zeros].mean() - v[ones].mean()) < 0.7 * v.std()


def test_classes_move_z_from_the_others_mean_to_their_own(pca, digits):
    found = scene.scene_of(pca, functions_of(pca), digits)["directions"]
    codes, y = pca.transform(digits.x_test), digits.y_test
    assert [d["class"] for d in found] == list(range(10))
    three = found[3]
    assert np.allclose(three["from"], codes[y != 3].mean(axis=0), atol=1e-3)
    own = np.add(three["from"], three["step"])
    assert np.allclose(own, codes[y == 3].mean(axis=0), atol=1e-3)


def test_attributes_of_a_page_without_data_are_those_of_mean_codes(digits, tmp_path):
    model = Autoencoder(n_components=3, hidden=(8,), **SMALL)
    model.fit(digits.x_train)
    rows, y = digits.x_train, np.asarray(digits.y_train)
    assert scene.scene_of(model, functions_of(model), None)["directions"] == []
    model.remember(digits)
    codes = model.transform(rows)
    means = np.stack([codes[y == c].mean(axis=0) for c in range(10)])
    np.testing.assert_allclose(model.class_codes_, means, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model")
    found = scene.scene_of(load(tmp_path / "model"), functions_of(model), None)
    assert found["classes"] == [str(c) for c in range(10)]
    for each in found["directions"]:
        others = np.delete(means, each["class"], axis=0).mean(axis=0)
        np.testing.assert_allclose(each["from"], others, atol=1e-4)
        np.testing.assert_allclose(each["step"], means[each["class"]] - others, atol=1e-4)
    ends = [int(np.abs(means - pin).sum(axis=1).argmin()) for pin in found["pins"]]
    gaps = np.square(means[:, None] - means).sum(axis=2)
    assert gaps[ends[0], ends[1]] == gaps.max()
    model.remember(replace(digits, class_names=("zero", *map(str, range(1, 10)))))
    assert model.class_names_[:2] == ["zero", "1"]


def test_codes_that_are_free_of_the_class_keep_no_means(digits):
    model = ConditionalVAE(n_components=2, hidden=(8,), **SMALL)
    model.fit(digits.x_train[:200], np.asarray(digits.y_train)[:200])
    model.remember(digits)
    assert "class_codes_" not in vars(model)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (PCA(n_components=3), "fitted"),
        (ProbabilisticPCA(n_components=3), "normal"),
        (Autoencoder(n_components=3, hidden=(4,), **SMALL), "fitted"),
        (VAE(n_components=3, hidden=(4,), **SMALL), "normal"),
        (VAE(n_components=3, hidden=(4,), sampler="mixture", n_mixture=2, **SMALL), "drawn"),
        (WGANGP(n_components=3, width=2, n_critic=1, **SMALL), "normal"),
        (WGANGP(n_components=3, width=2, n_critic=1, prior="uniform", **SMALL), "uniform"),
        (VaDE(n_components=3, n_clusters=2, hidden=(4,), pretrain_epochs=1, **SMALL), "drawn"),
    ],
    ids=repr,
)
def test_draws_are_those_of_the_model_s_prior(model, kind, digits):
    model.fit(digits.x_train[:64])
    found = scene.scene_of(model, functions_of(model), digits)
    prior = found["prior"]
    assert prior["kind"] == kind
    if kind == "drawn":
        drawn = unpacked(prior["draws"])
        wanted = model.latent_draws(512, np.random.RandomState(0))
        assert np.allclose(drawn, wanted, atol=1e-3)
    if kind == "fitted":
        codes, L = unpacked(found["codes"]), np.array(prior["factor"])
        assert np.allclose(prior["mean"], codes.mean(axis=0), atol=1e-3)
        assert np.allclose(L @ L.T, np.cov(codes.T), rtol=0.02, atol=1e-3)
    directed = "axis" in found["sliders"][0]
    assert directed == (not hasattr(model, "transform"))


def test_directions_of_a_generator_are_of_length_one_and_change_most_first(digits):
    model = WGANGP(n_components=6, width=2, n_critic=1, **SMALL).fit(digits.x_train[:64])
    sliders = scene.scene_of(model, functions_of(model), digits)["sliders"]
    axes = np.array([s["axis"] for s in sliders if "axis" in s])
    assert np.allclose(axes @ axes.T, np.eye(6), atol=1e-3)
    shares = [s["share"] for s in sliders if "axis" in s]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    z = scene.prior_draws(model, scene.ROWS)
    most, least = (
        np.square(np.subtract(*(model.inverse_transform(z[:40] + s * axis) for s in (0.5, -0.5))))
        for axis in (axes[0], axes[-1])
    )
    assert most.sum() > 2 * least.sum()


def test_a_table_s_columns_count_alike():
    x = np.random.default_rng(0).normal(size=(80, 3)) * [1, 100, 1e-3]
    model = PCA(n_components=3).fit(x)
    found = scene.scene_of(model, functions_of(model), None)
    # In units of the columns each of the three is as much as another.
    assert max(s["share"] for s in found["sliders"]) < 0.6
    assert found["codes"] is None
    # Sliders reach as far as the data's codes would.
    reach = {s["index"]: s["high"] for s in found["sliders"]}
    for j, wide in enumerate(model.transform(x).std(axis=0)):
        assert 2 * wide < reach[j] < 5 * wide


def test_images_are_embedded_of_licensed_data_alone(pca, digits):
    functions, own = functions_of(pca), replace(digits, licence="", origin="")
    assert content(pca, functions, digits, None, False)["images"]["tested"]["n"] == 12
    assert content(pca, functions, own, None, False)["images"] == {}
    assert content(pca, functions, own, None, True)["images"]["seen"]["n"] == 300
    facts = {row["label"]["en"]: row for row in content(pca, functions, own, None, False)["facts"]}
    assert "none" in facts["Images inside"]["text"]["en"]
    assert facts["Data's licence"]["text"] == {"en": "not known", "ko": "알려지지 않음"}
    rows = content(pca, functions, digits, None, False)["facts"]
    told = {row["label"]["en"]: row for row in rows}
    assert told["Data's licence"]["text"]["en"] == digits.licence
    assert told["Images inside"]["text"]["en"] == "300 training and 12 test images"
    assert told["Numbers learnt"]["text"]["ko"] == f"{pca.n_parameters():,}"


def strokes(n, size, at, ground=0.0):
    """Images of 28 pixels with a bar and a foot, of one size, about the middle or elsewhere."""
    images = np.zeros((n, 28, 28))
    for image, (top, left) in zip(images, at, strict=True):
        image[top : top + size, left : left + 3] = 1
        image[top + size - 3 : top + size, left : left + size] = 1
    return np.abs(images - ground)


@pytest.mark.parametrize("ground", [0.0, 1.0])
def test_how_things_are_drawn_is_measured(digits, ground):
    middle = strokes(30, 20, [(4, 4)] * 30, ground)
    found = thumbnails.habit_of(replace(digits, x_test=middle))
    assert (found["ground"], found["size"], found["centre"]) == (ground, 20, "box")
    assert found["pen"] == pytest.approx(3, abs=0.6)
    draws = np.random.default_rng(0)
    places = list(zip(draws.integers(0, 16, 30), draws.integers(0, 16, 30), strict=True))
    found = thumbnails.habit_of(replace(digits, x_test=strokes(30, 12, places, ground)))
    assert (found["size"], found["centre"]) == (12, "none")
    assert thumbnails.habit_of(digits)["size"] == 8


def test_a_drawing_is_as_large_as_its_larger_side_and_lies_where_it_lies():
    ink = np.zeros((20, 30))
    ink[3:7, 12:25] = 1
    ink[3:7, 12:14] = 0.5
    size, mass, box = thumbnails.placed(ink)
    assert size == 13
    assert box == pytest.approx([5 - 10, 18.5 - 15])
    # Two columns of half the weight about 13, and eleven whole ones about 19.5.
    assert mass == pytest.approx([5 - 10, (1 * 13 + 11 * 19.5) / 12 - 15])


def test_a_drawing_s_mass_may_be_what_is_in_the_middle(digits):
    images = np.zeros((20, 28, 28))
    # A heavy block with a long tail: its mass is in the middle and its box is not.
    images[:, 10:18, 10:18] = 1
    images[:, 13:15, 18:27] = 0.3
    for i, image in enumerate(images):
        image[9 - i % 2, 12] = 1
    images = np.roll(images, -1, axis=2)
    assert thumbnails.habit_of(replace(digits, x_test=images))["centre"] == "mass"


def test_sheets_hold_the_images_in_their_order(digits):
    from io import BytesIO

    from PIL import Image

    found = thumbnails.images_of(digits)["tested"]
    png = base64.b64decode(found["png"].partition(",")[2])
    picture = np.asarray(Image.open(BytesIO(png))) / 255
    tests = thumbnails.spread(digits.x_test, 12)
    for i, image in enumerate(tests):
        row, column = divmod(i, found["columns"])
        seen = picture[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        assert np.abs(seen - image).max() < 1 / 255
    assert found["labels"] == thumbnails.spread(digits.y_test, 12).tolist()


@pytest.mark.parametrize(
    ("size", "every"), [(1, 1), (MOST, 1), (MOST + 1, 2), (2 * MOST, 2), (3 * MOST - 1, 3)]
)
def test_a_check_keeps_as_many_values_as_there_is_place_for(size, every):
    values = np.arange(size, dtype=float).reshape(1, size)
    found = kept(values)
    assert found["every"] == every
    read = np.frombuffer(base64.b64decode(found["values"]), "<f4")
    np.testing.assert_array_equal(read, np.arange(0, size, every))
    assert len(read) <= MOST


def test_checks_are_the_model_s_own_answers(pca):
    function = functions_of(pca)["decode"]
    [answers] = check_of(function)
    z = given(function.inputs[0])
    steps = np.arange(1, z.size + 1) * RATIO % 1
    assert np.allclose(z.ravel(), -3 + 6 * steps, atol=1e-6)
    assert answers["every"] == 1
    values = np.frombuffer(base64.b64decode(answers["values"]), "<f4")
    assert np.allclose(values, pca.inverse_transform(z).ravel(), atol=1e-5)


def test_a_page_tells_what_the_run_recorded(tmp_path, digits):
    run = tmp_path / "it's a run"
    asked = ["--n-components", "3", "--hidden", "6", "4", "--n-epochs", "2", "--beta", "0.5"]
    assert main(["train", "vae", "--data", "digits", *asked, "--run", str(run)]) == 0
    from latentia import load

    model = load(run)
    figures = json.loads((run / "evaluation.json").read_text())
    page = content(model, functions_of(model), digits, run, False)
    facts = [(row["label"]["en"], row["text"], row["more"]) for row in page["facts"]]
    score = next(text for label, text, _ in facts if label == "Score")
    assert score["en"] == provenance.score("negative_elbo", figures["negative_elbo"])[0]["en"]
    assert provenance.format_number(figures["negative_elbo"]) in score["ko"]
    trained = next(text for label, text, _ in facts if label == "Trained on")
    assert trained["en"].startswith("digits, 1,375 images of 8 × 8 pixels, 2 epochs, ")
    assert trained["ko"].startswith("digits, 8 × 8 픽셀 이미지 1,375장, 2 에포크, ")
    assert page["title"]["en"] == "Variational autoencoder · digits"
    sizes = next(text for label, text, _ in facts if label == "Model")["en"]
    assert "encoder 64 → 6 → 4 → 6, decoder 3 → 4 → 6 → 64" in sizes
    train, export = provenance.commands(run, tmp_path / "a page.html")
    words = shlex.split(train)
    given_flags = {words[i]: words[i + 1 :] for i in range(len(words)) if words[i].startswith("--")}
    assert given_flags["--hidden"][:2] == ["6", "4"]
    assert given_flags["--beta"][0] == "0.5"
    assert given_flags["--random-state"][0] == str(RunConfig.read(run).parameters["random_state"])
    assert shlex.split(export) == ["latentia", "export", "it's a run", "--out", "a page.html"]
    # Run anew, the command begins the same run.
    again = tmp_path / "again"
    assert main([*words[1 : words.index("--run")], "--run", str(again)]) == 0
    assert RunConfig.read(again).parameters == RunConfig.read(run).parameters


def test_a_model_of_the_zoo_is_called_as_every_verb_takes_it(tmp_path):
    entry = next(zoos()).place
    name = next(iter(read_index(Path(entry))))
    train, export = provenance.commands(Path(entry) / name, tmp_path / "x.html")
    assert train == f"latentia reproduce zoo:{name}"
    assert export == f"latentia export zoo:{name} --out x.html"
    assert "zoo:" not in " ".join(provenance.commands(tmp_path / name, tmp_path / "x.html"))


def test_a_model_of_the_zoo_says_what_it_learnt_from_without_its_data():
    zoo = next(zoos()).place
    for name, entry in read_index(Path(zoo)).items():
        model, folder = load(f"zoo:{name}"), Path(zoo) / name
        told = {
            row["label"]["en"]: row["text"]["en"] for row in provenance.facts(model, None, folder)
        }
        assert told["Data's licence"] == entry.licence != ""
        of = provenance.data_name(None, folder)
        assert told["Trained on"].startswith(of)
        assert html.title_of(model, None, folder)["ko"].endswith(f" · {of}")
        assert of in (entry.data, "mnist")


def test_a_command_tells_no_place_on_the_disk(tmp_path):
    config = RunConfig("PCA", {"n_components": 2}, {"spec": "/home/me/secret/t.csv", "options": {
        "label": "my class", "columns": ["a", "b c"], "no_header": True}})  # fmt: skip
    (tmp_path / "run").mkdir()
    config.write(tmp_path / "run")
    train, _ = provenance.commands(tmp_path / "run", tmp_path / "x.html")
    assert "secret" not in train
    assert "--data t.csv" in train
    assert "--label 'my class' --columns a 'b c' --no-header" in train
    assert "--n-components 2" in train


def test_every_text_is_in_both_languages_with_the_same_values():
    for key, both in provenance.words().items():
        assert set(both) == {"en", "ko"}, key
        fields = [set(re.findall(r"\{(\w+)\}", text)) for text in both.values()]
        assert fields[0] == fields[1], key
        assert bool(both["en"]) == bool(both["ko"]), key
        # Latin letters are symbols, names and file formats; what is Korean says so.
        assert not both["ko"] or re.search("[가-힣{]", both["ko"]), key
        assert not re.search("[가-힣]", both["en"]), key


def test_every_text_is_used_and_every_use_has_a_text():
    sources = [p for p in TEMPLATES.iterdir() if p.name.endswith((".js", ".html"))]
    folder = resources.files("latentia.pages")
    sources += [p for p in folder.iterdir() if p.name.endswith(".py")]
    text = "\n".join(p.read_text("utf-8") for p in sources)
    asked = set(re.findall(r'data-[ta]="([\w/]+)"', text))
    asked |= set(re.findall(r'\bsa(?:y|id)\("([\w/]+)"', text))
    words = provenance.words()
    assert asked <= set(words)
    families = set(re.findall(r"[`\"]([\w]+)/[{$]", text))
    for key in set(words) - asked:
        family = key.split("/")[0]
        assert f'"{key}"' in text or family in families, key


def test_models_that_decode_have_a_formula_and_all_a_korean_name():
    formulas = (TEMPLATES / "formulas.html").read_text("utf-8")
    for name in MODELS:
        kind = kind_of(name)
        assert re.search("[가-힣]", korean.NAMES[name]), name
        if issubclass(kind, LatentModel):
            family = provenance.family_of(kind())
            assert f'"{family}"' in formulas, name


def test_scores_have_a_meaning_in_both_languages():
    for key in (*provenance.SCORES, "memorisation"):
        told, meaning = provenance.score(key, 1.5)
        assert DEFINITIONS[key].label in told["en"]
        assert meaning["en"] == DEFINITIONS[key].meaning
        assert re.search("[가-힣]", meaning["ko"])
        lower = DEFINITIONS[key].better == "lower"
        assert ("lower is better" in told["en"]) == ("낮을수록" in told["ko"]) == lower


def test_flags_are_written_for_every_kind_of_field():
    for name in MODELS:
        for field in model_fields(name):
            word = provenance.flag_of(field.name, field.default)
            assert word.startswith("--")
    assert provenance.flag_of("hidden", [4, 2]) == "--hidden 4 2"
    assert provenance.flag_of("hidden", []) == "--hidden none"
    assert provenance.flag_of("whiten", False) == "--no-whiten"
    assert provenance.flag_of("image_size", "64x48 fit") == "--image-size 64x48 --fit"


def test_sections_are_chosen_by_what_functions_take_and_give(pca):
    from dataclasses import asdict

    document = {"functions": {}}
    for name, f in functions_of(pca).items():
        inputs, outputs = ([asdict(q) for q in part] for part in (f.inputs, f.outputs))
        document["functions"][name] = {"inputs": inputs, "outputs": outputs}
    kinds = kinds_of(document)
    assert kinds == {"encode", "decode", "encode:image", "decode:code", "made:image"}


def block_of(path):
    found = re.search('id="page">(.*?)</script>', path.read_text("utf-8"), re.S)
    return json.loads(found[1])


def test_the_command_gives_a_page_the_run_s_data(tmp_path, capsys, monkeypatch):
    """Of own images codes and no images, unless asked for; without the data still a page."""
    made = []
    # The program of a model, which takes long, is made once.
    monkeypatch.setattr(
        html, "program_of", lambda *asked: (made or made.append(program_of(*asked)), made[0])[1]
    )
    images, data = np.random.default_rng(0).random((60, 6, 6)), tmp_path / "own.npz"
    np.savez(data, x=images, y=np.arange(60) % 2)
    run = tmp_path / "run"
    assert (
        main(["train", "pca", "--data", str(data), "--n-components", "2", "--run", str(run)]) == 0
    )
    capsys.readouterr()
    page = tmp_path / "page.html"
    assert main(["export", str(run), "--out", str(page)]) == 0
    told = capsys.readouterr()
    assert "no images of own" in told.err
    assert "--with-images" in told.err
    assert str(page) in told.out
    found = block_of(page)
    assert found["images"] == {}
    assert found["scene"]["codes"]["n"] == 6
    assert found["kilobytes"] == round(page.stat().st_size / 1000)
    before = page.read_bytes()
    assert main(["export", str(run), "--out", str(page)]) != 0
    assert page.read_bytes() == before
    asked = ["--overwrite", "--with-images"]
    assert main(["export", str(run), "--out", str(page), *asked]) == 0
    assert "no images" not in capsys.readouterr().err
    assert block_of(page)["images"]["tested"]["n"] == 6
    data.unlink()
    other = tmp_path / "other.html"
    assert main(["export", str(run), "--out", str(other)]) == 0
    assert "without its data, since" in capsys.readouterr().err
    assert block_of(other)["scene"]["codes"] is None
    assert main(["export", str(run), "--out", str(tmp_path / "x.json"), "--with-images"]) != 0
    assert "--with-images is for pages" in capsys.readouterr().err
