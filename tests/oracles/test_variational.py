"""Bounds against exact likelihoods, torch.distributions, quadrature and finite differences."""

import copy

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import decomposition, mixture
from torch.distributions import Independent, Normal, kl_divergence

import latentia
from latentia.errors import FitWarning, InputError
from latentia.metrics.importance import pareto_shape
from latentia.models.autoencoders.code_mixture import draw_codes, fit_mixture
from latentia.models.autoencoders.conditional_vae import ConditionalVAE
from latentia.models.autoencoders.importance import log_mean_weight
from latentia.models.autoencoders.linear_vae import LinearVAE
from latentia.models.autoencoders.vae import VAE, kl_per_component
from latentia.models.clustering.vade import VaDE
from latentia.training import draws


def normal(seed=0, shape=(5, 3)):
    generator = torch.Generator().manual_seed(seed)
    loc = torch.randn(shape, generator=generator, dtype=torch.float64)
    return Normal(loc, loc.flip(0).exp())


@pytest.fixture(scope="module")
def plane():
    """(500, 6) Gaussian data near a plane, of unequal scales and a mean."""
    draw = np.random.default_rng(0)
    W = draw.normal(size=(6, 2)) * [3.0, 1.5]
    return draw.normal(size=(500, 2)) @ W.T + draw.normal(size=(500, 6)) * 0.7 + 10


@pytest.fixture(scope="module")
def linear(plane):
    return LinearVAE(
        n_components=2,
        n_epochs=400,
        batch_size=100,
        learning_rate_schedule="linear",
        random_state=0,
    ).fit(plane)


@pytest.fixture(scope="module")
def bits():
    return (np.random.default_rng(0).random((60, 12)) > 0.6).astype(np.float64)


@pytest.fixture(scope="module")
def vae(bits):
    return VAE(n_components=3, hidden=(16,), n_epochs=80, batch_size=20, random_state=0).fit(bits)


def in_double(model):
    twin = copy.copy(model)
    for name, net in model.nets().items():
        setattr(twin, name, copy.deepcopy(net).double().train())
    return twin


def test_kl_against_torch_distributions():
    q = normal()
    expected = kl_divergence(q, Normal(torch.zeros(5, 3), torch.ones(5, 3)))
    torch.testing.assert_close(kl_per_component(q), expected)


def test_log_weights_against_torch_distributions(vae, bits):
    model, x = in_double(vae), torch.from_numpy(bits[:4])
    noise = torch.randn(4, 7, 3, dtype=torch.float64)
    with torch.no_grad():
        q = model.posterior(x)
        log_w = model.log_weights(x, q, noise)
        for i in range(4):
            z = q.loc[i] + q.scale[i] * noise[i]
            logits = model.decoder_(z)
            expected = torch.distributions.Bernoulli(logits=logits).log_prob(x[i]).sum(1)
            expected += Normal(0.0, 1.0).log_prob(z).sum(1)
            expected -= Independent(Normal(q.loc[i], q.scale[i]), 1).log_prob(z)
            torch.testing.assert_close(log_w[i], expected)


def test_blocks_of_draws_give_the_log_of_the_mean_weight(vae, bits, monkeypatch):
    monkeypatch.setattr("latentia.models.autoencoders.importance.ROWS", 64)
    x = torch.from_numpy(bits[:5]).float()
    taken = []
    plain = type(vae).log_weights

    def kept(self, *arguments):
        taken.append(plain(self, *arguments).double())
        return taken[-1]

    monkeypatch.setattr(type(vae), "log_weights", kept)
    with torch.no_grad():
        found = log_mean_weight(vae, x, 100)
    log_w = torch.cat(taken, 1)
    assert log_w.shape == (5, 100)
    assert len(taken) > 5
    expected = log_w.logsumexp(1) - np.log(100)
    np.testing.assert_allclose(found.bounds, expected)
    w = (log_w - expected[:, None]).exp()
    np.testing.assert_allclose(found.standard_errors, w.std(1) / 10)
    np.testing.assert_allclose(found.effective_sample_sizes, 100**2 / w.square().sum(1))
    np.testing.assert_allclose(found.pareto_k, pareto_shape(log_w.topk(21).values.numpy()))


