"""Moving pictures: a GIF by Pillow, an MP4 by ffmpeg where it is installed.

Frames are (t, H, W) or (t, C, H, W) with 1 or 3 channels, uint8 or floats in [0, 1].
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentia.errors import InputError, Range, check_arguments
from latentia.files import write_atomically
from latentia.plots.explore import check_pictures
from latentia.plots.grids import tile

SIDE = 256
"""Pixels that small frames are enlarged to, about, by a whole factor."""
MOST_COLOURS = 256
INSTALL = "install ffmpeg (such as 'apt install ffmpeg' or 'brew install ffmpeg'), or write a .gif"


def write_animation(
    path: str | Path, frames: NDArray[Any], frames_per_second: Annotated[float, Range(1, 50)] = 10
) -> Path:
    """Write frames as a moving picture that repeats, whole or not at all.

    Parameters
    ----------
    path
        Ends in .gif or .mp4; whether the latter repeats is up to the player.
    frames
        (t, H, W) or (t, C, H, W), at least one.
    frames_per_second
        From 1 to 50.
    """
    check_arguments(write_animation, locals())
    target = Path(path)
    check_animation(target, frames_per_second)
    check_pictures(frames)
    if not len(frames):
        raise InputError("there are no frames; give at least one")
    pictures = [tile(frame[None], 1, 0, _scale(frames, SIDE)) for frame in frames]
    write = _gif if target.suffix == ".gif" else _mp4
    write_atomically(target, write(pictures, frames_per_second))
    return target


def check_animation(path: Path, frames_per_second: Annotated[float, Range(1, 50)]) -> None:
    """Refuse, before there are frames, what `write_animation` would refuse."""
    check_arguments(check_animation, locals())
    if path.suffix not in (".gif", ".mp4"):
        raise InputError(f"{path} ends in {path.suffix!r}; a moving picture is .gif or .mp4")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise InputError(f"an .mp4 needs ffmpeg, which is not on this machine; {INSTALL}")


def there_and_back(frames: NDArray[Any]) -> NDArray[Any]:
    """Return frames forwards, then backwards, so that they repeat without a jump.

    >>> there_and_back(np.arange(4))
    array([0, 1, 2, 3, 2, 1])
    """
    return np.concatenate([frames, frames[-2:0:-1]])


def mosaic(walks: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (t, 3, H, W) frames that show n walks of (n, t, ...) images beside each other."""
    check_pictures(walks[:, 0])
    n_columns = int(np.ceil(np.sqrt(len(walks))))
    scale = _scale(walks, SIDE // 2)
    frames = [tile(walks[:, i], n_columns, scale=scale) for i in range(walks.shape[1])]
    return np.moveaxis(np.stack(frames), 3, 1)


def _scale(frames: NDArray[Any], side: int) -> int:
    return max(1, round(side / max(int(s) for s in frames.shape[-2:])))


def _gif(pictures: list[NDArray[np.uint8]], frames_per_second: float) -> bytes:
    stream = BytesIO()
    first, *rest = [_indexed(picture) for picture in pictures]
    duration = round(1000 / frames_per_second)
    first.save(stream, "GIF", save_all=True, append_images=rest, duration=duration, loop=0)
    return stream.getvalue()


def _indexed(picture: NDArray[np.uint8]) -> Image.Image:
    """Return a picture in up to 256 colours; grey ones keep all their greys."""
    image = Image.fromarray(picture)
    if (picture == picture[..., :1]).all():
        return image.convert("L")
    return image.quantize(MOST_COLOURS, dither=Image.Dither.NONE)


def _mp4(pictures: list[NDArray[np.uint8]], frames_per_second: float) -> bytes:
    height, width, _ = pictures[0].shape
    source = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {frames_per_second:g} -i -"
    # H.264 in the colour format that every player knows takes even sides only.
    even = "-vf pad=ceil(iw/2)*2:ceil(ih/2)*2 -pix_fmt yuv420p -movflags faststart"
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        options = f"-loglevel error -y {source} {even}".split()
        words = [str(shutil.which("ffmpeg")), *options, str(film)]
        content = np.stack(pictures).tobytes()
        finished = subprocess.run(words, input=content, capture_output=True, check=False)
        if finished.returncode != 0:
            said = finished.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise InputError(f"ffmpeg could not write the .mp4: {' '.join(said)}; write a .gif")
        return film.read_bytes()
