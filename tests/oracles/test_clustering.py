"""Deep clustering against the papers' equations in loops, closed-form gradients and brute force."""

import os
import signal
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.ndimage import affine_transform
from sklearn import mixture as sklearn_mixture
from sklearn.base import is_clusterer
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

import latentia
from latentia import (
    DEC,
    IDEC,
    PCA,
    VAE,
    Autoencoder,
    AutoencoderKMeans,
    ConditionalVAE,
    VaDE,
    evaluate,
)
from latentia.errors import FitWarning, InputError
from latentia.metrics.clustering import cluster_accuracy, cluster_agreement
from latentia.models.clustering import base as clustering
from latentia.models.clustering import vade as vade_page
from latentia.models.clustering.base import distorted, gaussian_mixture
from latentia.models.clustering.dec import StudentClusters, divergence, target_distribution
from latentia.models.clustering.vade import GaussianMixture
from latentia.training import draws
from latentia.training.train import as_loss
from tests.conftest import resumes_as_if_not_stopped

LIMITS = (0.25, 0.3, 0.15, 0.15, 4.5 / 7, 4.5 / 7)
"""Radians, shear, growth in x and y, and pixels of nine in x and y, at a distortion of 1."""
NETS = {"n_components": 2, "hidden": (16,), "n_clusters": 3}
STARTED = (DEC, IDEC, VaDE)


def blobs(n=40, d=6, seed=0):
    """Return three blobs of n points each, far apart along every column, and their numbers."""
    draws = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), n)
    centres = 10 * np.resize(np.eye(3), (d, 3)).T
    return centres[y] + 0.5 * draws.normal(size=(3 * n, d)), y


def soft_assignment_in_loops(z, centres, alpha):
    """Return q of DEC's eq. 1."""
    q = np.empty((len(z), len(centres)))
    for i, point in enumerate(z):
        for j, centre in enumerate(centres):
            distance = np.sum((point - centre) ** 2)
            q[i, j] = (1 + distance / alpha) ** (-(alpha + 1) / 2)
        q[i] /= q[i].sum()
    return q


def target_in_loops(q):
    """Return p of DEC's eq. 3."""
    p = np.empty_like(q)
    for i in range(len(q)):
        for j in range(q.shape[1]):
            p[i, j] = q[i, j] ** 2 / sum(q[k, j] for k in range(len(q)))
        p[i] /= p[i].sum()
    return p


@pytest.fixture
def points():
    """Codes (30, 3) and centres (4, 3) in float64."""
    draws = np.random.default_rng(3)
    return draws.normal(size=(30, 3)), 2 * draws.normal(size=(4, 3))


@pytest.mark.parametrize("alpha", [1.0, 2.5])
def test_assignments_and_targets_are_the_papers(points, alpha):
    z, centres = points
    clusters = StudentClusters(torch.tensor(centres), alpha, 0)
    q = clusters(torch.tensor(z)).exp().detach()
    expected = soft_assignment_in_loops(z, centres, alpha)
    np.testing.assert_allclose(q, expected, rtol=1e-12)
    np.testing.assert_allclose(target_distribution(q), target_in_loops(expected), rtol=1e-12)


def test_assignments_stay_finite_far_from_all_centres():
    clusters = StudentClusters(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), 1.0, 0)
    log_q = clusters(torch.tensor([[1e18, 0.0], [0.0, 0.0]]))
    assert torch.isfinite(log_q).all()
    assert torch.isfinite(divergence(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), log_q))


@pytest.mark.parametrize("alpha", [1.0, 2.5])
def test_gradients_are_the_papers_closed_forms(points, alpha):
    """DEC's eqs. 4 and 5, and central differences; the library averages what they sum."""
    z, centres = (torch.tensor(part, requires_grad=True) for part in points)
    clusters = StudentClusters(centres.detach(), alpha, 0)
    log_q = clusters(z)
    p = target_distribution(log_q.detach().exp())
    by_code, by_centre = torch.autograd.grad(divergence(p, log_q), [z, clusters.centers])
    q, difference = log_q.exp().detach(), z.detach()[:, None] - centres.detach()
    pull = (1 + difference.square().sum(-1) / alpha) ** -1 * (p - q)
    each = (alpha + 1) / alpha * pull[..., None] * difference / len(z)
    torch.testing.assert_close(by_code, each.sum(1))
    torch.testing.assert_close(by_centre, -each.sum(0))

    def loss(codes):
        expected = soft_assignment_in_loops(codes, points[1], alpha)
        return np.mean(np.sum(p.numpy() * np.log(p.numpy() / expected), axis=1))

    for place in [(0, 0), (7, 2), (29, 1)]:
        step = np.zeros_like(points[0])
        step[place] = 1e-6
        numeric = (loss(points[0] + step) - loss(points[0] - step)) / 2e-6
        assert float(by_code[place]) == pytest.approx(numeric, rel=1e-5, abs=1e-10)


def test_accuracy_is_the_best_over_all_permutations():
    draws = np.random.default_rng(0)
    for _ in range(20):
        y, c = draws.integers(0, 5, 60), draws.integers(0, 5, 60)
        best = max(np.mean(np.array(m)[c] == y) for m in permutations(range(5)))
        assert cluster_accuracy(y, c) == pytest.approx(best)


def test_accuracy_with_other_numbers_of_clusters_and_any_labels():
    y = np.array([0, 0, 0, 5, 5, 5])
    assert cluster_accuracy(y, [9, 9, 4, 1, 1, 1]) == pytest.approx(5 / 6)
    assert cluster_accuracy(y, np.zeros(6)) == 0.5
    assert cluster_agreement(y, -y) == pytest.approx(
        {"cluster_accuracy": 1.0, "nmi": 1.0, "adjusted_rand": 1.0}
    )
    with pytest.raises(InputError, match=r"\(6,\) and clusters \(5,\)"):
        cluster_accuracy(y, y[:5])


def test_agreement_is_told_by_three_scores_of_the_same_two_partitions():
    classes, clusters = np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array([1, 1, 0, 0, 0, 2, 2, 1])
    assert cluster_agreement(classes, clusters) == pytest.approx(
        {
            "cluster_accuracy": 6 / 8,
            "nmi": normalized_mutual_info_score(classes, clusters),
            "adjusted_rand": adjusted_rand_score(classes, clusters),
        }
    )


