"""What stands in figures: each artist's look, where its data lie, and the numbers in words.

``outlines.json`` keeps them for the figures of ``latentia.plots``, and for those of the lectures
that the tests draw, of models that learnt next to nothing. After one was changed on purpose

    python -m tests.outlines

draws all of them anew, in several kinds of arithmetic, and writes the file; its diff is what is to
be looked at. A number on which these kinds of arithmetic do not agree is kept as null.
"""

import functools
import json
import os
import re
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib import collections, image, lines, patches, text
from matplotlib.colors import to_hex
from matplotlib.spines import Spine
from sklearn.manifold import TSNE

import latentia.theory.figures as figures
from latentia.errors import FitWarning
from latentia.models.gradient import GradientModel
from latentia.theory.figures import codes, distances, factors, toy_games

KEPT = Path(__file__).with_name("outlines.json")
MOST_AXES, MOST_ALIKE = 16, 12
"""Of grids of many pictures so many are kept, of many alike artists the first and last so many."""
ARITHMETIC = (
    {},
    {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"},
)
DATA = ("digits", "clothes")
"""What is kept in memory and is no model."""
MANY, EVERY, TABLES = 100, 20, 4
"""Long loops, the steps of theirs that are made, and tables in place of many."""
SAYS = "says"
CLOSE, AGREED = 0.02, 0.002
"""Shares of an artist's largest number by which a test and two kinds of arithmetic may differ."""


@contextmanager
def hardly_trained():
    """Let every model learn from a few rows in one pass: what is drawn is as good as chance.

    Of the steps of figures that train nets of their own every 20th is made, t-SNE ends as soon as
    it can, and few tables are drawn.
    """
    fit, homes = GradientModel.fit, (distances, toy_games)

    def hardly(self, X, y=None, **more):
        self.n_epochs = 1
        if getattr(self, "pretrain_epochs", 0):
            self.pretrain_epochs = 1
        few = [rows[:64] if isinstance(rows, np.ndarray) else rows for rows in (X, y)]
        return fit(self, *few, **more)

    GradientModel.fit = hardly
    for home in homes:
        home.range = _few_rounds
    tables, factors.DATA_SETS = factors.DATA_SETS, TABLES
    codes.TSNE = functools.partial(TSNE, max_iter=250)
    _forget()
    try:
        yield
    finally:
        GradientModel.fit = fit
        for home in homes:
            del home.range
        factors.DATA_SETS, codes.TSNE = tables, TSNE
        _forget()


def _few_rounds(*bounds):
    """Return a range, of a long one from 0 every 20th number."""
    return range(*bounds) if len(bounds) > 1 or bounds[0] < MANY else range(0, *bounds, EVERY)


def _forget():
    """Forget the models that figures share, which may have been trained otherwise."""
    for name, module in [*sys.modules.items()]:
        if name.startswith(f"{figures.__name__}."):
            for made in vars(module).values():
                if callable(getattr(made, "cache_clear", None)) and made.__name__ not in DATA:
                    made.cache_clear()


def outline(figure, sheet=None):
    """Return [look, numbers] of a figure and what it says, and of all in its axes, by these."""
    sentences, models = ([], []) if sheet is None else (sheet.numbers, [*sheet.models])
    words = [text.get_text() for text in figure.texts]
    look = f"figure {len(figure.axes)} axes {[*map(_words, words)]} {models}"
    whole = [look, _numbers(*figure.get_size_inches())]
    legends = [part for legend in figure.legends for part in _legend(legend)]
    said = [part for each in (*words, *sentences) for part in _said(each)]
    return [[whole, *legends, *said], *([*_axes(axes)] for axes in figure.axes[:MOST_AXES])]


def _axes(axes):
    ticks = [_words(t.get_text()) for t in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    titles = axes.get_title(), axes.get_xlabel(), axes.get_ylabel()
    words = [_words(each) for each in titles]
    shown = "on" if axes.axison else "off"
    places = [axes.get_xticks(), axes.get_yticks()]
    gridlines = (axes.xaxis.get_gridlines(), axes.yaxis.get_gridlines())
    grid = [any(line.get_visible() for line in each) for each in gridlines]
    minor = [len(axes.get_xticks(minor=True)), len(axes.get_yticks(minor=True))]
    shape = f"{axes.get_aspect()} {axes.get_box_aspect()}"
    kind = f"{shown} {axes.get_xscale()} {axes.get_yscale()} {[*map(len, places)]} {minor} {shape}"
    kind = f"{kind} grid {grid}"
    ends = [end for each in places if len(each) for end in (each[0], each[-1])]
    yield f"axes {kind} {words} {sorted({*ticks})}", _numbers(*axes.get_xlim(), *axes.get_ylim())
    yield "ticks", _numbers(*ends)
    for each in titles:
        yield from _said(each)
    if legend := axes.get_legend():
        yield from _legend(legend)
    alike = {kind: [] for kind in KINDS}
    for artist in axes.get_children():
        if artist is axes.patch or isinstance(artist, Spine) or not artist.get_visible():
            continue
        for kind in KINDS:
            if isinstance(artist, kind):
                alike[kind].append(artist)
    for kind, found in alike.items():
        for artist in (*found[:MOST_ALIKE], *found[MOST_ALIKE:][-MOST_ALIKE:]):
            look, *numbers = KINDS[kind](artist)
            if look:
                alpha = "" if artist.get_alpha() is None else f" alpha {artist.get_alpha():g}"
                yield f"{look}{alpha} clip {artist.get_clip_on():d}", _numbers(*numbers)
                yield from _said(artist.get_text()) if kind is text.Text else ()
    counts = sorted((kind.__name__, len(found)) for kind, found in alike.items() if found)
    yield f"artists {counts}", []


def _line(line):
    look = f"line {_colour(line.get_color())} {line.get_linewidth():g} {line.get_linestyle()}"
    label = "" if str(line.get_label()).startswith("_") else _words(str(line.get_label()))
    marker = f"{line.get_marker()} {line.get_markersize():g} {label}"
    return f"{look} {marker} {_room(line)}", *_spread(line.get_xdata()), *_spread(line.get_ydata())


def _collection(artist):
    colours = [_colour(c) for c in (*artist.get_facecolor()[:3], *artist.get_edgecolor()[:3])]
    values = artist.get_array()
    colours = colours if values is None else [artist.get_cmap().name]
    sizes = getattr(artist, "get_sizes", lambda: [])()
    places = np.ma.filled(np.ma.asarray(artist.get_offsets(), float), np.nan)
    paths = [path.vertices for path in artist.get_paths()[:50]]
    points = np.concatenate(paths) if paths else np.zeros((0, 2))
    look = f"{type(artist).__name__} {colours} {[*np.round(artist.get_linewidths()[:3], 3)]}"
    spreads = [
        _spread(part) for part in (*places.T, *points.T, sizes, [] if values is None else values)
    ]
    return f"{look} {len(places)}", *np.concatenate(spreads)


def _image(artist):
    values = np.asarray(artist.get_array(), float)
    look = f"image {values.shape} {artist.get_cmap().name} {artist.get_interpolation()}"
    limits = [] if values.ndim == 3 else artist.get_clim()
    rows, columns = values.mean(axis=0).ravel(), values.mean(axis=1).ravel()
    few = np.nan_to_num(values.ravel()[_some(values.size, 12)])
    return look, *artist.get_extent(), *limits, *_spread(values), *few, rows.std(), columns.std()


def _patch(patch):
    colours = f"{_colour(patch.get_facecolor())} {_colour(patch.get_edgecolor())}"
    look = f"{type(patch).__name__} {colours} {patch.get_linewidth():g} {patch.get_hatch()}"
    if isinstance(patch, patches.FancyArrowPatch):
        return (look,)
    points = patch.get_patch_transform().transform(patch.get_path().vertices)
    return f"{look} {patch.get_fill():d}", *_spread(points[:, 0]), *_spread(points[:, 1])


def _text(words):
    said, arrow = _words(words.get_text()), getattr(words, "arrow_patch", None)
    if arrow is not None:
        bent = type(arrow.get_connectionstyle()).__name__
        look = f"arrow {_colour(arrow.get_edgecolor())} {arrow.get_linewidth():g} {bent} {said!r}"
        return f"{look} {type(arrow.get_arrowstyle()).__name__}", *words.xy, *words.xyann
    if not said:
        return ("",)
    look = f"text {said!r} {words.get_fontsize():g} {_colour(words.get_color())}"
    look = f"{look} {words.get_ha()} {words.get_va()} {words.get_rotation():g} {words.get_weight()}"
    return f"{look} {_room(words)}", *map(float, words.get_position())


def _room(artist):
    """Return what an artist's places are counted in: data, shares of the axes, or a mixture."""
    given = artist.get_transform()
    for name in ("transData", "transAxes"):
        if given == getattr(artist.axes, name):
            return name
    return type(given).__name__


KINDS = {
    lines.Line2D: _line,
    collections.Collection: _collection,
    image.AxesImage: _image,
    patches.Patch: _patch,
    text.Text: _text,
}


def _legend(legend):
    size = f"{legend.get_texts()[0].get_fontsize():g}" if legend.get_texts() else ""
    place = f"{legend._loc_real} {legend._ncols}"
    yield f"legend {size} {place} {_words(legend.get_title().get_text())}", []
    for each in legend.get_texts():
        yield f"of the legend {_words(each.get_text())!r}", []
        yield from _said(each.get_text())


def _said(sentence):
    """Yield the numbers of words, each in units of its last digit."""
    found = re.findall(figures.NUMBER, sentence)
    if found:
        plain = [re.sub("[-−]", "-", each.strip("%").replace(",", "")) for each in found]
        parts = [each.partition("e") for each in plain]
        ends = [len(digits.partition(".")[2]) for digits, _, _ in parts]
        counts = [round(float(digits) * 10**end) for (digits, _, _), end in zip(parts, ends)]
        powers = [int(power) for *_, power in parts if power]
        yield f"{SAYS} {_words(sentence)!r} {ends}", [*counts, *powers]


def _colour(colour):
    return to_hex(colour, keep_alpha=True)


def _words(said):
    return re.sub(figures.NUMBER, "#", said)


def _spread(values):
    values = np.ma.filled(np.ma.asarray(values, float), np.nan).ravel()
    values = values[np.isfinite(values)]
    return (values.mean(), values.std(), *values[_some(len(values))]) if len(values) else ()


def _some(n, few=5):
    """Return the places of a few of n values, the first and the last among them."""
    return np.linspace(0, n - 1, few).round().astype(int)


def _numbers(*values):
    return [float(f"{value:.4g}") for value in values]


@functools.cache
def kept():
    """Return the outlines that were looked at, by the figures' names."""
    return json.loads(KEPT.read_text())


def hold(name, figure, sheet=None):
    """Assert that in a figure everything is and looks as in the outline that was looked at."""
    found = [*differing(name, outline(figure, sheet), kept()[name])]
    assert found == [], "\n".join([*found, "", "If all is meant so:", __doc__])


def differing(name, found, kept):
    """Yield what of a figure is not as it was kept."""
    if len(found) != len(kept):
        yield f"{name}: {len(found) - 1} axes, before {len(kept) - 1}"
    for place, (now, before) in enumerate(zip(found, kept)):
        if [look for look, _ in now] != [look for look, _ in before]:
            looks = {look for look, _ in now} ^ {look for look, _ in before}
            yield f"{name}, {_place(place)}: {sorted(looks) or 'another order'}"
            continue
        for (look, one), (_, other) in zip(now, before):
            if not alike(one, other, look.startswith(SAYS)):
                yield f"{name}, {_place(place)}, {look}: {one}, before {other}"


def _place(place):
    return f"axes {place - 1}" if place else "the whole"


def alike(one, other, printed=False):
    """Return whether an artist's numbers are those that were kept, where these are known.

    Numbers that are printed may differ by one in their last digit.
    """
    known = [(a, b) for a, b in zip(one, other) if b is not None]
    size = max((abs(b) for _, b in known), default=0)
    if len(one) != len(other):
        return False
    if printed:
        return all(abs(a - b) <= max(CLOSE * abs(b), 1) for a, b in known)
    return all(abs(a - b) <= CLOSE * size + 1e-9 for a, b in known)


def faces(folder, arrange=lambda grey: grey):
    """Write pictures that are no faces into a folder, for figures of faces; return their path."""
    place, female = Path(folder) / "faces.npz", np.arange(160) % 2
    grey = np.random.default_rng(0).integers(0, 256, (160, 16, 16), dtype=np.uint8)
    np.savez(place, x=arrange(grey), female=female)
    return str(place)


def drawn():
    """Return the outline of each figure by its name."""
    from tests.plots.test_every_figure import FIGURES
    from tests.theory.test_figures import OF_FACES, OUTLINED

    found = {function.__name__: outline(draw()) for function, draw in FIGURES.items()}
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", FitWarning)
        place = faces(folder)
        for name in (*OUTLINED, *OF_FACES):
            with hardly_trained():
                english = figures.draw(name, "en", place if name in OF_FACES else None)
                found[name] = outline(english.figure, english.sheet)
    return {name: found[name] for name in sorted(found)}


def _agreed(one, other):
    """Return one figure's outline without the numbers that another kind of arithmetic lacks."""
    for now, then in zip(one, other):
        for (look, numbers), (_, others) in zip(now, then):
            size = max((abs(n) for n in numbers if n is not None), default=0)
            apart = 1 if look.startswith(SAYS) else AGREED * size
            for place, (a, b) in enumerate(zip(numbers, others)):
                if a is not None and abs(a - b) > apart:
                    numbers[place] = None
    return one


def main():
    """Draw every figure of the tests in each kind of arithmetic, and keep what these share."""
    if sys.argv[1:] == ["--print"]:
        print(json.dumps(drawn()))
        return
    each = []
    for more in ARITHMETIC:
        words = [sys.executable, "-m", "tests.outlines", "--print"]
        done = subprocess.run(words, env=os.environ | more, capture_output=True, check=True)
        each.append(json.loads(done.stdout))
    first, *others = each
    for other in others:
        first = {name: _agreed(first[name], other[name]) for name in first}
    rows = (f"{json.dumps(name)}: {json.dumps(first[name], ensure_ascii=False)}" for name in first)
    KEPT.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
