"""What a GAN minimises, computed: max over D of V(G, D) is −log 4 + 2 JSD(p_data, p_g)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from latentia.files import write_atomically
from latentia.plots.game import minimax_figure
from latentia.plots.style import png_bytes
from latentia.theory.minimax import (
    optimal_logit,
    train_discriminator,
    value,
    virtual_criterion,
)

SHIFTS = np.linspace(0, 8, 41)


def main() -> None:
    """Hold V(G, D*) against −log 4 + 2 JSD as p_g moves away, and a trained D against D*."""
    p_data = norm(0, 1)
    others = [norm(shift, 1) for shift in SHIFTS]
    values = np.array([value(optimal_logit(p_data, p_g), p_data, p_g) for p_g in others])
    criterion = np.array([virtual_criterion(p_data, p_g) for p_g in others])
    for i in (0, 5, 10, 20, 40):
        print(
            f"means {SHIFTS[i]:.0f} apart: V(G, D*) {values[i]:.6f}, "
            f"−log 4 + 2 JSD {criterion[i]:.6f} nats"
        )
    print(f"largest difference {np.abs(values - criterion).max():.1e} nats")
    p_g = norm(2, 1.3)
    samples = [p.rvs(2000, random_state=seed) for seed, p in enumerate((p_data, p_g))]
    trained, optimal = train_discriminator(*samples), optimal_logit(p_data, p_g)
    left = value(trained, p_data, p_g)
    print(f"trained D: V(G, D) {left:.4f}, at most {value(optimal, p_data, p_g):.4f} nats")
    x = np.linspace(-3.5, 6.5, 400)
    judges = expit(optimal(x)), expit(trained(x))
    figure = minimax_figure(x, (p_data.pdf(x), p_g.pdf(x)), judges, SHIFTS, values, criterion)
    write_atomically(Path("jsd_derivation.png"), png_bytes(figure))


if __name__ == "__main__":
    main()
