"""What the mathematics of the lectures refuses, each in its whole sentence."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from latentia.errors import InputError
from latentia.theory.convolution import output_size
from latentia.theory.densities import as_density, mixture
from latentia.theory.divergences import js_divergence, kl_divergence, wasserstein
from latentia.theory.lines import parallel_lines
from latentia.theory.lipschitz import check_lipschitz
from latentia.theory.minimax import train_discriminator, value
from latentia.theory.monte_carlo import expectation


def of_theory():
    p, q = np.array([0.25, 0.75]), np.array([0.5, 0.25, 0.25])
    half = (0.0, 0.5)
    return {
        "a kernel of 5 does not fit into 2 pixels with a padding of 1": lambda: output_size(
            2, 5, padding=1
        ),
        "float is no density; give a frozen continuous distribution of scipy.stats, or a function "
        "with its support": lambda: as_density(3.5),
        "the support of a density function is (1.0, 0.5); give as_density(p, (low, high)), finite "
        "and increasing": lambda: as_density(np.cos, (1.0, 0.5)),
        "the density integrates to 0.5 over (0.0, 0.5), not to 1": lambda: as_density(
            np.ones_like, half
        ),
        "the density returns shape () for (4097,) points": lambda: as_density(lambda x: 1, half),
        "the density is -1 at 0; it must be finite and at least 0": lambda: as_density(
            lambda x: -np.ones_like(x), half
        ),
        "2 components have 3 weights; give one each": lambda: mixture([norm(0), norm(1)], q),
        "q has shape (2, 1); give a vector of probabilities": lambda: kl_divergence(p, p[:, None]),
        "p holds NaN or infinity; probabilities are finite": lambda: kl_divergence([np.nan], p),
        "q holds -0.5; probabilities are at least 0": lambda: kl_divergence(p, [-0.5, 1.5]),
        "p sums to 1.5; probabilities sum to 1": lambda: kl_divergence([0.75, 0.75], p),
        "p has 2 probabilities, q has 3; give equally many": lambda: js_divergence(p, q),
        "x_p is missing; W₁ needs the places of the probabilities": lambda: wasserstein(p, p),
        "x_p has shape (3,); give 2 finite places, one for each": lambda: wasserstein(p, q, q, q),
        "x_q has shape (2,); give 3 finite places, one for each": lambda: wasserstein(p, q, p, p),
        "x_p and x_q are places of probabilities; densities need none": lambda: wasserstein(
            norm(0), norm(1), x_q=p
        ),
        "theta has shape (2, 1); give a vector of finite distances": lambda: parallel_lines(
            p[:, None]
        ),
        "there are 2 probabilities and logits of shape (3,)": lambda: value(q, p, p),
        "every sample is 3; there is nothing to discriminate": lambda: train_discriminator(
            [3.0, 3.0], [3.0]
        ),
        "data have shape (0, 2), samples (3, 2); give at least one of each, of one shape": lambda: (
            check_lipschitz(nn.Linear(2, 1), torch.zeros(0, 2), torch.zeros(3, 2))
        ),
        "data have shape (3, 2), samples (0, 2); give at least one of each, of one shape": lambda: (
            check_lipschitz(nn.Linear(2, 1), torch.zeros(3, 2), torch.zeros(0, 2))
        ),
        "f returns shape (1,) for 7 draws; it must return 7 finite values": lambda: expectation(
            lambda x: x[:1], norm(0), 7
        ),
    }


@pytest.mark.parametrize("kind", [of_theory])
def test_every_refusal_names_what_was_given(kind):
    for sentence, asked in kind().items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence
