"""Do groups share one factor model? Likelihood ratios of ever more parameters held equal.

    x = ν + Λf + ε,   E f = α,   Cov f = Φ,   Cov ε = Ψ diagonal, each of a group g
    F = Σ (n_g/n)(log|Σ_g| − log|S_g| + tr Σ_g⁻¹(S_g + d_g d_gᵀ) − p),   d = x̄ − ν − Λα,   χ² = nF

    configural   the same loadings are 0; α = 0, φⱼⱼ = 1 in each group
    metric       Λ the same; φⱼⱼ = 1 in the first group only
    scalar       ν the same too; α = 0 in the first group only: means of factors compare
    strict       Ψ the same too                                                          [1]_

Which loadings are 0 is told by the model's target (all that it does not name), or else by markers:
one variable for each factor, the purest, which no other factor has. How far a variable is from
sharing loadings and intercept with the first group is, in deviations s of both together,

    d² = E(E_g(x given f) − E_1(x given f))²/s²,   f as in group g                       [3]_

by each group's own loadings and intercepts (configural), on the scale of the factors that scalar
invariance gives.

Shapes: G groups, p variables, k factors. `several_groups` maximises the likelihood.

References
----------
.. [1] W. Meredith, "Measurement invariance, factor analysis and factorial invariance",
   Psychometrika 1993.
.. [2] G. W. Cheung, R. B. Rensvold, "Evaluating goodness-of-fit indexes for testing measurement
   invariance", Structural Equation Modeling 2002: a level holds if CFI falls by .010 at most.
.. [3] C. D. Nye, F. Drasgow, "Effect size indices for analyses of measurement equivalence", Journal
   of Applied Psychology 2011, equation 4: d_MACS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize, stats

from latentia.errors import InputError
from latentia.models.factors.fit_statistics import discrepancy, is_singular, noncentrality
from latentia.models.factors.several_groups import Blocks, Plan, Sample, scored, value_of
from latentia.models.factors.summary import Part, Table, chi_square_test, number
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.reading import listed
from latentia.models.linear.rotation import TARGETS, target_of

Level = Literal["configural", "metric", "scalar", "strict"]
LEVELS: tuple[Level, ...] = ("configural", "metric", "scalar", "strict")
SHARED: dict[Level, str] = {
    "configural": "which variables each factor has",
    "metric": "the loadings",
    "scalar": "the intercepts",
    "strict": "the noise variances",
}
LEAST_CFI = -0.01
"""The change up to which a level is kept [2]_."""
FAIR_CFI = 0.9
"""From which the configural model is taken to fit."""
MOST_VARIABLES = 60


@final
@dataclass(frozen=True)
class Step:
    """One level, against the data and against the level before; NaN where there is none."""

    level: Level
    chi_square: float
    dof: int
    p_value: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    """The 90 % interval."""
    log_likelihood: float
    """Of all rows, in nats."""
    n_parameters: int
    converged: bool
    delta_chi_square: float = math.nan
    delta_dof: int = 0
    delta_p_value: float = math.nan
    delta_cfi: float = math.nan
    delta_rmsea: float = math.nan

    @property
    def aic(self) -> float:
        """−2 log L + 2 parameters."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def holds(self) -> bool:
        """Whether CFI falls by no more than the rule [2]_ allows; of configural, fit is fair."""
        if self.level == "configural":
            return self.cfi >= FAIR_CFI
        return self.delta_cfi >= LEAST_CFI


@final
@dataclass(frozen=True, eq=False)
class Invariance:
    """What groups share of a factor model.

    ``pattern`` (p, k) are the loadings that are free; ``means`` and ``deviations`` (G, k) those of
    the factors under scalar invariance, in deviations of the first group.
    """

    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    steps: tuple[Step, ...]
    pattern: NDArray[np.bool_]
    markers: tuple[str, ...]
    """Names of the marker variables; none of one factor, or if a target told the pattern."""
    means: Matrix
    deviations: Matrix
    left_out: int
    """Rows with gaps."""
    effects: Matrix
    """(G, p) d of each variable, 0 of the first group."""
    variable_names: tuple[str, ...]

    @property
    def level(self) -> Level | None:
        """The last level up to which all hold."""
        held = None
        for step in self.steps:
            if not step.holds:
                break
            held = step.level
        return held

    @property
    def answer(self) -> str:
        """What the groups share, in sentences."""
        return _answer(self)

    def part(self) -> Part:
        """Return the levels and the factors' means as tables."""
        return _part(self)

    def __str__(self) -> str:
        """Return the tables as text."""
        return str(self.part())


