"""Pictures: every pixel where it belongs, Hangul drawn, nothing global touched."""

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from latentia.errors import InputError
from latentia.plots.curves import loss_curves
from latentia.plots.grids import rows, save_png, tile
from latentia.plots.latent import latent_map, spectrum
from latentia.plots.style import FONT, new_figure, png_bytes, style


def test_tiles_lie_where_they_should():
    images = np.zeros((3, 4, 5), np.float32)
    images[1], images[2] = 0.5, 1.0
    picture = tile(images, n_columns=2, padding=1, scale=2)
    assert picture.shape == (2 * 9 + 1, 2 * 11 + 1, 3)
    assert (picture[1:9, 1:11] == 0).all()
    assert (picture[1:9, 12:22] == 128).all()
    assert (picture[10:18, 1:11] == 255).all()
    assert (picture[0] == 255).all()


def test_colour_and_channel_counts():
    assert tile(np.zeros((2, 3, 9, 9), np.uint8), 2).shape[2] == 3
    with pytest.raises(InputError, match="1 or 3 channels"):
        tile(np.zeros((2, 2, 9, 9), np.uint8), 2)


def test_labelled_rows_in_korean():
    x = np.random.default_rng(0).random((4, 8, 8))
    plain = tile(x, 4)
    picture = rows([("원본", x), ("잡음 −3", x), ("복원", x)])
    assert picture.shape[0] == 3 * plain.shape[0]
    np.testing.assert_array_equal(picture[: plain.shape[0], -plain.shape[1] :], plain)
    label = picture[: plain.shape[0], : -plain.shape[1]]
    assert (label < 128).sum() > 20


def test_hangul_has_its_own_glyphs():
    """Missing glyphs warn, and warnings are errors; two syllables must also look different."""
    drawn = []
    for text in ("가 −1", "힣 −1"):
        with style():
            figure = new_figure(1, 1)
            figure.text(0.1, 0.5, text)
        drawn.append(png_bytes(figure))
    assert drawn[0] != drawn[1]


def test_global_settings_stay_as_they_were():
    before = dict(mpl.rcParams)
    png_bytes(spectrum(np.array([0.6, 0.3])))
    assert dict(mpl.rcParams) == before
    assert FONT not in before["font.family"]


RECORDS = [
    {
        "epoch": e,
        "split": s,
        "values": {"discriminator": 1 / e, "discriminator/real_probability": 0.5, "generator": e},
    }
    for e in range(1, 5)
    for s in ("train", "validation")
]


def test_curves_show_each_value_of_each_split():
    figure = loss_curves(RECORDS)
    totals, terms = figure.axes
    assert [line.get_linestyle() for line in totals.lines] == ["-", "--", "-", "--"]
    np.testing.assert_allclose(totals.lines[0].get_ydata(), [1, 1 / 2, 1 / 3, 1 / 4])
    assert totals.get_ylabel() == "nats"
    assert terms.get_ylabel() == ""
    assert len(terms.lines) == 2


@pytest.mark.parametrize("n_components", [1, 2, 7])
@pytest.mark.parametrize("labelled", [False, True])
def test_latent_maps(n_components, labelled):
    codes = np.random.default_rng(0).normal(size=(50, n_components))
    labels = np.arange(50) % 3 if labelled else None
    figure = latent_map(codes, labels, ("하나", "둘", "셋"))
    n_points = sum(len(c.get_offsets()) for c in figure.axes[0].collections)
    assert n_points == 50
    assert png_bytes(figure)[:4] == b"\x89PNG"
    if n_components == 7:
        assert "%" in figure.axes[0].get_xlabel()


def test_a_picture_is_written_whole(tmp_path):
    picture = np.zeros((3, 4, 3), np.uint8)
    save_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (4, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
