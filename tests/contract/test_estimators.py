"""scikit-learn's own conformance checks, for every estimator that takes a table."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from latentia.models.autoencoders.autoencoder import Autoencoder
from latentia.models.autoencoders.denoising import DenoisingAutoencoder
from latentia.models.autoencoders.linear_autoencoder import LinearAutoencoder
from latentia.models.autoencoders.linear_vae import LinearVAE
from latentia.models.autoencoders.vae import VAE
from latentia.models.clustering import base as clustering
from latentia.models.clustering.autoencoder_kmeans import AutoencoderKMeans
from latentia.models.clustering.dec import DEC
from latentia.models.clustering.idec import IDEC
from latentia.models.clustering.vade import VaDE
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.pca import PCA
from latentia.models.linear.probabilistic_pca import ProbabilisticPCA

ESTIMATORS = [
    PCA(),
    PCA(n_components=1, solver="randomized", random_state=0),
    PCA(n_components=2, rotation="varimax"),
    ProbabilisticPCA(),
    ProbabilisticPCA(algorithm="em", missing="error"),
    ProbabilisticPCA(missing="fiml"),
    FactorAnalysis(),
    FactorAnalysis(method="principal_axis", scores="bartlett", matrix="covariance"),
    FactorAnalysis(missing="fiml"),
    LinearAutoencoder(n_components=2, n_epochs=2),
    Autoencoder(n_components=2, hidden=(8,), n_epochs=2),
    Autoencoder(n_components=2, hidden=(8,), n_epochs=2, tied=True, objective="rmse"),
    DenoisingAutoencoder(n_components=2, hidden=(8,), n_epochs=2),
    VAE(n_components=2, hidden=(8,), n_epochs=2),
    VAE(n_components=2, hidden=(8,), n_epochs=2, n_importance=3),
    LinearVAE(n_components=2, n_epochs=2),
    AutoencoderKMeans(n_components=2, n_clusters=2, hidden=(8,), n_epochs=2),
    DEC(n_components=2, n_clusters=2, hidden=(8,), n_epochs=2, pretrain_epochs=2),
    IDEC(n_components=2, n_clusters=2, hidden=(8,), n_epochs=2, pretrain_epochs=2),
    VaDE(n_components=2, n_clusters=2, hidden=(8,), n_epochs=2, pretrain_epochs=2),
]
EXPECTED_CHECKS = 40
"""At least so many must run: a generator that yields nothing would pass in silence."""

CASES = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{i}-{check.func.__name__}")
    for i, each in enumerate(ESTIMATORS)
    for estimator, check in estimator_checks_generator(each)
]


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize(("estimator", "check"), CASES)
def test_conformance(estimator, check, monkeypatch):
    # The checks hold of the likeliest of three starts as they do of twenty's.
    monkeypatch.setattr(clustering, "STARTS", 3)
    check(estimator)


def test_enough_checks_ran():
    assert len(CASES) >= EXPECTED_CHECKS * len(ESTIMATORS)
