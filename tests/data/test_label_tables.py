"""Tables of classes beside pictures, as downloads have them."""

import json
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentia.cli.main import main
from latentia.data import load
from latentia.errors import InputError
from latentia.evaluation.runs import data_of
from latentia.models.linear.pca import PCA
from tests.data.test_archives import PIXELS, packed, png

N = 12
KINDS = [("frog", "truck", "cat")[(5 * i) % 7 % 3] for i in range(N)]


def pictures(folder, name="{}.png", rows=range(N)):
    folder.mkdir(parents=True, exist_ok=True)
    for i in rows:
        Image.fromarray(PIXELS[i]).save(folder / name.format(i))
    return folder


def named(data):
    """Return the class of each picture, known by its pixels."""
    x, y = np.concatenate([data.x_train, data.x_test]), [*data.y_train, *data.y_test]
    first = np.moveaxis(PIXELS[:N], 3, 1)
    order = [int(np.flatnonzero((image == first).all((1, 2, 3)))[0]) for image in x]
    return {i: data.class_names[k] for i, k in zip(order, y)}


def csv(names, column="label", kinds=KINDS, sign=",", key="id"):
    lines = [f"{name}{sign}{kind}" for name, kind in zip(names, kinds)]
    return "\n".join([f"{key}{sign}{column}", *lines])


ALL = dict(enumerate(KINDS))


@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("labels.csv", csv([f"{i}.png" for i in range(N)], key="filename")),
        ("train.csv", csv(range(N))),
        ("x.tsv", csv(range(N), "breed", sign="\t", key="image")),
        ("x.csv", csv([f"C:\\data\\{i}.png" for i in range(N)], "category", sign=";")),
        ("x.csv", csv([f"/home/x/in/{i}.png" for i in range(N)], "of which kind")),
        ("x.csv", "\ufeff" + csv([f"{i}.png" for i in range(N)], "target", key="path")),
        ("metadata.csv", csv([f"{i}.png" for i in range(N)], key="file_name")),
    ],
)
def test_a_table_among_the_pictures_gives_their_classes(tmp_path, table, content):
    pictures(tmp_path)
    (tmp_path / table).write_text(content, encoding="utf-8")
    data = load(str(tmp_path))
    assert named(data) == ALL
    column = content.splitlines()[0].split(";" if ";" in content else ",")[-1].split("\t")[-1]
    (note,) = [note for note in data.notes if "classes are from" in note]
    assert note.startswith(f"classes are from the column {column!r} of {table}")
    key = content.splitlines()[0].lstrip("\ufeff").split(column)[0][:-1]
    assert ("--label takes another" in note and repr(key) in note) == (table != "metadata.csv")
    assert not any("left out" in note or "not there" in note for note in data.notes)


def test_columns_of_which_one_is_one_are_classes(tmp_path):
    pictures(tmp_path / "images", "ISIC_{:07}.png")
    kinds = sorted({*KINDS})
    rows = [
        f"ISIC_{i:07}," + ",".join(str(float(k == kind)) for k in kinds) for i, kind in ALL.items()
    ]
    text = "\n".join(["image," + ",".join(kinds), *rows])
    (tmp_path / "GroundTruth.csv").write_text(text)
    data = load(str(tmp_path))
    assert named(data) == ALL
    assert any(
        "the 3 columns of 0 and 1, cat, frog, truck, of GroundTruth" in n for n in data.notes
    )
    (tmp_path / "GroundTruth.csv").write_text(text.replace("1.0", "0.0", 1))
    data = load(str(tmp_path))
    assert data.y_train is None
    assert any(
        "none of its columns, image, cat" in note and "--label" in note for note in data.notes
    )


@pytest.mark.parametrize("kind", ["folder", "zip", "part"])
def test_a_table_beside_the_folder_of_a_part(tmp_path, kind):
    folder = pictures(tmp_path / "in" / "train").parent
    (folder / "trainLabels.csv").write_text(csv(range(N)))
    (folder / "sample_submission.csv").write_text(csv(range(N), kinds=["cat"] * N))
    spec = folder / "train" if kind == "part" else folder
    if kind == "zip":
        files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*")}
        spec = packed(tmp_path / "x.zip", files)
    data = load(str(spec))
    assert named(data) == ALL
    assert any("column 'label' of trainLabels.csv" in note for note in data.notes)
    if kind != "part":
        assert any("sample_submission.csv" in note and "left out" in note for note in data.notes)


def test_a_table_of_one_part_leaves_both_without_classes_and_says_so(tmp_path):
    pictures(tmp_path / "train", rows=range(9))
    pictures(tmp_path / "test", rows=range(9, N))
    (tmp_path / "train.csv").write_text(csv(range(9)))
    data = load(str(tmp_path))
    assert data.own_test
    assert data.y_train is None
    assert any("only one of the parts" in note for note in data.notes)
    assert not any("no column of it names" in note for note in data.notes)
    assert load(str(tmp_path / "train")).y_train is not None
    (tmp_path / "train.csv").write_text(csv(range(N)))
    assert named(load(str(tmp_path))) == ALL


