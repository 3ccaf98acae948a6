"""The n-gram model with back-off, by interpolated Kneser-Ney or Witten-Bell smoothing.

With c the last k − 1 symbols, c′ the last k − 2, and N(c, w) how often w followed c:

    p_k(w | c) = s_k(c, w) + β_k(c) p_{k−1}(w | c′),  p_0 = 1/V

    Kneser-Ney [1]_, [2]_   s = max(N(c, w) − D, 0) / N(c),  β = D · N₁₊(c) / N(c)
    Witten-Bell [3]_        s = N(c, w) / (N(c) + N₁₊(c)),   β = N₁₊(c) / (N(c) + N₁₊(c))

N₁₊(c) counts the different symbols after c. Kneser-Ney counts, below the highest order, in how
many different contexts a gram was seen, N₁₊(• c w), and takes D = n₁ / (n₁ + 2 n₂) of each order,
n_i the grams counted i times; where n₁ or n₂ is 0, as in short texts, the formula would give 0 or
1, which leaves nothing for new grams or for those seen once, and D is ½ ([4]_'s fallback). After a
c that was not seen, p_k = p_{k−1}.

Each order keeps its grams as sorted numbers ``g · V + w``, g the place of the shorter gram in its
own order's list: look-ups are binary searches, for a whole text at once. Shapes: a list of G grams
has keys and shares (G,); an order's back-offs have the length of the list below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Dataset
from latentia.errors import InputError, Range
from latentia.models.exported import Exported
from latentia.models.language.base import Ids, LanguageModel, LogProbabilities, Text

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
UNSEEN = -1
FALLBACK = 0.5
"""Kneser-Ney's D where it cannot be estimated."""


@dataclass(frozen=True)
class Order:
    """The grams of one length: keys, their share s, and β of each context."""

    keys: Whole
    shares: Real
    backoffs: Real

    def find(self, contexts: Whole, ids: NDArray[Any], n_symbols: int) -> Whole:
        """Return the places of grams, given their contexts' places; or `UNSEEN`."""
        wanted = contexts * n_symbols + ids
        places = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        known = (contexts != UNSEEN) & (self.keys[places] == wanted)
        found: Whole = np.where(known, places, UNSEEN)
        return found


State = tuple[list[Order], Whole]
"""The orders, and (N, order): the place of the gram of each length from 0 that ends here."""


