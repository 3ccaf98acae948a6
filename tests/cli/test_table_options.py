"""Flags of tables reach every command that reads one, and the runs that they begin."""

import argparse
import dataclasses
import importlib
import json
import warnings
from pathlib import Path

import numpy as np
import openpyxl
import pandas
import pyarrow.parquet as pq
import pytest

import latentia
from latentia.cli.main import main
from latentia.cli.table_options import add_table_options, table_options
from latentia.data.options import TableOptions
from latentia.errors import FitWarning, InputError
from latentia.evaluation import table_writing

N = 60
DRAWS = np.random.default_rng(0)
Z = DRAWS.normal(size=(N, 2))
ANSWERS = {
    f"q{j}": np.clip(np.rint(3 + Z[:, j % 2] + 0.4 * DRAWS.normal(size=N)), 1, 5).astype(int)
    for j in range(1, 7)
}
FRAME = pandas.DataFrame(
    {
        "name": [f"p{i}" for i in range(N)],
        **ANSWERS,
        "height": 170 + 8 * Z[:, 0],
        "group": [["x", "y"][i % 2] for i in range(N)],
        "w": DRAWS.integers(1, 4, N),
    }
)
Q = FRAME[[f"q{j}" for j in range(1, 7)]].to_numpy(float)

GIVEN = {
    "columns": (["a", "2:3"], ("a", "2:3")),
    "drop": (["b"], ("b",)),
    "label": (["c"], "c"),
    "weights": (["d"], "d"),
    "index": (["e"], "e"),
    "missing_codes": (["999", "-9"], ("999", "-9")),
    "levels": (["low,high"], ("low,high",)),
    "one_hot": (["f"], ("f",)),
    "sheet": (["2"], "2"),
    "delimiter": (["tab"], "\t"),
    "decimal": ([","], ","),
    "encoding": (["cp949"], "cp949"),
    "header": (["no"], "no"),
    "keep_totals": ([], True),
    "as_rows": ([], True),
}
CALLS = {
    "train pca --data t.csv": "latentia.evaluation.runs.train",
    "compare --data t.csv": "latentia.evaluation.comparison.compare_with",
    "factor t.csv --n-factors 1": "latentia.evaluation.factor_report.read",
    "reliability t.csv": "latentia.evaluation.factor_report.read",
    "evaluate r": "latentia.evaluation.runs.figures",
    "evaluate r --n-importance 5": "latentia.evaluation.runs.answers",
    "reconstruct r": "latentia.evaluation.runs.reconstruct",
    "transform r t.csv --out a.csv": "latentia.evaluation.transformed.transform",
    "data describe t.csv": "latentia.data.tables.columns",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("t.csv", index=False)
    return tmp_path


class SeenError(Exception):
    """Ends a command where its call has been seen."""


def test_every_option_is_given_here():
    assert set(GIVEN) == {field.name for field in dataclasses.fields(TableOptions)}


@pytest.mark.parametrize("command", CALLS)
def test_each_flag_reaches_its_field_in_every_command(command, monkeypatch):
    module, _, name = CALLS[command].rpartition(".")
    seen = []

    def call(*given, **options):
        everything = [*given, *options.values()]
        seen.append(next(v for v in everything if isinstance(v, TableOptions)))
        raise SeenError

    monkeypatch.setattr(importlib.import_module(module), name, call)
    for field, (words, value) in GIVEN.items():
        with pytest.raises(SeenError):
            main([*command.split(), f"--{field.replace('_', '-')}", *words])
        assert seen.pop() == TableOptions(**{field: value}), field
    with pytest.raises(SeenError):
        main(command.split())
    assert seen.pop() == TableOptions()


def test_a_recipe_gives_options_and_flags_win():
    parser = argparse.ArgumentParser()
    add_table_options(parser)
    recipe = {"columns": ["a"], "label": "b", "n_epochs": 3}
    assert table_options(parser.parse_args([]), recipe) == TableOptions(columns="a", label="b")
    given = parser.parse_args(["--label", "c"])
    assert table_options(given, recipe) == TableOptions(columns="a", label="c")


def run(*words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return main([*map(str, words)])


def test_a_run_remembers_how_its_table_was_read(capsys):
    flags = ["--columns", "q*", "--drop", "q6", "--label", "group"]
    assert run("train", "pca", "--data", "t.csv", "--run", "r", "--n-components", 2, *flags) == 0
    data = json.loads(Path("r/config.json").read_text())["data"]
    assert data["options"] == {"columns": ["q*"], "drop": ["q6"], "label": "group"}
    assert data["shape"] == [5]
    capsys.readouterr()
    assert run("evaluate", "r") == 0
    figures = capsys.readouterr().out
    assert run("evaluate", "r", "--data", "t.csv") == 0
    assert capsys.readouterr().out == figures
    assert run("train", "--resume", "r", "--drop", "q5") == 2
    sentence = "--drop is ['q5'], and the run in r was begun with ['q6']: leave it out"
    assert sentence in capsys.readouterr().err
    Path("r/report.html").unlink()
    assert run("train", "--resume", "r", "--drop", "q6") == 0


def test_other_tables_are_read_by_the_columns_of_the_training(capsys):
    run("train", "pca", "--data", "t.csv", "--run", "r", "--n-components", 2, "--columns", "q1:q4")
    model = latentia.load("r")
    assert model.columns_ == ["q1", "q2", "q3", "q4"]
    other = FRAME[["height", "q4", "q2", "q3", "q1"]]
    other.to_csv("other.csv", index=False)
    assert run("transform", "r", "other.csv", "--out", "o.csv") == 0
    codes = pandas.read_csv("o.csv")[["z_1", "z_2"]].to_numpy()
    np.testing.assert_allclose(codes, model.transform(Q[:, :4]), rtol=1e-6)
    other.drop(columns="q2").to_csv("less.csv", index=False)
    assert run("transform", "r", "less.csv", "--out", "l.csv") == 2
    assert (
        "less has no column 'q2', one of the 4 that the model was trained on"
        in capsys.readouterr().err
    )
    renamed = other[["q1", "q2", "q3", "q4"]].rename(columns=str.upper)
    renamed.to_csv("named.csv", index=False)
    assert run("transform", "r", "named.csv", "--columns", "1:4", "--out", "n.csv") == 0
    assert "have other names than those of the training" in capsys.readouterr().err


def test_weights_count_in_a_factor_analysis(unillustrated):
    flags = ["--weights", "w", "--columns", "q*"]
    words = ["--n-factors", 2, "--rotation", "none", "--out"]
    assert run("factor", "t.csv", *flags, *words, "f") == 0
    assert run("factor", "t.csv", "--columns", "q*", *words, "g") == 0
    repeated = np.repeat(Q, FRAME["w"], axis=0)
    expected = latentia.FactorAnalysis(n_components=2, rotation="none").fit(repeated)
    found = latentia.load("f/model")
    np.testing.assert_allclose(found.loadings_, expected.loadings_, atol=1e-4)
    assert np.abs(latentia.load("g/model").loadings_ - expected.loadings_).max() > 1e-3


READERS = {
    ".csv": pandas.read_csv,
    ".tsv": lambda path: pandas.read_csv(path, sep="\t"),
    ".parquet": lambda path: pq.read_table(path).to_pandas(),
    ".xlsx": lambda path: pandas.DataFrame(
        [*openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True)],
        columns=[cell.value for cell in openpyxl.load_workbook(path).active[1]],
    ),
}


def test_transform_writes_codes_by_name_in_the_order_of_the_file(capsys):
    flags = ["--columns", "q*", "--label", "group"]
    run("train", "pca", "--data", "t.csv", "--run", "r", "--n-components", 2, *flags)
    expected = latentia.load("r").transform(Q)
    for suffix, reader in READERS.items():
        assert run("transform", "r", "t.csv", "--out", f"c{suffix}") == 0
        found = reader(f"c{suffix}")
        assert list(found.columns) == ["name", "z_1", "z_2", "label"]
        assert found["name"].tolist() == FRAME["name"].tolist()
        assert found["label"].tolist() == FRAME["group"].tolist()
        np.testing.assert_allclose(found[["z_1", "z_2"]].to_numpy(float), expected, rtol=1e-6)
    assert run("transform", "r", "t.csv", "--out", "c.npy") == 0
    np.testing.assert_allclose(np.load("c.npy"), expected, rtol=1e-6)
    capsys.readouterr()
    assert run("transform", "r", "t.csv", "--out", "c.npy") == 2
    assert "c.npy exists" in capsys.readouterr().err
    assert run("transform", "r", "t.csv", "--out", "c.npy", "--overwrite") == 0


def test_transform_writes_clusters_and_their_probabilities():
    words = ["--columns", "q*", "--n-clusters", 2, "--n-components", 2, "--hidden", 8]
    few = ["--n-epochs", 1, "--pretrain-epochs", 1, "--random-state", 0]
    assert run("train", "vade", "--data", "t.csv", "--run", "r", *words, *few) == 0
    assert run("transform", "r", "t.csv", "--out", "c.csv") == 0
    found, model = pandas.read_csv("c.csv"), latentia.load("r")
    assert list(found.columns) == ["name", "cluster", "p_1", "p_2", "z_1", "z_2"]
    assert found["cluster"].tolist() == model.predict(Q).tolist()
    np.testing.assert_allclose(found[["p_1", "p_2"]], model.predict_proba(Q), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[["z_1", "z_2"]], model.transform(Q), rtol=1e-4, atol=1e-6)


def test_factor_leaves_scores_loadings_and_residuals(capsys):
    assert run("factor", "t.csv", "--columns", "q*", "--n-factors", 2, "--out", "f") == 0
    model = latentia.load("f/model")
    scores = pandas.read_csv("f/scores.csv")
    assert list(scores.columns) == ["name", "F1", "F2"]
    assert scores["name"].tolist() == FRAME["name"].tolist()
    rows = FRAME[[f"q{j}" for j in range(1, 7)]].astype(float)
    np.testing.assert_allclose(scores[["F1", "F2"]], model.transform(rows), atol=1e-9)
    loadings = pandas.read_csv("f/loadings.csv", index_col="variable")
    assert loadings.index.tolist() == [f"q{j}" for j in range(1, 7)]
    np.testing.assert_allclose(loadings[["F1", "F2"]], model.standardized_loadings_)
    np.testing.assert_allclose(loadings["communality"], model.communalities_)
    np.testing.assert_allclose(loadings["uniqueness"], 1 - loadings["communality"], atol=1e-9)
    residuals = pandas.read_csv("f/residuals.csv", index_col="variable")
    np.testing.assert_allclose(residuals, model.residual_correlations(), atol=1e-12)
    book = openpyxl.load_workbook("f/factors.xlsx")
    assert book.sheetnames[:2] == ["loadings", "residuals"]
    assert [cell.value for cell in book["scores"]["A"]] == ["name", *FRAME["name"]]
    FRAME[[f"q{j}" for j in range(1, 7)]].corr().to_csv("m.csv")
    capsys.readouterr()
    assert run("factor", "m.csv", "--n-samples", N, "--n-factors", 2, "--out", "g") == 0
    assert "scores.csv was not written: m is a matrix" in capsys.readouterr().out
    assert not Path("g/scores.csv").exists()
    assert pandas.read_csv("g/loadings.csv")["variable"].tolist() == loadings.index.tolist()


def test_samples_of_a_table_have_its_columns_and_whole_numbers_where_it_has(capsys):
    flags = ["--columns", "q1:q3", "height"]
    run("train", "factor-analysis", "--data", "t.csv", "--run", "r", "--n-components", 1, *flags)
    words = ["sample", "r", "-n", 200, "--random-state", 3]
    assert run(*words) == 0
    drawn = latentia.load("r").sample(200, 3)
    found = pandas.read_csv("samples.csv")
    assert list(found.columns) == ["q1", "q2", "q3", "height"]
    assert (found.dtypes[:3] == "int64").all()
    low, high = latentia.load("r").column_ranges_[:3, :2].T
    np.testing.assert_array_equal(
        found[["q1", "q2", "q3"]], np.clip(np.rint(drawn[:, :3]), low, high)
    )
    np.testing.assert_allclose(found["height"], drawn[:, 3], rtol=1e-6)
    assert "rounded to whole numbers in the range of the training data" in capsys.readouterr().err
    assert run(*words, "--no-round", "--out", "s.csv") == 0
    np.testing.assert_allclose(pandas.read_csv("s.csv"), drawn, rtol=1e-6)
    assert run(*words, "--no-noise", "--out", "m.npy") == 0
    np.testing.assert_array_equal(np.load("m.npy"), latentia.load("r").sample(200, 3, noise=False))
    assert run(*words, "--noise", "--out", "n.npy") == 0
    np.testing.assert_array_equal(np.load("n.npy"), drawn)


def test_another_table_may_lack_what_tells_of_rows_and_be_of_another_kind(capsys):
    FRAME.to_csv("s.csv", index=False, sep=";")
    flags = ["--delimiter", "semicolon", "--label", "group", "--index", "name"]
    words = ["--n-components", 2, "--columns", "q*", "group", "--drop", "w"]
    assert run("train", "pca", "--data", "s.csv", "--run", "r", *words, *flags) == 0
    model = latentia.load("r")
    FRAME[model.columns_].to_excel("o.xlsx", index=False)
    capsys.readouterr()
    assert run("transform", "r", "o.xlsx", "--out", "o.csv") == 0
    said = capsys.readouterr().err
    assert "o.xlsx: it has no column 'group', which was --label in training, and is read" in said
    assert "o.xlsx: it has no column 'name', which was --index in training, and is read" in said
    assert "no test part" not in said
    found = pandas.read_csv("o.csv")
    assert list(found.columns) == ["row", "z_1", "z_2"]
    np.testing.assert_allclose(found[["z_1", "z_2"]], model.transform(Q), rtol=1e-5, atol=1e-6)
    assert run("evaluate", "r", "--data", "o.xlsx") == 0
    assert "has no test part" in capsys.readouterr().err
    assert run("transform", "r", "o.xlsx", "--label", "group", "--out", "p.csv") == 2
    assert "--label: o.xlsx has no column 'group'" in capsys.readouterr().err


def test_data_that_moved_and_folders_that_are_not_there_are_named(capsys, folder):
    words = ["--data", "t.csv", "--columns", "q*", "--n-components", 1]
    assert run("train", "pca", *words, "--run", "r") == 0
    assert run("evaluate", "r") == 0
    (folder / "t.csv").rename("moved.csv")
    (folder / "r/report.html").unlink()
    capsys.readouterr()
    for command in (["evaluate", "r"], ["train", "--resume", "r"]):
        assert run(*command) == 2
        said = capsys.readouterr().err
        assert f"r was trained on {folder / 't.csv'}, which is not there: put it back" in said
    assert run("evaluate", "r", "--data", "moved.csv") == 0
    capsys.readouterr()
    assert run("transform", "r", "moved.csv", "--out", "no/such/c.csv") == 2
    said = capsys.readouterr().err
    assert said.endswith("no/such/c.csv cannot be written: there is no folder no/such\n")
    assert "moved.csv" not in said


def test_numbers_may_stand_where_the_training_had_the_words_of_a_scale(capsys):
    words = ["no", "so", "yes", "very", "all"]
    FRAME.assign(q1=[words[v - 1] for v in FRAME["q1"]]).to_csv("w.csv", index=False)
    flags = ["--levels", ",".join(words), "--columns", "q*", "--n-components", 1]
    assert run("train", "pca", "--data", "w.csv", "--run", "r", *flags) == 0
    capsys.readouterr()
    for name in ("t.csv", "w.csv"):
        assert run("transform", "r", name, "--out", f"c{name}") == 0
    said = capsys.readouterr().err
    assert "t.csv: no cell holds a word of the training's --levels, and its numbers" in said
    assert "w.csv: no cell" not in said
    assert Path("ct.csv").read_text() == Path("cw.csv").read_text()
    assert run("transform", "r", "t.csv", "--levels", ",".join(words), "--out", "d.csv") == 2
    assert "no column holds the words of --levels, no, so" in capsys.readouterr().err


def test_words_of_the_training_are_columns_whichever_another_table_holds(capsys):
    flags = ["--one-hot", "group", "--columns", "q1:q3", "group"]
    run("train", "factor-analysis", "--data", "t.csv", "--run", "r", "--n-components", 1, *flags)
    model = latentia.load("r")
    assert model.columns_ == ["q1", "q2", "q3", "group=x", "group=y"]
    FRAME.assign(group=["y"] * (N - 1) + ["new"])[["group", "q3", "q2", "q1"]].to_csv(
        "o.csv", index=False
    )
    capsys.readouterr()
    assert run("transform", "r", "o.csv", "--out", "c.csv") == 0
    assert "other words in 'group' are 0 in its columns: new" in capsys.readouterr().err
    hot = np.column_stack([np.zeros(N), np.r_[np.ones(N - 1), 0]])
    expected = model.transform(np.hstack([Q[:, :3], hot]))
    np.testing.assert_allclose(pandas.read_csv("c.csv")[["z_1"]], expected, rtol=1e-5, atol=1e-6)
    assert run("sample", "r", "-n", 50, "--random-state", 1, "--out", "s.csv") == 0
    drawn, found = model.sample(50, 1), pandas.read_csv("s.csv")
    assert list(found.columns) == ["q1", "q2", "q3", "group"]
    assert found["group"].tolist() == np.where(drawn[:, 3] >= drawn[:, 4], "x", "y").tolist()
    assert "became one of words again, that of the largest" in capsys.readouterr().err
    assert run("transform", "r", "s.csv", "--out", "d.csv") == 0
    assert run("sample", "r", "-n", 2, "--no-round", "--out", "u.csv") == 0
    assert list(pandas.read_csv("u.csv").columns) == model.columns_


def test_scores_and_residuals_are_those_of_the_formulas():
    words = ["--n-factors", 2, "--rotation", "oblimin", "--scores", "regression", "--out", "f"]
    assert run("factor", "t.csv", "--columns", "q*", *words) == 0
    loadings = pandas.read_csv("f/loadings.csv", index_col="variable")
    L, psi = loadings[["F1", "F2"]].to_numpy(), np.diag(loadings["uniqueness"])
    phi = latentia.load("f/model").factor_correlations_
    R, Z_ = np.corrcoef(Q.T), (Q - Q.mean(axis=0)) / Q.std(axis=0)
    implied = L @ phi @ L.T + psi
    scores = Z_ @ np.linalg.solve(implied, L @ phi)
    found = pandas.read_csv("f/scores.csv")[["F1", "F2"]]
    np.testing.assert_allclose(found, scores, atol=1e-4)
    residuals = pandas.read_csv("f/residuals.csv", index_col="variable")
    np.testing.assert_allclose(residuals, R - implied, atol=1e-6)
    again = latentia.load_data("f/loadings.csv")
    assert again.columns == ("F1", "F2", "communality", "uniqueness")


def described(capsys, *words):
    assert main(["data", "describe", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_describe_tells_columns_gaps_classes_and_what_is_trained_on(capsys):
    gaps = FRAME.assign(q1=[None, None, *FRAME["q1"][2:]], k=7, group=["x", "y", "y"] * 20)
    gaps.to_csv("g.csv", index=False)
    out = described(capsys, "g.csv", "--label", "group", "--weights", "w")
    data = latentia.load_data("g.csv", label="group", weights="w", gaps_stay=True)
    n = len(data.hold_out()[0].x_train)
    for part in (
        f"{N} rows of 8 columns",
        f"a model is trained on {n} and {len(data.x_train) - n} for",
        f"tested on {len(data.x_test)}, held out of them",
        "classes   2: x (20), y (40)",
        f"2 of {8 * N} cells, in 2 rows",
        f"q1      whole numbers, 1 to 5 (5 values), mean {FRAME['q1'][2:].mean():.6g}, 2 missing",
        f"height  numbers, {FRAME['height'].min():.6g} to {FRAME['height'].max():.6g}, mean",
        "k       constant, 7",
        f"weights   {FRAME['w'].min()} to {FRAME['w'].max()}\n",
        *data.notes,
    ):
        assert part in out, part


def test_describe_tells_the_first_columns_of_many(capsys, monkeypatch):
    assert "more" not in described(capsys, "t.csv").partition("notes")[0]
    monkeypatch.setattr("latentia.data.described.MOST_COLUMNS", 3)
    out = described(capsys, "t.csv")
    assert "q3 " in out
    assert "q4 " not in out
    assert "and 5 more" in out


def test_a_sheet_takes_so_many_rows_and_columns_and_arrays_all_numbers(monkeypatch, folder):
    columns = {"cluster": np.arange(3), "w": np.array(["a", "=b", "c"]), "z": np.ones(3)}
    table_writing.write_table(folder / "a.npy", columns)
    np.testing.assert_array_equal(np.load("a.npy"), [[0, 1], [1, 1], [2, 1]])
    for limit, least in {"ROWS_OF_A_SHEET": 4, "COLUMNS_OF_A_SHEET": 3}.items():
        with monkeypatch.context() as patched:
            patched.setattr(table_writing, limit, least)
            table_writing.write_table(folder / f"{limit}.xlsx", columns)
            patched.setattr(table_writing, limit, least - 1)
            with pytest.raises(InputError, match=r"b\.xlsx would have 3 rows and 3 columns, more"):
                table_writing.write_table(folder / "b.xlsx", columns)
    assert not Path("b.xlsx").exists()


def test_describe_tells_a_matrix_a_text_and_images(capsys, folder):
    FRAME[["q1", "q2", "q3"]].corr().to_csv("m.csv")
    out = described(capsys, "m.csv")
    assert "a correlation matrix of 3 variables, and no rows" in out
    assert "q1, q2, q3" in out
    least, largest = np.linalg.eigvalsh(FRAME[["q1", "q2", "q3"]].corr())[[0, -1]]
    assert f"eigenvalues from {least:.4g} to {largest:.4g}" in out
    (folder / "t.txt").write_text("a line\nand another\n")
    assert "19 characters, 12 different ones" in described(capsys, "t.txt")
    np.save("i.npy", np.full((7, 3, 5, 6), 9, np.uint8))
    out = described(capsys, "i.npy")
    assert "7 images of 6×5 pixels (width × height), 3 channels" in out
    assert "9 to 9" in out
    assert main(["data", "describe", "nowhere.csv"]) == 2
    assert "no such file" in capsys.readouterr().err
