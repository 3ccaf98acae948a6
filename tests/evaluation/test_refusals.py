"""What the yardstick refuses, each in its whole sentence: every value in it is the given one."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.cluster import KMeans

import latentia
from latentia import MODELS
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation import runs
from latentia.evaluation.classifier import ImageClassifier
from latentia.evaluation.comparison import compare
from latentia.evaluation.evaluate import evaluate, importance_bound
from latentia.evaluation.factor_report import read
from latentia.evaluation.memorisation import memorisation_check
from latentia.evaluation.profiling import measure_speed
from latentia.evaluation.quality import judged
from latentia.evaluation.same_columns import TAKE_WEIGHTS, in_order_of, refuse_weights
from latentia.evaluation.sampled import sample
from latentia.evaluation.table_writing import check_written, write_arrays, write_table
from latentia.evaluation.transformed import transform
from latentia.models.measures import complete
from latentia.training.config import write_config
from tests.saved.test_saved_before import KEPT

IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
DATA = Dataset("mine", IMAGES[:30], None, IMAGES[30:], None)


def of_runs(path, pca):
    def run(name, model, parameters, **data):
        (path / name).mkdir()
        write_config(path / name, {"model": model, "parameters": parameters, "data": data})
        return path / name

    python = run("python", "VAE", {"n_epochs": 1}, hash="a")
    closed = run("closed", "PCA", {"n_components": 2}, spec="digits")
    alien = run("alien", "Alien", {}, spec="digits")
    pca.save(path / "saved")
    return {
        f"{alien} holds no run of a command: its config.json names no known model and data. If "
        "Alien is a class of your own, go on in Python, with it as it was, by fit(X, "
        f"run='{alien}', resume=True)": lambda: runs.resume(alien),
        f"the run in {python} was started from Python: call fit(..., resume=True)": lambda: (
            runs.resume(python)
        ),
        "PCA is fitted in closed form: leave --n-epochs out": lambda: runs.resume(
            closed, n_epochs=3
        ),
        f"{path / 'saved'} does not say what it was trained on; give the data with --data": (
            lambda: runs.figures(path / "saved")
        ),
        f"{path / 'a.jpg'} ends in '.jpg'; the picture is a .png": lambda: list(
            runs.answers(path / "saved", "digits", memorisation=path / "a.jpg")
        ),
        f"--prompt is for models of texts, and {path / 'saved'} is none": lambda: sample(
            path / "saved", prompt="a"
        ),
        f"{path / 'a.png'} would be a picture of a table; use .npy or .npz": lambda: write_arrays(
            path / "a.png", [("x", IMAGES[:, 0])]
        ),
        "PCA is fitted in closed form and has no training steps": lambda: measure_speed(
            pca, DATA, path
        ),
    }


def of_figures(path, pca):
    classifier = ImageClassifier(n_epochs=1)
    drawn = latentia.ProbabilisticPCA(n_components=2).fit(IMAGES)
    two = np.zeros((10, 2, 8, 8), np.float32)
    gaps = np.full((10, 3), np.nan)
    gaps[:1] = 0
    return {
        "model is of type dict; give a fitted model, such as one from latentia.load": lambda: (
            evaluate({}, DATA)
        ),
        "data is of type list; give a data set, from load_data, or made of arrays by "
        "latentia.data.Dataset(name='mine', x_train=..., y_train=None, x_test=..., y_test=None)": (
            lambda: evaluate(pca, [])
        ),
        "PCA bounds no likelihood; evaluate without draws": lambda: importance_bound(pca, DATA, 5),
        "PCA draws no samples, so there are none to compare": lambda: memorisation_check(pca, DATA),
        "mine has samples of shape (2, 8, 8); nearest neighbours are shown of images with 1 or 3 "
        "channels": lambda: memorisation_check(drawn, replace(DATA, x_train=two, x_test=two)),
        "mine has 3 test images; at least 4 are needed": lambda: memorisation_check(
            drawn, replace(DATA, x_test=IMAGES[:3])
        ),
        "PCA draws no samples to judge": lambda: judged(pca, DATA, path / "judge"),
        f"there is no classifier in {path / 'judge'}, and mine has no labels to train one on": (
            lambda: judged(drawn, DATA, path / "judge")
        ),
        f"{path / 'saved'} holds a PCA; give an ImageClassifier": lambda: judged(
            drawn, DATA, pca.save(path / "saved") or path / "saved"
        ),
        "a classifier takes images of at least 8 pixels a side, (n, H, W) or (n, C, H, W); these "
        "have shape (40, 7, 8)": lambda: classifier.fit(IMAGES[:, :7], np.arange(40) % 2),
        "y has shape (39,) with 2 classes; give one label for each of 40 images, of at least 2 "
        "classes": lambda: classifier.fit(IMAGES, np.arange(39) % 2),
        "1 of its 10 rows in x_train are complete": lambda: complete(
            replace(DATA, x_train=gaps, x_test=gaps)
        ),
    }


def of_comparisons(path, pca):
    (path / "full").mkdir()
    (path / "full/a").touch()
    np.savetxt(path / "t.csv", np.arange(12.0).reshape(4, 3), delimiter=",", header="a,b,c")
    return {
        "n_epochs is 3; VAE is configured: set its own": lambda: compare(
            "digits", (latentia.VAE(),), path / "c", n_epochs=3
        ),
        "n_components is 3; VAE, PCA is configured: set its own": lambda: compare(
            "digits", (latentia.VAE(), pca), path / "c", n_components=3
        ),
        "models holds the class VAE; give names of classes, such as 'VAE', or estimators of "
        "Latentia's, such as VAE()": lambda: compare("digits", [latentia.VAE], path / "c"),
        "models holds an object of type KMeans; give names of classes, such as 'VAE', or "
        "estimators of Latentia's, such as VAE()": lambda: compare(
            "digits", [KMeans()], path / "c"
        ),
        "n_epochs is 3; PCA, Bicubic is fitted without epochs": lambda: compare(
            "digits", ("PCA", "Bicubic"), path / "c", n_epochs=3
        ),
        f"{path / 'full'} already holds a comparison or other files: choose another with --out": (
            lambda: compare("digits", ("PCA",), path / "full")
        ),
        "models is 'PCA'; give a list of class names, such as ('VAE',)": lambda: compare(
            "digits", "PCA", path / "c"
        ),
        f"there is no model 'PCAs'; choose from {', '.join(MODELS)}; did you mean 'PCA'?": lambda: (
            compare("digits", ("PCAs",), path / "c")
        ),
        "LSTMLanguageModel learns from a text, and compare reads samples": lambda: compare(
            "digits", ("LSTMLanguageModel",), path / "c"
        ),
        f"there is no file {path / 'no.csv'}": lambda: read(str(path / "no.csv"), None),
        f"n_samples is 9, but {path / 't.csv'} holds rows: it is for a matrix": lambda: read(
            str(path / "t.csv"), 9
        ),
        f"smooth is for a matrix, and {path / 't.csv'} holds rows": lambda: read(
            str(path / "t.csv"), None, smooth=True
        ),
    }


def of_what_is_written(path, pca):
    gan, lstm, cgan = (
        KEPT / f"{name}/model" for name in ("GAN", "LSTMLanguageModel", "ConditionalGAN")
    )
    made, odd = pca.save(path / "pca"), path / "no/a.csv"
    rows = {f"{n}": np.zeros(1) for n in range(2**14 + 1)}
    return {
        "a model of texts draws no numbers: leave --noise out": lambda: sample(lstm, noise=True),
        "a model of texts draws no numbers: leave --round out": lambda: sample(lstm, rounded=False),
        "a model of texts knows no classes: leave --label out": lambda: sample(lstm, label="3"),
        "--overwrite is for the file of --out: leave it out": lambda: sample(lstm, overwrite=True),
        f"{path / 't.png'} ends in '.png'; texts are written as .txt or .abc": lambda: sample(
            lstm, 1, path / "t.png", length=2
        ),
        f"--length is for models of texts, and {gan} is none": lambda: sample(gan, length=3),
        "GAN has no density of x given z: leave noise out": lambda: sample(gan, noise=True),
        "GAN knows no classes: leave --label out": lambda: sample(gan, label="3"),
        f"there is no class 'twelve'; the model knows {', '.join(map(str, range(10)))}": lambda: (
            sample(cgan, label="twelve")
        ),
        "--round is of a table's columns in .csv, .parquet or .xlsx": lambda: sample(
            gan, out=path / "a.npy", rounded=True
        ),
        "PCA has no sample: PCA has no density; use probabilistic PCA, factor analysis or a VAE": (
            lambda: sample(made)
        ),
        "gan has no codes to write: a GAN has no encoder": lambda: transform(
            gan, "digits", path / "a.csv"
        ),
        "pix2pix has no codes to write: it makes pictures of pictures; use latentia translate or "
        "latentia upscale": lambda: transform(KEPT / "Pix2Pix/model", "digits", path / "a.csv"),
        f"{odd} cannot be written: there is no folder {path / 'no'}": lambda: check_written(odd),
        f"{path / 'a.doc'} ends in '.doc'; a table is .csv, .tsv, .parquet, .xlsx, .npy": lambda: (
            check_written(path / "a.doc")
        ),
        f"{path / 'a.xlsx'} would have 1 rows and 16,385 columns, more than a sheet takes: write "
        ".csv or .parquet": lambda: write_table(path / "a.xlsx", rows),
        f"{path / 'a.doc'} ends in '.doc'; use .png, .npy or .npz": lambda: write_arrays(
            path / "a.doc", [("x", IMAGES)]
        ),
    }


def of_origins(path, pca):
    def run(name, model, parameters, **data):
        (path / name).mkdir()
        write_config(path / name, {"model": model, "parameters": parameters, "data": data})
        return path / name

    gone, lstm = path / "gone.csv", KEPT / "LSTMLanguageModel/model"
    lost = run("lost", "VAE", {"n_epochs": 1}, spec=str(gone))
    own = run("own", "VAE", {"encoder": {"own_net": "Net"}}, spec="digits")
    closed = run("closed", "PCA", {"n_components": 2}, spec="digits")
    columns = SimpleNamespace(columns_=["a", "b", "c"])
    table = replace(DATA, x_train=IMAGES[:3, 0, :2], x_test=IMAGES[:1, 0, :2], columns=("a", "d"))
    weighed = replace(DATA, weights_train=np.ones(30))
    return {
        "PCA is fitted at once: it starts from no other fit": lambda: runs.train(
            latentia.PCA(), "digits", path / "new", start_from=lost
        ),
        "PCA is fitted at once, and has no checkpoints to go back to": lambda: runs.go_back(
            closed, "best", path / "new"
        ),
        f"the run in {own} is of VAE(encoder=Net(...)), nets of your own: go on in Python, with it "
        f"as it was, by fit(X, run='{own}', resume=True)": lambda: runs.resume(own),
        f"{lost} was trained on {gone}, which is not there: put it back, or, to evaluate, give its "
        "new place with --data": lambda: runs.data_of(lost, None, latentia.VAE()),
        f"--judge is for models of images, and {lstm} is of texts": lambda: list(
            runs.answers(lstm, judge=path / "j")
        ),
        f"--memorisation is for models of images, and {lstm} is of texts": lambda: list(
            runs.answers(lstm, memorisation=path / "m.png")
        ),
        "mine has no column 'b', one of the 3 that the model was trained on; it has a, d": lambda: (
            in_order_of(columns, table)
        ),
        "pca takes no weights of rows, and would take each row for one: leave --weights out, or "
        f"train {TAKE_WEIGHTS}": lambda: refuse_weights(pca, weighed),
        "image_size is 9; it is for the pictures of a folder": lambda: compare(
            IMAGES, ("PCA",), path / "c", image_size=9
        ),
    }


@pytest.mark.parametrize(
    "kind", [of_runs, of_figures, of_comparisons, of_what_is_written, of_origins]
)
def test_every_refusal_names_what_was_given(kind, tmp_path):
    pca = latentia.PCA(n_components=2).fit(IMAGES)
    for sentence, asked in kind(tmp_path, pca).items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence
