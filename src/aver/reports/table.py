"""`Table`: one object for every table, written as text, CSV, LaTeX, Markdown, JSON or HTML."""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aver.errors import SettingsError
from aver.evaluation.intervals import Interval
from aver.execution.files import write_json, write_text


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


_LATEX_SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def as_text(table: Table) -> str:
    """For a terminal: aligned columns under the title, notes below."""
    cells = [list(table.columns), *([shown(cell) for cell in row] for row in table.rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(table.columns))]

    def line(row: list[str]) -> str:
        parts = []
        for column, text in enumerate(row):
            space = " " * (widths[column] - _width(text))
            parts.append(space + text if table.is_numeric(column) else text + space)
        return "  ".join(parts).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    lines = [table.title, "", line(cells[0]), ruler, *map(line, cells[1:])]
    return "\n".join([*lines, *(f"  {note}" for note in table.notes)]) + "\n"


def _in_markdown(text: str) -> str:
    """On one line, with nothing that a page would take for a tag or for the end of a cell."""
    line = " ".join(text.splitlines()).replace("\\", "\\\\")
    return line.replace("|", "\\|").replace("<", "&lt;")


def as_markdown(table: Table) -> str:
    """A GitHub table with the title in bold above and the notes below."""

    def line(texts: list[str]) -> str:
        return "| " + " | ".join(_in_markdown(text) for text in texts) + " |"

    rules = ["---:" if table.is_numeric(c) else "---" for c in range(len(table.columns))]
    lines = [f"**{_in_markdown(table.title)}**", "", line(list(table.columns)), line(rules)]
    lines += [line([shown(cell) for cell in row]) for row in table.rows]
    if table.notes:
        lines += ["", *(f"- {_in_markdown(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def as_latex(table: Table) -> str:
    """A floating table for the booktabs package, with caption, label and notes."""

    def escape(text: str) -> str:
        return "".join(_LATEX_SIGNS.get(sign, sign) for sign in text)

    def line(texts: list[str]) -> str:
        row = " & ".join(escape(text) for text in texts)
        return "  " + ("{}" if row.startswith("[") else "") + row + r" \\"

    alignment = "".join("r" if table.is_numeric(c) else "l" for c in range(len(table.columns)))
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape(table.title)}}}",
            rf"\label{{tab:{table.name}}}",
            rf"\begin{{tabular}}{{{alignment}}}",
            r"  \toprule",
            line(list(table.columns)),
            r"  \midrule",
            *(line([shown(cell) for cell in row]) for row in table.rows),
            r"  \bottomrule",
            r"\end{tabular}",
            *(rf"\par\smallskip\footnotesize {escape(note)}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


def as_csv(table: Table) -> str:
    """Comma-separated; a figure with an interval takes three columns, at full precision.

    Figures are not in percent here: shares lie in 0 to 1.
    """
    wide = [
        any(isinstance(row[c], Estimate) for row in table.rows) for c in range(len(table.columns))
    ]
    heading: list[str] = []
    for column, name in enumerate(table.columns):
        heading += [name, f"{name}: low", f"{name}: high"] if wide[column] else [name]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heading)
    for row in table.rows:
        cells: list[str] = []
        for column, cell in enumerate(row):
            cells += _csv_cells(cell) if wide[column] else [shown(cell)]
        writer.writerow(cells)
    return stream.getvalue()


def _csv_cells(cell: Cell) -> list[str]:
    if not isinstance(cell, Estimate):
        return [shown(cell), "", ""]
    numbers = (cell.value, cell.low, cell.high)
    return ["" if n is None or not math.isfinite(n) else repr(float(n)) for n in numbers]


def as_json(table: Table) -> dict[str, Any]:
    """JSON values; a figure is an object with value, low and high, shares in 0 to 1."""

    def value(cell: Cell) -> Any:
        if not isinstance(cell, Estimate):
            return cell
        numbers = {"value": cell.value, "low": cell.low, "high": cell.high}
        finite = {k: n if n is None or math.isfinite(n) else None for k, n in numbers.items()}
        return {**finite, **({"mark": cell.mark} if cell.mark else {})}

    return {
        "name": table.name,
        "title": table.title,
        "columns": list(table.columns),
        "rows": [
            {name: value(cell) for name, cell in zip(table.columns, row, strict=True)}
            for row in table.rows
        ],
        "notes": list(table.notes),
    }


_WRITERS: Mapping[str, Callable[[Table], str]] = {
    ".txt": as_text,
    ".md": as_markdown,
    ".tex": as_latex,
    ".csv": as_csv,
}


def write_table(table: Table, folder: Path) -> list[Path]:
    """Write a table in all five formats.

    Returns
    -------
    list of Path
        ``<name>.txt``, ``.md``, ``.tex``, ``.csv`` and ``.json`` in `folder`.
    """
    written = []
    for suffix, render in _WRITERS.items():
        target = folder / f"{table.name}{suffix}"
        write_text(target, render(table))
        written.append(target)
    target = folder / f"{table.name}.json"
    write_json(target, as_json(table))
    return [*written, target]
