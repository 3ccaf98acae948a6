"""``latentia explore``: walks, maps, edits and blends in a trained model's latent space."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentia.cli.parser import SAVED, Parser, add_command, saved_model
from latentia.errors import InputError
from latentia.files import refuse_existing

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
SAMPLES = (*MOVING, "neighbours", "invert")
LABELLED = ("map", "attribute", "neighbours")
DRAWN = ("interpolate", "map", "traverse", "invert")
WALKS = ("interpolate", "traverse", "blend", "invert")

LISTS: Mapping[str, tuple[tuple[str, ...], type, Any, str]] = {
    "--rows": (SAMPLES, int, None, "test samples, counted from 0"),
    "--images": (SAMPLES, Path, None, "picture files of one's own, cropped to fit"),
    "--labels": (LABELLED, str, None, "FILE.npy, FILE.npz:key, or keys of the data's own .npz"),
    "--strengths": (("attribute",), float, [-2, -1, 0, 1, 2], "default: -2 -1 0 1 2"),
    "--coordinates": (("map", "traverse"), int, None, "latent coordinates, counted from 0"),
    "--weights": (("blend",), float, None, "one for each sample, summing to 1"),
}
VALUES: Mapping[str, tuple[tuple[str, ...], type, Any, str]] = {
    "--attribute": (("attribute",), str, None, "which one of the labels (default: the first)"),
    "--n-coordinates": (("traverse",), int, 10, "how many of the most important (default: 10)"),
    "--reach": (("traverse",), float, 3.0, "standard deviations to each side (default: 3)"),
    "--n-grid": (("map",), int, 20, "cells across and down (default: 20)"),
    "--n-neighbours": (("neighbours",), int, 6, "how many (default: 6)"),
    "--n-steps": (WALKS, int, None, "of the walk, or of the descent"),
    "--n-restarts": (("invert",), int, None, "starts for each sample"),
    "--prior-weight": (("invert",), float, 0.0, "of ‖z‖²/2 beside the squared error (default: 0)"),
    "--frames-per-second": (MOVING, float, 10.0, "of a .gif or .mp4 (default: 10)"),
    "--random-state": (DRAWN, int, 0, "of what is drawn (default: 0)"),
}
SWITCHES = {
    "--orthogonal": ("attribute", "step along no other attribute's classifier"),
    "--residual": ("attribute", "add back what the model could not reconstruct"),
    "--spherical": ("interpolate", "along great circles instead of lines"),
}
"""Which actions have an option, its type, its default and its help."""


def explore(parser: Parser, words: list[str]) -> None:
    """Walk, map, edit and blend in a trained model's latent space."""
    parser.epilog = "'latentia explore ACTION --help' tells an action's options."
    chosen = add_command(parser, words, ACTIONS, "explore has no action", "ACTION")
    parser.set_defaults(call=lambda _: parser.print_help())
    if chosen is not None:
        _add_options(chosen, words[0])
        chosen.set_defaults(call=_explore, action=words[0])


def _add_options(parser: Parser, action: str) -> None:
    parser.add_argument("run", type=saved_model, help=SAVED)
    parser.add_argument("--data", help="a data set (default: the one it was trained on)")
    endings = ", ".join(SUFFIXES if action in MOVING else SUFFIXES[:2])
    parser.add_argument("--out", type=Path, help=f"{endings} (default: {action}.png)")
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    defaults: dict[str, Any] = {"--data": None}
    for several, options in (("+", LISTS), (None, VALUES)):
        for flag, (actions, kind, default, text) in options.items():
            if action in actions:
                parser.add_argument(flag, type=kind, nargs=several, help=text)
                defaults[flag] = default
    for flag, (owner, text) in SWITCHES.items():
        if action == owner:
            parser.add_argument(flag, action="store_true", help=text)
    if action == "attribute":
        parser.add_argument(
            "--method",
            choices=("means", "classifier"),
            default="means",
            help="difference of the classes' means, or a linear classifier's normal",
        )
        parser.add_argument(
            "--check",
            action=argparse.BooleanOptionalAction,
            help="let classifiers of pixels judge the edit (default)",
        )
        defaults["--check"] = True
    parser.set_defaults(defaults=defaults)


def _explore(given: argparse.Namespace) -> None:
    given.asked = set()
    for flag, default in given.defaults.items():
        name = flag.removeprefix("--").replace("-", "_")
        if getattr(given, name) is None:
            setattr(given, name, default)
        else:
            given.asked.add(flag)
    _check(given.action, given)
    from latentia.cli.explore_actions import run

    for line in run(given.action, given):
        print(line)


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
    refuse_existing(given.out, given.overwrite)
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
