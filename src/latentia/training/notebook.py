"""A bar of progress in a notebook, drawn by its own ``display``: no widgets are needed."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from rich.progress import TaskID

BAR = (
    '<div style="font-family:monospace;white-space:pre-wrap"><div>{title} '
    '<progress value="{done}" max="{total}"></progress> {done}/{total} {numbers}{left}</div>'
    "{lines}</div>"
)


class NotebookBar:
    """What `rich.progress.Progress` is at a terminal, as far as it is used here."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._title, self._total, self._done, self._numbers = "", 1.0, 0.0, ""
        self._handle: Any = None
        self._began, self._first = time.monotonic(), 0.0

    def start(self) -> None:
        """Begin; there is nothing to draw yet."""

    def stop(self) -> None:
        """End; what was drawn last stays."""

    def add_task(self, title: str, total: float, numbers: str = "") -> TaskID:
        """Draw the bar."""
        self._title, self._total, self._numbers = title, total, numbers
        self.draw()
        return TaskID(0)

    def update(self, task: TaskID, *, completed: float, numbers: str) -> None:
        """Draw how much is done."""
        self._first = self._first or completed
        self._done, self._numbers = completed, numbers
        self.draw()

    def say(self, line: str) -> None:
        """Keep a line below the bar."""
        self._said.append(line)
        self.draw()

    def draw(self) -> None:
        """Show the bar, in place of the one before."""
        from IPython.display import display

        done, total = f"{self._done:.4g}", f"{self._total:.4g}"
        words = {"title": self._title, "numbers": self._numbers, "left": self._left()}
        lines = [f"<div>{escape(line)}</div>" for line in self._said]
        safe = {name: escape(word) for name, word in words.items()}
        html = BAR.format(done=done, total=total, lines="".join(lines), **safe)
        plain = "\n".join([f"{self._title} {done}/{total} {self._numbers}", *self._said])
        shown = {"text/html": html, "text/plain": plain}
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def _left(self) -> str:
        """Return in words how long it will take."""
        gone = self._done - self._first
        if gone <= 0 or self._done >= self._total:
            return ""
        seconds = (time.monotonic() - self._began) / gone * (self._total - self._done)
        return f"  {seconds:,.0f} s left"
