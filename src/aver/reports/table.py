"""Tables for people: DataFrames of cells, written as text, Markdown, LaTeX, CSV, JSON and HTML."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from aver.errors import SettingsError
from aver.evaluation.intervals import Interval
from aver.execution.files import write_json, write_text
from aver.reports.latex import latex_table

MINUS = "\N{MINUS SIGN}"
"""Of numbers in texts; a hyphen is shorter, and lines break after it."""


@dataclass(frozen=True)
class Estimate:
    """A number in a table, with its interval if it has one.

    Parameters
    ----------
    value : float
    low, high : float or None
        Bounds of the 95 % interval.
    percent : bool
        The number is a share in [0, 1] and is shown in percent.
    signed : bool
        Show a plus sign, as for differences.
    mark : str
        Shown behind the number, for example ``"*"``; explained in the notes of the table.
    method : str
        Method of the interval, as in `Interval`; empty if the number is not to have one.
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
        """From an `Interval`."""
        bounds = interval.low, interval.high
        return cls(interval.value, *bounds, percent, signed, mark, interval.method)

    def __str__(self) -> str:
        if not math.isfinite(self.value):
            return "–"
        text = self._number(self.value)
        if self.low is not None and self.high is not None:
            text += f" [{self._number(self.low)}, {self._number(self.high)}]"
        return text + self.mark

    def _number(self, value: float) -> str:
        sign = "+" if self.signed else ""
        if self.percent:
            text = f"{100 * value:{sign}.1f}"
            text = text.replace("-0.0", "0.0") if float(text) == 0 else text
        else:
            text = f"{value:{sign}.3f}"
        return text.replace("-", MINUS)


Cell = str | int | Estimate | None
"""None is an empty cell."""


@dataclass(frozen=True)
class Table:
    """Cells under named columns, with a title and notes.

    Parameters
    ----------
    name : str
        For file names: ``"comparison"``.
    title : str
        What the table shows; names the corpus and the classes if the numbers depend on them.
    frame : pd.DataFrame
        One row per entry. Cells are text, whole numbers, `Estimate` or None; column names have
        their unit.
    notes : tuple of str
        Shown below the table.
    about : tuple of str
        Corpus, classes, speakers, protocol: what a page says once, and the caption of a single
        table says too, unless its title does.
    """

    name: str
    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        notes: Sequence[str] = (),
    ) -> Table:
        """From rows of cells.

        Raises
        ------
        SettingsError
            If the number of cells in a row differs from the number of columns, or two columns have
            the same name.
        """
        if len(set(columns)) < len(columns):
            raise SettingsError(f"The table {name!r} has two columns of the same name: {columns}.")
        for row in rows:
            if len(row) != len(columns):
                raise SettingsError(
                    f"The table {name!r} has {len(columns)} columns and a row of {len(row)} cells."
                )
        frame = pd.DataFrame([list(row) for row in rows], columns=list(columns), dtype=object)
        return cls(name, title, frame, tuple(notes))

    @property
    def caption(self) -> str:
        """Title with all that a reader of this table alone needs to know."""
        further = (part for part in self.about if part not in self.title)
        return ". ".join([self.title.rstrip("."), *further]) + "."

    def without_empty_columns(self) -> Table:
        """The table without the columns that have a heading only."""
        empty = [
            index
            for index in range(1, len(self.columns))
            if self.rows and all(row[index] in (None, "") for row in self.rows)
        ]
        return replace(self, frame=self.frame.drop(columns=[self.columns[k] for k in empty]))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.frame.columns)

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """Cells, row by row."""
        return tuple(self.frame.itertuples(index=False, name=None))

    @property
    def texts(self) -> pd.DataFrame:
        """The cells as people read them."""
        return self.frame.map(lambda cell: "" if cell is None else str(cell)).astype(object)

    @property
    def alignment(self) -> tuple[str, ...]:
        """``"r"`` for each column that holds numbers only, ``"l"`` for the others."""

        def is_numeric(cells: list[Cell]) -> bool:
            return bool(cells) and all(isinstance(cell, int | Estimate) for cell in cells)

        columns = ([row[index] for row in self.rows] for index in range(len(self.columns)))
        return tuple(
            "r" if is_numeric([cell for cell in cells if cell not in (None, "")]) else "l"
            for cells in columns
        )

    def numbers(self) -> pd.DataFrame:
        """The table with numbers at full precision, for further computation.

        A column of `Estimate` becomes three: ``NAME``, ``NAME: low`` and ``NAME: high``. Shares
        are in percent, as in all formats. Undefined numbers and empty cells are missing values.
        """
        columns: dict[str, list[Any]] = {}
        for index, name in enumerate(self.columns):
            cells = [row[index] for row in self.rows]
            columns[name] = [_number(cell, "value") for cell in cells]
            if any(isinstance(cell, Estimate) for cell in cells):
                for bound in ("low", "high"):
                    columns[f"{name}: {bound}"] = [_number(cell, bound) for cell in cells]
        return pd.DataFrame(columns, dtype=object)


def _number(cell: Cell, attribute: str) -> Any:
    """A value or bound of an `Estimate`, None if it is undefined; other cells have a value only."""
    if not isinstance(cell, Estimate):
        return cell if attribute == "value" else None
    number = getattr(cell, attribute)
    if number is None or not math.isfinite(number):
        return None
    return 100 * float(number) if cell.percent else float(number)


