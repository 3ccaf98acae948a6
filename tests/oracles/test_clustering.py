"""Deep clustering against the papers' equations in loops, closed-form gradients and brute force."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.base import is_clusterer
from sklearn.metrics import adjusted_rand_score
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
from latentia.models.clustering.base import gaussian_mixture
from latentia.models.clustering.dec import StudentClusters, divergence, target_distribution
from latentia.models.clustering.vade import GaussianMixture

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


def test_nmi_is_twice_the_information_over_both_entropies():
    y, c = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 1])
    joint = np.histogram2d(y, c, bins=(3, 2))[0] / 6
    information = stats.entropy(joint.ravel(), np.outer(joint.sum(1), joint.sum(0)).ravel())
    both = stats.entropy(joint.sum(1)) + stats.entropy(joint.sum(0))
    assert cluster_agreement(y, c)["nmi"] == pytest.approx(2 * information / both)


def fitted(kind, X, **changed):
    more = {} if kind is AutoencoderKMeans else {"pretrain_epochs": 30}
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
    model.find_clusters(codes)
    np.testing.assert_allclose(model._centers, means, rtol=1e-6)
    model.set_params(first_centers="k_means").find_clusters(codes)
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
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", n_epochs=30).fit(X)
    folder = str(start.save(tmp_path / "start"))
    model = fitted(DEC, X, pretrained=folder, n_epochs=1, learning_rate=1e-9)
    moved = fitted(DEC, X, pretrained=folder, n_epochs=30)
    np.testing.assert_allclose(model.transform(X), start.transform(X), atol=1e-4)
    for a, b in zip(moved.decoder_.parameters(), start.decoder_.parameters()):
        assert torch.equal(a, b)
    assert np.mean(moved.predict_proba(X).max(1)) > np.mean(model.predict_proba(X).max(1))


def test_idec_keeps_reconstructing_what_dec_forgets(tmp_path):
    X, _ = blobs()
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", n_epochs=30).fit(X)
    folder = str(start.save(tmp_path / "start"))
    dec, idec = (
        fitted(kind, X, pretrained=folder, n_epochs=40, learning_rate=1e-2) for kind in (DEC, IDEC)
    )
    assert idec.score(X) >= start.score(X)
    assert idec.score(X) > dec.score(X)


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
    start = Autoencoder(n_components=2, hidden=(16,), activation="relu", n_epochs=30).fit(X)
    folder = str(start.save(tmp_path / "start"))
    model = fitted(VaDE, X, pretrained=folder, n_epochs=1, learning_rate=1e-9)
    np.testing.assert_allclose(model.transform(X), start.transform(X), atol=1e-4)
    scale = model.posterior(torch.from_numpy(X).float()).scale
    share = (scale.square() / torch.from_numpy(model.weights_ @ model.variances_)).detach()
    np.testing.assert_allclose(share, 0.05, rtol=1e-3)


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
        patch.setattr(kind, "find_clusters", lambda self, codes: 1 / 0)
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
