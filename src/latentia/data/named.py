"""Data sets by name, and anything else by path."""

from __future__ import annotations

import dataclasses
from importlib import resources
from pathlib import Path

import numpy as np

from latentia.data import arrays, download, idx, images, picture_sources, pictures, toys
from latentia.data.dataset import Dataset, Description, ImageSize, split
from latentia.data.download import RemoteFile
from latentia.data.frames import is_moving
from latentia.data.framing import WORDS, frame_of
from latentia.data.options import USUAL, Codes, Names, TableOptions, words
from latentia.data.text import TEXT_FILES
from latentia.data.unread import cure, refuse_address
from latentia.errors import InputError, Seed, Whole, check_arguments, check_value, nearest
from latentia.files import printable

GIVE = (
    "give .npy, .npz, .csv, .xlsx, .sav, .parquet or another table, an idx file, a folder or an "
    "archive of pictures, or a video"
)
CLOTHES = "T-shirt/top,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot"
FASHION_CLASSES = tuple(CLOTHES.split(","))
DIGIT_CLASSES = tuple("0123456789")

DIGITS = Description(
    name="digits",
    summary="1,797 scanned handwritten digits of 8×8 pixels",
    shape=(8, 8),
    n_train=1500,
    n_test=297,
    classes=DIGIT_CLASSES,
    origin="UCI Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), "
    "shipped inside scikit-learn",
    licence="CC BY 4.0",
    needs_network=False,
)
FASHION_SMALL = Description(
    name="fashion-mnist-small",
    summary="12,000 images of clothes, 28×28 pixels: a balanced subset of Fashion-MNIST",
    shape=(28, 28),
    n_train=10_000,
    n_test=2_000,
    classes=FASHION_CLASSES,
    origin="Xiao, Rasul, Vollgraf 2017 (Zalando SE), shipped inside this package",
    licence="MIT",
    needs_network=False,
)
MNIST = Description(
    name="mnist",
    summary="70,000 handwritten digits of 28×28 pixels",
    shape=(28, 28),
    n_train=60_000,
    n_test=10_000,
    classes=DIGIT_CLASSES,
    origin="LeCun, Cortes, Burges: The MNIST database of handwritten digits",
    licence="commonly given as CC BY-SA 3.0",
    needs_network=True,
)
FASHION_MNIST = dataclasses.replace(
    FASHION_SMALL,
    name="fashion-mnist",
    summary="70,000 images of clothes, 28×28 pixels",
    n_train=60_000,
    n_test=10_000,
    origin="Xiao, Rasul, Vollgraf 2017 (Zalando SE)",
    needs_network=True,
)
_ALL = (DIGITS, FASHION_SMALL, MNIST, FASHION_MNIST, toys.RING, toys.GRID, toys.STACKED)
DESCRIPTIONS = {description.name: description for description in _ALL}
MADE_FROM = {toys.STACKED.name: MNIST.name}
"""Named data sets that are made from another one's files."""
MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ),
}
CHECKSUMS = {
    "mnist": {
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}


def names() -> tuple[str, ...]:
    """Return the names that `load` knows."""
    return tuple(DESCRIPTIONS)


def describe(name: str) -> Description:
    """Return what is known of a named data set without loading it."""
    if name not in DESCRIPTIONS:
        raise InputError(_unknown(name))
    return DESCRIPTIONS[name]


def fetch(name: str) -> Path:
    """Download a named data set into the cache unless it is there; return its folder."""
    if not describe(name).needs_network:
        raise InputError(f"{name} ships with the software: there is nothing to fetch")
    name = MADE_FROM.get(name, name)
    folder = download.cache_folder() / name
    files = [
        RemoteFile(f"{idx.FILES[role]}.gz", sha, _idx_bytes(DESCRIPTIONS[name], role))
        for role, sha in CHECKSUMS[name].items()
    ]
    download.fetch_all(files, MIRRORS[name], folder)
    return folder


def _idx_bytes(known: Description, role: str) -> int:
    """Return the bytes of an unpacked idx file: a head of 8 or 16, and one a pixel or label."""
    n = known.n_train if role.endswith("train") else known.n_test
    return 8 + n if role.startswith("y") else 16 + n * int(np.prod(known.shape))


def load(
    spec: str | Path,
    *,
    random_state: Seed = 0,
    image_size: ImageSize = None,
    gaps_stay: bool = False,
    columns: Names = (),
    drop: Names = (),
    label: str | Whole | None = None,
    weights: str | Whole | None = None,
    index: str | Whole | None = None,
    missing_codes: Codes = (),
    levels: Names = (),
    one_hot: Names = (),
    sheet: str | Whole | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: str | None = None,
    keep_totals: bool = False,
    as_rows: bool = False,
) -> Dataset:
    """Return a data set by name or path.

    What a table leaves open is recognised, and told in the notes, unless it is given here. A column
    is named, or counted from 1 in the order of the file; several are a list, a range such as
    ``"q1:q20"`` or ``"2:5"``, or a pattern such as ``"q*"``.

    Parameters
    ----------
    spec
        A name (see `names`), or a path: .npy, .npz, a table (delimited text, a spreadsheet, a file
        of SPSS, Stata, SAS, MATLAB or Arrow, .parquet, .json), an idx file, a folder with the four
        idx files, or pictures with their labels as sub-folders: a folder, an archive, shards, a
        table of pictures (`latentia.data.picture_sources`), a video or an animation.
    random_state
        Of the held-out tenth, where the data have no test part.
    image_size
        What pictures are resized to: a side in pixels, ``(width, height)``, or ``"64x48"``; they
        are cut from the middle, or lie whole on black as in ``"64 fit"``. Without it, pictures of
        one size up to 256 pixels stay as they are, and others become squares of 64.
    gaps_stay
        Leave missing cells of a table as NaN, for a model that takes them; else they are refused.
    columns, drop
        The columns to read, and those to leave out.
    label, weights, index
        The columns of classes, of sample weights and of the rows' names; ``"none"`` for none.
    missing_codes
        What stands for a missing cell beside blanks, NA and a dot, such as ``[999, -9]``.
    levels
        The words of a scale from low to high, which become 1, 2, 3 ...; several scales are strings
        with commas between the words.
    one_hot
        Columns of words, each of which becomes a column of 0 and 1, or some of them, ``NAME=WORD``.
    sheet
        Of several tables in a file: the sheet, the variable, or the member of a .zip.
    delimiter, decimal, encoding, header
        Of delimited text: the sign between cells, ``"."`` or ``","``, such as ``"cp949"``, and
        ``"yes"`` or ``"no"``.
    keep_totals
        Keep a last row of totals, which is left out otherwise.
    as_rows
        Take a square table for rows, also where it looks like a correlation matrix.

    Raises
    ------
    InputError
        Naming what cannot be read, where, and what to do.
    """
    spec = str(spec) if isinstance(spec, Path) else spec
    check_value("spec", spec, str)
    check_arguments(load, locals())
    options = TableOptions(
        columns=words(columns, "columns"),
        drop=words(drop, "drop"),
        label=None if label is None else str(label),
        weights=None if weights is None else str(weights),
        index=None if index is None else str(index),
        missing_codes=words(missing_codes, "missing_codes"),
        levels=words(levels, "levels"),
        one_hot=words(one_hot, "one_hot"),
        sheet=None if sheet is None else str(sheet),
        delimiter=delimiter,
        decimal=decimal,
        encoding=encoding,
        header=header,
        keep_totals=keep_totals,
        as_rows=as_rows,
    )
    return load_with(options, spec, random_state, image_size, gaps_stay)


def load_with(
    options: TableOptions,
    spec: str,
    random_state: int = 0,
    image_size: ImageSize = None,
    gaps_stay: bool = False,
) -> Dataset:
    """Return a data set, with what is asked of a table in one record; all else is as in `load`."""
    frame_of(image_size)
    data = _load(spec, random_state, image_size, gaps_stay, options)
    known = DESCRIPTIONS.get(spec)
    if known is not None:
        data = dataclasses.replace(
            data,
            name=known.name,
            class_names=known.classes,
            description=known.summary,
            origin=known.origin,
            licence=known.licence,
        )
    # Paths are made absolute: a run can be resumed from any folder.
    lasting = spec if known else str(Path(spec).expanduser().resolve())
    return dataclasses.replace(data, spec=lasting, options=options)


def has_four_files(spec: str) -> bool:
    """Return whether a path is a folder with the four idx files of a data set such as MNIST."""
    path = Path(spec).expanduser()
    return idx.find(path) is not None


class UselessSizeError(InputError):
    """A size in pixels for what is not resized."""


def refuse_size(image_size: ImageSize, owner: str) -> None:
    """Refuse to resize what is not a folder of pictures."""
    if image_size is not None:
        asked = f"--{image_size} is given" if image_size in WORDS else f"image_size is {image_size}"
        raise UselessSizeError(
            f"{asked}, and {owner} is no folder of pictures: only those are resized; leave it out"
        )


def _load(
    spec: str,
    random_state: int,
    image_size: ImageSize,
    gaps_stay: bool = False,
    options: TableOptions = USUAL,
) -> Dataset:
    refuse_address(spec)
    path = Path(spec).expanduser()
    there = spec in DESCRIPTIONS or path.exists()
    is_table = path.is_file() and _is_table(path) and not picture_sources.has_pictures(path)
    if options.without(["label"]) != USUAL and there and not is_table:
        names = [name for name in options.given if name != "label"]
        options.refuse(f"only tables have columns, and {spec} is none", names)
    if spec in DESCRIPTIONS or idx.find(path) is not None:
        refuse_size(image_size, spec)
        options.refuse(f"{spec} has classes of its own")
    if spec == "digits":
        return _digits()
    if spec == "fashion-mnist-small":
        return _fashion_small()
    if spec in toys.MIXTURES:
        return toys.load_mixture(spec)
    if spec in MADE_FROM:
        return toys.stack(_load(MADE_FROM[spec], random_state, None))
    if spec in DESCRIPTIONS:
        found = _cached(spec) or idx.find(fetch(spec))
        if found is None:
            raise InputError(f"{spec} lacks some of its four idx files; fetch it again")
        return idx.load_folder(found, spec)
    if (files := idx.find(path)) is not None:
        return idx.load_folder(files, path.name)
    if not is_table:
        if (data := _pictures(spec, random_state, image_size, options.label)) is not None:
            return data
        if there:
            options.refuse(f"only tables and pictures have labels, and {spec} is neither")
    if not path.exists():
        raise InputError(_unknown(spec))
    refuse_size(image_size, spec)
    return _load_file(path, random_state, gaps_stay, options)


def _pictures(
    spec: str, random_state: int, image_size: ImageSize, label: str | None
) -> Dataset | None:
    """Return the pictures in a folder, archives, tables or a video; None if it is none of these."""
    path = Path(spec).expanduser()
    if path.is_file() and not may_hold_pictures(path):
        return None
    found = picture_sources.grouped(spec, label)
    if found is not None:
        groups, notes = found
        name = printable(path.name)
        return pictures.load_places(groups, name, random_state, image_size, notes, label)
    if label is None and path.is_file() and is_moving(path):
        return pictures.load_file(path, random_state, image_size)
    return None


def may_hold_pictures(path: Path) -> bool:
    """Return whether a file is not empty, and not told by its name to be something else."""
    if path.stat().st_size == 0 or path.suffix in (".npy", ".npz") or cure(path):
        return False
    return not _is_table(path) or picture_sources.has_pictures(path)


def _digits() -> Dataset:
    """Return scikit-learn's digits in [0, 1]; a fixed permutation's last 297 are the test part."""
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    x = (bunch.images[order] / 16).astype(np.float32)
    y = bunch.target[order].astype(np.int64)
    n = DIGITS.n_train
    return Dataset("digits", x[:n], y[:n], x[n:], y[n:], DIGIT_CLASSES)


def _fashion_small() -> Dataset:
    """Return the 10,000 + 2,000 images of Fashion-MNIST that ship with the package."""
    file = resources.files("latentia.data") / "bundled/fashion_mnist_small.npz"
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
        return Dataset(
            FASHION_SMALL.name,
            held["x_train"],
            held["y_train"].astype(np.int64),
            held["x_test"],
            held["y_test"].astype(np.int64),
            FASHION_CLASSES,
        )


def _is_table(path: Path) -> bool:
    from latentia.data import tables

    return tables.is_table(path)


def _load_file(path: Path, random_state: int, gaps_stay: bool, options: TableOptions) -> Dataset:
    if not path.is_file():
        raise InputError(f"{path} is a pipe or a device; give a file or a folder")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (zero bytes)")
    if path.suffix == ".npy":
        return arrays.load_npy(path, random_state)
    if path.suffix == ".npz":
        return arrays.load_npz(path, random_state)
    from latentia.data import tables

    if tables.is_table(path):
        return split(tables.read(path, gaps_stay, options), path.stem, random_state)
    if "idx" in path.name:
        return split(arrays.checked_part(idx.read(path), str(path)), path.stem, random_state)
    if path.suffix in TEXT_FILES:
        raise InputError(f"{path} is a text: train rnn, lstm or n-gram on it, or use load_text")
    if not cure(path) and path.suffix.lower() in images.suffixes():
        raise InputError(f"{path} is one picture; give a folder of them, or an archive")
    if instead := cure(path):
        raise InputError(f"{path} is not read; {instead}")
    raise InputError(f"{path} is of no known kind; {GIVE}")


def _cached(name: str) -> dict[str, Path] | None:
    """Return the four files if the cache holds them, under the data set's name or directly."""
    cache = download.cache_folder()
    named = idx.find(cache / name)
    return named if named is not None or cache.name != name else idx.find(cache)


def _unknown(spec: str) -> str:
    return (
        f"there is no data set {spec!r} and no such file or folder; known names are "
        f"{', '.join(DESCRIPTIONS)}{nearest(spec, DESCRIPTIONS)}"
    )
