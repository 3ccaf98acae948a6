"""Progress of long work: a live bar at a terminal and in a notebook, plain lines elsewhere."""

from __future__ import annotations

import io
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from latentia.plots.sentences import in_language, spoken
from latentia.training.launch import leads

if TYPE_CHECKING:
    from latentia.training.notebook import NotebookBar

SECONDS_BETWEEN_BARS = 0.2
SECONDS_BETWEEN_LINES = 1.0
SPACING = 0.05
"""Of the time since the start, at least between two lines."""


class ErrorStream(io.TextIOBase):
    """The error stream of this moment, which drops what it cannot take.

    A full disk, a broken pipe or nothing at all behind it stops no work. While a bar is shown,
    ``sys.stderr`` stands for the bar, and must not be asked for.
    """

    def __init__(self) -> None:
        self.stream: TextIO = sys.stderr or io.StringIO()

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Bring out what can be brought out."""
        with suppress(OSError, ValueError):
            self.stream.flush()

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Return its number, by which a terminal is asked for its width."""
        return self.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The letters that it knows."""
        return self.stream.encoding


def make_bar() -> Progress:
    """Return a bar on the error stream."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.4g}/{task.total}"),
        TextColumn("{task.fields[numbers]}"),
        TimeRemainingColumn(),
        console=Console(file=cast(TextIO, ErrorStream())),
    )


def tell_notes(notes: Iterable[str], shown: bool | None) -> None:
    """Write notes to the error stream, a line each, by default only where a bar would be."""
    errors = ErrorStream()
    if (errors.isatty() or in_notebook() if shown is None else shown) and leads():
        for note in notes:
            print(f"latentia: {in_language(note, spoken())}", file=errors)


def in_notebook() -> bool:
    """Return whether this is a notebook's kernel: of Jupyter, VS Code, Colab."""
    # What no notebook has imported is not looked for.
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return any(kind.__name__ == "ZMQInteractiveShell" for kind in type(shell).__mro__)


class Shown(ABC):
    """A bar at a terminal and in a notebook, plain lines elsewhere, within a ``with`` block.

    ``total`` is what a full bar stands for; ``shown`` is True, False, or None for "only at a
    terminal and in a notebook".
    """

    def __init__(self, total: int, title: str, shown: bool | None) -> None:
        terminal, notebook = ErrorStream().isatty(), in_notebook()
        self.total, self.title = total, title
        self.shown = (terminal or notebook if shown is None else shown) and leads()
        self._bar: Progress | NotebookBar | None = None
        if self.shown and notebook:
            from latentia.training.notebook import NotebookBar

            self._bar = NotebookBar()
        elif self.shown and terminal:
            self._bar = make_bar()
        self._task = TaskID(0)
        self._began = self._told = 0.0

    def __enter__(self) -> Self:
        """Start the clock and the bar."""
        self._began = time.monotonic()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, numbers="")
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Take the bar down."""
        if self._bar is not None:
            if kind is None:
                self._end()
            self._bar.stop()

    def _above(self, line: str, style: str = "") -> None:
        """Write a line above the bar, or to the error stream if there is none."""
        if isinstance(self._bar, Progress):
            self._bar.console.print(
                line, style=style, markup=False, highlight=False, soft_wrap=True
            )
        elif self._bar is not None:
            self._bar.say(line)
        else:
            print(line, file=ErrorStream(), flush=True)

    @abstractmethod
    def _end(self) -> None:
        """Show what is to be seen last, if nothing broke off."""


class TrainingProgress(Shown):
    """Watch a training run: step, epoch, rows of data a second, each loss, time left.

    ``unit`` is what the rows of a batch are called.
    """

    def __init__(
        self, n_steps: int, n_epochs: int, title: str, shown: bool | None, unit: str = "samples"
    ) -> None:
        super().__init__(n_steps, title, shown)
        self.n_epochs, self.unit = n_epochs, unit
        self._rows = 0
        self._start: int | None = None
        self._ailment = ""

    def __call__(self, step: int, epoch: int, rows: int, values: Mapping[str, float]) -> None:
        """Take a step's losses; tell them when it is time."""
        if not self.shown:
            return
        self._rows += rows
        # A resumed run does not start at 0.
        self._start = step - 1 if self._start is None else self._start
        now = time.monotonic()
        between = SECONDS_BETWEEN_BARS
        if self._bar is None:
            # A file of hours of lines, one a second, is read by nobody.
            between = max(SECONDS_BETWEEN_LINES, SPACING * (now - self._began))
        if now - self._told < between and step < self.total:
            return
        self._told = now
        rate = self._rows / max(now - self._began, 1e-9)
        losses = "  ".join(f"{n} {v:.4g}" for n, v in values.items() if "/" not in n)
        numbers = f"epoch {epoch}/{self.n_epochs}  {rate:,.0f} {self.unit}/s  {losses}"
        if self._bar is not None:
            self._bar.update(self._task, completed=step, numbers=numbers)
        else:
            self._print_line(step, numbers, now)

    def tell(self, epoch: int, sentence: str) -> None:
        """Show what is wrong, once until it changes."""
        if not self.shown or sentence.split(":")[0] == self._ailment:
            return
        self._ailment = sentence.split(":")[0]
        self._above(f"{self.title}  epoch {epoch}: {sentence}", style="yellow")

    def _end(self) -> None:
        """Leave the last step's numbers."""

    def _print_line(self, step: int, numbers: str, now: float) -> None:
        done = step - (self._start or 0)
        left = (self.total - step) * (now - self._began) / done
        print(
            f"{self.title}  step {step}/{self.total}  {numbers}  {left:,.0f} s left",
            file=ErrorStream(),
            flush=True,
        )


class FileProgress(Shown):
    """Watch work on files one after the other: how many are done, and how much of this one."""

    def __init__(self, n_files: int, title: str, shown: bool | None) -> None:
        super().__init__(n_files, title, shown)
        self._number, self._name = 0, ""

    def begin(self, number: int, name: str) -> None:
        """Go on to the next file, counted from 1."""
        self._number, self._name = number, name
        self(0.0)

    def __call__(self, share: float) -> None:
        """Tell how much of the file is done, when it is time."""
        if self._bar is not None:
            done = self._number - 1 + share
            self._bar.update(self._task, completed=done, numbers=self._name)
            return
        now = time.monotonic()
        if self.shown and now - self._told > SECONDS_BETWEEN_LINES:
            self._told = now
            self.print(f"{self.title} {self._number}/{self.total}  {self._name}  {share:.0%}")

    def _end(self) -> None:
        """Fill the bar, also after a last file that could not be used."""
        if self._bar is not None:
            self._bar.update(self._task, completed=self.total, numbers="")

    def print(self, line: str) -> None:
        """Write a line to the error stream, above the bar if there is one."""
        self._above(line)
