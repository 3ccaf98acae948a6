"""Text files as data for models of sequences: plain text, and melodies in ABC notation.

The last tenth of a text is its test part, and of the rest a last share, usually a twentieth, is
held out of training: neighbouring passages are alike, so a random choice would flatter the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from latentia.data.dataset import Dataset
from latentia.data.encodings import encoding_of
from latentia.data.limits import read_limited
from latentia.data.unread import refuse_address
from latentia.errors import InputError, Range, check_arguments

SHORTEST = 100
"""Characters below which the parts of a text are too short to say anything."""
TEXT_FILES = (".txt", ".text", ".md", ".abc")
HELD_OUT = 0.05
"""Share of what is not the test part that is usually held out of training."""
LARGEST_SHARE = 0.5
KEPT_FIELDS = ("M:", "L:", "K:")
"""ABC's metre, unit of length and key; titles and sources say nothing of the melody."""


@dataclass(frozen=True, repr=False)
class TextData(Dataset):
    """A text in three parts, in the order of the file."""

    x_train: Any
    x_test: Any
    validation: str = ""
    held_out: float = HELD_OUT
    """Share of what is not the test part that is held out of training."""

    unit = "characters"

    @property
    def train(self) -> str:
        """The training part."""
        return str(self.x_train)

    @property
    def test(self) -> str:
        """The test part."""
        return str(self.x_test)

    @property
    def symbols(self) -> str:
        """Every character that occurs in some part, sorted."""
        return "".join(sorted(set(self.train + self.validation + self.test)))

    @property
    def beside(self) -> Mapping[str, Any]:
        """What `fit` takes beside the training part: all that may occur."""
        return {"symbols": self.symbols}

    @property
    def asked(self) -> Mapping[str, object]:
        """What loads the same text again."""
        # A run from before there was a choice says nothing of it, and must go on as it began.
        share = {} if self.held_out == HELD_OUT else {"held_out": self.held_out}
        return {"spec": self.spec, **share}

    def hold_out(self) -> tuple[TextData, str | None]:
        """Return the text, and the part that is held out of training, if there is one."""
        return self, self.validation or None


def load_text(
    spec: str | Path, held_out: Annotated[float, Range(0, LARGEST_SHARE)] = HELD_OUT
) -> TextData:
    """Return a text file in parts; of one that ends in .abc, the tunes.

    ``held_out`` is the share of all but the test part, at most a half, held out of training.
    """
    check_arguments(load_text, locals())
    refuse_address(str(spec))
    path = Path(spec).expanduser()
    text, read_as = read_text(path)
    if path.suffix == ".abc":
        text = tunes(text, str(path))
    if len(text) < SHORTEST:
        raise InputError(
            f"{path} holds {len(text)} characters; at least {SHORTEST} are needed to train and "
            "to test"
        )
    n_known = len(text) - len(text) // 10
    n_train = n_known - int(n_known * held_out)
    return TextData(
        name=path.stem,
        x_train=text[:n_train],
        y_train=None,
        x_test=text[n_known:],
        y_test=None,
        validation=text[n_train:n_known],
        spec=str(path.resolve()),
        description="A text's characters, each predicted from those before it.",
        notes=(
            *read_as,
            f"Measured on the last {len(text) - n_known:,} characters of the text.",
        ),
        held_out=held_out,
    )


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    r"""Return a file's text, its lines ending in ``\n``, and its encoding if it is not UTF-8.

    UTF-16 and Korean text in CP949 or EUC-KR are read as well as UTF-8.
    """
    if not path.exists() or path.is_dir():
        raise InputError(f"there is no text file {str(path)!r}; give a .txt or .abc file")
    content = read_limited(path)
    codec, title = encoding_of(content)
    # Western text can be any bytes, so that it is no evidence.
    given = codec if codec and codec != "cp1252" else "utf-8"
    try:
        text = content.decode(given)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not {title if codec == given else 'UTF-8'} text: byte "
            f"0x{content[error.start]:02x} at place {error.start}; save it as UTF-8"
        ) from None
    note = f"{path.name} was read as {title}, since it is not UTF-8." if title else ""
    return text.replace("\r\n", "\n").replace("\r", "\n"), (note,) if note else ()


def tunes(text: str, name: str) -> str:
    r"""Return the melodies of an ABC file: metre, unit, key and notes, a blank line between.

    References
    ----------
    .. [1] C. Walshaw, "The abc music standard 2.1", 2011, sections 2 and 3.

    Examples
    --------
    >>> tunes("X:1\nT:Scale\nM:4/4\nK:C\nCDEF|GABc|  % up\n", "scale.abc")
    'M:4/4\nK:C\nCDEF|GABc|\n'
    """
    kept = []
    for line in text.split("\n"):
        bare = line.partition("%")[0].rstrip()
        is_field = len(bare) > 1 and bare[1] == ":" and bare[0].isalpha()
        # An empty line ends a tune, and so does the next one's number; a comment leaves nothing.
        if not line or bare.startswith("X:"):
            kept.append("")
        elif bare and (not is_field or bare.startswith(KEPT_FIELDS)):
            kept.append(bare)
    blocks = [block.strip("\n") for block in "\n".join(kept).split("\n\n")]
    found = [block for block in blocks if "K:" in block]
    if not found:
        raise InputError(f"{name} holds no tune in ABC notation: there is no key field K:")
    return "\n\n".join(found) + "\n"
