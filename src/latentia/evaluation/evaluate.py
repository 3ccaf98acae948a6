"""Every number of every model, and the bound on log p(x) that takes minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentia.data.dataset import Dataset
from latentia.errors import Count, InputError, Seed, Several, check_arguments
from latentia.models.base import Model
from latentia.models.inputs import spread
from latentia.training.progress import TrainingProgress

WEIGHED = 250
"""Test samples between two reports of progress."""


def evaluate(model: Model, data: Dataset, random_state: Seed = 0) -> dict[str, float]:
    """Return what `Model.measure` does of a fitted model on test data, and its size."""
    check_arguments(evaluate, locals())
    if not isinstance(model, Model):
        raise InputError(
            f"model is of type {type(model).__name__}; give a fitted model, such as one from "
            "latentia.load"
        )
    if not isinstance(data, Dataset):
        raise InputError(
            f"data is of type {type(data).__name__}; give a data set, from load_data, or made of "
            "arrays by latentia.data.Dataset(name='mine', x_train=..., y_train=None, x_test=..., "
            "y_test=None)"
        )
    return {"n_parameters": float(model.n_parameters())} | model.measure(data, random_state)


@dataclass(frozen=True)
class Bound:
    """An importance-weighted bound on −log p(x), in nats a sample.

    ``value`` is the mean over ``n_samples`` of −log (1/k) Σ w for ``n_importance`` draws k; its
    standard errors come from the draws, and from the choice of samples; ``weights`` says whether
    the former can be trusted.
    """

    value: float
    n_importance: int
    n_samples: int
    error_of_draws: float
    error_of_samples: float
    weights: str

    def __str__(self) -> str:
        """Return the bound as a sentence."""
        return (
            f"-log p(x) <= {self.value:.2f} nats a sample: {self.n_importance:,} draws for each "
            f"of {self.n_samples:,} test samples; standard error {self.error_of_draws:.3f} from "
            f"the draws, {self.error_of_samples:.2f} from the choice of samples; {self.weights}"
        )


def importance_bound(
    model: Model,
    data: Dataset,
    n_importance: Several,
    n_samples: Count | None = None,
    progress: bool | None = None,
) -> Bound:
    """Return the importance-weighted bound on −log p(x), over all test samples or some."""
    check_arguments(importance_bound, locals())
    # They load torch, which models in closed form are measured without.
    from latentia.models.autoencoders.importance import joined
    from latentia.models.autoencoders.vae import VariationalModel
    from latentia.training.device import set_threads

    if not isinstance(model, VariationalModel):
        raise InputError(f"{type(model).__name__} bounds no likelihood; evaluate without draws")
    set_threads()
    n = len(data.x_test) if n_samples is None else min(n_samples, len(data.x_test))
    x = spread(data.x_test, n)
    labels = model.labels_for(None if data.y_test is None else spread(data.y_test, n))
    parts, total = [], 0.0
    with TrainingProgress(-(-n // WEIGHED), 1, f"{n_importance:,} draws", progress) as watch:
        for step, first in enumerate(range(0, n, WEIGHED)):
            rows = slice(first, first + WEIGHED)
            given = (y[rows] for y in labels)
            found = model.importance_estimate(
                x[rows], *given, n_importance=n_importance, random_state=step
            )
            parts.append(found)
            total += float(found.bounds.sum())
            done = min(first + WEIGHED, n)
            watch(step + 1, 1, done - first, {"nats a sample": -total / done})
    weights = joined(parts)
    of_draws = float(np.sqrt(np.square(weights.standard_errors).sum()) / n)
    of_samples = float(weights.bounds.std() / n**0.5)
    value = -float(weights.bounds.mean())
    return Bound(value, n_importance, n, of_draws, of_samples, str(weights))
