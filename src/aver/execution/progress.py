"""`progress_bar`: the progress of everything that may take more than two seconds."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY_S = 60.0
"""Without a terminal, as in a batch job, progress is one line per this time."""


class ProgressBar:
    """What `progress_bar` yields.

    Parameters
    ----------
    description : str
    total : float
        Units of work.
    unit : str
    count : int, optional
        Number of units, if each is given its own share of `total`.
    bar : rich.progress.Progress, optional
        None: standard error is no terminal.
    """

    def __init__(
        self,
        description: str,
        total: float,
        unit: str = "",
        count: int | None = None,
        bar: Progress | None = None,
    ) -> None:
        self._description, self._total, self._unit, self._count = description, total, unit, count
        self._done, self._units = 0.0, 0
        self._bar = bar
        if bar is not None:
            self._task = bar.add_task(description, total=total, counted=self._counted())
        self._began_s = self._said_s = time.monotonic()

    def advance(self, amount: float = 1.0) -> None:
        """Add `amount` finished units of work."""
        self._done += amount
        self._units += 1
        if self._bar is not None:
            self._bar.update(self._task, advance=amount, counted=self._counted())
            return
        if multiprocessing.parent_process() is not None:
            return  # the progress of all workers together is said by their parent
        now_s = time.monotonic()
        if self._total > 0 and now_s - self._said_s >= LINE_EVERY_S and self._done < self._total:
            self._said_s = now_s
            print(f"aver: {self._line(now_s - self._began_s)}", file=sys.stderr, flush=True)

    def describe(self, description: str) -> None:
        """Change the text in front of the bar."""
        self._description = description
        if self._bar is not None:
            self._bar.update(self._task, description=description)

    def _line(self, elapsed_s: float) -> str:
        share = self._done / self._total
        left_s = elapsed_s * (1 / share - 1) if share > 0 else float("inf")
        counted = self._counted()
        counted = f"{counted}, " if counted else ""
        return f"{self._description}: {counted}{100 * share:.0f} %, about {duration(left_s)} left"

    def _counted(self) -> str:
        """Finished and total units; empty for work that has no unit."""
        done, total = (self._done, self._total)
        if self._count is not None:
            done, total = self._units, self._count
        return f"{done:.0f} of {total:.0f} {self._unit}" if self._unit else ""


def duration(seconds: float) -> str:
    """A duration in words, with the precision that an estimate has.

    Examples
    --------
    >>> duration(59.4), duration(150), duration(3700), duration(float("inf"))
    ('59 s', '2 min', '1 h 2 min', 'unknown time')
    """
    if seconds == float("inf"):
        return "unknown time"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def progress_bar(
    description: str, total: float, unit: str = "", count: int | None = None
) -> Iterator[ProgressBar]:
    """Show finished work, its share and the time left on standard error.

    On a terminal it is a bar; elsewhere, one line a minute. The time left assumes that the rest
    takes as long per unit as the work since the start: it is shown from the first finished unit
    on, and the speed of the last seconds does not change it.

    Parameters
    ----------
    description : str
        Text in front of the bar.
    total : float > 0
        Total units of work. Count only work that has to be done: if results from a cache are
        included, the time left is wrong.
    unit : str
        What is counted, in the plural: ``"clips"``. Empty if the units mean nothing to the user;
        then only the share is shown.
    count : int, optional
        Number of units, if they differ in size and `total` is the sum of their sizes.

    Yields
    ------
    ProgressBar
    """
    if not sys.stderr.isatty() or total <= 0:
        yield ProgressBar(description, total, unit, count)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed
    from rich.text import Text

    class Left(ProgressColumn):
        """The time left at the mean speed since the start."""

        def render(self, task: Task) -> Text:
            share = task.completed / task.total if task.total else 0.0
            left_s = (task.elapsed or 0.0) * (1 / share - 1) if share > 0 else float("inf")
            known = share > 0 and not task.finished
            return Text(f"about {duration(left_s)} left" if known else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TextColumn("{task.fields[counted]}"),
        Elapsed(),
        Left(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield ProgressBar(description, total, unit, count, bar)
