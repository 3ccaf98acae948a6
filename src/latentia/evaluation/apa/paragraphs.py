"""Method and result in sentences to edit, each number of them that of the fitted model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

import latentia
from latentia.evaluation.apa.factors import (
    Analysis,
    factor_names,
    is_oblique,
    rotation_words,
)
from latentia.evaluation.apa.table import (
    Paragraph,
    Styled,
    bounded,
    joined,
    number,
    probability,
    styled,
)
from latentia.evaluation.apa.wording import series, several, spelled, wording
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.fit_statistics import FitStatistics
from latentia.models.factors.reliability_summary import Reliability
from latentia.models.factors.robust import RobustTest
from latentia.plots.sentences import LANGUAGES

Words = Mapping[str, str]
Values = dict[str, str | Styled]
MOST_NAMED = 12
"""Variables that a sentence names."""


def paragraphs(of: Analysis | Sequence[Reliability], language: str) -> tuple[Paragraph, ...]:
    """Return method and result, in the language asked for and then in the other."""
    others = [other for other in LANGUAGES if other != language]
    return tuple(part for each in (language, *others) for part in _in(each, of))


def _in(language: str, of: Analysis | Sequence[Reliability]) -> Iterator[Paragraph]:
    words = wording(language)
    if not isinstance(of, Analysis):
        yield Paragraph(language, words["method heading"], _scales_method(of, words))
        text = joined(list(_scales_result(of, language)), " ")
        yield Paragraph(language, words["result heading"], text)
    elif of.model is not None:
        text = joined(list(_method(of, of.model, language)), " ")
        yield Paragraph(language, words["method heading"], text)
        text = joined(list(_result(of, of.model, language)), " ")
        yield Paragraph(language, words["result heading"], text)


def _method(told: Analysis, model: FactorAnalysis, language: str) -> Iterator[Styled]:
    words, summary, k = wording(language), model.summary(told.cutoff), model.n_latent
    n, p = model.n_samples_, int((model.scale_ > 0).sum())
    values: Values = {"n": f"{n:,g}" if n else "?", "p": str(p), "version": latentia.__version__}
    yield styled(words["told exploratory"], values)
    if model.correlation != "pearson":
        yield styled(words[model.correlation])
    if model.missing == "fiml":
        yield styled(words["fiml"])
    if not math.isnan(summary.kmo):
        yield styled(words["told kmo"], {"kmo": bounded(summary.kmo)})
    chi, dof, p_value = summary.sphericity
    if not math.isnan(chi):
        key = "told independence" if summary.fit.full_information else "told sphericity"
        test = {"chi": number(chi), "dof": str(dof), "p": probability(p_value)}
        yield styled(words[key], {**test})
    if told.suggestion is None:
        yield styled(words["told retained"], {"k": spelled(k, words)})
    else:
        counts = told.suggestion.counts.items()
        criteria = [
            styled(words["criterion found"], {"criterion": words[name], "count": str(count)})
            for name, count in counts
        ]
        values = {"criteria": series(criteria, language), "factors": several(k, words)}
        yield styled(words["told criteria"], values)
    values = {"method": words[f"method {model.method}"], "rotation": rotation_words(model, words)}
    alone, plain = k == 1, model.rotation == "none"
    which = " alone" if alone else ""
    key = "told unrotated" if plain and not alone else f"told extracted{which}"
    yield styled(words[key], values)


def _result(told: Analysis, model: FactorAnalysis, language: str) -> Iterator[Styled]:
    words, k = wording(language), model.n_latent
    communal = model.communalities_[told.order()]
    percent = {"percent": number(100 * float(communal.mean()), 1)}
    yield styled(words["told variance" + " alone" * (k == 1)], {**percent})
    fit = model.fit_statistics()
    if not math.isnan(fit.chi_square) and fit.dof > 0:
        yield styled(words["told fit"], {"indices": _indices(fit)})
        if told.robust is not None:
            yield styled(words[f"told {told.robust.kind}"], {"indices": _scaled(told.robust)})
    yield from _loaded(told, model, language)
    if is_oblique(model):
        yield _correlated(model, words)
    if told.scales:
        scales = [_scale(scale, words) for scale in told.scales]
        yield styled(words["told reliability"], {"scales": joined(scales, "; ")})
    if model.heywood_:
        yield styled(words["told heywood"], {"names": _names(model.heywood_, language)})


def _indices(fit: FitStatistics) -> Styled:
    interval = ", ".join(bounded(x, 3) for x in (fit.rmsea_low, fit.rmsea_high))
    return joined([
        _test(fit.chi_square, fit.dof, fit.p_value),
        styled(f"CFI = {bounded(fit.cfi, 3)}, TLI = {bounded(fit.tli, 3)}, "),
        styled(f"RMSEA = {bounded(fit.rmsea, 3)}, 90% CI [{interval}], "),
        styled(f"SRMR = {bounded(fit.srmr, 3)}"),
    ])  # fmt: skip


def _test(chi: float, dof: int, p_value: float) -> Styled:
    values = {"dof": str(dof), "chi": number(chi), "p": probability(p_value)}
    return styled("χ²({dof}) = {chi}, *p* {p}, ", {**values})


def _scaled(robust: RobustTest) -> Styled:
    indices = (("CFI", robust.cfi), ("TLI", robust.tli), ("RMSEA", robust.rmsea))
    rest = ", ".join(f"{name} = {bounded(x, 3)}" for name, x in indices)
    ends = ", ".join(bounded(x, 3) for x in (robust.rmsea_low, robust.rmsea_high))
    rest = f"{rest}, 90% CI [{ends}]"
    return joined([_test(robust.chi_square, robust.dof, robust.p_value), styled(rest)])


def _loaded(told: Analysis, model: FactorAnalysis, language: str) -> Iterator[Styled]:
    """Yield what is told of the sizes of coefficients, variables with several, and with none."""
    words, order = wording(language), told.order()
    size, names = np.abs(model.standardized_loadings_)[order], model.variable_names()
    largest, communal = size.max(axis=1), model.communalities_[order]
    ends = (largest.min(), largest.max(), communal.min(), communal.max())
    values = {key: bounded(float(x)) for key, x in zip(("low", "high", "least", "most"), ends)}
    yield styled(words["told largest"], {**values})
    count = (size >= told.salient).sum(axis=1)
    crossed, without = ([names[i] for i in order[found]] for found in (count > 1, count == 0))
    cut: Values = {"cut": bounded(told.salient)}
    if crossed:
        yield styled(words["told crossed"], {**cut, "names": _names(crossed, language)})
    elif model.n_latent > 1:
        yield styled(words["told not crossed"], cut)
    if without:
        yield styled(words["told without"], {**cut, "names": _names(without, language)})


def _names(names: Sequence[object], language: str) -> Styled:
    shown = [styled("{x}", {"x": str(name)}) for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        shown.append(styled(f"… ({len(names)})"))
    return series(shown, language)


def _correlated(model: FactorAnalysis, words: Words) -> Styled:
    Phi, factors = model.factor_correlations_, factor_names(model)
    rows, columns = np.tril_indices(len(Phi), -1)
    pairs = Phi[rows, columns]
    if len(pairs) == 1:
        return styled(words["told correlation"], {"low": bounded(float(pairs[0]))})
    at = int(np.abs(pairs).argmax())
    values = {
        "low": bounded(float(pairs.min())),
        "high": bounded(float(pairs.max())),
        "first": factors[columns[at]],
        "second": factors[rows[at]],
    }
    return styled(words["told correlations"], {**values})


def _scale(scale: Reliability, words: Words) -> Styled:
    values: Values = {
        "name": scale.name,
        "level": f"{100 * scale.level:.6g}",
        "alpha": bounded(scale.alpha),
        "low": bounded(scale.alpha_low),
        "high": bounded(scale.alpha_high),
        "omega": bounded(scale.omega_one_factor),
    }
    alone = " alone" if math.isnan(scale.alpha_low) else ""
    return styled(words[f"told scale{alone}"], values)


def _scales_method(scales: Sequence[Reliability], words: Words) -> Styled:
    count = several(len(scales), words, "scales")
    return styled(words["told scales"], {"count": count, "version": latentia.__version__})


def _scales_result(scales: Sequence[Reliability], language: str) -> Iterator[Styled]:
    words = wording(language)
    figures = joined([_scale(scale, words) for scale in scales], "; ")
    yield styled(words["told reliability"], {"scales": figures})
    for scale in scales:
        rest = scale.items.item_rest
        ends = {"low": bounded(float(np.nanmin(rest))), "high": bounded(float(np.nanmax(rest)))}
        yield styled(words["told rest"], {"name": scale.name, **ends})
        w = scale.omega
        if w is not None and w.solution is not None:
            values = {"value": bounded(w.hierarchical), "total": bounded(w.total)}
            yield styled(words["told hierarchical"], {"name": scale.name, **values})
        if scale.reversed:
            yield styled(words["told reversed"], {"names": _names(scale.reversed, language)})
