"""Every figure of the yardstick against its metric by hand, for every kind of model."""

import sys
from dataclasses import replace

import numpy as np
import pytest

import latentia
from latentia.data import load as load_data
from latentia.data.dataset import Dataset
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.evaluation.evaluate import evaluate, importance_bound
from latentia.evaluation.transformed import columns_of
from latentia.metrics.clustering import cluster_agreement
from latentia.metrics.coverage import class_shares, coverage, entropy, nearest_classes
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.detail import detail_of
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.metrics.neighbours import code_accuracy, memorisation
from latentia.metrics.precision_recall import precision_recall
from latentia.metrics.reconstruction import psnr, squared_error
from latentia.metrics.structural_similarity import ssim
from latentia.models import measures
from latentia.models.inputs import spread
from latentia.models.measures import yardstick
from latentia.training.progress import TrainingProgress
from tests.conftest import learns_from, small_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
LIMITS = {
    "MOST_SAMPLES": 70,
    "LEAST_SAMPLES": 300,
    "MOST_NEIGHBOURS": 250,
    "MOST_WEIGHTED": 50,
}
"""Of test samples, drawn samples, neighbours and weighted samples, all different and all felt."""
MEASURED = ("pairs", "domains", "pieces")


@pytest.fixture(scope="module")
def digits():
    """Return 200 training and 120 test digits, ordered by class as a file may be."""
    whole = load_data("digits")
    train, test = np.argsort(whole.y_train[:200]), np.argsort(whole.y_test[:120])
    return replace(
        whole,
        x_train=whole.x_train[train],
        y_train=whole.y_train[train],
        x_test=whole.x_test[test],
        y_test=whole.y_test[test],
    )


@pytest.fixture(scope="module")
def fitted(digits):
    """Return every model of samples, fitted to the digits."""
    models = {k: m for k, m in small_models().items() if learns_from(m) not in MEASURED}
    return {name: m.fit(digits.x_train, digits.y_train) for name, m in models.items()}


@pytest.fixture
def limited(monkeypatch):
    """Make the limits of the yardstick small enough to be felt on small data."""
    for name, value in LIMITS.items():
        monkeypatch.setattr(measures, name, value)


NAMES = [name for name, m in small_models().items() if learns_from(m) not in MEASURED]


