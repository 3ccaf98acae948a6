"""A small analysis with everything in it, and its numbers as a journal prints them."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pyarrow as pa
import pytest

from latentia.evaluation.apa.documents import analysis_of, factor_document
from latentia.evaluation.factor_report import Observed
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import suggest

NAMES = ["calm", "=1+1", "a & b_{2}%", "<b>^~$#\\", "국어", "worry"]


def printed(value, digits=2, bounded=True):
    """Return a number as the APA prints it, by decimal arithmetic."""
    rounded = Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    text = f"{abs(rounded):,}"
    sign = "−" if rounded < 0 else ""
    return sign + (text.removeprefix("0") if bounded else text)


@pytest.fixture(scope="package")
def rows():
    draw = np.random.default_rng(4)
    pattern = np.zeros((6, 2))
    pattern[:3, 0], pattern[3:, 1] = (0.8, -0.7, 0.6), (0.7, 0.9, 0.5)
    F = draw.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=1200)
    return F @ pattern.T + 0.6 * draw.normal(size=(1200, 6))


@pytest.fixture(scope="package")
def observed(rows):
    return Observed("answers", pa.table(dict(zip(NAMES, rows.T))))


@pytest.fixture(scope="package")
def model(observed):
    return FactorAnalysis(n_components=2, rotation="oblimin").fit(observed.rows)


@pytest.fixture(scope="package")
def told(model, observed, rows):
    found = suggest(np.corrcoef(rows.T), len(rows), n_simulations=5)
    return analysis_of(model, observed, found, 0.3)


@pytest.fixture(scope="package")
def document(told):
    return factor_document(told, "Factor analysis of answers", drawn=False)
