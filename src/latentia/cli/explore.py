"""``latentia explore``: walks, maps, edits and blends in a trained model's latent space."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentia.cli.parser import Parser, parse
from latentia.errors import InputError, nearest

ACTIONS = {
    "interpolate": "Walk through the latent space from sample to sample.",
    "map": "Draw codes by class, and a plane of the latent space decoded.",
    "traverse": "Move one latent coordinate at a time, the ones that matter most first.",
    "attribute": "Add an attribute to samples, or take it away, and check what else changes.",
    "blend": "Decode the mean of several samples' codes.",
    "neighbours": "Find what lies nearest, by codes and by pixels.",
    "invert": "Find codes by gradient descent through the decoder.",
}
FILMS = (".gif", ".mp4")
SUFFIXES = (".png", ".npz", *FILMS)
MOST_STEPS, MOST_CELLS = 1000, 200
"""Of a walk, and across a map: their images are all in memory, and beside each other."""
MOVING = ("interpolate", "traverse", "attribute", "blend")

SAMPLES = ("interpolate", "traverse", "attribute", "blend", "neighbours", "invert")
LABELLED = ("map", "attribute", "neighbours")
OPTIONS: Mapping[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "--rows": (SAMPLES, {"type": int, "nargs": "+", "help": "test samples, counted from 0"}),
    "--images": (
        SAMPLES,
        {"type": Path, "nargs": "+", "help": "picture files of one's own, cropped to fit"},
    ),
    "--labels": (
        LABELLED,
        {"nargs": "+", "help": "FILE.npy, FILE.npz:key, or keys of the data's own .npz"},
    ),
    "--attribute": (("attribute",), {"help": "which one of the labels (default: the first)"}),
    "--strengths": (
        ("attribute",),
        {"type": float, "nargs": "+", "default": [-2, -1, 0, 1, 2], "help": "default: -2 -1 0 1 2"},
    ),
    "--method": (
        ("attribute",),
        {
            "choices": ("means", "classifier"),
            "default": "means",
            "help": "difference of the classes' means, or a linear classifier's normal",
        },
    ),
    "--orthogonal": (
        ("attribute",),
        {"action": "store_true", "help": "step along no other attribute's classifier"},
    ),
    "--residual": (
        ("attribute",),
        {"action": "store_true", "help": "add back what the model could not reconstruct"},
    ),
    "--check": (
        ("attribute",),
        {
            "action": argparse.BooleanOptionalAction,
            "default": True,
            "help": "let classifiers of pixels judge the edit",
        },
    ),
    "--spherical": (
        ("interpolate",),
        {"action": "store_true", "help": "along great circles instead of lines"},
    ),
    "--coordinates": (
        ("map", "traverse"),
        {"type": int, "nargs": "+", "help": "latent coordinates, counted from 0"},
    ),
    "--n-coordinates": (
        ("traverse",),
        {"type": int, "default": 10, "help": "how many of the most important (default: 10)"},
    ),
    "--reach": (
        ("traverse",),
        {"type": float, "default": 3.0, "help": "standard deviations to each side (default: 3)"},
    ),
    "--n-grid": (
        ("map",),
        {"type": int, "default": 20, "help": "cells across and down (default: 20)"},
    ),
    "--weights": (
        ("blend",),
        {"type": float, "nargs": "+", "help": "one for each sample, summing to 1"},
    ),
    "--n-neighbours": (
        ("neighbours",),
        {"type": int, "default": 6, "help": "how many (default: 6)"},
    ),
    "--n-steps": (
        ("interpolate", "traverse", "blend", "invert"),
        {"type": int, "help": "of the walk, or of the descent"},
    ),
    "--n-restarts": (("invert",), {"type": int, "help": "starts for each sample"}),
    "--prior-weight": (
        ("invert",),
        {"type": float, "default": 0.0, "help": "of ‖z‖²/2 beside the squared error (default: 0)"},
    ),
    "--frames-per-second": (
        MOVING,
        {"type": float, "default": 10.0, "help": "of a .gif or .mp4 (default: 10)"},
    ),
    "--random-state": (
        ("interpolate", "map", "traverse", "invert"),
        {"type": int, "default": 0, "help": "of what is drawn (default: 0)"},
    ),
}
"""Which actions have an option, and what argparse is told of it."""


def explore(words: list[str]) -> int:
    """Walk, map, edit and blend in a trained model's latent space."""
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    action = words[0]
    if action not in ACTIONS:
        raise InputError(
            f"explore has no action {action!r}; choose from {', '.join(ACTIONS)}"
            f"{nearest(action, ACTIONS)}"
        )
    given = parse(_parser(action), words[1:])
    _check(action, given)
    from latentia.cli import explore_actions as explore_jobs

    for line in explore_jobs.run(action, given):
        print(line)
    return 0


def _overview() -> str:
    lines = ["usage: latentia explore ACTION RUN ...", "", f"{explore.__doc__}", ""]
    lines += [f"  {action:<12} {summary}" for action, summary in ACTIONS.items()]
    return "\n".join([*lines, "", "'latentia explore ACTION --help' tells an action's options."])


def _parser(action: str) -> Parser:
    parser = Parser(
        prog=f"latentia explore {action}", allow_abbrev=False, description=ACTIONS[action]
    )
    parser.add_argument("run", type=Path, help="a run directory or a saved model")
    parser.add_argument("--data", help="a data set (default: the one it was trained on)")
    endings = ", ".join(SUFFIXES if action in MOVING else SUFFIXES[:2])
    parser.add_argument("--out", type=Path, help=f"{endings} (default: {action}.png)")
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    for flag, (actions, settings) in OPTIONS.items():
        if action in actions:
            parser.add_argument(flag, **settings)
    return parser


def _check(action: str, given: argparse.Namespace) -> None:
    """Refuse what is wrong whatever the model and the data are, before they are loaded."""
    given.out = given.out or Path(f"{action}.png")
    allowed = SUFFIXES if action in MOVING else SUFFIXES[:2]
    if given.out.suffix not in allowed:
        raise InputError(
            f"{given.out} ends in {given.out.suffix!r}; use {', '.join(allowed)} for {action}"
        )
    if not given.out.parent.is_dir():
        raise InputError(f"there is no folder {given.out.parent} to write {given.out.name} into")
    if given.out.exists() and (given.out.is_dir() or not given.overwrite):
        raise InputError(f"{given.out} exists: give another --out, or --overwrite for a file")
    if action in SAMPLES and given.rows and given.images:
        raise InputError("--rows and --images both name samples; give one of them")
    _check_numbers(action, given)


def _check_numbers(action: str, given: argparse.Namespace) -> None:
    """Refuse numbers that no model can go with."""
    if action == "attribute" and not all(math.isfinite(s) for s in given.strengths):
        raise InputError(f"the strengths are {given.strengths}; give finite numbers such as -1 0 1")
    if action == "attribute" and given.out.suffix in FILMS and len(set(given.strengths)) < 2:
        raise InputError(f"{given.out} shows what lies between strengths; give two different ones")
    if action in ("interpolate", "traverse", "blend") and (given.n_steps or 0) > MOST_STEPS:
        raise InputError(f"--n-steps is {given.n_steps}; a walk has at most {MOST_STEPS:,}")
    if action == "map" and given.n_grid > MOST_CELLS:
        raise InputError(f"--n-grid is {given.n_grid}; a map has at most {MOST_CELLS} across")