def test_the_standard_error_is_the_spread_of_repeated_estimates(vae, bits):
    X = bits[:20]
    runs = [vae.score_samples(X, n_importance=200, random_state=i) for i in range(60)]
    _, error = vae.score_samples(X, n_importance=200, return_std=True)
    ratio = np.std(runs, axis=0) / error
    assert 0.8 < np.median(ratio) < 1.25


def test_linear_vae_bounds_are_ordered_and_reach_the_exact_likelihood(linear, plane):
    X, exact = plane[:200], linear.exact_score_samples(plane[:200]).mean()
    draws_of = {k: linear.score_samples(X, n_importance=k, return_std=True) for k in (2, 20, 500)}
    elbo = np.mean([linear.score_samples(X, random_state=i) for i in range(100)])
    means = [elbo] + [values.mean() for values, _ in draws_of.values()]
    noise = [np.sqrt(np.square(error).sum()) / len(X) for _, error in draws_of.values()]
    assert np.all(np.diff(means) > -3 * max(noise))
    assert means[-1] <= exact + 3 * noise[-1]
    assert means[-1] == pytest.approx(exact, abs=3 * noise[-1] + 1e-3)
    assert elbo == pytest.approx(exact, abs=0.06)


def test_a_worse_posterior_opens_the_gap_that_importance_weights_close(linear, plane):
    """Halve the posterior's width: the ELBO falls by a known KL, L_k does not stay there."""
    worse = copy.deepcopy(linear)
    with torch.no_grad():
        worse.encoder_.log_variance -= 2 * np.log(2.0)
    X = plane[:200]
    exact = worse.exact_score_samples(X).mean()
    elbo, some, many = (worse.score_samples(X, n_importance=k).mean() for k in (1, 10, 1000))
    gap = 2 * 0.5 * (0.25 - 1 - np.log(0.25))
    assert exact - elbo == pytest.approx(gap, abs=0.15)
    assert elbo < some < many <= exact + 0.02
    assert exact - many < 0.25 * gap


def test_linear_vae_exact_likelihood_against_scipy_and_probabilistic_pca(linear, plane):
    W = linear.decoder_[0].weight.detach().double().numpy() * linear.scale_
    covariance = W @ W.T + linear.noise_variance_ * np.eye(6)
    expected = stats.multivariate_normal(linear.mean_.astype(float), covariance).logpdf(plane)
    np.testing.assert_allclose(linear.exact_score_samples(plane), expected, rtol=1e-9)
    # scikit-learn's PCA scores by the maximum-likelihood probabilistic PCA.
    best = decomposition.PCA(2).fit(plane).score(plane)
    assert best - 0.05 < expected.mean() <= best + 1e-6


