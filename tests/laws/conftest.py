"""Few starts of k-means and of mixtures."""

import pytest

from latentia.models.clustering import base as clustering


@pytest.fixture(autouse=True)
def three_starts(monkeypatch):
    """What is asked here holds of the likeliest of three starts as it does of twenty's."""
    monkeypatch.setattr(clustering, "STARTS", 3)
