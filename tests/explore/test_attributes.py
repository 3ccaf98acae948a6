"""Directions against their definitions, edits against linear algebra, and the check of both."""

import numpy as np
import pytest
from sklearn.decomposition import PCA as SKPCA
from sklearn.linear_model import LogisticRegression

from latentia.errors import InputError
from latentia.explore.attributes import attribute_direction, attribute_figure, edit
from latentia.explore.pixel_classifiers import (
    AttributeCheck,
    PixelClassifiers,
    StrengthCheck,
    attribute_check,
)
from latentia.models.linear.pca import PCA
from latentia.plots.style import png_bytes

RNG = np.random.default_rng(0)
SHIFT = np.array([2.0, 0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def codes():
    """Codes of two classes that differ by SHIFT, in noise that is correlated and not round."""
    y = np.arange(4000) % 2
    root = np.array([[1, 0.8, 0, 0], [0, 0.6, 0, 0], [0, 0, 3, 0], [0, 0, 0, 0.5]])
    return RNG.normal(size=(4000, 4)) @ root + np.outer(y, SHIFT), y, root.T @ root


def test_the_difference_of_means(codes):
    Z, y, _ = codes
    found = attribute_direction(Z, y)
    np.testing.assert_allclose(found, Z[1::2].mean(axis=0) - Z[::2].mean(axis=0))
    np.testing.assert_allclose(found, SHIFT, atol=0.3)


def test_the_classifiers_normal_is_fishers(codes):
    """For Gaussian classes of one covariance the best plane's normal is S⁻¹(m₁ − m₀)."""
    Z, y, S = codes
    found = attribute_direction(Z, y, "classifier")
    fisher = np.linalg.solve(S, SHIFT)
    cosine = found @ fisher / np.linalg.norm(found) / np.linalg.norm(fisher)
    assert cosine > 0.99
    means = attribute_direction(Z, y)
    assert means @ fisher / np.linalg.norm(means) / np.linalg.norm(fisher) < 0.8


@pytest.mark.parametrize("method", ["means", "classifier"])
@pytest.mark.parametrize("against", [None, [[1.0, 1, 0, 0]], [[1.0, 1, 0, 0], [0, 0, 0, 2]]])
def test_one_step_goes_from_mean_to_mean_along_the_direction(codes, method, against):
    Z, y, _ = codes
    d = attribute_direction(Z, y, method, against)
    gap = Z[y == 1].mean(axis=0) - (Z[y == 0].mean(axis=0) + d)
    assert gap @ d == pytest.approx(0, abs=1e-9)
    assert d @ SHIFT > 0
    if against is not None:
        np.testing.assert_allclose(np.asarray(against) @ d, 0, atol=1e-12)


def test_repeated_other_directions_change_nothing(codes):
    Z, y, _ = codes
    once = attribute_direction(Z, y, "means", [[1.0, 1, 0, 0]])
    twice = attribute_direction(Z, y, "means", [[1.0, 1, 0, 0], [-2, -2, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(once, twice, atol=1e-12)


@pytest.mark.parametrize(
    ("y", "options", "words"),
    [
        (np.ones(4), {}, "all 4 labels are 1"),
        (np.zeros(4), {}, "all 4 labels are 0"),
        ([0, 1, 2, 1], {}, "0 or 1; these are 0, 1, 2"),
        ([0, 1, 1], {}, r"4 samples and labels of shape \(3,\)"),
        ([0, 1, 0, 1], {"method": "mean"}, "did you mean 'means'"),
        ([0, 1, 0, 1], {"against": [[1.0]]}, r"shape \(1, 1\); give finite \(o, 2\)"),
        ([0, 1, 0, 1], {"against": [[1.0, np.nan]]}, "finite"),
        ([0, 1, 0, 1], {"against": np.eye(2)}, "span of the others"),
        ([0, 0, 1, 1], {}, "same mean code"),
    ],
)
def test_directions_that_cannot_be(y, options, words):
    Z = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    with pytest.raises(InputError, match=words):
        attribute_direction(Z, y, **options)


def test_codes_must_be_finite():
    with pytest.raises(InputError, match="finite"):
        attribute_direction([[0.0], [np.nan]], [0, 1])


def test_an_edit_is_a_step_in_the_latent_space(pca, faces):
    d = np.array([0.5, -1.0, 0.25])
    found = edit(pca, faces[:3], d, (-1, 0, 2))
    assert found.shape == (3, 3, 8, 8)
    step = (d @ pca.components_).reshape(8, 8)
    base = pca.reconstruct(faces[:3])
    for j, strength in enumerate((-1, 0, 2)):
        np.testing.assert_allclose(found[:, j], base + strength * step, atol=1e-5)


def test_a_residual_keeps_the_sample_whole(pca, faces):
    d = np.array([0.5, -1.0, 0.25])
    found = edit(pca, faces[:3], d, (0, 1), residual=True)
    np.testing.assert_allclose(found[:, 0], faces[:3], atol=1e-6)
    np.testing.assert_allclose(
        found[:, 1] - faces[:3], np.diff(edit(pca, faces[:3], d, (0, 1)), axis=1)[:, 0], atol=1e-6
    )


@pytest.mark.parametrize("strengths", [(), (0, np.nan)])
def test_strengths_are_finite_numbers(strengths, pca, faces):
    with pytest.raises(InputError, match="strengths"):
        edit(pca, faces[:1], np.ones(3), strengths)


def test_a_direction_of_another_size(pca, faces):
    with pytest.raises(InputError, match=r"shape \(1, 2\); PCA takes \(n, 3\)"):
        edit(pca, faces[:1], np.ones(2))


def patches(n, agreement, seed):
    """Return images with a bright patch for each of two attributes that agree so often."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 2, n)
    second = np.where(rng.random(n) < agreement, first, 1 - first)
    x = 0.3 + 0.1 * rng.random((n, 8, 8))
    x[:, :3, :3] += 0.3 * first[:, None, None]
    x[:, 5:, 5:] += 0.3 * second[:, None, None]
    return x.astype(np.float32), {"왼쪽": first, "오른쪽": second}


@pytest.fixture(scope="module")
def scene():
    x, labels = patches(600, 0.8, 0)
    return PCA(n_components=2).fit(x), x, labels, PixelClassifiers(x, labels), patches(400, 0.5, 1)


def test_the_check_sees_an_attribute_come_and_go(scene):
    model, x, labels, judges, (x_test, y_test) = scene
    normal = attribute_direction(model.transform(x), labels["오른쪽"], "classifier")
    clean = attribute_direction(model.transform(x), labels["왼쪽"], "means", [normal])
    found = attribute_check(model, x_test, y_test, "왼쪽", clean, judges, (-1.5, 0, 1.5))
    assert [part.strength for part in found.strengths] == [-1.5, 1.5]
    removed, added = found.strengths
    assert (removed.n_samples, added.n_samples) == (
        y_test["왼쪽"].sum(),
        (1 - y_test["왼쪽"]).sum(),
    )
    assert min(found.accuracies.values()) > 0.99
    assert added.share_before < 0.02 < 0.98 < added.share_after
    assert removed.share_after < 0.02 < 0.98 < removed.share_before
    assert list(added.changes) == ["왼쪽", "오른쪽"]
    assert added.changes["왼쪽"] > 0.8
    assert abs(added.changes["오른쪽"]) < 0.05


def test_the_check_sees_another_attribute_come_along(scene):
    model, x, labels, judges, (x_test, y_test) = scene
    mixed = attribute_direction(model.transform(x), labels["왼쪽"])
    found = attribute_check(model, x_test, y_test, "왼쪽", mixed, judges, (1.5,)).strengths[0]
    assert found.changes["오른쪽"] > 0.2
    assert found.movements["오른쪽"] >= found.changes["오른쪽"]


def test_no_step_changes_nothing(scene):
    model, _, _, judges, (x_test, y_test) = scene
    found = attribute_check(model, x_test, y_test, "왼쪽", np.zeros(2), judges, (1,)).strengths[0]
    assert found.share_before == found.share_after
    assert max(found.movements.values()) < 1e-6


@pytest.mark.parametrize("residual", [False, True])
def test_the_check_counts_what_its_edits_change(scene, residual):
    _, x, _, judges, (x_test, y_test) = scene
    # One component does not keep what tells two attributes apart.
    model, direction, strengths = PCA(n_components=1).fit(x), np.array([1.5]), (-1, 2)
    found = attribute_check(
        model, x_test, y_test, "왼쪽", direction, judges, strengths, residual=residual
    )
    before = edit(model, x_test, direction, [0.0], residual=residual)[:, 0]
    for part, strength in zip(found.strengths, strengths):
        chosen = y_test["왼쪽"] == (strength < 0)
        after = edit(model, x_test[chosen], direction, [strength], residual=residual)[:, 0]
        had, has = (judges.probabilities(images) for images in (before[chosen], after))
        assert part.share_before == (had["왼쪽"] > 0.5).mean()
        assert part.share_after == (has["왼쪽"] > 0.5).mean()
        for name in ("왼쪽", "오른쪽"):
            gaps = has[name] - had[name]
            assert part.changes[name] == pytest.approx(gaps.mean())
            assert part.movements[name] == pytest.approx(np.abs(gaps).mean())
    for seen, shares in ((x_test, found.accuracies), (before, found.accuracies_reconstructed)):
        judged = judges.probabilities(seen)
        right = {name: ((judged[name] > 0.5) == truth).mean() for name, truth in y_test.items()}
        assert shares == right
    assert (found.accuracies == found.accuracies_reconstructed) == residual


def test_classifiers_are_scikit_learns_on_whitened_components(scene):
    _, x, labels, judges, (x_test, _) = scene
    flat, test = (part.reshape(len(part), -1) for part in (x, x_test))
    whitened = SKPCA(min(100, flat.shape[1]), whiten=True, svd_solver="full").fit(flat)
    found = judges.probabilities(x_test)
    for name, y in labels.items():
        judge = LogisticRegression(C=0.1, max_iter=1000).fit(whitened.transform(flat), y)
        expected = judge.predict_proba(whitened.transform(test))[:, 1]
        np.testing.assert_allclose(found[name], expected, atol=1e-3)


def test_the_check_in_words(scene):
    model, _, _, judges, (x_test, y_test) = scene
    text = str(attribute_check(model, x_test, y_test, "오른쪽", np.ones(2), judges, (1,)))
    assert len(text.splitlines()) == 3
    assert "strength +1 on 199: classified as 오른쪽 0.0% before" in text


def test_each_share_of_a_check_is_told_with_its_own_name():
    strengths = (
        StrengthCheck(-1.5, 1200, 0.75, 0.5, {"hat": 0.25, "smile": -0.125}, {}),
        StrengthCheck(2.0, 3400, 0.125, 0.875, {"hat": 0.0625, "smile": 0.5}, {}),
    )
    accuracies, reconstructed = {"hat": 0.9, "smile": 0.8}, {"hat": 0.7, "smile": 0.6}
    found = AttributeCheck("hat", 5600, accuracies, reconstructed, strengths)
    assert str(found).splitlines() == [
        "classifier of hat: right on 90.0% of 5,600 held-out originals, on 70.0% of them at "
        "strength 0",
        "classifier of smile: right on 80.0% of 5,600 held-out originals, on 60.0% of them at "
        "strength 0",
        "strength -1.5 on 1,200: classified as hat 75.0% before, 50.0% after; mean change of "
        "probability: hat +0.250, smile -0.125",
        "strength +2 on 3,400: classified as hat 12.5% before, 87.5% after; mean change of "
        "probability: hat +0.062, smile +0.500",
    ]


def test_checks_that_cannot_be(scene):
    model, x, _, judges, (x_test, y_test) = scene
    with pytest.raises(InputError, match=r"no labels of '왼'.*왼쪽, 오른쪽"):
        attribute_check(model, x_test, y_test, "왼", np.ones(2), judges)
    with pytest.raises(InputError, match="at least one attribute"):
        PixelClassifiers(x, {})
    with pytest.raises(InputError, match="all 600 labels are 1"):
        PixelClassifiers(x, {"one": np.ones(600)})


def test_the_figure_orders_strengths_and_draws_hangul(pca, faces):
    strengths = (1, 0, -1)
    edited = edit(pca, faces[:2], np.ones(3), strengths)
    captions = [["3 %", "1 %", "3 %", "9 %"]] * 2
    figure = attribute_figure(faces[:2], edited, strengths, "웃음", captions, ["첫째", "둘째"])
    words = [text.get_text() for text in figure.axes[0].texts]
    order = [word for word in words if word in ("original", "−1", "reconstructed", "+1")]
    assert order == ["original", "−1", "reconstructed", "+1"]
    below = "; below, its probability by a classifier of pixels"
    assert f"웃음, removed (−) and added (+){below}" in words
    kept = attribute_figure(faces[:2], edited, strengths, "웃음", residual=True)
    alone = [text.get_text() for text in kept.axes[0].texts]
    assert "reconstructed" not in alone
    assert "0" in alone
    assert "웃음, removed (−) and added (+)" in alone
    assert png_bytes(figure).startswith(b"\x89PNG")