@pytest.mark.parametrize("observation", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("n_importance", [1, 4])
def test_gradients_by_finite_differences(observation, n_importance, bits):
    fitted = VAE(
        n_components=2,
        hidden=(5,),
        activation="tanh",
        observation=observation,
        noise_variance=None if observation == "gaussian" else VAE().noise_variance,
        n_importance=n_importance,
        n_epochs=1,
        random_state=0,
    ).fit(bits)
    model, x = in_double(fitted), torch.from_numpy(bits[:6])
    (update,) = model.updates()

    def loss():
        draws.seed(0)
        return update.loss(x).total

    parameters = list(update.parameters())
    gradients = torch.autograd.grad(loss(), parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        flat = parameter.data.view(-1)
        for place in (0, len(flat) // 2, len(flat) - 1):
            kept, step = float(flat[place]), 1e-6
            flat[place] = kept + step
            higher = float(loss().detach())
            flat[place] = kept - step
            lower = float(loss().detach())
            flat[place] = kept
            slope = (higher - lower) / (2 * step)
            assert float(gradient.view(-1)[place]) == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_one_importance_sample_is_the_elbo(vae, bits):
    """The objective with one draw has the ELBO as its mean, its KL by that draw."""
    x = torch.from_numpy(bits).float()
    single = copy.copy(vae).set_params(n_importance=1)
    with torch.no_grad():
        bounds = []
        for repeat in range(400):
            torch.manual_seed(repeat)
            losses = (single.bound_loss(x), single.importance_loss(x))
            bounds.append([float(loss.total) for loss in losses])
    closed, drawn = np.array(bounds).T
    error = np.std(drawn - closed) / np.sqrt(len(bounds))
    assert np.mean(drawn) == pytest.approx(np.mean(closed), abs=4 * error)
    assert np.std(closed - drawn) > 0


def test_score_is_the_mean_of_score_samples_and_of_the_terms(vae, bits):
    assert vae.score(bits) == pytest.approx(vae.score_samples(bits).mean())
    assert vae.score(bits) == pytest.approx(-vae.bound_terms(bits)["negative_elbo"])
    bounds = vae.score_samples(bits, n_importance=50)
    assert vae.score(bits, n_importance=50) == pytest.approx(bounds.mean())
    np.testing.assert_array_equal(
        vae.score_samples(bits, n_importance=5), vae.score_samples(bits, n_importance=5)
    )
    with pytest.raises(
        InputError, match="n_importance is 1; a standard error takes at least 2 draws"
    ):
        vae.score_samples(bits, return_std=True)


@pytest.mark.parametrize("observation", ["mse", "rmse"])
def test_the_weighted_error_pulls_as_the_gaussian_of_its_effective_beta(observation, images):
    model = VAE(
        n_components=2,
        hidden=(8,),
        observation=observation,
        reconstruction_weight=50.0,
        beta=2.0,
        n_epochs=1,
        random_state=0,
    ).fit(images)
    x, output = torch.from_numpy(images[:1, None]).double(), torch.zeros(1, 1, 8, 8).double()
    output.requires_grad_()
    pulled = torch.autograd.grad(model.likelihood.objective(x, output).sum(), output)[0]
    draws.seed(0)
    loss = model.bound_loss(x.float())
    with torch.no_grad():
        objective = model.likelihood.objective(x, output)
    v = model.likelihood.equivalent_variance(objective, 64)
    unit = torch.autograd.grad(0.5 * (x - output.sigmoid()).square().sum(), output)[0]
    torch.testing.assert_close(pulled, unit / v, rtol=1e-6, atol=1e-9)
    reconstruction = loss.terms["reconstruction"].detach()
    expected = 2.0 * (64 / 100 if observation == "mse" else 64 * reconstruction / 50.0**2)
    assert float(loss.terms["effective_beta"]) == pytest.approx(float(expected), rel=1e-5)
    assert np.isfinite(model.score(images, n_importance=5))


def test_effective_beta_is_recorded_in_the_run(images, tmp_path):
    VAE(n_components=2, hidden=(8,), observation="mse", n_epochs=1, random_state=0).fit(
        images, run=tmp_path / "run"
    )
    text = (tmp_path / "run/metrics.jsonl").read_text()
    assert '"mse_plus_kl/effective_beta": 0.032' in text


def test_free_bits_count_each_component_at_least_so_much(images):
    model = VAE(n_components=3, hidden=(8,), free_bits=0.5, n_epochs=1, random_state=0).fit(images)
    kl = torch.tensor([[0.1, 0.9, 2.0], [0.3, 1.1, 4.0]], requires_grad=True)
    counted = model._with_free_bits(kl)
    assert float(counted.detach()) == pytest.approx(0.5 + 1.0 + 3.0)
    assert torch.autograd.grad(counted, kl)[0][:, 0].abs().sum() == 0


def test_beta_rises_over_the_warmup_and_is_whole_when_held_out(images):
    model = VAE(n_components=2, hidden=(8,), beta=4.0, beta_warmup_epochs=2, n_epochs=4)
    model.set_params(random_state=0).fit(images)
    (update,) = model.updates()
    x = torch.from_numpy(images[:, None])
    found = []
    for step in (0, 10, 20, 30):
        update.before(step, 40)
        model.encoder_.train()
        found.append(float(model.bound_loss(x).terms["effective_beta"]))
    assert found == [0.0, 2.0, 4.0, 4.0]
    update.before(0, 40)
    model.encoder_.eval()
    assert float(model.bound_loss(x).terms["effective_beta"]) == 4.0


@pytest.mark.parametrize(("step", "beta"), [(0, 0.0), (10, 2.0), (30, 4.0)])
def test_the_warmup_weighs_what_the_free_bits_count(step, beta, images):
    """β(t) Σ_j max(λ, KL_j), and β Σ_j max(λ, KL_j) when held out."""
    model = VAE(n_components=3, hidden=(8,), beta=4.0, beta_warmup_epochs=2, free_bits=0.4)
    model.set_params(n_epochs=4, random_state=0).fit(images)
    x = torch.from_numpy(images[:16, None])
    (update,) = model.updates()
    update.before(step, 40)
    with torch.no_grad():
        model.encoder_[-1][-1].weight[0].mul_(8)
        model.encoder_[-1][-1].weight[3:].mul_(0.1)
        kl = kl_divergence(model.posterior(x), Normal(torch.zeros(3), torch.ones(3))).mean(0)
        counted = float(kl.clamp(min=0.4).sum())
        assert counted > float(kl.sum())
        for training, weight in ((True, beta), (False, 4.0)):
            model.encoder_.train(training)
            loss = update.loss(x)
            penalty = float(loss.total - loss.terms["reconstruction"])
            assert penalty == pytest.approx(weight * counted, abs=1e-4)


def test_the_effective_beta_of_an_error_rises_with_the_warmup(images):
    model = VAE(n_components=2, hidden=(8,), observation="mse", beta_warmup_epochs=2, n_epochs=4)
    model.set_params(random_state=0).fit(images)
    x = torch.from_numpy(images[:16, None])
    (update,) = model.updates()
    found = []
    for step in (0, 5, 20, 30):
        update.before(step, 40)
        model.encoder_.train()
        found.append(float(update.loss(x).terms["effective_beta"]))
    whole = x[0].numel() / (2 * model.reconstruction_weight)
    assert found == pytest.approx([0, whole / 4, whole, whole])


def test_a_learned_variance_is_that_of_the_residuals(plane):
    model = VAE(
        n_components=2,
        hidden=(32,),
        noise_variance=None,
        n_epochs=40,
        learning_rate=1e-2,
        learning_rate_schedule="cosine",
        random_state=0,
    ).fit(plane)
    x = torch.from_numpy(plane).float()
    u = model.standardisation_(x)
    with torch.no_grad():
        residuals = []
        for repeat in range(20):
            torch.manual_seed(repeat)
            q = model.posterior(x)
            residuals.append((u - model.decoder_(q.rsample())).square().mean())
    assert model.noise_variance_ == pytest.approx(float(np.mean(residuals)), rel=0.05)


def test_a_variance_that_is_given_after_one_was_learned_is_used(plane):
    model = VAE(n_components=2, hidden=(4,), noise_variance=None, n_epochs=1, random_state=0)
    learned = model.fit(plane).noise_variance_
    given = model.set_params(noise_variance=0.5).fit(plane)
    assert given.noise_variance_ == 0.5 != learned
    anew = VAE(n_components=2, hidden=(4,), noise_variance=0.5, n_epochs=1, random_state=0)
    assert given.score(plane) == anew.fit(plane).score(plane)


def test_binary_data_start_at_their_mean(images):
    model = VAE(n_components=2, hidden=(4,), n_epochs=1, learning_rate=1e-9, random_state=0)
    model.set_params(observation="bernoulli").fit(images)
    bias = model.decoder_[0][-1].bias.detach().sigmoid().numpy()
    np.testing.assert_allclose(bias, images.mean(0).ravel(), atol=1e-6)


def test_dynamic_binarisation_draws_bits_anew_and_scores_repeatably(images):
    model = VAE(n_components=2, hidden=(8,), binarize=True, n_epochs=1, random_state=0).fit(images)
    x = torch.from_numpy(images[:, None])
    first, second = model.likelihood.draw(x), model.likelihood.draw(x)
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    many = torch.stack([model.likelihood.draw(x) for _ in range(600)]).mean(0)
    torch.testing.assert_close(many, x, atol=0.12, rtol=0)
    assert model.score(images) == model.score(images)
    with pytest.raises(InputError, match="binarize needs observation='bernoulli'"):
        VAE(binarize=True, observation="gaussian").fit(images)


@pytest.mark.parametrize(
    "model",
    [
        VAE(binarize=True),
        VAE(binarize=True, n_importance=3),
        ConditionalVAE(binarize=True),
        VaDE(binarize=True, n_clusters=2, pretrain_epochs=1),
    ],
)
def test_the_loss_of_drawn_bits_sees_bits_alone(model, images):
    model.set_params(n_components=2, hidden=(8,), n_epochs=1, random_state=0)
    classes = np.arange(len(images)) % 2
    model.fit(images, classes)
    seen = []
    model.encoder_.register_forward_hook(lambda _, given, made: seen.append(given[0]))
    batch = [torch.from_numpy(images[:, None])]
    if model.takes_labels:
        batch.append(torch.from_numpy(classes))
    (update,) = model.updates()
    draws.seed(0)
    update.loss(*batch)
    draws.seed(0)
    expected = draws.uniform_like(batch[0]) < batch[0]
    bits = seen[0].flatten(1)[:, : images[0].size]
    torch.testing.assert_close(bits, expected.flatten(1).float())


def test_active_units_counts_what_the_posterior_uses(images):
    two = np.random.default_rng(0).random((300, 2))
    X = np.repeat(two, 8, axis=1).reshape(300, 4, 4).astype(np.float32)
    model = VAE(
        n_components=6, hidden=(32,), observation="gaussian", noise_variance=0.1, n_epochs=120
    )
    model.set_params(random_state=0, batch_size=32, learning_rate=3e-3).fit(X)
    assert model.active_units(X) == 2
    collapsed = VAE(n_components=3, hidden=(8,), beta=1000.0, n_epochs=30, random_state=0)
    assert collapsed.fit(images).active_units(images) == 0


def test_a_units_activity_is_the_variance_over_the_rows_given(images):
    """Divided by n, not n − 1: of three rows the two differ by half."""
    model = VAE(n_components=3, hidden=(8,), n_epochs=1, random_state=0).fit(images)
    X = images[:3]
    activity = np.sort(np.var(model.transform(X).astype(np.float64), axis=0))
    for n_active, variance in enumerate(activity[::-1], start=1):
        assert model.active_units(X, threshold=variance * 0.99) == n_active
        assert model.active_units(X, threshold=variance * 1.01) == n_active - 1


def test_the_loss_is_weighted_as_its_fields_say(images):
    """β Σ_j max(λ, KL_j) beside the reconstruction, term by term."""
    model = VAE(n_components=3, hidden=(8,), beta=3.0, free_bits=0.4, n_epochs=1, random_state=0)
    model.set_params(observation="bernoulli").fit(images)
    x = torch.from_numpy(images[:16, None])
    (update,) = model.updates()
    with torch.no_grad():
        model.encoder_[-1][-1].weight[0].mul_(8)
        model.encoder_[-1][-1].weight[3:].mul_(0.1)
        draws.seed(0)
        loss = update.loss(x)
        draws.seed(0)
        q = model.posterior(x)
        output = model.decoder_(q.loc + q.scale * draws.normal_like(q.loc))
        standard = Normal(torch.zeros(3), torch.ones(3))
        kl = kl_divergence(q, standard).mean(0)
        log_p = torch.distributions.Bernoulli(logits=output, validate_args=False).log_prob(x)
    reconstruction = -float(log_p.flatten(1).sum(1).mean())
    assert (kl < 0.4).any()
    assert (kl > 0.4).any()
    assert update.name == "beta_negative_elbo"
    assert float(loss.terms["reconstruction"]) == pytest.approx(reconstruction, rel=1e-5)
    assert float(loss.terms["kl"]) == pytest.approx(float(kl.sum()), rel=1e-5)
    assert loss.terms["effective_beta"] == 3.0
    expected = reconstruction + 3.0 * float(kl.clamp(min=0.4).sum())
    assert float(loss.total) == pytest.approx(expected, rel=1e-5)


def test_the_importance_weighted_loss_is_the_log_of_a_mean(vae, bits):
    model = copy.copy(vae).set_params(n_importance=4)
    x = torch.from_numpy(bits[:9]).float()
    (update,) = model.updates()
    assert update.name == "negative_iwae_4"
    with torch.no_grad():
        draws.seed(1)
        loss = update.loss(x)
        draws.seed(1)
        q = model.posterior(x)
        w = model.log_weights(x, q, draws.normal(9, (4, 3))).exp()
    assert float(loss.total) == pytest.approx(-float(w.mean(1).log().mean()), rel=1e-5)
    assert float(loss.terms["negative_elbo"]) == pytest.approx(-float(w.log().mean()), rel=1e-5)
    kl = kl_divergence(q, Normal(torch.zeros(9, 3), torch.ones(9, 3))).sum(1).mean()
    assert float(loss.terms["kl"]) == pytest.approx(float(kl), rel=1e-5)


@pytest.mark.parametrize("noise_variance", [0.3, None])
@pytest.mark.parametrize("kind", ["table", "images"])
def test_a_gaussians_log_weights_are_in_the_datas_units(kind, noise_variance, table, images):
    X = table if kind == "table" else images
    model = VAE(n_components=2, hidden=(8,), observation="gaussian", n_epochs=2, random_state=0)
    model.set_params(noise_variance=noise_variance).fit(X)
    expected_v = 0.3 if noise_variance else float(model.noise_().detach())
    assert model.noise_variance_ == pytest.approx(expected_v, rel=1e-6)
    noise = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0))
    x = torch.from_numpy(X[:3]).float()
    x = x if kind == "table" else x[:, None]
    with torch.no_grad():
        q = model.posterior(x)
        log_w = model.log_weights(x, q, noise)
    scale = np.sqrt(expected_v) * (X.std(0) if kind == "table" else 1.0)
    for i in range(3):
        z = (q.loc[i] + q.scale[i] * noise[i]).double().numpy()
        mean = model.inverse_transform(z)
        expected = stats.norm.logpdf(X[i], mean, scale).reshape(5, -1).sum(1)
        expected += stats.norm.logpdf(z).sum(1)
        expected -= stats.norm.logpdf(z, q.loc[i], q.scale[i]).sum(1)
        np.testing.assert_allclose(log_w[i], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("observation", ["mse", "rmse"])
def test_a_weighted_error_is_scored_by_the_gaussian_that_it_amounts_to(observation, images):
    model = VAE(n_components=2, hidden=(8,), observation=observation, n_epochs=2, random_state=0)
    model.set_params(reconstruction_weight=50.0).fit(images)
    errors = np.square(images - model.reconstruct(images)).reshape(40, 64).mean(1)
    expected = 64 / 100 if observation == "mse" else 64 * np.sqrt(errors).mean() / 50
    assert model.noise_variance_ == pytest.approx(expected, rel=1e-4)
    terms = model.bound_terms(images)
    assert terms["reconstruction"] == pytest.approx(
        -stats.norm.logpdf(images, model.reconstruct(images), np.sqrt(expected)).sum((1, 2)).mean(),
        rel=0.02,
    )


def test_bounds_are_a_function_of_the_sample_and_the_seed_alone(vae):
    X = (np.random.default_rng(1).random((150, 12)) > 0.5).astype(np.float64)
    for k in (1, 3):
        whole = vae.score_samples(X, n_importance=k)
        np.testing.assert_allclose(vae.score_samples(X[125:], n_importance=k), whole[125:])
        other = vae.score_samples(X, n_importance=k, random_state=1)
        assert not np.any(np.isclose(whole, other, rtol=1e-9))
    terms = vae.bound_terms(X)
    assert terms["negative_elbo"] == pytest.approx(-vae.score(X), rel=1e-9)
    assert vae.score(X, n_importance=3) == pytest.approx(whole.mean())


@pytest.mark.parametrize("log_variance", [-1e4, 1e4])
def test_a_posterior_stays_usable_whatever_the_encoder_says(log_variance, vae, bits):
    model, x = copy.copy(vae), torch.from_numpy(bits[:4]).float()
    model.encoder_output = lambda x: torch.full((len(x), 6), log_variance)
    q = model.posterior(x)
    expected = np.exp(0.5 * np.clip(log_variance, -30, 20))
    np.testing.assert_allclose(q.scale, expected, rtol=1e-5)
    np.testing.assert_allclose(q.loc, log_variance)


@pytest.mark.parametrize("sampler", ["prior", "mixture"])
def test_codes_are_drawn_where_the_sampler_says(sampler, bits):
    model = VAE(n_components=2, hidden=(8,), sampler=sampler, n_epochs=30)
    model.set_params(random_state=4, n_mixture=3 if sampler == "mixture" else 10).fit(bits)
    z = model.latent_draws(7, np.random.RandomState(5))
    expected = np.random.RandomState(5).standard_normal((7, 2))
    if sampler == "mixture":
        codes = model.transform(bits.astype(np.float32))
        found = (model.mixture_weights_, model.mixture_means_, model.mixture_covariances_)
        for ours, theirs in zip(found, fit_mixture(codes, 3, 4)):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
        expected = draw_codes(7, *found, np.random.RandomState(5))
    np.testing.assert_array_equal(z, expected)
    drawn = model.sample(7, random_state=5)
    np.testing.assert_allclose(drawn, model.inverse_transform(z.astype(np.float32)), rtol=1e-5)


def test_codes_beyond_the_most_are_thinned_evenly(monkeypatch):
    monkeypatch.setattr("latentia.models.autoencoders.code_mixture.MOST_CODES", 100)
    codes = np.random.default_rng(0).normal(size=(299, 2))
    expected = mixture.GaussianMixture(2, random_state=3, max_iter=200).fit(codes[::3])
    weights, means, covariances = fit_mixture(codes, 2, 3)
    np.testing.assert_allclose(weights, expected.weights_)
    np.testing.assert_allclose(means, expected.means_)
    np.testing.assert_allclose(covariances, expected.covariances_)


@pytest.mark.parametrize("kind", [VAE, LinearVAE])
def test_the_epochs_picture_decodes_64_draws_from_the_prior(kind, images):
    model = kind(n_components=2, n_epochs=1, random_state=0).fit(images)
    with torch.no_grad():
        draws.seed("x")
        ((label, shown),) = model.epoch_picture(torch.from_numpy(images[:, None]))
        draws.seed("x")
        z = torch.randn(64, 2)
    assert label == "samples"
    np.testing.assert_allclose(shown[:, 0], model.inverse_transform(z.numpy()), atol=1e-6)


@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
def test_both_nets_of_a_conditional_vae_see_the_class(architecture, classes):
    X, y = classes
    model = ConditionalVAE(n_components=2, hidden=(8,), architecture=architecture, n_epochs=1)
    model.set_params(random_state=0).fit(X, y)
    here, there = y[:8], np.roll(y, 1)[:8]
    assert np.all(model.transform(X[:8], here) != model.transform(X[:8], there))
    z = np.zeros((8, 2), np.float32)
    decoded = [model.inverse_transform(z, given).reshape(8, -1) for given in (here, there)]
    assert np.all(np.any(decoded[0] != decoded[1], axis=1))
    bounds = model.score_samples(X[:8], here, n_importance=500)
    x, one_hot = torch.from_numpy(X[:8, None]), torch.eye(3)[np.arange(8) % 3]
    with torch.no_grad():
        q = model.posterior(x, one_hot)
        noise = torch.randn(8, 500, 2, generator=torch.Generator().manual_seed(0))
        log_w = model.log_weights(x, q, noise, one_hot)
    np.testing.assert_allclose(bounds, log_w.logsumexp(1) - np.log(500), atol=0.3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_importance": 0}, "n_importance is 0"),
        ({"n_importance": 5, "beta": 2.0}, "no weighted terms"),
        ({"n_importance": 5, "observation": "mse"}, "no weighted terms"),
        ({"noise_variance": 0.0}, "greater than 0"),
        ({"reconstruction_weight": -1.0}, "greater than 0"),
        ({"free_bits": -0.1}, "at least 0"),
        ({"n_mixture": 0}, "at least 1"),
    ],
)
def test_bad_settings_are_named(settings, words, images):
    with pytest.raises(InputError, match=words):
        VAE(**settings).fit(images)


def test_draws_follow_the_mixture():
    weights, means = np.array([0.25, 0.75]), np.array([[-5.0, 0.0], [5.0, 1.0]])
    covariances = np.array([[[1.0, 0.6], [0.6, 2.0]], [[0.5, 0.0], [0.0, 0.1]]])
    z = draw_codes(40_000, weights, means, covariances, np.random.RandomState(0))
    left = z[:, 0] < 0
    assert left.mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(np.cov(z[left].T), covariances[0], atol=0.06)
    found = fit_mixture(z, 2, 0)
    np.testing.assert_allclose(np.sort(found[0]), weights, atol=0.01)
    with pytest.warns(FitWarning, match="n_mixture is 5"):
        fit_mixture(z[:3], 5, 0)


def test_the_mixture_sampler_is_saved_with_the_model(bits, tmp_path):
    fields = {"hidden": (8,), "sampler": "mixture", "n_mixture": 3, "n_epochs": 2}
    model = VAE(n_components=2, random_state=0, **fields).fit(bits)
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.sample(9, random_state=1), model.sample(9, random_state=1))
    assert model.mixture_covariances_.shape == (3, 2, 2)


