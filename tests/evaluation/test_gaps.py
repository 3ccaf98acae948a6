"""Tables with missing cells go through the commands with a model that takes them."""

import json

import numpy as np
import pytest
from scipy import stats

import latentia
from latentia.cli.main import main
from latentia.data import load
from latentia.data.named import UselessSizeError
from latentia.training.config import read_config, write_config

MODELS = ["factor-analysis", "probabilistic-pca"]


def write(path, gaps):
    """Write 200 rows of one factor, and return those of which every ``gaps``-th cell stays."""
    draw = np.random.default_rng(0)
    X = draw.standard_normal((200, 1)) @ draw.standard_normal((1, 4))
    X = (X + draw.standard_normal(X.shape)).round(3)
    X.ravel()[::gaps] = np.nan
    rows = [",".join("" if np.isnan(v) else str(v) for v in row) for row in X]
    path.write_text("\n".join(["a,b,c,d", *rows]) + "\n")
    return X


@pytest.mark.parametrize("model", MODELS)
def test_a_table_with_gaps_is_learnt_and_measured(model, tmp_path, capsys):
    X = write(tmp_path / "gaps.csv", 11)
    words = ["train", model, "--n-components", "1", "--data", str(tmp_path / "gaps.csv"), "--run"]
    assert main([*words, str(tmp_path / "refused")]) == 2
    assert (
        "or fit FactorAnalysis or ProbabilisticPCA with missing='fiml'" in capsys.readouterr().err
    )
    assert main([*words, str(tmp_path / "run"), "--missing", "fiml"]) == 0
    fitted = latentia.load(tmp_path / "run")
    data = load(str(tmp_path / "gaps.csv"), gaps_stay=True)
    assert len(data.x_train) + len(data.x_test) == len(X)
    # Of each row, the density of what was seen of it.
    seen = ~np.isnan(data.x_test)
    covariance = fitted.get_covariance()
    densities = [
        stats.multivariate_normal(fitted.mean_[s], covariance[np.ix_(s, s)]).logpdf(x[s])
        for x, s in zip(data.x_test, seen, strict=True)
    ]
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert found["negative_log_likelihood"] == pytest.approx(-np.mean(densities))
    whole = data.x_test[seen.all(axis=1)]
    error = np.square(whole - fitted.reconstruct(whole)).sum(axis=1).mean()
    assert found["squared_error"] == pytest.approx(error)
    assert 0 <= found["frechet_distance"] < 5


def test_without_whole_rows_the_likelihood_is_left(tmp_path, caplog):
    write(tmp_path / "gaps.csv", 3)
    words = ["--data", str(tmp_path / "gaps.csv"), "--missing", "fiml", "--n-components", "1"]
    assert main(["train", "probabilistic-pca", *words, "--run", str(tmp_path / "run")]) == 0
    assert "figures that compare whole rows: left out" in caplog.text
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert "negative_log_likelihood" in found
    assert "squared_error" not in found


def test_a_run_with_a_size_that_had_no_effect_goes_on(tmp_path, monkeypatch):
    """Version 0.1.0 took a size for any data, and recorded it."""
    monkeypatch.chdir(tmp_path)
    assert main(["train", "pca", "--data", "ring", "--n-components", "1", "--run", "run"]) == 0
    config = read_config(tmp_path / "run")
    config["data"]["image_size"] = 9
    write_config(tmp_path / "run", config)
    (tmp_path / "run/report.html").unlink()
    assert main(["resume", "run"]) == 0
    assert main(["evaluate", "run"]) == 0
    with pytest.raises(UselessSizeError, match="only those are resized"):
        load("ring", image_size=9)