def test_nmi_is_twice_the_information_over_both_entropies():
    y, c = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 1])
    joint = np.histogram2d(y, c, bins=(3, 2))[0] / 6
    information = stats.entropy(joint.ravel(), np.outer(joint.sum(1), joint.sum(0)).ravel())
    both = stats.entropy(joint.sum(1)) + stats.entropy(joint.sum(0))
    assert cluster_agreement(y, c)["nmi"] == pytest.approx(2 * information / both)


def fitted(kind, X, **changed):
    more = {} if kind is AutoencoderKMeans or "pretrained" in changed else {"pretrain_epochs": 30}
    settings = NETS | more | {"n_epochs": 30, "batch_size": 32, "random_state": 0}
    return kind(**(settings | changed)).fit(X)


@pytest.mark.parametrize("kind", [AutoencoderKMeans, *STARTED])
def test_separated_blobs_are_found(kind):
    X, y = blobs()
    model = fitted(kind, X)
    assert is_clusterer(model)
    assert cluster_accuracy(y, model.labels_) == 1
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert adjusted_rand_score(y, model.fit_predict(X)) == 1
    new, y_new = blobs(seed=1)
    assert cluster_accuracy(y_new, model.predict(new)) == 1
    assert model.cluster_centers_.shape == (3, 2)
    for cluster in range(3):
        codes = model.transform(X[model.labels_ == cluster])
        spread = model.cluster_centers_ - codes.mean(0)
        assert np.square(spread).sum(1).argmin() == cluster


@pytest.mark.parametrize("kind", STARTED)
def test_probabilities_sum_to_one_and_name_the_cluster(kind):
    X, _ = blobs()
    model = fitted(kind, X)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_array_equal(probabilities.argmax(1), model.predict(X))


def test_a_mixture_finds_long_clusters_that_k_means_cuts():
    draws = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 200)
    codes = np.stack([6 * draws.normal(size=600), 5.0 * y + 0.5 * draws.normal(size=600)], 1)
    codes @= np.array([[0.8, 0.6], [-0.6, 0.8]])
    _, means, variances = gaussian_mixture(codes, 3, 0)
    order = means @ [-0.6, 0.8]
    for cluster, place in enumerate(order.argsort()):
        own = codes[y == cluster]
        np.testing.assert_allclose(means[place], own.mean(0), atol=0.05)
        np.testing.assert_allclose(variances[place], own.var(0), rtol=0.02)
    model = DEC(n_components=2, n_clusters=3, first_centers="mixture")
    model.seed_ = 0
    model.find_clusters(codes, codes)
    np.testing.assert_allclose(model._centers, means, rtol=1e-6)
    model.set_params(first_centers="k_means").find_clusters(codes, codes)
    nearest = np.square(codes[:, None] - np.asarray(model._centers)).sum(-1).argmin(1)
    assert cluster_accuracy(y, nearest) < 0.8


def test_dec_predicts_the_papers_assignment(images):
    model = fitted(DEC, images)
    expected = soft_assignment_in_loops(model.transform(images), model.cluster_centers_, 1.0)
    np.testing.assert_allclose(model.predict_proba(images), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", [DEC, IDEC])
def test_targets_are_fixed_between_updates_and_follow_from_all_data(kind):
    X, _ = blobs()
    kept = []
    model = kind(**NETS, n_epochs=4, batch_size=32, update_interval=5, random_state=0)
    model.set_params(pretrain_epochs=5)
    update = model.update_targets

    def watched(step, n_steps):
        before = model.assign(torch.from_numpy(X).float()).double().detach().numpy()
        update(step, n_steps)
        kept.append((step, before, model.clustering_.target.clone().numpy()))

    model.update_targets = watched
    model.fit(X)
    assert len(kept) == 12
    for (step, q, target), (_, _, last) in zip(kept, [kept[0], *kept]):
        if step % 5:
            np.testing.assert_array_equal(target, last)
        else:
            np.testing.assert_allclose(target, target_in_loops(q), rtol=1e-3)
    assert not np.array_equal(kept[0][2], kept[-1][2])
    assert model.clustering_.target.shape == (0, 3)


def test_dec_lowers_the_divergence_and_leaves_the_decoder_alone(tmp_path):
    X, _ = blobs()
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", n_epochs=30)
    start.set_params(random_state=0).fit(X)
    folder = str(start.save(tmp_path / "start"))
    model = fitted(DEC, X, pretrained=folder, n_epochs=1, learning_rate=1e-9)
    moved = fitted(DEC, X, pretrained=folder, n_epochs=30)
    np.testing.assert_allclose(model.transform(X), start.transform(X), atol=1e-4)
    for a, b in zip(moved.decoder_.parameters(), start.decoder_.parameters()):
        assert torch.equal(a, b)
    assert np.mean(moved.predict_proba(X).max(1)) > np.mean(model.predict_proba(X).max(1))


def test_idec_keeps_reconstructing_what_dec_forgets(tmp_path):
    X, _ = blobs()
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", n_epochs=30)
    start.set_params(random_state=0).fit(X)
    folder = str(start.save(tmp_path / "start"))
    dec, idec = (
        fitted(kind, X, pretrained=folder, n_epochs=40, learning_rate=1e-2) for kind in (DEC, IDEC)
    )
    assert idec.score(X) >= start.score(X)
    assert idec.score(X) > dec.score(X)


def convolutional(kind, X, **changed):
    settings = {"architecture": "convolutional", "channels": (4, 6), "hidden": (8,)}
    return fitted(kind, X, **(settings | {"n_epochs": 2, "pretrain_epochs": 2} | changed))


def divergence_in_loops(p, q):
    """Return the mean over samples of DEC's eq. 2."""
    terms = [p[i, j] * np.log(p[i, j] / q[i, j]) for i, j in np.ndindex(p.shape) if p[i, j] > 0]
    return sum(terms) / len(p)


def test_the_divergence_is_a_loops_where_targets_are_zero_and_elsewhere(points):
    q = soft_assignment_in_loops(*points, 1.0)
    p = target_in_loops(q)
    p[0] = [1, 0, 0, 0]
    p[1] = [0, 0.5, 0.5, 0]
    found = divergence(torch.tensor(p), torch.tensor(q).log())
    assert float(found) == pytest.approx(divergence_in_loops(p, q), rel=1e-12)
    assert float(divergence(torch.tensor(q), torch.tensor(q).log())) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("gamma", [0.1, 2.0])
@pytest.mark.parametrize("kind", [DEC, IDEC])
def test_the_loss_is_a_loops_on_training_rows_and_held_out(kind, gamma, images):
    weights = {"gamma": gamma} if kind is IDEC else {}
    model = convolutional(kind, images, degrees_of_freedom=2.5, **weights)
    with torch.no_grad():
        list(model.encoder_.parameters())[-2].div_(float(model.transform(images).std(0).mean()))
        model.clustering_.centers.copy_(torch.from_numpy(model.transform(images[:3])))
    x = torch.from_numpy(images[:8, None])
    q = soft_assignment_in_loops(model.transform(images[:8]), model.cluster_centers_, 2.5)
    np.testing.assert_allclose(model.predict_proba(images[:8]), q, rtol=1e-4)
    error = np.mean((model.reconstruct(images[:8]) - images[:8]) ** 2)
    rows = np.array([11, 3, 0, 7, 2, 19, 5, 8])
    target = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], 20).astype(np.float32)
    model.clustering_.target = torch.from_numpy(target)
    (update,) = model.updates()
    for places, p in ((rows, target[rows]), (np.full(8, -1), target_in_loops(q))):
        with torch.no_grad():
            loss = update.loss(x, torch.from_numpy(places))
        clustering = divergence_in_loops(p, q)
        if kind is DEC:
            assert float(loss) == pytest.approx(clustering, rel=1e-3)
            continue
        assert float(loss.total) == pytest.approx(error + gamma * clustering, rel=1e-3)
        assert float(loss.terms["reconstruction"]) == pytest.approx(error, rel=1e-4)
        assert float(loss.terms["clustering"]) == pytest.approx(clustering, rel=1e-3)


