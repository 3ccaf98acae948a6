"""A comparison: which models, with which settings and seed, measured on what."""

import base64
import html
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

import latentia
from latentia import PCA, VAE
from latentia.cli.main import main
from latentia.data import load as load_data
from latentia.data.arrays import facts as facts_of
from latentia.data.dataset import Dataset, Part, split
from latentia.errors import InputError
from latentia.evaluation.clusterings import baseline_sections
from latentia.evaluation.comparison import BY_DEFAULT, compare, recipe
from latentia.evaluation.evaluate import evaluate
from latentia.evaluation.model_section import ModelSection
from latentia.models.inputs import spread
from latentia.models.measures import yardstick
from latentia.models.saved import load
from latentia.plots.grids import thumbnails
from latentia.training.config import versions
from tests.conftest import reported, small_models
from tests.evaluation.test_report import Page

README = Path(__file__).parents[2] / "README.md"
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """Return a file of 240 training and 60 test digits."""
    path, digits = tmp_path_factory.mktemp("data") / "few.npz", load_data("digits")
    parts = {"x_train": digits.x_train[:240], "y_train": digits.y_train[:240]}
    np.savez(path, **parts, x_test=digits.x_test[:60], y_test=digits.y_test[:60])
    return str(path)


@pytest.fixture(scope="module")
def compared(spec, tmp_path_factory):
    """Return the folder of a comparison of all that are compared by default, with seed 5."""
    out = tmp_path_factory.mktemp("c") / "out"
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(out.parent)
        words = ["--data", spec, "--n-epochs", "1", "--random-state", "5", "--out", str(out)]
        assert main(["compare", *words]) == 0
    return out


def test_a_comparison_of_all_models(compared, spec):
    page = Page((compared / "report.html").read_text())
    # Side by side, the table, each model, scikit-learn's two, and how it was made.
    assert page.tags.count("section") == len(BY_DEFAULT) + 5
    assert page.tags.count("img") >= 10
    for name in BY_DEFAULT:
        assert (compared / name / "model" / "config.json").exists()
    with pytest.raises(InputError, match="already holds a comparison"):
        compare(spec, out=compared)


def config(folder):
    return json.loads((folder / "config.json").read_text())


def test_the_readme_and_the_help_count_the_models_that_are_compared(compared, capsys):
    models = reported(compared / "report.html")
    own = [name for name in models if "scikit-learn" not in name]
    assert tuple(own) == BY_DEFAULT
    told = f"{NUMBERS[len(own) - 1]} models and {NUMBERS[len(models) - len(own) - 1]} baselines"
    assert told in README.read_text()
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    assert told in " ".join(capsys.readouterr().out.split())


def test_the_seed_the_data_and_the_epochs_reach_every_model(compared, spec):
    for name in BY_DEFAULT:
        found = config(compared / name)
        assert found["data"].items() >= {"spec": spec, "image_size": None}.items()
        parameters = found["parameters"]
        if "random_state" in parameters:
            assert parameters["random_state"] == 5, name
        if "n_epochs" in parameters:
            assert parameters["n_epochs"] == 1, name
            taken = found["resolved"]
            assert (taken["n_epochs"], taken["batch_size"], taken["n_steps"]) == (1, 32, 6), name
    page = (compared / "report.html").read_text()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert (facts["seed"], facts["sample"], facts["test"]) == ("5", "8 × 8", "60")
    assert (facts["training"], facts["held out for the curves"]) == ("220 samples", "20")


