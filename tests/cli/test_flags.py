"""The law of flags: one that is given has an effect on the call, or is refused by its name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli import parser
from latentia.cli.explore import ACTIONS, LISTS, SWITCHES, VALUES
from latentia.cli.explore_idle import IDLE
from latentia.cli.main import main
from tests.cli.test_options import KNOWN, PICTURES, READ_PICTURES
from tests.saved.test_saved_before import KEPT

ALWAYS = {
    "compare": "--data --models --out --random-state --image-size --live",
    "factor": "data --n-factors --suggest --out --lang",
    "reliability": "data --correlation --scales --reverse --reverse-found --n-factors --method "
    "--out --lang",
    "train": "--data --run --recipe --resume --image-size --live",
    "resume": "run --live",
    "search": "recipe --out --n-trials",
    "reproduce": "model --run --data",
    "checkpoints": "run",
    "sample": "run --n-samples --out --overwrite --random-state",
    "reconstruct": "run --data --out --overwrite",
    "evaluate": "run --data",
    "translate": "run images --out --overwrite --skip-existing --manifest --shard --manifest-out "
    "--failures",
    "upscale": "run images --out --overwrite --skip-existing --tile --overlap --manifest --shard "
    "--manifest-out --failures",
    "figure": "name --out --overwrite --lang",
    "data": "action",
    "transform": "run data --out --overwrite",
    "models": "",
    "doctor": "",
    "export": "run --out --only --precision --with-images --overwrite",
    "lab": "--out",
    "studio": "--port --runs --no-browser",
    "push": "run name --private --no-page --overwrite",
}
"""What has an effect in every call of its command; tests beside this one show which."""

GAN, PCA, LSTM = "GAN/model", "PCA/model", "LSTMLanguageModel/model"
FA = "FactorAnalysis/model"
REFUSED = [
    ("compare --models pca --n-epochs 2", "n_epochs is 2; PCA is fitted without epochs"),
    ("compare --models wgan --n-components 2", "n_components is 2; WGAN has no such size to set"),
    ("compare --models pca --fit", "--fit is given, and digits is no folder of pictures"),
    ("compare --models pca --crop", "--crop is given, and digits is no folder of pictures"),
    ("compare --n-epochs 0", "n_epochs is 0; it must be at least 1"),
    ("figure em-steps --data digits", "data is given, and the figure em-steps takes none"),
    ("factor t.csv --n-factors 1 --n-samples 20", "n_samples is 20, but t.csv holds rows"),
    ("factor t.csv --suggest --standard-errors bootstrap", "--standard-errors is of a solution"),
    (
        "factor t.csv --n-factors 1 --standard-errors information --out t.tex",
        "--standard-errors are",
    ),
    ("factor t.csv --n-factors 1 --smooth", "smooth is for a matrix, and t.csv holds rows"),
    ("factor t.csv --suggest --compare-with m", "--compare-with is of a solution"),
    ("factor t.csv --n-factors 1 --promax-power 3", "promax_power is 3.0, which counts only with"),
    ("factor t.csv --suggest --group a", "--group is of a solution"),
    ("factor t.csv --suggest --target a", "--target is of a solution"),
    ("factor t.csv --suggest --cutoff 0.3", "--cutoff is of a solution"),
    ("factor t.csv --suggest --no-kaiser", "--kaiser is of a solution"),
    ("factor t.csv --suggest --scores bartlett", "--scores is of a solution"),
    ("factor t.csv --n-factors 2 --n-components 1", "--n-components and --n-factors are of one"),
    ("reliability t.csv --n-samples 20", "n_samples is 20, but t.csv holds rows"),
    ("reliability t.csv --smooth", "smooth is for a matrix, and t.csv holds rows"),
    ("reliability m.csv --missing complete", "missing is 'complete': it is for rows"),
    ("reliability m.csv --level 0.9", "level is 0.9: without --n-samples α of a matrix has no"),
    ("reliability w.csv --weights e", "reliability takes no weights of rows: leave --weights"),
    ("reliability t.csv --scales s=a,b --reverse c", "--reverse c: no scale has this item"),
    ("reliability t.csv --scales s=-a,b --reverse a", "'a' has a minus in --scales and is in"),
    ("train vae --binarize --no-binarize", "--binarize and --no-binarize are of one option"),
    ("train vae --run a --run-directory b", "--run and --run-directory are of one option"),
    ("train pca --held-out 0.2", "held_out is for models of texts, and pca is none"),
    ("train vae --more-epochs 3", "--more-epochs is for a run that goes on"),
    (f"train pca --start-from {PCA}", "PCA is fitted at once: it starts from no other fit"),
    ("train pca --crop", "--crop is given, and digits is no folder of pictures"),
    ("train vae --data t.csv --fit", "--fit is given, and t.csv is no folder of pictures"),
    ("train lstm --data t.txt --fit", "lstm takes no --image-size, --crop or --fit"),
    ("resume r --checkpoint best", "--checkpoint and --out go together"),
    ("resume r --out q", "--checkpoint and --out go together"),
    ("resume r --n-epochs 3 --more-epochs 2", "--n-epochs counts all epochs and --more-epochs"),
    ("train pca --profile", "pca takes no --profile: one process fits it"),
    ("train bicubic --profile", "bicubic takes no --profile: one process fits it"),
    ("train factor-analysis --devices 2", "factor-analysis takes no --devices: one process"),
    ("train n-gram --data t.txt --devices 2", "n-gram takes no --devices: one process"),
    ("train lstm --data t.txt --devices 2", "lstm takes no --devices: one process"),
    ("train lstm --data t.txt --image-size 8", "lstm takes no --image-size"),
    ("train vae --n-mixture 3", "n_mixture is 3, which counts only with sampler mixture"),
    (f"sample {GAN} --label 3", "GAN knows no classes: leave --label out"),
    (f"sample {GAN} --prompt a", "--prompt is for models of texts"),
    (f"sample {GAN} --temperature 1", "--temperature is for models of texts"),
    (f"sample {GAN} --length 3", "--length is for models of texts"),
    (f"sample {GAN} --noise", "GAN has no density of x given z: leave noise out"),
    (f"sample {FA} --out a.npy --round", "--round is of a table's columns in .csv"),
    (f"sample {LSTM} --noise", "a model of texts draws no numbers: leave --noise out"),
    (f"sample {LSTM} --round", "a model of texts draws no numbers: leave --round out"),
    (f"transform {PCA} digits --out a.csv --image-size 8", "image_size is 8, and digits is no"),
    (f"transform {GAN} digits --out a.csv", "gan has no codes to write: a GAN has no encoder"),
    (f"transform {LSTM} t.txt --out a.csv", "lstm has no codes to write"),
    (f"transform {PCA} digits --out a.doc", "a.doc ends in '.doc'; a table is .csv"),
    (f"transform {PCA} digits --out a.csv --crop", "--crop is given, and digits is no folder"),
    (f"transform {PCA} digits --out a.csv --fit", "--fit is given, and digits is no folder"),
    ("data fetch mnist --image-size 8", "--image-size, --crop and --fit are for data describe"),
    ("data list --crop", "--image-size, --crop and --fit are for data describe"),
    ("data describe digits --image-size 8", "image_size is 8, and digits is no folder"),
    ("data describe digits --fit", "--fit is given, and digits is no folder of pictures"),
    ("data describe t.txt --fit", "--fit is given, and t.txt is no folder of pictures"),
    ("data describe t.csv --crop", "--crop is given, and t.csv is no folder of pictures"),
    ("data describe m.csv --crop", "--crop is given, and m.csv is no folder of pictures"),
    ("data list --columns a", "--columns has no effect here: only tables have columns"),
    ("data describe digits --label a", "--label has no effect here: only tables have columns"),
    (
        f"evaluate {PCA} --data digits --columns a",
        "--columns has no effect here: only tables have columns",
    ),
    (
        "train lstm --data t.txt --drop a",
        "--drop has no effect here: lstm learns texts and no tables",
    ),
    (
        "train pix2pix --data digits --drop a",
        "--drop has no effect here: pix2pix learns pictures and no tables",
    ),
    (
        "train cyclegan --data digits --drop a",
        "--drop has no effect here: cyclegan learns pictures and no tables",
    ),
    (
        "train srgan --data digits --drop a",
        "--drop has no effect here: srgan learns pictures and no tables",
    ),
    ("train pca --data w.csv --weights a", "pca takes no weights of rows"),
    (
        "compare --models pca --data digits --drop a",
        "--drop has no effect here: only tables have columns",
    ),
    ("factor w.csv --suggest --weights e", "a suggested number of factors takes no weights"),
    (f"sample {LSTM} --label 3", "a model of texts knows no classes: leave --label out"),
    (f"evaluate {LSTM} --judge j", "--judge is for models of images"),
    (f"evaluate {LSTM} --memorisation m.png", "--memorisation is for models of images"),
    (f"evaluate {LSTM} --n-importance 5", "--n-importance bounds log p"),
    (f"evaluate {PCA} --overwrite --data digits", "--overwrite is for the PICTURE of --memor"),
    (f"evaluate {PCA} --n-importance 5 --data digits", "PCA bounds no likelihood"),
    (f"evaluate {PCA} --judge j --data digits", "PCA draws no samples to judge"),
    (f"evaluate {PCA} --memorisation m.png --data digits", "PCA draws no samples"),
    ("translate Pix2Pix/model p.png --out o --reverse", "Pix2Pix cannot --reverse"),
    ("translate Pix2Pix/model p.png --out o --resize --tile 8", "--resize makes pictures small"),
    ("translate Pix2Pix/model p.png --out o --resize --overlap 2", "--resize makes pictures small"),
    ("upscale Bicubic/model p.png --out o --scale 4", "--scale is 4; the Bicubic has scale 2"),
    ("data list digits", "data list lists all sets"),
    ("lab --overwrite", "--overwrite is for the file of --out"),
    (f"explore traverse {PCA} --coordinates 1 --n-coordinates 2", "--n-coordinates has no effect"),
    (f"explore interpolate {PCA} --random-state 3", "--random-state has no effect here: the walk"),
    (f"explore interpolate {GAN} --data digits", "--data has no effect here: codes are"),
    (f"explore interpolate {GAN} --frames-per-second 3", "--frames-per-second has no effect"),
    (f"explore blend {PCA} --frames-per-second 3", "--frames-per-second has no effect here"),
    (f"explore traverse {PCA} --frames-per-second 3", "--frames-per-second has no effect here"),
    (f"explore attribute {PCA} --frames-per-second 3", "--frames-per-second has no effect here"),
    (f"explore attribute {PCA} --out a.gif --no-check", "--check has no effect here: a film"),
    (f"explore map {PCA} --random-state 3", "--random-state has no effect here: nothing"),
    (f"explore map {GAN} --coordinates 0 1 --data digits", "--data has no effect here: the model"),
    (f"explore map {GAN} --coordinates 0 1 --labels y.npy", "--labels has no effect here"),
    (f"explore traverse {PCA} --random-state 3", "--random-state has no effect here"),
    (f"explore traverse {GAN} --data digits", "--data has no effect here: codes are"),
    (f"explore invert {PCA} --n-steps 3", "--n-steps has no effect here: the codes are solved"),
    (f"explore invert {PCA} --n-restarts 3", "--n-restarts has no effect here: the codes are"),
    (f"explore invert {PCA} --random-state 3", "--random-state has no effect here: the codes"),
    (f"explore invert {PCA} --images p.png --data digits", "--data has no effect here: the samp"),
    (f"explore blend {PCA} --images p.png --data digits", "--data has no effect here: the samp"),
    (f"explore neighbours {PCA} --images p.png --labels y.npy", "--labels has no effect here"),
    (f"explore map {PCA} --n-grid 900", "--n-grid is 900; a map has at most 200"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with a table, a picture, a text, and models of an earlier release."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(40, 5))
    np.savetxt("t.csv", rows, delimiter=",", header="a,b,c,d,e", comments="")
    np.savetxt("w.csv", abs(rows), delimiter=",", header="a,b,c,d,e", comments="")
    np.savetxt("m.csv", np.corrcoef(rows.T), delimiter=",", header="a,b,c,d,e", comments="")
    Image.new("L", (8, 8)).save("p.png")
    Path("t.txt").write_text("the cat sat on the mat " * 30)
    for name in {part for words, _ in REFUSED for part in words.split() if "/model" in part}:
        kind = Path(name).parent
        kind.mkdir()
        Path(name).symlink_to(KEPT / name)
    return tmp_path


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize(("words", "sentence"), REFUSED, ids=[words for words, _ in REFUSED])
def test_a_flag_without_effect_is_refused(words, sentence, folder, capsys, advised_in_vain):
    before = {path.name for path in folder.iterdir()}
    assert main(words.split()) == 2
    told = capsys.readouterr().err.rpartition("error: ")[2]
    assert told.startswith(sentence)
    assert not advised_in_vain(words.split(), told)
    assert {path.name for path in folder.iterdir()} <= before | {"runs"}


def test_every_flag_counts_always_or_is_refused_where_it_does_not():
    refused = {}
    for words, sentence in REFUSED:
        verb, *rest = words.split()
        flags = {word for word in rest if word.startswith("--")}
        flags |= {f"--{sentence.split(' ')[0].lstrip('-').replace('_', '-')}"}
        refused.setdefault(verb, set()).update(flags)
    refused["data"].add("name")
    for verb, flags in KNOWN.items():
        told = {*ALWAYS[verb].split(), *refused.get(verb, ())}
        of_pictures = PICTURES if verb in READ_PICTURES else set()
        assert {*flags.split(), *of_pictures} <= told, verb
    for action, flag in (of.split() for flags, _, _ in IDLE for of in flags):
        asked = [w for w, s in REFUSED if w.startswith(f"explore {action} ") and flag in w.split()]
        assert asked or (action, flag) in (("attribute", "--check"), ("interpolate", "--data"))
        assert action in ACTIONS
        assert flag in LISTS | VALUES | SWITCHES or flag in ("--data", "--check")


@pytest.mark.parametrize("form", [["--recipe", "r.toml"], ["--recipe=r.toml"]])
def test_a_recipe_is_read_in_either_form(form, folder, made):
    Path("r.toml").write_text('model = "vae"\nn_epochs = 3\nema_decay = "none"\nhidden = []\n')
    assert made("VAE", *form)["n_epochs"] == 3
    assert made("VAE", *form, "--n-epochs", "4")["n_epochs"] == 4
    assert made("VAE", "--recipe", "other.toml", *form)["hidden"] == ()
    Path("s.toml").write_text("n_epochs = 5\n")
    assert made("VAE", "vae", *(word.replace("r.toml", "s.toml") for word in form))["n_epochs"] == 5


@pytest.mark.parametrize(
    ("recipe", "words", "sentence"),
    [
        ("lr = 0.1", ["vae"], "r.toml: vae has no parameter 'lr'; did you mean 'learning_rate'?"),
        ("n_epochs = 3", [], "the recipe r.toml names no model: add model"),
        ("", [], "the recipe r.toml names no model"),
        ("model = 'vae'\nbeta = 2.0", ["autoencoder"], "autoencoder has no parameter 'beta'"),
        ("model = 'pca'\nbeta = 2.0", ["vae"], "r.toml: pca has no parameter 'beta'"),
        ("model = 'vea'", [], "there is no model 'vea'"),
        ("model = 'vae'\ndata = 3", [], "data in the recipe is 3; it must be text"),
        ("model = 'vae'\nimage_size = true", [], "image_size in the recipe is True; it must be"),
        ("model = 'vae'\nhidden = ['none', 3]", [], "hidden is ('none', 3); it must be a list"),
        ("model = 'vae'\nbeta = 'none'", [], "beta is 'none'; it must be a number"),
        ("hidden = " + 5000 * "[", ["vae"], "the recipe r.toml cannot be read: "),
        ("model = 'vae", [], "the recipe r.toml cannot be read: "),
    ],
)
def test_a_recipe_is_checked_whole(recipe, words, sentence, folder, capsys):
    Path("r.toml").write_text(recipe)
    assert main(["train", *words, "--recipe=r.toml", "--run", "r"]) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("r").exists()


def test_a_recipe_is_not_larger_than_a_recipe_can_be(folder, monkeypatch, capsys):
    Path("r.toml").write_text("model = 'vae'\n")
    monkeypatch.setattr(parser, "MOST_JSON", 9)
    assert main(["train", "--recipe=r.toml", "--run", "r"]) == 2
    assert "the recipe r.toml cannot be read: " in capsys.readouterr().err


def test_none_and_an_empty_list_are_written_as_the_word_none(folder, made):
    words = ["vae", "--ema-decay", "none", "--noise-variance", "none", "--hidden", "none"]
    found = made("VAE", *words)
    Path("r.toml").write_text('ema_decay = "none"\nnoise_variance = "none"\nhidden = "none"\n')
    assert made("VAE", "vae", "--recipe", "r.toml") == found
    assert (found["ema_decay"], found["noise_variance"], found["hidden"]) == (None, None, ())
    assert made("GAN", "gan", "--augmentation", "none")["augmentation"] == "none"
    assert main(["train", "vae", "--hidden", "none", "3", "--run", "r"]) == 2
    X = np.random.default_rng(0).random((8, 8, 8))
    latentia.VAE(hidden=(), n_epochs=1, architecture="mlp").fit(X)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["vae", "--binarize"], "binarize", True),
        (["vae", "--no-binarize"], "binarize", False),
        (["factor-analysis", "--kaiser"], "kaiser", True),
        (["factor-analysis", "--no-kaiser"], "kaiser", False),
        (["factor-analysis"], "kaiser", None),
    ],
)
def test_every_flag_of_true_or_false_is_given_without_a_value(words, name, value, made):
    kinds = {"vae": "VAE", "factor-analysis": "FactorAnalysis"}
    assert made(kinds[words[0]], *words)[name] is value


@pytest.mark.parametrize("flag", ["--n-factors", "--n-components"])
def test_the_usual_name_of_a_field_is_a_flag_of_its_model(flag, made, capsys):
    assert made("FactorAnalysis", "factor-analysis", flag, "3")["n_components"] == 3
    assert main(["train", "factor-analysis", "--n-factors", "3", "--n-components", "3"]) == 2
    assert "--n-components and --n-factors are of one option" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["pca", "factor-analysis", "bicubic"])
def test_a_model_without_training_steps_is_fitted_by_one_process(kind, folder, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", kind, "--data", "fashion-mnist-small", "--run", "r"]) == 2
    assert "is fitted by one process: start it alone" in capsys.readouterr().err
    assert not Path("r").exists()


def test_what_does_not_count_is_refused_before_data_are_read(folder, capsys):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("latentia.data.named.load_with", lambda *_, **__: pytest.fail("read"))
        assert main(["train", "vae", "--n-mixture", "3"]) == 2
    assert "n_mixture is 3" in capsys.readouterr().err