@final
@dataclass(eq=False, repr=False, kw_only=True)
class NGramLanguageModel(LanguageModel):
    """Model of a symbol given the last few, which backs off to fewer [2]_.

    ``score`` is the mean log-probability of a symbol in nats.

    Attributes
    ----------
    symbols_, of_characters_
        What may occur, and whether texts are strings.
    keys_, shares_, backoffs_
        The orders' arrays, one after the other.
    sizes_
        (order,) how many grams each order has.
    assumed_discounts_
        Lengths of the grams whose D was taken to be ½, since n₁ or n₂ is 0.

    References
    ----------
    .. [1] R. Kneser, H. Ney, "Improved backing-off for M-gram language modeling", ICASSP 1995.
    .. [2] S. F. Chen, J. Goodman, "An Empirical Study of Smoothing Techniques for Language
       Modeling", Computer Speech and Language 13, 1999, sections 2.7 and 3.
    .. [3] I. H. Witten, T. C. Bell, "The zero-frequency problem", IEEE Transactions on Information
       Theory 37, 1991, method C.
    .. [4] K. Heafield et al., "Scalable Modified Kneser-Ney Language Model Estimation", ACL 2013;
       the program KenLM takes 0.5 under --discount_fallback.

    Examples
    --------
    >>> model = NGramLanguageModel(order=3).fit("abcd" * 50)
    >>> model.sample(length=6, prompt="ab", temperature=0)
    ['abcdabcd']
    """

    order: Annotated[int, Range(1, 20)] = 5
    """Length of the longest gram: a symbol is predicted from the order − 1 before it."""
    smoothing: Literal["kneser_ney", "witten_bell"] = "kneser_ney"
    """How much each order leaves to the one below."""

    def n_parameters(self) -> int:
        """Return how many numbers were learnt: shares and back-offs of grams."""
        return int(self.shares_.size + self.backoffs_.size)

    def fit(self, text: Text, y: object = None, *, symbols: Text | None = None) -> Self:
        """Count a text's grams; ``symbols`` says what may occur, if it is more than does."""
        with self.learning():
            self.validate_parameters()
            ids = self.learn_symbols(self.checked(text, reset=True), symbols)
            if len(ids) < self.order:
                raise InputError(
                    f"the text holds {len(ids)} symbols, fewer than the order {self.order}"
                )
            self._keep(self._counted(ids))
        return self

    def _counted(self, ids: Ids) -> list[Order]:
        """Return the smoothed grams of each length in a text."""
        V = len(self.symbols_)
        places: list[Whole] = [np.zeros(len(ids) + 1, np.int64)]
        found: list[tuple[Whole, Whole, Whole]] = []
        for k in range(1, self.order + 1):
            # Gram k that ends at t: its context is the gram of length k − 1 that ends at t − 1.
            contexts = places[-1][: len(ids) - k + 1]
            grams = contexts * V + ids[k - 1 :]
            keys, first, inverse, counts = np.unique(
                grams, return_index=True, return_inverse=True, return_counts=True
            )
            places.append(inverse)
            found.append((keys, first, counts))
        orders, assumed = list[Order](), list[int]()
        for k, (keys, _, counts) in enumerate(found):
            if self.smoothing == "kneser_ney" and k + 1 < len(found):
                # The gram without its first symbol ends at the same place.
                suffixes = places[k + 1][found[k + 1][1] + 1]
                counts = np.bincount(suffixes, minlength=len(keys))
            n_contexts = 1 if k == 0 else len(found[k - 1][0])
            estimated = discount_of(counts)
            if self.smoothing == "kneser_ney" and estimated is None:
                assumed.append(k + 1)
            D = FALLBACK if estimated is None else estimated
            orders.append(self._smoothed(keys, counts, keys // V, n_contexts, D))
        self.assumed_discounts_ = assumed
        return orders

    def _keep(self, orders: list[Order]) -> None:
        self.sizes_ = np.array([len(order.keys) for order in orders])
        self.keys_ = np.concatenate([order.keys for order in orders])
        self.shares_ = np.concatenate([order.shares for order in orders])
        self.backoffs_ = np.concatenate([order.backoffs for order in orders])

    def _smoothed(
        self, keys: Whole, counts: Whole, contexts: Whole, n_contexts: int, discount: float
    ) -> Order:
        kinds: Real = np.bincount(contexts[counts > 0], minlength=n_contexts).astype(np.float64)
        total: Real = np.zeros(n_contexts)
        np.add.at(total, contexts, counts)
        if self.smoothing == "witten_bell":
            shared: Real = counts.astype(np.float64)
            left, total = kinds, total + kinds
        else:
            shared, left = (counts - discount).clip(min=0), discount * kinds
        seen = total > 0
        total = np.where(seen, total, 1)
        return Order(keys, shared / total[contexts], np.where(seen, left / total, 1))

    def findings(self, data: Dataset) -> tuple[str, ...]:
        """Return where the texts are, and which discounts the text was too short to estimate."""
        said = super().findings(data)
        # A model that was saved before this was kept has none.
        lengths = ", ".join(map(str, vars(self).get("assumed_discounts_", ())))
        if not lengths:
            return said
        return (
            *said,
            f"Kneser-Ney's discount was taken to be {FALLBACK} for grams of length {lengths}: none "
            "was counted once, or none twice, from which it is estimated.",
        )

    def exported(self) -> tuple[Exported, ...]:
        """Refuse: it looks grams up, which is no graph of sums and products."""
        raise InputError(
            "an n-gram model looks its grams up in tables and has no net that could be exported; "
            "train rnn or lstm for that, and draw texts of this one with 'latentia sample'"
        )

    def orders(self) -> list[Order]:
        """Return the grams of each length, from 1 up."""
        ends = np.cumsum(self.sizes_)[:-1]
        backoff_ends = np.cumsum([1, *self.sizes_[:-1]])[:-1]
        keys, shares = np.split(self.keys_, ends), np.split(self.shares_, ends)
        return list(map(Order, keys, shares, np.split(self.backoffs_, backoff_ends)))

    def log_probabilities(self, ids: Ids) -> LogProbabilities:
        """Return (n,) log p(x_t | the order − 1 symbols before)."""
        V = len(self.symbols_)
        p: Real = np.full(len(ids), 1 / V)
        contexts = np.zeros(len(ids), np.int64)
        for order in self.orders():
            grams = order.find(contexts, ids, V)
            p = _interpolate(order, contexts, grams, p)
            # The next longer context of place t ends with the gram at t − 1.
            contexts = np.concatenate([[UNSEEN], grams[:-1]])
        log_p: LogProbabilities = np.log(p)
        return log_p

    def begin(self, n_texts: int) -> tuple[LogProbabilities, State]:
        """Return (N, V) log p of first symbols, and the state: no gram but the empty one."""
        contexts = np.full((n_texts, self.order), UNSEEN, np.int64)
        contexts[:, 0] = 0
        state = (self.orders(), contexts)
        return self._following(state), state

    def advance(self, state: State, ids: Ids) -> tuple[LogProbabilities, State]:
        """Return (N, V) log p of what follows one more symbol of each text, and the state."""
        orders, before = state
        contexts = np.zeros_like(before)
        for k, order in enumerate(orders[:-1]):
            contexts[:, k + 1] = order.find(before[:, k], ids, len(self.symbols_))
        return self._following((orders, contexts)), (orders, contexts)

    def _following(self, state: State) -> LogProbabilities:
        orders, contexts = state
        V = len(self.symbols_)
        p: Real = np.full((len(contexts), V), 1 / V)
        for order, places in zip(orders, contexts.T):
            places_NV = np.broadcast_to(places[:, None], p.shape)
            p = _interpolate(order, places_NV, order.find(places_NV, np.arange(V), V), p)
        log_p: LogProbabilities = np.log(p)
        return log_p


def discount_of(counts: Whole) -> float | None:
    """Return D = n₁ / (n₁ + 2 n₂), or None where one of both is 0."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return once / (once + 2 * twice) if once and twice else None


def _interpolate(order: Order, contexts: Whole, grams: Whole, below: Real) -> Real:
    """Return p_k from p_{k−1} where the context was seen, and p_{k−1} elsewhere."""
    share = np.where(grams == UNSEEN, 0.0, order.shares[grams])
    mixed: Real = share + order.backoffs[contexts] * below
    return np.where(contexts == UNSEEN, below, mixed)
