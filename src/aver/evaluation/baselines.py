"""Baselines on the same folds: what a result must be better than to mean anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from aver.evaluation.combine import fuse_late
from aver.evaluation.evaluation_folder import save_evaluation
from aver.evaluation.experiment import Experiment, ExperimentResult, run_experiment
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset

BaselineChoice = Literal["all", "quick", "none"]

QUICK = ("majority", "statistics-logistic", "statistics-svm")
"""Presets of baselines that take seconds."""


def run_baselines(
    experiment: Experiment,
    folder: Path,
    choice: BaselineChoice = "all",
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
) -> tuple[ExperimentResult, ...]:
    """Run the baselines of an experiment on its own folds and seeds.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Each baseline gets a run folder below.
    choice : {"all", "quick", "none"}
        ``"quick"``: majority class, statistics with logistic regression and with an SVM on the
        same modalities. ``"all"``: also the system with each modality alone, and the mean of those
        probabilities (late fusion), where it has several modalities.
    store, workers
        As for `run_experiment`.

    Returns
    -------
    tuple of ExperimentResult
    """
    if choice == "none":
        return ()
    senses = branches_by_sense(experiment.preset, experiment.overrides)
    experiment = replace(experiment, is_baseline=True)
    results = [
        run_experiment(
            replace(
                experiment,
                preset=preset,
                overrides={} if preset == "majority" else {"modalities": list(senses)},
                name=preset,
                seeds=experiment.seeds[:1],  # none of them draws anything at random
                leaking=False,
            ),
            folder / preset,
            store=store,
            workers=workers,
        )
        for preset in QUICK
    ]
    if choice == "all" and len(senses) > 1 and _chooses_modalities(experiment):
        alone = [
            run_experiment(
                replace(
                    experiment,
                    overrides={**experiment.overrides, "modalities": list(branches)},
                    name=f"{experiment.title}, {sense} only",
                    leaking=False,
                ),
                folder / f"{sense}-only",
                store=store,
                workers=workers,
            )
            for sense, branches in senses.items()
        ]
        results += [*alone, _late_fusion(experiment, alone, folder / "late-fusion")]
    return tuple(results)


def branches_by_sense(preset: str, overrides: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The modalities of a system, grouped by what they are taken from.

    Two branches may read the same sense: a network on spectrograms and statistics of the sound.

    Returns
    -------
    dict of str to tuple of str
        ``"video"``, ``"audio"``, ``"action_units"`` to names in the system's ``features``; a system
        that looks at nothing stands beside others on sound.
    """
    kind, settings = load_preset(preset, overrides)
    senses: dict[str, tuple[str, ...]] = {}
    for branch, feature in kind(settings, FeatureStore()).features.items():
        senses[feature.modality] = (*senses.get(feature.modality, ()), branch)
    return senses or {"audio": ("audio",)}


def _chooses_modalities(experiment: Experiment) -> bool:
    """Whether the system can do with one modality of several; spiking networks cannot choose."""
    _, settings = load_preset(experiment.preset, experiment.overrides)
    return any(entry.name == "modalities" for entry in fields(settings))


def _late_fusion(
    experiment: Experiment, alone: list[ExperimentResult], folder: Path
) -> ExperimentResult:
    fused = fuse_late([result.evaluation for result in alone], f"{experiment.title}, late fusion")
    save_evaluation(fused, folder)
    return ExperimentResult(fused, folder, ())