@pytest.fixture(scope="module")
def classes():
    """Images of three classes that differ in which third is bright, and by hand within it."""
    draw = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = draw.random((300, 6, 6), dtype=np.float32) * 0.2
    for row, label in enumerate(y):
        X[row, 2 * label : 2 * label + 2] += 0.7
    return X, np.array(["가", "나", "다"])[y]


@pytest.mark.parametrize(("architecture", "n_epochs"), [("mlp", 60), ("convolutional", 30)])
def test_a_conditional_vae_draws_the_class_it_is_asked_for(
    architecture, n_epochs, classes, tmp_path
):
    X, y = classes
    model = ConditionalVAE(
        n_components=2,
        hidden=(32,),
        architecture=architecture,
        observation="gaussian",
        noise_variance=0.1,
        n_epochs=n_epochs,
        batch_size=30,
        learning_rate=3e-3,
        random_state=0,
    ).fit(X, y, validation=(X[:30], y[:30]))
    for number, label in enumerate("가나다"):
        thirds = model.sample(20, random_state=0, y=label).reshape(20, 3, -1).mean(2)
        assert (thirds.argmax(1) == number).all()
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.reconstruct(X[:9], y[:9]), model.reconstruct(X[:9], y[:9]))
    assert model.score(X, y) > model.score(X, np.roll(y, 1))
    assert model.sample(4, random_state=0).shape == (4, 6, 6)


