"""The recurrent units of the lectures and papers, one equation a line.

    RNN [1]_    h_t = φ(W_x x_t + W_h h_{t−1} + b),  φ = tanh or ReLU
    LSTM [2]_   i_t = σ(W_xi x_t + W_hi h_{t−1} + b_i)          input gate
                f_t = σ(W_xf x_t + W_hf h_{t−1} + b_f)          forget gate [3]_
                g_t = tanh(W_xg x_t + W_hg h_{t−1} + b_g)       what may be written
                o_t = σ(W_xo x_t + W_ho h_{t−1} + b_o)          output gate
                c_t = f_t ∘ c_{t−1} + i_t ∘ g_t
                h_t = o_t ∘ tanh(c_t)

Training runs torch's own layers, which do the same sums faster; these functions serve where every
state is needed (`latentia.theory.vanishing`), and tests compare the two.

Shapes: ``x_t`` is (N, E), ``h`` and ``c`` are (N, H); an LSTM's W_x is (4H, E), W_h (4H, H) and
b (4H,), the gates below each other in the order i, f, g, o.

References
----------
.. [1] J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
.. [2] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997.
.. [3] F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to Forget: Continual Prediction with LSTM",
   Neural Computation 12, 2000, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, cast

import torch
from torch import Tensor, nn

from latentia.nets.recurrent import RecurrentNet


@dataclass(frozen=True)
class Weights:
    """The weights of one layer: of the input, of the state before, and the bias."""

    x: Tensor
    h: Tensor
    b: Tensor

    @classmethod
    def of(cls, layer: nn.Module) -> Self:
        """Return the weights of torch's layer, its two biases as one."""
        bias = cast(Tensor, layer.bias_ih_l0) + cast(Tensor, layer.bias_hh_l0)
        return cls(cast(Tensor, layer.weight_ih_l0), cast(Tensor, layer.weight_hh_l0), bias)


def rnn_cell(
    x_t: Tensor, h: Tensor, weights: Weights, activation: Literal["tanh", "relu"]
) -> Tensor:
    """Return h_t of an Elman network."""
    a_t = x_t @ weights.x.T + h @ weights.h.T + weights.b
    return torch.tanh(a_t) if activation == "tanh" else torch.relu(a_t)


def lstm_cell(x_t: Tensor, h: Tensor, c: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
    """Return h_t and c_t of a long short-term memory."""
    i, f, g, o = (x_t @ weights.x.T + h @ weights.h.T + weights.b).chunk(4, dim=1)
    c_t = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h_t = torch.sigmoid(o) * torch.tanh(c_t)
    return h_t, c_t


def unroll(net: RecurrentNet, x_NT: Tensor) -> tuple[list[list[tuple[Tensor, ...]]], Tensor]:
    """Return every state of a net that reads from zero, and the logits after the last symbol.

    Returns
    -------
    states
        ``states[t][layer]`` is (h_t,) or (h_t, c_t), each (N, H) and in the graph.
    logits
        (N, n_symbols).
    """
    weights = [Weights.of(layer) for layer in net.layers]
    before = [tuple(part) for part in net.zero_state(len(x_NT)).unbind(1)]
    states = []
    for x_t in net.embedding(x_NT).unbind(1):
        now: list[tuple[Tensor, ...]] = []
        for weight, state in zip(weights, before):
            if net.cell == "lstm":
                now.append(lstm_cell(x_t, state[0], state[1], weight))
            else:
                now.append((rnn_cell(x_t, state[0], weight, net.cell),))
            x_t = now[-1][0]
        states.append(now)
        before = now
    return states, net.head(before[-1][0])