def test_what_a_table_says_wrongly_is_told(tmp_path):
    pictures(tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text(csv([*range(N - 1), "gone"]))
    notes = load(str(tmp_path)).notes
    assert f"{table} names 1 files that are not there: gone." in notes
    assert any(f"1 of {N} pictures have none: {tmp_path / '11.png'}" in note for note in notes)
    table.write_text(csv([f"x{i}" for i in range(N)]))
    data = load(str(tmp_path))
    assert (data.y_train, len(data.x_train) + len(data.x_test)) == (None, N)
    assert f"{table} was left out: no column of it names these pictures." in data.notes
    table.write_text(csv([*range(N), 3], kinds=[*KINDS, "another"]))
    assert any("it gives 3.png several classes" in note for note in load(str(tmp_path)).notes)
    table.write_text(csv(range(N), kinds=[*KINDS[:-1], ""]))
    assert any(f"1 of {N} pictures have none" in note for note in load(str(tmp_path)).notes)


def test_label_takes_another_column_or_none(tmp_path, capsys):
    pictures(tmp_path / "in")
    size = ["small" if i % 2 else "large" for i in range(N)]
    both = [f"{kind},{s}" for kind, s in zip(KINDS, size)]
    (tmp_path / "in/labels.csv").write_text(csv(range(N), "label,size", both))
    spec = str(tmp_path / "in")
    assert named(load(spec)) == ALL
    assert named(load(spec, label="size")) == dict(enumerate(size))
    assert named(load(spec, label="3")) == dict(enumerate(size))
    assert load(spec, label="none").y_train is None
    with pytest.raises(
        InputError, match=r"--label: .*labels.csv has no column 'sise'.*mean 'size'"
    ):
        load(spec, label="sise")
    with pytest.raises(InputError, match=r"--columns has no effect here: only tables have columns"):
        load(spec, label="size", columns="size")
    assert main(["data", "describe", spec, "--label", "size"]) == 0
    assert "classes   2: large (6), small (6)" in capsys.readouterr().out
    words = ["train", "pca", "--n-components", "2", "--data", spec, "--label", "size"]
    assert main([*words, "--run", str(tmp_path / "run")]) == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["data"]["options"] == {"label": "size"}
    assert data_of(tmp_path / "run", None, PCA()).class_names == ("large", "small")


def test_a_label_is_asked_of_what_has_columns(tmp_path):
    pictures(tmp_path / "in")
    with pytest.raises(InputError, match="--label kind: no table beside the pictures of in has it"):
        load(str(tmp_path / "in"), label="kind")
    np.save(tmp_path / "x.npy", PIXELS)
    with pytest.raises(InputError, match=r"only tables and pictures have labels, and .*x.npy"):
        load(str(tmp_path / "x.npy"), label="kind")
    with pytest.raises(
        InputError, match="--label has no effect here: digits has classes of its own"
    ):
        load("digits", label="kind")


def test_label_takes_another_column_of_a_table_of_pictures(tmp_path):
    rows = [{"bytes": png(PIXELS[i]), "path": None} for i in range(N)]
    pq.write_table(
        pa.table({"image": rows, "label": [0, 1] * 6, "animal": KINDS}), tmp_path / "t.parquet"
    )
    spec = str(tmp_path / "t.parquet")
    assert named(load(spec)) == {i: str(i % 2) for i in range(N)}
    assert named(load(spec, label="animal")) == ALL
    assert load(spec, label="none").y_train is None
    with pytest.raises(InputError, match=r"has no column 'animals'.*mean 'animal'"):
        load(spec, label="animals")


def test_names_are_the_same_however_their_letters_are_spelt(tmp_path):
    """One system keeps an accent, or a syllable's letters, apart from the others."""
    whole, apart = (
        [unicodedata.normalize(form, word) for word in ("고양이", "café")]
        for form in ("NFC", "NFD")
    )
    for part, words, first in (("train", whole, 0), ("test", apart, 8)):
        for number, word in enumerate(words):
            pictures(tmp_path / part / word, rows=range(first + 2 * number, first + 2 * number + 2))
    data = load(str(tmp_path))
    assert data.class_names == tuple(sorted(whole))
    assert sorted(data.y_test.tolist()) == [0, 0, 1, 1]
    folder = pictures(tmp_path / "in", unicodedata.normalize("NFD", "사진{}.png"))
    table = csv([f"사진{i}.png" for i in range(N)], key="file_name")
    (folder / "metadata.csv").write_text(unicodedata.normalize("NFC", table), encoding="utf-8")
    assert named(load(str(folder))) == ALL
