"""``latentia explore``: every action from a run to a file, and one sentence for what goes wrong."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from latentia.cli import explore_actions, explore_inputs
from latentia.cli.explore import ACTIONS
from latentia.cli.main import main
from latentia.data import load as load_data
from latentia.data.dataset import Part, split
from latentia.evaluation import runs as jobs
from latentia.explore import attribute_direction, edit, invert, manifold, traverse
from latentia.explore.pixel_classifiers import PixelClassifiers, attribute_check
from latentia.models.adversarial.dcgan import DCGAN
from latentia.models.autoencoders.conditional_vae import ConditionalVAE
from latentia.models.autoencoders.vae import VAE
from latentia.models.linear.pca import PCA
from latentia.models.saved import load
from tests.children import environment
from tests.conftest import SHARED


def training_rows(n):
    """Return the rows of a file of n samples that fall into the training part."""
    return split(Part(np.arange(n)), "rows", 0).x_train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of each kind, pictures, and labels beside the images."""
    folder = tmp_path_factory.mktemp("탐색")
    digits = load_data("digits")
    x = np.concatenate([digits.x_train[:300], digits.x_test[:60]])
    y = np.concatenate([digits.y_train[:300], digits.y_test[:60]])
    ink = x.mean(axis=(1, 2))
    labels = {"round": np.isin(y, (0, 6, 8, 9)).astype(int), "ink": np.rint(1e4 * ink).astype(int)}
    np.savez(folder / "digits.npz", images=x, **labels)
    np.save(folder / "둥글다.npy", labels["round"])
    np.save(folder / "rare.npy", 1 - 2 * np.isin(np.arange(len(x)), training_rows(len(x))[:5]))
    np.save(folder / "digit.npy", y)
    np.save(folder / "mirrored.npy", 9 - y)
    np.savez(folder / "alike.npz", images=x, y=np.zeros(len(x), int))
    (folder / "folder.png").mkdir()
    spec = str(folder / "digits.npz")
    for name, model in (
        ("pca", PCA(n_components=4)),
        ("vae", VAE(n_components=2, hidden=(16,), **SHARED)),
        ("gan", DCGAN(n_components=3, width=4, **SHARED)),
    ):
        jobs.fit_in_run(model, load_data(spec), folder / name, measured=False)
    ConditionalVAE(n_components=2, hidden=(8,), **SHARED).fit(x, y).save(folder / "conditional")
    PCA(n_components=1).fit(x).save(folder / "line")
    PCA(n_components=2).fit(x.reshape(len(x), -1)).save(folder / "table")
    np.save(folder / "table.npy", x.reshape(len(x), -1))
    Image.fromarray(np.uint8(255 * x[0])).resize((40, 30)).save(folder / "나.png")
    (folder / "text.png").write_text("no picture")
    return folder


