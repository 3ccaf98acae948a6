"""A text that a small model learns, and small models."""

import pytest

from latentia.models.language.lstm import LSTMLanguageModel
from latentia.models.language.n_gram import NGramLanguageModel
from latentia.models.language.rnn import RNNLanguageModel

RHYME = (
    "Humpty Dumpty sat on a wall,\nHumpty Dumpty had a great fall.\n"
    "All the king's horses and all the king's men\n"
    "couldn't put Humpty together again.\n"
)
SMALL = {"n_units": 6, "n_embedding": 4, "window": 7, "batch_size": 4, "device": "cpu"}
SHARED = SMALL | {"n_epochs": 2, "random_state": 0}


def small_sequence_models():
    """Return one small instance of every public model of texts."""
    return {
        "RNNLanguageModel": RNNLanguageModel(**SHARED),
        "LSTMLanguageModel": LSTMLanguageModel(n_layers=2, **SHARED),
        "NGramLanguageModel": NGramLanguageModel(order=3),
    }


@pytest.fixture(autouse=True)
def short_excerpts(monkeypatch):
    """Draw few characters after each epoch: drawing takes longer than so short a training."""
    monkeypatch.setattr("latentia.models.language.recurrent.EXCERPT", 20)
    monkeypatch.setattr("latentia.evaluation.runs.SAMPLED", 50)
