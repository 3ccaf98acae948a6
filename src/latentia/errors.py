"""The one error a user can cause, the one warning, and the nearest right name to put into them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that says what to do."""


class FitWarning(UserWarning):
    """A fit that is usable, with a finding that the user should know; one sentence."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the choice most like ``name``, or an empty string.

    >>> nearest("vea", ["pca", "vae"])
    "; did you mean 'vae'?"
    """
    found = difflib.get_close_matches(name.lower(), list(choices), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
