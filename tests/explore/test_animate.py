"""Moving pictures: frames, pixels and speed as they were given; whole or not at all."""

import stat
import sys

import numpy as np
import pytest
from PIL import Image

from latentia.errors import InputError
from latentia.explore import animate
from latentia.explore.animate import mosaic, there_and_back, write_animation
from latentia.plots.grids import tile

GREY = np.linspace(0, 1, 7 * 64).reshape(7, 8, 8)


def frames_of(path):
    with Image.open(path) as film:
        shown = []
        for i in range(film.n_frames):
            film.seek(i)
            shown.append((np.asarray(film.convert("RGB")), film.info["duration"]))
        return shown, film.info["loop"]


def test_a_gif_has_every_frame(tmp_path):
    path = write_animation(tmp_path / "film.gif", GREY, 20)
    shown, loop = frames_of(path)
    assert len(shown) == 7
    assert loop == 0
    assert {duration for _, duration in shown} == {50}
    for (picture, _), frame in zip(shown, GREY):
        assert picture.shape == (256, 256, 3)
        expected = np.rint(frame * 255).astype(int).repeat(32, 0).repeat(32, 1)
        np.testing.assert_allclose(picture[..., 0].astype(int), expected, atol=1)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_gif_in_colour(tmp_path):
    colours = np.zeros((3, 3, 16, 16), np.uint8)
    for i in range(3):
        colours[i, i] = 200
    shown, _ = frames_of(write_animation(tmp_path / "film.gif", colours))
    assert [picture[0, 0].tolist() for picture, _ in shown] == np.diag([200] * 3).tolist()


def test_a_walk_there_and_back(tmp_path):
    path = write_animation(tmp_path / "film.gif", there_and_back(GREY))
    assert len(frames_of(path)[0]) == 12
    assert there_and_back(np.arange(4)).tolist() == [0, 1, 2, 3, 2, 1]


def test_several_walks_beside_each_other():
    walks = np.stack([GREY, 1 - GREY])
    assert mosaic(walks).shape[:2] == (7, 3)
    assert mosaic(walks).shape[3] > 1.8 * mosaic(walks).shape[2]
    frames = mosaic(np.arange(6).reshape(2, 3)[..., None, None] / 5 * np.ones((8, 8)))
    height, width = frames.shape[2:]
    seen = frames[:, 0, height // 2, [width // 4, 3 * width // 4]]
    assert seen.tolist() == [[0, 153], [51, 204], [102, 255]]


def test_without_ffmpeg_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(animate.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match=r"needs ffmpeg.*apt install ffmpeg.*\.gif"):
        write_animation(tmp_path / "film.mp4", GREY)
    assert not list(tmp_path.iterdir())


def program(tmp_path, body):
    path = tmp_path / "ffmpeg"
    path.write_text(f"#!{sys.executable}\nimport sys\ncontent = sys.stdin.buffer.read()\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


def test_ffmpeg_is_given_every_pixel(tmp_path, monkeypatch):
    fake = program(tmp_path, "open(sys.argv[-1], 'wb').write(content)")
    monkeypatch.setattr(animate.shutil, "which", lambda _: fake)
    path = write_animation(tmp_path / "film.mp4", GREY)
    pixels = np.frombuffer(path.read_bytes(), np.uint8).reshape(7, 256, 256, 3)
    np.testing.assert_array_equal(pixels[:, ::32, ::32, 0], np.rint(GREY * 255))


@pytest.mark.parametrize("speed", [10, 12.5])
def test_ffmpeg_is_told_the_speed_and_the_size_of_what_it_is_given(speed, tmp_path, monkeypatch):
    fake = program(tmp_path, "open(sys.argv[-1], 'w').write(' '.join(sys.argv))")
    monkeypatch.setattr(animate.shutil, "which", lambda _: fake)
    path = write_animation(tmp_path / "film.mp4", GREY[:, :, :4], speed)
    words = path.read_text().split(" -i ")[0].split()
    given = [words[words.index(flag) + 1] for flag in ("-r", "-s", "-pix_fmt")]
    assert given == [f"{speed:g}", "128x256", "rgb24"]


def test_the_last_line_that_ffmpeg_says_is_passed_on(tmp_path, monkeypatch):
    fake = program(tmp_path, r"sys.exit('film.mp4:\nno encoder for this')")
    monkeypatch.setattr(animate.shutil, "which", lambda _: fake)
    sentence = "^ffmpeg could not write the .mp4: no encoder for this; write a .gif$"
    with pytest.raises(InputError, match=sentence):
        write_animation(tmp_path / "film.mp4", GREY)
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.skipif(animate.shutil.which("ffmpeg") is None, reason="there is no ffmpeg here")
def test_a_real_mp4(tmp_path):
    content = write_animation(tmp_path / "film.mp4", GREY[:, :7, :5]).read_bytes()
    assert content[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("name", "frames", "speed", "words"),
    [
        ("film.avi", GREY, 10, r"ends in '\.avi'; a moving picture is \.gif or \.mp4"),
        ("film.gif", np.zeros((3, 5)), 10, r"shape \(5,\)"),
        ("film.gif", np.zeros((3, 2, 5, 5)), 10, "1 or 3 channels"),
        ("film.gif", GREY, 0, "frames_per_second is 0"),
        ("film.gif", GREY, 60, "frames_per_second is 60; .* at most 50"),
    ],
)
def test_films_that_cannot_be(name, frames, speed, words, tmp_path):
    with pytest.raises(InputError, match=words):
        write_animation(tmp_path / name, frames, speed)


@pytest.mark.parametrize(("side", "scale"), [(8, 16), (64, 2), (100, 1), (300, 1)])
def test_each_walk_is_about_128_pixels_wide_beside_others(side, scale):
    walks = np.random.default_rng(0).random((2, 3, side, side))
    for frame, images in zip(mosaic(walks), walks.swapaxes(0, 1), strict=True):
        np.testing.assert_array_equal(frame, np.moveaxis(tile(images, 2, scale=scale), 2, 0))


@pytest.mark.parametrize(
    ("shape", "words"), [((0, 8, 8), "no frames"), ((5, 2, 8, 8), "shape"), ((8, 8), "shape")]
)
def test_what_are_no_pictures_make_no_film(shape, words, tmp_path):
    with pytest.raises(InputError, match=words):
        write_animation(tmp_path / "a.gif", np.zeros(shape))
    assert not (tmp_path / "a.gif").exists()
