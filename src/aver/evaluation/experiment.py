"""`Experiment`: one system on one split, all folds and seeds; the only way results come about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aver.audit import AuditReport, audit_split
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SettingsError
from aver.evaluation.evaluation import Evaluation, TargetPredictions
from aver.evaluation.evaluation_folder import save_evaluation
from aver.evaluation.fold_run import (
    FoldRun,
    check_run_folder,
    read_fold,
    remarks_of,
    run_fold,
    write_settings,
)
from aver.evaluation.pretrained_leaks import describe_weights, pretrained_leaks
from aver.execution.files import write_json
from aver.execution.tasks import map_tasks
from aver.features.speaker_adaptation import ADAPTED, check_adaptable
from aver.features.store import Failure, FeatureStore
from aver.models.base.prediction import Prediction
from aver.models.base.presets import load_preset
from aver.models.data.targets import Target
from aver.settings import settings_to_mapping
from aver.splits.split import Fold, Split, save_split

ADAPTED_TITLE = "adapted to speakers"
"""What the title of a run says whose features are on each speaker's own scale."""


@dataclass(frozen=True)
class Experiment:
    """What is to be evaluated.

    Parameters
    ----------
    corpus : Corpus
        With every clip labelled.
    split : Split
        Of that corpus.
    preset : str
        Name or path of a preset.
    overrides : mapping
        Settings that replace the preset's, by dotted key.
    seeds : tuple of int
        Every fold is fitted once per seed.
    name : str
        What to call the system in tables; default the preset and its overrides.
    leaking : bool
        Run the system's own leaking protocol, where it has one; others are fitted as ever.
    command : str
        The command line that repeats the run, for the record.
    adapt : {"", "speaker"}
        ``"speaker"``: features are brought to each speaker's own scale by all of the speaker's
        clips, without labels; see `aver.features.speaker_adaptation`. Title and protocol say so.
    fold_numbers : tuple of int
        Numbers of the split's folds, where it is a part of a larger one; default 0, 1, ...
    is_baseline : bool
        It stands beside an adapted system. Where adaptation changes nothing that it reads, it runs
        all the same, with a remark.
    """

    corpus: Corpus
    split: Split
    preset: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    name: str = ""
    leaking: bool = False
    command: str = ""
    adapt: str = ""
    fold_numbers: tuple[int, ...] = ()
    is_baseline: bool = False

    def __post_init__(self) -> None:
        if self.adapt not in ("", "speaker"):
            raise SettingsError(
                f"There is no adaptation {self.adapt!r}. Use 'speaker', or none at all."
            )

    @property
    def title(self) -> str:
        """Name for tables; many changed settings are counted, the run folder names them."""
        changes = ", ".join(f"{key}={_words(value)}" for key, value in self.overrides.items())
        if len(changes) > 40:
            changes = f"{len(self.overrides)} settings changed"
        title = self.name or (f"{self.preset} ({changes})" if changes else self.preset)
        return title if not self.adapt or ADAPTED_TITLE in title else f"{title}, {ADAPTED_TITLE}"

    @cached_property
    def leaks(self) -> tuple[str, ...]:
        """What training and test share, as sentences.

        By the split's own account and by the audit's, by the system's, and by its weights'.
        """
        kind, settings = load_preset(self.preset, self.overrides)
        weights = kind(settings, FeatureStore()).pretrained_weights
        known = pretrained_leaks(weights, self.corpus, self.split)
        own = kind.protocol_leaks if self.leaks_by_itself else ()
        return (*self.split.leaks, *self.audit.undeclared, *own, *known)

    @property
    def leaks_by_itself(self) -> bool:
        """Whether the system's own leaking protocol is run: it is asked for, and there is one."""
        kind, _ = load_preset(self.preset, self.overrides)
        return self.leaking and bool(kind.protocol_leaks)

    @cached_property
    def audit(self) -> AuditReport:
        """Of the split, by names: what stands before every training."""
        return audit_split(self.split, self.corpus)

    @property
    def protocol(self) -> str:
        """Name of the protocol, for tables."""
        adapted = f", {ADAPTED}" if self.adapt else ""
        return f"{'LEAKS' if self.leaks else 'clean'}{adapted}: {self.split.rule}"


@dataclass(frozen=True)
class ExperimentResult:
    """The evaluation, its folder, and the clips that could not be used."""

    evaluation: Evaluation
    folder: Path
    failures: tuple[Failure, ...]


