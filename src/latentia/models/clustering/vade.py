"""Variational deep embedding: a variational autoencoder whose prior is a mixture of Gaussians.

    c ~ Cat(π),  z ~ N(μ_c, diag σ_c²),  x ~ Bernoulli(σ(g(z))) or N(g(z), v I)          (model)
    q(z, c given x) = q(z given x) q(c given x),  q(z given x) = N(μ̃(x), diag σ̃²(x))     (posterior)

    ELBO(x) = E_q[log p(x given z)]
              − ½ Σ_c γ_c Σ_j (log σ_cj² + σ̃_j²/σ_cj² + (μ̃_j − μ_cj)²/σ_cj²)
              + Σ_c γ_c log(π_c/γ_c) + ½ Σ_j (1 + log σ̃_j²)             ([1]_ eqs. 11-13)
    γ_c = q(c given x) = E_q[p(c given z)],  p(c given z) ∝ π_c N(z; μ_c, σ_c²)     ([1]_ eq. 16)

in nats, summed over dimensions. γ is that of the one drawn z in the bound, and of μ̃ in
``predict_proba``; the bound is concave in γ, so that one draw leaves it a bound in expectation.

    1  train an autoencoder; π, μ, σ² by EM on its codes; q(z given x) narrow around the code
    2  step the nets and the mixture up the ELBO

From DEC, IDEC or another VaDE, π and μ are those of its clusters, and all have one σ², the mean of
theirs: training spreads the codes of a cluster sooner than its σ² can follow, and one that were
wide among narrow ones would take the samples of all. For the first epochs γ is then 1 for the
cluster that the start finds, and 0 for others: that too is a bound, whatever γ is.

Shapes: ``x`` is (N, C, H, W) or (N, d); ``z_NK``, μ̃ and σ̃² are (N, n_components).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn.functional import one_hot

from latentia.errors import (
    Count,
    CountsWhen,
    InputError,
    Positive,
    Seed,
    Shapes,
    Share,
    Whole,
    are_own,
    check_arguments,
    check_range,
    within_memory,
)
from latentia.models.autoencoders.base import AutoencodingModel
from latentia.models.autoencoders.likelihood import ERRORS, ChosenLikelihood
from latentia.models.autoencoders.vae import LOG_2PI, VariationalModel
from latentia.models.base import seeded
from latentia.models.clustering.base import gaussian_mixture, moments_of
from latentia.models.clustering.pretraining import PretrainedClustering
from latentia.models.inputs import Labels, in_kind_of
from latentia.training import draws
from latentia.training.updates import Loss, Update, adam, name_of

ADAM_EPSILON = 1e-4
"""The authors' ε: with Adam's own, the first steps tear the pretrained nets apart."""
EPOCHS_OF_A_STAGE = 10
FIRST_SHARE = 0.05
"""Of the clusters' variance that q(z given x) begins with: narrow, as the decoder expects."""
HELD_EPOCHS = 5
"""In which samples stay in the clusters of the clustering that training starts from."""
NEVER = -1e4
"""The logarithm of a probability that stands for 0."""
LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -12.0, 12.0
"""Beyond these a Gaussian of the mixture would collapse onto a sample, or mean nothing."""