def test_training_rows_and_held_out_rows_are_told_apart():
    model = IDEC(n_clusters=3)
    np.testing.assert_array_equal(model.targets(None, 4, reset=True), [0, 1, 2, 3])
    np.testing.assert_array_equal(model.targets(None, 3, reset=False), [-1, -1, -1])


@pytest.mark.parametrize("kind", [DEC, IDEC])
def test_targets_are_of_nets_in_evaluation_mode_and_in_the_datas_order(kind, images, monkeypatch):
    monkeypatch.setattr("latentia.models.clustering.dec.CHUNK", 7)
    kept = []
    model = kind(
        n_components=2,
        n_clusters=3,
        architecture="convolutional",
        channels=(4, 6),
        hidden=(8,),
        n_epochs=2,
        batch_size=10,
        pretrain_epochs=2,
        update_interval=3,
        random_state=0,
    )
    update = model.update_targets

    def watched(step, n_steps):
        update(step, n_steps)
        assert all(net.training for net in model.nets().values())
        if step == 3:
            nets = model.nets().values()
            for net in nets:
                net.eval()
            with torch.no_grad():
                q = model.assign(torch.from_numpy(images[:, None])).double().numpy()
            for net in nets:
                net.train()
            kept.append((model.clustering_.target.clone().numpy(), target_in_loops(q)))

    model.update_targets = watched
    model.fit(images)
    ((found, expected),) = kept
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize(("kind", "tolerance"), [(DEC, 0.008), (IDEC, 0.04)])
def test_training_ends_when_few_samples_change_clusters_also_after_a_stop(
    kind, tolerance, tmp_path
):
    """Of eight steps an epoch: the shares are those of the targets, and a stop forgets none."""
    X = np.random.default_rng(0).normal(size=(200, 6))

    def trained(stop=-1, **given):
        settings = {"n_epochs": 10, "batch_size": 25, "update_interval": 6, "learning_rate": 1e-2}
        model = kind(**NETS, **settings, pretrain_epochs=3, tolerance=tolerance, random_state=0)
        update, clusters, changed = model.update_targets, [], {}

        def watched(step, n_steps):
            update(step, n_steps)
            if step % 6 == 0:
                clusters.append(model.clustering_.target.argmax(1).numpy())
                changed[step] = np.mean(clusters[-1] != clusters[-2]) if step else 1.0
            if step == stop:
                os.kill(os.getpid(), signal.SIGTERM)

        model.update_targets = watched
        return model, changed, lambda: model.fit(X, **given)

    whole, changed, fit = trained()
    fit()
    last = 8 * whole.records_[-1]["epoch"]
    assert last == 24
    ends = [max(s for s in changed if s < end) for end in range(8, last + 8, 8)]
    assert [changed[step] < tolerance for step in ends] == [False, False, True]
    _, _, fit = trained(stop=20, run=tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        fit()
    resumed, _, fit = trained(run=tmp_path / "run", resume=True)
    fit()
    assert resumed.records_[-1]["epoch"] == 3
    for a, b in zip(whole.encoder_.parameters(), resumed.encoder_.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("share", [0.0, 0.31, 1.0])
def test_a_distortion_is_scipys_turn_of_a_slanted_resized_moved_image(share, monkeypatch):
    """Of an image in pixels from its middle."""
    image = np.random.default_rng(0).random((9, 9))
    drawn = np.array([share, 1 - share, 0.2, 0.9, share, 0.6])
    monkeypatch.setattr(draws, "uniform_like", lambda x: torch.tensor(drawn[None]).to(x))
    found = distorted(torch.tensor(image)[None, None], 2.0)[0, 0].numpy()
    turn, slant, wide, high, right, down = 2 * (2 * drawn - 1) * np.array(LIMITS)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    from_xy = turned @ np.array([[1, slant], [0, 1]]) @ np.diag([1 + wide, 1 + high])
    matrix, move, middle = from_xy[::-1, ::-1], np.array([down, right]), np.array([4.0, 4.0])
    expected = affine_transform(
        image, matrix, middle + move - matrix @ middle, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("kind", [AutoencoderKMeans, *STARTED])
def test_losses_are_of_the_codes_of_distorted_images_beside_clean_ones(kind, images, monkeypatch):
    """In training; where nets evaluate, a loss is of the images as they are."""
    more = {"observation": "bernoulli"} if kind is VaDE else {}
    model = fitted(kind, images, distortion=0.7, n_epochs=1, **more)
    monkeypatch.setattr(clustering, "distorted", lambda x, strength: x.flip(2))
    monkeypatch.setattr(draws, "normal_like", torch.zeros_like)
    if kind in (DEC, IDEC):
        target = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], len(images))
        model.clustering_.target = torch.from_numpy(target.astype(np.float32))
    x = images[:8]
    for training, encoded in ((False, x), (True, x[:, ::-1].copy())):
        decoded = model.reconstruct(encoded)
        if kind is VaDE:
            log_p = x * np.log(decoded) + (1 - x) * np.log(1 - decoded)
            expected = {"reconstruction": -log_p.sum() / 8}
        else:
            errors = np.square(decoded - x)
            expected = {"autoencoder": errors.sum() / 8, "reconstruction": errors.mean()}
        if kind in (DEC, IDEC):
            q = soft_assignment_in_loops(model.transform(encoded), model.cluster_centers_, 1.0)
            expected["clustering"] = divergence_in_loops(target[:8], q)
        for net in model.nets().values():
            net.train(training)
        beside = [torch.arange(8)] if kind in (DEC, IDEC) else []
        with torch.no_grad():
            loss = as_loss(model.loss(torch.from_numpy(x[:, None]), *beside))
        only = {AutoencoderKMeans: "autoencoder", DEC: "clustering"}.get(kind)
        found = loss.terms if only is None else {only: loss.total}
        for name in set(expected) & set(found):
            assert float(found[name]) == pytest.approx(expected[name], rel=1e-3)
        assert set(expected) & set(found)


@pytest.mark.parametrize(("kind", "seed"), [(DEC, None), *((kind, 7) for kind in STARTED)])
def test_the_autoencoder_that_is_trained_first_has_the_models_fields(kind, seed, images, tmp_path):
    model = kind(
        n_components=4,
        n_clusters=3,
        hidden=(9,),
        channels=(3, 5),
        activation="tanh",
        architecture="convolutional",
        n_epochs=1,
        batch_size=12,
        pretrain_epochs=3,
        device="cpu",
        random_state=seed,
    ).fit(images, run=tmp_path / "run")
    start = latentia.load(tmp_path / "run" / "pretraining" / "model")
    assert type(start) is Autoencoder
    changed = {"n_epochs": 3, "random_state": model.seed_}
    fields = ("n_components", "hidden", "channels", "activation", "architecture", "batch_size")
    fields += ("device",)
    expected = Autoencoder().get_params() | {name: getattr(model, name) for name in fields}
    assert start.get_params() == expected | changed
    alone = Autoencoder(**(expected | changed)).fit(images)
    np.testing.assert_array_equal(start.transform(images), alone.transform(images))


@pytest.mark.parametrize("kind", STARTED)
def test_a_start_keeps_the_units_of_its_own_data(kind, tmp_path):
    X, _ = blobs()
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", random_state=0)
    folder = str(start.fit(X).save(tmp_path / "start"))
    moved = 1.5 * X + 4
    model = fitted(kind, moved, pretrained=folder, n_epochs=1, learning_rate=1e-9)
    np.testing.assert_allclose(model.transform(moved), start.transform(moved), atol=1e-4)
    if kind is not VaDE:
        np.testing.assert_allclose(model.reconstruct(moved), start.reconstruct(moved), rtol=1e-4)


@pytest.mark.parametrize("kind", STARTED)
def test_the_training_begins_with_a_convolutional_start_and_its_batch_norm(kind, images, tmp_path):
    nets = {"architecture": "convolutional", "channels": (4, 6), "hidden": (8,)}
    start = Autoencoder(n_components=2, activation="relu", n_epochs=3, random_state=0, **nets)
    folder = str(start.fit(images).save(tmp_path / "start"))
    model = kind(n_components=2, n_clusters=3, pretrained=folder, random_state=0, **nets)
    first, plain = [], model.updates

    def updates():
        if not first:
            for net in model.nets().values():
                net.eval()
            with torch.no_grad():
                codes = model.encode(torch.from_numpy(images[:, None]))
                first.extend([codes.numpy(), model.decode(codes)[:, 0].numpy()])
            for net in model.nets().values():
                net.train()
        return plain()

    model.updates = updates
    model.set_params(n_epochs=1).fit(images)
    np.testing.assert_allclose(first[0], start.transform(images), atol=1e-6)
    np.testing.assert_allclose(first[1], start.reconstruct(images), atol=1e-6)


def test_k_means_is_scikit_learns_best_of_twenty():
    X = np.random.default_rng(0).normal(size=(200, 6))
    model = fitted(AutoencoderKMeans, X, n_clusters=9, random_state=3, n_epochs=2)
    codes = model.transform(X.astype(np.float32))
    best = KMeans(9, n_init=20, random_state=3).fit(codes)
    np.testing.assert_allclose(model.cluster_centers_, best.cluster_centers_, atol=1e-4)
    np.testing.assert_array_equal(model.labels_, best.labels_)
    one = KMeans(9, n_init=1, random_state=3).fit(codes)
    assert best.inertia_ < 0.999 * one.inertia_


@pytest.mark.parametrize("first_centers", ["k_means", "mixture"])
def test_the_first_centres_are_those_of_the_models_own_seed(first_centers, monkeypatch):
    if first_centers == "mixture":
        monkeypatch.setattr(clustering, "STARTS", 3)
    X = np.random.default_rng(0).normal(size=(200, 6))
    more = {"first_centers": first_centers, "pretrain_epochs": 2, "update_interval": 99}
    model = fitted(IDEC, X, n_clusters=9, random_state=3, n_epochs=1, learning_rate=1e-9, **more)
    codes = model.transform(X.astype(np.float32))
    expected = [
        KMeans(9, n_init=20, random_state=seed).fit(codes).cluster_centers_
        if first_centers == "k_means"
        else gaussian_mixture(codes, 9, seed)[1]
        for seed in (3, 0, 1)
    ]
    np.testing.assert_allclose(model.cluster_centers_, expected[0], atol=1e-3)
    for other in expected[1:]:
        assert np.abs(model.cluster_centers_ - other).max() > 0.01


def test_the_first_mixture_is_scikit_learns_of_evenly_spaced_codes(monkeypatch):
    monkeypatch.setattr("latentia.models.clustering.base.MOST_CODES", 100)
    codes = np.random.default_rng(0).normal(size=(299, 2))
    found = gaussian_mixture(codes, 4, 5)
    rows = codes[::3]
    expected = sklearn_mixture.GaussianMixture(
        4, n_init=20, random_state=5, max_iter=300, tol=1e-4, reg_covar=1e-3 * rows.var(0).mean()
    ).fit(rows)
    np.testing.assert_allclose(found[0], expected.weights_, rtol=1e-6)
    np.testing.assert_allclose(found[1], expected.means_, rtol=1e-6)
    np.testing.assert_allclose(
        found[2], [np.diag(part) for part in expected.covariances_], rtol=1e-6
    )


@pytest.mark.parametrize("kind", [AutoencoderKMeans, DEC, IDEC])
def test_score_is_minus_the_squared_error_of_a_sample(kind):
    X, _ = blobs()
    model = fitted(kind, X, n_epochs=2)
    expected = -np.square(model.reconstruct(X) - X).sum(1).mean()
    assert model.score(X) == pytest.approx(expected, rel=1e-4)


def test_the_autoencoder_before_k_means_minimises_the_squared_error(images):
    model = fitted(AutoencoderKMeans, images, n_epochs=2)
    (update,) = model.updates()
    loss = update.loss(torch.from_numpy(images[:, None]))
    assert float(loss.detach()) == pytest.approx(-model.score(images), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        (AutoencoderKMeans, {"encoder_", "decoder_"}),
        (DEC, {"encoder_", "clustering_"}),
        (IDEC, {"encoder_", "decoder_", "clustering_"}),
        (VaDE, {"encoder_", "decoder_", "mixture_"}),
    ],
)
def test_training_moves_the_nets_that_the_method_says_and_no_other(kind, moved, images):
    model = fitted(kind, images, n_epochs=1)
    (update,) = model.updates()
    found = {name for name, net in model.nets().items() if any(net is one for one in update.nets)}
    assert found == moved


