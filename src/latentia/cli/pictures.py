"""``latentia translate`` and ``latentia upscale``: pictures and folders of them through a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from latentia.cli.parser import SAVED, Parser, saved_model
from latentia.cli.streams import tell
from latentia.errors import InputError

if TYPE_CHECKING:
    from latentia.data.picture_files import Order
    from latentia.models.translation.files import Outcome

SOME_FAILED = 1
RULES = """\
A folder's pictures keep their tree and their names; a format that cannot be written, or does not
hold the result, becomes .png. EXIF rotation is applied. Inputs are never written to, and files that
exist stay unless --overwrite is given. A picture that cannot be used is named, the others are made,
and the exit status is then 1. Files that are no pictures by their names are only named.

IMAGE and --out may be addresses that fsspec understands (extra 'remote'). Many processes or
machines share the work by --shard i/n, every n-th picture from the i-th on. A manifest tells of
each picture made, and what is started again with --skip-existing goes on with both."""
TRANSLATE = f"""\
Translate pictures with a trained model, at their own size.

Pictures smaller than the model was trained on are continued to that size by reflection; those of
more than 1024 x 1024 pixels are translated in tiles, which differ a little from the whole picture.
--resize translates at the size of training and resizes the result back. Grey pictures are shown to
a model of colours in three equal channels, colours to a grey one as their luma; transparency is
laid on white; the result has the channels of the model, and 16 bits for 16-bit grey if it is
grey.

{RULES}"""
UPSCALE = f"""\
Make pictures larger with a trained model; 'bicubic' as RUN interpolates.

Grey stays grey, 16-bit grey stays 16-bit. A model of grey images enlarges the luma of colours, and
bicubic interpolation their chroma. Transparency is enlarged by bicubic interpolation. Memory is
bounded by tiles, which give what the whole picture gives.

{RULES}"""


def translate(parser: Parser, words: list[str]) -> None:
    """Translate pictures with a trained model from image to image."""
    _add_pictures(parser, TRANSLATE)
    parser.add_argument("--reverse", action="store_true", help="from the target's side back")
    parser.add_argument(
        "--resize", action="store_true", help="translate at the size of training, then resize back"
    )
    _add_tiles(parser, "1024, where a picture is larger", "a quarter of the tile")
    parser.set_defaults(call=_translate)


def _translate(given: argparse.Namespace) -> int:
    from latentia.models.translation.files import Cut, translate

    outcome = translate(
        given.run,
        _order(given),
        Cut(given.tile, given.overlap),
        reverse=given.reverse,
        resize=given.resize,
        progress=True,
    )
    return _told(outcome, given)


def upscale(parser: Parser, words: list[str]) -> None:
    """Make pictures larger with a trained model."""
    _add_pictures(parser, UPSCALE)
    parser.add_argument("--scale", type=int, help="of bicubic: 2, 3, 4, 6 or 8 (default: 4)")
    exact = "what makes the result that of the whole picture, at most half a tile; less is faster"
    _add_tiles(parser, "256", exact)
    parser.set_defaults(call=_upscale)


def _upscale(given: argparse.Namespace) -> int:
    from latentia.models.translation.files import Cut, upscale

    cut = Cut(given.tile, given.overlap)
    return _told(upscale(given.run, _order(given), cut, given.scale, progress=True), given)


def _add_pictures(parser: Parser, description: str) -> None:
    parser.description, parser.formatter_class = description, argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=saved_model, metavar="RUN", help=SAVED)
    parser.add_argument(
        "images",
        type=_place,
        nargs="*",
        metavar="IMAGE",
        help="picture files, folders of them, or addresses",
    )
    parser.add_argument("--out", type=_place, required=True, help="the folder for the results")
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="LIST",
        help="a list of pictures, .jsonl, .csv or .parquet with 'source' and perhaps 'output', or "
        ".txt; paths are from its folder on",
    )
    parser.add_argument("--shard", metavar="i/n", help="make part i of n (default: 1/1)")
    parser.add_argument(
        "--manifest-out",
        type=Path,
        metavar="FILE.jsonl",
        help="write a line for each picture made: source, output, size, sha256",
    )
    parser.add_argument(
        "--failures",
        type=Path,
        metavar="FILE.jsonl",
        help="write a line for each picture that could not be used: source, error",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace results that exist")
    existing.add_argument(
        "--skip-existing", action="store_true", help="make only those that do not"
    )


def _add_tiles(parser: Parser, tile: str, overlap: str) -> None:
    parser.add_argument("--tile", type=int, help=f"side of tiles in pixels (default: {tile})")
    parser.add_argument("--overlap", type=int, help=f"pixels that tiles share (default: {overlap})")


def _place(text: str) -> Path | str:
    """Return a path, or an address as it is: a path would lose one of its two slashes."""
    from latentia.data.remote import is_address

    return text if is_address(text) else Path(text)


def _order(given: argparse.Namespace) -> Order:
    from latentia.data.manifests import Ledger, shard
    from latentia.data.picture_files import order

    if not given.images and given.manifest is None:
        raise InputError("which pictures? Give files, folders or addresses, or --manifest LIST")
    return order(
        given.images,
        given.out,
        "skip" if given.skip_existing else "replace" if given.overwrite else "refuse",
        manifest=given.manifest,
        shard=shard(given.shard or "1/1"),
        ledger=Ledger(given.manifest_out, given.failures),
    )


def _told(outcome: Outcome, given: argparse.Namespace) -> int:
    """Say what was made and what was not; return the exit status."""
    n = len(outcome.made)
    print(f"{given.out}: {n} picture{'' if n == 1 else 's'}")
    if not outcome.failed:
        return 0
    from latentia.data.folders import listed

    n_all = n + len(outcome.failed)
    which = listed(outcome.bad) if given.failures is None else f"see {given.failures}"
    tell(f"{len(outcome.failed)} of {n_all} pictures could not be used: {which}")
    return SOME_FAILED
