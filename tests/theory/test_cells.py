"""The cells of the papers against torch's, their gradients against differences and brute force."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from latentia.nets.recurrent import RecurrentNet, set_forget_bias
from latentia.plots.theory import gradient_figure
from latentia.theory.cells import Weights, lstm_cell, rnn_cell, unroll
from latentia.theory.vanishing import norms_over_time

KINDS = ["tanh", "relu", "lstm"]


def net(cell, n_layers=1, n_units=5, dropout=0.0):
    torch.manual_seed(0)
    return RecurrentNet(cell, 7, 4, n_units, n_layers, dropout)


def texts(n=3, length=9):
    return torch.from_numpy(np.random.default_rng(0).integers(7, size=(n, length)))


def weights_of(cell):
    return Weights(cell.weight_ih, cell.weight_hh, cell.bias_ih + cell.bias_hh)


def test_the_lstm_cell_is_torchs():
    torch.manual_seed(0)
    theirs = nn.LSTMCell(4, 5)
    x, h, c = torch.randn(3, 4), torch.randn(3, 5), torch.randn(3, 5)
    for ours, other in zip(lstm_cell(x, h, c, weights_of(theirs)), theirs(x, (h, c))):
        torch.testing.assert_close(ours, other)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_rnn_cell_is_torchs(activation):
    torch.manual_seed(0)
    theirs = nn.RNNCell(4, 5, nonlinearity=activation)
    x, h = torch.randn(3, 4), torch.randn(3, 5)
    torch.testing.assert_close(rnn_cell(x, h, weights_of(theirs), activation), theirs(x, h))


def test_an_lstm_by_hand():
    """One unit, every weight 0 but the biases: σ(0) = ½, f = σ(b_f), g = tanh(b_g)."""
    bias = torch.tensor([0.0, 2.0, 0.5, 0.0])
    weights = Weights(torch.zeros(4, 1), torch.zeros(4, 1), bias)
    h, c = lstm_cell(torch.ones(1, 1), torch.ones(1, 1), torch.full((1, 1), 3.0), weights)
    expected = 3 / (1 + np.exp(-2)) + 0.5 * np.tanh(0.5)
    assert float(c) == pytest.approx(expected)
    assert float(h) == pytest.approx(0.5 * np.tanh(expected))


@pytest.mark.parametrize("cell", KINDS)
def test_unrolled_layers_are_torchs_stack(cell):
    model, x = net(cell, n_layers=3).eval(), texts()
    kind = nn.LSTM(4, 5, 3) if cell == "lstm" else nn.RNN(4, 5, 3, nonlinearity=cell)
    for index, layer in enumerate(model.layers):
        for name, weight in layer.named_parameters():
            getattr(kind, name.replace("l0", f"l{index}")).data.copy_(weight)
    above, _ = kind(model.embedding(x.T))
    states, last = unroll(model, x)
    logits, state = model(x, model.zero_state(3))
    torch.testing.assert_close(torch.stack([now[-1][0] for now in states]), above)
    torch.testing.assert_close(logits, model.head(above).transpose(0, 1))
    torch.testing.assert_close(last, logits[:, -1])
    for layer in range(3):
        for part, value in enumerate(states[-1][layer]):
            torch.testing.assert_close(value, state[part, layer])


@pytest.mark.parametrize("cell", KINDS)
def test_gradients_are_finite_differences(cell):
    model, x = net(cell, n_layers=2).double().eval(), texts()

    def loss(*_):
        logits, _ = model(x[:, :-1], model.zero_state(3))
        return cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten())

    loss().backward()
    for weight in model.parameters():
        place = tuple(np.random.default_rng(weight.numel()).integers(weight.shape))
        found = float(weight.grad[place])
        with torch.no_grad():
            values = []
            for change in (1e-6, -2e-6):
                weight[place] += change
                values.append(float(loss()))
            weight[place] += 1e-6
        assert found == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-7)


def test_back_propagation_through_time_by_hand():
    """The sum over time of the RNN's local gradients, each with its product of Jacobians."""
    model, x = net("tanh").double(), texts(n=1, length=6)
    weights = Weights.of(model.layers[0])
    states, logits = unroll(model, x)
    loss = cross_entropy(logits, torch.tensor([2]))
    loss.backward()
    p = logits.detach().softmax(1)[0]
    p[2] -= 1
    delta = model.head.weight.detach().T @ p
    hs = [now[0][0][0].detach() for now in states]
    gradient = torch.zeros(5, 5, dtype=torch.float64)
    for t in reversed(range(6)):
        through = delta * (1 - hs[t] ** 2)
        before = hs[t - 1] if t else torch.zeros(5).double()
        gradient += torch.outer(through, before)
        delta = weights.h.detach().T @ through
    torch.testing.assert_close(model.layers[0].weight_hh_l0.grad, gradient)


@pytest.mark.parametrize("cell", KINDS)
def test_norms_are_finite_differences_of_the_states(cell):
    """∂L_T/∂h_t by changing h_t and going on from there with torch's own layer."""
    model, x = net(cell).double().eval(), texts(n=1)
    y = torch.tensor([3])
    norms = norms_over_time(model, x, y)
    assert set(norms) == ({"h", "c"} if cell == "lstm" else {"h"})
    t = 4
    with torch.no_grad():
        _, state = model(x[:, :t], model.zero_state(1))
        for part, name in enumerate(norms):
            slopes = []
            for unit in range(5):
                values = []
                for change in (1e-6, -1e-6):
                    moved = state.clone()
                    moved[part, 0, 0, unit] += change
                    if name == "c":
                        # h_t = o_t ∘ tanh(c_t) moves with c_t.
                        moved[0] *= torch.tanh(moved[1]) / torch.tanh(state[1])
                    logits, _ = model(x[:, t:], moved)
                    values.append(float(cross_entropy(logits[:, -1], y)))
                slopes.append((values[0] - values[1]) / 2e-6)
            assert norms[name][t - 1] == pytest.approx(np.linalg.norm(slopes), rel=1e-5)


def test_an_rnn_with_a_scaled_rotation_vanishes_by_that_scale():
    """W_h = 0.8 Q and units in the linear range: each step back costs a factor of 0.8."""
    model = net("relu", n_units=4)
    with torch.no_grad():
        layer = model.layers[0]
        layer.weight_hh_l0.copy_(0.8 * torch.eye(4)[[1, 2, 3, 0]])
        layer.bias_ih_l0.fill_(10.0)
        layer.weight_ih_l0.zero_()
    norms = norms_over_time(model, texts(), torch.tensor([0, 1, 2]))["h"]
    np.testing.assert_allclose(norms[:-1] / norms[1:], 0.8, rtol=1e-5)


def test_an_open_forget_gate_keeps_the_gradient():
    model, x, y = net("lstm"), texts(length=40), torch.tensor([0, 1, 2])
    reach = {}
    for bias in (-2.0, 8.0):
        set_forget_bias(model, bias)
        norms = norms_over_time(model, x, y)["c"]
        reach[bias] = norms[0] / norms[-1]
    assert reach[-2.0] < 1e-10
    assert reach[8.0] > 0.1


def test_the_figure_shows_every_curve():
    norms = {"RNN, tanh": np.geomspace(1e-8, 1, 20), "LSTM (셀 상태)": np.geomspace(0.5, 1, 20)}
    figure = gradient_figure({"as built": norms, "trained": norms})
    for axes in figure.axes:
        assert axes.get_yscale() == "log"
        assert [line.get_label() for line in axes.get_lines()] == list(norms)
    figure.canvas.draw()
