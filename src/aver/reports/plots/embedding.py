"""Deep features of clips laid out in the plane by t-SNE, coloured by emotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError
from aver.reports.plots.style import MARKERS, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def lay_out(features: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Place clips in the plane so that neighbours stay neighbours.

    Source: van der Maaten and Hinton, JMLR 9, 2008 (t-SNE); MRPN, Figure 5.

    Parameters
    ----------
    features : np.ndarray [shape=(clips, n)]
    seed : int

    Returns
    -------
    np.ndarray [shape=(clips, 2)]

    Raises
    ------
    SettingsError
        If there are fewer than five clips.
    """
    from sklearn.manifold import TSNE

    if len(features) < 5:
        raise SettingsError(f"t-SNE needs at least 5 clips, not {len(features)}.")
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    perplexity = min(30.0, (len(features) - 1) / 4)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(scaled)


def plot_embeddings(
    places: Mapping[str, tuple[np.ndarray, Sequence[str]]], classes: Sequence[str], *, title: str
) -> Figure:
    """Draw one panel per modality.

    Parameters
    ----------
    places : mapping of str to (np.ndarray [shape=(clips, 2)], sequence of str)
        Per panel the clips' places and true classes.
    classes : sequence of str
        Order of the legend.
    title : str
    """
    with new_figure(3.1 * len(places) + 0.4, 4.1) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(places)))
        for axes, (name, (points, labels)) in zip(panels, places.items(), strict=True):
            for index, label in enumerate(classes):
                chosen = np.array([found == label for found in labels])
                axes.scatter(
                    *points[chosen].T,
                    s=20,
                    color=PALETTE[index % len(PALETTE)],
                    marker=MARKERS[index % len(MARKERS)],
                    alpha=0.8,
                    linewidths=0,
                    label=label if axes is panels[0] else None,
                )
            axes.set_title(name)
            axes.set_xticks([])
            axes.set_yticks([])
        figure.legend(loc="outside lower left", ncols=min(len(classes), 8), fontsize=9)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, wrap=True)
    return figure
