"""What a notebook shows of estimators and of data sets."""

import base64
import re
import warnings
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import estimator_html_repr

from latentia import PCA, VAE, FactorAnalysis, load, load_data
from latentia.data.dataset import Dataset
from latentia.errors import FitWarning
from latentia.models.clustering import base as clustering
from latentia.models.diagram import _table
from latentia.plots.grids import tile
from tests.conftest import small_models
from tests.laws.test_laws import answers
from tests.models.language.conftest import small_sequence_models

HOSTILE = ["<script>alert(1)</script>", "<img src=x onerror=y>&amp;"]
QUICK = ("PCA", "FactorAnalysis", "VAE", "ConditionalVAE", "Autoencoder", "GAN", "Bicubic")
EVERY = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in small_models()
]


@pytest.fixture(autouse=True)
def three_starts(monkeypatch):
    """What is shown of the likeliest of three starts is what is shown of twenty's."""
    monkeypatch.setattr(clustering, "STARTS", 3)


class Tags(HTMLParser):
    """Collect the tags of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def below(model):
    """Return what follows scikit-learn's own diagram, as a page."""
    # The ids in it are counted.
    whole, bare = (
        re.sub(r"(sk-[a-z-]*)-\d+", r"\1", page)
        for page in (model._repr_html_(), estimator_html_repr(model))
    )
    assert whole.startswith(bare)
    return whole[len(bare) :]


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", EVERY)
def test_every_model_is_shown_before_and_after_its_fit(name, images, tmp_path):
    model = small_models()[name]
    assert below(model) == ""
    y = np.array(HOSTILE * 20) if model.takes_labels else answers(name, images)
    model.fit(images, y)
    page = Tags(below(model))
    assert {tag for tag, _ in page.tags} <= {"div", "b", "br", "img"}
    assert "Fitted: samples of shape (8, 8)" in page.text
    if model.takes_labels:
        assert f"2 classes, {sorted(HOSTILE)[0]}, {sorted(HOSTILE)[1]}" in page.text
    if model.resumable:
        history = model.history_
        assert f"2 epochs, {history['step'][-1]} steps" in page.text
        totals = [name for name in history if name.startswith("train/") and name.count("/") == 1]
        for loss in totals:
            words = f"{loss.removeprefix('train/').replace('_', ' ')} {history[loss][-1]:.4g}"
            assert words in page.text
        ailment = history.ailments.get(2, "")
        assert (f"After epoch 2: {ailment}." in page.text) == bool(ailment)
    pictures = [attrs["src"] for tag, attrs in page.tags if tag == "img"]
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert len(pictures) == (hasattr(model, "sample") or name == "PCA")
    if hasattr(model, "sample"):
        with Image.open(BytesIO(base64.b64decode(pictures[0].partition(",")[2]))) as picture:
            drawn = tile(model.sample(8, random_state=0), n_columns=8)
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), drawn)
    assert below(load(model.save(tmp_path / "model"))) == below(model)
    assert below(clone(model)) == ""
    assert set(model._repr_mimebundle_()) == {"text/plain", "text/html"}
    with config_context(display="text"):
        assert not hasattr(model, "_repr_html_")


def test_long_names_leave_room_for_the_numbers_and_one_epoch_is_one(images):
    names = ["x" * 300, HOSTILE[0] * 9, "short", "s" * 24]
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 4)), columns=names)
    page = Tags(below(PCA(2).fit(table)))
    titles = [attrs["title"] for tag, attrs in page.tags if tag == "span"]
    assert titles == names
    assert "x" * 23 + "…" in page.text
    assert "x" * 24 not in page.text
    assert "short" in page.text
    assert "s" * 24 in page.text
    model = VAE(n_components=2, hidden=(4,), n_epochs=1, batch_size=99, random_state=0)
    assert "1 epoch, 1 step, negative" in Tags(below(model.fit(images))).text


def test_a_notebook_shows_figures_without_pyplot(images):
    figure = VAE(n_components=2, n_epochs=2, random_state=0).fit(images).plot_history()
    with Image.open(BytesIO(figure._repr_png_())) as picture:
        assert picture.size == tuple(figure.canvas.get_width_height())
        assert len(picture.convert("L").getcolors()) > 9


