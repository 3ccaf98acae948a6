"""How much memory one file may ask for: the same limit for pictures, archives and tables.

It is checked before the memory is taken, against what a file says of itself or while it is
unpacked, so that a small file cannot cost much. Text, which becomes several times as large, is held
against it too; other plain files are as large as they are and need none.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from latentia.errors import InputError
from latentia.files import read_bytes

VARIABLE = "LATENTIA_MAX_BYTES"
"""The environment variable that sets the limit: bytes, or a number followed by K, M, G or T."""
USUAL = 2 * 2**30
UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def most_bytes() -> int:
    """Return how many bytes one file may unpack to: `VARIABLE`, or else 2 GiB."""
    given = os.environ.get(VARIABLE)
    if given is None:
        return USUAL
    found = re.fullmatch(r"(\d+)([kmgt]?)(?:i?b)?", given.strip().lower())
    if found is None or int(found[1]) == 0:
        raise InputError(f"{VARIABLE} is {given!r}; give a number of bytes, such as 8G")
    return int(found[1]) * UNITS[found[2]]


def excess(n_bytes: int) -> str:
    """Return why so many bytes are too many, as the end of a sentence, or an empty string.

    >>> excess(1000)
    ''
    """
    most = most_bytes()
    if n_bytes <= most:
        return ""
    return (
        f"would take {size(n_bytes)} of memory, more than the limit of {size(most)}; if that is "
        f"meant, raise it: {VARIABLE}={-(-n_bytes // 2**30)}G"
    )


def check_bytes(n_bytes: int, name: str) -> None:
    """Refuse what would take more memory than the limit, before it is taken.

    >>> check_bytes(2**43, "x.npz")
    Traceback (most recent call last):
    ...
    latentia.errors.InputError: x.npz would take 8,192.0 GiB of memory, more than the limit ...
    """
    if too_many := excess(n_bytes):
        raise InputError(f"{name} {too_many}")


def read_limited(path: Path) -> bytes:
    """Return the content of a regular file that is no larger than the limit."""
    try:
        check_bytes(path.stat().st_size, str(path))
        return read_bytes(path)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path} cannot be read: {why}") from None


def size(n_bytes: int) -> str:
    """Return a number of bytes in a unit that suits it.

    >>> size(300), size(5 * 2**20), size(5 * 2**30)
    ('300 bytes', '5.0 MiB', '5.0 GiB')
    """
    if n_bytes >= 2**80:
        return f"2^{n_bytes.bit_length() - 1} bytes"
    if n_bytes < 2**20:
        return f"{n_bytes:,} bytes"
    unit, name = (2**30, "GiB") if n_bytes >= 2**30 else (2**20, "MiB")
    return f"{n_bytes / unit:,.1f} {name}"
