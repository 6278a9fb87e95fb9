"""A floating LaTeX table that fits a paper of one or of two columns."""

from __future__ import annotations

from collections.abc import Sequence

_SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}", "−": "$-$",
}  # fmt: skip
"""More than pandas escapes: ``|``, ``<`` and ``>`` are other signs in the default font encoding."""

_COLUMN, _PAGE = 45, 100
"""Signs that a line of one column, and of a page, of a two-column paper takes in small print."""
_LONG_CELL, _LONG_HEADING = 32, 16
"""Signs from which the texts of a column, or a heading, are broken into lines."""


def escaped(text: str) -> str:
    """Text as LaTeX shows it."""
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def latex_table(
    name: str,
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    alignment: Sequence[str],
    notes: Sequence[str] = (),
    *,
    booktabs: bool = True,
) -> str:
    r"""A floating table, with the caption above and the notes below, outside the tabular.

    A table that is wider than a column of a two-column paper is a ``table*``, which spans the
    page; in a paper of one column it is as wide as any other. Long texts and headings are broken
    into lines.

    Parameters
    ----------
    name : str
        For the label ``tab:NAME``.
    caption : str
    columns : sequence of str
    rows : sequence of sequence of str
        Texts of the cells, not escaped.
    alignment : sequence of {"l", "r"}
    notes : sequence of str
    booktabs : bool
        Rules of the package booktabs; otherwise ``\hline``, which needs no package.

    Returns
    -------
    str
    """
    texts = [max([len(row[k]) for row in rows], default=0) for k in range(len(columns))]
    widths = [
        min(text, _LONG_CELL) if side == "l" else text
        for text, side in zip(texts, alignment, strict=True)
    ]
    heads = [_broken(heading, width) for heading, width in zip(columns, widths, strict=True)]
    widths = [max(width, *map(len, head)) for head, width in zip(heads, widths, strict=True)]
    total = sum(widths) + 2 * len(widths)
    float_name = "table*" if total > _COLUMN else "table"
    size = r"\small" if total <= _PAGE else r"\scriptsize"
    line = _PAGE if total <= _PAGE else max(total, 1.3 * _PAGE)
    formats = [
        rf"p{{{0.95 * width / line:.2f}\linewidth}}" if text > _LONG_CELL and side == "l" else side
        for text, side, width in zip(texts, alignment, widths, strict=True)
    ]
    rules = (r"\toprule", r"\midrule", r"\bottomrule") if booktabs else (r"\hline",) * 3
    lines = [
        *([r"% needs \usepackage{booktabs}"] if booktabs else []),
        rf"\begin{{{float_name}}}[tbp]",
        r"\centering",
        rf"\caption{{{escaped(caption)}}}",
        rf"\label{{tab:{name}}}",
        size,
        rf"\begin{{tabular}}{{{''.join(formats)}}}",
        rules[0],
        " & ".join(map(_stacked, heads, alignment)) + r" \\",
        rules[1],
        *(_row(row) for row in rows),
        rules[2],
        r"\end{tabular}",
    ]
    if notes:
        body = [rf"{escaped(note)}\par" for note in notes]
        width = r"\linewidth"
        lines += [rf"\par\smallskip\begin{{minipage}}{{{width}}}\footnotesize", *body]
        lines += [r"\end{minipage}"]
    return "\n".join([*lines, rf"\end{{{float_name}}}"]) + "\n"


def _row(cells: Sequence[str]) -> str:
    first, *others = map(escaped, cells)
    # A row that starts with a bracket would be read as an argument of the line break before it.
    first = f"{{}}{first}" if first.startswith("[") else first
    return " & ".join([first, *others]) + r" \\"


def _broken(heading: str, width: int) -> list[str]:
    """The lines of a heading, of no more signs than its column has, if its words allow it."""
    if len(heading) <= max(width, _LONG_HEADING):
        return [heading]
    lines: list[str] = []
    for word in heading.split():
        if lines and len(lines[-1]) + 1 + len(word) <= max(width, _LONG_HEADING - 4):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _stacked(lines: Sequence[str], side: str) -> str:
    texts = [escaped(line) for line in lines]
    if len(texts) == 1:
        return texts[0]
    stack = r" \\ ".join(texts)
    return rf"\shortstack[{side}]{{{stack}}}"
