"""Train a small model in a run directory, or go on with it; killed from outside."""

import sys

from latentia.data import load
from tests.children import check_package
from tests.conftest import small_models


def train(name, run, resume, n_epochs):
    model = small_models()[name].set_params(n_epochs=n_epochs, ema_decay=0.99)
    x = load("digits").x_train[:320]
    model.fit(x, validation=x[:32], run=run, resume=resume)
    model.save(f"{run}/model")


def main():
    check_package()
    name, run, resume = sys.argv[1], sys.argv[2], sys.argv[3] == "resume"
    train(name, run, resume, int(sys.argv[4]))


if __name__ == "__main__":
    main()
