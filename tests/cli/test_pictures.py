"""``latentia translate`` and ``latentia upscale``: what becomes of people's files."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from latentia.cli.main import main
from latentia.data.degrade import enlarged
from latentia.data.picture_files import order as picture_order
from latentia.evaluation import runs as jobs
from latentia.models.linear.pca import PCA
from latentia.models.saved import load
from latentia.models.translation import files as picture_jobs
from latentia.models.translation.pix2pix import Pix2Pix
from latentia.models.translation.srresnet import SRResNet

SHARED = {"random_state": 0, "device": "cpu", "n_epochs": 1}
SMALL = SHARED | {"scale": 2, "n_blocks": 1, "width": 4, "beside": "nothing"}
NAMES = ("colour", "grey", "maps", "to grey", "from grey", "four", "pca")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with a saved model of each kind."""
    folder = tmp_path_factory.mktemp("models")
    x = np.random.default_rng(0).random((8, 3, 16, 16), dtype=np.float32)
    fitted = (
        SRResNet(**SMALL).fit(x),
        SRResNet(**SMALL | {"random_state": 1}).fit(x[:, 0]),
        Pix2Pix(width=4, **SHARED).fit(x, 1 - x),
        Pix2Pix(width=4, **SHARED).fit(x, x[:, 0]),
        Pix2Pix(width=4, **SHARED).fit(x[:, :1], x),
        SRResNet(**SMALL).fit(np.concatenate([x, x[:, :1]], 1)),
        PCA(n_components=2).fit(x[:, 0]),
    )
    for name, model in zip(NAMES, fitted, strict=True):
        model.save(folder / name)
    return folder


