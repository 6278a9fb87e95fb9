"""Baselines on the folds of an experiment: majority, functionals, one modality, late fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from aver.evaluation.combine import fuse_late
from aver.evaluation.evaluation_folder import save_evaluation
from aver.evaluation.experiment import Experiment, ExperimentResult, run_experiment
from aver.features.feature import Feature
from aver.features.store import FeatureStore
from aver.models.baselines.functionals import FEATURE_NAMES

BaselineChoice = Literal["all", "quick", "none"]

QUICK = ("majority", "statistics-logistic", "statistics-svm")
"""Presets of baselines that take seconds."""


def run_baselines(
    experiment: Experiment,
    folder: Path,
    choice: BaselineChoice = "all",
    *,
    beside: Sequence[ExperimentResult] = (),
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
        ``"quick"``: majority class, and functionals of the same modalities with logistic regression
        and with an SVM, if there are functionals of them. ``"all"``: for a system with several
        modalities also the system with each modality alone, and the mean of their probabilities
        (late fusion).
    beside : sequence of ExperimentResult
        Systems that have run already. A baseline that is one of them does not run again: it would
        be compared with itself, and count in the correction for the number of comparisons.
    store, workers
        As for `run_experiment`.

    Returns
    -------
    tuple of ExperimentResult
    """
    if choice == "none":
        return ()
    branches = branches_by_modality(experiment.recognizer.features)

    def run(baseline: str, **changes: object) -> ExperimentResult:
        other = experiment.beside(**changes, leaking=False, is_baseline=True)
        for result in beside:
            if result.experiment is not None and other.is_same_system(result.experiment):
                return result
        return run_experiment(other, folder / baseline, store=store, workers=workers)

    known = [modality for modality in branches if modality in FEATURE_NAMES]
    overrides = {preset: {} if preset == "majority" else {"modalities": known} for preset in QUICK}
    results = [
        run(
            preset,
            preset=preset,
            overrides=changes,
            name=preset,
            seeds=experiment.seeds[:1],  # none of them depends on the seed
        )
        for preset, changes in overrides.items()
        if known or preset == "majority"
    ]
    can_choose = experiment.recognizer.can_choose_modalities()
    if choice == "all" and len(branches) > 1 and can_choose:
        unimodal = [
            run(
                f"{modality}-only",
                overrides={**experiment.overrides, "modalities": list(names)},
                name=f"{experiment.title}, {modality} only",
            )
            for modality, names in branches.items()
        ]
        title = f"{experiment.title}, late fusion"
        fused = fuse_late([result.evaluation for result in unimodal], title)
        save_evaluation(fused, folder / "late-fusion")
        results += [*unimodal, ExperimentResult(fused, folder / "late-fusion", ())]
    return tuple(result for result in results if result not in beside)


def branches_by_modality(features: Mapping[str, Feature]) -> dict[str, tuple[str, ...]]:
    """The branches of a system, grouped by the modality that they read.

    Two branches may read the same modality, for instance a network on spectrograms and functionals
    of the audio.

    Parameters
    ----------
    features : mapping of str to Feature
        Of a recognizer, by branch.

    Returns
    -------
    dict of str to tuple of str
        ``"video"``, ``"audio"``, ``"action_units"`` to names of branches. A system without features
        is compared with others on audio.
    """
    branches: dict[str, tuple[str, ...]] = {}
    for branch, feature in features.items():
        branches[feature.modality] = (*branches.get(feature.modality, ()), branch)
    return branches or {"audio": ("audio",)}
