"""WebAssembly from its text: as much of both as `kernels.wat` needs.

A module there imports a memory and exports functions that give nothing; instructions are folded,
with their operands inside them.

References
----------
.. [1] WebAssembly Core Specification 3.0, chapters 5 (binary format) and 6 (text format).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

CODES = {
    "br": "0c",
    "br_if": "0d",
    "local.get": "20",
    "local.set": "21",
    "local.tee": "22",
    "i32.load": "28",
    "f32.load": "2a",
    "f32.store": "38",
    "i32.const": "41",
    "i32.lt_u": "49",
    "i32.gt_u": "4b",
    "i32.ge_u": "4f",
    "i32.add": "6a",
    "i32.mul": "6c",
    "i32.and": "71",
    "i32.shl": "74",
    "f32.add": "92",
    "f32.mul": "94",
    "v128.load": "fd00",
    "v128.load32_splat": "fd09",
    "v128.store": "fd0b",
    "v128.const": "fd0c",
    "v128.bitselect": "fd52",
    "f32x4.extract_lane": "fd1f",
    "f32x4.gt": "fd44",
    "f32x4.add": "fde401",
    "f32x4.mul": "fde601",
    "f32x4.max": "fde901",
}
TYPES = {"i32": b"\x7f", "f32": b"\x7d", "v128": b"\x7b"}
BLOCKS = {"block": b"\x02", "loop": b"\x03"}
FOUR_BYTES = b"\x02"
"""How values in memory are aligned, as a power of two."""

Expression = list[Any]
"""Words and expressions."""


def assembled(text: str) -> bytes:
    """Return the module that a text describes."""
    (module,) = expressions(iter(re.findall(r'[()]|"[^"]*"|[^\s()]+', text)))
    functions = [part for part in module if part[0] == "func"]
    (imported,) = (part for part in module if part[0] == "import")
    types = [b"\x60" + listed(map(TYPES.__getitem__, parts(f, "param"))) + b"\0" for f in functions]
    memory = named(imported[1]) + named(imported[2]) + b"\x02\0" + unsigned(int(imported[3][1]))
    indices = [unsigned(place) for place in range(len(functions))]
    exports = [named(f[1][1]) + b"\0" + place for f, place in zip(functions, indices)]
    sections = {1: types, 2: [memory], 3: indices, 7: exports, 10: map(body, functions)}
    return b"\0asm\1\0\0\0" + b"".join(
        unsigned(number) + sized(listed(entries)) for number, entries in sections.items()
    )


def expressions(words: Iterator[str]) -> Expression:
    """Return what stands up to the next closing bracket."""
    found: Expression = []
    for word in words:
        if word == ")":
            break
        found.append(expressions(words) if word == "(" else word)
    return found


def parts(function: Expression, kind: str) -> list[str]:
    """Return the types of a function's parameters or local variables."""
    return [part[2] for part in function if part[0] == kind]


def body(function: Expression) -> bytes:
    """Return a function's code."""
    variables = [part[1] for part in function if part[0] in ("param", "local")]
    lines = [part for part in function[2:] if part[0] not in ("param", "local")]
    kinds = [b"\x01" + TYPES[kind] for kind in parts(function, "local")]
    return sized(listed(kinds) + together(lines, variables, []) + b"\x0b")


def together(lines: Sequence[Expression], variables: list[str], labels: list[str]) -> bytes:
    """Return the code of instructions one after the other."""
    return b"".join(instruction(line, variables, labels) for line in lines)


def instruction(line: Expression, variables: list[str], labels: list[str]) -> bytes:
    """Return the code of an instruction: first its operands', then its own."""
    name, *rest = line
    if name in BLOCKS:
        inside = together(rest[1:], variables, [rest[0], *labels])
        return BLOCKS[name] + b"\x40" + inside + b"\x0b"
    if name == "if":
        (_, kind), condition, (_, *then), (_, *otherwise) = rest
        labels = ["", *labels]
        first, second = (together(lines, variables, labels) for lines in (then, otherwise))
        head = instruction(condition, variables, labels[1:]) + b"\x04" + TYPES[kind]
        return head + first + b"\x05" + second + b"\x0b"
    given = [part for part in rest if isinstance(part, str)]
    operands = together([part for part in rest if isinstance(part, list)], variables, labels)
    return operands + bytes.fromhex(CODES[name]) + immediate(name, given, variables, labels)


def immediate(name: str, given: Sequence[str], variables: list[str], labels: list[str]) -> bytes:
    """Return what follows the code of an instruction."""
    if name.startswith("local."):
        return unsigned(variables.index(given[0]))
    if name.startswith("br"):
        return unsigned(labels.index(given[0]))
    if ".load" in name or ".store" in name:
        return FOUR_BYTES + unsigned(int(given[0].removeprefix("offset=")) if given else 0)
    if name == "i32.const":
        return signed(int(given[0]))
    if name == "v128.const":
        return int(given[0]).to_bytes(16, "little")
    return bytes([int(given[0])]) if name == "f32x4.extract_lane" else b""


def unsigned(value: int) -> bytes:
    r"""Return a number in bytes of seven bits (LEB128).

    >>> unsigned(300)
    b'\xac\x02'
    """
    rest, low = value >> 7, value & 127
    return bytes([low | 128]) + unsigned(rest) if rest else bytes([low])


def signed(value: int) -> bytes:
    r"""Return a number with its sign in bytes of seven bits.

    >>> signed(-8), signed(64)
    (b'x', b'\xc0\x00')
    """
    rest, low = value >> 7, value & 127
    ends = rest == (-1 if low & 64 else 0)
    return bytes([low]) if ends else bytes([low | 128]) + signed(rest)


def sized(content: bytes) -> bytes:
    """Return bytes after their number."""
    return unsigned(len(content)) + content


def listed(entries: Any) -> bytes:
    """Return entries after their number."""
    found = [*entries]
    return unsigned(len(found)) + b"".join(found)


def named(word: str) -> bytes:
    """Return a name in quotes as the format has it."""
    return sized(word.strip('"').encode())
