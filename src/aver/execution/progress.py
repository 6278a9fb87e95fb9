"""`progress_bar`: the progress bar of everything that may take more than two seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class ProgressBar:
    """What `progress_bar` yields; does nothing if standard error is not a terminal."""

    def __init__(self, bar: object | None, task: int) -> None:
        self._bar = bar
        self._task = task

    def advance(self, amount: float = 1.0) -> None:
        """Add `amount` finished units of work."""
        if self._bar is not None:
            self._bar.advance(self._task, amount)  # type: ignore[attr-defined]

    def describe(self, description: str) -> None:
        """Change the text in front of the bar."""
        if self._bar is not None:
            self._bar.update(self._task, description=description)  # type: ignore[attr-defined]


@contextmanager
def progress_bar(description: str, total: float) -> Iterator[ProgressBar]:
    """Show progress and the time left on standard error.

    Parameters
    ----------
    description : str
        Text in front of the bar.
    total : float > 0
        Total units of work. Count only work that has to be done: if results from a cache are
        included, the time left is wrong.

    Yields
    ------
    ProgressBar
    """
    if not sys.stderr.isatty() or total <= 0:
        yield ProgressBar(None, 0)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield ProgressBar(bar, bar.add_task(description, total=total))
