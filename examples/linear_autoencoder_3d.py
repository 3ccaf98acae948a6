"""A linear autoencoder finds the plane of principal component analysis.

    python examples/linear_autoencoder_3d.py

draws 200 points near a plane in space, reduces them to two numbers each by gradient descent and by
PCA, prints the angles between the two planes and both errors, and writes
``linear_autoencoder_3d.png``.
"""

from pathlib import Path

import numpy as np
from scipy.linalg import subspace_angles

from latentia import PCA, LinearAutoencoder
from latentia.plots.style import COLOURS, INK, new_figure, png_bytes, style

N_POINTS = 200
NOISE = 0.1


def half_ring(n, random_state):
    """Return the lecture's (n, 3) points near a plane, and the (n,) angles that they lie at.

    x₁ = cos a + ½ sin a, x₂ = 0.7 sin a, x₃ = 0.1 x₁ + 0.3 x₂, all with normal noise.
    """
    draw = np.random.default_rng(random_state)
    angle = draw.uniform(0, 1.5 * np.pi, n) - 0.5
    noise = NOISE * draw.standard_normal((n, 3))
    x1 = np.cos(angle) + np.sin(angle) / 2 + noise[:, 0] / 2
    x2 = 0.7 * np.sin(angle) + noise[:, 1] / 2
    return np.column_stack([x1, x2, 0.1 * x1 + 0.3 * x2 + noise[:, 2]]), angle


def draw_space(axes, X, pca, angle):
    """Draw the points, the plane, and what each point loses when it is laid upon it."""
    reach = 1.15 * np.abs(pca.transform(X)).max(axis=0)
    corners = np.array([[[-1, -1], [1, -1]], [[-1, 1], [1, 1]]]) * reach
    plane = pca.inverse_transform(corners.reshape(4, 2)).reshape(2, 2, 3)
    axes.plot_surface(*np.moveaxis(plane, 2, 0), color=COLOURS[5], alpha=0.3, shade=False)
    for point, foot in zip(X, pca.reconstruct(X)):
        axes.plot(*np.column_stack([point, foot]), color=INK, linewidth=0.7)
    axes.scatter(*X.T, c=angle, cmap="viridis", s=11, depthshade=False)
    axes.set_xlabel("x₁", labelpad=2)
    axes.set_ylabel("x₂", labelpad=-3)
    axes.set_zlabel("x₃", labelpad=-5)
    axes.set_title("200 points in space, and PCA's plane", y=1.02)
    axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], zticks=[-0.5, 0, 0.5])
    axes.tick_params(pad=-1)
    axes.set_box_aspect(np.ptp(X, axis=0) + 0.3, zoom=1.08)
    axes.view_init(elev=22, azim=-66)


def draw_codes(axes, Z, angle, title):
    """Draw two-dimensional codes."""
    axes.scatter(*Z.T, c=angle, cmap="viridis", s=11)
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.axvline(0, color=INK, linewidth=0.6)
    half = 1.1 * np.abs(Z).max()
    axes.set(xlabel="z₁", ylabel="z₂", title=title, xlim=(-half, half), ylim=(-half, half))
    axes.set_box_aspect(1)


def main():
    """Fit both, print angles and errors, write the picture."""
    X, angle = half_ring(N_POINTS, random_state=0)
    pca = PCA(n_components=2).fit(X)
    model = LinearAutoencoder(
        n_components=2, n_epochs=100, batch_size=20, learning_rate=0.02, random_state=1
    ).fit(X)
    layers = (next(net.parameters()) for net in (model.decoder_, model.encoder_))
    V, U = (weights.detach().double().numpy() for weights in layers)
    W = pca.components_.T
    between = np.degrees(subspace_angles(V, W))
    print(f"principal angles between the planes: {between[0]:.3f}° and {between[1]:.3f}°")
    print(f"largest difference of V U from PCA's projection: {np.abs(V @ U - W @ W.T).max():.5f}")
    for name, each in (("PCA", pca), ("linear autoencoder", model)):
        print(f"{name:<18} squared error per point {-each.score(X):.6f}")

    with style():
        figure = new_figure(10, 3.3)
        grid = figure.add_gridspec(1, 3, width_ratios=[1.5, 1, 1])
        draw_space(figure.add_subplot(grid[0], projection="3d"), X, pca, angle)
        draw_codes(figure.add_subplot(grid[1]), pca.transform(X), angle, "PCA")
        title = "linear autoencoder: own axes"
        draw_codes(figure.add_subplot(grid[2]), model.transform(X), angle, title)
    Path("linear_autoencoder_3d.png").write_bytes(png_bytes(figure))


if __name__ == "__main__":
    main()
