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
.. [2] R. J. Williams, J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of
   Recurrent Network Trajectories", Neural Computation 2, 1990 (BPTT(h; h′) with h = h′ = T).
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy, log_softmax

from latentia.errors import Count, CountsWhen, Decay, InputError, Positive, Range
from latentia.files import write_atomically
from latentia.models.exported import Exported, Quantity
from latentia.models.gradient import GradientModel
from latentia.models.language.base import Ids, LanguageModel, LogProbabilities, Text
from latentia.nets.recurrent import RecurrentNet
from latentia.training import distributed, draws
from latentia.training.batches import Batches
from latentia.training.run import Callback
from latentia.training.train import evaluating
from latentia.training.updates import Update, adam, name_of

READ_AT_ONCE = 1024
"""Symbols of a pass without gradients."""
EXCERPT = 400
"""Symbols of the text drawn after each epoch."""
AFRESH = 1 / 50
"""Share of a training window's lanes that start from zero, wherever they are in the text."""


class Windows:
    """A text as windows for truncated back-propagation through time, read in order [2]_.

    The text is cut into N lanes that are read side by side, a window of T symbols of each at a
    time. A window begins where the one before ended, so that which windows come is a function of
    the step alone (`turn_to`): of the rows that the loop asks for only their number counts. Without
    a turn, as for held-out text, row ``w * n_lanes + l`` is window w of lane l.

    Parameters
    ----------
    ids
        (n,) symbol numbers.
    batch_size, n_steps
        The most lanes, and the most symbols of a window; a short text has fewer.
    """

    def __init__(self, ids: NDArray[np.int32], batch_size: int, n_steps: int) -> None:
        n = len(ids) - 1
        if n < 1:
            raise InputError(f"the text holds {len(ids)} symbols; give at least 2")
        self.n_lanes = max(1, min(batch_size, n // n_steps))
        self.n_steps = min(n_steps, n)
        self.n_windows = n // self.n_lanes // self.n_steps
        self._ids = ids
        self._left_over = n - self.n_lanes * self.n_windows * self.n_steps
        self._turn: tuple[int, int] | None = None

    def __len__(self) -> int:
        """Return the number of windows of all lanes."""
        return self.n_lanes * self.n_windows

    def turn_to(self, step: int, seed: int) -> None:
        """Let the next batch be the one of a training step, from 0.

        The seed says where an epoch begins to read: symbols left over at the end of one epoch are
        read in another.
        """
        epoch, window = divmod(step, self.n_windows)
        first = np.random.default_rng([seed, epoch]).integers(self._left_over + 1)
        self._turn = (window, int(first))

    def first(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the first window of all lanes, whatever n is."""
        return self.batch(np.arange(n))

    def batch(self, rows: NDArray[np.integer]) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs (N, T), the symbols after them (N, T), and whether the lanes begin."""
        window, first = self._turn or (int(rows[0]) // self.n_lanes, 0)
        lanes = np.arange(self.n_lanes) * self.n_windows + window
        places = first + lanes[:, None] * self.n_steps + np.arange(self.n_steps + 1)
        symbols = torch.from_numpy(self._ids[places]).long()
        return symbols[:, :-1], symbols[:, 1:], torch.tensor(window == 0)


class Memory(nn.Module):
    """The state after the last window, of training and, apart from it, of evaluation.

    Training's is a buffer: it is saved with the weights, and a resumed run reads on as the
    undisturbed one. It is kept without its graph, which ends back-propagation at the window. Now
    and then a lane starts from zero: a net that did so at the beginning of epochs alone would not
    know how, and a prompt that begins as no lane did could leave it lost for good.

    Parameters
    ----------
    zero_state
        (S, L, N, H): the state before anything was read.
    """

    carried: Tensor

    def __init__(self, zero_state: Tensor) -> None:
        super().__init__()
        self.register_buffer("carried", zero_state)
        self._evaluated: Tensor | None = None

    def recall(self, zero_state: Tensor, begins: Tensor) -> Tensor:
        """Return the state that a window starts from: zero at the beginning of the lanes."""
        if bool(begins):
            return zero_state
        if not self.training:
            return cast(Tensor, self._evaluated)
        afresh_N1 = draws.uniform_like(zero_state[0, 0, :, :1]) < AFRESH
        return torch.where(afresh_N1, zero_state, self.carried)

    @torch.no_grad()
    def keep(self, state: Tensor) -> None:
        """Remember the state at the end of a window."""
        if self.training:
            # A new tensor each time: the graph of this step still holds the one before.
            self.carried = state.detach().to(self.carried.dtype)
        else:
            self._evaluated = state.detach()


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class RecurrentLanguageModel(LanguageModel, GradientModel):
    """A language model whose state is a recurrent net's; a subclass says which `cell` it has.

    ``score`` is the mean log-probability of a character given all before it, in nats.

    Attributes
    ----------
    net_
        The net.
    symbols_, of_characters_
        What may occur, and whether texts are strings.
    frequencies_
        (V,) p(x_1): of the symbols in training, one added to each count.
    seed_
        The seed that was used.
    """

    lacks = dict.fromkeys(
        ("embedding", "head", "net"),
        "its state is carried through the training, whose net is therefore Latentia's; derive a "
        "class whose build makes another net_ of that state",
    )
    unit: ClassVar[str] = "windows"
    usual_steps = 5_000

    n_units: Count = 256
    """Units of each layer, H."""
    n_layers: Annotated[int, Range(1, 100)] = 1
    """Recurrent layers, one on top of the other."""
    n_embedding: Count = 64
    """Size of the vectors that symbols become."""
    dropout: Decay = 0.2
    """Share of values dropped between layers; none is dropped from step to step."""
    window: Count = 64
    """Steps that gradients reach back, T; the state is carried on."""
    clip: Positive | None = 1.0
    """Largest norm of the gradient; none leaves it as it is."""
    n_steps: Annotated[Count | None, CountsWhen("n_epochs", (None,))] = None
    """Training steps in whole passes over the text; none takes some 5,000 and at most 60 passes."""
    batch_size: Count = 32
    """Places of the text that are read side by side, N."""
    learning_rate: Positive = 2e-3
    """The optimiser's step size."""
    learning_rate_schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the step size changes: not, or to 0 along a line or a cosine."""

    @property
    def most_epochs(self) -> int:
        """Passes that the usual steps take at most: a short text is soon learnt by heart."""
        return 60

    @property
    @abstractmethod
    def cell(self) -> Literal["tanh", "relu", "lstm"]:
        """What each layer is made of."""

    @property
    def sample_shape_(self) -> tuple[int, ...]:
        """(V,): how many symbols the net tells apart."""
        return (len(self.symbols_),)

    def fit(  # type: ignore[override]
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
        start_from: Self | str | Path | None = None,
        callbacks: Sequence[Callback] = (),
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
        run, resume, progress, origin, start_from, callbacks
            As in `GradientModel.fit`. A model that is started from says which symbols may occur.
        """
        return super().fit(
            text,
            symbols,
            validation=None if validation is None else (validation, None),
            run=run,
            resume=resume,
            progress=progress,
            origin=origin,
            start_from=start_from,
            callbacks=callbacks,
        )

    def read(self, array: Text, y: Text | None, *, reset: bool) -> Windows:
        """Return a text's windows; in ``fit`` learn its symbols, of which ``y`` may name more."""
        if not reset:
            return Windows(self.encode(array), self.batch_size, self.window)
        known = None if self.beginning is None else self.beginning.symbols_
        ids = self.learn_symbols(array, known if y is None else y)
        counts = np.bincount(ids, minlength=len(self.symbols_)) + 1.0
        self.frequencies_ = counts / counts.sum()
        self._reading = Windows(ids, self.batch_size, self.window)
        return self._reading

    def facts(self, array: Text, *beside: object) -> Mapping[str, object]:
        """Return what ``config.json`` says of the training text."""
        digest = hashlib.sha256("\0".join(array).encode("utf-8", "surrogatepass"))
        kinds = len(self.symbols_)
        return {"symbols": len(array), "kinds": kinds, "hash": digest.hexdigest()[:16]}

    def initialise(self, batches: Batches, device: torch.device) -> None:
        """Make the net, and what it carries from window to window."""
        if distributed.world_size() > 1:
            raise InputError(
                f"{distributed.world_size()} processes were started; a text is read in order, by "
                f"one: start {type(self).__name__} without torchrun"
            )
        super().initialise(batches, device)
        self._memory = Memory(self.net_.zero_state(self._reading.n_lanes)).train()

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the net."""
        sizes = (self.n_embedding, self.n_units, self.n_layers)
        self.net_ = RecurrentNet(self.cell, shape[0], *sizes, self.dropout)

    def show(self, batch: Sequence[Tensor], folder: Path, epoch: int) -> None:
        """Write a text of the model's as ``epoch_0001.txt`` and so on."""
        found = self.sample(length=EXCERPT, random_state=self.seed_)[0]
        text = found if isinstance(found, str) else " ".join(found)
        path = folder / f"epoch_{epoch:04d}.txt"
        write_atomically(path, text.encode("utf-8", "replace"))

    def after_training(self, array: Any, y: Any) -> None:
        """Forget the training text, and what was carried through it."""
        del self._memory, self._reading

    def updates(self) -> list[Update]:
        """Return the one update: the cross-entropy of the next symbol, windows in order."""
        return [
            Update(
                name_of(self.loss, "cross_entropy"),
                self.loss,
                [self.net_],
                before=lambda step, n_steps: self._reading.turn_to(step, self.seed_),
                optimizer=self._clipping_adam,
            )
        ]

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

    def exported(self) -> tuple[Exported, ...]:
        """Return `step`: what follows one more symbol, and the state after it, zeros at first."""
        S, L, _, H = self.net_.zero_state(1).shape
        symbols = tuple(self.symbols_)
        V, words = len(symbols), "before anything was read, zeros"
        given = (
            Quantity("symbol", "symbol", (), "its number", 0.0, V - 1.0, symbols),
            Quantity("state", "state", (S, L, H), words, -1.0, 1.0),
        )
        found = (
            Quantity("next", "probabilities", (V,), "of what follows", 0.0, 1.0, symbols),
            Quantity("state", "state", (S, L, H), "after the symbol"),
        )
        return (Exported("step", self.step, self._stepped, given, found),)

    def step(self, symbol_N: Tensor, state_NSLH: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, V) probabilities of what follows a symbol, and the state."""
        logits_NTV, state = self.net_(symbol_N[:, None], state_NSLH.permute(1, 2, 0, 3))
        return logits_NTV[:, 0].softmax(-1), state.permute(2, 0, 1, 3)

    def _stepped(self, symbol: Any, state: Any) -> tuple[Any, Any]:
        log_p, after = self.advance(torch.from_numpy(state).permute(1, 2, 0, 3), symbol)
        return np.exp(log_p), after.permute(2, 0, 1, 3).numpy()

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