def run_experiment(
    experiment: Experiment,
    folder: Path,
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
    strict: bool = False,
) -> ExperimentResult:
    """Extract, fit and test every fold and seed; folds finished before are not run again.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Run folder: ``settings.yaml``, ``split.json``, ``environment.json``, ``folds/``,
        ``evaluation.json``, ``predictions.csv``.
    store : FeatureStore, optional
        Default: the user's cache.
    workers : int >= 1
        Processes; results do not depend on it.
    strict : bool
        Make a clip whose features cannot be computed an error.

    Returns
    -------
    ExperimentResult

    Raises
    ------
    MediaError
        With `strict`, for the first clip that cannot be used.
    LabelError
        If a clip that the split names has no label.
    SettingsError
        If the folder holds another run; it is then left as it was. If speakers are to be adapted
        to, and nothing that the preset reads can be.
    TrainingInterrupted
        After Ctrl-C; running the same experiment again goes on.
    """
    store = store or FeatureStore()
    clips = _labelled_clips(experiment)
    kind, settings = load_preset(experiment.preset, experiment.overrides)
    features = list(kind(settings, store).features.values())
    if experiment.adapt and not experiment.is_baseline:
        check_adaptable(features)
    prepared = store.prepare(clips, features, workers=workers)
    if strict and prepared.failures:
        first = prepared.failures[0]
        raise MediaError(f"Clip {first.clip.clip_id} cannot be used: {first.reason}")
    about = _about(experiment)
    tasks = _tasks(
        experiment, about, {clip.clip_id: clip for clip in prepared.clips}, folder, store
    )
    check_run_folder(folder, tasks)
    save_split(experiment.split, folder / "split.json")
    write_settings(
        folder,
        _plan(experiment, settings, prepared.failures, tasks),
        command=experiment.command,
        split_hash=experiment.split.hash,
    )
    write_json(folder / "audit.json", experiment.audit.as_json())
    fold_folders: list[Path] = []
    description = f"Folds of {experiment.title}"
    for outcome in map_tasks(run_fold, tasks, workers=workers, description=description):
        if outcome.error is not None:
            raise outcome.error
        assert outcome.value is not None
        fold_folders.append(outcome.value)
    evaluation = pool_folds(experiment, tasks, fold_folders, about)
    save_evaluation(evaluation, folder)
    return ExperimentResult(evaluation, folder, prepared.failures)


def _labelled_clips(experiment: Experiment) -> list[Clip]:
    used = sorted({clip_id for fold in experiment.split.folds for clip_id in _ids(fold)})
    clips = experiment.corpus.select(used)
    for clip in clips:
        if clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} has no emotion. Leave it out of the split, or label it."
            )
    return clips


def _ids(fold: Fold) -> tuple[str, ...]:
    return fold.train + fold.validation + fold.test


def _tasks(
    experiment: Experiment,
    about: Mapping[str, Any],
    usable: Mapping[str, Clip],
    folder: Path,
    store: FeatureStore,
) -> list[FoldRun]:
    def present(clip_ids: tuple[str, ...]) -> tuple[Clip, ...]:
        return tuple(usable[clip_id] for clip_id in clip_ids if clip_id in usable)

    numbers = experiment.fold_numbers or range(len(experiment.split.folds))
    return [
        FoldRun(
            preset=experiment.preset,
            overrides=dict(experiment.overrides),
            train=present(fold.train),
            validation=present(fold.validation),
            test=present(fold.test),
            seed=seed,
            fold=number,
            folder=folder / "folds" / f"seed-{seed}" / f"fold-{number:02d}",
            cache=store.root,
            leaking=experiment.leaks_by_itself,
            adapt=experiment.adapt,
            about=about,
        )
        for seed in experiment.seeds
        for number, fold in zip(numbers, experiment.split.folds, strict=True)
        if present(fold.test)
    ]