@pytest.mark.parametrize("kind", [AutoencoderKMeans, DEC, IDEC])
def test_the_epochs_picture_shows_ten_originals_above_what_they_become(kind, images):
    model = fitted(kind, images, n_epochs=1)
    with torch.no_grad():
        (_, original), (_, after) = model.epoch_picture(torch.from_numpy(images[:, None]))
    np.testing.assert_array_equal(original[:, 0], images[:10])
    np.testing.assert_allclose(after[:, 0], model.reconstruct(images[:10]), atol=1e-6)


@pytest.mark.parametrize("kind", [AutoencoderKMeans, *STARTED])
def test_labels_of_tensors_are_tensors(kind):
    X, _ = blobs()
    model = fitted(kind, X, n_epochs=1)
    labels = model.predict(torch.from_numpy(X))
    assert isinstance(labels, torch.Tensor)
    np.testing.assert_array_equal(labels, model.labels_)


@pytest.fixture
def mixture():
    """A mixture of three Gaussians in two dimensions, in float64."""
    draws = np.random.default_rng(5)
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    means = torch.tensor(2 * draws.normal(size=(3, 2)))
    variances = torch.tensor(draws.uniform(0.2, 2, size=(3, 2)))
    return GaussianMixture(weights, means, variances), weights, means, variances


