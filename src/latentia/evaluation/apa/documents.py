"""A factor analysis, or the reliability of scales, as a whole document of tables and text."""

from __future__ import annotations

from collections.abc import Sequence

from latentia.errors import InputError
from latentia.evaluation.apa.factors import Analysis, factor_tables, left_out
from latentia.evaluation.apa.paragraphs import paragraphs
from latentia.evaluation.apa.scales import scale_tables
from latentia.evaluation.apa.table import Document, Figure, bounded, styled
from latentia.evaluation.apa.wording import wording
from latentia.evaluation.factor_report import Observed, robust_of
from latentia.evaluation.reliability_report import scales_of_factors
from latentia.models.factors.determinacy import SALIENT
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import Suggestion
from latentia.models.factors.reliability_summary import Reliability
from latentia.models.factors.robust import RobustTest
from latentia.plots.factors import path_diagram

MOST_DRAWN = 60
"""Variables in a path diagram."""


def analysis_of(
    model: FactorAnalysis | None,
    observed: Observed,
    found: Suggestion | None,
    cutoff: float,
    robust: RobustTest | None = None,
) -> Analysis:
    """Return what is told of a fitted model, of a suggested number of factors, or of both.

    The robust test, unless it is given, and the reliability of each factor's variables
    are added where the data allow them.
    """
    scales = tuple[Reliability, ...]()
    if model is not None:
        robust = robust or robust_of(model, observed)
        try:
            scales = tuple(scales_of_factors(model, observed, cutoff or SALIENT))
        except InputError:
            # Such as columns that are never seen together, of which the model tells.
            scales = ()
    return Analysis(observed.name, model, found, robust, scales, cutoff)


def factor_document(
    told: Analysis, title: str, language: str = "en", *, drawn: bool = True
) -> Document:
    """Return an analysis as tables, paragraphs in both languages, and the path diagram."""
    return Document(
        title,
        language,
        wording(language),
        factor_tables(told, language),
        paragraphs(told, language),
        _figures(told, language) if drawn else (),
        left_out(told),
    )


def scales_document(scales: Sequence[Reliability], title: str, language: str = "en") -> Document:
    """Return the reliability of scales as tables and paragraphs in both languages."""
    tables, told = scale_tables(scales, language), paragraphs(scales, language)
    return Document(title, language, wording(language), tables, told)


def _figures(told: Analysis, language: str) -> tuple[Figure, ...]:
    model, words = told.model, wording(language)
    if model is None or len(model.scale_) > MOST_DRAWN or len(model.data_shape_) > 1:
        return ()
    order = told.order()
    names = model.variable_names()
    figure = path_diagram(
        model.standardized_loadings_[order],
        [names[i] for i in order],
        model.factor_correlations_,
        told.salient,
        model.uniquenesses_[order],
    )
    title = styled(words["path title"])
    note = styled(words["path note"], {"cut": bounded(told.salient)})
    return (Figure("path-diagram", title, note, figure),)