def _words(value: Any) -> str:
    """A setting as tables show it: of a list, the items alone."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _about(experiment: Experiment) -> dict[str, Any]:
    """What report and model card say about corpus and protocol."""
    info = experiment.corpus.info
    kind, settings = load_preset(experiment.preset, experiment.overrides)
    pretrained = describe_weights(kind(settings, FeatureStore()).pretrained_weights)
    return {
        "corpus": experiment.corpus.name,
        "corpus_title": info.title if info else experiment.corpus.label,
        "license": info.license if info else "not stated",
        "protocol": experiment.protocol,
        "leaks": list(experiment.leaks),
        "audit": experiment.audit.verdict,
        "split_rule": experiment.split.rule,
        "split_hash": experiment.split.hash,
        **({"pretrained": pretrained} if pretrained else {}),
        **({"adapt": experiment.adapt, "adaptation": ADAPTED} if experiment.adapt else {}),
    }


def _plan(
    experiment: Experiment, settings: Any, failures: Sequence[Failure], tasks: Sequence[FoldRun]
) -> dict[str, Any]:
    return {
        "system": experiment.title,
        "preset": experiment.preset,
        "overrides": dict(experiment.overrides),
        "settings": settings_to_mapping(settings),
        "corpus": experiment.corpus.name,
        "corpus_root": str(experiment.corpus.root),
        "classes": list(experiment.corpus.classes),
        "split_rule": experiment.split.rule,
        "leaks": [leak for leak in experiment.leaks if leak not in experiment.audit.undeclared],
        **({"adapt": experiment.adapt} if experiment.adapt else {}),
        "seeds": list(experiment.seeds),
        "remarks": remarks_of(tasks),
        "unusable_clips": {failure.clip.clip_id: failure.reason for failure in failures},
    }


def pool_folds(
    experiment: Experiment,
    tasks: Sequence[FoldRun],
    folders: Sequence[Path],
    about: Mapping[str, Any],
) -> Evaluation:
    """Put the test answers of every fold and seed under each other.

    Parameters
    ----------
    experiment : Experiment
    tasks : sequence of FoldRun
    folders : sequence of Path
        Of the finished tasks, in the same order.
    about : mapping of str to JSON value
        What the report says about corpus and protocol.

    Returns
    -------
    Evaluation
        Classes are those of the corpus; a class that a fold's training lacked has probability 0
        there, and so has an output of another target.
    """
    classes = experiment.corpus.classes
    facts = [json.loads((folder / "fold.json").read_text(encoding="utf-8")) for folder in folders]
    predictions = [read_fold(folder) for folder in folders]
    clips = [clip for task in tasks for clip in task.test]
    return Evaluation.from_arrays(
        system=experiment.title,
        corpus=experiment.corpus.label,
        protocol=experiment.protocol,
        classes=classes,
        clip_ids=tuple(clip.clip_id for clip in clips),
        speakers=tuple(clip.speaker or clip.clip_id for clip in clips),
        sexes=tuple(clip.sex for clip in clips),
        folds=np.concatenate([np.full(len(task.test), task.fold) for task in tasks]),
        seeds=np.concatenate([np.full(len(task.test), task.seed) for task in tasks]),
        truth=tuple(str(clip.emotion) for clip in clips),
        probabilities=np.concatenate([_columns(p.probabilities, p, classes) for p in predictions]),
        by_modality=_by_modality(predictions, classes),
        flags=tuple(flags for p in predictions for flags in p.flags or ((),) * len(p.clip_ids)),
        targets=_targets(predictions, clips),
        leaks=experiment.leaks,
        training_s=sum(fact["fit_s"] for fact in facts),
        prediction_s=sum(fact["predict_s"] for fact in facts),
        parameters=facts[0]["card"].get("parameters"),
        facts={**about, **_facts(experiment), "remarks": remarks_of(tasks)},
    )


def _columns(values: np.ndarray, prediction: Prediction, classes: tuple[str, ...]) -> np.ndarray:
    """Columns in the order of `classes`."""
    ordered = np.zeros((len(values), len(classes)))
    for column, name in enumerate(prediction.classes):
        ordered[:, classes.index(name)] = values[:, column]
    ordered[np.isnan(values).any(axis=1)] = np.nan
    return ordered


def _by_modality(
    predictions: Sequence[Prediction], classes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    names = list(dict.fromkeys(name for p in predictions for name in p.by_modality))
    return {
        name: np.concatenate(
            [
                _columns(p.by_modality[name], p, classes)
                if name in p.by_modality
                else np.full((len(p.clip_ids), len(classes)), np.nan)
                for p in predictions
            ]
        )
        for name in names
    }


def _targets(
    predictions: Sequence[Prediction], clips: Sequence[Clip]
) -> dict[str, TargetPredictions]:
    pooled: dict[str, TargetPredictions] = {}
    for name in dict.fromkeys(name for p in predictions for name in p.other_outputs):
        target = _pooled_target(name, predictions)
        rows = np.concatenate([_target_columns(p, target) for p in predictions])
        truth = _truth(target, clips)
        truth[np.isnan(rows).any(axis=1)] = np.nan  # not asked, so not to be counted
        pooled[name] = TargetPredictions(
            kind="regression" if target.regression else "classification",
            outputs=target.outputs,
            truth=truth,
            predictions=rows,
        )
    return pooled


def _pooled_target(name: str, predictions: Sequence[Prediction]) -> Target:
    """The target with the outputs of all folds, of which each fold's training may lack some."""
    outputs = {output for p in predictions for output in p.other_outputs.get(name, ())}
    regression = Target(name, ()).regression
    return Target(name, in_canonical_order(outputs) if regression else tuple(sorted(outputs)))


def _target_columns(prediction: Prediction, target: Target) -> np.ndarray:
    """Answers in the target's columns: 0 for outputs that training lacked, NaN if not asked."""
    shape = (len(prediction.clip_ids), len(target.outputs))
    if target.name not in prediction.other_outputs:
        return np.full(shape, np.nan)
    ordered = np.zeros(shape)
    for column, output in enumerate(prediction.other_outputs[target.name]):
        ordered[:, target.outputs.index(output)] = prediction.other_targets[target.name][:, column]
    return ordered


def _truth(target: Target, clips: Sequence[Clip]) -> np.ndarray:
    """Labels as an evaluation keeps them: columns per output, NaN where unknown."""
    labels = target.labels(clips).numpy()
    if target.regression:
        return labels
    columns = np.eye(len(target.outputs))[labels]
    columns[labels < 0] = np.nan
    return columns


def _facts(experiment: Experiment) -> Mapping[str, Any]:
    return {
        "preset": experiment.preset,
        "overrides": dict(experiment.overrides),
        "command": experiment.command,
    }