@pytest.fixture
def command(models, tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in the models' folder."""
    monkeypatch.chdir(models)

    def run(*words):
        status = main([*map(str, words)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def picture(path, *shape):
    """Save a smooth picture, (H, W) or (H, W, C) uint8, and return it as floats in [0, 1]."""
    wide = (2, 2, 0)[: len(shape)]
    values = gaussian_filter(np.random.default_rng(shape).random(shape), wide)
    values = (values - values.min()) / np.ptp(values)
    values = np.rint(255 * values).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return values / np.float32(255)


def read(path):
    with Image.open(path) as image:
        image.load()
        return image.mode, np.asarray(image)


def luma(rgb):
    return rgb @ np.array([0.299, 0.587, 0.114])


def test_a_folder_of_anything(command, tmp_path):
    folder = tmp_path / "사진"
    picture(folder / "b/colour.png", 9, 12, 3)
    picture(folder / "a/grey.webp", 6, 7)
    values = np.random.default_rng(1).integers(0, 65536, (5, 8), dtype=np.uint16)
    Image.fromarray(values).save(folder / "a/deep.tif")
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (20, 10)).save(folder / "turned.JPG", exif=exif)
    Image.new("P", (8, 8)).save(folder / "c.gif")
    (folder / "bad.png").write_text("no picture")
    (folder / "cut.jpg").write_bytes((folder / "turned.JPG").read_bytes()[:300])
    (folder / "notes.txt").write_text("no picture, and does not say so")
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    status, out, errors = command("upscale", "colour", folder, "--out", tmp_path / "out")
    assert status == 1
    assert out == f"{tmp_path / 'out'}: 5 pictures\n"
    assert "2 of 7 pictures could not be used" in errors.splitlines()[-1]
    assert "bad.png: it is not an image" in errors.splitlines()[-1]
    assert "cut.jpg" in errors.splitlines()[-1]
    assert "c.gif: it became c.gif.png" in errors
    found = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*.*")}
    kinds = {name: (read(path)[0], read(path)[1].shape) for name, path in found.items()}
    assert kinds == {
        "a/deep.tif": ("I;16", (10, 16)),
        "a/grey.webp": ("RGB", (12, 14, 3)),
        "b/colour.png": ("RGB", (18, 24, 3)),
        "c.gif.png": ("RGB", (16, 16, 3)),
        "turned.JPG": ("RGB", (40, 20, 3)),
    }
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_picture_becomes_what_transform_makes_of_it(command, models, tmp_path):
    x = picture(tmp_path / "a.png", 70, 41, 3)
    expected = load(models / "colour").transform(np.moveaxis(x, 2, 0)[None])[0]
    for name, words in (("whole", []), ("tiles", ["--tile", 40]), ("rough", ["--overlap", 0])):
        out = tmp_path / name
        words = [*words, "--tile", 30] if name == "rough" else words
        assert command("upscale", "colour", tmp_path / "a.png", "--out", out, *words)[0] == 0
        _, found = read(out / "a.png")
        apart = np.abs(np.moveaxis(found, 2, 0) - 255 * expected)
        assert (apart.max() < 0.51) == (name != "rough")


def test_grey_through_a_model_of_colours_is_the_luma_of_what_it_makes(command, models, tmp_path):
    x = picture(tmp_path / "a.png", 20, 21)
    command("upscale", "colour", tmp_path / "a.png", "--out", tmp_path / "out")
    large = load(models / "colour").transform(np.repeat(x[None, None], 3, 1))[0]
    mode, found = read(tmp_path / "out" / "a.png")
    assert mode == "L"
    np.testing.assert_allclose(found, 255 * luma(np.moveaxis(large, 0, 2)), atol=0.51)


def test_colours_through_a_model_of_grey_keep_the_chroma_of_interpolation(
    command, models, tmp_path
):
    x = 0.3 + 0.4 * picture(tmp_path / "a.png", 20, 21, 3)
    x = np.rint(255 * x) / np.float32(255)
    Image.fromarray(np.uint8(np.rint(255 * x))).save(tmp_path / "a.png")
    command("upscale", "grey", tmp_path / "a.png", "--out", tmp_path / "out")
    found = read(tmp_path / "out" / "a.png")[1] / 255
    wanted_y = load(models / "grey").transform(luma(x)[None].astype(np.float32))[0]
    bicubic = np.moveaxis(enlarged(np.moveaxis(x, 2, 0), 2), 0, 2)
    inside = ((found > 0) & (found < 1)).all(axis=2)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(luma(found)[inside], wanted_y[inside], atol=0.51 / 255)
    for channel in (0, 2):
        chroma = found[..., channel] - luma(found)
        expected = bicubic[..., channel] - luma(bicubic)
        np.testing.assert_allclose(chroma[inside], expected[inside], atol=1.01 / 255)


def test_sixteen_bits_are_scaled_not_cut(command, tmp_path):
    values = np.rint(np.linspace(0, 65535, 40 * 40)).astype(np.uint16).reshape(40, 40)
    Image.fromarray(values).save(tmp_path / "a.png")
    words = ("upscale", "bicubic", tmp_path / "a.png", "--scale", 2, "--out", tmp_path / "out")
    assert command(*words)[0] == 0
    mode, found = read(tmp_path / "out" / "a.png")
    expected = 65535 * enlarged((values / 65535)[None].astype(np.float32), 2)[0]
    assert mode == "I;16"
    np.testing.assert_allclose(found, expected, atol=1)
    assert len(np.unique(found)) > 3000


def test_transparency_is_enlarged_and_what_it_hides_does_not_show(command, tmp_path):
    rgba = np.zeros((24, 24, 4), np.uint8)
    rgba[6:18, 6:18] = (200, 100, 50, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    words = ("upscale", "bicubic", tmp_path / "a.png", "--scale", 2, "--out", tmp_path / "out")
    assert command(*words)[0] == 0
    mode, found = read(tmp_path / "out" / "a.png")
    assert mode == "RGBA"
    np.testing.assert_array_equal(found[..., 3], enlarged(rgba[None, ..., 3], 2)[0])
    assert ((found[..., 3] > 0) & (found[..., 3] < 255)).any()
    assert (found[found[..., 3] > 0][:, :3] == (200, 100, 50)).all()


def test_results_that_exist_stay_unless_they_may_go(command, tmp_path):
    for name in ("a.png", "b.png"):
        picture(tmp_path / name, 9, 9, 3)
    out = tmp_path / "out"
    words = ("upscale", "bicubic", tmp_path / "a.png", tmp_path / "b.png", "--out", out)
    assert command(*words[:3], "--out", out)[0] == 0
    (out / "a.png").write_text("mine")
    status, _, errors = command(*words)
    assert (status, len(errors.splitlines())) == (2, 1)
    assert "a.png exists: choose another --out, or --overwrite or --skip-existing" in errors
    assert [p.name for p in out.iterdir()] == ["a.png"]
    assert command(*words, "--skip-existing")[:2] == (0, f"{out}: 1 picture\n")
    assert (out / "a.png").read_text() == "mine"
    assert command(*words, "--overwrite")[0] == 0
    assert read(out / "a.png")[1].shape == (36, 36, 3)


@pytest.mark.parametrize("moment", ["upscaled", "write_picture"])
def test_a_stop_leaves_whole_files_only(command, tmp_path, monkeypatch, moment):
    for name in ("a.png", "b.png", "c.png"):
        picture(tmp_path / name, 9, 9, 3)
    plain, calls = getattr(picture_jobs, moment), iter(range(9))

    def stopped(*arguments):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(picture_jobs, moment, stopped)
    files = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    status, _, errors = command("upscale", "bicubic", *files, "--out", tmp_path / "out")
    assert (status, errors.splitlines()[-1]) == (130, "latentia: stopped")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.png"]
    read(tmp_path / "out" / "a.png")
    again = ("upscale", "bicubic", *files, "--out", tmp_path / "out", "--skip-existing")
    assert command(*again)[:2] == (0, f"{tmp_path / 'out'}: 2 pictures\n")


def test_translation_at_the_size_of_fit_is_transform(command, models, tmp_path):
    x = picture(tmp_path / "a.png", 16, 16, 3)
    for words in ([], ["--resize"]):
        out = tmp_path / f"out{len(words)}"
        assert command("translate", "maps", tmp_path / "a.png", "--out", out, *words)[0] == 0
        expected = load(models / "maps").transform(np.moveaxis(x, 2, 0)[None])[0]
        _, found = read(out / "a.png")
        np.testing.assert_allclose(np.moveaxis(found, 2, 0), 255 * expected, atol=0.51)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (16, 17), (50, 37)])
@pytest.mark.parametrize("words", [[], ["--resize"], ["--tile", "20"]])
def test_translation_takes_any_size(command, tmp_path, size, words):
    picture(tmp_path / "a.png", *size, 3)
    out = tmp_path / "out"
    assert command("translate", "maps", tmp_path / "a.png", "--out", out, *words)[0] == 0
    assert read(out / "a.png")[1].shape == (*size, 3)


def test_tiles_and_what_they_share_change_a_translation(command, tmp_path):
    picture(tmp_path / "a.png", 60, 50, 3)
    found = []
    for number, words in enumerate(
        ([], ["--tile", 32], ["--tile", 24], ["--tile", 24, "--overlap", 2], ["--resize"])
    ):
        out = tmp_path / f"out{number}"
        assert command("translate", "maps", tmp_path / "a.png", "--out", out, *words)[0] == 0
        found.append(read(out / "a.png")[1].tobytes())
    assert len(set(found)) == 5


def test_a_translation_has_the_channels_of_its_model(command, models, tmp_path):
    grey = picture(tmp_path / "grey.png", 16, 16)
    colour = picture(tmp_path / "colour.png", 16, 16, 3)
    Image.fromarray(np.uint16(np.rint(65535 * grey))).save(tmp_path / "deep.png")
    files = [tmp_path / f"{name}.png" for name in ("grey", "colour", "deep")]
    for name, modes in (("to grey", ["L", "L", "I;16"]), ("from grey", ["RGB"] * 3)):
        out = tmp_path / name
        status, _, errors = command("translate", name, *files, "--out", out)
        assert status == 0
        assert ("colours of 16 bits cannot be written" in errors) == (name == "from grey")
        assert [read(out / path.name)[0] for path in files] == modes
    expected = load(models / "to grey").transform(np.repeat(grey[None, None], 3, 1))[0]
    _, deep = read(tmp_path / "to grey" / "deep.png")
    np.testing.assert_allclose(deep, 65535 * expected, atol=3)
    shown = luma(colour)[None, None].astype(np.float32)
    expected = load(models / "from grey").transform(shown)[0]
    _, found = read(tmp_path / "from grey" / "colour.png")
    np.testing.assert_allclose(np.moveaxis(found, 2, 0), 255 * expected, atol=0.51)


def test_transparency_is_translated_as_white(command, tmp_path):
    opaque = np.full((16, 16, 3), 255, np.uint8)
    Image.fromarray(opaque).save(tmp_path / "white.png")
    Image.new("RGBA", (16, 16)).save(tmp_path / "clear.png")
    files = (tmp_path / "white.png", tmp_path / "clear.png")
    assert command("translate", "maps", *files, "--out", tmp_path / "out")[0] == 0
    (white, a), (clear, b) = (read(tmp_path / "out" / path.name) for path in files)
    assert white == clear == "RGB"
    np.testing.assert_array_equal(a, b)


def test_a_model_that_comes_back_is_reversed(command, models, tmp_path, monkeypatch):
    x = picture(tmp_path / "a.png", 20, 30)
    model = load(models / "from grey")
    model.translate_back = lambda b: 1 - b[:, :1]
    monkeypatch.setattr(Pix2Pix, "lacks", [])
    monkeypatch.setattr(picture_jobs, "load", lambda run: model)
    words = ("translate", "cycle", tmp_path / "a.png", "--out", tmp_path / "out", "--reverse")
    assert command(*words)[0] == 0
    mode, found = read(tmp_path / "out" / "a.png")
    assert mode == "L"
    np.testing.assert_allclose(found, 255 * (1 - x), atol=0.51)


MISTAKES = [
    (["upscale", "pca", "IN"], "holds a PCA, which does not enlarge pictures"),
    (["upscale", "maps", "IN"], "holds a Pix2Pix, which does not enlarge pictures"),
    (["upscale", "colour", "IN", "--scale", "4"], "--scale is 4; the SRResNet has scale 2"),
    (["upscale", "bicubic", "IN", "--scale", "5"], "scale is 5; it must be one of 2, 3, 4, 6, 8"),
    (["upscale", "four", "IN"], "knows images of 4 channels; pictures have 1 or 3"),
    (["upscale", "colour", "IN", "--tile", "1"], "tile is 1; it must be at least 2"),
    (["upscale", "colour", "IN", "--tile", "8", "--overlap", "8"], "overlap is 8; it must be"),
    (["upscale", "colour", "no.png"], "there is no file or folder no.png"),
    (["upscale", "nothing", "IN"], "holds no run"),
    (["upscale", "colour", "IN", "--overwite"], "did you mean --overwrite?"),
    (["translate", "colour", "IN"], "does not translate pictures: 'latentia upscale' does"),
    (["translate", "pca", "IN"], "holds a PCA, which does not translate pictures"),
    (["translate", "maps", "IN", "--reverse"], "it learns one direction"),
    (["translate", "maps", "IN", "--resize", "--tile", "8"], "--resize makes pictures small"),
    (["translate", "maps", "IN", "--tile", "8", "--overlap", "-1"], "overlap is -1"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES])
def test_a_mistake_is_one_sentence_before_any_work(words, sentence, command, tmp_path):
    picture(tmp_path / "in.png", 9, 9, 3)
    words = [tmp_path / "in.png" if word == "IN" else word for word in words]
    status, out, errors = command(*words, "--out", tmp_path / "out")
    assert (status, out, len(errors.splitlines())) == (2, "", 1)
    assert sentence in errors
    assert [p.name for p in tmp_path.iterdir()] == ["in.png"]


def test_a_run_directory_serves_as_its_model(tmp_path, capsys):
    for number in range(10):
        picture(tmp_path / f"sharp/{number}.png", 16, 16, 3)
    model = SRResNet(**SMALL, batch_size=8)
    jobs.fit_in_run(
        model,
        model.load_data(str(tmp_path / "sharp"), 16),
        tmp_path / "run",
        measured=False,
    )
    words = ["upscale", tmp_path / "run", tmp_path / "sharp/3.png", "--out", tmp_path / "out"]
    assert main([*map(str, words)]) == 0
    assert read(tmp_path / "out/3.png")[1].shape == (32, 32, 3)


@pytest.mark.parametrize("name", ["translate", "upscale"])
@pytest.mark.parametrize(
    ("words", "cut"),
    [((), (None, None)), (("--tile", 9), (9, None)), (("--overlap", 3), (None, 3)),
     (("--tile", 9, "--overlap", 3), (9, 3))],
)  # fmt: skip
def test_every_option_reaches_the_call(name, words, cut, command, tmp_path, monkeypatch):
    picture(tmp_path / "in.png", 9, 9)
    seen = []

    def call(run, order, cut, *rest, **options):
        seen.append((run, order, cut, *rest, options))
        return picture_jobs.Outcome()

    monkeypatch.setattr(picture_jobs, name, call)
    own = {"translate": ("--reverse", "--resize"), "upscale": ("--scale", 2)}[name]
    command(name, "a run", tmp_path / "in.png", "--out", tmp_path / "out", *words)
    command(name, "a run", tmp_path / "in.png", "--out", tmp_path / "out", *words, *own)
    plain, asked = seen
    for run, order, asked_cut, *_ in seen:
        assert (str(run), asked_cut) == ("a run", picture_jobs.Cut(*cut))
        assert order == picture_order([tmp_path / "in.png"], tmp_path / "out", "refuse")
    if name == "upscale":
        assert plain[3:] == (None, {"progress": True})
        assert asked[3:] == (2, {"progress": True})
    else:
        assert plain[3:] == ({"reverse": False, "resize": False, "progress": True},)
        assert asked[3:] == ({"reverse": True, "resize": True, "progress": True},)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "there is not enough memory"),
        (OSError(28, "full", "b.png"), "free some space"),
    ],
)
def test_why_a_picture_was_not_made_is_said(tmp_path, monkeypatch, capsys, error, words):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")

    def fail(*anything):
        raise error

    monkeypatch.setattr("latentia.models.translation.files.write_picture", fail)
    out = str(tmp_path / "b.png")
    assert main(["upscale", "bicubic", str(tmp_path / "a.png"), "--out", out]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "Errno" not in said