def test_the_prior_is_torchs_mixture(mixture):
    module, weights, means, variances = mixture
    normal = Independent(Normal(means, variances.sqrt()), 1)
    expected = MixtureSameFamily(Categorical(weights), normal)
    z = torch.tensor(np.random.default_rng(6).normal(size=(50, 2)))
    torch.testing.assert_close(module.log_joint(z).logsumexp(1), expected.log_prob(z))
    by_class = torch.stack([normal.log_prob(point.expand(3, 2)) for point in z]) + weights.log()
    torch.testing.assert_close(module.log_joint(z), by_class)
    far = module.log_joint(torch.full((1, 2), 1e6, dtype=torch.float64)).softmax(1)
    assert torch.isfinite(far).all()


def test_the_divergence_is_that_of_code_and_cluster_together(mixture):
    """For given γ: E_q(z)γ(c) [log q(z) + log γ_c − log π_c − log p(z given c)], by quadrature."""
    module, weights, means, variances = mixture
    model = VaDE(n_components=2, n_clusters=3)
    model.mixture_ = module
    q = Normal(torch.tensor([[0.3, -0.5]]).double(), torch.tensor([[0.6, 0.4]]).double())
    z = torch.tensor([[0.1, 0.2]]).double()
    nodes, weight = np.polynomial.hermite_e.hermegauss(30)
    weight = weight / weight.sum()
    grid = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    shares = np.outer(weight, weight).ravel()
    code = q.loc.numpy() + q.scale.numpy() * grid
    log_q = stats.norm.logpdf(code, q.loc, q.scale).sum(1)
    log_pc = np.stack(
        [stats.norm.logpdf(code, m, v.sqrt()).sum(1) for m, v in zip(means, variances)], 1
    )
    at_z = [
        float(w) * stats.norm.pdf(z, m, v.sqrt()).prod()
        for w, m, v in zip(weights, means, variances)
    ]
    gamma = np.array(at_z) / sum(at_z)
    integrand = log_q + (gamma * (np.log(gamma) - np.log(weights.numpy()) - log_pc)).sum(1)
    assert float(model.divergence(q, z).detach()) == pytest.approx(shares @ integrand, rel=1e-9)


@pytest.fixture(scope="module")
def vade():
    """A VaDE of binary data with one latent dimension, and the data."""
    X = (np.random.default_rng(0).random((60, 6)) > 0.5).astype(np.float64)
    model = VaDE(n_components=1, n_clusters=2, hidden=(8,), n_epochs=80, pretrain_epochs=100)
    return model.set_params(learning_rate=0.02, batch_size=20, random_state=0).fit(X), X