@pytest.mark.parametrize("known", [True, False])
def test_the_page_says_what_was_compared_on_what(known, tmp_path):
    """Of sets that are known, where they come from; of others, which file was read."""
    x = np.random.default_rng(0).random((1300, 4))
    told = {"description": "made up", "origin": "A draw", "licence": "free"} if known else {}
    data = Dataset("mine", x, None, x[:1200], None, spec="/a/b.npy", **told)
    page = compare(data, ("PCA", "ProbabilisticPCA"), tmp_path / "c", random_state=7).read_text()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html.unescape(page)))
    assert facts["data"] == ("A draw. free." if known else "Read from /a/b.npy.")
    assert (facts["sample"], facts["training"]) == ("4", "1,192 samples")
    assert (facts["held out for the curves"], facts["test"]) == ("108", "1,200")
    assert facts["seed"] == "7"
    assert facts["versions"] == ", ".join(f"{k} {v}" for k, v in versions().items())
    assert facts["checksum of the training data"] == facts_of(x)["hash"]
    assert facts["samples"] == yardstick(data.hold_out()[0])
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))
    assert "Two models on mine" in text
    described = "mine: made up" if known else "mine"
    assert f"latentia compare · {described} · 1,192 to learn, 108 held out, 1,200 to test" in text


def test_another_seed_gives_another_model_and_the_same_the_same(compared, spec, tmp_path):
    codes, x = [], load_data(spec).x_test
    for seed in (5, 6):
        out = tmp_path / str(seed)
        compare(spec, ("VAE",), out, random_state=seed, n_epochs=1)
        codes.append(load(out / "VAE").transform(x))
    assert (codes[0] != codes[1]).any()
    np.testing.assert_array_equal(codes[0], load(compared / "VAE").transform(x))


def test_every_figure_of_the_report_is_the_saved_models_on_the_test_part(compared, spec):
    kept, _ = load_data(spec).hold_out()
    models = reported(compared / "report.html")
    for name in BY_DEFAULT:
        assert models[name].pop("seconds") >= 0
        found = evaluate(load(compared / name), kept)
        assert models[name] == pytest.approx(found, rel=1e-6), name
    for section in baseline_sections(kept, 5):
        figures = models[section.name]
        assert figures.pop("seconds") >= 0
        assert figures == pytest.approx({k: section.metrics[k] for k in figures})
    page = (compared / "report.html").read_text()
    assert yardstick(kept) in page
    pca = load(compared / "PCA")
    for k in (2, 10):
        assert f"{-pca.truncated(k).score(kept.x_test):.2f} at {k}" in page
    assert "at 10." in page


def test_the_models_that_are_named_are_compared_alone(spec, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "--data", spec, "--models", "pca,FactorAnalysis,pca"]) == 0
    assert capsys.readouterr().out == "comparison-few-1/report.html\n"
    found = reported(tmp_path / "comparison-few-1/report.html")
    assert list(found) == ["PCA", "FactorAnalysis"]
    assert main(["compare", "--data", spec, "--models", "pca"]) == 0
    assert (tmp_path / "comparison-few-2/PCA/model").is_dir()


def test_pictures_are_compared_at_the_size_that_is_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for number in range(20):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        pixels = draw.integers(0, 255, (20, 20), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"pictures/{number:02}.png")
    words = ["--data", "pictures", "--models", "pca", "--image-size", "8", "--out", "c"]
    assert main(["compare", *words]) == 0
    assert load(tmp_path / "c/PCA").data_shape_ == (8, 8)
    assert config(tmp_path / "c/PCA")["data"]["image_size"] == 8


def test_a_comparison_is_never_mixed_with_another(spec, tmp_path):
    compare(spec, ("PCA",), tmp_path / "c")
    for models in (("PCA",), ("FactorAnalysis",), None):
        with pytest.raises(InputError, match="already holds a comparison"):
            compare(spec, models, tmp_path / "c")
    (tmp_path / "c/report.html").unlink()
    with pytest.raises(InputError, match="already holds a comparison"):
        compare(spec, ("PCA",), tmp_path / "c")
    with pytest.raises(InputError, match="did you mean 'Autoencoder'"):
        compare(spec, ("Autoencodr",), tmp_path / "d")


def test_models_of_classes_are_left_out_where_there_are_none(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((24, 8, 8)))
    compare(str(tmp_path / "x.npy"), ("PCA", "ConditionalVAE"), tmp_path / "c", n_epochs=1)
    text = (tmp_path / "c/report.html").read_text()
    assert "ConditionalVAE was left out: the data have no labels." in text
    assert list(reported(tmp_path / "c/report.html")) == ["PCA"]


