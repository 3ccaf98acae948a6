"""A scale's reliability as a record, its tables, and what each figure means, by whose rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from latentia.models.factors.hierarchical import Omega
from latentia.models.factors.summary import LONGEST_NAME, Part, Table, cut, number, numbers
from latentia.models.inputs import Matrix, Vector

MEANT = {
    "α": "the reliability of the sum if every item measures the same thing equally strongly; if "
    "not, the reliability is higher (Cronbach 1951). At least 0.70 in early research, 0.80 in "
    "settled research, 0.90 where persons are judged (Nunnally & Bernstein 1994, pp. 264-265); α "
    "grows with the number of items and does not tell how many things they measure",
    "interval": "Feldt's (1965), for normal answers",
    "α standardized": "α of the sum of standardized items",
    "λ₆": "Guttman's (1945) bound from below, by what each item shares with the others",
    "glb": "the largest reliability that the covariances prove (ten Berge & Sočan 2004); it comes "
    "out too high in small samples, and is to be trusted from about 1000 rows",
    "mean r": "of the pairs of items: 0.15 to 0.50, lower for a broad trait, higher for a narrow "
    "one (Clark & Watson 1995)",
    "ω one factor": "McDonald's (1999): as α, but items may measure the one thing with different "
    "strength; read it as α",
    "ω total": "share of the variance of the sum of standardized items that all common factors "
    "explain (McDonald 1999; Revelle & Condon 2019)",
    "ω hierarchical": "share that the one factor common to all items explains (Zinbarg et al. "
    "2005). More than 0.50, better 0.75, before the sum is read as one thing (Reise, Bonifay & "
    "Haviland 2013)",
    "ω asymptotic": "what ω hierarchical would near with ever more such items",
    "ECV": "explained common variance: what the general factor explains of what the items share. "
    "More than 0.60, with ω hierarchical over 0.70, where the items may be taken for "
    "one-dimensional (Reise, Scheines, Widaman & Haviland 2013)",
    "ω of subscales": "of the sum of the items that load on a group factor most: total, and the "
    "part explained by the general factor and by the group's own. Where the last is small the "
    "subscale tells little that the whole scale does not (Reise, Bonifay & Haviland 2013)",
    "r rest": "correlation of an item with the sum of the others: at least 0.30 (Nunnally & "
    "Bernstein 1994)",
    "α without": "α of the others. Above α, the item weakens the scale in this sample; drop an "
    "item for what it asks, not for this alone",
    "PC1": "loading on the first principal component: below 0, the item runs against the others",
}
"""A figure and what it says, what is good, and whose rule that is."""
OF_ITEMS = ("r rest", "α without", "PC1")
OF_SEVERAL = ("ω hierarchical", "ω asymptotic", "ECV", "ω of subscales")


@dataclass(frozen=True, eq=False)
class Items:
    """Item by item; each array is (p,)."""

    n: Vector
    """Values seen; NaN if unknown."""
    mean: Vector
    """After the item was turned round, if it was; NaN if unknown."""
    deviation: Vector
    """Standard deviation (/n − 1)."""
    item_rest: Vector
    """Correlation with the sum of the other items."""
    alpha_if_dropped: Vector
    """α of the others; NaN if they are fewer than two."""
    first_component: Vector
    """Loading on the first principal component of the correlations, their sum positive."""


@dataclass(frozen=True, eq=False, repr=False)
class Reliability:
    """The reliability of one scale; print its `summary`. A figure that is not defined is NaN."""

    name: str
    variable_names: tuple[str, ...]
    reversed: tuple[str, ...]
    """Items that were turned round."""
    against: tuple[str, ...]
    """Items that run against the others as they are; `reversed` ones among the others."""
    n_samples: int
    """Rows that the interval rests on: the fewest behind a covariance; 0 if unknown."""
    level: float
    """Of the interval."""
    alpha: float
    """Cronbach's α of the sum of the items as they are scaled."""
    alpha_low: float
    alpha_high: float
    """Feldt's interval of it."""
    standardized_alpha: float
    """α of the sum of standardized items."""
    guttman_6: float
    """Guttman's λ₆ of standardized items, by squared multiple correlations."""
    greatest_lower_bound: float
    """The largest reliability that the covariances prove, of the items as they are scaled."""
    mean_correlation: float
    median_correlation: float
    """Of all pairs of items."""
    omega_one_factor: float
    """McDonald's ω: of one factor by maximum likelihood, of the items as they are scaled."""
    omega: Omega | None
    """ω of the standardized items by several factors; None where they cannot be analysed."""
    items: Items
    correlation: Matrix
    """(p, p), of items turned round."""
    notes: tuple[str, ...]
    """What there is to say of the data, a sentence each."""
    polychoric: bool = False
    """Whether correlations are of the normals behind ordinal answers."""

    def part(self, *, explained: bool = True) -> Part:
        """Return the scale as a part of a page, its figures explained or not."""
        return _of_scale(self, explained=explained)

    def __str__(self) -> str:
        """Return the page as aligned text."""
        return str(self.part())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.part().to_html(page=False)

    def to_html(self, *, page: bool = True) -> str:
        """Return self-contained HTML: a page, or the part of one that notebooks show."""
        return self.part().to_html(page=page)


