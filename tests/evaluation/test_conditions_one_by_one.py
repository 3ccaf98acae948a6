"""Conditions and limits of evaluation, each where it alone decides."""

from dataclasses import replace

import numpy as np
import pytest

from latentia import FactorAnalysis
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation import factor_report, memorisation
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Report, _strips
from latentia.evaluation.transformed import transform


def section(name, *, encodes, drawn):
    pictures = (b"png",) if drawn else ()
    metrics = {"frechet_distance": 1.0} if drawn else {}
    return ModelSection(name, "", "", {}, metrics, (), encodes=encodes, drawn=pictures)


def test_what_encodes_and_draws_nothing_is_said_below_what_is_drawn():
    sections = tuple(
        section(name, encodes=encodes, drawn=drawn)
        for name, encodes, drawn in (
            ("VAE", True, True),
            ("GAN", False, True),
            ("Bicubic", False, False),
            ("Autoencoder", True, False),
        )
    )
    report = Report("", "", {}, sections)
    (strip,) = _strips(report)
    said = "Ordered by Fréchet distance to the test images."
    assert strip.caption == (
        f"{said} {sections[3].spoken[0].upper()}{sections[3].spoken[1:]} has no prior on z and "
        "draws nothing."
    )
    (strip,) = _strips(replace(report, sections=sections[:3]))
    assert strip.caption == said


class Drawing:
    """A model that draws the images it is asked for."""

    def drawn_for(self, data, n, random_state):
        return np.ones((n, 4, 4), np.float32)


def test_as_many_test_images_as_samples_are_compared(monkeypatch):
    monkeypatch.setattr(memorisation, "Sampler", Drawing)
    monkeypatch.setattr(memorisation, "check_arguments", lambda *_: None)
    monkeypatch.setattr(memorisation, "MOST_COMPARED", 5)
    monkeypatch.setattr(memorisation, "MOST_WINDOWS", 9)
    seen = []
    for name in ("nearest_training", "copying_test", "parzen_log_likelihood"):
        monkeypatch.setattr(memorisation, name, lambda *parts: seen.append([*map(len, parts)]))
    x = np.ones((30, 4, 4), np.float32)
    memorisation.memorisation_check(Drawing(), Dataset("d", x, None, x[:20], None), 0)
    assert seen == [[30, min(memorisation.SHOWN, 9)], [30, 5, 5], [9, 5, 4]]


@pytest.mark.parametrize(
    ("name", "said"), [("t.doc", "ends in '.doc'; a table is "), ("gone/t.csv", "no folder")]
)
def test_a_table_that_cannot_be_written_is_refused_before_the_model_is_read(tmp_path, name, said):
    with pytest.raises(InputError, match=said):
        transform(tmp_path / "no run", "digits", out=tmp_path / name)


@pytest.mark.parametrize(("n_columns", "most", "n_times"), [(6, 5, 100), (8, 7, 100), (9, 7, 20)])
def test_as_many_factors_are_tried_as_there_can_be(monkeypatch, n_columns, most, n_times):
    class Stop(Exception):  # noqa: N818
        pass

    def suggest(*_, max_components, n_simulations, **__):
        raise Stop(max_components, n_simulations)

    monkeypatch.setattr(factor_report, "suggest", suggest)
    monkeypatch.setattr(factor_report, "MOST_TRIED", 7)
    # Of many columns fewer tables are simulated.
    monkeypatch.setattr(factor_report, "MANY", 8)
    rows = np.random.default_rng(0).normal(size=(60, n_columns))
    observed = factor_report.Observed("rows", rows)
    with pytest.raises(Stop) as caught:
        factor_report.suggestion(FactorAnalysis(n_components=1), observed)
    assert caught.value.args == (most, n_times)
