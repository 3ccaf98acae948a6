"""The recurrent neural network as a language model.

    h_t = φ(W_x x_t + W_h h_{t−1} + b),  φ = tanh or ReLU          ([1]_; [2]_ for ReLU)
    p(x_{t+1} | x_1..x_t) = softmax(V h_t + a)                     ([3]_)

with x_t the vector of the t-th symbol. Training is that of `latentia.models.language.recurrent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from latentia.models.language.recurrent import RecurrentLanguageModel
from latentia.nets.recurrent import RecurrentNet


@final
@dataclass(eq=False, repr=False, kw_only=True)
class RNNLanguageModel(RecurrentLanguageModel):
    """Recurrent neural network that predicts a text's next character [1]_.

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

    References
    ----------
    .. [1] J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
    .. [2] V. Nair, G. E. Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines",
       ICML 2010.
    .. [3] T. Mikolov et al., "Recurrent neural network based language model", Interspeech 2010.

    Examples
    --------
    >>> model = RNNLanguageModel(n_units=16, n_epochs=40, random_state=0).fit("abcd" * 50)
    >>> model.sample(length=6, prompt="ab", temperature=0)
    ['abcdabcd']
    """

    activation: Literal["tanh", "relu"] = "tanh"
    """φ, what the units do with their sums."""

    def recurrent_net(self) -> RecurrentNet:
        """Return a new net for the model's symbols."""
        return RecurrentNet(
            self.activation,
            len(self.symbols_),
            self.n_embedding,
            self.n_units,
            self.n_layers,
            self.dropout,
        )
