"""Rows of pictures over time: what augmentation does to a clip's frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError
from aver.reports.plots.style import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_strips(strips: Mapping[str, np.ndarray], *, columns: int, title: str) -> Figure:
    """Draw one row of frames per strip; places without a frame stay empty.

    Parameters
    ----------
    strips : mapping of str to np.ndarray [shape=(frames, height, width, 3)]
        Colours in [0, 1]; frames of NaN are left out.
    columns : int >= 1
        Frames shown per row, evenly spread.
    title : str

    Raises
    ------
    SettingsError
        If a strip has no frame.
    """
    for name, frames in strips.items():
        if len(frames) == 0:
            raise SettingsError(f"The strip {name!r} has no frame to show.")
    with new_figure(0.95 * columns + 0.4, 1.3 * len(strips) + 0.4) as figure:
        grid = np.atleast_2d(figure.subplots(len(strips), columns, squeeze=False))
        for row, (name, frames) in zip(grid, strips.items(), strict=True):
            shown = np.linspace(0, len(frames) - 1, columns).round().astype(int)
            for axes, index in zip(row, shown, strict=True):
                axes.set_axis_off()
                if not np.isnan(frames[index]).any():
                    axes.imshow(np.clip(frames[index], 0, 1))
                # Room above every row, which a long name in the first column must not widen.
                axes.set_title(" ", fontsize=9)
            row[0].text(0, 1.06, name, fontsize=9, transform=row[0].transAxes).set_in_layout(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, wrap=True)
    return figure