def test_the_bound_lies_below_the_likelihood_by_quadrature(vade):
    model, X = vade
    grid = np.linspace(-8, 8, 4001)
    p = model.inverse_transform(grid[:, None]).clip(1e-12, 1 - 1e-12)
    log_joint = (X[:, None] * np.log(p) + (1 - X[:, None]) * np.log1p(-p)).sum(-1)
    densities = stats.norm.pdf(grid[:, None], model.cluster_centers_.T, np.sqrt(model.variances_.T))
    log_joint += np.log(np.maximum(densities @ model.weights_, 1e-300))
    exact = np.log(np.trapezoid(np.exp(log_joint), grid, axis=1)).mean()
    bounds = [model.score_samples(X, random_state=seed).mean() for seed in range(60)]
    standard_error = np.std(bounds) / np.sqrt(len(bounds))
    assert np.mean(bounds) <= exact + 3 * standard_error
    assert np.mean(bounds) >= exact - 1.0
    assert model.score(X, n_importance=2000) == pytest.approx(exact, abs=0.02)


def test_samples_come_from_the_mixture_or_one_of_its_gaussians(vade):
    model, _ = vade
    z = model.latent_draws(20_000, np.random.RandomState(0))
    mean = model.weights_ @ model.cluster_centers_
    second = model.weights_ @ (model.variances_ + model.cluster_centers_**2)
    assert z.mean() == pytest.approx(mean[0], abs=4 * z.std() / 140)
    assert z.var() == pytest.approx(second[0] - mean[0] ** 2, rel=0.05)
    whole = model.sample(2000, random_state=0).mean(0)
    parts = [model.sample(2000, random_state=0, cluster=c).mean(0) for c in range(2)]
    np.testing.assert_allclose(model.weights_ @ parts, whole, atol=0.05)
    with pytest.raises(InputError, match="cluster is 2; it must be at least 0 and at most 1"):
        model.sample(3, cluster=2)


def test_vade_starts_at_the_autoencoders_codes(tmp_path):
    X, _ = blobs()
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", n_epochs=30)
    start.set_params(random_state=0).fit(X)
    folder = str(start.save(tmp_path / "start"))
    model = fitted(VaDE, X, pretrained=folder, n_epochs=1, learning_rate=1e-9)
    np.testing.assert_allclose(model.transform(X), start.transform(X), atol=1e-4)
    scale = model.posterior(torch.from_numpy(X).float()).scale
    share = (scale.square() / torch.from_numpy(model.weights_ @ model.variances_)).detach()
    np.testing.assert_allclose(share, 0.05, rtol=1e-3)


def test_vade_starts_at_the_mixture_of_the_codes(tmp_path):
    X, _ = blobs()
    model = fitted(VaDE, X, n_epochs=1, learning_rate=1e-9, random_state=4)
    codes = model.transform(X.astype(np.float32))
    weights, means, variances = gaussian_mixture(codes, 3, 4)
    np.testing.assert_allclose(model.weights_, weights, rtol=1e-3)
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.variances_, variances, rtol=1e-2)


def overlapping(n=100):
    """Return images of five clusters, each spread in eight directions of its own."""
    draw, y = np.random.default_rng(0), np.repeat(np.arange(5), n)
    centres, spread = 2 * draw.normal(size=(5, 16)), draw.normal(size=(5, 8, 16))
    X = centres[y] + np.einsum("nw,nwd->nd", draw.normal(size=(5 * n, 8)), spread[y])
    X += 0.3 * draw.normal(size=X.shape)
    return (1 / (1 + np.exp(-X / 2))).reshape(-1, 4, 4).astype(np.float32)


SHARP = {"n_components": 3, "hidden": (32,), "n_clusters": 5, "batch_size": 50, "random_state": 0}


@pytest.fixture(scope="module")
def sharp(tmp_path_factory):
    """The folder of an IDEC of five clusters that lie close together in its codes."""
    model = IDEC(**SHARP, gamma=100.0, pretrain_epochs=40, n_epochs=5, update_interval=20)
    return str(model.fit(overlapping()).save(tmp_path_factory.mktemp("sharp") / "idec"))


def test_vade_starts_at_the_clusters_of_a_clustering(sharp):
    X, start = overlapping(), latentia.load(sharp)
    model = VaDE(**SHARP, pretrained=sharp, n_epochs=1, learning_rate=1e-12).fit(X)
    codes, labels = start.transform(X), start.predict(X)
    own = [codes[labels == c] for c in range(5)]
    weights = np.array([len(z) for z in own]) / len(X)
    np.testing.assert_allclose(model.weights_, weights, rtol=1e-5)
    np.testing.assert_allclose(model.cluster_centers_, [z.mean(0) for z in own], rtol=1e-4)
    within = sum(w * z.var(0) for w, z in zip(weights, own, strict=True))
    expected = np.tile(within + 1e-3 * codes.var(0).mean(), (5, 1))
    np.testing.assert_allclose(model.variances_, expected, rtol=1e-3)


def test_vade_keeps_the_clusters_that_it_starts_from(sharp, monkeypatch):
    X, labels = overlapping(), latentia.load(sharp).predict(overlapping())
    kept = {}
    for held in (5, 0):
        monkeypatch.setattr(vade_page, "HELD_EPOCHS", held)
        model = VaDE(**SHARP, pretrained=sharp, n_epochs=5, learning_rate=3e-2).fit(X)
        kept[held] = cluster_accuracy(labels, model.predict(X))
    assert kept[5] > 0.88 > 0.78 > kept[0]


def test_vades_first_epochs_hold_the_starts_clusters_in_the_bound(sharp, monkeypatch):
    """−ELBO for γ of one cluster is E[−log p(x given z)] + KL(q ‖ N_c) − log π_c."""
    X, start = overlapping()[::25], latentia.load(sharp)
    model = VaDE(**SHARP, pretrained=sharp, n_epochs=1).fit(X)
    model._start, model.n_epochs_ = start, 20
    x = torch.from_numpy(X[:, None])
    for step, n_steps, held in [(0, 80, True), (19, 80, True), (20, 80, False)]:
        model._hold(step, n_steps)
        assert model._holds is held
    model._hold(0, 80)
    labels = torch.from_numpy(start.predict(X))
    model.encoder_.train()
    with torch.no_grad():
        found, q = model.loss(x), model.posterior(x)
    mixture = model.mixture_
    cluster = Normal(mixture.means[labels], mixture.bounded_log_variances()[labels].exp().sqrt())
    kl = torch.distributions.kl_divergence(q, cluster).sum(1) - mixture.log_weights()[labels]
    assert float(found.terms["kl"]) == pytest.approx(float(kl.mean().detach()), rel=1e-4)
    model.encoder_.eval()
    draws.seed(0)
    with torch.no_grad():
        held_out = model.loss(x)
    model._holds = False
    model.encoder_.train()
    draws.seed(0)
    with torch.no_grad():
        free = model.loss(x)
    assert float(held_out.total) == pytest.approx(float(free.total), rel=1e-6)
    assert float(free.total) != pytest.approx(float(found.total), rel=1e-6)


