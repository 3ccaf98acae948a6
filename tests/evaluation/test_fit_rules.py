"""Where a figure of fit begins to be fair and good: at the bounds that are cited, not beyond."""

from types import SimpleNamespace

import pytest

from latentia.evaluation.fit_rules import readings

BOUNDS = [
    ("kmo", {0.8: "good", 0.79: "fair", 0.6: "fair", 0.59: "poor"}),
    ("cfi", {0.95: "good", 0.94: "fair", 0.9: "fair", 0.89: "poor"}),
    ("tli", {0.95: "good", 0.94: "fair", 0.9: "fair", 0.89: "poor"}),
    ("rmsea", {0.05: "good", 0.051: "fair", 0.08: "fair", 0.081: "poor"}),
    ("srmr", {0.08: "good", 0.081: "poor"}),
    ("sphericity", {0.049: "good", 0.05: "poor"}),
    ("chi", {0.05: "good", 0.049: "told"}),
    ("scaled_shifted", {0.05: "good", 0.049: "told"}),
]


@pytest.mark.parametrize(("key", "verdicts"), BOUNDS)
def test_a_verdict_begins_at_its_bound(key, verdicts):
    for value, verdict in verdicts.items():
        fit = SimpleNamespace(p_value=value, rmsea=value, cfi=value, tli=value, srmr=value)
        robust = SimpleNamespace(kind="scaled_shifted", p_value=value)
        found = {r.key: (r.value, r.verdict) for r in readings(fit, value, value, robust)}
        assert found[key] == (value, verdict)
