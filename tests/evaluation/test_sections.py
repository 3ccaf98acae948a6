"""What a model's part of the report shows: its pictures, of what they are made, and its notes."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import latentia
from latentia.data import load as load_data
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.sections import model_section, strip_of_test, with_strips
from latentia.models import figures
from latentia.models.fields import model_reference, model_summary
from latentia.models.inputs import spread
from latentia.plots.grids import thumbnails
from latentia.plots.page import Picture
from tests.conftest import learns_from, small_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
KINDS = {name: learns_from(model) for name, model in small_models().items()}
SAMPLES = [name for name, kind in KINDS.items() if kind not in ("pairs", "domains", "pieces")]
GANS = ("GAN", "DCGAN", "ConditionalGAN", "WGAN", "WGANGP", "ConditionalWGANGP")
LINEAR = ("PCA", "ProbabilisticPCA", "FactorAnalysis")


@pytest.fixture(scope="module")
def digits():
    whole = load_data("digits")
    return replace(whole, x_train=whole.x_train[:120], y_train=whole.y_train[:120])


@pytest.fixture(scope="module")
def fitted(digits):
    models = {name: model for name, model in small_models().items() if name in SAMPLES}
    return {name: m.fit(digits.x_train, digits.y_train) for name, m in models.items()}


class Copies:
    """Stands for the search for copies, which takes seconds."""

    def picture(self):
        return Picture("Nearest training images", "")

    def __str__(self):
        return "one\ntwo"


@pytest.fixture
def seen(monkeypatch):
    """Replace what draws figures; return what it was given."""
    given, sections = {}, sys.modules[model_section.__module__]

    def watch(name):
        drawn = getattr(sections if name == "loss_pictures" else figures, name)

        def draw(*arguments):
            given[name] = arguments
            return drawn(*arguments)

        return draw

    monkeypatch.setattr(figures, "map_picture", watch("map_picture"))
    monkeypatch.setattr(sections, "loss_pictures", watch("loss_pictures"))
    monkeypatch.setattr(sections, "memorisation_check", lambda *_: Copies())
    return given


@pytest.mark.parametrize("name", SAMPLES)
def test_every_model_shows_what_it_can_do(name, fitted, digits, seen, tmp_path):
    model = fitted[name]
    metrics = {"psnr": 1.25, "seconds": 3.0}
    found = model_section(model, digits, tmp_path, metrics, ("a note",))
    assert (found.name, found.metrics, found.parameters) == (name, metrics, model.get_params())
    assert (found.summary, found.reference) == (model_summary(name), model_reference(name))
    expected = ["Samples"] if hasattr(model, "sample") else []
    expected += ["Nearest training images"] if name in GANS else []
    expected += ["Loadings"] if hasattr(model, "loadings_") else []
    expected += ["Reconstructions"] if hasattr(model, "reconstruct") else []
    expected += ["Latent map"] if hasattr(model, "transform") else []
    expected += ["Spectrum"] if hasattr(model, "explained_variance_ratio_") else []
    pictures = {picture.title: picture.tiles for picture in found.pictures}
    assert list(pictures) == expected
    assert found.notes[0] == "a note"
    assert (found.more[-2:] == ("one", "two")) == (name in GANS)
    assert found.linear == (name in (*LINEAR, "LinearAutoencoder", "LinearVAE"))
    assert found.encodes == hasattr(model, "transform")
    assert (found.n_latent, found.n_values, found.n_classes) == (3, 64, 10)
    given = (digits.y_test,) if model.takes_labels else ()
    if "Samples" in pictures:
        classes = getattr(model, "classes_", None)
        drawn = (
            model.sample(64, random_state=0)
            if classes is None
            else model.sample(8 * len(classes), random_state=0, y=np.repeat(classes, 8))
        )
        assert pictures["Samples"] == figures.tiles(drawn, 8)
        assert pictures["Samples"].rows[1] == thumbnails(drawn)[8:16]
    if "Latent map" in pictures:
        codes, labels, names = seen["map_picture"]
        np.testing.assert_array_equal(codes, model.transform(digits.x_test, *given))
        np.testing.assert_array_equal(labels, digits.y_test)
        assert names == digits.class_names
        [caption] = [p.caption for p in found.pictures if p.title == "Latent map"]
        assert caption == "Codes of 297 test samples of 10 classes, each at its median."
    if "Reconstructions" in pictures:
        x, given = spread(digits.x_test, 10), tuple(spread(part, 10) for part in given)
        shown = [("test", x)]
        if hasattr(model, "add_noise"):
            noisy = model.add_noise(x, random_state=0)
            shown += [("noisy", noisy), ("denoised", model.reconstruct(noisy))]
        back = model.reconstruct(x, *given)
        assert pictures["Reconstructions"] == figures.side_by_side([*shown, ("rebuilt", back)])
        labels = [label for label, _ in [*shown, ("rebuilt", back)]]
        assert pictures["Reconstructions"].labels == (*labels, *labels)
        assert pictures["Reconstructions"].rows[0] == thumbnails(x)[:5]
        assert pictures["Reconstructions"].rows[-1] == thumbnails(back)[5:]


def test_curves_and_the_last_checkup_are_those_of_the_run(fitted, digits, seen, tmp_path):
    records = [
        {"split": "train", "epoch": 1, "step": 1, "values": {"loss": 2.0}},
        {"split": "validation", "epoch": 1, "step": 1, "values": {"loss": 3.0}},
        {"split": "health", "epoch": 1, "step": 1, "values": {}, "note": "the critic is blind"},
        {"split": "health", "epoch": 2, "step": 2, "values": {}, "note": "samples are alike"},
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "metrics.jsonl").write_text(lines)
    found = model_section(fitted["VAE"], digits, tmp_path, {})
    assert found.pictures[-1].title == "Loss"
    assert found.pictures[-1].caption == "Mean over each epoch; loss ends at 2."
    assert found.pictures[-1].drawing.dashed == "held out"
    assert len(seen["loss_pictures"][0]) == 4
    assert found.notes == ("After epoch 2, samples are alike.",)
    healthy = {"split": "health", "epoch": 3, "step": 3, "values": {}}
    (tmp_path / "metrics.jsonl").write_text(lines + json.dumps(healthy) + "\n")
    assert model_section(fitted["VAE"], digits, tmp_path, {}).notes == ()


def test_a_map_shows_at_most_two_thousand_codes_at_most_ten_classes(seen, tmp_path):
    x = np.random.default_rng(0).random((2_100, 8, 8), dtype=np.float32)
    data = replace(load_data("digits"), x_test=x, y_test=np.arange(2_100) % 10)
    model = latentia.PCA(n_components=2).fit(data.x_train[:50])
    model_section(model, data, tmp_path, {})
    codes, labels, _ = seen["map_picture"]
    assert (len(codes), len(labels)) == (2_000, 2_000)


def test_samples_are_shown_of_the_first_ten_of_many_classes():
    class Shades:
        """Draws its class's shade of grey."""

        def sample(self, n_samples, random_state, y):
            assert (n_samples, random_state) == (len(y), 0)
            return np.broadcast_to(np.float32(y)[:, None, None] / 12, (n_samples, 8, 8))

    shown = figures.samples_of_each(Shades(), {str(i): i for i in range(12)})
    shades = np.repeat(np.arange(10), 8)
    assert shown.tiles == figures.tiles(Shades().sample(80, 0, shades), 8)
    assert shown.caption.endswith(": 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.")