@pytest.fixture
def explore(folder, tmp_path, monkeypatch, capsys):
    """Return a function that runs the command in the folder and returns status and texts."""
    monkeypatch.chdir(folder)

    def run(*words):
        status = main(["explore", *map(str, words)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def writes(explore, tmp_path):
    """Return a function that runs an action into a new file and returns its path and the lines."""

    def run(name, *words):
        out = tmp_path / name
        status, text, errors = explore(*words, "--out", out)
        assert status == 0
        assert all(line.startswith("latentia: ") for line in errors.splitlines())
        first, *lines = text.splitlines()
        assert first == str(out)
        assert not list(tmp_path.glob("*.tmp"))
        return out, lines

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("interpolate", "pca", "--spherical"),
        ("interpolate", "vae", "--rows", 3, 7, 1, "--n-steps", 3),
        ("interpolate", "gan"),
        ("map", "vae", "--n-grid", 4),
        ("map", "pca", "--labels", "둥글다.npy", "--n-grid", 3),
        ("map", "gan", "--coordinates", 0, 1, "--n-grid", 3),
        ("traverse", "vae", "--rows", 3),
        ("traverse", "pca", "--n-coordinates", 2, "--reach", 2),
        ("traverse", "gan", "--images", "나.png"),
        ("attribute", "vae"),
        ("attribute", "pca", "--attribute", "ink", "--strengths", -1, 0, 1, "--orthogonal"),
        ("attribute", "pca", "--images", "나.png", "--residual", "--method", "classifier"),
        ("blend", "vae", "--rows", 0, 1, 2, "--weights", 0.5, 0.3, 0.2),
        ("blend", "pca"),
        ("neighbours", "pca", "--n-neighbours", 3),
        ("invert", "gan", "--rows", 0, 1, "--n-steps", 5, "--n-restarts", 2),
        ("invert", "pca", "--prior-weight", 0.1),
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_a_picture(words, writes):
    out, _ = writes("그림.png", *words)
    with Image.open(out) as picture:
        assert picture.mode == "RGBA"
        assert picture.width > 100


def arrays(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def test_arrays_of_a_walk(writes, folder):
    out, _ = writes("walk.npz", "interpolate", "pca", "--rows", 5, 9, "--n-steps", 4)
    found = arrays(out)
    data = load_data(str(folder / "digits.npz"))
    model = PCA(n_components=4).fit(data.hold_out()[0].x_train)
    ends = model.transform(data.x_test[[5, 9]])
    np.testing.assert_allclose(found["codes"], np.linspace(*ends, 5), atol=1e-4)
    np.testing.assert_allclose(found["images"], model.inverse_transform(found["codes"]), atol=1e-4)


@pytest.mark.parametrize(
    ("words", "shapes"),
    [
        (("map", "vae", "--n-grid", 3), {"images": (9, 8, 8), "test_codes": (36, 2)}),
        (("traverse", "pca"), {"images": (4, 7, 8, 8), "coordinates": (4,)}),
        (("attribute", "pca", "--no-check"), {"direction": (4,), "edited": (6, 5, 8, 8)}),
        (("blend", "pca", "--n-steps", 3), {"images": (3, 8, 8)}),
        (("neighbours", "pca"), {"latent": (5, 6), "pixel": (5, 6)}),
        (("invert", "pca"), {"codes": (8, 4), "squared_errors": (8,)}),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_arrays(words, shapes, writes):
    found = arrays(writes("arrays.npz", *words)[0])
    assert {name: found[name].shape for name in shapes} == shapes


@pytest.mark.parametrize(
    ("words", "n_frames"),
    [
        (("interpolate", "vae", "--n-steps", 6), 12),
        (("traverse", "pca", "--n-steps", 5), 8),
        (("blend", "pca", "--n-steps", 4), 6),
        (("attribute", "pca"), 46),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_a_gif_goes_there_and_back(words, n_frames, writes):
    out, _ = writes("film.gif", *words, "--frames-per-second", 20)
    with Image.open(out) as film:
        assert film.n_frames == n_frames


def test_labels_of_a_file_with_parts_of_its_own(writes, folder, tmp_path):
    data = load_data("digits")
    parts = {"x_train": data.x_train[:90], "y_train": data.y_train[:90]}
    parts |= {"x_test": data.x_test[:20], "y_test": data.y_test[:20]}
    np.savez(tmp_path / "parts.npz", **parts)
    out, _ = writes("m.npz", "map", "pca", "--data", tmp_path / "parts.npz", "--n-grid", 2)
    assert arrays(out)["test_labels"].tolist() == data.y_test[:20].tolist()


@pytest.mark.parametrize("action", ["map", "neighbours"])
def test_classes_that_do_not_differ_are_left_out(action, writes):
    writes("a.png", action, "pca", "--data", "alike.npz")


def test_a_class_in_several_labels_is_named_after_its_own(writes, folder):
    words = ("--labels", "digit.npy", "mirrored.npy", "--no-check", "--attribute")
    ways = [
        arrays(writes(f"{name}.npz", "attribute", "pca", *words, name)[0])["direction"]
        for name in ("digit 3", "mirrored 6", "mirrored 3")
    ]
    np.testing.assert_array_equal(ways[0], ways[1])
    assert not np.allclose(ways[0], ways[2])


def test_what_no_test_sample_has_is_not_judged(writes):
    words = ("--labels", "rare.npy", "digits.npz:round", "--attribute", "round")
    _, lines = writes("a.png", "attribute", "pca", *words, "--strengths", 1)
    assert lines[-1] == "not judged, since all test samples are alike: rare"
    assert not any("classifier of rare" in line for line in lines)


def test_a_file_is_replaced_only_if_asked(writes, explore, tmp_path):
    out, _ = writes("a.npz", "blend", "pca")
    first = out.read_bytes()
    assert explore("blend", "pca", "--rows", 2, 3, "--out", out)[0] == 2
    assert out.read_bytes() == first
    assert explore("blend", "pca", "--rows", 2, 3, "--out", out, "--overwrite")[0] == 0
    assert out.read_bytes() != first


def test_the_check_is_printed(writes):
    _, lines = writes("a.png", "attribute", "pca", "--strengths", -1, 1)
    assert lines[0].startswith("classifier of round: right on ")
    assert lines[1].startswith("classifier of ink > ")
    assert "strength -1 on" in lines[2]
    assert "classified as round" in lines[3]


def test_errors_of_each_sample_are_printed(writes):
    _, lines = writes("a.npz", "invert", "pca", "--rows", 0, 1)
    assert len(lines[0].removeprefix("squared error of each sample: ").split()) == 2


MISTAKES = [
    (["intrepolate", "vae"], "did you mean 'interpolate'"),
    (["map"], "required: run"),
    (["map", "nowhere"], "nowhere"),
    (["map", "vae", "--row", "1"], "no option --row"),
    (["map", "vae", "--out", "x.gif"], "ends in '.gif'; use .png, .npz for map"),
    (["blend", "vae", "--out", "x.jpg"], "use .png, .npz, .gif, .mp4 for blend"),
    (["blend", "vae", "--out", "absent/x.png"], "no folder absent"),
    (["map", "line"], "line does not say what it was trained on; give the data with --data"),
    (["map", "line", "--data", "digits.npz"], "needs 2 latent components"),
    (["map", "vae", "--coordinates", "0", "2"], "coordinate 2 is not one of the 2"),
    (["map", "gan"], "needs two coordinates"),
    (["map", "vae", "--data", "fashion-mnist-small"], "samples of shape (28, 28)"),
    (["map", "vae", "--labels", "smile"], "digits.npz:smile holds no (n,) labels"),
    (["map", "vae", "--labels", "absent.npy"], "'absent.npy' names no labels"),
    (["map", "table", "--data", "table.npy"], "samples have shape (64,)"),
    (["interpolate", "vae", "--rows", "1"], "at least two samples; 1 was given"),
    (["interpolate", "vae", "--rows", "0", "36"], "no row 36; the 36 test samples are 0 to 35"),
    (["interpolate", "vae", "--rows", "-1", "2"], "no row -1"),
    (["interpolate", "vae", "--rows", "1", "--images", "나.png"], "give one of them"),
    (["interpolate", "vae", "--images", "text.png", "나.png"], "text.png cannot be used"),
    (["interpolate", "vae", "--images", "absent.png"], "absent.png"),
    (["interpolate", "vae", "--n-steps", "0"], "n_steps"),
    (["interpolate", "conditional", "--data", "digits.npz"], "takes a class beside each code"),
    (["traverse", "vae", "--rows", "1", "2"], "starts from one sample; 2 were given"),
    (["traverse", "vae", "--reach", "0"], "reach is 0.0"),
    (
        ["attribute", "vae", "--attribute", "rond"],
        "no attribute 'rond', but round, ink > 3076; did",
    ),
    (["attribute", "vae", "--strengths", "big"], "'big'"),
    (["attribute", "vae", "--labels", "round", "--orthogonal"], "needs other attributes"),
    (["attribute", "gan"], "DCGAN has no encoder"),
    (["attribute", "vae", "--method", "mean"], "'means', 'classifier'"),
    (["blend", "vae", "--weights", "0.5", "0.6"], "weights sum to 1.1"),
    (["neighbours", "vae", "--n-neighbours", "900"], "n_neighbours is 900"),
    (["invert", "gan", "--prior-weight", "-1"], "prior_weight is -1.0"),
    (["blend", "vae", "--out", "x.mp4"], "install ffmpeg"),
    (["blend", "nowhere", "--out", "x.mp4"], "install ffmpeg"),
    (["blend", "nowhere", "--out", "x.gif", "--frames-per-second", "99"], "is 99.0"),
    (["blend", "vae", "--out", "나.png"], "나.png exists: give another --out, or --overwrite"),
    (["blend", "vae", "--out", "folder.png", "--overwrite"], "folder.png exists"),
    (["blend", "vae", "--rows", "0", "1", "2", "--n-steps", "4"], "leave it, or --weights, out"),
    (["interpolate", "vae", "--n-steps", "100000000"], "at most 1,000"),
    (["interpolate", "vae", "--images", "folder.png", "나.png"], "folder.png is a folder"),
    (["interpolate", "gan", "--random-state", "-1"], "random_state is -1"),
    (["map", "vae", "--n-grid", "201"], "at most 200 across"),
    (["blend", "vae", "--n-steps", "1001"], "at most 1,000"),
    (["map", "conditional", "--data", "digits.npz"], "takes a class beside each code"),
    (["attribute", "vae", "--strengths", "inf", "--out", "x.gif"], "give finite numbers"),
    (["attribute", "vae", "--strengths", "1", "1", "--out", "x.gif"], "two different ones"),
    (["attribute", "vae", "--strengths", "1e300"], "holds NaN or infinity"),
    (["attribute", "vae", "--labels", "rare.npy"], "alike in 'rare'"),
    (["attribute", "vae", "--labels", "rare.npy", "./rare.npy"], "gives 'rare' twice"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES])
def test_a_mistake_is_one_sentence(words, sentence, explore, folder, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    before = sorted(folder.iterdir())
    status, out, errors = explore(*words)
    assert (status, out) == (2, "")
    assert errors.splitlines()[-1].startswith("latentia: error: ")
    assert errors.count("latentia: error: ") == 1
    assert sentence in errors
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("words", [["--help"], *([action, "--help"] for action in ACTIONS)])
def test_every_action_has_help(words, capsys):
    with pytest.raises(SystemExit):
        main(["explore", *words])
    assert "usage: latentia explore" in capsys.readouterr().out


def test_nothing_heavy_is_imported_for_help():
    code = (
        "import sys\nfrom latentia.cli.main import main\n"
        "try: main(['explore', 'attribute', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'sklearn', 'numpy', 'scipy', 'matplotlib', 'PIL'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert "--strengths" in finished.stdout


CHANGES = {
    ("interpolate", "--rows"): ("pca", "--rows", 5, 9),
    ("interpolate", "--images"): ("pca", "--images", "나.png", "zwei.png"),
    ("interpolate", "--spherical"): ("pca", "--spherical"),
    ("interpolate", "--n-steps"): ("pca", "--n-steps", 3),
    ("interpolate", "--random-state"): ("gan", "--random-state", 1),
    ("map", "--labels"): ("pca", "--labels", "digit.npy"),
    ("map", "--coordinates"): ("pca", "--coordinates", 2, 3),
    ("map", "--n-grid"): ("pca", "--n-grid", 3),
    ("map", "--random-state"): ("gan", "--coordinates", 0, 1, "--n-grid", 2, "--random-state", 1),
    ("traverse", "--rows"): ("pca", "--rows", 4),
    ("traverse", "--images"): ("pca", "--images", "나.png"),
    ("traverse", "--coordinates"): ("pca", "--coordinates", 2, 1),
    ("traverse", "--n-coordinates"): ("pca", "--n-coordinates", 2),
    ("traverse", "--reach"): ("pca", "--reach", 1.5),
    ("traverse", "--n-steps"): ("pca", "--n-steps", 5),
    ("traverse", "--random-state"): ("gan", "--random-state", 1),
    ("attribute", "--rows"): ("pca", "--no-check", "--rows", 1),
    ("attribute", "--images"): ("pca", "--no-check", "--images", "나.png"),
    ("attribute", "--labels"): ("pca", "--no-check", "--labels", "digit.npy"),
    ("attribute", "--attribute"): ("pca", "--no-check", "--attribute", "ink"),
    ("attribute", "--strengths"): ("pca", "--no-check", "--strengths", -3, 3),
    ("attribute", "--method"): ("pca", "--no-check", "--method", "classifier"),
    ("attribute", "--orthogonal"): ("pca", "--no-check", "--orthogonal"),
    ("attribute", "--residual"): ("pca", "--no-check", "--residual"),
    ("blend", "--rows"): ("pca", "--rows", 5, 9),
    ("blend", "--images"): ("pca", "--images", "나.png", "zwei.png"),
    ("blend", "--weights"): ("pca", "--weights", 0.2, 0.8),
    ("blend", "--n-steps"): ("pca", "--n-steps", 3),
    ("neighbours", "--rows"): ("pca", "--rows", 5, 9),
    ("neighbours", "--images"): ("pca", "--images", "나.png"),
    ("neighbours", "--n-neighbours"): ("pca", "--n-neighbours", 3),
    ("invert", "--rows"): ("gan", "--rows", 5, 9, "--n-steps", 3),
    ("invert", "--images"): ("gan", "--images", "나.png", "--n-steps", 3),
    ("invert", "--n-steps"): ("gan", "--rows", 0, "--n-steps", 3),
    ("invert", "--n-restarts"): ("gan", "--rows", 0, "--n-steps", 3, "--n-restarts", 1),
    ("invert", "--prior-weight"): ("gan", "--rows", 0, "--n-steps", 3, "--prior-weight", 9),
    ("invert", "--random-state"): ("gan", "--rows", 0, "--n-steps", 3, "--random-state", 1),
}
"""What each option of each action changes in the arrays, beside the same command without it."""
ELSEWHERE = {"--help", "--out", "--overwrite", "--check", "--frames-per-second", "--data"}
ELSEWHERE_OF = {("neighbours", "--labels")}
"""Options whose effect other tests look at: files, lines, films and captions."""


@pytest.mark.parametrize(("action", "flag"), CHANGES)
def test_every_option_changes_what_is_found(action, flag, writes, explore, folder):
    if not (folder / "zwei.png").exists():
        pixels = np.uint8(np.arange(300).reshape(15, 20) % 256)
        Image.fromarray(pixels).save(folder / "zwei.png")
    words = list(CHANGES[action, flag])
    place = words.index(flag)
    end = next((n for n in range(place + 1, len(words)) if str(words[n]).startswith("--")), None)
    without = words[:place] + (words[end:] if end is not None else [])
    found, before, again = (
        arrays(writes(f"{number}.npz", action, *given)[0])
        for number, given in enumerate((words, without, words))
    )
    assert {k: v.tobytes() for k, v in found.items()} == {k: v.tobytes() for k, v in again.items()}
    assert any(
        key not in before
        or found[key].shape != before[key].shape
        or not np.array_equal(found[key], before[key])
        for key in found
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_no_option_is_without_a_test(action, capsys):
    with pytest.raises(SystemExit):
        main(["explore", action, "--help"])
    words = capsys.readouterr().out.split("options:")[1].replace(",", " ").split()
    flags = {word for word in words if word.startswith("--") and not word.startswith("--no-")}
    tested = {flag for its, flag in CHANGES if its == action}
    tested |= {flag for its, flag in ELSEWHERE_OF if its == action}
    assert flags - ELSEWHERE == tested


@pytest.mark.parametrize("action", ACTIONS)
def test_the_data_are_those_that_are_named(action, writes, folder):
    digits = load_data("digits")
    parts = {"x_train": digits.x_train[-90:], "y_train": digits.y_train[-90:]}
    np.savez(folder / "late.npz", **parts, x_test=digits.x_test[-60:], y_test=digits.y_test[-60:])
    check = ["--no-check"] if action == "attribute" else []
    found = [
        arrays(writes(f"{n}.npz", action, "pca", *check, *words)[0])
        for n, words in enumerate(([], ["--data", folder / "late.npz"]))
    ]
    assert any(not np.array_equal(found[0][key], found[1].get(key)) for key in found[0])


@pytest.fixture
def known(folder):
    """Return the model and the data of the runs."""
    return load(folder / "pca"), load_data(str(folder / "digits.npz"))


def test_a_map_is_the_plane_and_the_codes_of_the_test_part(writes, known, folder):
    model, data = known
    words = ("--coordinates", 1, 3, "--n-grid", 3, "--labels", "digit.npy")
    found = arrays(writes("m.npz", "map", "pca", *words)[0])
    codes = model.transform(data.x_test)
    np.testing.assert_allclose(found["test_codes"], codes, atol=1e-5)
    expected = manifold(model, codes, (1, 3), 3, 0)
    np.testing.assert_allclose(found["codes"], expected.codes, atol=1e-5)
    y = np.load(folder / "digit.npy")
    order = split(Part(np.arange(len(y))), "rows", 0).x_test
    np.testing.assert_array_equal(found["test_labels"], y[order])


def test_a_traversal_goes_as_far_as_asked_from_the_sample_asked(writes, known):
    model, data = known
    words = ("--rows", 4, "--coordinates", 2, "--reach", 1.5, "--n-steps", 5)
    found = arrays(writes("t.npz", "traverse", "pca", *words)[0])
    centre = model.transform(data.x_test[[4]])[0]
    expected = traverse(model, data.x_test, centre, coordinates=(2,), reach=1.5, n_steps=5)
    np.testing.assert_allclose(found["codes"], expected.codes, atol=1e-4)
    np.testing.assert_array_equal(found["coordinates"], [2])


def test_an_edit_is_along_the_direction_of_the_training_part(writes, known, folder):
    model, data = known
    ink = np.load(folder / "digits.npz")["round"]
    rows_of = split(Part(np.arange(len(ink))), "rows", 0)
    codes = model.transform(data.x_train)
    for method in ("means", "classifier"):
        words = ("--labels", "digits.npz:round", "--method", method, "--no-check")
        words = (*words, "--rows", 3, 8, "--strengths", -1, 0.5)
        found = arrays(writes(f"{method}.npz", "attribute", "pca", *words)[0])
        way = attribute_direction(codes, ink[rows_of.x_train], method, None)
        np.testing.assert_allclose(found["direction"], way, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found["originals"], data.x_test[[3, 8]])
        edited = edit(model, data.x_test[[3, 8]], way, [-1, 0.5])
        np.testing.assert_allclose(found["edited"], edited, atol=1e-4)
        assert found["strengths"].tolist() == [-1, 0.5]


def test_samples_of_either_side_of_an_attribute_are_edited(writes, folder):
    found = arrays(writes("a.npz", "attribute", "pca", "--no-check", "--attribute", "round")[0])
    y = np.load(folder / "digits.npz")["round"]
    rows_of = split(Part(np.arange(len(y))), "rows", 0).x_test
    has = y[rows_of] == 1
    chosen = [*np.flatnonzero(~has)[:3], *np.flatnonzero(has)[:3]]
    data = load_data(str(folder / "digits.npz"))
    np.testing.assert_array_equal(found["originals"], data.x_test[chosen])


def test_neighbours_are_rows_of_the_training_part(writes, known):
    model, data = known
    found = arrays(writes("n.npz", "neighbours", "pca", "--rows", 2, 7, "--n-neighbours", 3)[0])
    flat = data.x_train.reshape(len(data.x_train), -1)
    for name, pool, queries in (
        ("pixel", flat, data.x_test[[2, 7]].reshape(2, -1)),
        ("latent", model.transform(data.x_train), model.transform(data.x_test[[2, 7]])),
    ):
        apart = ((queries[:, None] - pool) ** 2).sum(-1)
        np.testing.assert_array_equal(found[name], apart.argsort(1, kind="stable")[:, :3])


def test_a_blend_has_the_weights_asked(writes, known):
    model, data = known
    words = ("--rows", 2, 7, 9, "--weights", 0.5, 0.3, 0.2)
    found = arrays(writes("b.npz", "blend", "pca", *words)[0])
    codes = model.transform(data.x_test[[2, 7, 9]])
    np.testing.assert_allclose(found["codes"], codes, atol=1e-5)
    mean = np.array([[0.5, 0.3, 0.2]]) @ codes
    blended = model.inverse_transform(mean)
    np.testing.assert_allclose(found["images"].reshape(-1, 8, 8), blended, atol=1e-5)


def test_codes_are_found_as_asked(writes, folder):
    model, data = load(folder / "gan"), load_data(str(folder / "digits.npz"))
    words = ("--rows", 1, 3, "--n-steps", 4, "--n-restarts", 2, "--prior-weight", 0.5)
    found = arrays(writes("i.npz", "invert", "gan", *words, "--random-state", 3)[0])
    expected = invert(
        model, data.x_test[[1, 3]], n_steps=4, n_restarts=2, prior_weight=0.5, random_state=3
    )
    for name in ("codes", "images", "squared_errors"):
        np.testing.assert_allclose(found[name], getattr(expected, name), atol=1e-5)


@pytest.mark.parametrize("action", ["interpolate", "traverse", "attribute", "blend"])
def test_a_film_has_the_speed_asked(action, writes):
    for speed in (5, 20):
        words = (action, "pca", "--frames-per-second", speed)
        with Image.open(writes(f"{speed}.gif", *words)[0]) as film:
            assert film.info["duration"] == 1000 / speed


def test_the_check_is_of_the_strengths_and_the_edit_asked(writes):
    def lines(*words):
        return writes("a.png", "attribute", "pca", "--strengths", 1, "--overwrite", *words)[1]

    assert "strength +1 on" in lines()[2]
    assert lines("--no-check") == []
    assert lines("--residual", "--rows", 1) != lines()


def test_captions_of_neighbours_are_of_the_labels_asked(writes):
    pictures = [
        writes(f"{name}.png", "neighbours", "pca", "--labels", name)[0].read_bytes()
        for name in ("digit.npy", "mirrored.npy")
    ]
    assert pictures[0] != pictures[1]


def test_the_figure_of_a_walk_follows_the_great_circles_too(writes):
    words = ("interpolate", "pca", "--n-steps", 4)
    straight, bent = (
        writes(f"{len(more)}.png", *words, *more)[0].read_bytes() for more in ((), ("--spherical",))
    )
    assert straight != bent


@pytest.fixture
def drawn(writes, monkeypatch):
    """Return a function that runs an action twice: what its figure is given, and its arrays."""

    def run(*words):
        seen = []
        with monkeypatch.context() as patched:
            for name in [name for name in vars(explore_actions) if name.endswith("_figure")]:

                def figure(*arguments, name=name, **options):
                    seen.append((name, arguments, options))
                    return Figure()

                patched.setattr(explore_actions, name, figure)
            out = writes("f.png", *words)[0]
        found = arrays(writes("f.npz", *words)[0])
        for path in (out, out.with_suffix(".npz")):
            path.unlink()
        [(name, arguments, options)] = seen
        assert name.startswith({"interpolate": "interpolation", "traverse": "traversal",
                                "invert": "inversion"}.get(words[0], words[0]))  # fmt: skip
        return arguments, options, found

    return run


def same(found, *expected):
    """Assert that arguments are these, to rounding."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        if isinstance(other, np.ndarray):
            np.testing.assert_allclose(one, other, atol=1e-5)
        else:
            assert one == other


def test_the_figure_of_a_way_is_of_its_arrays_and_its_samples(drawn, known):
    model, data = known
    x = data.x_test[[5, 9, 2]]
    rows = ("--rows", 5, 9, 2)
    (_, *given), options, found = drawn("interpolate", "pca", *rows, "--n-steps", 4, "--spherical")
    same(given, model.transform(x), x, 4)
    assert options == {"spherical": True}
    weights = (0.5, 0.3, 0.2)
    (_, *given), _, found = drawn("blend", "pca", *rows, "--weights", *weights)
    same(given, x, found["codes"], list(weights))
    (_, *given), _, found = drawn("blend", "pca", *rows[:3], "--n-steps", 3)
    same(given, x[:2], found["codes"], np.array([[1, 0], [0.5, 0.5], [0, 1]]))
    ([walks], _, found) = drawn("traverse", "pca", "--rows", 4, "--n-steps", 3)
    for name in ("images", "codes", "coordinates"):
        np.testing.assert_array_equal(getattr(walks, name), found[name])
    ([way, originals], _, found) = drawn("invert", "pca", *rows)
    np.testing.assert_array_equal(originals, x)
    for name in ("codes", "images", "squared_errors"):
        np.testing.assert_array_equal(getattr(way, name), found[name])
    expected = model.inverse_transform(found["codes"])
    np.testing.assert_allclose(found["images"], expected, atol=1e-5)


@pytest.fixture
def few(monkeypatch):
    """Let an action keep 12 of the 36 test samples, and seek neighbours among 50 of 324."""
    monkeypatch.setattr(explore_inputs, "MOST_SAMPLES", 12)
    monkeypatch.setattr(explore_actions, "MOST_POOL", 50)
    return np.linspace(0, 35, 12).astype(int), np.linspace(0, 323, 50).astype(int)


def test_a_map_of_some_samples_shows_their_own_codes_labels_and_names(drawn, known, few, folder):
    model, data = known
    y = np.load(folder / "digit.npy")[split(Part(np.arange(360)), "rows", 0).x_test]
    words = ("--coordinates", 0, 1, "--n-grid", 2, "--labels", "digit.npy")
    (grid, *given), _, found = drawn("map", "pca", *words)
    codes = model.transform(data.x_test[few[0]])
    same(given, codes, y[few[0]], tuple("0123456789"))
    np.testing.assert_array_equal(grid.images, found["images"])
    same((found["test_codes"], found["test_labels"]), codes, y[few[0]])


def test_neighbours_among_some_samples_keep_their_rows_and_their_labels(drawn, known, few, folder):
    _, data = known
    y, parts = np.load(folder / "digit.npy"), split(Part(np.arange(360)), "rows", 0)
    words = ("--rows", 2, 7, "--n-neighbours", 3, "--labels", "digit.npy")
    (near, *given), _, found = drawn("neighbours", "pca", *words)
    pool = data.x_train[few[1]]
    labels = y[parts.x_test[[2, 7]]], y[parts.x_train[few[1]]]
    same(given, data.x_test[[2, 7]], pool, *labels, tuple("0123456789"))
    apart = ((data.x_test[[2, 7], None] - pool) ** 2).sum((-1, -2))
    np.testing.assert_array_equal(near.pixel, apart.argsort(1, kind="stable")[:, :3])
    for name in ("pixel", "latent"):
        np.testing.assert_array_equal(found[name], few[1][getattr(near, name)])


@pytest.mark.parametrize("options", [(), ("--residual",)])
def test_an_edit_is_judged_on_some_test_samples_and_captioned_by_strength(
    options, drawn, writes, known, few, folder
):
    model, data = known
    with np.load(folder / "digits.npz") as file:
        labels, parts = file["round"] == 1, split(Part(np.arange(360)), "rows", 0)
    words = ("attribute", "pca", "--labels", "digits.npz:round", "--rows", 3, 8, *options)
    words = (*words, "--strengths", 2, -1)
    given, residual, found = drawn(*words)
    x, kept, way = data.x_test[[3, 8]], few[0], found["direction"]
    judges = PixelClassifiers(data.x_train, {"round": labels[parts.x_train]})
    seen = labels[parts.x_test]
    check = attribute_check(
        model,
        data.x_test[kept],
        {"round": seen[kept]},
        "round",
        way,
        judges,
        [2, -1],
        residual=bool(options),
    )
    assert writes("lines.png", *words)[1] == str(check).splitlines()
    shown = edit(model, x, way, [2, -1], residual=bool(options))
    judged = [x, shown[:, 1], shown[:, 0]]  # in the order of the strengths
    captions = np.transpose([judges.probabilities(images)["round"] for images in judged])
    names = [f"{'' if seen[row] else 'not '}round, row {row}" for row in (3, 8)]
    told = [[f"{p:.0%}" for p in row] for row in captions]
    same(given, x, shown, [2, -1], "round", told, names)
    assert residual == {"residual": bool(options)}


def test_other_attributes_are_left_alone_by_their_classifiers_normals(writes, known, folder):
    model, data = known
    with np.load(folder / "digits.npz") as file:
        labels = {"round": file["round"], "ink": file["ink"]}
    parts, codes = split(Part(np.arange(360)), "rows", 0), model.transform(data.x_train)
    ink = labels["ink"][parts.x_train]
    other = attribute_direction(codes, ink > np.median(ink), "classifier")
    for method in ("means", "classifier"):
        words = ("--no-check", "--attribute", "round", "--orthogonal", "--method", method)
        found = arrays(writes(f"{method}.npz", "attribute", "pca", *words)[0])["direction"]
        way = attribute_direction(codes, labels["round"][parts.x_train], method, [other])
        np.testing.assert_allclose(found, way, rtol=1e-4, atol=1e-5)
        assert abs(found @ other) < 1e-4 * np.linalg.norm(found) * np.linalg.norm(other)


def test_a_walk_without_an_encoder_is_between_codes_found_for_each_sample(writes, folder):
    model, data = load(folder / "gan"), load_data(str(folder / "digits.npz"))
    found = arrays(writes("w.npz", "interpolate", "gan", "--rows", 1, 3, "--n-steps", 2)[0])
    ends = invert(model, data.x_test[[1, 3]]).codes
    np.testing.assert_allclose(found["codes"][[0, -1]], ends, atol=1e-4)
