"""One progress bar for everything that runs over two seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class ProgressBar:
    """Handle given out by `progress_bar`; silent where standard error is no terminal."""

    def __init__(self, bar: object | None, task: int) -> None:
        self._bar = bar
        self._task = task

    def advance(self, amount: float = 1.0) -> None:
        """Say that `amount` more units of work are done."""
        if self._bar is not None:
            self._bar.advance(self._task, amount)  # type: ignore[attr-defined]

    def describe(self, description: str) -> None:
        """Change the words in front of the bar."""
        if self._bar is not None:
            self._bar.update(self._task, description=description)  # type: ignore[attr-defined]


@contextmanager
def progress_bar(description: str, total: float) -> Iterator[ProgressBar]:
    """Show work being done, with the time left, on standard error.

    Parameters
    ----------
    description : str
        A few words in front of the bar.
    total : float > 0
        Units of work in all. Count only work that will really be done: what a cache answers at
        once must not be part of it, or the time left is wrong.

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
