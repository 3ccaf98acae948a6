"""The verdict's rules, against figures made for them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from latentia import MODELS
from latentia.evaluation import wording
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Report, write_report
from latentia.evaluation.verdict import best, contenders, verdict, warnings, winners
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate

NOISE = np.random.default_rng(0).normal(size=400)
NOISE -= NOISE.mean()
SHARED = 3 * np.random.default_rng(1).normal(size=400)
SHARED -= SHARED.mean()


def estimate(value, spread=1.0):
    """Return a figure whose standard error over 400 samples is about spread / 20."""
    return Estimate.mean_of(value + spread * NOISE)


def model(name, *, linear=False, size=10, n_values=64, encodes=True, **metrics):
    return ModelSection(
        name, "", "", {}, metrics, (),
        n_latent=size, n_values=n_values, n_classes=10, encodes=encodes, linear=linear,
    )  # fmt: skip


def names(sections):
    return [section.name for section in sections]


def said(*sections, images=True):
    return [(s.answer, s.reason) for s in verdict(sections, images)]


def test_a_lead_of_more_than_two_standard_errors_of_the_difference_wins():
    """The errors of one model's samples are the other's, so that their difference has less."""
    error = float(np.std(NOISE, ddof=1) / 20)
    for gap, leads in ((2.1 * error, True), (1.9 * error, False)):
        a = model("PCA", squared_error=Estimate.mean_of(1 + SHARED))
        b = model("VAE", squared_error=Estimate.mean_of(1 + gap + SHARED + NOISE))
        assert names(best([b, a], "squared_error")) == ["PCA"] + ["VAE"] * (not leads)


def test_errors_of_other_samples_are_added():
    a = Estimate.mean_of([1.0, 3.0])
    b = Estimate.mean_of([0.0, 1.0, 2.0])
    expected = math.hypot(np.std([1, 3], ddof=1) / 2**0.5, np.std([0, 1, 2], ddof=1) / 3**0.5)
    assert a.error_beside(b) == pytest.approx(expected)
    assert a.error_beside(a) == 0
    assert math.isnan(Estimate.mean_of([1.0]).standard_error)


def test_what_is_written_alike_is_alike():
    """However surely the one is below the other."""
    pair = [model(n, squared_error=Estimate.mean_of(v + SHARED)) for n, v in
            (("PCA", 131.81), ("VAE", 131.83))]  # fmt: skip
    assert names(best(pair, "squared_error")) == ["PCA", "VAE"]


def test_one_test_sample_tells_nobody_apart():
    pair = [model(n, squared_error=Estimate.mean_of([v])) for n, v in (("PCA", 1), ("VAE", 9))]
    assert names(best(pair, "squared_error")) == ["PCA", "VAE"]


def test_figures_without_errors_lead_where_they_are_written_otherwise():
    three = [model(n, recall=v) for n, v in (("PCA", 0.5), ("VAE", 0.5004), ("GAN", 0.49))]
    assert names(best(three, "recall")) == ["VAE", "PCA"]
    assert best(three[:1], "recall") == []
    assert best([model("PCA", density=1.0), model("VAE", density=2.0)], "density") == []


def test_what_is_no_number_competes_with_nobody():
    pair = [model("PCA", squared_error=math.nan), model("VAE", squared_error=estimate(3))]
    assert names(contenders(pair, "squared_error")) == ["VAE"]
    assert best(pair, "squared_error") == []
    assert said(*pair)[0][0] == "The VAE alone compresses them"


def test_a_deep_winner_and_a_linear_one():
    deep = model("VAE", squared_error=estimate(1.25), frechet_distance=0.5, classes_covered=10)
    pca = model("PCA", linear=True, size=16, squared_error=estimate(2.0))
    gan = model("GAN", encodes=False, frechet_distance=0.75, classes_covered=10)
    assert said(deep, pca, gan) == [
        ("To draw new images take the VAE", "its samples lie closest to real ones (Fréchet "
         "distance 0.500) and show all ten classes."),
        ("To compress them take the VAE", "10 numbers an image give back the pixels best "
         "(squared error 1.25)."),
    ]  # fmt: skip
    pca = replace(pca, metrics={"squared_error": estimate(0.5)})
    assert said(deep, pca, gan)[1] == (
        "To compress them take PCA",
        "16 numbers an image give back the pixels best (squared error 0.500); no deep model does "
        "better here.",
    )
    ppca = model("ProbabilisticPCA", linear=True, squared_error=estimate(9))
    assert "deep" not in said(pca, ppca)[0][1]


def test_a_linear_generator_that_wins_is_named_as_such():
    fa = model("FactorAnalysis", linear=True, frechet_distance=0.5, classes_covered=9)
    gan = model("GAN", frechet_distance=0.75, classes_covered=9)
    assert said(fa, gan, images=False) == [
        ("To draw new rows take factor analysis", "its samples lie closest to real ones (Fréchet "
         "distance 0.500) and show 9 of 10 classes; no deep model draws better here.")
    ]  # fmt: skip


def test_those_that_are_alike_are_named_together():
    alike = (
        model("PCA", linear=True, squared_error=estimate(1.0), frechet_distance=estimate(1.0)),
        model("VAE", squared_error=estimate(1.01, -1), frechet_distance=estimate(1.01, -1)),
        model("GAN", squared_error=estimate(5.0), frechet_distance=estimate(5.0)),
    )
    assert said(*alike) == [
        ("To draw new images PCA and the VAE are alike", "their samples lie as close to real ones, "
         "Fréchet distance 1 and 1.01; PCA, which is linear, does as well."),
        ("To compress them PCA and the VAE are alike", "squared error 1 and 1.01; PCA, which is "
         "linear, does as well."),
    ]  # fmt: skip
    linear = (alike[0], replace(alike[1], linear=True), alike[2])
    assert said(*linear)[1][1].endswith("1.01; no deep model does better here.")


def test_a_generator_that_leaves_classes_out_is_passed_by():
    kept = model("VAE", frechet_distance=0.5, classes_covered=9)
    lost = model("GAN", frechet_distance=0.25, classes_covered=8)
    whole = model("DCGAN", frechet_distance=0.75, classes_covered=10)
    assert names(contenders([lost, whole, kept], "frechet_distance")) == ["VAE", "DCGAN"]
    [(answer, reason)] = said(lost, whole, kept)
    assert answer == "To draw new images take the VAE"
    assert reason.endswith("; the GAN comes closer (0.250) but shows only 8 of 10 classes.")
    [cards] = [w for w in winners([lost, whole, kept]) if w.what == "Draws best"]
    assert (cards.names, cards.value) == ("VAE", "0.500 Fréchet distance")
    [(answer, reason)] = said(lost, whole)
    assert answer == "To draw new images take DCGAN"
    assert reason.endswith("all ten classes; the GAN comes closer (0.250) but shows only 8 of 10 "
                           "classes.")  # fmt: skip
    assert said(whole)[0] == ("DCGAN alone draws new images", "Fréchet distance 0.750.")


def test_a_model_that_keeps_all_is_not_crowned_for_giving_its_input_back():
    whole = model("PCA", linear=True, size=12, n_values=12, squared_error=estimate(0.0))
    real = [model(n, size=3, n_values=12, squared_error=estimate(v)) for n, v in
            (("VAE", 2.0), ("Autoencoder", 1.5))]  # fmt: skip
    assert said(whole, *real, images=False)[0][0] == "To compress them take the autoencoder"
    told = warnings([whole, *real], images=False)
    assert told == [
        "Sizes of z differ, 3 to 12: a model with more numbers a row can keep more.",
        "PCA keeps as many numbers as a row has, so that it gives its input back: its squared "
        "error is not compared.",
    ]
    assert [w.names for w in winners([whole, *real])] == ["AE"]
    assert not replace(whole, n_values=13).keeps_all
    assert not replace(whole, n_latent=None).keeps_all


def test_sizes_that_differ_are_told_of_models_that_encode_alone():
    pair = [model("PCA", size=5), model("VAE", size=5), model("GAN", size=100, encodes=False)]
    assert warnings(pair, images=True) == []
    [told] = warnings([*pair, model("Autoencoder", size=7)], images=True)
    assert told == "Sizes of z differ, 5 to 7: a model with more numbers an image can keep more."


def test_a_bound_is_never_set_beside_an_exact_likelihood():
    exact = [model(n, negative_log_likelihood=estimate(v)) for n, v in
             (("ProbabilisticPCA", 20.0), ("FactorAnalysis", 10.0))]  # fmt: skip
    bounds = [model(n, negative_iwae=estimate(v)) for n, v in (("VAE", 1.0), ("LinearVAE", 2.0))]
    [card] = winners([*bounds, *exact])
    assert (card.what, card.names, card.value) == ("Most likely", "FA", "10 nats, exact")
    [card] = winners(bounds)
    assert (card.names, card.value) == ("VAE", "1 nats, a bound")
    # One exact likelihood has nobody to be compared with, and bounds do not step in.
    assert winners([*bounds, exact[0]]) == []
    noises = [replace(b, parameters={"observation": o}) for b, o in zip(bounds, ("a", "b"))]
    assert winners(noises) == []
    assert said(*exact) == [("Factor analysis finds test images most likely (10 nats, exact).", "")]


def test_the_five_cards_stand_in_their_order():
    figures = {"squared_error": 1.0, "negative_log_likelihood": 1.0, "frechet_distance": 1.0,
               "code_accuracy": 0.5, "seconds": 1.0}  # fmt: skip
    pair = [model("PCA", **figures), model("VAE", **{k: 2 * v for k, v in figures.items()})]
    cards = [(w.what, w.names, w.value) for w in winners(pair)]
    assert cards == [
        ("Rebuilds best", "PCA", "1 squared error"),
        ("Most likely", "PCA", "1 nats, exact"),
        ("Draws best", "PCA", "1 Fréchet distance"),
        ("Best codes", "VAE", "100.0\u00a0% 5 neighbours right"),
        ("Cheapest", "PCA", "1 s to fit"),
    ]
    clusters = [model(n, adjusted_rand=v) for n, v in (("PCA", 0.5), ("VAE", 0.25))]
    assert [(w.what, w.value) for w in winners(clusters)] == [
        ("Best clusters", "0.500 adjusted Rand index")
    ]
    many = [model(f"m{i}", seconds=1.0) for i in range(5)]
    assert [w.names for w in winners(many)] == ["m0, m1, m2 +2"]


def test_one_model_alone_has_no_verdict_and_nobody_else_to_be_best_of(tmp_path):
    one = (model("PCA", squared_error=estimate(1.0), seconds=1.0),)
    assert winners(one) == []
    report = Report("One model on x", "line", {}, one, compared=True)
    page = write_report(tmp_path / "r.html", report).read_text()
    assert '<p class="verdict">' not in page
    assert 'class="wins"' not in page
    assert "(best)" not in page.partition("</style>")[2]
    assert said(model("PCA", seconds=1.0), model("VAE", seconds=2.0)) == [
        ("Nothing here is measured of more than one model.", "")
    ]


def test_the_page_opens_with_the_verdict_and_shades_what_it_names(tmp_path):
    pair = (
        model("PCA", linear=True, squared_error=estimate(1.0)),
        model("VAE", size=4, squared_error=estimate(2.0)),
    )
    report = Report("Two models on x", "a line", {}, pair, compared=True)
    page = write_report(tmp_path / "r.html", report).read_text()
    page = page.partition("</style>")[2]
    heading, verdict_, table = (page.index(w) for w in ("<h1>", 'class="verdict"', "<table"))
    assert heading < verdict_ < table
    assert "<b>To compress them take PCA</b>: 10 numbers an image" in page
    assert "Sizes of z differ, 4 to 10" in page
    mean, error = float(pair[0].metrics["squared_error"]), np.std(NOISE, ddof=1) / 20
    title = f"{mean!r} ± {error:.3f} (standard error)"
    assert f'<td data-m="PCA" title="{title}" class="best">' in page


def test_every_model_has_three_names_and_every_figure_a_place():
    assert set(MODELS) <= set(wording.NAMES)
    listed = [key for _, keys in wording.GROUPS.values() for key in keys]
    assert sorted(listed) == sorted(DEFINITIONS)
    known = model("VAE 2")
    assert (known.short, known.spoken, known.title, known.entry) == (
        "VAE 2", "the VAE 2", "Variational autoencoder 2", "VAE 2",
    )  # fmt: skip
    assert {model("Mine").short, model("Mine").spoken, model("Mine").entry} == {"Mine"}
    assert model("ProbabilisticPCA").entry == "Probabilistic PCA"
    assert model("KMeans (scikit-learn)").entry == "k-means"


def test_figures_without_an_error_lead_unless_they_are_written_alike():
    a, b = model("PCA", squared_error=1.25), model("VAE", squared_error=1.5)
    assert names(best([b, a], "squared_error")) == ["PCA"]
    close = model("GAN", squared_error=1.25 + 1e-9)
    assert names(best([close, b, a], "squared_error")) == ["PCA", "GAN"]
