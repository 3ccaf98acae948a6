"""One picture file to one array, whatever its mode; or a sentence on what is wrong.

Grey values follow one rule in every file, so that the pictures of a data set stay comparable:

    8 bits          out of 255
    integers        deeper than that: out of 65535, and only values from 0 to 65535
    12 bits         of a TIFF: out of 4095
    floats          in [0, 1], as they are

Other values are refused, since no file says what is white. Transparency is laid on white, EXIF
rotation is applied, palette and CMYK become RGB, the first frame of an animation is taken.

A file's header says how large its picture is. What would take more memory than
`latentia.data.limits` allows is refused before it is taken.
"""

from __future__ import annotations

import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from latentia.data.archives import Member, Place
from latentia.data.dataset import Array
from latentia.data.framing import Frame
from latentia.data.limits import excess
from latentia.data.many_bands import NEEDED, has_many_bands, is_tiff, read_bands, reader
from latentia.data.many_bands import BadImageError as BadImageError
from latentia.data.unread import cure, of_camera
from latentia.errors import InputError

BROKEN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    UserWarning,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow raises on files that are broken."""
KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
FOREIGN = ("CMYK", "LAB", "HSV", "YCbCr")
"""Modes of colours that become RGB, which their profile does not fit."""
TURNED = range(2, 9)
"""Values of EXIF's tag of a picture that is not upright as it is stored."""
ORIENTATION = 0x0112
"""The EXIF tag of how a picture was held."""
HEAD = 16
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
UNKNOWN = "it is not an image of a kind that can be read"
KNOWN = {
    b"PK\3\4": "it is a zip archive, not a picture",
    b"%PDF": "it is a PDF, not a picture; make pictures of its pages, as by pdftoppm -png",
    b"<svg": "it is a drawing, not a picture; convert it to .png",
    b"8BPS": "it is a Photoshop file that cannot be read; save it as .png",
}
"""How other files begin."""
WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
GREY = ("L", "LA", "La", "1")
WHITE = 65535
_PILLOWS_LIMIT = threading.RLock()


def read(
    path: Place,
    frame: Frame | None = None,
    take: Callable[[int], None] | None = None,
    *,
    deep: bool = False,
) -> tuple[Array, tuple[str, ...]]:
    """Return a picture as (H, W) or (C, H, W), and notes on what was converted.

    Parameters
    ----------
    path
        The file, or a member of an archive.
    frame
        What it is cut and resized to.
    take
        Told how many bytes the result takes, before they are taken; it may refuse.
    deep
        Keep more than eight bits, as float32 in [0, 1], and all channels of a TIFF; otherwise the
        picture becomes uint8 in one channel or three.

    Raises
    ------
    BadImageError
        If it is not a file, empty, truncated, not a picture, too large for
        `latentia.data.limits`, or grey of other values than above.
    """
    if deep and (bands := _bands(path, frame, take)) is not None:
        return bands
    image, notes = opened(path, lambda image: _tell(image, frame, take, deep))
    if deep and any("bands were" in note or "colours were" in note for note in notes):
        notes = (*notes, NEEDED) if is_tiff(path) and reader() is None else notes
    pixels, alpha = planes(image)
    if alpha is not None and alpha.min() < 255:
        notes = (*notes, "what is transparent in it was laid on white")
    plain = _on_white(pixels, alpha, deep)
    return plain if frame is None else frame.of(plain), notes


def _tell(
    image: Image.Image, frame: Frame | None, take: Callable[[int], None] | None, deep: bool
) -> None:
    """Tell how many bytes a picture will take."""
    if take is not None:
        n_pixels = image.width * image.height if frame is None else frame.width * frame.height
        take(n_pixels * (4 if deep and _is_deep(image) else 1 if is_grey(image) else 3))


def _bands(
    path: Place, frame: Frame | None, take: Callable[[int], None] | None
) -> tuple[Array, tuple[str, ...]] | None:
    """Return a TIFF of more than Pillow reads, with all its channels; None for other files."""
    if oddity(path) or of_camera(path) or not has_many_bands(path):
        return None
    pixels, notes = read_bands(path)
    n_pixels = pixels[0].size if frame is None else frame.width * frame.height
    if take is not None:
        take(n_pixels * len(pixels) * pixels.itemsize)
    return pixels if frame is None else frame.of(pixels), notes