def test_vade_scores_itself_between_the_epochs_that_hold_clusters(sharp):
    X, scores = overlapping()[:120], []

    def watched(end):
        scores.append(end.model.score(X[:30]))

    model = VaDE(**SHARP, pretrained=sharp, n_epochs=2).fit(X, callbacks=[watched])
    assert len(scores) == 2
    assert scores[1] == pytest.approx(model.score(X[:30]), rel=1e-5)


@pytest.mark.parametrize("stop", [7, 16])
def test_a_stop_while_clusters_are_held_or_later_changes_nothing(stop, sharp, tmp_path):
    fields = SHARP | {"pretrained": sharp, "n_epochs": 10}
    resumes_as_if_not_stopped(VaDE, fields, overlapping()[::5], "_hold", stop, tmp_path / "run")


def test_a_start_with_empty_clusters_gives_vade_none(sharp, tmp_path):
    X = overlapping()
    start = latentia.load(sharp)
    with torch.no_grad():
        start.clustering_.centers[0] = 1e3
    assert len(set(start.predict(X))) == 4
    folder = str(start.save(tmp_path / "start"))
    model = VaDE(**SHARP, pretrained=folder, n_epochs=1, learning_rate=1e-12).fit(X)
    weights, means, variances = gaussian_mixture(start.transform(X), 5, 0)
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.variances_, np.tile(weights @ variances, (5, 1)), rtol=1e-2)


def test_vades_posterior_starts_as_a_twentieth_of_the_clusters_mean_variance():
    """Of Σ_c π_c σ_c², where large clusters count for more."""
    draw = np.random.default_rng(0)
    X = np.concatenate([draw.normal(0, 0.2, (60, 3)), draw.normal(9, 2.0, (12, 3))])
    model = VaDE(n_components=2, n_clusters=2, hidden=(8,), pretrain_epochs=2, n_epochs=1)
    model.set_params(learning_rate=1e-12, random_state=0).fit(X)
    weights, variances = model.weights_, model.variances_
    assert np.ptp(weights) > 0.1
    with torch.no_grad():
        scale = model.posterior(torch.from_numpy(X).float()).scale
    expected = np.broadcast_to(0.05 * (weights @ variances), scale.shape)
    np.testing.assert_allclose(scale.square(), expected, rtol=1e-4)


def test_vades_probabilities_are_the_posterior_of_the_cluster_at_the_mean():
    X, _ = blobs()
    model = fitted(VaDE, X, n_clusters=5, n_epochs=3)
    codes = model.transform(X)
    joint = np.stack(
        [
            w * stats.norm.pdf(codes, m, np.sqrt(v)).prod(1)
            for w, m, v in zip(model.weights_, model.cluster_centers_, model.variances_)
        ],
        axis=1,
    )
    expected = joint / joint.sum(1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-4)


def planned(model):
    model.n_epochs_ = model.n_epochs
    return model


def test_vades_step_falls_by_a_tenth_every_ten_epochs_beside_its_schedule():
    for schedule in ("constant", "linear"):
        model = planned(VaDE(n_epochs=30, learning_rate_schedule=schedule))
        for done, factor in ((0.0, 1.0), (0.3, 1.0), (0.34, 0.9), (0.68, 0.81), (0.99, 0.81)):
            expected = factor * (1 - done if schedule == "linear" else 1)
            assert model.rate_factor(done) == pytest.approx(expected)


def test_without_a_decay_vades_constant_step_is_constant():
    model = planned(VaDE(n_epochs=300, decay=0.0))
    assert {model.rate_factor(done) for done in (0.0, 0.34, 0.99)} == {1.0}
    assert planned(VaDE(n_epochs=30, decay=0.5)).rate_factor(0.99) == 0.25


def test_vades_loss_is_minus_its_score_and_names_its_terms(vade):
    model, X = vade
    (update,) = model.updates()
    with torch.no_grad():
        losses = []
        for seed in range(40):
            draws.seed(seed)
            losses.append(update.loss(torch.from_numpy(X).float()))
    totals = [float(loss.total) for loss in losses]
    scores = [model.score_samples(X, random_state=seed).mean() for seed in range(40)]
    error = np.hypot(np.std(totals), np.std(scores)) / np.sqrt(40)
    assert -np.mean(totals) == pytest.approx(np.mean(scores), abs=4 * error)
    for loss in losses:
        assert set(loss.terms) == {"reconstruction", "kl"}
        assert float(sum(loss.terms.values())) == pytest.approx(float(loss.total), rel=1e-5)


def test_vades_preview_has_a_row_of_eight_for_each_cluster(images):
    model = fitted(VaDE, images, n_epochs=1, pretrain_epochs=1)
    with torch.no_grad():
        model.mixture_.log_variances.fill_(-1e9)
        model.mixture_.means.copy_(torch.tensor([[-9.0, 0.0], [0.0, 9.0], [9.0, 9.0]]))
        ((_, shown),) = model.epoch_picture(torch.from_numpy(images[:, None]))
    expected = model.inverse_transform(model.cluster_centers_).repeat(8, axis=0)
    np.testing.assert_allclose(shown[:, 0], expected, atol=0.02)


def test_the_mixtures_variances_stay_where_they_are_usable(mixture):
    module, *_ = mixture
    with torch.no_grad():
        module.log_variances.copy_(torch.tensor([[-50.0, 50.0], [0.0, 1.0], [-12.0, 12.0]]))
    expected = torch.tensor([[-12.0, 12.0], [0.0, 1.0], [-12.0, 12.0]])
    assert torch.equal(module.bounded_log_variances(), expected.double())


def test_vade_keeps_the_noise_variance_of_a_gaussian_that_is_learned_or_given():
    X, _ = blobs()
    given = fitted(VaDE, X, n_epochs=1, pretrain_epochs=1, noise_variance=0.3)
    assert given.noise_variance_ == pytest.approx(0.3)
    learned = fitted(VaDE, X, n_epochs=3, pretrain_epochs=3, noise_variance=None)
    assert learned.noise_variance_ == pytest.approx(float(learned.noise_().detach()))
    assert learned.noise_variance_ != pytest.approx(0.1, rel=1e-3)


