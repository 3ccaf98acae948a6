"""Videos and animations as pictures: every frame is one, in order.

Videos are read by PyAV (extra ``video``); GIF, APNG, animated WebP and AVIF by Pillow, and TIFFs of
several pages, or by ``tifffile`` if they have channels that Pillow does not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from PIL import Image, ImageSequence

from latentia.data import images
from latentia.data.archives import Place
from latentia.data.dataset import Array
from latentia.data.framing import Frame
from latentia.data.images import BadImageError
from latentia.data.many_bands import has_many_bands, read_pages

VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".3gp", ".mts", ".m2ts"),
    *(".ts", ".wmv", ".flv", ".ogv"),
)
MOVING = (".gif", ".apng", ".png", ".webp", ".avif", ".tif", ".tiff")
NEEDED = "it is a video; pip install 'latentia[video]' reads its frames"
NO_FRAMES = "it holds no pictures"


def is_video(path: Place) -> bool:
    """Return whether a file is a video by its name."""
    return path.suffix.lower() in VIDEOS


def is_moving(path: Place) -> bool:
    """Return whether a file is a video, or an animation of several frames."""
    if is_video(path):
        return True
    if path.suffix.lower() not in MOVING:
        return False
    try:
        with images.quiet(), path.open("rb") as stream, Image.open(stream) as image:
            return getattr(image, "n_frames", 1) > 1
    except images.BROKEN:
        return False


def frame_size(path: Place) -> tuple[int, int]:
    """Return the (width, height) of a video's or an animation's first frame."""
    return next(_pictures(path)).size


def n_frames(path: Place) -> int:
    """Return how many frames a video or an animation announces: at least one.

    Of what cannot be read it is one, and reading it says why.
    """
    try:
        if is_video(path):
            return max(1, _n_packets(path))
        with images.quiet(), path.open("rb") as stream, Image.open(stream) as image:
            return int(getattr(image, "n_frames", 1))
    except (BadImageError, *images.BROKEN):
        return 1


def _n_packets(path: Place) -> int:
    """Return how many frames of a video there are to decode."""
    if find_spec("av") is None:
        return 1
    import av

    with path.open("rb") as stream, av.open(stream, mode="r") as container:
        if not container.streams.video:
            return 1
        return sum(packet.size > 0 for packet in container.demux(video=0))


def frames_of(path: Place, frame: Frame | None, *, deep: bool = False) -> Iterator[Array]:
    """Yield each frame as bytes, or as `read_frames` returns it if it may be ``deep``."""
    if deep and has_many_bands(path):
        pages: Iterable[Array] = read_pages(path)
    else:
        pages = (images.upright(image, deep=deep) for image in _pictures(path))
    for pixels in pages:
        yield pixels if frame is None else frame.of(pixels)


def read_frames(
    path: Place, frame: Frame | None, take: Callable[[int], None]
) -> list[tuple[Array, tuple[str, ...]]]:
    """Return each frame as `latentia.data.images.read` returns a picture.

    Raises
    ------
    BadImageError
        If it is damaged or holds no frames, or PyAV is not installed.
    """
    found: list[tuple[Array, tuple[str, ...]]] = []
    for framed in frames_of(path, frame, deep=True):
        take(framed.nbytes)
        found.append((framed, ()))
    return found


def _pictures(path: Place) -> Iterator[Image.Image]:
    if reason := images.oddity(path):
        raise BadImageError(reason)
    is_empty = True
    try:
        for image in _of_video(path) if is_video(path) else _of_animation(path):
            yield image
            is_empty = False
    except images.BROKEN as error:
        words = " ".join(str(error).split())
        raise BadImageError(f"its frames cannot be read: {words:.120}") from None
    if is_empty:
        raise BadImageError(NO_FRAMES)


def _of_video(path: Place) -> Iterator[Image.Image]:
    if find_spec("av") is None:
        raise BadImageError(NEEDED)
    import av

    try:
        with path.open("rb") as stream, av.open(stream, mode="r") as container:
            frames: Any = container.decode(video=0) if container.streams.video else ()
            for found in frames:
                image = found.to_image()
                yield image.rotate(found.rotation, expand=True) if found.rotation else image
    except av.FFmpegError as error:
        raise BadImageError(f"its frames cannot be read: {error}") from None


def _of_animation(path: Place) -> Iterator[Image.Image]:
    with images.quiet(), path.open("rb") as stream, Image.open(stream) as image:
        for found in ImageSequence.Iterator(image):
            yield found.copy()
