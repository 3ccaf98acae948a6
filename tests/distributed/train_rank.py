"""Train small models in each of two processes, with batches of 8; the first one saves them."""

import numpy as np

from latentia.training.launch import leads
from tests.conftest import small_models

NAMES = [
    "LinearAutoencoder",
    "VAE",
    "ConditionalGAN",
    "DenoisingAutoencoder",
    "ConditionalVAE",
    "CycleGAN",
    "IDEC",
]


def trained(name, folder, batch_size, *, resume=False):
    """Return the model called ``name``, trained with its run in ``folder``."""
    model = small_models()[name].set_params(batch_size=batch_size, n_epochs=3)
    if name == "LinearAutoencoder":
        # Adam would hardly see a gradient of the wrong size.
        model.set_params(optimizer="sgd", learning_rate=0.02)
    # Halved twice, 8×8 leaves norms of four pixels, which make much of a last bit's difference.
    side = 16 if name == "CycleGAN" else 8
    X = np.random.default_rng(0).random((64, side, side), dtype=np.float32)
    y = np.arange(len(X)) % (2 if name == "CycleGAN" else 4)
    return model.fit(X, y, validation=(X[:20], y[:20]), run=folder / "run", resume=resume)


def write(folder):
    for name in NAMES:
        model = trained(name, folder / name, 8)
        if leads():
            model.save(folder / name / "model")