def size_of(path: Place) -> tuple[int, int]:
    """Return a picture's (width, height) as it stands upright, as its header tells."""
    if reason := of_camera(path):
        raise BadImageError(reason)
    with _stream(path) as stream, _header(stream) as image:
        turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
        return (image.height, image.width) if turned else (image.width, image.height)


def is_grey_file(path: Place) -> bool:
    """Return whether a file is a grey picture, as its header tells."""
    try:
        with _stream(path) as stream, _header(stream) as image:
            return is_grey(image)
    except (BadImageError, *BROKEN):
        return False


def upright(image: Image.Image, *, deep: bool = False) -> Array:
    """Return an opened picture as `read` does: (H, W) or (3, H, W), turned as EXIF says."""
    return _on_white(*planes(ImageOps.exif_transpose(image)), deep)


def _on_white(colours: NDArray[Any], alpha: NDArray[np.uint8] | None, deep: bool) -> Array:
    """Return colours laid on white as bytes, or if they are deeper as floats in [0, 1]."""
    pixels: NDArray[Any]
    if deep and colours.dtype == np.uint16:
        pixels = colours / np.float32(WHITE)
    else:
        pixels = eight_bit(on_white(colours, alpha))
    return pixels[0] if len(pixels) == 1 else pixels


def opened(
    path: Place, look: Callable[[Image.Image], None] | None = None
) -> tuple[Image.Image, tuple[str, ...]]:
    """Return a picture, loaded and upright in its own mode, and notes on what was left out.

    ``look`` sees it when its header has been read and its pixels have not.

    Raises
    ------
    BadImageError
        As `read` does.
    FileNotFoundError
        If there is nothing at the path.
    """
    if reason := oddity(path) or of_camera(path):
        raise BadImageError(reason)
    if n_bytes_of(path) == 0:
        raise BadImageError("it has zero bytes")
    try:
        # A stream, since Pillow maps a TIFF that it opens by name before it has turned it.
        with _stream(path) as stream, _header(stream) as image:
            _check_size(image)
            notes = _notes(image)
            if look is not None:
                look(image)
            deep = "I;12" in _layout(image)
            with _no_limit() if _is_large(image) else nullcontext():
                image.load()
            ImageOps.exif_transpose(image, in_place=True)
        return (_of_twelve_bits(image) if deep else image), notes
    except InputError:
        raise
    except BadImageError as error:
        raise BadImageError(str(error) or _of_no_kind(path)) from None
    except BROKEN as error:
        raise BadImageError(_sentence(error)) from None


