"""What the laboratory measures, against closed forms, SciPy and the library's own rules."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import norm, wasserstein_distance

from latentia.models.adversarial import doctor
from latentia.models.autoencoders import doctor as coders

CENTRES, SIGMA = (-1.5, -0.1, 1.4), 0.22
rng = np.random.default_rng(0)


def mixture(x):
    return np.mean([norm.pdf(x, centre, SIGMA) for centre in CENTRES], axis=0)


@pytest.mark.parametrize(("a", "b"), [(0.7, 0.3), (0.25, -1.5)])
def test_the_best_judge_is_the_closed_form(a, b, asked):
    (found,) = asked({"action": "line", "a": a, "b": b})
    n, view = len(found["best"]), found["view"]
    x = -view + (np.arange(n) + 0.5) * 2 * view / n
    p, q = mixture(x), norm.pdf(x, b, a)
    seen = p + q > 1e-2
    assert np.abs(np.array(found["best"]) - p / (p + q))[seen].max() <= 1e-2
    width = 2 * view / n
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(w > 0, w * np.log(w / middle), 0).sum() * width for w in (p, q)]
    assert found["jsd"] == pytest.approx(sum(parts) / 2, abs=2e-3)
    draws = np.linspace(-8, 8, 40_001)
    P = np.mean([norm.cdf(draws, centre, SIGMA) for centre in CENTRES], axis=0)
    area = np.abs(P - norm.cdf(draws, b, a)).sum() * (draws[1] - draws[0])
    assert found["distance"] == pytest.approx(area, abs=1e-2)


def test_the_normal_distribution_function(asked):
    t = np.linspace(-8, 8, 401)
    (found,) = asked({"action": "phi", "t": t.tolist()})
    assert np.abs(np.array(found) - norm.cdf(t)).max() <= 1e-12


def test_pairs_are_the_shortest(asked):
    a, b = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 1
    (found,) = asked({"action": "pairing", "a": a.tolist(), "b": b.tolist()})
    costs = cdist(a, b)
    assert found == pytest.approx(costs[linear_sum_assignment(costs)].mean(), abs=1e-9)
    line = np.c_[a[:, 0], 0 * a[:, 0]], np.c_[b[:, 0], 0 * b[:, 0]]
    (found,) = asked({"action": "pairing", "a": line[0].tolist(), "b": line[1].tolist()})
    assert found == pytest.approx(wasserstein_distance(a[:, 0], b[:, 0]), abs=1e-9)


@pytest.mark.parametrize("shape", [(128, 64, 64), (5, 3, 7), (64, 128, 1), (1, 64, 2), (3, 1, 12)])
def test_products(shape, asked):
    m, k, n = shape
    a, b, c, bias = (rng.normal(size=size) for size in ((m, k), (k, n), (m, n), n))
    given = {"a": a.tolist(), "b": b.tolist(), "c": c.tolist(), "bias": bias.tolist()}
    (found,) = asked({"action": "product", **given})
    assert np.allclose(found["y"], (a @ b + bias).ravel(), atol=1e-4)
    assert np.allclose(found["g"], (a.T @ c).ravel(), atol=1e-4)


def test_the_doctor_is_the_librarys(asked):
    """On random numbers around the limits of every rule."""
    cases = []
    for _ in range(3000):
        kind = ("minimax", "wasserstein", "other")[rng.integers(3)]
        found = {
            "spread": 10 ** rng.uniform(-3, 0.3), "gradient": 10 ** rng.uniform(-8, 0),
            "reach": 1.0, "apart": rng.uniform(0, 0.7), "stray": rng.uniform(0, 4),
        }  # fmt: skip
        if kind == "wasserstein":
            found["distance"] = rng.uniform(-15, 15)
        else:
            found |= {"real": rng.uniform(0.9, 1), "fake": rng.uniform(0, 0.1)}
        scale = 10 ** rng.uniform(-2.5, 0)
        earlier = [{"spread": scale * rng.uniform(0.2, 2)} for _ in range(rng.integers(8))]
        cases.append((found, kind, earlier, bool(rng.integers(2))))
    (answers,) = asked({"action": "diagnose", "cases": cases})
    for (found, kind, earlier, last), answer in zip(cases, answers, strict=True):
        named = {
            {"real": "real_probability", "fake": "fake_probability"}.get(k, k): v
            for k, v in found.items()
        }
        diagnosis = doctor.diagnose(named, kind, earlier, last=last)
        assert answer == (diagnosis.name if diagnosis else None)
    assert set(answers) == {None, *doctor.AILMENTS} - {"range"}


def test_symptoms_are_the_librarys(asked):
    real = rng.normal(size=(40, 2)).astype(np.float32)
    fake = (0.3 * rng.normal(size=(40, 2)) + 1).astype(np.float32)
    weight = torch.tensor([[0.5], [-2.0]])
    theirs = doctor.symptoms(
        torch.tensor(real),
        torch.tensor(real),
        torch.tensor(fake),
        lambda u: (u @ weight).square().mean(),
    )
    pull = 2 * (fake @ weight.numpy()) @ weight.numpy().T / len(fake)
    given = {"real": real.tolist(), "fake": fake.tolist(), "pull": pull.tolist()}
    (ours,) = asked({"action": "symptoms", **given})
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_the_doctor_of_autoencoders_is_the_librarys(asked):
    cases = []
    for _ in range(2000):

        def numbers():
            left, active = rng.uniform(0.3, 1.1), int(rng.integers(3))
            return {"left": left, "active": active, "components": 2, "loss": 1.0}

        found = numbers() | ({"fell": rng.uniform(0, 0.1)} if rng.integers(2) else {})
        earlier = [numbers() for _ in range(rng.integers(8))]
        if rng.integers(2):
            earlier = [e | {"active": 0, "left": 0.8} for e in earlier]
        cases.append((found, earlier, bool(rng.integers(2))))
    (answers,) = asked({"action": "examine", "cases": cases})
    for (found, earlier, last), answer in zip(cases, answers, strict=True):
        diagnosis = coders.diagnose(found, earlier, last=last)
        assert answer == (diagnosis.name if diagnosis else None)
    assert set(answers) == {None, "collapse", "undertrained"}


def test_pca_and_factor_analysis(asked):
    """PCA is the eigenvector; EM never falls, and ends at the likelihood of the whole Gaussian."""
    rows = rng.normal(size=(300, 2)) @ np.array([[1.2, 0.5], [0.0, 0.4]]) + [0.3, -0.2]
    S = np.cov(rows.T, bias=True)
    values, vectors = np.linalg.eigh(S)
    given = {"action": "factor", "rows": rows.tolist()}
    pca, fa = asked({**given, "game": "pca", "steps": 1}, {**given, "game": "fa", "steps": 400})
    assert abs(np.dot(pca["W"], vectors[:, 1])) == pytest.approx(1)
    assert pca["losses"][-1] == pytest.approx(values[0])
    assert np.all(np.diff(fa["losses"]) <= 1e-12)
    whole = np.log(2 * np.pi) + np.log(np.linalg.det(S)) / 2 + 1
    assert fa["losses"][-1] == pytest.approx(whole, abs=1e-6)
    C = np.outer(fa["W"], fa["W"]) + np.diag(fa["psi"])
    assert np.allclose(C, S, atol=1e-3)
