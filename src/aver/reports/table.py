"""`Table`: one object for every table, written as text, CSV, LaTeX, Markdown, JSON or HTML."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aver.errors import SettingsError
from aver.evaluation.intervals import Interval


@dataclass(frozen=True)
class Estimate:
    """A figure in a table, with its interval where it has one.

    Parameters
    ----------
    value : float
    low, high : float or None
        Bounds of the 95 % interval.
    percent : bool
        The figure is a share and is shown in percent.
    signed : bool
        Show a plus sign: for differences.
    mark : str
        Put behind the figure, for instance ``"*"``; explained in the table's notes.
    method : str
        How the interval was made, as in `Interval`; empty where the figure is to have none.
    """

    value: float
    low: float | None = None
    high: float | None = None
    percent: bool = True
    signed: bool = False
    mark: str = ""
    method: str = ""

    @classmethod
    def of(
        cls, interval: Interval, *, percent: bool = True, signed: bool = False, mark: str = ""
    ) -> Estimate:
        """From an `Interval` of the statistics."""
        bounds = interval.low, interval.high
        return cls(interval.value, *bounds, percent, signed, mark, interval.method)

    def __str__(self) -> str:
        if not math.isfinite(self.value):
            return "–"
        shown = self._number(self.value)
        if self.low is not None and self.high is not None:
            shown += f" [{self._number(self.low)}, {self._number(self.high)}]"
        return shown + self.mark

    def _number(self, value: float) -> str:
        sign = "+" if self.signed else ""
        if self.percent:
            text = f"{100 * value:{sign}.1f}"
            return text.replace("-0.0", "0.0") if float(text) == 0 else text
        return f"{value:{sign}.3f}"


Cell = str | int | Estimate | None
"""None is shown as an empty cell."""


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    Parameters
    ----------
    name : str
        For file names: ``"comparison"``.
    title : str
        One sentence on what is shown; names corpus and classes where figures depend on them.
    columns : tuple of str
        Headings, with the unit.
    rows : tuple of tuple of Cell
        As many cells as columns.
    notes : tuple of str
        Below the table.

    Raises
    ------
    SettingsError
        If a row has another number of cells than there are columns.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise SettingsError(
                    f"Table {self.name!r} has {len(self.columns)} columns and a row of {len(row)}."
                )

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds figures only, and is set to the right."""
        cells = [row[column] for row in self.rows if row[column] not in (None, "")]
        return bool(cells) and all(isinstance(cell, int | Estimate) for cell in cells)


def shown(cell: Cell) -> str:
    """The text of a cell in any format that is read by people."""
    return "" if cell is None else str(cell)