def test_a_conditional_model_names_what_is_wrong_with_labels(classes):
    X, y = classes
    model = ConditionalVAE(n_components=2, hidden=(4,), n_epochs=1, random_state=0)
    with pytest.raises(InputError, match="needs a label for each sample"):
        model.fit(X)
    with pytest.raises(InputError, match=r"y has shape \(299,\)"):
        model.fit(X, y[1:])
    with pytest.raises(InputError, match="1 different values"):
        model.fit(X, np.zeros(300, int))
    with pytest.raises(InputError, match="type float64"):
        model.fit(X, np.linspace(0, 1, 300))
    with pytest.raises(InputError, match="type NoneType, str"):
        model.fit(X, np.array([None, "가"] * 150, dtype=object))
    model.fit(X, y.astype(object))
    with pytest.raises(InputError, match="'라', which was not in fit; the classes are 가, 나, 다"):
        model.sample(2, y="라")
    with pytest.raises(InputError, match="needs a label"):
        model.transform(X)


def test_the_epochs_picture_of_a_conditional_vae_has_a_row_for_each_class(classes):
    """Eight columns, each the same latent row under every class."""
    X, y = classes
    model = ConditionalVAE(n_components=2, hidden=(8,), n_epochs=1, random_state=0).fit(X, y)
    with torch.no_grad():
        draws.seed("x")
        shown = model.epoch_picture(torch.from_numpy(X[:, None]))
        draws.seed("x")
        z = torch.randn(8, 2).numpy()
    assert [name for name, _ in shown] == [str(label) for label in np.unique(y)]
    for label, (_, row) in zip(np.unique(y), shown, strict=True):
        expected = model.inverse_transform(z, np.full(8, label))
        np.testing.assert_allclose(row[:, 0], expected, atol=1e-6)