def test_held_out_values_and_an_early_end_are_told(images):
    model = VAE(n_components=2, hidden=(4,), n_epochs=9, random_state=0)
    model.fit(images, validation=images[:8], callbacks=[lambda record: record.epoch == 3])
    text = Tags(below(model)).text
    held_out = model.history_["validation/negative_elbo"][-1]
    assert "3 epochs, 3 steps, negative elbo" in text
    assert f"held-out negative elbo {held_out:.4g}" in text
    assert "Training ended before epoch 9: <lambda> asked for it." in text


def test_warnings_of_a_fit_are_shown_again_and_are_those_that_were_given(tmp_path):
    rows = np.random.default_rng(0).normal(size=(30, 4))
    frame = pd.DataFrame(rows, columns=["<b>x", "y", "z", "w"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = FactorAnalysis(n_components=2).fit(frame)
    said = [str(found.message) for found in caught if found.category is FitWarning]
    assert said == model.fit_warnings_ != []
    page = Tags(below(model))
    for sentence in said:
        assert f"Warning: {sentence}" in page.text
    assert below(load(model.save(tmp_path / "model"))) == below(model)
    # The loadings stand in a table, by the columns' names.
    assert {"table", "tr", "td"} <= {tag for tag, _ in page.tags}
    assert "b" in {tag for tag, _ in page.tags}
    assert "<b>x" in page.text
    for value in model.loadings_.ravel():
        assert f"{value:.3f}" in page.text
    # A warning that is an error ends the fit, and the model keeps what it was.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FitWarning, match=re.escape(said[0])):
            model.fit(frame)
    assert model.fit_warnings_ == said
    show = warnings.showwarning
    with pytest.warns(FitWarning):
        FactorAnalysis(n_components=2).fit(frame)
    assert warnings.showwarning is show


def test_many_loadings_are_cut_and_it_is_said(table):
    rows = np.random.default_rng(0).normal(size=(90, 30))
    model = small_models()["PCA"].set_params(n_components=9).fit(rows)
    page = Tags(below(model))
    assert sum(tag == "tr" for tag, _ in page.tags) == 1 + 20
    assert sum(tag == "td" for tag, _ in page.tags) == 21 * 9
    assert "The first of 30 columns and 9 components." in page.text
    assert f"{model.explained_variance_ratio_.sum():.1%} of the variance" in page.text


@pytest.mark.parametrize(("d", "k"), [(20, 8), (21, 8), (20, 9), (21, 9)])
def test_what_is_cut_of_loadings_is_said_where_rows_or_columns_are(d, k):
    page = _table(np.ones((d, k)), PCA())
    assert page.count("<tr>") == 1 + min(d, 20)
    said = f"The first of {d} columns and {k} components."
    assert (said in page) == (d > 20 or k > 8)


@pytest.mark.parametrize("name", ["LSTMLanguageModel", "NGramLanguageModel"])
def test_a_model_of_texts_shows_one_of_its_own(name):
    model = small_sequence_models()[name].fit("<i>a</i> & " * 30)
    page = Tags(below(model))
    assert model.sample(length=200, random_state=0)[0] in page.text
    assert {tag for tag, _ in page.tags} <= {"div", "pre", "b"}
    assert "7 different symbols" in page.text


def test_a_data_set_is_three_lines():
    digits = load_data("digits")
    assert repr(digits).splitlines() == [
        f"digits: {digits.description}",
        "1,500 training and 297 test samples of shape (8, 8), float32",
        "10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    ]
    x, names = np.zeros((5, 3), np.uint8), tuple(f"class\n{n}" for n in range(12))
    y = np.arange(5)
    shown = repr(Dataset("mine", x, y, x[:2], y[:2], class_names=names))
    assert shown.splitlines() == [
        "mine",
        "5 training and 2 test samples of shape (3,), uint8",
        f"12 classes: {', '.join(f'class {n}' for n in range(10))}, ...",
    ]
    pairs = Dataset("pairs", x, None, x, None, pair_train=np.zeros((5, 7)))
    assert repr(pairs).splitlines()[1:] == [
        "5 training and 5 test samples of shape (3,), uint8, each beside one of shape (7,)",
        "without classes",
    ]
    vectors = repr(Dataset("tags", x, np.zeros((5, 4)), x, None))
    assert vectors.splitlines()[2] == "given vectors of shape (4,)"
