"""``sample``, ``reconstruct``, ``evaluate`` and ``data``: what is asked for is what is done."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli.main import main
from latentia.data import load as load_data
from latentia.evaluation import runs as jobs
from latentia.evaluation.evaluate import evaluate, importance_bound
from latentia.evaluation.memorisation import memorisation_check
from latentia.evaluation.quality import sample_quality
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.saved import load
from latentia.plots.grids import rows, save_png, tile
from tests.conftest import SHARED, reported

REPORTED = ("ppca", "vae")
TEXT = "the cat sat on the mat, and the rat sat on the cat. " * 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of data sets, of runs on the first of them, and of a text."""
    folder = tmp_path_factory.mktemp("runs")
    digits = load_data("digits")
    for name, begin in (("own", 0), ("other", 300)):
        n = slice(begin, begin + 240)
        parts = {"x_train": digits.x_train[n], "y_train": digits.y_train[n]}
        parts |= {"x_test": digits.x_test[n][:60], "y_test": digits.y_test[n][:60]}
        if name == "other":
            parts |= {"x_test": digits.x_test[200:260], "y_test": digits.y_test[200:260]}
        np.savez(folder / f"{name}.npz", **parts)
    spec = str(folder / "own.npz")
    models = {
        "ppca": latentia.ProbabilisticPCA(n_components=3),
        "vae": latentia.VAE(n_components=3, hidden=(16,), **SHARED),
        "gan": latentia.GAN(n_components=3, hidden=(8,), **SHARED),
        "cvae": latentia.ConditionalVAE(n_components=3, hidden=(8,), **SHARED),
    }
    for name, model in models.items():
        measured = name in REPORTED
        jobs.fit_in_run(model, load_data(spec), folder / name, progress=False, measured=measured)
    (folder / "cats.txt").write_text(TEXT)
    (folder / "rats.txt").write_text(TEXT[::-1])
    words = ["train", "n-gram", "--data", str(folder / "cats.txt"), "--order", "3"]
    assert main([*words, "--run", str(folder / "text")]) == 0
    return folder


@pytest.fixture
def command(folder, monkeypatch, capsys):
    """Return a function that runs a command in the folder and returns what it prints."""
    monkeypatch.chdir(folder)

    def run(*words):
        status = main([*map(str, words)])
        captured = capsys.readouterr()
        assert status == 0, captured.err
        return captured.out

    return run


def test_samples_are_as_many_as_asked_with_the_seed_asked(command, tmp_path):
    model = load("ppca")
    out = tmp_path / "s.npy"
    for n, seed in ((9, 4), (9, 5), (3, 4)):
        words = ("-n", n, "--random-state", seed, "--out", out, "--overwrite")
        assert command("sample", "ppca", *words) == f"{out}\n"
        np.testing.assert_array_equal(np.load(out), model.sample(n, random_state=seed))
        first = out.read_bytes()
        command("sample", "ppca", "--n-samples", n, *words[2:])
        assert out.read_bytes() == first
    drawn = []
    for _ in range(2):
        command("sample", "ppca", "--out", out, "--overwrite")
        drawn.append(np.load(out))
    assert drawn[0].shape == (64, 8, 8)
    assert (drawn[0] != drawn[1]).any()


def test_samples_are_of_the_class_asked(command, tmp_path):
    model, out = load("cvae"), tmp_path / "s.npz"
    for label in (3, 7):
        words = ("-n", 5, "--random-state", 2, "--out", out, "--overwrite")
        command("sample", "cvae", "--label", label, *words)
        with np.load(out) as found:
            assert list(found) == ["samples"]
            expected = model.sample(5, random_state=2, y=label)
            np.testing.assert_array_equal(found["samples"], expected)
    command("sample", "cvae", *words)
    with np.load(out) as found:
        np.testing.assert_array_equal(found["samples"], model.sample(5, random_state=2))


