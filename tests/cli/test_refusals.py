"""What commands refuse, each in its whole sentence: every value in it is the given one."""

from pathlib import Path

import numpy as np
import pytest

from latentia.cli.main import main
from latentia.data import names
from latentia.models.fields import commands
from latentia.training.config import write_config
from tests.saved.test_saved_before import KEPT

PCA = KEPT / "PCA/model"
MODELS, SETS = ", ".join(commands()), ", ".join(names())

REFUSED = [
    ("samples", "there is no command 'samples'; choose from compare, factor, reliability, train, "
     "resume, search, checkpoints, sample, reconstruct, transform, evaluate, explore, export, "
     "push, translate, upscale, figure, data, models, doctor, zoo, reproduce, lab, studio; "
     "did you mean 'sample'?"),
    ("sample r --colour 3", "latentia sample has no option --colour"),
    ("figure em-step", "there is no figure 'em-step'; did you mean 'em-steps'?"),
    ("figure em-steps --out a.jpg", "--out a.jpg: a figure is written as .png, .svg or .html"),
    ("figure mean-face", "the figure mean-face needs data: a file of faces, such as an .npz of "
     "pictures"),
    ("figure list --topic qqq", "no figure has 'qqq' in its title, topic or name"),
    ("figure list --topic colapse", "no figure has 'colapse' in its title, topic or name; did you "
     "mean 'collapse'?"),
    ("models all", "latentia models does not know what to do with 'all'"),
    ("sample", "the following arguments are required: run (see 'latentia sample --help')"),
    ("train vea", f"there is no model 'vea'; choose from {MODELS}; did you mean 'vae'?"),
    ("train", f"train needs a model: one of {MODELS}"),
    ("train vae --recipe", "--recipe needs a value"),
    ("train vae --devices 0", "--devices is 0; it must be at least 1"),
    ("train lstm", "lstm learns from a text: give it with --data FILE.txt"),
    ("train lstm --data t.txt --profile",
     "lstm takes no --profile: one process reads a text in order"),
    ("train lstm --data t.txt --devices 2",
     "lstm takes no --devices: one process reads a text in order"),
    ("train pca --devices 2",
     "pca takes no --devices: one process fits it, without training steps"),
    ("train vae --n-epochs 2.5", "argument --n-epochs: '2.5' is not a whole number or none (see "
     "'latentia train vae --help')"),
    ("train vae --hidden a", "argument --hidden: 'a' is not a whole number or none (see 'latentia "
     "train vae --help')"),
    ("train vae --beta a",
     "argument --beta: 'a' is not a number (see 'latentia train vae --help')"),
    ("train vae --architecture mpl", "argument --architecture: 'mpl' is not one of auto, mlp, "
     "convolutional, principal; did you mean 'mlp'? (see 'latentia train vae --help')"),
    ("resume r --n-epochs 0",
     "argument --n-epochs: '0' is not a whole number from 1 (see 'latentia resume --help')"),
    ("train vae --recipe r.toml", "held_out in the recipe is 'a'; it must be a number"),
    ("train vae --recipe s.toml", "s.toml: vae has no parameter 'bete'; did you mean 'beta'?"),
    ("checkpoints closed", "PCA is fitted at once, and keeps no checkpoints"),
    ("checkpoints begun", "the run in begun keeps no checkpoint yet"),
    ("train autoencoder --resume begun", "the model is Autoencoder, and the run in begun was begun "
     "with VAE: leave it out, or train anew without --resume"),
    ("train --resume begun --learning-rate 0.5", "--learning-rate is 0.5, and the run in begun was "
     "begun with 0.25: leave it out, or train anew without --resume"),
    ("train --resume begun --data ring", "--data is ring, and the run in begun was begun with "
     "digits: leave it out, or train anew without --resume"),
    ("train --resume begun --run other", "--run is other, and the run in begun was begun with "
     "begun: leave it out, or train anew without --resume"),
    ("train --resume begun --start-from other",
     "a run that goes on has its own weights: leave --start-from out"),
    ("data lost", "data has no action 'lost'; use list, describe or fetch; did you mean 'list'?"),
    ("data list ring", "data list lists all sets: give 'data describe ring', or no name"),
    ("data fetch --fit",
     "--image-size, --crop and --fit are for data describe, and not for data fetch"),
    ("data fetch", f"data fetch needs a name: one of {SETS}"),
    ("data describe", f"data describe needs a name or a path: one of {SETS}"),
    ("factor t.csv --suggest --out there",
     "there exists: choose another folder, or an empty one, with --out"),
    (f"explore map {PCA} --out a.gif", "a.gif ends in '.gif'; use .png, .npz for map"),
    (f"explore blend {PCA} --out a.mov",
     "a.mov ends in '.mov'; use .png, .npz, .gif, .mp4 for blend"),
    (f"explore map {PCA} --out no/a.png", "there is no folder no to write a.png into"),
    (f"explore attribute {PCA} --strengths 1 nan",
     "the strengths are [1.0, nan]; give finite numbers such as -1 0 1"),
    (f"explore attribute {PCA} --strengths 1 --out a.gif",
     "a.gif shows what lies between strengths; give two different ones"),
    (f"explore traverse {PCA} --n-steps 5000", "--n-steps is 5000; a walk has at most 1,000"),
    (f"explore map {PCA} --n-grid 300", "--n-grid is 300; a map has at most 200 across"),
    (f"explore interpolate {PCA} --data digits --rows 5",
     "a walk needs at least two samples; 1 was given"),
    (f"explore traverse {PCA} --data digits --rows 5 7",
     "a traversal starts from one sample; 2 were given"),
    (f"explore blend {PCA} --data digits --rows 5 297",
     "there is no row 297; the 297 test samples are 0 to 296"),
    (f"explore attribute {PCA} --data x.npy",
     "x has no labels; name some with --labels FILE.npz:key"),
    (f"explore attribute {PCA} --data digits --attribute twelve",
     "there is no attribute 'twelve', but 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
    (f"explore attribute {PCA} --data digits --labels y.npy y.npz",
     "--labels gives 'y' twice; name one of them otherwise"),
    (f"explore attribute {PCA} --data digits --labels z.npy",
     "all test samples are alike in 'z', so that its edit cannot be judged; give --no-check"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with a table, a text, recipes, labels and two runs that have not begun."""
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a,b\n1,2\n2,3\n")
    Path("t.txt").write_text("the cat sat on the mat " * 30)
    Path("r.toml").write_text("model = 'vae'\nheld_out = 'a'\n")
    Path("s.toml").write_text("model = 'vae'\nbete = 1\n")
    Path("there").mkdir()
    Path("there/a").touch()
    for name, model, parameters in (
        ("closed", "PCA", {"n_components": 2}),
        ("begun", "VAE", {"n_epochs": 2, "learning_rate": 0.25}),
    ):
        Path(name).mkdir()
        config = {"model": model, "parameters": parameters, "data": {"spec": "digits"}}
        write_config(Path(name), config)
    labels = np.arange(1797) % 2
    np.save("y.npy", labels)
    np.savez("y.npz", y=labels)
    np.save("z.npy", np.where(np.arange(1797) < 1500, labels, 1))
    np.save("x.npy", np.random.default_rng(0).random((9, 8, 8)))


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize(("words", "sentence"), REFUSED, ids=[w for w, _ in REFUSED])
def test_every_refusal_names_what_was_given(words, sentence, folder, capsys, advised_in_vain):
    assert main(words.split()) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == f"latentia: error: {sentence}"
    assert not advised_in_vain(words.split(), told.removeprefix("latentia: error: "))


GAPS, MATRIX = "a,b,c\n1,2,\n2,3,4\n4,5,9\n2,8,1\n", "1,0.5,0.2\n0.5,1,0.1\n0.2,0.1,1\n"
READERS = [
    *(f"train {model} --data" for model in ("vae", "pca", "factor-analysis", "dcgan")),
    "compare --models PCA,VAE --data",
    *(f"{verb} {PCA} --data" for verb in ("evaluate", "reconstruct")),
    f"transform {PCA}",
    "factor --n-factors 1",
    "reliability",
    "data describe",
]


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("text", [GAPS, MATRIX, "a\nx\ny\n", "a,b\n", "1,inf\n2,3\n"])
def test_no_command_advises_a_flag_that_it_lacks(text, folder, capsys, advised_in_vain):
    Path("bad.csv").write_text(text)
    refused = 0
    for command in READERS:
        refused += main([*command.split(), "bad.csv", *WHERE.get(command.split()[0], [])]) == 2
        told = capsys.readouterr().err.splitlines()
        complaint = told[-1].removeprefix("latentia: error: ") if told else ""
        assert not advised_in_vain(command.split(), complaint), (command, complaint)
    assert refused >= 8


WHERE = {"reconstruct": ["--out", "o.npz"], "transform": ["--out", "o.csv"]}
