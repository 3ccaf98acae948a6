"""How far back errors reach: RNNs with tanh and ReLU against the LSTM, as built and trained.

The task cannot be solved without a memory: the first symbol of each row comes again at its end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from latentia.files import write_atomically
from latentia.models.language.lstm import LSTMLanguageModel
from latentia.models.language.recurrent import RecurrentLanguageModel
from latentia.models.language.rnn import RNNLanguageModel
from latentia.plots.style import png_bytes
from latentia.plots.theory import gradient_figure
from latentia.theory.vanishing import norms_over_time

N_ROWS = 64
REACH = 1e-3
"""The share of the last step's gradient below which nothing is learnt of a step."""

Curves = dict[str, np.ndarray]


def rows_of(length: int, n: int, seed: int) -> list[str]:
    """Return rows of noise over c..f that begin and end with the same of a and b."""
    rng = np.random.default_rng(seed)
    noise = ["".join(rng.choice(list("cdef"), length - 1)) for _ in range(n)]
    return [key + row + key for key, row in zip(rng.choice(["a", "b"], n), noise)]


def models(n_epochs: int, length: int) -> dict[str, RecurrentLanguageModel]:
    """Return the three models, alike but for their units."""
    shared = {
        "n_units": 64,
        "n_embedding": 16,
        "dropout": 0.0,
        "window": length + 1,
        "batch_size": 32,
        "learning_rate": 5e-3,
        "random_state": 0,
        "n_epochs": n_epochs,
    }
    return {
        "RNN, tanh": RNNLanguageModel(**shared),
        "RNN, ReLU": RNNLanguageModel(activation="relu", **shared),
        "LSTM": LSTMLanguageModel(**shared),
    }


def norms_of(model: RecurrentLanguageModel, rows: list[str]) -> Curves:
    """Return ‖∂L_T/∂h_t‖, and of the LSTM ‖∂L_T/∂c_t‖, over rows without their last symbol."""
    ids = torch.tensor(np.array([model.encode(row) for row in rows]), dtype=torch.int64)
    return norms_over_time(model.net_, ids[:, :-1], ids[:, -1])


def main() -> None:
    """Measure the nets as built and as trained, draw both, print how far back each reaches."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--length", type=int, default=50, help="steps from the first to the last")
    parser.add_argument("--n-epochs", type=int, default=20, help="of training")
    parser.add_argument("--n-rows", type=int, default=600, help="to train on")
    given = parser.parse_args()
    text, rows = rows_of(given.length, given.n_rows, seed=1), rows_of(given.length, N_ROWS, seed=2)
    panels: dict[str, Curves] = {"as built": {}, "trained": {}}
    for label, model in models(given.n_epochs, given.length).items():
        # A step size of next to nothing leaves the nets as they were built.
        schedules = {"as built": (1e-30, 1), "trained": (model.learning_rate, given.n_epochs)}
        for title, (learning_rate, n_epochs) in schedules.items():
            model.set_params(learning_rate=learning_rate, n_epochs=n_epochs).fit("".join(text))
            for part, norms in norms_of(model, rows).items():
                name = f"{label}: {part}_t" if label == "LSTM" else label
                panels[title][name] = norms
                steps = int((norms[::-1] >= REACH * norms[-1]).cumprod().sum()) - 1
                print(f"{title:<9} {name:<10} reaches {steps:>3} of {len(norms) - 1} steps back")
    write_atomically(Path("vanishing_gradients.png"), png_bytes(gradient_figure(panels)))


if __name__ == "__main__":
    main()
