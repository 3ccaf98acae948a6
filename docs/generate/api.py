"""The pages of the API: a page for each public class, and one for each module of functions."""

from __future__ import annotations

from pathlib import Path

import latentia

MODULES = {
    "latentia.explore": "The latent space as a place to work in",
    "latentia.theory.divergences": "Divergences",
    "latentia.theory.minimax": "The minimax game",
    "latentia.theory.lipschitz": "Lipschitz constants",
    "latentia.theory.monte_carlo": "Monte Carlo",
    "latentia.theory.densities": "Densities",
    "latentia.metrics.frechet": "Fréchet distance",
    "latentia.metrics.precision_recall": "Precision and recall",
    "latentia.metrics.clustering": "Agreement of clusters",
    "latentia.metrics.importance": "Importance-weighted bounds",
    "latentia.models.factors.standard_errors": "Standard errors of factor analysis",
    "latentia.models.factors.bootstrap": "Bootstrap of factor analysis",
    "latentia.models.factors.robust": "Robust tests of factor analysis",
    "latentia.models.factors.invariance": "Factor analysis in several groups",
    "latentia.models.linear.moments": "Moments, gathered in pieces",
    "latentia.models.linear.patterns": "Patterns of gaps, gathered in pieces",
    "latentia.models.factors.contingency": "Contingency tables, gathered in pieces",
}


def write_api(source: Path) -> None:
    """Write the pages of the public names and of the modules of functions."""
    folder = source / "api"
    folder.mkdir()
    classes = [n for n in latentia.__all__ if isinstance(getattr(latentia, n), type)]
    functions = [n for n in latentia.__all__ if n not in classes and callable(getattr(latentia, n))]
    for name in classes:
        options = ":members:\n:inherited-members: BaseEstimator, object"
        if name in ("InputError", "Loss", "Update"):
            options = ":members:"
        (folder / f"{name}.md").write_text(
            f"# latentia.{name}\n\n{_link(name)}"
            + rst(f".. currentmodule:: latentia\n\n.. autoclass:: latentia.{name}", options)
        )
    body = "".join(rst(f".. autofunction:: latentia.{n}", "") for n in functions)
    (folder / "functions.md").write_text(f"# Functions of latentia\n\n{body}")
    for module, title in MODULES.items():
        (folder / f"{module}.md").write_text(
            f"# {title}\n\n" + rst(f".. automodule:: {module}", ":members:\n:imported-members:"
                                   if module == "latentia.explore" else ":members:"),
            "utf-8",
        )  # fmt: skip
    pages = "\n".join(["functions", *classes, *MODULES])
    (folder / "index.md").write_text(
        "# API\n\nWhat `import latentia` offers is public: models, `load_data`, `compare`, "
        "`evaluate`, `load` and a few more. The modules below are public too. Everything else may "
        f"change from one version to the next.\n\n```{{toctree}}\n:maxdepth: 1\n\n{pages}\n```\n",
        "utf-8",
    )


def _link(name: str) -> str:
    from latentia.models.fields import command_name

    if name not in latentia.MODELS:
        return ""
    page = f"../models/{command_name(name)}.md"
    return f"Idea, equations, fields and figures: [{name}]({page}).\n\n"


def rst(directive: str, options: str) -> str:
    """Return a directive of reStructuredText within MyST."""
    lines = "\n".join("   " + line for line in options.splitlines())
    return f"```{{eval-rst}}\n{directive}\n{lines}\n```\n\n".replace("\n\n```\n", "\n```\n")