def invariance(model: Any, X: ArrayLike, groups: Sequence[Any] | NDArray[Any]) -> Invariance:
    """Return which parameters of a fitted factor model some groups share.

    Parameters
    ----------
    model
        A `FactorAnalysis` of these columns: its number of factors, and its target or rotation.
    X
        (n, p) rows of numbers; rows with gaps are left out.
    groups
        (n,) labels. InputError says which group is too small, or has a constant column.

    Examples
    --------
    >>> from latentia import FactorAnalysis
    >>> draw = np.random.default_rng(0)
    >>> X = draw.normal(size=(600, 1)) + draw.normal(size=(600, 4))
    >>> invariance(FactorAnalysis().fit(X), X, np.arange(600) % 2).level
    'strict'
    """
    found, parts, scale, left_out = _by_group(model, X, groups)
    varies = np.flatnonzero(model.scale_ > 0)
    n = sum(map(len, parts))
    samples = [Sample(len(x) / n, x.mean(axis=0), np.cov(x.T, ddof=0)) for x in parts]
    names = [model.variable_names()[i] for i in varies]
    start = _start(model, varies, names)
    steps, theta, plan = list[Step](), np.empty(0), start.plan("configural", len(parts))
    kept = {}
    for level in LEVELS:
        new = start.plan(level, len(parts))
        first = start.values(new, samples) if not steps else new.gathered(plan.spread(theta))
        theta, converged = scored(new, samples, first)
        plan, kept[level] = new, new.spread(theta)
        step = _step(level, new, samples, theta, converged, n, float(np.log(scale).sum()))
        steps.append(_against(step, steps))
    k = start.pattern.shape[1]
    configural, scalar = ([new.blocks(one) for one in kept[of]] for of in ("configural", "scalar"))
    return Invariance(
        tuple(found),
        tuple(map(len, parts)),
        tuple(steps),
        start.pattern,
        start.markers,
        np.array([block.alpha for block in scalar]).reshape(-1, k),
        np.sqrt(np.array([block.phi.diagonal() for block in scalar])),
        left_out,
        _effects(configural, scalar, parts),
        tuple(names),
    )


def _effects(configural: list[Blocks], scalar: list[Blocks], parts: list[Matrix]) -> Matrix:
    """Return (G, p) d of each group against the first."""
    first, found = configural[0], []
    for own, common, rows in zip(configural, scalar, parts):
        spread = np.sqrt(common.phi.diagonal())
        apart = own.nu - first.nu - first.L @ common.alpha
        steeper = own.L - first.L * spread
        along = steeper @ (common.phi / np.outer(spread, spread))
        both = [(len(x) - 1, x.var(axis=0, ddof=1)) for x in (parts[0], rows)]
        variance = sum(n * v for n, v in both) / sum(n for n, _ in both)
        found.append(np.sqrt((apart**2 + (along * steeper).sum(axis=1)) / variance))
    return np.array(found)


def _by_group(
    model: Any, X: ArrayLike, groups: Sequence[Any] | NDArray[Any]
) -> tuple[list[str], list[Matrix], Vector, int]:
    """Return labels, complete rows over their deviations, these, and the number of other rows."""
    rows, labels = np.asarray(X, dtype=np.float64), np.asarray(groups)
    if rows.ndim != 2 or labels.shape != rows.shape[:1] or rows.shape[1] != len(model.scale_):
        raise InputError(
            f"X has shape {rows.shape} and groups {labels.shape}; give (n, {len(model.scale_)}) "
            "rows as the model was fitted to, and (n,) labels"
        )
    varies, names = np.flatnonzero(model.scale_ > 0), model.variable_names()
    whole = np.isfinite(rows).all(axis=1)
    rows, labels = rows[np.ix_(whole, varies)], labels[whole]
    found = np.unique(labels)
    if len(found) < 2 or len(varies) > MOST_VARIABLES:
        raise InputError(
            f"there are {len(found)} group(s) and {len(varies)} variables; give at least 2 groups "
            f"and at most {MOST_VARIABLES} variables"
        )
    scale = np.where((spread := rows.std(axis=0)) > 0, spread, 1)
    parts = [rows[labels == label] / scale for label in found]
    for label, part in zip(found, parts):
        _refuse(str(label), part, [names[i] for i in varies])
    return [str(label) for label in found], parts, scale, int((~whole).sum())


def _refuse(label: str, rows: Matrix, names: list[str]) -> None:
    constant = [name for name, spread in zip(names, np.ptp(rows, axis=0)) if spread == 0]
    if constant:
        raise InputError(f"group {label}: {listed(constant)} is constant there; leave it out")
    if len(rows) <= rows.shape[1] or is_singular(np.atleast_2d(np.corrcoef(rows.T))):
        raise InputError(
            f"group {label} has {len(rows)} complete rows of {rows.shape[1]} variables, whose "
            "covariance is singular: leave the group or collinear variables out"
        )


