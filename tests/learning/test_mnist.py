"""Published and measured bars on full MNIST; needs its files in the cache (LATENTIA_DATA)."""

import numpy as np
import pytest

from latentia.data import load
from latentia.data.toys import stacked_mnist
from latentia.errors import InputError
from latentia.evaluation.classifier import ImageClassifier, stacked_digits
from latentia.evaluation.evaluate import evaluate
from latentia.models.autoencoders.denoising import DenoisingAutoencoder
from latentia.models.autoencoders.vae import VAE
from latentia.models.linear.pca import PCA

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mnist():
    try:
        return load("mnist")
    except InputError as error:
        pytest.skip(f"MNIST is not here: {error}")


@pytest.mark.parametrize(("n_components", "error"), [(2, 43.64), (10, 26.71), (30, 13.87)])
def test_pca_reaches_the_published_error(mnist, n_components, error):
    model = PCA(n_components=n_components).fit(mnist.x_train)
    assert -model.score(mnist.x_test) == pytest.approx(error, abs=0.02)


def test_vae_bound_after_ten_epochs(mnist):
    model = VAE(hidden=(400,), n_components=20, n_epochs=10, ema_decay=0.99, random_state=0)
    assert -model.fit(mnist.x_train).score(mnist.x_test) <= 106.5


def test_denoising_autoencoder_psnr_after_ten_epochs(mnist):
    metrics = evaluate(DenoisingAutoencoder(random_state=0).fit(mnist.x_train), mnist)
    assert metrics["psnr"] >= 15.2
    assert metrics["psnr_denoised"] >= 15.2
    assert np.isfinite(metrics["code_accuracy"])


def test_a_classifier_of_20_000_digits(mnist):
    x, y = mnist.x_train[:20_000], mnist.y_train[:20_000]
    classifier = ImageClassifier(title="mnist").fit(x, y)
    assert classifier.score(mnist.x_test, mnist.y_test) >= 0.98
    stack, digits = stacked_mnist(mnist.x_test, mnist.y_test, 2_000)
    found = stacked_digits(classifier, stack) @ [100, 10, 1]
    assert (found == digits).mean() >= 0.94