def _of_scale(found: Reliability, *, explained: bool) -> Part:
    """Return one scale: figures, ω of subscales, items, general and group loadings."""
    n = f"n = {found.n_samples}" if found.n_samples else "n unknown"
    kind = ", polychoric correlations" if found.polychoric else ""
    title = f"Reliability of {found.name}: {len(found.variable_names)} items, {n}{kind}"
    shown = [_figures(found), *_subscales(found), _items(found), *_loadings(found)]
    if explained:
        shown.append(meanings([found]))
    return Part(title, tuple(shown), found.notes)


def meanings(scales: Sequence[Reliability]) -> Table:
    """Return what the figures of some scales mean, a line each."""
    told = [line for line in MEANT if line not in OF_SEVERAL]
    if any(found.omega is not None and found.omega.solution is not None for found in scales):
        told = [*MEANT]
    note = "\n".join(f"{name}: {MEANT[name]}." for name in told)
    return Table("What the figures mean", (), (), note)


def overview(scales: Sequence[Reliability]) -> Table:
    """Return several scales, a row each."""
    header = ("", "items", "n", "α", "low", "high", "mean r", "ω one factor", "ω total", "ω hier.")
    rows = (
        (
            cut(found.name, LONGEST_NAME),
            str(len(found.variable_names)),
            str(found.n_samples or "–"),
            *(
                number(x, 3)
                for x in (
                    *(found.alpha, found.alpha_low, found.alpha_high, found.mean_correlation),
                    found.omega_one_factor,
                    found.omega.total if found.omega else float("nan"),
                    found.omega.hierarchical if found.omega else float("nan"),
                )
            ),
        )
        for found in scales
    )
    return Table("Scales", header, tuple(rows))


def _figures(found: Reliability) -> Table:
    interval = numbers((found.alpha_low, found.alpha_high), 3)
    rows = [
        (f"α [{100 * found.level:.6g} % interval]", f"{number(found.alpha, 3)} [{interval}]"),
        ("α standardized", number(found.standardized_alpha, 3)),
        ("λ₆, glb", numbers((found.guttman_6, found.greatest_lower_bound), 3)),
        ("mean r, median", numbers((found.mean_correlation, found.median_correlation), 3)),
        ("ω one factor", number(found.omega_one_factor, 3)),
    ]
    if (w := found.omega) is not None:
        k = w.n_groups
        rows.append((f"ω total, {k} factor{'s' * (k > 1)}", number(w.total, 3)))
        if w.solution is not None:
            rows += [
                ("ω hierarchical, ω asymptotic", numbers((w.hierarchical, w.asymptotic), 3)),
                ("ECV", number(w.explained_common_variance, 3)),
            ]
    return Table("Figures", (), tuple(rows))


def _subscales(found: Reliability) -> Iterator[Table]:
    w = found.omega
    if w is None or w.solution is None:
        return
    header = ("", "items", "ω total", "by general", "by group")
    rows = tuple(
        (
            f"G{j + 1}",
            str(int((w.group_of == j).sum())),
            *(number(x[j], 3) for x in (w.group_total, w.group_general, w.group_specific)),
        )
        for j in range(w.n_groups)
    )
    yield Table("ω of subscales", header, rows)


def _items(found: Reliability) -> Table:
    header = ("", "n", "mean", "sd", "r rest", "α without", "PC1")
    items = found.items
    rows = tuple(
        (
            label(found, i),
            number(items.n[i], 0),
            *(number(x[i], 2) for x in (items.mean, items.deviation)),
            *(
                number(x[i], 3)
                for x in (items.item_rest, items.alpha_if_dropped, items.first_component)
            ),
        )
        for i in range(len(found.variable_names))
    )
    return Table("Items", header, rows)


def _loadings(found: Reliability) -> Iterator[Table]:
    w = found.omega
    if w is None or w.solution is None:
        return
    g, S = w.solution.general, w.solution.groups
    header = ("", "g", *(f"G{j + 1}" for j in range(w.n_groups)), "u²")
    rows = tuple(
        (label(found, i), *(number(x, 2) for x in (g[i], *S[i])), number(w.uniquenesses[i], 3))
        for i in range(len(g))
    )
    note = "g general factor, G group factors, all uncorrelated; u² uniqueness"
    yield Table("Schmid–Leiman loadings of standardized items", header, rows, note)


def label(found: Reliability, i: int) -> str:
    """Return an item's name, and whether it was turned round or runs against the others."""
    name = found.variable_names[i]
    mark = " (reversed)" * (name in found.reversed) + " (against)" * (name in found.against)
    return cut(name, LONGEST_NAME - len(mark)) + mark
