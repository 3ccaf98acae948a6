"""The command line: the same dataclasses as the Python API, one sentence for every mistake.

Each command adds its options to a parser and names what is called with them. Only what a command
needs is imported, inside its function: ``--help`` loads neither torch nor NumPy.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import latentia
from latentia.cli.checkpoints import checkpoints
from latentia.cli.compare import compare
from latentia.cli.data import data, models
from latentia.cli.doctor import doctor
from latentia.cli.evaluate import evaluate
from latentia.cli.explore import explore
from latentia.cli.export import export
from latentia.cli.factor import factor
from latentia.cli.figure import figure
from latentia.cli.lab import lab
from latentia.cli.parser import Elsewhere, Parser, add_command, in_a_folder
from latentia.cli.pictures import translate, upscale
from latentia.cli.push import push
from latentia.cli.reliability import reliability
from latentia.cli.sample import reconstruct, sample
from latentia.cli.search import search
from latentia.cli.streams import fill_gaps, flush_output, let_go, tell
from latentia.cli.studio import studio
from latentia.cli.train import INTERRUPTED, resume, train
from latentia.cli.transform import transform
from latentia.cli.zoo import reproduce, zoo
from latentia.errors import DEEP, InputError, with_command
from latentia.files import told
from latentia.plots.sentences import in_language, spoken
from latentia.training.launch import leads

MISUSED = 2
UNREAD = 141
"""What a shell reports of a program that writes into a closed pipe (128 + SIGPIPE)."""
ERROR = {"en": "error", "ko": "오류"}
NO_MEMORY = "memory does not suffice ({}): use a smaller --batch-size, or less data at a time"
COMMANDS: dict[str, Callable[[Parser, list[str]], None]] = {
    "compare": compare,
    "factor": factor,
    "reliability": reliability,
    "train": train,
    "resume": resume,
    "search": search,
    "checkpoints": checkpoints,
    "sample": sample,
    "reconstruct": reconstruct,
    "transform": transform,
    "evaluate": evaluate,
    "explore": explore,
    "export": export,
    "push": push,
    "translate": translate,
    "upscale": upscale,
    "figure": figure,
    "data": data,
    "models": models,
    "doctor": doctor,
    "zoo": zoo,
    "reproduce": reproduce,
    "lab": lab,
    "studio": studio,
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status.

    0, 1 for some bad files, 2 a mistake, 130 a stop, 141 if nobody reads what it prints.
    """
    words = sys.argv[1:] if arguments is None else arguments
    fill_gaps()
    _take_any_name()
    try:
        status = _run(words)
        flush_output()
    except InputError as error:
        status = _complain(str(error))
    except ModuleNotFoundError as error:
        if error.name not in DEEP:
            raise
        status = _complain(str(with_command(error, f"latentia {words[0]}")))
    except BrokenPipeError:
        status = UNREAD
    except OSError as error:
        status = _complain(told(error))
    except MemoryError as error:
        status = _complain(NO_MEMORY.format(str(error) or "nothing is left"))
    except RuntimeError as error:
        # torch has no error of its own for this on the CPU.
        if "allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        status = _complain(NO_MEMORY.format(str(error).splitlines()[0]))
    except KeyboardInterrupt:
        tell("stopped")
        status = INTERRUPTED
    let_go()
    return status


def _take_any_name() -> None:
    """Let file names be printed as the bytes that they are, UTF-8 or not."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        in_utf_8 = sys.stdout.encoding.lower() in ("utf-8", "utf8")
        sys.stdout.reconfigure(errors="surrogateescape" if in_utf_8 else "backslashreplace")


def _run(words: list[str]) -> int:
    about = "Latent-variable generative models."
    parser = Parser(prog="latentia", description=about, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"latentia {latentia.__version__}")
    parser.epilog = "'latentia COMMAND --help' tells a command's options."
    summaries = {name: add.__doc__ or "" for name, add in COMMANDS.items()}
    chosen = add_command(parser, words, summaries, "there is no command", "COMMAND")
    if chosen is None and (not words or words[0] in ("-h", "--help")):
        parser.print_help()
        return 0
    if chosen is not None:
        COMMANDS[words[0]](chosen, words[1:])
    given = parser.parse_args(words)
    for name, value in [*vars(given).items()]:
        if isinstance(value, Elsewhere):
            setattr(given, name, in_a_folder(value))
    status: int | None = given.call(given)
    return status or 0


def _complain(sentence: str) -> int:
    if leads():
        said, lang = " ".join(sentence.split()), spoken()
        tell(f"{ERROR[lang]}: {in_language(said, lang)}")
    return MISUSED