def data_of(n, *shape, classes=()):
    """Return data of so many samples that take no memory."""
    x = np.broadcast_to(np.float32(0), (n, *shape))
    return Dataset("d", x, None, x[:1], None, classes)


@pytest.mark.parametrize("name", small_models())
def test_every_model_has_a_recipe_with_the_seed(name):
    fields = getattr(latentia, name)().get_params()
    settings = recipe(name, data_of(240, 8, 8), 7, 2).get_params()
    assert settings.get("random_state", 7) == 7
    assert settings.get("n_epochs", 2) == 2
    changed = {key for key in settings if settings[key] != fields[key]}
    common = {"random_state", "n_epochs"}
    factors = ("ProbabilisticPCA", "FactorAnalysis", "LinearAutoencoder", "LinearVAE", "PCA")
    clusters = ("AutoencoderKMeans", "DEC", "IDEC", "VaDE")
    allowed = {
        **{key: {"n_components"} for key in factors},
        **{key: {"n_clusters"} for key in clusters},
    }
    assert changed - common <= allowed.get(name, set())


def test_settings_follow_the_size_of_the_data():
    assert recipe("PCA", data_of(240, 8, 8), 0, None).n_components == 30
    assert recipe("PCA", data_of(12, 8, 8), 0, None).n_components == 11
    assert recipe("PCA", data_of(240, 5), 0, None).n_components == 5
    for name in ("ProbabilisticPCA", "FactorAnalysis", "LinearAutoencoder", "LinearVAE"):
        assert recipe(name, data_of(240, 8, 8), 0, None).n_components == 10
        assert recipe(name, data_of(240, 5), 0, None).n_components == 4
        assert recipe(name, data_of(9, 8, 8), 0, None).n_components == 8
    for name in ("AutoencoderKMeans", "DEC", "IDEC", "VaDE"):
        assert recipe(name, data_of(240, 5, classes=("a", "b", "c")), 0, None).n_clusters == 3
        assert recipe(name, data_of(240, 5), 0, None).n_clusters == 10


@pytest.mark.parametrize(("side", "fits"), [(7, False), (8, True), (256, True), (257, False)])
def test_dcgan_is_left_out_of_images_too_small_and_too_large(side, fits, tmp_path, monkeypatch):
    x = np.random.default_rng(0).random((24, side, 8 if fits else 64), dtype=np.float32)
    np.save(tmp_path / "x.npy", x)
    monkeypatch.setattr("latentia.evaluation.comparison.fit_in_run", lambda *_, **__: None)
    nothing = ModelSection("DCGAN", "", "", {}, {}, ())
    monkeypatch.setattr("latentia.evaluation.comparison._section", lambda *_: nothing)
    monkeypatch.setattr("latentia.evaluation.comparison.write_report", lambda _, report: report)
    report = compare(str(tmp_path / "x.npy"), ("PCA", "DCGAN"), tmp_path / "c")
    assert len(report.sections) == 1 + fits
    said = "DCGAN was left out: it learns images of 8×8 to 256×256 pixels."
    assert (said in report.notes) != fits


def test_baselines_are_fitted_to_the_training_part_and_measured_on_the_test_part(spec):
    data, _ = load_data(spec).hold_out()
    train, test = (part.reshape(len(part), -1) for part in (data.x_train, data.x_test))
    train, test = train.astype(float), test.astype(float)
    centres, mixture = baseline_sections(data, 3)
    means = KMeans(10, n_init=4, random_state=3).fit(train)
    nearest = ((test[:, None] - means.cluster_centers_) ** 2).sum(-1)
    assert centres.metrics["squared_error"] == pytest.approx(nearest.min(1).mean())
    assert centres.metrics["n_parameters"] == 10 * 64
    agreement = adjusted_rand_score(data.y_test, nearest.argmin(1))
    assert centres.metrics["adjusted_rand"] == pytest.approx(agreement)
    assert (centres.parameters["n_clusters"], centres.parameters["random_state"]) == (10, 3)
    assert [picture.title for picture in centres.pictures] == ["Centres"]
    varies = np.ptp(train, axis=0) > 0
    train, test = train[:, varies], test[:, varies]
    floor = 1e-3 * train.var(axis=0).mean()
    model = GaussianMixture(10, covariance_type="diag", reg_covar=floor, random_state=3).fit(train)
    log_p = model.score_samples(test)
    assert mixture.metrics["negative_log_likelihood"] == pytest.approx(-log_p.mean())
    assert mixture.metrics["n_parameters"] == 2 * 10 * varies.sum() + 9
    agreement = adjusted_rand_score(data.y_test, model.predict(test))
    assert mixture.metrics["adjusted_rand"] == pytest.approx(agreement)
    assert mixture.parameters["random_state"] == 3
    other, _ = baseline_sections(data, 4)
    assert other.metrics["squared_error"] != centres.metrics["squared_error"]