class GaussianMixture(nn.Module):
    """A prior p(z) = Σ_c π_c N(z; μ_c, diag σ_c²) whose parameters can be learned.

    ``weights`` are (n_clusters,) π, positive; means and variances (n_clusters, n_components).
    """

    def __init__(self, weights: Tensor, means: Tensor, variances: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(weights.log())
        self.means = nn.Parameter(means)
        self.log_variances = nn.Parameter(variances.log())

    def log_weights(self) -> Tensor:
        """Return (n_clusters,) ``log π_c``."""
        return self.logits.log_softmax(0)

    def bounded_log_variances(self) -> Tensor:
        """Return (n_clusters, n_components) ``log σ_c²``, kept where they are usable."""
        return self.log_variances.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)

    def log_joint(self, z_NK: Tensor) -> Tensor:
        """Return (N, n_clusters) ``log π_c + log N(z; μ_c, σ_c²)``."""
        return self.log_weights() - self.cross_entropies(z_NK, torch.zeros_like(z_NK))

    def cross_entropies(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return (N, n_clusters) ``−E log N(z; μ_c, σ_c²)`` for z ~ N(mean, diag variance)."""
        log_variances = self.bounded_log_variances()
        squares = (mean[:, None] - self.means).square() + variance[:, None]
        return 0.5 * (LOG_2PI + log_variances + squares / log_variances.exp()).sum(-1)


class WithLogVariance(nn.Module):
    """A net's code as the posterior's mean, and beside it a log-variance, linear in the code."""

    def __init__(self, code: nn.Module, n_components: int) -> None:
        super().__init__()
        self.code = code
        self.log_variance = nn.Linear(n_components, n_components)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 2K): mean and log-variance side by side."""
        z_NK = self.code(x)
        return torch.cat([z_NK, self.log_variance(z_NK)], 1)

    def state_of(self, code: Mapping[str, Tensor], narrow: Tensor) -> dict[str, Tensor]:
        """Return the state with this one of the code's net, and a constant log-variance."""
        state = {f"code.{name}": value for name, value in code.items()}
        flat = torch.zeros_like(self.log_variance.weight)
        return state | {"log_variance.weight": flat, "log_variance.bias": narrow}


@dataclass(eq=False, repr=False, kw_only=True)
class VaDE(PretrainedClustering, ChosenLikelihood, VariationalModel, AutoencodingModel):
    """Variational deep embedding: clusters as the Gaussians of a deep model's prior [1]_.

    ``predict`` gives the cluster, ``predict_proba`` its posterior probabilities γ, ``transform``
    the posterior mean, ``sample`` decodes draws from the mixture or from one of its Gaussians,
    ``score`` is the mean ELBO in nats per sample: a bound on the log-likelihood, as is
    ``score_samples``.

    Attributes
    ----------
    encoder_, decoder_, mixture_
        The nets, and the module that holds the prior.
    labels_
        (n,) clusters of the training data.
    weights_, cluster_centers_, variances_
        (n_clusters,) π, (n_clusters, n_components) μ and σ².
    observation_
        The distribution of x given z that was used.
    seed_
        The seed that was used.

    References
    ----------
    .. [1] Z. Jiang, Y. Zheng, H. Tan, B. Tang, H. Zhou, "Variational Deep Embedding: An
       Unsupervised and Generative Approach to Clustering", IJCAI 2017, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 4)) + np.repeat([[0], [9], [18]], 20, axis=0)
    >>> brief = {"hidden": (16,), "pretrain_epochs": 40, "n_epochs": 10}
    >>> model = VaDE(n_components=2, n_clusters=3, random_state=0, **brief)
    >>> np.bincount(model.fit_predict(X)).tolist(), model.sample(2, cluster=0).shape
    ([20, 20, 20], (2, 4))
    """

    architecture: Annotated[
        Literal["auto", "mlp", "convolutional"], Shapes("encoder", "decoder")
    ] = "auto"
    """The nets: fully connected, convolutional, or what suits the data."""
    usual_steps = 6_500
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps to take in whole passes over the data; none takes some 6,500."""
    learning_rate: Positive = 2e-3
    """The optimiser's first step size."""
    learning_rate_schedule: Literal["constant", "linear", "late-linear", "cosine", "stages"] = (
        "constant"
    )
    """How the step size changes beside its decay: not, or as elsewhere."""
    decay: Share = 0.1
    """Share of the step size that is lost every ten epochs, as in the paper; 0: none is."""

    def check_values(self) -> None:
        """Refuse an observation without a likelihood."""
        super().check_values()
        if self.observation in ERRORS:
            raise InputError(
                f"observation is {self.observation!r}; VaDE bounds a likelihood: choose "
                "'bernoulli', 'gaussian' or 'auto'"
            )

    def find_clusters(self, codes: NDArray[Any], array: NDArray[Any]) -> None:
        """Take the first mixture from the clusters of the start, or find it by EM."""
        start, m = self.start, self.n_clusters
        labels = start.labels_of(array) if isinstance(start, PretrainedClustering) else None
        self._holds = labels is not None and set(labels.tolist()) == set(range(m))
        if labels is not None and self._holds:
            found = moments_of(codes, labels, m)
        else:
            found = gaussian_mixture(codes, m, self.seed_)
        weights, means, variances = (torch.tensor(part, dtype=torch.float32) for part in found)
        if labels is not None:
            variances = (weights @ variances).repeat(m, 1)
        self._found = [weights, means, variances]

    def take_own(self, shape: tuple[int, ...], n_codes: int, n_given: int) -> None:
        """Let an own encoder give codes, as an autoencoder's does, and add what the bound needs."""
        super().take_own(shape, self.n_components, n_given)
        if are_own(self, "encoder"):
            self.encoder_ = WithLogVariance(self.encoder_, self.n_components)

    @property
    def encoder_of_codes(self) -> nn.Module:
        """The part of the encoder that is an autoencoder's."""
        whole: nn.Module = self.encoder_
        return whole.code if isinstance(whole, WithLogVariance) else whole

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the nets and the mixture."""
        super().build(shape)
        ones = torch.ones(self.n_clusters, self.n_components)
        found = [ones[:, 0], ones, ones] if self.start is None else self._found
        self.mixture_ = GaussianMixture(*found)

    def encoder_state(self, state: dict[str, Tensor]) -> Mapping[str, Tensor]:
        """Give the last layer a log-variance beside each mean: first a constant one."""
        weights, _, variances = self._found
        narrow = (FIRST_SHARE * (weights @ variances)).log()
        if isinstance(self.encoder_, WithLogVariance):
            return self.encoder_.state_of(state, narrow)
        weight, bias = list(state)[-2:]
        return state | {
            weight: torch.cat([state[weight], torch.zeros_like(state[weight])]),
            bias: torch.cat([state[bias], narrow]),
        }

    @property
    def weights_(self) -> NDArray[np.float32]:
        """(n_clusters,) probabilities π of the clusters."""
        return self.mixture_.log_weights().exp().detach().numpy()

    @property
    def cluster_centers_(self) -> NDArray[np.float32]:
        """(n_clusters, n_components) means μ."""
        return self.mixture_.means.detach().numpy()

    @property
    def variances_(self) -> NDArray[np.float32]:
        """(n_clusters, n_components) variances σ²."""
        log_variances = self.mixture_.bounded_log_variances()
        return log_variances.exp().detach().numpy()

    def trained_nets(self) -> list[nn.Module]:
        """Return the nets that the bound moves, and the mixture."""
        return [*super().trained_nets(), self.mixture_]

    def updates(self) -> list[Update]:
        """Move the nets and the mixture by one bound."""
        optimizer = partial(adam, learning_rate=self.learning_rate, epsilon=ADAM_EPSILON)
        name, nets = name_of(self.loss, "negative_elbo"), self.trained_nets()
        before = self._hold if vars(self).get("_holds") else None
        return [Update(name, self.loss, nets, before=before, optimizer=optimizer)]

    def _hold(self, step: int, n_steps: int) -> None:
        self._holds = step * self.n_epochs_ < HELD_EPOCHS * n_steps

    def loss(self, x: Tensor) -> Loss:
        """Return −ELBO in nats per sample, with its two terms; γ at first the start's."""
        if vars(self).get("_holds") and self.encoder_.training:
            start: Any = self.start
            for net in start.nets().values():
                net.to(x.device)
            with torch.no_grad():
                best = start.assign(x).argmax(1)
            self._log_gamma = NEVER * (1 - one_hot(best, self.n_clusters))
        found = super().loss(x)
        self.__dict__.pop("_log_gamma", None)
        return found

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor by the schedule and the decay."""
        stage = int(done * self.n_epochs_) // EPOCHS_OF_A_STAGE
        return super().rate_factor(done) * float((1 - self.decay) ** stage)

    def posterior(self, x: Tensor, *given: Tensor) -> Normal:
        """Return q(z given x), in training that of the distorted image: also then a bound."""
        return super().posterior(self.seen(x), *given)

    def divergence(self, q: Normal, z_NK: Tensor) -> Tensor:
        """Return (N,) values of KL(q(z, c given x) ‖ p(z, c)), γ from the draw z."""
        log_gamma = vars(self).get("_log_gamma")
        if log_gamma is None:
            log_gamma = self.mixture_.log_joint(z_NK).log_softmax(1)
        from_cluster = log_gamma - self.mixture_.log_weights()
        cross_entropy = self.mixture_.cross_entropies(q.loc, q.scale.square())
        entropy = (0.5 * (1 + LOG_2PI) + q.scale.log()).sum(1)
        return (log_gamma.exp() * (from_cluster + cross_entropy)).sum(1) - entropy

    def log_prior(self, z_NK: Tensor) -> Tensor:
        """Return (N,) values of log p(z) = log Σ_c π_c N(z; μ_c, σ_c²)."""
        return self.mixture_.log_joint(z_NK).logsumexp(1)

    def assign(self, x: Tensor) -> Tensor:
        """Return (N, n_clusters) probabilities p(c given z) at z = μ̃(x)."""
        return self.mixture_.log_joint(self.encode(x)).softmax(1)

    def after_training(self, array: NDArray[Any], y: Labels) -> None:
        """Keep what follows from the training data, and drop what only the training needed."""
        super().after_training(array, y)
        for name in ("_found", "_holds"):
            self.__dict__.pop(name, None)

    def sample(
        self,
        n_samples: Count = 1,
        random_state: Seed | None = None,
        *,
        noise: bool = False,
        cluster: Whole | None = None,
    ) -> NDArray[np.float32]:
        """Draw new data: ``z`` from the mixture, or one of its Gaussians, decoded.

        ``cluster`` goes from 0 to n_clusters − 1; none draws one for each sample, by their
        probabilities. The rest is as in `Generator.sample`.
        """
        check_arguments(VaDE.sample, locals())
        if cluster is None:
            return super().sample(n_samples, random_state, noise=noise)
        check_is_fitted(self)
        check_range("cluster", cluster, 0, self.n_clusters - 1)
        draw = seeded(random_state)
        with within_memory(f"for {n_samples} samples"):
            z_NK = self._draws(np.full(n_samples, cluster), draw).astype(np.float32)
        decoded = self._decode_array(z_NK)
        drawn = np.asarray(self.around(decoded, draw) if noise else decoded, dtype=np.float32)
        return np.asarray(in_kind_of(None, drawn, self))

    def latent_draws(self, n: int, draw: np.random.RandomState) -> NDArray[Any]:
        """Return (n, n_components) draws of z from the mixture."""
        weights = self.weights_.astype(np.float64)
        return self._draws(draw.choice(self.n_clusters, size=n, p=weights / weights.sum()), draw)

    def _draws(self, clusters: NDArray[Any], draw: np.random.RandomState) -> NDArray[Any]:
        noise = draw.standard_normal((len(clusters), self.n_components))
        scale: NDArray[Any] = np.sqrt(self.variances_)
        z_NK: NDArray[Any] = self.cluster_centers_[clusters] + scale[clusters] * noise
        return z_NK

    def epoch_picture(self, x: Tensor, *beside: Tensor) -> list[tuple[str, Tensor]]:
        """Return a row of eight samples for each cluster."""
        mixture = self.mixture_
        clusters = torch.arange(self.n_clusters, device=x.device).repeat_interleave(8)
        noise = draws.normal(len(clusters), (self.n_components,), x.device)
        scale = (0.5 * mixture.bounded_log_variances()).exp()
        return [("samples", self.decode(mixture.means[clusters] + scale[clusters] * noise))]