def _of_no_kind(path: Place) -> str:
    """Return that a file is no picture, and how it becomes one where its name tells."""
    instead = cure(Path(path.name)) if path.suffix.lower() not in suffixes() else ""
    return f"{UNKNOWN}; {instead}" if instead else UNKNOWN


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings of odd metadata from the terminal; of threads, around all of them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _sentence(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return words if isinstance(error, OSError | ValueError) and words else f"it is broken ({error})"


def _stream(path: Place) -> IO[bytes]:
    return path.open("rb")


def n_bytes_of(path: Place) -> int:
    """Return how large a file is."""
    return path.n_bytes() if isinstance(path, Member) else path.stat().st_size


def oddity(path: Place) -> str:
    """Return why what is at a path is no file that can be read, or an empty string."""
    if isinstance(path, Member):
        return path.oddity()
    if path.is_file():
        return ""
    if not path.exists():
        return "it is a link to nothing" if path.is_symlink() else ""
    mode = path.stat().st_mode
    kind = next((name for holds, name in KINDS.items() if holds(mode)), "something else")
    return f"it is {kind}, not a file"


def suffixes() -> set[str]:
    """Return the endings, such as ``.png``, of the files that can be read."""
    known = Image.registered_extensions().items()
    return {suffix for suffix, kind in known if kind in Image.OPEN} | {".heic", ".heif"}


def _header(stream: IO[bytes]) -> Image.Image:
    with _no_limit():
        try:
            return Image.open(stream)
        except UnidentifiedImageError:
            stream.seek(0)
            head = stream.read(HEAD)
            if head[4:8] == b"ftyp" and head[8:12] in HEIC:
                return _heic(stream)
            kind = next((words for magic, words in KNOWN.items() if head.startswith(magic)), "")
            raise BadImageError(kind) from None


def _heic(stream: IO[bytes]) -> Image.Image:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        raise BadImageError(
            "it is a HEIC picture; pip install 'latentia[heic]' reads it, or convert it to .jpg"
        ) from None
    opener: Any = HeifImageFile
    image: Image.Image = opener(stream)
    return image


@contextmanager
def _no_limit() -> Iterator[None]:
    """Lift Pillow's own limit, which is no parameter: `latentia.data.limits` holds instead."""
    with _PILLOWS_LIMIT:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _is_large(image: Image.Image) -> bool:
    most = Image.MAX_IMAGE_PIXELS
    return most is not None and image.width * image.height > most


def _check_size(image: Image.Image) -> None:
    n_bytes = 1 if image.mode in ("1", "L", "P") else 2 if ";16" in image.mode else 4
    if too_many := excess(n_bytes * image.width * image.height):
        raise BadImageError(f"it has {image.width}×{image.height} pixels and {too_many}")


def _notes(image: Image.Image) -> tuple[str, ...]:
    """Return what of a picture, whose pixels are not loaded yet, will be left out."""
    layout, notes = _layout(image), []
    if getattr(image, "n_frames", 1) > 1:
        notes.append("only its first frame was used")
    if not image.mode.startswith("I") and ";16" in layout:
        notes.append("its 16-bit colours were read as 8 bits")
    if image.mode.startswith("I") and "transparency" in image.info:
        notes.append("its 16-bit grey was read as 8 bits, beside its transparency")
    n_bands = len(image.getbands())
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        n_held = image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
        n_left_out = max(n_held - n_bands, layout.count("X"))
        if n_left_out > 0:
            notes.append(f"{n_left_out} of its {n_held} bands were left out")
    if image.mode in FOREIGN:
        notes.append(f"its {image.mode} colours became RGB")
    if image.getexif().get(ORIENTATION, 1) in TURNED:
        notes.append("it was turned as its EXIF data say")
    return tuple(notes)


def _layout(image: Image.Image) -> str:
    """Return how the pixels of a picture lie in its file, which is forgotten when they are read."""
    return str([tile[3] for tile in getattr(image, "tile", [])[:1]])


def _of_twelve_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64) * (WHITE / 4095)
    return Image.fromarray(np.rint(values).astype(np.uint16))


def is_grey(image: Image.Image) -> bool:
    """Return whether a picture has one channel beside its transparency."""
    return image.mode in GREY or _is_deep(image)


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def planes(image: Image.Image) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Return a picture's (1 or 3, H, W) colours, uint8 or uint16, and its (H, W) transparency.

    Raises
    ------
    BadImageError
        For grey values that the rule above does not know.
    """
    if _is_deep(image):
        return _deep_planes(image)
    grey = image.mode in GREY
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        layer = np.asarray(image.convert("RGBA"))
        colours = layer[..., :1] if grey else layer[..., :3]
        return np.moveaxis(colours, 2, 0), layer[..., 3]
    mode = "L" if grey else "RGB"
    plain = np.asarray(image if image.mode == mode else image.convert(mode))
    return plain[None] if grey else np.moveaxis(plain, 2, 0), None


def _deep_planes(image: Image.Image) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    values = _sixteen_bit(np.asarray(image))[None]
    clear = image.info.get("transparency")
    if clear is None:
        return values, None
    return eight_bit(values), np.where(values[0] == clear, np.uint8(0), np.uint8(255))


def _sixteen_bit(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Return grey values out of 65535, or refuse values that the rule does not know."""
    if values.dtype.kind == "u":
        return values.astype(np.uint16)
    low, high = values.min(), values.max()
    if not np.isfinite([low, high]).all():
        raise BadImageError("its grey values are not all finite")
    white, words = (1, "floats in [0, 1]") if values.dtype.kind == "f" else (WHITE, "0 to 65535")
    if low < 0 or high > white:
        raise BadImageError(
            f"its grey values span {low:.6g} to {high:.6g}; what is white is known of {words} only"
        )
    return np.rint(values.astype(np.float64) * (WHITE / white)).astype(np.uint16)


def eight_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return uint8 or uint16 pixels as uint8."""
    if pixels.dtype == np.uint8:
        return pixels
    return np.rint(pixels / np.float32(WHITE / 255)).astype(np.uint8)


def on_white(pixels: NDArray[Any], alpha: NDArray[np.uint8] | None) -> NDArray[Any]:
    """Return (C, H, W) uint8 pixels of (H, W) transparency laid on white, others as they are."""
    if alpha is None:
        return pixels
    share = alpha / np.float32(255)
    return np.rint(255 + (pixels - np.float32(255)) * share).astype(np.uint8)
