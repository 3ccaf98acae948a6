"""The commands make of pictures what Python makes of them, and say what they leave out."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentia import load
from latentia.cli.main import main
from latentia.data import load as load_data
from latentia.data.crops import load_crops
from latentia.data.degrade import degraded
from latentia.data.lab import luma
from latentia.data.limits import VARIABLE
from latentia.data.pairs import load_pairs
from latentia.evaluation.runs import data_of
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.pix2pix import Pix2Pix

RNG = np.random.default_rng(0)
SMALL = {"width": 4, "n_epochs": 1, "random_state": 0, "device": "cpu"}


def run(capsys, *words):
    status = main([*map(str, words)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def picture(path, size=(12, 10), n_channels=3):
    """Save black and white noise, which overshoots where it is resampled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = RNG.integers(0, 2, (size[1], size[0], n_channels), dtype=np.uint8) * 255
    Image.fromarray(values if n_channels > 1 else values[..., 0]).save(path)
    return np.moveaxis(values, 2, 0)


def read(path):
    with Image.open(path) as image:
        values = np.asarray(image)
    return values[None] if values.ndim == 2 else np.moveaxis(values, 2, 0)


@pytest.mark.parametrize("scale", [2, 3, 8])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("words", [(), ("--tile", 8)])
def test_upscale_bicubic_is_bicubics_transform(capsys, tmp_path, scale, n_channels, words):
    x = picture(tmp_path / "a.png", n_channels=n_channels)
    given = ("upscale", "bicubic", tmp_path / "a.png", "--out", tmp_path / "out")
    assert run(capsys, *given, "--scale", scale, *words)[0] == 0
    model = Bicubic(scale=scale).fit(RNG.random((2, n_channels, 24, 24)))
    for as_given in (x, x / np.float32(255)):
        expected = 255 * model.transform(as_given[None])[0]
        np.testing.assert_allclose(read(tmp_path / "out/a.png"), expected, atol=0.51)


def test_upscale_bicubic_of_sixteen_bits_is_bicubics_transform(capsys, tmp_path):
    x = RNG.integers(0, 2, (9, 11)).astype(np.uint16) * 65535
    Image.fromarray(x).save(tmp_path / "a.png")
    run(capsys, "upscale", "bicubic", tmp_path / "a.png", "--out", tmp_path / "out")
    model = Bicubic().fit(RNG.random((2, 12, 12)))
    expected = 65535 * model.transform(x[None] / np.float32(65535))
    np.testing.assert_allclose(read(tmp_path / "out/a.png"), expected, atol=1)


def test_a_model_of_colours_for_grey_is_shown_what_it_was_trained_on(capsys, tmp_path):
    """Colour pictures, and grey copies that another program made of them."""
    for number in range(4):
        values = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        (tmp_path / "colour").mkdir(exist_ok=True)
        Image.fromarray(values).save(tmp_path / f"colour/{number}.png")
    data = load_pairs(f"grey:{tmp_path / 'colour'}")
    Pix2Pix(**SMALL).fit(data.x_train, data.pair_train).save(tmp_path / "model")
    model = Pix2Pix(**SMALL).fit(data.x_train, data.pair_train)
    for number in range(4):
        with Image.open(tmp_path / f"colour/{number}.png") as image:
            (tmp_path / "grey").mkdir(exist_ok=True)
            image.convert("L").save(tmp_path / f"grey/{number}.png")
    for kind in ("colour", "grey"):
        given = (
            "translate",
            tmp_path / "model",
            tmp_path / kind,
            "--out",
            tmp_path / f"{kind}-out",
        )
        assert run(capsys, *given)[0] == 0
    sharp = load_data(str(tmp_path / "colour"))
    for x, y in ((data.x_train, sharp.x_train), (data.x_test, sharp.x_test)):
        np.testing.assert_allclose(x, 255 * luma(y), atol=0.51)
    for number in range(4):
        x = read(tmp_path / f"colour/{number}.png")
        expected = 255 * model.transform(luma(x)[None])[0]
        np.testing.assert_allclose(read(tmp_path / f"colour-out/{number}.png"), expected, atol=0.51)
        # Another program rounds its grey, which the net may enlarge.
        grey = read(tmp_path / f"grey/{number}.png")[0] / 255
        np.testing.assert_allclose(grey, luma(x), atol=1.01 / 255)
        expected = 255 * model.transform(grey[None].astype(np.float32))[0]
        np.testing.assert_allclose(read(tmp_path / f"grey-out/{number}.png"), expected, atol=0.51)