def test_samples_of_colours_keep_the_order_of_the_data_in_an_array(command, tmp_path):
    """A picture of them is drawn from channels first."""
    X = np.random.default_rng(0).random((40, 6, 5, 3), dtype=np.float32)
    model = latentia.ProbabilisticPCA(n_components=2).fit(X, channels="last")
    model.save(tmp_path / "ppca")
    drawn = model.sample(4, random_state=1)
    words = ("sample", tmp_path / "ppca", "-n", 4, "--random-state", 1, "--out")
    command(*words, tmp_path / "s.npy")
    command(*words, tmp_path / "s.png")
    np.testing.assert_array_equal(np.load(tmp_path / "s.npy"), drawn)
    save_png(tmp_path / "t.png", tile(np.moveaxis(drawn, -1, 1), n_columns=2))
    assert (tmp_path / "s.png").read_bytes() == (tmp_path / "t.png").read_bytes()


def test_a_picture_of_samples_shows_them(command, tmp_path):
    command("sample", "ppca", "-n", 9, "--random-state", 1, "--out", tmp_path / "s.png")
    save_png(tmp_path / "t.png", tile(load("ppca").sample(9, random_state=1), n_columns=3))
    with Image.open(tmp_path / "s.png") as found, Image.open(tmp_path / "t.png") as expected:
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize(
    ("words", "spec"), [((), "own.npz"), (("--data", "other.npz"), "other.npz")]
)
@pytest.mark.parametrize("name", ["ppca", "vae", "cvae"])
def test_reconstructions_are_of_the_test_part_that_is_named(
    name, words, spec, command, tmp_path, folder
):
    data, model, out = load_data(spec), load(name), tmp_path / "r.npz"
    assert command("reconstruct", name, *words, "--out", out) == f"{out}\n"
    given = (data.y_test,) if model.takes_labels else ()
    back = model.reconstruct(data.x_test, *given)
    with np.load(out) as found:
        assert list(found) == ["original", "reconstructed"]
        np.testing.assert_array_equal(found["original"], data.x_test)
        np.testing.assert_array_equal(found["reconstructed"], back)
    command("reconstruct", name, *words, "--out", tmp_path / "r.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "r.npy"), back)
    command("reconstruct", name, *words, "--out", tmp_path / "r.png")
    few = (part[:10] for part in given)
    shown = [("original", data.x_test[:10])]
    shown.append(("reconstructed", model.reconstruct(data.x_test[:10], *few)))
    with Image.open(tmp_path / "r.png") as found:
        save_png(tmp_path / "t.png", rows(shown))
        with Image.open(tmp_path / "t.png") as expected:
            np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_pictures_are_made_as_small_as_they_were_for_training(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for number in range(20):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        pixels = draw.integers(0, 255, (20, 20), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"pictures/{number:02}.png")
    words = ["--data", "pictures", "--image-size", "8", "--n-components", "2", "--run", "r"]
    assert main(["train", "pca", *words]) == 0
    assert main(["reconstruct", "r", "--out", "r.npz"]) == 0
    data = load_data("pictures", image_size=8)
    with np.load("r.npz") as found:
        np.testing.assert_allclose(found["original"], data.x_test / np.float32(255), atol=1e-7)
    model = load("r")
    assert model.mean_.shape == (64,)
    kept = data.x_train[: len(data.x_train) - len(data.x_train) // 12]
    truth = latentia.PCA(n_components=2).fit(kept)
    np.testing.assert_allclose(model.mean_, truth.mean_, atol=1e-6)


def test_pictures_that_are_named_are_brought_to_the_size_of_the_training(tmp_path, monkeypatch):
    """A model takes no other size; another one is made of them only if it is asked for."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = draw.integers(0, 255, (12, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{name}/{number:02}.png")
    words = ["--data", "own", "--image-size", "8", "--n-components", "2", "--run", "r"]
    assert main(["train", "pca", *words]) == 0
    for named, asked, side in ((None, None, 8), ("own", None, 8), ("other", None, 8),
                               ("other", 6, 6)):  # fmt: skip
        data = jobs.data_of(tmp_path / "r", named, load("r"), image_size=asked)
        assert data.x_test.shape[1:] == (side, side)
        assert data.name == (named or "own")


def test_a_report_tells_what_the_data_are_and_what_was_said_of_them(folder, tmp_path):
    model = load(folder / "ppca")
    data = dataclasses.replace(
        held(str(folder / "own.npz")), description="Ten kinds of ink.", notes=("One was torn.",)
    )
    jobs.finish(model, data, tmp_path, 12.5)
    page = (tmp_path / "report.html").read_text()
    assert "Ten kinds of ink." in page
    assert "One was torn." in page
    assert json.loads((tmp_path / "evaluation.json").read_text())["seconds"] == 12.5
    assert reported(tmp_path / "report.html")["ProbabilisticPCA"]["seconds"] == 12.5


def printed(out):
    """Return the figures of ``evaluate`` by their labels, as printed."""
    lines = [line for line in out.splitlines() if line[26:27] == " " and line[27:41].strip()]
    found = {line[:26].rstrip(): line[27:41].strip() for line in lines}
    return {k: v for k, v in found.items() if k in {d.label for d in DEFINITIONS.values()}}


def held(spec):
    """Return data as a run trains on them: without the last twelfth."""
    return load_data(spec).hold_out()[0]


@pytest.mark.parametrize("name", ["ppca", "vae", "gan", "cvae"])
@pytest.mark.parametrize("spec", ["own.npz", "other.npz"])
def test_figures_are_of_the_test_part_that_is_named(name, spec, command):
    out = command("evaluate", name, *(("--data", spec) if spec == "other.npz" else ()))
    found = evaluate(load(name), held(spec))
    assert printed(out) == {DEFINITIONS[key].label: f"{v:.4f}" for key, v in found.items()}
    assert load(name).caveats(held(spec))[0] in out


@pytest.mark.parametrize("name", REPORTED)
def test_a_run_keeps_the_figures_that_its_report_shows_and_evaluate_prints(name, folder, command):
    kept = json.loads((folder / name / "evaluation.json").read_text())
    assert kept.pop("seconds") > 0
    assert kept == pytest.approx(evaluate(load(folder / name), held("own.npz")), rel=1e-6)
    [(model, shown)] = reported(folder / name / "report.html").items()
    assert model == type(load(folder / name)).__name__
    assert shown.pop("seconds") > 0
    assert shown == pytest.approx(kept)
    page = (folder / name / "report.html").read_text()
    title = {"ppca": "Probabilistic PCA", "vae": "Variational autoencoder"}[name]
    assert f"<h1>{title} on own</h1>" in page
    assert "own · 220 samples to learn, 60 samples to test<" in page
    for note in load(name).caveats(held("own.npz")):
        assert note.replace("'", "&#39;") in page


@pytest.mark.parametrize("spec", ["own.npz", "other.npz"])
def test_bound_copies_and_judge_are_of_the_data_that_is_named(spec, command, tmp_path):
    named, data = ("--data", spec) if spec == "other.npz" else (), held(spec)
    vae, gan = load("vae"), load("gan")
    bound = importance_bound(vae, data, 3)
    assert command("evaluate", "vae", *named, "--n-importance", 3) == f"{bound}\n"
    picture = tmp_path / "copies.png"
    copies = memorisation_check(gan, data)
    assert command("evaluate", "gan", *named, "--memorisation", picture) == f"{copies}\n"
    assert picture.exists()
    folder = tmp_path / "judge"
    judge = latentia.evaluation.classifier.ImageClassifier(title="tiny", n_epochs=1)
    judge.fit(data.x_train, data.y_train).save(folder)
    quality = sample_quality(judge, data.x_test, gan.drawn_for(data, 1000, 0))
    right = (judge.predict(data.x_test) == data.y_test).mean()
    told = f"{quality}\nthe classifier is right on {right:.1%} of the 60 real images\n"
    assert command("evaluate", "gan", *named, "--judge", folder) == told


def test_several_questions_are_answered_in_turn_and_nothing_else(command, tmp_path):
    words = ("--n-importance", 2, "--memorisation", tmp_path / "copies.png")
    out = command("evaluate", "vae", *words).splitlines()
    assert out[0].startswith("-log p(x) <= ")
    assert out[1].startswith("data-copying z")
    assert not any(line.startswith("PSNR") for line in out)


def test_a_judge_that_is_not_there_learns_from_the_data_without_the_held_out(command, tmp_path):
    command_line = ("evaluate", "gan", "--judge", tmp_path / "judge", "--data", "other.npz")
    status = main([*map(str, command_line)])
    assert status == 0
    judge, data = load(tmp_path / "judge"), held("other.npz")
    truth = latentia.evaluation.classifier.ImageClassifier(title="other").fit(
        data.x_train, data.y_train
    )
    assert judge.name == truth.name
    assert "learnt from 220 images" in judge.name


def test_texts_are_drawn_as_asked(command, tmp_path):
    model, out = load("text"), tmp_path / "s.txt"
    cases = [
        ((), {"n_samples": 1, "length": 500, "temperature": 1.0, "prompt": ""}),
        (("-n", 3), {"n_samples": 3}),
        (("--length", 20), {"length": 20}),
        (("--temperature", 0.5), {"temperature": 0.5}),
        (("--prompt", "the c"), {"prompt": "the c"}),
    ]
    usual = cases[0][1]
    for seed, (words, asked) in enumerate([*cases, cases[2]]):
        given = usual | asked | {"random_state": seed}
        n, length = given.pop("n_samples"), given.pop("length")
        expected = "\n\n".join(model.sample(n, length, **given)) + "\n"
        assert command("sample", "text", *words, "--random-state", seed) == expected
    assert command("sample", "text", *words, "--random-state", seed, "--out", out) == f"{out}\n"
    assert out.read_text() == expected


@pytest.mark.parametrize("option", ["prompt", "temperature", "length"])
def test_what_only_texts_are_asked_is_refused_of_others(option, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["sample", "ppca", f"--{option}", "1"]) == 2
    assert f"--{option} is for models of texts, and ppca is none" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["n-importance", "memorisation", "judge"])
def test_what_texts_cannot_be_asked_is_refused(option, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["evaluate", "text", f"--{option}", "1"]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert f"--{option}" in errors


@pytest.mark.parametrize("name", ["cats.txt", "rats.txt"])
def test_figures_of_texts_are_of_the_test_part_that_is_named(name, command, folder):
    out = command("evaluate", "text", *(("--data", name) if name == "rats.txt" else ()))
    data, model = latentia.load_text(folder / name), load("text")
    learnt = latentia.load_text(folder / "cats.txt")
    five = latentia.NGramLanguageModel(order=5).fit(learnt.train, symbols=learnt.symbols)
    nats = [-one.score(data.test) for one in (model, five)]
    sizes = [one.shares_.size + one.backoffs_.size for one in (model, five)]
    lines = {line[:26].strip(): line[26:].split()[:2] for line in out.splitlines()[1:]}
    assert out.split("\n")[0].split()[0] == "NGramLanguageModel"
    assert [f"{n:.4f}" for n in nats] in lines.values()
    assert [f"{n / np.log(2):.4f}" for n in nats] in lines.values()
    assert lines["Perplexity"] == [f"{np.exp(n):.4f}" for n in nats]
    assert lines["Parameters"] == [f"{n:.4f}" for n in sizes]
    if name == "cats.txt":
        kept = json.loads((folder / "text/evaluation.json").read_text())
        [(title, beside)] = kept["baselines"].items()
        assert title == "NGramLanguageModel, 5"
        for figures, n, size in zip((kept, beside), nats, sizes, strict=True):
            assert figures["nats_per_character"] == pytest.approx(n)
            assert figures["n_parameters"] == size
        shown = reported(folder / "text/report.html")
        assert list(shown) == ["NGramLanguageModel", "NGramLanguageModel, 5"]
        for figures, found in zip((kept, beside), shown.values(), strict=True):
            assert found == pytest.approx({k: figures[k] for k in found})
            assert set(found) == set(figures) - {"baselines"}
        page = (folder / "text/report.html").read_text()
        n_train, n_test = (f"{len(part):,} characters" for part in (data.train, data.test))
        assert f"{n_train} to learn, {n_test} to test<" in page
        assert f"the last {n_test} of the text" in page
        drawn = (folder / "text/samples/sample.txt").read_text()
        assert drawn == model.sample(length=2000, random_state=0)[0]


def test_a_set_is_fetched_by_its_name(command, monkeypatch, tmp_path):
    monkeypatch.setattr("latentia.data.fetch", lambda name: tmp_path / name)
    assert command("data", "fetch", "mnist") == f"{tmp_path / 'mnist'}\n"
