"""scikit-learn's own conformance checks, for every estimator that takes a table."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from latentia import PCA, FactorAnalysis, ProbabilisticPCA
from tests.conftest import WITHOUT_TORCH

LINEAR = [
    PCA(),
    PCA(n_components=1, solver="randomized", random_state=0),
    PCA(n_components=2, rotation="varimax"),
    ProbabilisticPCA(),
    ProbabilisticPCA(algorithm="em", missing="error"),
    ProbabilisticPCA(missing="fiml"),
    FactorAnalysis(),
    FactorAnalysis(method="principal_axis", scores="bartlett", matrix="covariance"),
    FactorAnalysis(missing="fiml"),
]


def deep():
    """Return those that torch trains."""
    from latentia import (
        DEC,
        IDEC,
        VAE,
        Autoencoder,
        AutoencoderKMeans,
        DenoisingAutoencoder,
        LinearAutoencoder,
        LinearVAE,
        VaDE,
    )

    return [
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


ESTIMATORS = LINEAR if WITHOUT_TORCH else LINEAR + deep()
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
    if not WITHOUT_TORCH:
        # The checks hold of the likeliest of three starts as they do of twenty's.
        monkeypatch.setattr("latentia.models.clustering.base.STARTS", 3)
    check(estimator)


def test_enough_checks_ran():
    assert len(CASES) >= EXPECTED_CHECKS * len(ESTIMATORS)