def test_small_pictures_that_models_are_shown_are_those_of_inverse_transform():
    x = RNG.integers(0, 2, (2, 3, 16, 16)).astype(np.uint8) * 255
    model = Bicubic(scale=2).fit(x)
    np.testing.assert_array_equal(model.inverse_transform(x), degraded(x, 2))
    of_floats = 255 * model.inverse_transform(x / np.float32(255))
    np.testing.assert_allclose(degraded(x, 2), of_floats, atol=0.501)


@pytest.fixture
def mixed(tmp_path):
    """A folder with three good pictures and others that cannot be used, or not wholly."""
    folder = tmp_path / "in"
    for number in range(3):
        picture(folder / f"{number}.png")
    Image.fromarray(np.full((4, 5), 50, np.float32)).save(folder / "float.tif")
    (folder / "photo.cr2").write_bytes(b"ftypheic")
    return folder


def test_what_cannot_be_used_is_named_and_gives_status_one(capsys, mixed, tmp_path):
    status, out, errors = run(capsys, "upscale", "bicubic", mixed, "--out", tmp_path / "out")
    assert (status, out) == (1, f"{tmp_path / 'out'}: 3 pictures\n")
    assert "2 of 5 pictures could not be used" in errors.splitlines()[-1]
    assert "photo.cr2: pictures in cr2 cannot be read" in errors.splitlines()[-1]
    assert "float.tif: its grey values span 50 to 50" in errors.splitlines()[-1]


def test_what_is_no_picture_is_said_and_gives_status_zero(capsys, tmp_path):
    picture(tmp_path / "in/a.png")
    (tmp_path / "in/notes.txt").write_text("no picture")
    (tmp_path / "in/.hidden").write_text("no picture")
    status, _, errors = run(
        capsys, "upscale", "bicubic", tmp_path / "in", "--out", tmp_path / "out"
    )
    assert status == 0
    assert "not looked at: " + str(tmp_path / "in/notes.txt") in errors
    assert "1 hidden file not looked at" in errors


@pytest.mark.parametrize("verb", ["upscale", "translate"])
def test_what_is_no_file_is_one_sentence(capsys, tmp_path, verb):
    Pix2Pix(**SMALL).fit(RNG.random((4, 3, 8, 8)), RNG.random((4, 3, 8, 8))).save(tmp_path / "m")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "empty.png").mkdir()
    model = {"upscale": "bicubic", "translate": tmp_path / "m"}[verb]
    for name, status, sentence in (
        ("pipe.png", 1, "pipe.png: it is a named pipe, not a file"),
        ("zero.png", 1, "zero.png: it is a device, not a file"),
        ("empty.png", 2, "there are no pictures in"),
    ):
        found = run(capsys, verb, model, tmp_path / name, "--out", tmp_path / "out")
        assert found[0] == status
        assert sentence in found[2].splitlines()[-1]


def test_a_result_larger_than_the_limit_is_refused_before_it_is_made(capsys, tmp_path, monkeypatch):
    picture(tmp_path / "a.png", (20, 20))
    monkeypatch.setenv(VARIABLE, "20000")
    words = ("upscale", "bicubic", tmp_path / "a.png", "--out", tmp_path / "out")
    status, _, errors = run(capsys, *words)
    assert status == 1
    assert "enlarged to 80×80 pixels it would take 25,600 bytes of memory, more than" in errors
    assert run(capsys, *words, "--scale", 2)[0] == 0


def train(folder, run_directory):
    return ("train", "pca", "--n-components", 2, "--data", folder, "--run", run_directory)


