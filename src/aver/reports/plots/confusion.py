"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aver.reports.plots.style import INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_confusion(matrix: np.ndarray, classes: Sequence[str], *, title: str) -> Figure:
    """Draw a confusion matrix: rows true, columns answered, shares of the row in percent.

    Parameters
    ----------
    matrix : np.ndarray [shape=(classes, classes)]
        Clips.
    classes : sequence of str
    title : str
    """
    from matplotlib.colors import LinearSegmentedColormap

    totals = matrix.sum(axis=1, keepdims=True)
    shares = 100 * matrix / np.where(totals > 0, totals, 1)
    count = len(classes)
    with new_figure(2.2 + 0.62 * count, 1.6 + 0.55 * count) as figure:
        axes = figure.add_subplot()
        # One hue from white to dark blue: darker is more, also in grey and for any colour vision.
        blues = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#9ecae1", "#08306b"])
        edges = np.arange(count + 1) - 0.5
        # Cells are drawn as shapes and not as a picture, so that the SVG stays sharp and small.
        axes.pcolormesh(
            edges, edges, shares, cmap=blues, vmin=0, vmax=100, edgecolors=INK, linewidth=0.4
        )
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_ylim(count - 0.5, -0.5)
        for row in range(count):
            for column in range(count):
                share = shares[row, column]
                axes.text(
                    column,
                    row,
                    f"{share:.0f}",
                    ha="center",
                    va="center",
                    color=_readable_on(blues(share / 100)),
                    fontweight="bold" if row == column else "normal",
                )
        labels = [
            f"{label} ({round(float(n))})" for label, n in zip(classes, totals[:, 0], strict=True)
        ]
        axes.set_xticks(range(count), list(classes), rotation=40, ha="right")
        axes.set_yticks(range(count), labels)
        axes.grid(visible=False)
        axes.set_xlabel("answered")
        axes.set_ylabel("true (clips)")
        axes.set_title(title, wrap=True)
    return figure


def _readable_on(paper: tuple[float, ...]) -> str:
    """Black or white, whichever stands out more (relative luminance of WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in paper[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"
