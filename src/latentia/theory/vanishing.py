"""How far back an error reaches: ‖∂L_T/∂h_t‖ over the time steps of a recurrent net.

    ∂L_T/∂h_t = ∂L_T/∂h_T · Π_{s=t+1..T} ∂h_s/∂h_{s−1}          ([1]_ eq. 5)
    RNN    ∂h_s/∂h_{s−1} = diag(φ′(a_s)) W_h: a product of like factors, which vanishes or explodes
    LSTM   ∂c_s/∂c_{s−1} = diag(f_s) + ...: near 1 where the forget gate is open [2]_

Shapes: ``x_NT`` holds N rows of T symbols, ``y_N`` the symbol after each row.

References
----------
.. [1] R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training Recurrent Neural
   Networks", ICML 2013, section 2.
.. [2] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997, section
   3.2.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from latentia.nets.recurrent import RecurrentNet
from latentia.theory.cells import unroll


def norms_over_time(net: RecurrentNet, x_NT: Tensor, y_N: Tensor) -> dict[str, NDArray[np.float64]]:
    """Return the norm of the gradient of the last step's loss in each step's state.

    The loss L_T is −log p(y | x_1..x_T) in nats. Norms are over the units of all layers and
    averaged over the N rows. An LSTM's c_t acts through h_t too, which its gradient includes.

    Returns
    -------
    norms
        ``"h"`` and, for an LSTM, ``"c"``: (T,) each; entry t − 1 belongs to step t.

    Examples
    --------
    >>> net = RecurrentNet("lstm", n_symbols=5, n_embedding=3, n_units=4, n_layers=1, dropout=0)
    >>> norms = norms_over_time(net, torch.zeros(2, 7, dtype=torch.int64), torch.ones(2).long())
    >>> {name: values.shape for name, values in norms.items()}
    {'h': (7,), 'c': (7,)}
    """
    with torch.enable_grad():
        states, logits = unroll(net, x_NT)
        loss = cross_entropy(logits, y_N, reduction="sum")
    names = ("h", "c")[: len(states[0][0])]
    flat = [part for now in states for layer in now for part in layer]
    gradients = torch.autograd.grad(loss, flat)
    n_layers = len(states[0])
    flat_FNH = torch.stack(gradients)
    all_TLSNH = flat_FNH.reshape(len(states), n_layers, len(names), *flat_FNH.shape[1:])
    norms_TSN = all_TLSNH.double().square().sum(dim=(1, 4)).sqrt()
    means_TS = norms_TSN.mean(dim=2).numpy()
    return {name: means_TS[:, index] for index, name in enumerate(names)}