def by_hand(model, data, seed, most, least, neighbours, weighted):
    """Return what `evaluate` must say of a model of samples, by the metrics themselves."""
    can = lambda verb: hasattr(model, verb)  # noqa: E731
    x, y = spread(data.x_test, most), spread(data.y_test, most)
    train, y_train = spread(data.x_train, most), spread(data.y_train, most)
    given = (y,) if model.takes_labels else ()
    nets = model.nets().values() if can("nets") else ()
    expected = {"n_parameters": sum(p.numel() for net in nets for p in net.parameters())}
    if not nets:
        noise = np.size(model.noise_variance_) if can("sample") else 0
        expected["n_parameters"] = model.components_.size + model.mean_.size + noise
    if can("reconstruct"):
        back = model.reconstruct(x, *given)
        expected |= {"squared_error": squared_error(x, back), "psnr": psnr(x, back)}
        if not model.takes_labels:
            codes = model.transform(train), model.transform(x)
            expected["code_accuracy"] = code_accuracy(codes[0], y_train, codes[1], y)
    if can("add_noise"):
        noisy = model.add_noise(x, random_state=0)
        expected["psnr_denoised"] = psnr(x, model.reconstruct(noisy))
    if can("bound_terms"):
        few, of_few = spread(x, weighted), tuple(spread(part, weighted) for part in given)
        expected["negative_elbo"] = model.bound_terms(x, *given)["negative_elbo"]
        weights = model.score_samples(few, *of_few, n_importance=50)
        expected["negative_iwae"] = -weights.mean()
        expected["active_units"] = model.active_units(few, *of_few)
        if can("exact_score_samples"):
            expected["negative_log_likelihood"] = -model.exact_score_samples(x).mean()
    elif can("score_samples"):
        expected["negative_log_likelihood"] = -model.score_samples(x).mean()
    if can("sample"):
        fake, few = model.drawn_for(data, max(least, len(x)), seed), spread(x, neighbours)
        features = PixelFeatures().fit(train)
        of_fake = features.transform(fake)
        expected["frechet_distance"] = frechet_distance(features.transform(x), of_fake)
        expected["memorisation"] = memorisation(train, few, fake[:neighbours])
        overlap = precision_recall(features.transform(few), of_fake[:neighbours], k=5)
        for name in ("precision", "recall", "density", "coverage"):
            expected[name] = getattr(overlap, name)
        shares = class_shares(train, y_train, fake[:neighbours], 10)
        expected |= {"classes_covered": coverage(shares), "class_entropy": entropy(shares)}
    if can("predict"):
        expected |= cluster_agreement(y, model.predict(x))
    if can("classes_") and model.takes_labels:
        asked = np.resize(model.classes_, neighbours)
        samples = model.sample(neighbours, random_state=seed, y=asked)
        found = nearest_classes(train, y_train, samples)
        expected["class_agreement"] = (found == asked).mean()
    return {key: pytest.approx(float(value), rel=1e-5) for key, value in expected.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_its_metric_on_test_data(name, fitted, digits, limited):
    """The Fréchet distance is to test data, IWAE has fifty draws, and the limits are kept."""
    for seed in (0, 3):
        assert evaluate(fitted[name], digits, seed) == by_hand(
            fitted[name], digits, seed, *LIMITS.values()
        )


def test_the_limits_are_those_of_the_definitions(fitted, digits):
    model = fitted["VAE"]
    assert evaluate(model, digits) == by_hand(model, digits, 0, 10_000, 1_000, 2_000, 2_000)
    module = measures
    assert (module.MOST_SAMPLES, module.LEAST_SAMPLES) == (10_000, 1_000)
    assert (module.MOST_NEIGHBOURS, module.MOST_WEIGHTED) == (2_000, 2_000)
    assert (module.BALL, module.N_IMPORTANCE, module.LEAST_A_CLASS) == (5, 50, 20)
    assert "50 draws" in DEFINITIONS["negative_iwae"].label
    assert "2,000 samples" in DEFINITIONS["class_agreement"].meaning


def test_the_training_part_is_a_reference_and_is_not_measured(fitted, digits):
    """Other training rows move only what names them: features, neighbours and codes."""
    model = fitted["VAE"]
    other = replace(digits, x_train=digits.x_train[::2], y_train=digits.y_train[::2])
    before, after = evaluate(model, digits), evaluate(model, other)
    same = {key for key in before if before[key] == after[key]}
    bounds = {"negative_elbo", "negative_iwae", "active_units"}
    assert same >= {"squared_error", "psnr", "n_parameters"} | bounds
    assert "frechet_distance" not in same
    assert "memorisation" not in same


def test_tables_have_no_psnr_and_data_without_labels_no_classes(fitted, digits):
    bare = replace(digits, y_train=None, y_test=None)
    known = set(evaluate(fitted["VAE"], digits)) - set(evaluate(fitted["VAE"], bare))
    assert known == {"code_accuracy", "classes_covered", "class_entropy"}
    lost = set(evaluate(fitted["VaDE"], digits)) - set(evaluate(fitted["VaDE"], bare))
    assert lost == known | {"cluster_accuracy", "nmi", "adjusted_rand"}
    x, test = (part.reshape(len(part), -1) for part in (digits.x_train, digits.x_test))
    table = replace(bare, x_train=x, x_test=test)
    found = evaluate(latentia.PCA(n_components=3).fit(x), table)
    assert set(found) == {"n_parameters", "squared_error"}


@pytest.mark.parametrize(("n_test", "measured"), [(5, False), (6, True)])
def test_balls_of_the_fifth_neighbour_need_six_test_samples(n_test, measured, fitted, digits):
    few = replace(digits, x_test=digits.x_test[:n_test], y_test=digits.y_test[:n_test])
    assert ("precision" in evaluate(fitted["ProbabilisticPCA"], few)) == measured


@pytest.mark.parametrize(("n_drawn", "counted"), [(199, False), (200, True)])
def test_classes_are_counted_from_twenty_samples_a_class(
    n_drawn, counted, fitted, digits, monkeypatch
):
    monkeypatch.setattr(measures, "LEAST_SAMPLES", n_drawn)
    assert ("classes_covered" in evaluate(fitted["ProbabilisticPCA"], digits)) == counted


def test_pairs_are_measured_against_their_test_targets():
    data = load_pairs("digits")
    model = small_models()["Pix2Pix"].fit(data.x_train[:64], data.pair_train[:64])
    x, y = spread(data.x_test, 200), spread(data.pair_test, 200) / np.float32(255)
    out = model.transform(x)
    expected = {"absolute_error": np.abs(y - out).mean(), "translation_psnr": psnr(y, out)}
    if min(y.shape[-2:]) >= 11:
        expected["ssim"] = ssim(y, out)
    expected["n_parameters"] = model.n_parameters()
    detail = detail_of(spread(out, 50), spread(y, 50))
    expected |= {"own_detail": detail.own, "shared_detail": detail.shared}
    assert evaluate(model, data) == {
        key: pytest.approx(float(value), rel=1e-5) for key, value in expected.items()
    }


def test_domains_are_measured_on_test_images_of_each():
    data = load_unpaired("digits:3,5")
    model = small_models()["CycleGAN"].fit(data.x_train[:64], data.y_train[:64])
    a, b = (data.x_test[data.y_test == domain] for domain in (0, 1))
    there, back = model.transform(a), model.inverse_transform(b)
    voted = [nearest_classes(data.x_train, data.y_train, x) for x in (there, back)]
    expected = {
        "cycle_error_a": np.abs(a - model.inverse_transform(there)).mean(),
        "cycle_error_b": np.abs(b - model.transform(back)).mean(),
        "taken_for_b": (voted[0] == 1).mean(),
        "taken_for_a": (voted[1] == 0).mean(),
        "n_parameters": sum(p.numel() for net in model.nets().values() for p in net.parameters()),
    }
    for end, made, given in (("_b", there, a), ("_a", back, b)):
        detail = detail_of(spread(made, 50), spread(given, 50), either_sign=True)
        expected |= {f"own_detail{end}": detail.own, f"shared_detail{end}": detail.shared}
    assert evaluate(model, data) == {
        key: pytest.approx(float(value), rel=1e-5) for key, value in expected.items()
    }


def test_what_interpolates_learnt_nothing(images):
    assert latentia.Bicubic(scale=2).fit(images).n_parameters() == 0


def test_the_distance_is_quoted_with_its_counts_and_its_features(digits, limited):
    features = PixelFeatures().fit(spread(digits.x_train, 70))
    assert yardstick(digits) == (
        "The Fréchet distance is between 70 test samples and 300 drawn ones, not resized, in "
        f"{features.name}; precision, recall, density and coverage are of 70 and 250 of them "
        "there, k = 5."
    )


@pytest.mark.parametrize("name", ["VAE", "ConditionalVAE"])
def test_a_bound_and_its_errors_by_hand(name, fitted, digits, monkeypatch):
    """Parts of 25 samples, part i with seed i; the errors are of a mean over n samples."""
    monkeypatch.setattr(sys.modules[importance_bound.__module__], "WEIGHED", 25)
    model = fitted[name]
    x, y = spread(digits.x_test, 60), spread(digits.y_test, 60)
    parts = []
    for seed, rows in enumerate(np.split(np.arange(60), (25, 50))):
        given = (y[rows],) if model.takes_labels else ()
        parts.append(
            model.score_samples(x[rows], *given, n_importance=7, return_std=True, random_state=seed)
        )
    bounds, errors = (np.concatenate(values) for values in zip(*parts))
    found = importance_bound(model, digits, 7, n_samples=60)
    assert found.value == pytest.approx(-bounds.mean())
    assert found.error_of_draws == pytest.approx(np.sqrt((errors**2).sum()) / 60)
    assert found.error_of_samples == pytest.approx(bounds.std() / np.sqrt(60))
    assert (found.n_importance, found.n_samples) == (7, 60)
    whole = importance_bound(model, digits, 2)
    assert (whole.n_importance, whole.n_samples) == (2, 120)
    assert importance_bound(model, digits, 2, n_samples=900).n_samples == 120


def test_the_draws_of_a_bound_tell_how_far_they_are(fitted, digits, monkeypatch):
    """After each part of 25 of 60 samples, with the mean so far; the last step is the last part."""
    module, told = sys.modules[importance_bound.__module__], []

    class Noted(TrainingProgress):
        def __call__(self, step, epoch, rows, values):
            told.append((self.total, self.n_epochs, step, epoch, rows, *values.values()))

    monkeypatch.setattr(module, "WEIGHED", 25)
    monkeypatch.setattr(module, "TrainingProgress", Noted)
    found = importance_bound(fitted["VAE"], digits, 7, n_samples=60)
    assert [line[:5] for line in told] == [(3, 1, 1, 1, 25), (3, 1, 2, 1, 25), (3, 1, 3, 1, 10)]
    assert told[-1][5] == pytest.approx(found.value)


def test_samples_of_a_model_of_classes_are_from_its_own_draw_of_them(fitted, digits):
    model = fitted["ConditionalVAE"]
    drawn = model.drawn_for(digits, 20, 3)
    np.testing.assert_array_equal(drawn, model.sample(20, random_state=3))


@pytest.mark.parametrize(("observation", "noise"), [("gaussian", True), ("mse", False)])
def test_rows_are_held_against_draws_of_the_density_if_there_is_one(observation, noise):
    x = np.random.default_rng(0).normal(size=(60, 3))
    model = latentia.VAE(observation=observation, hidden=(4,), n_epochs=1, random_state=0).fit(x)
    data = Dataset("rows", x, None, x[:9], None)
    expected = model.sample(50, random_state=2, noise=noise)
    np.testing.assert_array_equal(model.drawn_for(data, 50, 2), expected)


def test_a_model_of_measurements_draws_for_those_of_the_test_data_in_turn(digits):
    y = np.random.default_rng(0).normal(size=(200, 4))
    model = small_models()["ConditionalVAE"].fit(digits.x_train, y)
    few = replace(digits, x_test=digits.x_test[:3], y_test=y[:3])
    expected = model.sample(7, random_state=5, y=y[[0, 1, 2, 0, 1, 2, 0]])
    np.testing.assert_array_equal(model.drawn_for(few, 7, 5), expected)
    assert "class_agreement" not in evaluate(model, few)


@pytest.mark.parametrize("name", NAMES)
def test_first_labels_are_those_of_the_test_part(name, fitted, digits):
    found = fitted[name].labels_for(digits.y_test[:4])
    if fitted[name].takes_labels:
        np.testing.assert_array_equal(found[0], digits.y_test[:4])
    else:
        assert found == ()


def test_codes_of_a_conditional_model_are_those_given_the_labels(digits):
    model = latentia.ConditionalVAE(n_components=2, hidden=(8,), n_epochs=1, random_state=0)
    model.set_params(device="cpu").fit(digits.x_train, digits.y_train)
    found = columns_of(model, digits)
    x = np.concatenate([digits.x_train, digits.x_test])
    y = np.concatenate([digits.y_train, digits.y_test])
    z = np.column_stack([found["z_1"], found["z_2"]])
    np.testing.assert_allclose(z, model.transform(x, y), atol=1e-6)
    assert [*found["label"][:5]] == [digits.class_names[c] for c in y[:5]]
