"""Train small models in every process that torchrun starts; the first one saves them."""

import sys
from pathlib import Path

import numpy as np
import torch

from latentia.training.distributed import process_group
from latentia.training.launch import leads
from tests.children import check_package
from tests.conftest import small_models


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
    return model.fit(X, y, validation=(X[:8], y[:8]), run=folder / "run", resume=resume)


def main():
    check_package()
    folder, batch_size, *names = sys.argv[1:]
    with process_group(torch.device("cpu")):
        for name in names:
            model = trained(name, Path(folder) / name, int(batch_size))
            if leads():
                model.save(Path(folder) / name / "model")


if __name__ == "__main__":
    main()
