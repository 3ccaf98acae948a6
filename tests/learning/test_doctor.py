"""The doctor on runs that were broken on purpose, and on healthy ones: a confusion matrix."""

import numpy as np
import pytest

import latentia
from latentia.models.adversarial.doctor import AILMENTS

SEEDS = (1, 2)


def ring(n=2000):
    draw = np.random.default_rng(0)
    angle = draw.integers(8, size=n) * np.pi / 4
    return np.c_[2 * np.cos(angle), 2 * np.sin(angle)] + 0.02 * draw.normal(size=(n, 2))


def cases():
    """Yield what is wrong, the model's class and hyperparameters, and what is done to the data."""
    data = latentia.load_data("digits")
    x, y = data.x_train[:800], data.y_train[:800]
    dark = np.asarray(x, np.float32) / 255 / (255 if x.dtype == np.uint8 else 1)
    strong = {"n_critic": 10, "learning_rate": 2e-3}
    unbound = {"gradient_penalty": 0.0, "learning_rate": 1e-2, "n_critic": 10}
    small = {"hidden": (32,), "learning_rate": 1e-2, "n_components": 2, "beta_1": 0.9}
    yield "range", latentia.DCGAN, {"width": 8, "n_epochs": 3}, dark, y
    yield "constant", latentia.GAN, {"learning_rate": 0.3, "n_epochs": 6}, x, y
    yield "exploding", latentia.WGANGP, unbound | {"width": 8, "n_epochs": 20}, x, y
    yield "vanishing", latentia.GAN, strong | {"objective": "minimax", "n_epochs": 30}, x, y
    yield "vanishing", latentia.WGAN, {"clipping": 1e-4, "width": 8, "n_epochs": 10}, x, y
    yield "saturated", latentia.GAN, strong | {"n_epochs": 20}, x, y
    yield "collapse", latentia.GAN, small | {"n_epochs": 30}, ring(), None
    for kind, settings in ((latentia.GAN, {}), (latentia.DCGAN, {"width": 16})):
        yield "undertrained", kind, settings | {"n_epochs": 4}, x, y
    yield "undertrained", latentia.WGAN, {"width": 16, "n_epochs": 4}, x, y
    yield "healthy", latentia.GAN, {"learning_rate": 1e-3, "n_epochs": 60}, x, y
    yield "healthy", latentia.DCGAN, {"width": 16, "n_epochs": 30}, x, y
    yield "healthy", latentia.ConditionalGAN, {"width": 16, "n_epochs": 30}, x, y
    yield "healthy", latentia.WGAN, {"width": 16, "learning_rate": 2e-4, "n_epochs": 60}, x, y
    yield "healthy", latentia.WGANGP, {"width": 16, "learning_rate": 5e-4, "n_epochs": 60}, x, y


def verdicts(model, X, y):
    """Return what the doctor said after each epoch."""
    said = []
    examine = model.checkup

    def checkup(*batch, **numbers):
        answer = examine(*batch, **numbers)
        said.append(model.diagnosis_)
        return answer

    model.checkup = checkup
    model.fit(X, y)
    return said


@pytest.mark.slow
def test_the_confusion_matrix(capsys):
    """Broken runs are named, by the last word or the most frequent one; healthy ones never ail."""
    names = [*AILMENTS, "healthy"]
    matrix = np.zeros((len(names), len(names)), int)
    false_alarms = 0
    for truth, kind, settings, X, y in cases():
        for seed in SEEDS:
            said = verdicts(kind(batch_size=64, random_state=seed, **settings), X, y)
            alarms = [word for word in said if word != "healthy"]
            word = said[-1] if said[-1] != "healthy" or not alarms else alarms[-1]
            matrix[names.index(truth), names.index(word)] += 1
            false_alarms += len(alarms) if truth == "healthy" else 0
    with capsys.disabled():
        print("\nrows: what was done; columns: what the doctor said")
        print(f"{'':>10}" + "".join(f"{name:>10}" for name in names))
        for name, counts in zip(names, matrix, strict=True):
            print(f"{name:>10}" + "".join(f"{count:>10}" for count in counts))
    assert false_alarms == 0
    assert np.trace(matrix) == matrix.sum()


AUTOENCODERS = {
    "undertrained": [
        (latentia.Autoencoder, {"n_epochs": 3}),
        (latentia.VAE, {"n_epochs": 3}),
    ],
    "collapse": [
        (latentia.VAE, {"n_epochs": 30, "beta": 50.0}),
        (latentia.VAE, {"n_epochs": 30, "observation": "gaussian", "noise_variance": 10.0}),
    ],
    "healthy": [
        (latentia.Autoencoder, {"n_epochs": 30}),
        (latentia.DenoisingAutoencoder, {"n_epochs": 30}),
        (latentia.VAE, {"n_epochs": 80}),
        (latentia.ConditionalVAE, {"n_epochs": 30}),
        (
            latentia.VAE,
            {"n_epochs": 30, "observation": "gaussian", "noise_variance": None},
        ),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("truth", AUTOENCODERS)
def test_autoencoders_on_digits(truth):
    """Broken ones are named at the end; healthy ones never ail."""
    data = latentia.load_data("digits")
    x, y = data.x_train[:800], data.y_train[:800]
    for kind, settings in AUTOENCODERS[truth]:
        for seed in SEEDS:
            shared = {"n_components": 10, "hidden": (64,), "batch_size": 64, "random_state": seed}
            said = verdicts(kind(**shared, **settings), x, y)
            assert said[-1] == truth, (kind.__name__, settings)
            assert truth != "healthy" or set(said) == {"healthy"}
