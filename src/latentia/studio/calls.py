"""Commands of Latentia in a process of their own, for what is heavy or reads foreign files."""

from __future__ import annotations

import os
import subprocess
import sys

from latentia.errors import InputError
from latentia.studio.aside import limit

ERROR = "error: "
PLAIN = {"LATENTIA_LANG": "en", "PYTHONUTF8": "1"}
"""What a command's words are printed in, to be read here, on Windows too."""
SLOWEST = 600
"""Seconds after which a command is given up."""


def called(*words: str) -> str:
    """Return what a command of ``latentia`` prints.

    Raises
    ------
    InputError
        With the sentence of a command that refuses.
    """
    command = [sys.executable, "-m", "latentia", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=os.environ | PLAIN
    ) as child:
        limit(child.pid)
        try:
            printed, said = child.communicate(timeout=SLOWEST)
        except subprocess.TimeoutExpired:
            child.kill()
            raise InputError(f"latentia {words[0]} took longer than {SLOWEST // 60} min") from None
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise InputError(complaint(said.decode(errors="replace")))
    return printed.decode(errors="replace")


def complaint(printed: str) -> str:
    r"""Return the sentence of a command that failed, or else the last line that it printed.

    >>> complaint("VAE step 1\nlatentia: error: the disk is full\n")
    'the disk is full'
    """
    said = [line for line in printed.splitlines() if line.strip()]
    told = [line.partition(ERROR)[2] for line in said if ERROR in line]
    return (told or said or [""])[-1]
