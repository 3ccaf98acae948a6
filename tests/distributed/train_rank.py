"""Train a small model in every process that torchrun starts; the first one saves it."""

import sys

import numpy as np

from latentia.training.distributed import leads
from tests.children import check_package
from tests.conftest import learns_from, small_models


def main() -> None:
    check_package()
    name, folder, batch_size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = small_models()[name].set_params(batch_size=batch_size, n_epochs=3)
    if name == "LinearAutoencoder":
        # Adam would hardly see a gradient of the wrong size.
        model.set_params(optimizer="sgd", learning_rate=0.02)
    domains = learns_from(model) == "domains"
    # Halved twice, 8×8 leaves norms of four pixels, which make much of a last bit's difference.
    side = 16 if domains else 8
    X = np.random.default_rng(0).random((64, side, side), dtype=np.float32)
    y = np.arange(len(X)) % (2 if domains else 4)
    model.fit(X, y, validation=(X[:8], y[:8]), run=f"{folder}/run")
    if leads():
        model.save(f"{folder}/model")


if __name__ == "__main__":
    main()
