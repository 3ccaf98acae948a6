"""Train a small model in every process that torchrun starts; the first one saves it."""

import sys

import numpy as np

from latentia.distributed import leads
from tests.conftest import small_models


def main() -> None:
    name, folder, batch_size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    X = np.random.default_rng(0).random((64, 8, 8), dtype=np.float32)
    model = small_models()[name].set_params(batch_size=batch_size, n_epochs=3)
    y = np.arange(len(X)) % (2 if model.learns_from == "domains" else 4)
    model.fit(X, y, validation=(X[:8], y[:8]), run=f"{folder}/run")
    if leads():
        model.save(f"{folder}/model")


if __name__ == "__main__":
    main()