@final
@dataclass(frozen=True)
class _Start:
    """Which loadings are free, with loadings and correlations of factors to start from."""

    pattern: NDArray[np.bool_]
    markers: tuple[str, ...]
    L: Matrix
    phi: Matrix

    def plan(self, level: Level, n_groups: int) -> Plan:
        """Return the parameters of a level."""
        (p, k), depth = self.pattern.shape, LEVELS.index(level)
        a, b = np.tril_indices(k)
        first = np.arange(n_groups) == 0
        by_block = [
            (np.tile(self.pattern.ravel(), (n_groups, 1)), depth >= 1, np.zeros(p * k)),
            ((a != b) | (~first[:, None] & (depth >= 1)), False, (a == b).astype(float)),
            (np.ones((n_groups, p), dtype=bool), depth >= 3, np.zeros(p)),
            (np.ones((n_groups, p), dtype=bool), depth >= 2, np.zeros(p)),
            (np.tile(~first[:, None] & (depth >= 2), (1, k)), False, np.zeros(k)),
        ]
        free = np.hstack([block for block, _, _ in by_block])
        shared = np.concatenate([np.full(block.shape[1], one) for block, one, _ in by_block])
        own = np.where(shared, 0, np.arange(n_groups)[:, None])
        keys = own * free.shape[1] + np.arange(free.shape[1])
        index = np.zeros(free.shape, dtype=np.intp)
        index[free] = np.unique(keys[free], return_inverse=True)[1]
        fixed = np.tile(np.concatenate([values for _, _, values in by_block]), (n_groups, 1))
        return Plan(p, k, free, index, fixed)

    def values(self, plan: Plan, samples: list[Sample]) -> Vector:
        """Return θ to start the first level from."""
        common = ((self.L @ self.phi) * self.L).sum(axis=1)
        psi, phi = np.maximum(1 - common, 0.2), self.phi[np.tril_indices(plan.k)]
        head = np.concatenate([self.L.ravel(), phi, psi])
        rows = [np.concatenate([head, one.mean, np.zeros(plan.k)]) for one in samples]
        return plan.gathered(np.array(rows))


def _start(model: Any, varies: NDArray[np.intp], names: list[str]) -> _Start:
    L, phi = model.standardized_loadings_[varies], model.factor_correlations_
    k = L.shape[1]
    if model.target is not None and model.rotation in TARGETS:
        target = target_of(model.target, model.variable_names(), k, None)[varies]
        pattern = np.isnan(target)
        return _Start(pattern, (), np.where(pattern, L, 0), phi)
    size = np.abs(L)
    others = np.array([np.delete(size, j, 1).max(axis=1, initial=0) for j in range(k)]).T
    places, factors = optimize.linear_sum_assignment(others - size)
    places = places[np.argsort(factors)]
    # Factors that the markers measure, each with a variance of 1.
    turned = linalg.solve(L[places].T, L.T).T
    spread = L[places] @ phi @ L[places].T
    units = np.sqrt(spread.diagonal())
    pattern = np.ones(L.shape, dtype=bool)
    pattern[places] = np.eye(k, dtype=bool)
    markers = tuple(names[i] for i in places) if k > 1 else ()
    start = np.where(pattern, turned * units, 0)
    return _Start(pattern, markers, start, spread / np.outer(units, units))


