"""Deep features of one fold's test clips, laid out by t-SNE, where the system gives any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aver.evaluation.fold_run import read_fold
from aver.reports.embedding_report import panel_of
from aver.reports.plots.embedding import plot_embeddings
from aver.reports.reported_run import ReportedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST_CLIPS = 5
_MOST_PANELS = 4


def plot_deep_features(run: ReportedRun) -> Figure | None:
    """Draw one panel per modality, and one of the fused features.

    Networks of different folds have features of their own, so one fold is shown: the first.

    Parameters
    ----------
    run : ReportedRun

    Returns
    -------
    Figure or None
        None for systems without deep features, or with too few clips in the fold.
    """
    evaluation = run.evaluation
    seed, fold = evaluation.seeds.min(), evaluation.folds.min()
    folder = run.folder / "folds" / f"seed-{seed}" / f"fold-{fold:02d}"
    if not (folder / "predictions.safetensors").exists():
        return None
    prediction = read_fold(folder)
    names = [
        name
        for name, features in prediction.embeddings.items()
        if (~np.isnan(features).any(axis=1)).sum() >= _LEAST_CLIPS
    ]
    if not names:
        return None
    ordered = sorted(names, key=lambda name: name == "fused")[-_MOST_PANELS:]
    panels = {name: panel_of(evaluation, prediction, name) for name in ordered}
    title = f"Deep features of the test clips of fold {fold}, seed {seed}"
    return plot_embeddings(panels, evaluation.classes, title=title)