def test_of_many_samples_baselines_take_some_from_all_over_the_data(spec, monkeypatch):
    data = load_data(spec)
    by_class, of_test = np.argsort(data.y_train), np.argsort(data.y_test)
    data = replace(data, x_train=data.x_train[by_class], y_train=data.y_train[by_class])
    data = replace(data, x_test=data.x_test[of_test], y_test=data.y_test[of_test])
    monkeypatch.setattr("latentia.evaluation.clusterings.MOST_ROWS", 20)
    few = {name: spread(getattr(data, name), 20) for name in ("x_train", "x_test", "y_test")}
    expected = baseline_sections(replace(data, **few), 0)
    for found, other in zip(baseline_sections(data, 0), expected, strict=True):
        for key in set(found.metrics) - {"seconds"}:
            assert found.metrics[key] == pytest.approx(other.metrics[key]), key


def test_baselines_without_classes_form_ten_clusters(spec):
    data = replace(load_data(spec), y_train=None, y_test=None, class_names=())
    for section in baseline_sections(data, 0):
        assert section.parameters.get("n_clusters", 10) == 10
        assert "adjusted_rand" not in section.metrics
    few = replace(data, x_train=data.x_train[:4])
    assert baseline_sections(few, 0)[0].parameters["n_clusters"] == 4
    three = replace(data, class_names=("a", "b", "c"))
    assert baseline_sections(three, 0)[1].parameters["n_components"] == 3


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("VAE", r"models is 'VAE'; give a list of class names"),
        ((), r"models is \(\); give a list of class names"),
        ((3,), "models holds an object of type int; give names of classes"),
        (latentia.PCA(), r"models is PCA\(\); give a list of class names"),
        ((latentia.LSTMLanguageModel(),), "LSTMLanguageModel learns from a text"),
    ],
)
def test_models_are_named_in_a_list(tmp_path, models, words):
    with pytest.raises(InputError, match=words):
        compare("digits", models=models, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


class MyPCA(latentia.PCA):
    """A user's own model."""


def test_arrays_and_estimators_are_compared_as_they_are(tmp_path):
    digits = load_data("digits")
    X, y = digits.x_train[:120], np.array([f"no {label}" for label in digits.y_train[:120]])
    mine = MyPCA(n_components=7)
    page = compare(
        (X, y),
        [latentia.PCA(n_components=5), mine, "PCA", latentia.PCA(n_components=6)],
        tmp_path / "c",
    )
    found = reported(page)
    assert list(found) == ["PCA", "MyPCA", "PCA 2", "PCA 3"]
    text = page.read_text().partition("</style>")[2]
    assert "<h1>Four models on arrays</h1>" in text
    assert "A user&#39;s own model." in text
    # A named one has the comparison's size: a quarter of 64 values.
    assert re.findall(r"<li>z: <b class=\"num\">(\d+)</b></li>", text) == ["5", "7", "16", "6"]
    assert "Sizes of z differ, 5 to 16" in text
    assert "components_" not in vars(mine)
    kept, _ = split(Part(X), "arrays", 0).hold_out()
    for folder, k in (("PCA", 5), ("PCA-2", 16), ("PCA-3", 6)):
        saved = load(tmp_path / "c" / folder)
        fresh = latentia.PCA(n_components=k).fit(kept.x_train)
        np.testing.assert_allclose(saved.explained_variance_, fresh.explained_variance_)
    error = latentia.PCA(n_components=5).fit(kept.x_train).score(kept.x_test)
    assert found["PCA"]["squared_error"] == pytest.approx(-error, rel=1e-5)
    assert 0 < found["PCA"]["code_accuracy"] <= 1
    # No command makes it again, as the arrays have no name.
    assert "<pre>" not in text
    assert "spec" not in config(tmp_path / "c/PCA")["data"]


def test_other_arrays_and_data_sets_are_compared(tmp_path, table):
    for number, data in enumerate((table, load_data("digits"))):
        found = reported(compare(data, ("PCA",), tmp_path / str(number)))
        assert ("code_accuracy" in found["PCA"]) == bool(number)
    with pytest.raises(InputError, match="X is a"):
        compare(np.zeros(3), ("PCA",), tmp_path / "c")
    with pytest.raises(InputError, match="120 samples and labels of shape"):
        compare((np.zeros((120, 3)), np.zeros(7)), ("PCA",), tmp_path / "c")
    with pytest.raises(InputError, match="image_size is 8; it is for the pictures of a folder"):
        compare(table, ("PCA",), tmp_path / "c", image_size=8)
    assert not (tmp_path / "c").exists()


def test_models_that_encode_are_compared_at_one_size_of_z(compared, spec, tmp_path):
    sizes = {name: config(compared / name)["parameters"]["n_components"] for name in BY_DEFAULT}
    assert {size for name, size in sizes.items() if name != "DCGAN"} == {16}
    assert sizes["DCGAN"] == latentia.DCGAN().n_components
    assert "Sizes of z differ" not in (compared / "report.html").read_text()
    words = ["--models", "PCA,FactorAnalysis", "--n-components", "9", "--out", str(tmp_path / "c")]
    assert main(["compare", "--data", spec, *words]) == 0
    for name in ("PCA", "FactorAnalysis"):
        assert config(tmp_path / "c" / name)["parameters"]["n_components"] == 9
    page = (tmp_path / "c/report.html").read_text()
    command = "latentia compare --data {} --models PCA,FactorAnalysis --n-components 9"
    assert command.format(spec) + " --random-state 0" in page
    with pytest.raises(InputError, match="n_components is 3; Bicubic has no such size to set"):
        compare(spec, ("Bicubic",), tmp_path / "d", n_components=3)


def test_the_reference_curve_is_pcas_own_error(compared, spec):
    page = (compared / "report.html").read_text()
    assert "Squared error by size of z" in page
    [svg] = re.findall(r"<svg[^>]*PCA&#x27;s error on test samples.*?</svg>", page)
    assert svg.count("M") >= 6  # the curve, and each other model that encodes
    pca, x = load(compared / "PCA"), load_data(spec).x_test
    errors = pca.errors_by_size(x, (1, 16))
    mean, V = pca.mean_, pca.components_[:1]
    flat = x.reshape(len(x), -1) - mean
    assert errors[1] == pytest.approx(np.square(flat - flat @ V.T @ V).sum(axis=1).mean(), rel=1e-4)
    assert errors[16] == pytest.approx(-pca.score(x), rel=1e-5)


def test_the_same_test_images_stand_under_each_other(compared, spec):
    page = (compared / "report.html").read_text().partition("</style>")[2]
    strips = page.partition('id="side"')[2].partition("</section>")[0]
    shown = thumbnails(spread(load_data(spec).x_test, 8))
    for strip in strips.split("<figure")[1:]:
        assert re.findall(r'base64,(.*?)"', strip)[:8] == [
            base64.b64encode(image).decode() for image in shown
        ]
    rebuilt, drawn = strips.split("<figure")[1:]
    for strip, key, order in ((rebuilt, "squared_error", 7), (drawn, "frechet_distance", 5)):
        figures = {k: m[key] for k, m in reported(compared / "report.html").items() if key in m}
        names = re.findall(r'<a href="#(model-\d)">', strip)
        numbers = [figures[BY_DEFAULT[int(name[-1]) - 1]] for name in names]
        assert numbers == sorted(numbers)
        assert len(numbers) == order - 1
    back = thumbnails(load(compared / "PCA").reconstruct(spread(load_data(spec).x_test, 8)))
    assert base64.b64encode(back[7]).decode() in rebuilt


def test_factor_analysis_is_left_out_of_samples_of_thousands_of_values(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((12, 2001)))
    text = compare(str(tmp_path / "x.npy"), ("PCA", "FactorAnalysis"), tmp_path / "c").read_text()
    assert "FactorAnalysis was left out: it takes a covariance of 2,001 values apart" in text
    assert list(reported(tmp_path / "c/report.html")) == ["PCA"]


def test_the_command_of_a_report_makes_it_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(40, 4))
    text = "a;b c;d;e\n" + "".join(";".join(map(str, row)) + "\n" for row in rows)
    Path("t.csv").write_text(text)
    words = ["--models", "PCA", "--n-components", "2", "--drop", "b c", "e", "--random-state", "3"]
    assert main(["compare", "--data", "t.csv", "--out", "one", *words]) == 0
    page = Path("one/report.html").read_text()
    [command] = re.findall(r"<pre>(.*?)</pre>", page)
    assert command == (
        "latentia compare --data t.csv --models PCA --drop &#39;b c&#39; e --n-components 2 "
        "--random-state 3"
    )
    assert main([*shlex.split(html.unescape(command))[1:], "--out", "two"]) == 0
    first, second = (reported(Path(name, "report.html"))["PCA"] for name in ("one", "two"))
    assert first.pop("seconds") >= 0 <= second.pop("seconds")
    assert first == second
    assert (first["n_parameters"], config(Path("one/PCA"))["parameters"]["n_components"]) == (6, 2)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, ""),
        (64, "--image-size 64 "),
        ((64, 48), "--image-size 64x48 "),
        ("64x48 fit", "--image-size 64x48 --fit "),
        ("fit", "--fit "),
    ],
)
def test_the_command_tells_the_size_of_pictures(size, words, tmp_path, monkeypatch):
    digits, asked = load_data("digits"), []

    def load_pictures(*_, image_size):
        asked.append(image_size)
        return replace(digits, x_train=digits.x_train[:40], y_train=digits.y_train[:40])

    monkeypatch.setattr("latentia.evaluation.comparison.load_with", load_pictures)
    page = compare("photos", ("PCA",), tmp_path / "c", image_size=size).read_text()
    assert asked == [size]
    assert f"--models PCA {words}--random-state 0" in page


