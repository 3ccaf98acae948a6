"""Recurrent nets over symbols: embedding, layers of RNN or LSTM units, scores of what follows.

Shapes: ``x_NT`` holds N rows of T symbol numbers, logits are (N, T, n_symbols); a state is
(S, L, N, H) for L layers of H units, S = 1 (h) for an RNN and S = 2 (h and c) for an LSTM.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.compiler import is_exporting
from torch.nn.functional import linear

from latentia.nets.normalisation import Dropout

Cell = Literal["tanh", "relu", "lstm"]


class RecurrentNet(nn.Module):
    """Layers of recurrent units between an embedding and a linear head.

    Dropout falls on what moves upwards, from layer to layer, and never on what moves in time [1]_.

    Parameters
    ----------
    cell
        The kind of unit: an RNN's with its activation, or the LSTM's.
    n_symbols, n_embedding, n_units, n_layers
        Sizes.
    dropout
        Probability that a value is dropped.

    References
    ----------
    .. [1] W. Zaremba, I. Sutskever, O. Vinyals, "Recurrent Neural Network Regularization",
       arXiv:1409.2329, 2014, section 3.2.
    """

    def __init__(
        self,
        cell: Cell,
        n_symbols: int,
        n_embedding: int,
        n_units: int,
        n_layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.cell = cell
        self.embedding = nn.Embedding(n_symbols, n_embedding)
        widths = [n_embedding, *[n_units] * n_layers]
        self.layers = nn.ModuleList(_layer(cell, *pair) for pair in pairwise(widths))
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(n_units, n_symbols)

    def zero_state(self, n: int) -> Tensor:
        """Return the (S, L, n, H) state before anything was read."""
        parts = 2 if self.cell == "lstm" else 1
        weight = self.head.weight
        return weight.new_zeros(parts, len(self.layers), n, weight.shape[1])

    def forward(self, x_NT: Tensor, state_SLNH: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, T, n_symbols) logits of the symbol after each, and the state at the end."""
        if is_exporting():
            return self._stepped(x_NT, state_SLNH)
        up_TNH = self.dropout(self.embedding(x_NT.T))
        ends = []
        # The CPU's LSTM in bfloat16 takes three times as long as in float32.
        with torch.autocast("cpu", enabled=False):
            for layer, before_SNH in zip(self.layers, state_SLNH.unbind(1)):
                up_TNH, end = layer(up_TNH, _as_torch_has_it(before_SNH.contiguous()))
                ends.append(torch.cat(end) if isinstance(end, tuple) else end)
                up_TNH = self.dropout(up_TNH)
        logits_TNV: Tensor = self.head(up_TNH)
        return logits_TNV.transpose(0, 1), torch.stack(ends, dim=1)

    def _stepped(self, x_N1: Tensor, state_SLNH: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same for one symbol of each row, written out and without dropout."""
        up_NH, ends = self.embedding(x_N1[:, 0]), []
        for layer, state_SNH in zip(self.layers, state_SLNH.unbind(1)):
            weights = cast(nn.RNNBase, layer).all_weights[0]
            of_x, of_h, bias_x, bias_h = (cast(Tensor, weight) for weight in weights)
            above = linear(up_NH, of_x, bias_x) + linear(state_SNH[0], of_h, bias_h)
            if self.cell == "lstm":
                i, f, g, o = above.chunk(4, dim=1)
                c_NH = f.sigmoid() * state_SNH[1] + i.sigmoid() * g.tanh()
                up_NH = o.sigmoid() * c_NH.tanh()
                ends.append(torch.stack([up_NH, c_NH]))
            else:
                up_NH = above.tanh() if self.cell == "tanh" else above.relu()
                ends.append(up_NH[None])
        logits_NV: Tensor = self.head(up_NH)
        return logits_NV[:, None], torch.stack(ends, dim=1)


def _layer(cell: Cell, n_inputs: int, n_units: int) -> nn.RNNBase:
    if cell != "lstm":
        return nn.RNN(n_inputs, n_units, nonlinearity=cell)
    return nn.LSTM(n_inputs, n_units)


def _as_torch_has_it(state_SNH: Tensor) -> Tensor | tuple[Tensor, Tensor]:
    return state_SNH if len(state_SNH) == 1 else (state_SNH[:1], state_SNH[1:])


@torch.no_grad()
def set_forget_bias(net: RecurrentNet, value: float) -> None:
    """Let the forget gates of an LSTM start at σ(value), so that errors flow from the first step.

    torch adds two biases; one is set, the other made 0. Its gates are in the order i, f, g, o.
    """
    for layer in net.layers:
        n = cast(int, layer.hidden_size)
        forget = slice(n, 2 * n)
        cast(Tensor, layer.bias_ih_l0)[forget] = value
        cast(Tensor, layer.bias_hh_l0)[forget] = 0.0