def as_text(table: Table) -> str:
    """For a terminal: aligned columns below the title, notes below."""
    texts, alignment = table.texts, table.alignment
    lines = [list(table.columns), *texts.to_numpy().tolist()]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(table.columns))]

    def aligned(line: list[str]) -> str:
        cells = []
        for text, width, side in zip(line, widths, alignment, strict=True):
            space = " " * (width - _width(text))
            cells.append(space + text if side == "r" else text + space)
        return "  ".join(cells).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    shown = [table.title, "", aligned(lines[0]), ruler, *map(aligned, lines[1:])]
    return "\n".join([*shown, *(f"  {note}" for note in table.notes)]) + "\n"


def _width(text: str) -> int:
    """Number of terminal columns of a text."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def as_markdown(table: Table) -> str:
    """A GitHub table, with the title in bold above and the notes below."""

    def escaped(text: str) -> str:
        # One line, without anything that a page would take for a tag or for the end of a cell.
        line = " ".join(text.splitlines()).replace("\\", "\\\\")
        return line.replace("|", "\\|").replace("<", "&lt;")

    rules = ["---:" if side == "r" else "---" for side in table.alignment]
    header, *body = (
        [escaped(text) for text in line] for line in [table.columns, *table.texts.to_numpy()]
    )
    lines = [f"| {' | '.join(line)} |" for line in (header, rules, *body)]
    notes = ["", *(f"- {escaped(note)}" for note in table.notes)] if table.notes else []
    return "\n".join([f"**{escaped(table.title)}**", "", *lines, *notes]) + "\n"


def as_latex(table: Table, *, booktabs: bool = True) -> str:
    """A floating table with caption, label and notes; without `booktabs` it needs no package."""
    rows = table.texts.to_numpy().tolist()
    about = (table.caption, table.columns, rows, table.alignment, table.notes)
    return latex_table(table.name, *about, booktabs=booktabs)


def as_plain_latex(table: Table) -> str:
    """`as_latex` without packages."""
    return as_latex(table, booktabs=False)


def as_csv(table: Table) -> str:
    """Comma-separated, with the columns and the precision of `Table.numbers`."""
    cells = table.numbers().map(
        lambda cell: for_spreadsheet(cell) if isinstance(cell, str) else cell
    )
    return cells.to_csv(index=False, lineterminator="\n")


def for_spreadsheet(text: str) -> str:
    """A text that spreadsheets show instead of running it as a formula.

    Source: OWASP, "CSV Injection": cells that begin with ``=``, ``+``, ``-``, ``@``, a tab or a
    carriage return.

    Examples
    --------
    >>> for_spreadsheet("=cmd|' /C calc'!A0"), for_spreadsheet("a=b")
    ("'=cmd|' /C calc'!A0", 'a=b')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_json(table: Table) -> dict[str, Any]:
    """JSON values; a number is an object with value, low and high; shares are in percent."""

    def value(cell: Cell) -> Any:
        if not isinstance(cell, Estimate):
            return cell
        finite = {bound: _number(cell, bound) for bound in ("value", "low", "high")}
        return {**finite, **({"mark": cell.mark} if cell.mark else {})}

    return {
        "name": table.name,
        "title": table.title,
        "about": list(table.about),
        "columns": list(table.columns),
        "rows": [
            {name: value(cell) for name, cell in zip(table.columns, row, strict=True)}
            for row in table.rows
        ],
        "notes": list(table.notes),
    }


_SHORT = 30
"""Signs up to which a cell of a page is not broken into lines."""


def as_html(table: Table) -> str:
    """Part of a page: a caption, headings of columns and rows, and the notes as a list.

    Everything that comes from cells, names and notes is escaped. The region can be scrolled with
    the keyboard and has a name for screen readers.
    """
    alignment, title = table.alignment, html.escape(table.title)

    def cell(text: str, side: str, scope: str = "") -> str:
        tag = "th" if scope else "td"
        is_short = scope != "col" and len(text) < _SHORT
        kind = "n" if side == "r" else "w" if is_short else ""
        attributes = f' scope="{scope}"' if scope else ""
        attributes += f' class="{kind}"' if kind else ""
        return f"<{tag}{attributes}>{html.escape(text)}</{tag}>"

    def line(texts: Sequence[str], scopes: Sequence[str]) -> str:
        return "".join(cell(*one) for one in zip(texts, alignment, scopes, strict=True))

    head = line(table.columns, ["col"] * len(alignment))
    scopes = ["row", *[""] * (len(alignment) - 1)]
    body = (line(texts, scopes) for texts in table.texts.to_numpy())
    lines = [
        f'<div class="scroll" role="region" aria-label="{title}" tabindex="0">',
        f"<table>\n<caption><span>{title}</span></caption>",
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
        *(f"<tr>{row}</tr>" for row in body),
        "</tbody>\n</table>\n</div>",
    ]
    if table.notes:
        notes = "\n".join(f"<li>{html.escape(note)}</li>" for note in table.notes)
        lines.append(f'<ul class="notes">\n{notes}\n</ul>')
    return "\n".join(lines) + "\n"


_WRITERS: Mapping[str, Callable[[Table], str]] = {
    ".txt": as_text,
    ".md": as_markdown,
    ".tex": as_latex,
    "-plain.tex": as_plain_latex,
    ".csv": as_csv,
}


def write_table(table: Table, folder: Path) -> list[Path]:
    """Write a table as text, Markdown, LaTeX (for booktabs, and plain), CSV and JSON.

    Returns
    -------
    list of Path
        ``<name>.txt``, ``.md``, ``.tex``, ``-plain.tex``, ``.csv`` and ``.json`` in `folder`.
    """
    written = []
    for suffix, render in _WRITERS.items():
        target = folder / f"{table.name}{suffix}"
        write_text(target, render(table))
        written.append(target)
    target = folder / f"{table.name}.json"
    write_json(target, as_json(table))
    return [*written, target]