def test_training_says_what_it_left_out_and_so_does_its_report(capsys, mixed, tmp_path):
    for number in range(30):
        picture(mixed / f"more/{number}.png")
    status, _, errors = run(capsys, *train(mixed, tmp_path / "run"))
    assert status == 0
    report = (tmp_path / "run/report.html").read_text()
    for text in (errors, report):
        assert "2 of 35 files were left out" in text
        assert "photo.cr2" in text
    other = tmp_path / "other"
    for number in range(12):
        picture(other / f"{number}.png")
    (other / "broken.png").write_bytes(b"no")
    words = ("--data", other, "--out", tmp_path / "r.png")
    _, _, errors = run(capsys, "reconstruct", tmp_path / "run", *words)
    assert "1 of 13 files were left out" in errors


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--data", "IN", "--image-size", "0"),
            "image_size is 0; it must be a",
        ),
        (
            ("--data", "digits", "--image-size", "0"),
            "image_size is 0; it must be a",
        ),
        (("--data", "digits", "--image-size", "16"), "digits is no folder of pictures"),
    ],
)
def test_sides_without_effect_are_refused_by_the_commands(capsys, mixed, words, sentence, tmp_path):
    words = [mixed if word == "IN" else word for word in words]
    for start in (("train", "pca", "--run"), ("compare", "--models", "pca", "--out")):
        status, _, errors = run(capsys, *start, tmp_path / "run", *words)
        assert (status, len(errors.splitlines())) == (2, 1)
        assert sentence in errors


def test_names_in_the_bytes_of_cp949(capfdbinary, tmp_path):
    def spelt(name):
        return os.fsdecode(os.fsencode(tmp_path) + b"/" + name.encode("cp949"))

    for kind, others in (("고양이", "개"), ("개", "고양이")):
        for number in range(12):
            pixels = RNG.integers(0, 256, (8, 8), dtype=np.uint8)
            path = Path(spelt(f"사진/{kind}/{number}{others}.png"))
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, "PNG")
    Path(spelt("사진/개/나쁜.png")).write_bytes(b"no picture")
    folder, out = spelt("사진"), spelt("결과")
    assert main(["upscale", "bicubic", folder, "--out", out]) == 1
    assert main([*map(str, train(folder, spelt("훈련")))]) == 0
    assert main(["reconstruct", spelt("훈련"), "--out", spelt("그림.png")]) == 0
    captured = capfdbinary.readouterr()
    assert captured.out.startswith(os.fsencode(out) + b": 24 pictures\n")
    assert os.fsencode(spelt("그림.png")) in captured.out
    assert b"1 of 25 pictures could not be used" in captured.err
    assert b"Traceback" not in captured.err
    assert Path(spelt("결과/개/3고양이.png")).exists()
    names = [name.encode("cp949").decode(errors="backslashreplace") for name in ("개", "고양이")]
    assert list(load_data(folder).class_names) == names
    assert load_crops(spelt("사진/개"), image_size=4).notes


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (("--image-size", "8x6"), "8x6"),
        (("--image-size", "8x6", "--fit"), "8x6 fit"),
        (("--image-size", "8", "--crop"), 8),
        (("--image-size", "8x8"), 8),
        (("--image-size", "8 fit", "--crop"), 8),
        (("--fit",), "fit"),
        ((), None),
        (("--recipe", "R"), "9x5"),
        (("--recipe", "R", "--fit"), "9x5 fit"),
        (("--recipe", "R", "--image-size", "5"), 5),
    ],
)
@pytest.mark.parametrize("command", ["train", "compare", "transform"])
def test_flags_and_recipes_say_a_size_in_one_value(
    capsys, tmp_path, monkeypatch, command, words, size
):
    (tmp_path / "R").write_text('model = "pca"\nimage_size = "9x5"')
    words = [str(tmp_path / "R") if word == "R" else word for word in words]
    if command != "train" and "--recipe" in words:
        pytest.skip("takes no recipe")
    given = []
    calls = {"train": "runs.train", "compare": "comparison.compare_with"}
    place = f"latentia.evaluation.{calls.get(command, 'transformed.transform')}"
    monkeypatch.setattr(place, lambda *v, **n: given.extend([*v, *n.values()]))
    start = {"train": ("train", "pca"), "compare": ("compare", "--out", tmp_path / "out")}
    start["transform"] = ("transform", tmp_path, "digits", "--out", tmp_path / "x.csv")
    assert run(capsys, *start[command], *words)[0] == 0
    assert [value for value in given if value == size and type(value) is type(size)]
    assert size is None or "fit" in str(size) or not [v for v in given if str(v).endswith("fit")]


