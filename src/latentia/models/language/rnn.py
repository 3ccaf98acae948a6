"""The recurrent neural network as a language model.

    h_t = φ(W_x x_t + W_h h_{t−1} + b),  φ = tanh or ReLU          ([1]_; [2]_ for ReLU)
    p(x_{t+1} | x_1..x_t) = softmax(V h_t + a)                     ([3]_)

with x_t the vector of the t-th symbol. Training is that of `latentia.models.language.recurrent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from latentia.models.language.recurrent import RecurrentLanguageModel


@dataclass(eq=False, repr=False, kw_only=True)
class RNNLanguageModel(RecurrentLanguageModel):
    """Recurrent neural network that predicts a text's next character [1]_.

    Its figures, its ``fit`` and what it learns are those of `RecurrentLanguageModel`.

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

    @property
    def cell(self) -> Literal["tanh", "relu"]:
        """A plain layer."""
        return self.activation
