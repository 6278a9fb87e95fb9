"""Deep features of one fold's test clips, laid out by t-SNE, where the system gives any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_run import read_fold
from aver.evaluation.reproduce import RunCache, RunRequest
from aver.evaluation.reproduction import Reproduction
from aver.models.base.prediction import Prediction
from aver.reports.plots.clips import lay_out, plot_embeddings
from aver.reports.plots.style import save_figure
from aver.reports.reported_run import ReportedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_embeddings(
    reproduction: Reproduction, number: str, shelf: RunCache, folder: Path, *, corpus_key: str
) -> tuple[Path, Path]:
    """Make the runs that are missing, lay the deep features out by t-SNE, draw them.

    Networks of different folds have features of their own, so one fold is shown: the first.

    Parameters
    ----------
    reproduction : Reproduction
    number : str
        Of the figure.
    shelf : RunCache
        Shared with the tables: runs that they made are not made again.
    folder : Path
    corpus_key : str

    Returns
    -------
    tuple of Path
        PNG and SVG.

    Raises
    ------
    SettingsError
        If there is no such figure, or a run kept no deep features.
    """
    plan = reproduction.embeddings(number)
    seed = reproduction.settings.seeds[0]
    panels = {}
    classes: tuple[str, ...] = ()
    for label, (system, name) in plan.panels.items():
        request = RunRequest(system, plan.protocol, seed, corpus_key)
        run = shelf.get(request)
        classes = run.classes
        fold = shelf.run(request).folder / "folds" / f"seed-{seed}" / "fold-00"
        panels[label] = panel_of(run, read_fold(fold), name)
    title = f"{reproduction.name}, Figure {number}: {plan.title}"
    figure = plot_embeddings(panels, classes, title=title)
    return save_figure(figure, folder / f"{reproduction.name}-figure-{number}")


def panel_of(
    run: Evaluation, prediction: Prediction, name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Places in the plane, and true classes, of the clips that have these deep features.

    Raises
    ------
    SettingsError
        If the run kept none of this name, or of fewer than five clips.
    """
    features = prediction.embeddings.get(name)
    if features is None:
        raise SettingsError(
            f"{run.system} kept no deep features named {name!r}. "
            f"It has: {', '.join(prediction.embeddings) or 'none'}."
        )
    truth = dict(zip(run.clip_ids, run.truth, strict=True))
    known = ~np.isnan(features).any(axis=1)
    labels = [truth[clip_id] for clip_id in prediction.clip_ids]
    kept = tuple(label for label, keep in zip(labels, known, strict=True) if keep)
    return lay_out(features[known]), kept


_MIN_CLIPS = 5
_MAX_PANELS = 4


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
        if (~np.isnan(features).any(axis=1)).sum() >= _MIN_CLIPS
    ]
    if not names:
        return None
    ordered = sorted(names, key=lambda name: name == "fused")[-_MAX_PANELS:]
    panels = {name: panel_of(evaluation, prediction, name) for name in ordered}
    title = f"Deep features of the test clips of fold {fold}, seed {seed}"
    return plot_embeddings(panels, evaluation.classes, title=title)