@pytest.mark.parametrize(("flag", "size"), [("--fit", "20x16 fit"), ("--crop", "20x16")])
def test_alike_pictures_that_stay_as_they_are_have_their_size_recorded(
    capsys, tmp_path, flag, size
):
    for number in range(12):
        picture(tmp_path / f"in/{number}.png", (20, 16))
        picture(tmp_path / f"other/{number}.png", (50, 90))
    status, _, errors = run(capsys, *train(tmp_path / "in", tmp_path / "run"), flag)
    assert (status, "brought to" in errors) == (0, False)
    record = json.loads((tmp_path / "run/config.json").read_text())["data"]
    assert (record["image_size"], record["shape"][-2:]) == (size, [16, 20])
    model, plain = load(tmp_path / "run"), load_data(str(tmp_path / "in"))
    np.testing.assert_array_equal(data_of(tmp_path / "run", None, model).x_test, plain.x_test)
    others = data_of(tmp_path / "run", str(tmp_path / "other"), model)
    expected = load_data(str(tmp_path / "other"), image_size=size)
    np.testing.assert_array_equal(others.x_test, expected.x_test)
    (tmp_path / "run/report.html").unlink()
    assert run(capsys, "train", "--resume", tmp_path / "run", flag)[0] == 0


def test_a_run_keeps_what_its_pictures_were_brought_to(capsys, tmp_path):
    for number, size in zip(range(24), itertools.cycle([(20, 30), (30, 20), (25, 16)])):
        picture(tmp_path / f"in/{number}.png", size)
    status, _, errors = run(capsys, *train(tmp_path / "in", tmp_path / "run"), "--fit")
    assert status == 0
    (told,) = [line for line in errors.splitlines() if "were brought to" in line]
    assert "16×16 pixels (width × height), whole, on black" in told
    record = json.loads((tmp_path / "run/config.json").read_text())["data"]
    assert (record["image_size"], record["shape"][-2:]) == ("16x16 fit", [16, 16])
    assert told.removeprefix("latentia: ") in (tmp_path / "run/report.html").read_text()
    model = load(tmp_path / "run")
    mine = data_of(tmp_path / "run", None, model)
    expected = load_data(str(tmp_path / "in"), image_size="16 fit")
    np.testing.assert_array_equal(mine.x_train, expected.x_train)
    # Other pictures are brought to what the model was trained on.
    for name, size in (("a", (50, 90)), ("b", (90, 50))):
        picture(tmp_path / f"other/{name}.png", size)
    others = data_of(tmp_path / "run", str(tmp_path / "other"), model)
    assert others.image_size == "16x16 fit"
    resume = ("train", "--resume", tmp_path / "run", "--image-size", "7")
    status, _, errors = run(capsys, *resume)
    assert status == 2
    assert "--image-size is 7, and the run in" in errors
    assert "was begun with 16x16 fit" in errors
    # The words of the beginning are no other words.
    again = ("train", "--resume", tmp_path / "run")
    assert "begun with 16x16 fit" in run(capsys, *again, "--crop")[2]
    (tmp_path / "run/report.html").unlink()
    assert run(capsys, *again, "--fit")[0] == 0
    assert "nothing to resume" in run(capsys, *again, "--image-size", "16", "--fit")[2]
    assert run(capsys, "train", "pca", "--crop", "--fit")[0] == 2


def test_describe_says_what_pictures_there_are(capsys, tmp_path):
    for name, size in {"a/1": (20, 30), "a/2": (30, 20), "b/3": (24, 26)}.items():
        picture(tmp_path / f"in/{name}.png", size)
    picture(tmp_path / "in/b/4.jpg", (24, 26))
    (tmp_path / "in/b/bad.png").write_bytes(b"no picture")
    status, out, _ = run(capsys, "data", "describe", tmp_path / "in")
    assert status == 0
    words = " ".join(out.split())
    assert "5 picture files (4 .png, 1 .jpg), from 20×30 to 24×26 pixels" in words
    assert "the middle one 24×26" in words or "the middle one 30×20" in words
    assert "4 images of 16×16 pixels (width × height), 3 channels" in words
    assert "classes 2: a (2), b (2)" in words
    assert "bad.png: it is not an image" in words
    status, out, _ = run(
        capsys, "data", "describe", tmp_path / "in", "--image-size", "8x6", "--fit"
    )
    assert "4 images of 8×6 pixels (width × height)" in " ".join(out.split())
