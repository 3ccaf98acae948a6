"""What the fit of a factor model says: each index, what is good, and whose rule that is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from latentia.models.factors.fit_statistics import FitStatistics
from latentia.models.factors.robust import RobustTest

Verdict = Literal["good", "fair", "poor", "told"]
"""``told`` is of what has no rule of thumb, or no value."""
MANY_ROWS = 400
"""From about which the test of fit refuses nearly every model."""
RULES: Mapping[str, tuple[str, str]] = {
    "chi": (
        "Tests whether the model holds exactly: p above .05 does not refuse it. With more than "
        "some 400 rows it refuses nearly every model, so look at the indices (Bentler & Bonett, "
        "1980).",
        "모형이 정확히 성립하는지 검정합니다. p가 .05보다 크면 기각하지 않습니다. 행이 400개를 "
        "넘으면 거의 모든 모형을 기각하므로 아래 지수를 함께 봅니다(Bentler & Bonett, 1980).",
    ),
    "rmsea": (
        "Error of approximation for each degree of freedom: up to .05 close, up to .08 fair, from "
        ".10 poor (Browne & Cudeck, 1993); .06 by Hu & Bentler (1999).",
        "자유도당 근사 오차입니다. .05 이하는 좋음, .08 이하는 보통, .10 이상은 나쁨으로 봅니다"
        "(Browne & Cudeck, 1993). Hu & Bentler(1999)의 기준은 .06입니다.",
    ),
    "cfi": (
        "Gain on the model in which nothing correlates: from .95 good (Hu & Bentler, 1999), from "
        ".90 fair (Bentler & Bonett, 1980).",
        "아무 상관도 없는 모형보다 나아진 정도입니다. .95 이상은 좋음(Hu & Bentler, 1999), "
        ".90 이상은 보통입니다(Bentler & Bonett, 1980).",
    ),
    "tli": (
        "The same with a price on parameters: from .95 good (Hu & Bentler, 1999), from .90 fair "
        "(Bentler & Bonett, 1980).",
        "모수의 수까지 고려한 지수입니다. .95 이상은 좋음(Hu & Bentler, 1999), "
        ".90 이상은 보통입니다(Bentler & Bonett, 1980).",
    ),
    "srmr": (
        "Size of what is left of the correlations: up to .08 good (Hu & Bentler, 1999); in "
        "exploratory analyses .05 is seldom exceeded.",
        "설명하고 남은 상관의 크기입니다. .08 이하를 좋음으로 봅니다(Hu & Bentler, 1999). "
        "탐색적 분석에서는 .05를 넘는 일이 드뭅니다.",
    ),
    "kmo": (
        "Whether the correlations are worth factoring: .90 marvelous, .80 meritorious, .70 "
        "middling, .60 mediocre, .50 miserable (Kaiser & Rice, 1974).",
        "요인분석에 적합한 상관인지 봅니다. .90 이상은 매우 좋음, .80 좋음, .70 보통, .60 미흡, "
        ".50 매우 미흡입니다(Kaiser & Rice, 1974).",
    ),
    "sphericity": (
        "Tests whether no variable correlates with another: p below .05 says that there is "
        "something to factor (Bartlett, 1951).",
        "변수 사이에 상관이 전혀 없는지 검정합니다. p가 .05보다 작으면 분석할 상관이 있습니다"
        "(Bartlett, 1951).",
    ),
    "satorra_bentler": (
        "The same test corrected for rows that are not normal (Satorra & Bentler, 1994); report it "
        "where answers are skewed or have few categories.",
        "정규분포가 아닌 자료에 맞게 고친 검정입니다(Satorra & Bentler, 1994). 응답이 치우치거나 "
        "범주가 적으면 이 값을 보고합니다.",
    ),
    "yuan_bentler": (
        "The same test corrected for rows with gaps that are not normal (Yuan & Bentler, 2000); "
        "report it where answers are skewed or have few categories.",
        "결측이 있고 정규분포가 아닌 자료에 맞게 고친 검정입니다(Yuan & Bentler, 2000). 응답이 "
        "치우치거나 범주가 적으면 이 값을 보고합니다.",
    ),
    "scaled_shifted": (
        "The test of polychoric correlations, adjusted in mean and variance (Asparouhov & Muthén, "
        "2010); report it and its indices, as the ones above and below suppose normal numbers.",
        "다분상관에 맞게 평균과 분산을 조정한 검정입니다(Asparouhov & Muthén, 2010). 위아래의 "
        "값은 정규분포를 전제하므로 이 검정과 그 지수를 보고합니다.",
    ),
}
"""English and Korean."""


@dataclass(frozen=True)
class Reading:
    """One index with its verdict, in words."""

    key: str
    value: float
    verdict: Verdict
    meaning: Mapping[str, str]
    """By language."""


def readings(
    fit: FitStatistics, kmo: float, sphericity_p: float, robust: RobustTest | None = None
) -> tuple[Reading, ...]:
    """Return what there is to read, in the order of a report.

    Examples
    --------
    >>> from latentia import FactorAnalysis
    >>> three = [[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]
    >>> fit = FactorAnalysis(n_components=1).fit_covariance(three).fit_statistics()
    >>> [(r.key, r.verdict) for r in readings(fit, 0.5, 0.001) if r.key in ("kmo", "sphericity")]
    [('kmo', 'poor'), ('sphericity', 'good')]
    """
    return tuple(_readings(fit, kmo, sphericity_p, robust))


def _readings(
    fit: FitStatistics, kmo: float, sphericity_p: float, robust: RobustTest | None
) -> Iterator[Reading]:
    yield _reading("kmo", kmo, _from(kmo, 0.8, 0.6))
    yield _reading("sphericity", sphericity_p, "good" if sphericity_p < 0.05 else "poor")
    yield _reading("chi", fit.p_value, "good" if fit.p_value >= 0.05 else "told")
    verdict: Verdict
    if robust is not None:
        verdict = "good" if robust.p_value >= 0.05 else "told"
        yield _reading(robust.kind, robust.p_value, verdict)
    close, fair = 0.05, 0.08
    verdict = "good" if fit.rmsea <= close else "fair" if fit.rmsea <= fair else "poor"
    yield _reading("rmsea", fit.rmsea, verdict)
    yield _reading("cfi", fit.cfi, _from(fit.cfi, 0.95, 0.9))
    yield _reading("tli", fit.tli, _from(fit.tli, 0.95, 0.9))
    yield _reading("srmr", fit.srmr, "good" if fit.srmr <= fair else "poor")


def _reading(key: str, value: float, verdict: Verdict) -> Reading:
    english, korean = RULES[key]
    verdict = "told" if math.isnan(value) else verdict
    return Reading(key, value, verdict, {"en": english, "ko": korean})


def _from(value: float, good: float, fair: float) -> Verdict:
    return "good" if value >= good else "fair" if value >= fair else "poor"
