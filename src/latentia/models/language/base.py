"""The verbs of a language model: what can be asked of any p(x_1, ..., x_n).

    p(x_1, ..., x_n) = Π_t p(x_t | x_1, ..., x_{t−1})

    score            (1/n) Σ_t log p(x_t | x_<t)   nats a symbol, higher is better
    bits_per_symbol  −score / log 2
    perplexity       exp(−score)

Symbols are the characters of a string, or the items of a list of strings. Shapes: ``ids`` is (n,)
symbol numbers, log-probabilities are (N, V) for N texts at once and V symbols.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from latentia.data.dataset import Dataset, ImageSize
from latentia.data.options import USUAL, TableOptions
from latentia.data.text import HELD_OUT, TextData, load_text
from latentia.errors import Count, InputError, NonNegative, Seed, check_arguments, within_memory
from latentia.models.base import Model, seeded
from latentia.models.fields import command_name
from latentia.plots.page import Picture

Text = str | Sequence[str]
Ids = NDArray[np.int32]
LogProbabilities = NDArray[np.float64]


class LanguageModel(Model, ABC):
    """A model of symbols, each given those before it.

    Attributes
    ----------
    symbols_
        (V,) the symbols that may occur, sorted.
    of_characters_
        Whether texts are strings; otherwise they are lists of strings.
    """

    lacks = dict.fromkeys(
        ("transform", "fit_transform", "inverse_transform", "reconstruct"),
        "it predicts symbols and has no latent space",
    )

    symbols_: list[str]
    of_characters_: bool

    @abstractmethod
    def begin(self, n_texts: int) -> tuple[LogProbabilities, Any]:
        """Return (N, V) log p of first symbols, and the state before anything was read."""

    @abstractmethod
    def advance(self, state: Any, ids: Ids) -> tuple[LogProbabilities, Any]:
        """Return (N, V) log p of what follows one more symbol of each text, and the state."""

    @abstractmethod
    def log_probabilities(self, ids: Ids) -> LogProbabilities:
        """Return (n,) log p(x_t | x_<t)."""

    def checked(self, X: Any, *, reset: bool) -> Any:
        """Return a text as it is, if it is one."""
        listed = isinstance(X, Sequence | np.ndarray) and all(isinstance(s, str) for s in X)
        if not listed:
            raise InputError("the text must be a string, or a list of strings")
        return X

    def load_data(
        self,
        spec: str,
        image_size: ImageSize = None,
        held_out: float | None = None,
        options: TableOptions = USUAL,
    ) -> TextData:
        """Return a text file in parts."""
        if image_size is not None:
            name = command_name(type(self).__name__)
            raise InputError(f"{name} takes no --image-size, --crop or --fit: it learns a text")
        options.refuse(f"{command_name(type(self).__name__)} learns texts and no tables")
        return load_text(spec, HELD_OUT if held_out is None else held_out)

    def measure(self, data: Dataset, random_state: int = 0) -> dict[str, float]:
        """Return how well the model predicts the test part of a text."""
        nats = -self.score(str(data.x_test))
        return {
            "nats_per_character": nats,
            "bits_per_character": nats / math.log(2),
            "perplexity": float(np.exp(nats)),
        }

    def findings(self, data: Dataset) -> tuple[str, ...]:
        """Return where the texts are that the model drew."""
        return ("The texts that it drew are in the run's folder samples.",)

    def pictures(self, data: Dataset) -> Iterator[Picture]:
        """Yield no pictures."""
        yield from ()

    def score_samples(self, text: Text) -> LogProbabilities:
        """Return (n,) log-probabilities of each symbol given all before it, in nats.

        The text is a string, or a list of symbols if the model was fitted on one.
        """
        check_is_fitted(self)
        ids = self.encode(text)
        if len(ids) == 0:
            raise InputError("the text is empty; give at least one symbol")
        return self.log_probabilities(ids)

    def score(self, text: Text, y: object = None) -> float:
        """Return the mean log-probability of a symbol in nats: at most 0, higher is better."""
        return float(self.score_samples(text).mean())

    def bits_per_symbol(self, text: Text) -> float:
        """Return the mean of −log₂ p, the bits that an ideal code would take; lower is better."""
        return -self.score(text) / math.log(2)

    def perplexity(self, text: Text) -> float:
        """Return exp(−score): as uncertain as a fair draw among so many; lower is better."""
        return math.exp(-self.score(text))

    def sample(
        self,
        n_samples: Count = 1,
        length: Count = 500,
        *,
        temperature: NonNegative = 1.0,
        prompt: Text = "",
        random_state: Seed | None = None,
    ) -> list[Any]:
        """Draw texts, symbol after symbol.

        Parameters
        ----------
        n_samples, length
            Texts, and symbols drawn for each.
        temperature
            τ in p^(1/τ), made to sum to 1: below 1 likelier symbols, above 1 bolder ones, 0 the
            likeliest each time.
        prompt
            What the texts begin with.
        random_state
            Makes the draws repeatable.

        Returns
        -------
        texts
            ``n_samples`` strings (or lists of symbols): the prompt, and what was drawn.
        """
        check_arguments(LanguageModel.sample, locals())
        check_is_fitted(self)
        if temperature == 0 and random_state is not None:
            raise InputError("temperature is 0, which draws nothing at random: no random_state")
        draw = seeded(random_state)
        # An empty prompt is one of characters and of words.
        given = np.zeros(0, np.int32) if prompt == "" else self.encode(prompt)
        with within_memory(f"for {n_samples} texts of {length} symbols"):
            log_p, state = self.begin(n_samples)
            texts = np.empty((n_samples, len(given) + length), np.int32)
            texts[:, : len(given)] = given
        for place in range(texts.shape[1]):
            if place >= len(given):
                texts[:, place] = pick(log_p, temperature, draw)
            if place + 1 < texts.shape[1]:
                log_p, state = self.advance(state, texts[:, place])
        return [self.decode(row) for row in texts]

    def encode(self, text: Text) -> Ids:
        """Return the (n,) numbers of a text's symbols."""
        if not isinstance(text, str if self.of_characters_ else list | tuple):
            kind = "a string" if self.of_characters_ else "a list of symbols"
            raise InputError(f"the text is {type(text).__name__}; the model was fitted on {kind}")
        numbers = {symbol: number for number, symbol in enumerate(self.symbols_)}
        try:
            return np.fromiter((numbers[symbol] for symbol in text), np.int32, len(text))
        except KeyError:
            place = next(i for i, symbol in enumerate(text) if symbol not in numbers)
            raise InputError(
                f"the text has {text[place]!r} at place {place}, which the model does not know: "
                f"it was fitted on {len(numbers)} other symbols"
            ) from None

    def decode(self, ids: Ids) -> Text:
        """Return the text of symbol numbers."""
        found = [self.symbols_[number] for number in ids]
        return "".join(found) if self.of_characters_ else found

    def learn_symbols(self, text: Text, symbols: Text | None) -> Ids:
        """Take the symbols of a text, or those given, as what may occur; return its numbers."""
        if len(text) < 2:
            raise InputError(f"the text holds {len(text)} symbols; give at least 2")
        self.of_characters_ = isinstance(text, str)
        self.symbols_ = sorted(set(text if symbols is None else symbols))
        return self.encode(text)


def pick(
    log_p: LogProbabilities, temperature: float, draw: np.random.RandomState
) -> NDArray[np.int64]:
    """Return (N,) symbols drawn from (N, V) log-probabilities at a temperature."""
    if temperature == 0:
        likeliest: NDArray[np.int64] = log_p.argmax(axis=1)
        return likeliest
    # A temperature near 0 may send the others to −∞; the likeliest stays at 0.
    with np.errstate(over="ignore"):
        p = np.exp((log_p - log_p.max(axis=1, keepdims=True)) / temperature)
    sums = p.cumsum(axis=1)
    thresholds = draw.random_sample((len(p), 1)) * sums[:, -1:]
    # Above, not at, the threshold: a symbol of probability 0 is never drawn.
    drawn: NDArray[np.int64] = (sums <= thresholds).sum(axis=1)
    return drawn.clip(max=p.shape[1] - 1)