def test_a_table_of_gaussians_is_measured_in_its_own_units():
    X, _ = blobs()
    small, large = (fitted(VaDE, X * c, n_epochs=2) for c in (1.0, 8.0))
    np.testing.assert_allclose(small.transform(X), large.transform(8 * X), atol=1e-3)
    # The draws are a function of the rows' bytes, so that the two bounds differ by their noise.
    difference = small.score(X) - large.score(8 * X)
    assert difference == pytest.approx(6 * np.log(8.0), abs=0.1)


@pytest.mark.parametrize("kind", STARTED)
def test_pretraining_is_a_run_of_its_own_and_is_not_repeated(kind, tmp_path, monkeypatch):
    X, _ = blobs()
    whole = fitted(kind, X, n_epochs=2, pretrain_epochs=3)
    model = kind(**NETS, n_epochs=2, batch_size=32, random_state=0, pretrain_epochs=3)
    with monkeypatch.context() as patch:
        patch.setattr(kind, "find_clusters", lambda self, codes, array: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.fit(X, run=tmp_path / "run")
    assert (tmp_path / "run" / "pretraining" / "metrics.jsonl").exists()
    monkeypatch.setattr(Autoencoder, "fit", lambda self, X: 1 / 0)
    model.fit(X, run=tmp_path / "run", resume=True)
    np.testing.assert_array_equal(model.transform(X), whole.transform(X))
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.labels_, model.labels_)
    np.testing.assert_array_equal(loaded.cluster_centers_, model.cluster_centers_)


@pytest.mark.parametrize("kind", [AutoencoderKMeans, *STARTED])
def test_more_clusters_than_samples_are_refused(kind):
    with pytest.raises(InputError, match=r"n_clusters is 10 and X has n_samples = 8"):
        kind(hidden=(4,), n_epochs=1).fit(np.eye(8))


@pytest.mark.parametrize(
    ("start", "X", "words"),
    [
        (PCA(n_components=2), blobs()[0], "holds a PCA; pretrained must name an autoencoder"),
        (Autoencoder(n_components=2, hidden=(9,), n_epochs=1), blobs()[0], r"hidden=\(9,\).*there"),
        (Autoencoder(n_components=3, hidden=(16,), n_epochs=1), blobs()[0], "n_components=3"),
        (
            Autoencoder(n_components=2, hidden=(16,), activation="tanh", n_epochs=1),
            blobs()[0],
            "activation='tanh'.* there",
        ),
        (Autoencoder(n_components=2, hidden=(16,), tied=True, n_epochs=1), blobs()[0], "tied=True"),
        (VAE(n_components=2, hidden=(16,), n_epochs=1), blobs()[0], r"VAE\(.*\) there"),
        (Autoencoder(n_components=2, hidden=(16,), n_epochs=1), blobs(d=5)[0], r"shape \(5,\)"),
        (
            Autoencoder(n_components=2, hidden=(16,), n_epochs=1),
            blobs()[0] / 100 + 0.5,
            "in \\[0, 1\\]; X lies outside it",
        ),
    ],
)
@pytest.mark.parametrize("kind", STARTED)
def test_a_start_that_does_not_fit_is_refused(kind, start, X, words, tmp_path):
    folder = str(start.fit(X).save(tmp_path / "start"))
    with pytest.raises(InputError, match=words) as raised:
        kind(**NETS, pretrained=folder, activation="auto").fit(blobs()[0])
    assert "\n" not in str(raised.value)


def test_a_start_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no run and no saved model"):
        DEC(pretrained=str(tmp_path)).fit(blobs()[0])


def test_a_start_that_takes_classes_is_refused(tmp_path):
    X, y = blobs()
    start = ConditionalVAE(n_components=2, hidden=(16,), n_epochs=1).fit(X, y)
    with pytest.raises(InputError, match="holds a ConditionalVAE; pretrained must name"):
        DEC(**NETS, pretrained=str(start.save(tmp_path / "start"))).fit(X)


@pytest.mark.parametrize("cluster", [3, -1, 1.5, "one", True])
def test_a_cluster_that_is_not_there_is_named(cluster, vade):
    with pytest.raises(InputError, match=f"cluster is {cluster!r}; it must be"):
        vade[0].sample(2, cluster=cluster)


def test_samples_that_do_not_differ_leave_clusters_empty():
    with pytest.warns(FitWarning, match="n_clusters is 3 and the codes take only 1 different"):
        model = fitted(AutoencoderKMeans, np.ones((20, 4)), n_epochs=1)
    assert set(model.labels_) == {0}


def test_a_mixture_of_one_sample_is_refused():
    with pytest.raises(InputError, match="n_samples = 1; a mixture of Gaussians needs at least 2"):
        fitted(VaDE, np.ones((1, 4)), n_clusters=1, n_epochs=1, pretrain_epochs=1)


def test_bad_values_are_named():
    for kind, values, words in [
        (DEC, {"n_clusters": 0}, "n_clusters is 0"),
        (DEC, {"update_interval": 0}, "update_interval is 0"),
        (DEC, {"degrees_of_freedom": 0.0}, "degrees_of_freedom is 0"),
        (IDEC, {"gamma": -1.0}, "gamma is -1"),
        (DEC, {"tolerance": 1.5}, "tolerance is 1.5"),
        (DEC, {"distortion": -1.0}, "distortion is -1"),
        (IDEC, {"distortion": 1.0}, "distortion is 1, which turns and moves images"),
        (VaDE, {"pretrain_epochs": 0}, "pretrain_epochs is 0"),
        (VaDE, {"observation": "rmse"}, "VaDE bounds a likelihood"),
    ]:
        with pytest.raises(InputError, match=words):
            kind(**values).fit(blobs()[0])


def test_evaluate_reports_agreement_with_the_classes():
    data = latentia.load_data("digits")
    model = AutoencoderKMeans(n_epochs=8, hidden=(64,), batch_size=32, random_state=0)
    found = evaluate(model.fit(data.x_train), data)
    expected = cluster_agreement(data.y_test, model.predict(data.x_test))
    assert {key: found[key] for key in expected} == expected
    assert found["cluster_accuracy"] > 0.4
