"""Long short-term memory as a language model.

    c_t = f_t ∘ c_{t−1} + i_t ∘ g_t,  h_t = o_t ∘ tanh(c_t)        ([1]_; [2]_ for the forget gate)
    p(x_{t+1} | x_1..x_t) = softmax(V h_t + a)

with gates i, f, o = σ(W_x x_t + W_h h_{t−1} + b), g the same with tanh (`latentia.theory.cells`
has them line by line). Where f_t is near 1 the cell c keeps what it holds, and errors flow back
through it undiminished. Training is that of `latentia.models.language.recurrent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from latentia.errors import Range
from latentia.models.language.recurrent import RecurrentLanguageModel
from latentia.nets.recurrent import set_forget_bias


@dataclass(eq=False, repr=False, kw_only=True)
class LSTMLanguageModel(RecurrentLanguageModel):
    """Long short-term memory that predicts a text's next character [1]_.

    Its figures, its ``fit`` and what it learns are those of `RecurrentLanguageModel`.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997.
    .. [2] F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to Forget: Continual Prediction with
       LSTM", Neural Computation 12, 2000, section 3.
    .. [3] R. Jozefowicz, W. Zaremba, I. Sutskever, "An Empirical Exploration of Recurrent Network
       Architectures", ICML 2015, section 4.1 (the forget gate's first bias).

    Examples
    --------
    >>> model = LSTMLanguageModel(n_units=16, n_epochs=40, random_state=0).fit("abcd" * 50)
    >>> model.sample(length=6, prompt="ab", temperature=0)
    ['abcdabcd']
    """

    forget_bias: Annotated[float, Range(-100, 100)] = 1.0
    """Bias that the forget gates start with: above 0 they start open."""

    @property
    def cell(self) -> Literal["lstm"]:
        """A layer with gates."""
        return "lstm"

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the net, with open forget gates."""
        super().build(shape)
        set_forget_bias(self.net_, self.forget_bias)
