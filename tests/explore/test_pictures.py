"""One's own picture files in a model's format."""

import numpy as np
import pytest
from PIL import Image

from latentia.errors import FitWarning, InputError
from latentia.explore.pictures import read_pictures
from latentia.models.linear.pca import PCA

RNG = np.random.default_rng(0)


def fitted(*shape):
    return PCA(n_components=2).fit(RNG.random((6, *shape), dtype=np.float32))


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (3, 8, 8), (6, 10), (3, 10, 6)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16"])
def test_any_picture_fits_any_model(shape, mode, tmp_path):
    path = tmp_path / "내 얼굴.png"
    values = RNG.integers(0, 256, (20, 30), np.uint8)
    image = Image.fromarray(values)
    if mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    image.save(path)
    model = fitted(*shape)
    found = read_pictures([path, str(path)], model)
    assert found.shape == (2, *shape)
    assert found.dtype == np.uint8
    model.transform(found)


def test_grey_is_weighted_and_the_centre_is_kept(tmp_path):
    path = tmp_path / "x.png"
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 4:12] = (255, 0, 0)
    Image.fromarray(pixels).save(path)
    grey = read_pictures([path], fitted(8, 8))[0]
    assert (grey == round(0.299 * 255)).all()
    colour = read_pictures([path], fitted(3, 8, 8))[0]
    assert (colour == np.array([255, 0, 0])[:, None, None]).all()


@pytest.mark.parametrize("shape", [(6, 10), (3, 10, 6), (1, 6, 10)])
def test_left_stays_left_and_above_above(shape, tmp_path):
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:20, :20], pixels[:20, 20:], pixels[20:, :20] = 60, 120, 240
    Image.fromarray(pixels).save(tmp_path / "x.png")
    found = read_pictures([tmp_path / "x.png"], fitted(*shape))[0].reshape(-1, *shape[-2:])
    corners = found[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners.astype(int), [[60, 120, 240, 0]] * len(found), atol=3)


def test_pictures_that_cannot_be(tmp_path, table):
    (tmp_path / "text.png").write_text("no picture")
    model = fitted(8, 8)
    with pytest.raises(InputError, match=r"text\.png cannot be used as a picture: it is not an im"):
        read_pictures([tmp_path / "text.png"], model)
    with pytest.raises(InputError, match="name at least one"):
        read_pictures([], model)
    with pytest.raises(FileNotFoundError):
        read_pictures([tmp_path / "absent.png"], model)
    with pytest.raises(InputError, match=r"samples of shape \(5,\)"):
        read_pictures([tmp_path / "text.png"], PCA(n_components=2).fit(table))
    with pytest.raises(InputError, match=r"shape \(2, 8, 8\)"):
        read_pictures([tmp_path / "text.png"], fitted(2, 8, 8))


def test_what_is_not_used_of_a_picture_is_said(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (0, 200)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(FitWarning, match=r"x.gif: only its first frame was used"):
        read_pictures([tmp_path / "x.gif"], fitted(8, 8))
