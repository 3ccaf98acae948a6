"""One rule for all commands: what exists is not replaced unless --overwrite asks for it."""

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli.main import COMMANDS, main
from tests.saved.test_saved_before import KEPT

WRITERS = {
    "train": ("train pca --n-components 2 --data x.npy --run", "out"),
    "compare": ("compare --models pca --data x.npy --out", "out"),
    "factor": ("factor x.csv --n-factors 1 --out", "out"),
    "reliability": ("reliability x.csv --n-factors 1 --out", "out"),
    "sample": ("sample model -n 3 --out", "out.npy"),
    "sample, by itself": ("sample pictures -n 3", "samples.png"),
    "reconstruct": ("reconstruct model --data x.npy --out", "out.npy"),
    "reconstruct, by itself": ("reconstruct pictures --data y.npy", "reconstructions.png"),
    "resume": (f"resume {KEPT / 'VAE/run'} --checkpoint 1 --out", "out"),
    "transform": ("transform model x.npy --out", "out.csv"),
    "export": ("export model --only decode --out", "out.json"),
    "evaluate": ("evaluate pictures --data y.npy --memorisation", "out.png"),
    "explore": ("explore map pictures --data y.npy --out", "out.png"),
    "explore, by itself": ("explore map pictures --data y.npy", "map.png"),
    "figure": ("figure parameters-counted --out", "out.png"),
    "figure, by itself": ("figure parameters-counted", "parameters-counted.png"),
    "translate": ("translate bicubic a.png --out", "out/a.png"),
    "upscale": ("upscale bicubic a.png --scale 2 --out", "out/a.png"),
    "search": ("search s.toml --n-trials 1 --out", "out"),
    "lab": ("lab --out", "out.html"),
    "zoo": ("zoo list --out", "out.md"),
    "reproduce": ("reproduce zoo:pca-mnist --run", "out"),
}
"""What a command is told, and the file or folder that it is to write."""
READERS = {"data", "models", "doctor", "checkpoints", "push", "studio"}
"""Commands that write no file; the studio's own tests hold what its pages ask it to write."""
FOLDERS = ("compare", "factor", "reliability", "train", "resume", "reproduce", "search")
FILES = ("sample", "reconstruct", "transform", "evaluate", "explore", "upscale", "export", "lab")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Stand in a folder with data, a model of tables and one of pictures."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    table, pictures = draw.normal(size=(30, 4)), draw.random((48, 8, 8))
    (tmp_path / "s.toml").write_text("model = 'vae'\n[search.ranges]\nbeta = [0.5, 1.0]\n")
    np.save("x.npy", table)
    np.save("y.npy", pictures)
    np.savetxt("x.csv", table, delimiter=",", header="a,b,c,d", comments="")
    Image.fromarray((pictures[0] * 255).astype(np.uint8)).save("a.png")
    latentia.ProbabilisticPCA(n_components=2).fit(table).save("model")
    latentia.ProbabilisticPCA(n_components=2).fit(pictures).save("pictures")
    return tmp_path


@pytest.mark.parametrize("name", WRITERS)
def test_what_exists_is_not_replaced_unasked(name, place, capsys):
    words, target = WRITERS[name]
    if words.split()[0] in FOLDERS:
        (place / target).mkdir()
        kept = place / target / "report.html"
    else:
        kept = place / target
        kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    order = words.split()
    if order[-1].startswith("--"):
        order.append("out" if "/" in target else target)
    assert main(order) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("latentia: error: ")
    assert said.count("latentia: error: ") == 1
    kept_words = (" exists", " already holds", " holds report.html", " holds something else")
    assert any(word in said for word in kept_words)
    assert kept.read_text() == "mine"
    if name in FILES:
        assert "--overwrite" in said
        assert main([*order, "--overwrite"]) == 0
        assert kept.read_bytes() != b"mine"


IN_FOLDERS = ("train", "compare", "factor", "reliability", "resume", "upscale")
"""Commands that write folders."""


@pytest.mark.parametrize("name", IN_FOLDERS)
@pytest.mark.parametrize("linked", [False, True])
def test_an_empty_folder_is_written_into(name, linked, place):
    words, _ = WRITERS[name]
    empty = place / ("elsewhere" if linked else "out")
    empty.mkdir()
    if linked:
        (place / "out").symlink_to(empty)
    order = words.split()
    done = main([*order, "out"] if order[-1].startswith("--") else order)
    # The run that is taken back was begun in Python, and goes on there.
    assert done == (2 if name == "resume" else 0)
    assert any(empty.iterdir())
    assert (place / "out").is_symlink() == linked
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


def test_an_empty_folder_is_saved_into(place):
    (place / "there").mkdir()
    latentia.load("model").save("there")
    np.testing.assert_array_equal(latentia.load("there").mean_, latentia.load("model").mean_)


def test_every_command_that_writes_is_held_to_it():
    assert {name.split(",")[0] for name in WRITERS} | READERS == set(COMMANDS)


@pytest.mark.parametrize("command", FILES[:4])
def test_a_folder_is_not_replaced_even_if_asked(command, place):
    words, target = WRITERS[command]
    (place / target).mkdir()
    assert main([*words.split(), target, "--overwrite"]) == 2
    assert (place / target).is_dir()


def test_overwriting_what_is_not_written_is_refused(place, capsys):
    assert main(["evaluate", "model", "--data", "x.npy", "--overwrite"]) == 2
    assert "--overwrite is for the PICTURE" in capsys.readouterr().err


def test_too_little_memory_is_one_sentence(place, capsys, monkeypatch):
    errors = (
        MemoryError("Unable to allocate 8.00 TiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 4000 bytes\nat x"),
    )
    for error in errors:
        monkeypatch.setattr(latentia.PCA, "fit", lambda *_, error=error, **options: raised(error))
        assert main(["train", "pca", "--data", "x.npy", "--run", "r"]) == 2
        [said] = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        assert said.startswith("latentia: error: memory does not suffice (")
        assert not (place / "r").exists()


def raised(error):
    raise error
