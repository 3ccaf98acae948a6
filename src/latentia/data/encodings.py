"""The encoding of a text file, recognised by its mark or by what its bytes can be."""

from __future__ import annotations

import codecs

MARKS = {
    codecs.BOM_UTF8: ("utf-8-sig", ""),
    codecs.BOM_UTF32_LE: ("utf-32", "UTF-32"),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
EXAMINED = 2**20
"""Characters by which Korean is told from Western text."""


def encoding_of(content: bytes) -> tuple[str, str]:
    """Return the codec of a text or of its beginning, and its title where that must be said.

    UTF-8 needs no mention, and CP949 holds EUC-KR. Neither is empty if the bytes are text at all;
    Western text is told last, as Windows-1252.

    >>> encoding_of("가, 나".encode("euc-kr")), encoding_of(b"a, b")
    (('cp949', 'CP949 (Korean)'), ('utf-8', ''))
    """
    for mark, found in MARKS.items():
        if content.startswith(mark):
            return found
    start = content[:1000]
    odd, even = start[1::2].count(0), start[::2].count(0)
    # Digits, blanks and line ends have a zero byte on one side, and few letters on the other.
    if max(odd, even) > max(2, len(start) // 50, 2 * min(odd, even)):
        return ("utf-16-le" if odd else "utf-16-be"), "UTF-16"
    if _can_be("utf-8", content):
        return "utf-8", ""
    if _can_be("cp949", content) and _is_korean(content):
        return "cp949", "CP949 (Korean)"
    return ("cp1252", "Windows-1252") if _can_be("cp1252", content) else ("", "")


def _can_be(codec: str, content: bytes) -> bool:
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder(codec)().decode(content)
    except UnicodeDecodeError:
        return False
    return True


def _is_korean(content: bytes) -> bool:
    """Return whether most of what is not ASCII are syllables of EUC-KR, the usual ones."""
    text = content[: 2 * EXAMINED].decode("cp949", "ignore")
    foreign = [c for c in text if ord(c) > 127]
    hangul = [c for c in foreign if "\uac00" <= c <= "\ud7a3"]
    # EUC-KR spells rare syllables in eight bytes.
    return 2 * sum(len(c.encode("euc_kr")) == 2 for c in hangul) > len(foreign)