def test_tables_have_no_pictures_of_samples(seen, table, tmp_path):
    data = replace(load_data("digits"), x_train=table, x_test=table[:9], y_train=None, y_test=None)
    model = latentia.ProbabilisticPCA(n_components=2).fit(table)
    found = model_section(model, data, tmp_path, {})
    assert [picture.title for picture in found.pictures] == ["Loadings", "Latent map"]
    assert found.pictures[0].drawing.svg.count("<rect") == 2 * table.shape[1]
    assert seen["map_picture"][1] is None
    assert found.pictures[1].caption == "Codes of 9 test samples."


def test_pictures_of_pairs_are_input_output_and_target(tmp_path):
    data = load_pairs("digits")
    model = small_models()["Pix2Pix"].fit(data.x_train[:32], data.pair_train[:32])
    [picture] = model.pictures(data)
    x, y = (np.float32(part[:10]) for part in (data.x_test, data.pair_test))
    x, y = (part / 255 if part.max() > 1 else part for part in (x, y))
    expected = [("input", x), ("output", model.transform(x)), ("target", y)]
    assert picture.tiles == figures.side_by_side(expected)


def test_pictures_of_domains_go_there_and_back(tmp_path):
    data = load_unpaired("digits:3,5")
    model = small_models()["CycleGAN"].fit(data.x_train[:32], data.y_train[:32])
    [picture] = model.pictures(data)
    a, b = (data.x_test[data.y_test == domain][:10] for domain in (0, 1))
    there, back = model.transform(a), model.inverse_transform(b)
    first, second = data.class_names
    shown = [(first, a), (f"→ {second}", there), (f"→ {first}", model.inverse_transform(there))]
    shown += [(second, b), (f"→ {first}", back), (f"→ {second}", model.transform(back))]
    assert picture.tiles == figures.side_by_side(shown)


def test_enlarged_pictures_stand_beside_interpolated_and_sharp_ones():
    digits = load_data("digits")
    model = small_models()["SRResNet"].fit(digits.x_train[:32])
    [picture] = model.pictures(digits)
    sharp, large = model.beside_enlarged(digits.x_test[:6])
    _, bicubic = latentia.Bicubic(scale=2).fit(sharp).beside_enlarged(sharp)
    expected = [("bicubic", bicubic), ("output", large), ("sharp", sharp)]
    assert picture.tiles == figures.side_by_side(expected)


@pytest.mark.parametrize("name", LINEAR)
def test_loadings_are_shown_from_minus_one_to_one_around_grey(name, fitted):
    model = fitted[name]
    [shown] = model.pictures_of_parameters()
    loadings = model.loadings_.T.reshape(-1, 8, 8)
    scaled = 0.5 + 0.5 * loadings / np.abs(loadings).max(axis=(1, 2), keepdims=True)
    assert shown.tiles.rows[0] == thumbnails(scaled)
    if name == "PCA":
        assert (len(shown.tiles.rows), shown.tiles.labels) == (1, ())
    else:
        made = thumbnails(model.sample(10, random_state=0, noise=False))
        assert shown.tiles.rows[1:] == (made[:5], made[5:])
        assert shown.tiles.labels == ("Λ", "Λz + μ", "")


@pytest.mark.parametrize("n_test", [5, 8, 20])
def test_a_model_draws_as_many_as_there_are_test_images_beside(n_test, digits, fitted):
    data = replace(digits, x_test=digits.x_test[:n_test], y_test=digits.y_test[:n_test])
    n = min(8, n_test)
    assert len(strip_of_test(data)) == n
    for name in ("FactorAnalysis", "VAE", "ConditionalGAN"):
        bare = ModelSection(name, "", "", {}, {}, (), encodes="GAN" not in name)
        section = with_strips(bare, fitted[name], data)
        assert section.drawn == thumbnails(fitted[name].drawn_for(data, n, 0))
        assert len(section.drawn) == n
        back = figures.rebuilt(fitted[name], data, 8) if section.encodes else ()
        assert section.rebuilt == (thumbnails(back) if section.encodes else ())
