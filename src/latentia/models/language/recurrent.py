"""What RNN and LSTM language models share: truncated back-propagation through time.

    L = −(1/NT) Σ_n Σ_t log p(x_t | state before the window, x_1..x_{t−1})

over windows of T symbols in N lanes of the text. The state at the end of a window is where the
next begins, without its graph: the model's memory is longer than its gradients. At each window one
lane in 50 starts from zero, as scores and samples do. The gradient's norm is clipped at ``clip``
[1]_.

Shapes: ``x_NT`` and ``y_NT`` are symbol numbers, ``state`` is (S, L, N, H).

References
----------
.. [1] R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training Recurrent Neural
   Networks", ICML 2013, algorithm 1.
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy, log_softmax

from latentia.errors import check_range
from latentia.models.gradient import check_training_values
from latentia.models.language.base import Ids, LanguageModel, LogProbabilities, Text
from latentia.models.language.memory import Memory
from latentia.models.language.windows import Windows
from latentia.models.saved import fill
from latentia.nets.recurrent import RecurrentNet
from latentia.training import draws
from latentia.training.batches import Source
from latentia.training.config import recorded_threads, run_seed
from latentia.training.device import find_device, set_threads
from latentia.training.excerpts import Excerpts
from latentia.training.progress import TrainingProgress
from latentia.training.run import Run, Unrecorded, open_run
from latentia.training.train import evaluating, train
from latentia.training.updates import SCHEDULES, Update, adam

READ_AT_ONCE = 1024
"""Symbols of a pass without gradients."""
EXCERPT = 400
"""Symbols of the text drawn after each epoch."""


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class RecurrentLanguageModel(LanguageModel):
    """A language model whose state is a recurrent net's."""

    n_units: int = 256
    """Units of each layer, H."""
    n_layers: int = 1
    """Recurrent layers, one on top of the other."""
    n_embedding: int = 64
    """Size of the vectors that symbols become."""
    dropout: float = 0.2
    """Share of values dropped between layers; none is dropped from step to step."""
    window: int = 64
    """Steps that gradients reach back, T; the state is carried on."""
    clip: float | None = 1.0
    """Largest norm of the gradient; none leaves it as it is."""
    n_epochs: int = 10
    """Passes over the text."""
    batch_size: int = 32
    """Places of the text that are read side by side, N."""
    learning_rate: float = 2e-3
    """The optimiser's step size."""
    learning_rate_schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the step size changes: not, or to 0 along a line or a cosine."""
    ema_decay: float | None = None
    """Decay of the averaged weights that the fitted model then uses; none keeps the last ones."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, cuda:1, mps."""
    random_state: int | None = None
    """Seed of everything random; none draws one, kept in ``seed_``."""

    @abstractmethod
    def build(self) -> RecurrentNet:
        """Return a new net for the model's symbols."""

    def check_shared_values(self) -> None:
        """Raise InputError for a shared hyperparameter out of its range."""
        check_training_values(self)
        for name in ("n_units", "n_layers", "n_embedding", "window"):
            check_range(name, getattr(self, name), 1)
        check_range("dropout", self.dropout, 0, 1, open_high=True)
        check_range("clip", self.clip, 0, open_low=True)

    def nets(self) -> Mapping[str, nn.Module]:
        """Return the net, and while it is trained what it carries from window to window."""
        return {k: v for k, v in vars(self).items() if isinstance(v, nn.Module)}

    def fit(
        self,
        text: Text,
        y: object = None,
        *,
        symbols: Text | None = None,
        validation: Text | None = None,
        run: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Mapping[str, object] | None = None,
    ) -> Self:
        """Train on a text.

        Parameters
        ----------
        text
            A string, whose characters are the symbols, or a list of symbols.
        symbols
            What may occur, if it is more than occurs in ``text``.
        validation
            Held-out text: its loss is recorded each epoch.
        run, resume, progress, origin
            As in every other model's ``fit``.

        Returns
        -------
        self

        Raises
        ------
        InputError
            For a bad parameter or text, a loss that is not finite, a run directory that is in
            use or holds another run.
        """
        self.validate_parameters()
        ids = self.learn_symbols(text, symbols)
        counts = np.bincount(ids, minlength=len(self.symbols_)) + 1.0
        self.frequencies_ = counts / counts.sum()
        folder = None if run is None else Path(run)
        set_threads(recorded_threads(folder) if resume and folder is not None else None)
        device = find_device(self.device)
        self.seed_ = run_seed(self.random_state, folder if resume else None)
        self._reading = Windows(ids, self.batch_size, self.window, self.seed_)
        held_out = None if validation is None else self._windows_of(validation)
        with torch.random.fork_rng():
            draws.seed(self.seed_, "build")
            self.net_ = self.build().to(device).train()
        self._memory = Memory(self.net_.zero_state(self._reading.n_lanes)).train()
        with ExitStack() as stack:
            recorder: Run | Unrecorded = Unrecorded()
            if folder is not None:
                config = self._config(text, origin or {})
                defaults = type(self)().get_params()
                held = open_run(folder, config, _nothing, resume=resume, defaults=defaults)
                recorder = stack.enter_context(held)
            kept = Excerpts(recorder, folder, self._excerpt)
            steps = self._reading.n_windows * self.n_epochs
            name = type(self).__name__
            watch = stack.enter_context(
                TrainingProgress(steps, self.n_epochs, name, progress, unit="windows")
            )
            # Of a source the loop asks the length and batches only.
            train(self, cast(Source, self._reading), cast(Source, held_out), kept, watch, device)
        del self._memory, self._reading
        self.net_.cpu().eval()
        return self

    def _windows_of(self, text: Text) -> Windows:
        return Windows(self.encode(text), self.batch_size, self.window, self.seed_)

    def updates(self) -> list[Update]:
        """Return the one update: the cross-entropy of the next symbol, windows in order."""
        return [
            Update(
                "cross_entropy",
                self.loss,
                [self.net_],
                before=lambda step, n_steps: self._reading.turn_to(step),
                optimizer=self._clipping_adam,
            )
        ]

    def rate_factor(self, done: float) -> float:
        """Return the learning rate's factor when this fraction of the training is done."""
        return SCHEDULES[self.learning_rate_schedule](done, self.n_epochs)

    def loss(self, x_NT: Tensor, y_NT: Tensor, begins: Tensor) -> Tensor:
        """Return the mean of −log p(y) in nats, and carry the state on."""
        with torch.set_grad_enabled(self.net_.training):
            state = self._memory.recall(self.net_.zero_state(len(x_NT)), begins)
            logits_NTV, state = self.net_(x_NT, state)
            self._memory.keep(state)
            return cross_entropy(logits_NTV.flatten(0, 1).float(), y_NT.flatten())

    def _clipping_adam(self, parameters: list[nn.Parameter]) -> optim.Optimizer:
        optimizer = adam(parameters, self.learning_rate)
        if self.clip is not None:
            norm = self.clip

            def clip(*_: object) -> None:
                nn.utils.clip_grad_norm_(parameters, norm)

            optimizer.register_step_pre_hook(clip)
        return optimizer

    def begin(self, n_texts: int) -> tuple[LogProbabilities, Tensor]:
        """Return log p of first symbols, their frequencies in training, and the zero state."""
        log_p = np.log(self.frequencies_)
        return np.tile(log_p, (n_texts, 1)), self.net_.zero_state(n_texts)

    def advance(self, state: Tensor, ids: Ids) -> tuple[LogProbabilities, Tensor]:
        """Return (N, V) log p of what follows one more symbol of each text, and the state."""
        log_p_NTV, state = self._read(torch.from_numpy(ids.astype(np.int64))[:, None], state)
        return log_p_NTV[:, 0].cpu().numpy(), state

    def log_probabilities(self, ids: Ids) -> LogProbabilities:
        """Return (n,) log p(x_t | x_<t), read in one go from the zero state."""
        found = [np.log(self.frequencies_[ids[:1]])]
        symbols, state = torch.from_numpy(ids.astype(np.int64)), self.net_.zero_state(1)
        for first in range(0, len(ids) - 1, READ_AT_ONCE):
            window = symbols[first : first + READ_AT_ONCE + 1]
            log_p_NTV, state = self._read(window[None, :-1], state)
            y = window[1:]
            found.append(log_p_NTV[0].cpu().gather(1, y[:, None])[:, 0].numpy())
        return np.concatenate(found)

    def _read(self, x_NT: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad(), evaluating({"net_": self.net_}):
            logits_NTV, state = self.net_(x_NT.to(state.device), state)
            # Sums over tens of thousands of symbols want more than seven digits.
            return log_softmax(logits_NTV.double(), dim=-1), state

    def prepare_nets(self, tensors: Mapping[str, Tensor]) -> None:
        """Make the net of a saved model and fill it."""
        self.net_ = self.build()
        fill(self.nets(), tensors)

    def _excerpt(self) -> str:
        found = self.sample(length=EXCERPT, random_state=self.seed_)[0]
        return found if isinstance(found, str) else " ".join(found)

    def _config(self, text: Text, origin: Mapping[str, object]) -> dict[str, Any]:
        digest = hashlib.sha256("\0".join(text).encode("utf-8", "surrogatepass"))
        facts = {"symbols": len(text), "kinds": len(self.symbols_)}
        return {
            "model": type(self).__name__,
            "parameters": self.get_params() | {"random_state": self.seed_},
            "data": dict(origin) | facts | {"hash": digest.hexdigest()[:16]},
        }


def _nothing() -> None:
    """Draw no picture."""