def test_a_data_frame_keeps_its_names_and_its_labels_in_words(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 4)) @ np.diag([3.0, 2, 1, 1])
    frame = pd.DataFrame(X, columns=["height", "weight", "pulse", "<b>"])
    kinds = pd.Series(["cat", "dog"] * 30)
    pages = []
    for n, y in enumerate((kinds, kinds.astype("category"), kinds.tolist())):
        page = compare((frame, y), [PCA(2), "FactorAnalysis"], tmp_path / f"{n}").read_text()
        pages.append(page.partition("</style>")[2])
    assert all("height" in page and "x0" not in page and "&lt;b&gt;" in page for page in pages)
    assert all("2 classes" in page or "code_accuracy" in page for page in pages)
    kept = load(tmp_path / "0/PCA")
    part = split(Part(X), "arrays", 0).hold_out()[0]
    np.testing.assert_allclose(kept.mean_, part.x_train.mean(axis=0))
    for n, rows in enumerate((X.tolist(), pl.DataFrame(X, schema=list("abcd")))):
        compare(rows, [PCA(2)], tmp_path / f"rows {n}")
        np.testing.assert_allclose(load(tmp_path / f"rows {n}/PCA").mean_, kept.mean_)
    with pytest.raises(InputError, match="columns without numbers: name; leave them out"):
        compare(frame.assign(name="x"), [PCA(2)], tmp_path / "c")
    with pytest.raises(InputError, match=r"^X: Sparse data .*toarray"):
        compare(csr_matrix(X), [PCA(2)], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_model_that_fails_is_left_out_and_costs_the_others_nothing(tmp_path, capsys):
    X = np.random.default_rng(0).normal(size=(60, 4))
    wild = VAE(n_components=2, n_epochs=1, learning_rate=1e30, random_state=0)
    page = compare(X, ["PCA", PCA(5), wild, PCA(2)], tmp_path / "c", progress=True).read_text()
    said = "PCA 2 was left out: n_components is 5; 50 samples of 4 values have at most 4."
    assert said in page
    assert f"latentia: {said}\n" in capsys.readouterr().err
    assert re.search(r"VAE was left out: the loss &#39;negative_elbo&#39; is \w+ at step", page)
    assert "Two models on arrays" in page
    assert load(tmp_path / "c/PCA-2").n_components == 2
    with pytest.raises(InputError, match=r"^there is nothing to compare: PCA was left out: .*5;"):
        compare(X, [PCA(5)], tmp_path / "d")
    assert not (tmp_path / "d").exists() or not any((tmp_path / "d").iterdir())
    fitted = PCA(2).fit(X)
    before = fitted.components_.copy()
    compare(X[:, ::-1], [fitted], tmp_path / "e")
    np.testing.assert_array_equal(fitted.components_, before)
    with pytest.raises(KeyboardInterrupt):
        compare(X, [stopped(PCA(2))], tmp_path / "f")


def stopped(model):
    class Stopped(type(model)):
        def fit(self, *given, **named):
            raise KeyboardInterrupt

    return Stopped(model.n_components)


class Failing(PCA):
    """A PCA that raises an error at one of the steps of a comparison."""

    at: str = "fit"

    def fit(self, X, y=None, **others):
        if self.at == "fit":
            raise RuntimeError("mat1 and mat2\n  differ.")
        if self.at == "stop":
            raise KeyboardInterrupt
        if self.at == "warn":
            raise DeprecationWarning("asked to be an error")
        return super().fit(X, y, **others)

    def transform(self, X):
        if self.at == "transform":
            raise TypeError("a slip")
        return super().transform(X)


def test_a_model_of_ones_own_that_raises_anything_is_left_out_and_leaves_no_half_run(tmp_path):
    X, out = np.random.default_rng(0).normal(size=(60, 4)), tmp_path / "c"
    told = "Failing was left out: RuntimeError: mat1 and mat2 differ"
    with pytest.raises(InputError, match=rf"^there is nothing to compare: {told}$"):
        compare(X, [Failing(n_components=2)], out)
    assert not out.exists()
    models = [Failing(n_components=2, at=at) for at in ("fit", "transform", "none")]
    page = compare(X, models, out).read_text()
    assert f"{told}." in page
    assert f"Failing was left out: TypeError: a slip; it is kept in {out / 'Failing'}." in page
    assert load(out / "Failing", classes=[Failing]).at == "transform"
    assert load(out / "Failing-2", classes=[Failing]).at == "none"
    assert sorted(path.name for path in out.iterdir()) == ["Failing", "Failing-2", "report.html"]
    for at, error in (("stop", KeyboardInterrupt), ("warn", DeprecationWarning)):
        with pytest.raises(error):
            compare(X, [Failing(n_components=2, at=at)], tmp_path / at)


def test_a_model_that_fails_after_a_checkpoint_leaves_no_half_run(tmp_path):
    class Late(VAE):
        def after_training(self, array, y):
            raise ZeroDivisionError

    X, late = np.random.default_rng(0).random((30, 4)), Late(n_components=2, hidden=(4,))
    late.set_params(n_epochs=1, random_state=0)
    with pytest.raises(InputError, match=r"nothing to compare: Late was left out: ZeroDivisionE"):
        compare(X, [late], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_what_is_to_be_said_of_the_data_is_told_as_the_comparison_begins(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{i * i}.25\n" for i in range(30)))
    notes = latentia.load_data(str(path)).notes
    compare(str(path), ("PCA",), tmp_path / "c", progress=True)
    assert notes
    assert capsys.readouterr().err.startswith("".join(f"latentia: {note}\n" for note in notes))