def _step(
    level: Level,
    plan: Plan,
    samples: list[Sample],
    theta: Vector,
    converged: bool,
    n: int,
    units: float,
) -> Step:
    """Return one level's fit; ``units`` is the sum of the logarithms of the deviations."""
    G, p, F = len(samples), plan.p, value_of(plan, samples, theta)
    dof, null_dof = G * (p + p * (p + 1) // 2) - plan.q, G * p * (p - 1) // 2
    chi = n * F
    null = n * sum(one.share * discrepancy(one.S, np.diag(one.S.diagonal())) for one in samples)
    free = sum(one.share * np.linalg.slogdet(one.S)[1] for one in samples) + p
    excess = max(chi - dof, 0)
    ends = (noncentrality(chi, dof, q) for q in (0.95, 0.05)) if dof else (math.nan, math.nan)
    low, high = (math.sqrt(G * end / (n * dof)) if dof else math.nan for end in ends)
    return Step(
        level,
        chi,
        dof,
        float(stats.chi2.sf(chi, dof)) if dof else math.nan,
        1 - excess / max(excess, null - null_dof, 1e-300),
        1 - (chi - dof) / (null - null_dof) * (null_dof / dof) if dof else math.nan,
        math.sqrt(G * excess / (n * dof)) if dof else 0.0,
        low,
        high,
        -n * ((F + float(free) + p * math.log(2 * math.pi)) / 2 + units),
        plan.q,
        converged,
    )


def _against(step: Step, before: list[Step]) -> Step:
    if not before:
        return step
    last = before[-1]
    chi, dof = step.chi_square - last.chi_square, step.dof - last.dof
    return replace(
        step,
        delta_chi_square=chi,
        delta_dof=dof,
        delta_p_value=float(stats.chi2.sf(chi, dof)) if dof else math.nan,
        delta_cfi=step.cfi - last.cfi,
        delta_rmsea=step.rmsea - last.rmsea,
    )


COMPARED: dict[Level | None, str] = {
    None: "the groups do not have the same factors, and nothing of these can be compared",
    "configural": "the factors have the same variables, with other loadings: neither relations nor "
    "means of the factors can be compared",
    "metric": "variances and relations of the factors can be compared, their means cannot",
    "scalar": "means, variances and relations of the factors can be compared",
    "strict": "factors can be compared, and so can sums of the variables",
}


def _answer(found: Invariance) -> str:
    held, said = found.level, list[str]()
    for step in found.steps:
        if step.level == "configural":
            continue
        test = f"Δχ² = {chi_square_test(step.delta_chi_square, step.delta_dof, step.delta_p_value)}"
        change = f"ΔCFI {number(step.delta_cfi, 3)}, ΔRMSEA {number(step.delta_rmsea, 3)}, {test}"
        if held is None or LEVELS.index(step.level) > LEVELS.index(held):
            said.append(f"not {SHARED[step.level]} ({change})")
            break
        said.append(f"{SHARED[step.level]} ({change})")
    told = COMPARED[held]
    if held is None:
        first = found.steps[0]
        fit = f"CFI {number(first.cfi, 3)}, RMSEA {number(first.rmsea, 3)}"
        return f"The same pattern of loadings does not fit in all groups ({fit}): {told}."
    return f"The groups share {', '.join(said)}: {told}."


def _part(found: Invariance) -> Part:
    header = ("", "χ²", "dof", "p", "CFI", "RMSEA", "Δχ²", "Δdof", "p", "ΔCFI", "ΔRMSEA")
    rows = tuple(
        (
            step.level,
            number(step.chi_square, 2),
            str(step.dof),
            number(step.p_value, 3),
            *(number(x, 3) for x in (step.cfi, step.rmsea)),
            number(step.delta_chi_square, 2),
            str(step.delta_dof or "–"),
            *(number(x, 3) for x in (step.delta_p_value, step.delta_cfi, step.delta_rmsea)),
        )
        for step in found.steps
    )
    note = (
        "By maximum likelihood of complete rows, as numbers. Each row holds more equal than the "
        "one above: metric loadings, scalar intercepts, strict noise variances. Kept where CFI "
        "falls by at most .010 (Cheung & Rensvold 2002); a rise of RMSEA by .015 speaks against it "
        "too (Chen 2007), and with many rows Δχ² refuses small differences."
    )
    k = found.pattern.shape[1]
    factors = ("", *(f"F{j + 1}" for j in range(k)))
    values = tuple(
        (name, *(f"{number(m, 2)} ± {number(d, 2)}" for m, d in zip(*pair)))
        for name, *pair in zip(found.groups, found.means, found.deviations)
    )
    told = "± deviation, in deviations of the first group; to be read if scalar invariance holds"
    sizes = ", ".join(f"{name} ({n})" for name, n in zip(found.groups, found.sizes))
    notes = [found.answer]
    if found.markers:
        notes.append(f"no factor but its own has the markers {listed([*found.markers])}")
    if found.left_out:
        notes.append(f"{found.left_out} rows with empty cells were left out")
    missed: list[str] = [step.level for step in found.steps if not step.converged]
    if missed:
        notes.append(f"the estimation stopped before it converged: {listed(missed)}")
    shown = Table("Levels of invariance", header, rows, note)
    means = Table("Means of the factors", factors, values, told)
    return Part(f"Groups: {sizes}", (shown, _apart(found), means), tuple(notes))


def _apart(found: Invariance) -> Table:
    rows = tuple(
        (name, *(number(d, 2) for d in row))
        for name, row in zip(found.variable_names, found.effects[1:].T)
    )
    told = (
        f"in loadings and intercepts from {found.groups[0]}, in deviations of the variable (Nye & "
        "Drasgow 2011): 0.20 small, 0.40 medium, 0.70 large (Nye et al. 2019)"
    )
    return Table("How far variables differ, d", ("", *found.groups[1:]), rows, told)
