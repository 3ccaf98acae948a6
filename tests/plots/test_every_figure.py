"""A law of every figure: an axis with numbers says of what, and there is room for each panel."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import latentia.plots
from latentia.metrics.neighbours import NearestTraining
from latentia.plots.curves import loss_curves
from latentia.plots.explore import image_table, plane_map
from latentia.plots.factors import criteria_chart, loadings_heat_map, path_diagram, scree
from latentia.plots.features import kernel_figure, layers_figure, sizes_figure
from latentia.plots.game import game_figure, minimax_figure
from latentia.plots.latent import latent_map
from latentia.plots.memorisation import memorisation_figure
from latentia.plots.search_figure import search_figure
from latentia.plots.style import new_figure
from latentia.plots.theory import (
    asymmetry_figure,
    densities_figure,
    expectation_figure,
    gradient_figure,
    parallel_lines_figure,
)
from tests import outlines

X = np.linspace(-1.0, 3.0, 9)
N = np.array([1.0, 10.0, 100.0])
IMAGES = np.random.default_rng(0).random((4, 8, 8))
TICKS = np.array([-1.0, 1.0]), np.array([1.0, -1.0])
LOADINGS = np.array([[0.1, -0.8], [0.7, 0.2], [0.31, 0.5]])
RECORD = {"epoch": 1, "split": "train", "values": {"generator": 1.0, "generator/penalty": 2.0}}
FIGURES = {
    asymmetry_figure: lambda: asymmetry_figure(X, X**2, [("KL(p, q)", X + 1)]),
    criteria_chart: lambda: criteria_chart({"MAP": 2, "parallel analysis": 3}, 2),
    densities_figure: lambda: densities_figure(
        X, [("N(0, 1)", X**2)], (N[:2], N[:2]), (X[:3], X[:4], IMAGES[0, :4, :3])
    ),
    expectation_figure: lambda: expectation_figure(N, 1 / N, (-1 / N, 2 / N), 0.0, "E x"),
    game_figure: lambda: game_figure(
        X, X**2, X[:3], [(step, X**2, X / 9, X[:3]) for step in (0, 9)], (N, N, N)
    ),
    gradient_figure: lambda: gradient_figure({t: {"RNN": N} for t in ("untrained", "trained")}),
    image_table: lambda: image_table([("a", IMAGES)], "abcd", ["efgh"], "a title"),
    kernel_figure: lambda: kernel_figure([np.eye(3)] * 4, IMAGES, "abcd", "a title"),
    latent_map: lambda: latent_map(IMAGES[0, :, :2], np.arange(8) % 2, ("a", "b")),
    layers_figure: lambda: layers_figure([("a", IMAGES)], IMAGES[0], "a title"),
    loadings_heat_map: lambda: loadings_heat_map(LOADINGS, ("a", "b", "c"), ("F1", "F2")),
    loss_curves: lambda: loss_curves([RECORD]),
    memorisation_figure: lambda: memorisation_figure(
        NearestTraining(IMAGES, IMAGES, np.arange(4), np.ones(4))
    ),
    minimax_figure: lambda: minimax_figure(X, (X**2, X**2), (X / 9, X / 9), N, -N, -N),
    parallel_lines_figure: lambda: parallel_lines_figure(X, X**2, X**2, X**2),
    path_diagram: lambda: path_diagram(LOADINGS, ("a", "b", "c")),
    plane_map: lambda: plane_map(None, None, (), IMAGES, TICKS, ("z₁", "z₂")),
    scree: lambda: scree(N[::-1]),
    search_figure: lambda: search_figure(
        [(n, {"beta": v}, v, "complete") for n, v in enumerate(N)], 0
    ),
    sizes_figure: lambda: sizes_figure([(5, 3, 2, 1, 3), (3, 3, 1, 0, 1)]),
}
NAMED = {criteria_chart: "y", loadings_heat_map: "xy", game_figure: "xy"}
"""Axes along which names stand, and a game's, which its outer panels name for all."""


def test_every_figure_is_here():
    found = set()
    for module in pkgutil.iter_modules(latentia.plots.__path__, "latentia.plots."):
        for function in vars(importlib.import_module(module.name)).values():
            if inspect.isfunction(function) and function.__module__ == module.name:
                shown = inspect.signature(function).return_annotation
                if shown == "Figure" and not function.__name__.startswith("_"):
                    found.add(function)
    assert found - {new_figure} == {*FIGURES}


@pytest.mark.parametrize("function", FIGURES, ids=lambda function: function.__name__)
def test_a_figure_is_as_kept_its_axes_say_of_what_and_each_panel_has_room(function):
    figure = FIGURES[function]()
    outlines.hold(function.__name__, figure)
    for axes in figure.axes:
        for name in "xy":
            ticks = getattr(axes, f"get_{name}ticklabels")()
            shown = [text for text in ticks if text.get_visible() and text.get_text()]
            # Axes that share a scale name it once.
            shared = getattr(axes, f"get_shared_{name}_axes")().get_siblings(axes)
            words = [getattr(each, f"get_{name}label")() for each in shared]
            named = not shown or not axes.axison or name in NAMED.get(function, "")
            assert named or any(words), (name, [text.get_text() for text in shown])
        if axes.axison and axes.get_label() != "<colorbar>":
            n_rows, n_columns = axes.get_gridspec().get_geometry()
            width, height = figure.get_size_inches()
            assert width / n_columns >= 1.5
            assert height / n_rows >= 1
