"""`Experiment`: one system on one split with all folds and seeds, run and pooled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from aver.audit import AuditReport, audit_split
from aver.corpora.clip import Clip
from aver.corpora.combine import part_of
from aver.corpora.corpus import Corpus
from aver.errors import LabelError, MediaError, SettingsError
from aver.evaluation.combine import FoldPredictions, concatenate_folds
from aver.evaluation.cross_corpus import check_apart, check_modalities, corpora_facts
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import save_evaluation
from aver.evaluation.fold_run import (
    DONE_NAME,
    FoldRun,
    check_run_folder,
    fold_folder,
    read_fold,
    remarks_of,
    run_fold,
)
from aver.evaluation.pretrained_leaks import describe_weights, pretrained_leaks
from aver.evaluation.run import describe_environment
from aver.execution.clip_work import reading
from aver.execution.documents import read_json
from aver.execution.files import write_json, write_text
from aver.execution.folder_lock import writes_alone
from aver.execution.tasks import map_tasks
from aver.features.speaker_adaptation import ADAPTED, check_adaptable
from aver.features.store import Failure, FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import Recognizer
from aver.settings import settings_to_mapping
from aver.splits.split import Fold, Split, save_split
from aver.training.history import remarks_on_trainings

ADAPTED_TITLE = "adapted to speakers"
"""Added to the title of a run with speaker adaptation."""


@dataclass(frozen=True)
class Experiment:
    """What is evaluated, and how.

    Parameters
    ----------
    corpus : Corpus
        All clips labeled.
    split : Split
        Of that corpus.
    preset : str
        Name or path of a preset.
    overrides : mapping
        Settings that replace the preset's, by dotted key.
    seeds : tuple of int
        Every fold is fitted once per seed.
    name : str
        Name of the system in tables; default the preset and its overrides.
    leaking : bool
        Run the system's own leaking protocol, if it has one; other systems are fitted as usual.
    command : str
        The command line that repeats the run, for the record.
    adapt : {"", "speaker"}
        ``"speaker"``: normalize features by all of a speaker's clips, without labels; see
        `aver.features.speaker_adaptation`. Title and protocol say so.
    fold_numbers : tuple of int
        Numbers of the folds, if the split is a part of a larger one; default 0, 1, ...
    is_baseline : bool
        A baseline of an adapted system also runs if adaptation changes none of its features, with
        a remark; otherwise that is an error.
    corpus_title : str
        Name of the corpus in tables; default the name that aver has for it.
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
    corpus_title: str = ""

    def __post_init__(self) -> None:
        if self.adapt not in ("", "speaker"):
            raise SettingsError(f"There is no adaptation {self.adapt!r}. Use 'speaker', or none.")
        if not self.seeds:
            raise SettingsError("A run needs at least one seed.")

    def beside(self, **changes: Any) -> Experiment:
        """Another system on the same corpus and split, which are not audited again."""
        other = replace(self, **changes)
        other.__dict__["audit"] = self.audit
        return other

    @cached_property
    def recognizer(self) -> Recognizer:
        """The recognizer, untrained: for what it declares."""
        model, settings = load_preset(self.preset, self.overrides)
        return model(settings, FeatureStore())

    def is_same_system(self, other: Experiment) -> bool:
        """Whether both fit the same recognizer with the same settings in the same way."""

        def system(one: Experiment) -> tuple[object, ...]:
            recognizer = one.recognizer
            return type(recognizer), recognizer.settings, one.adapt, one.runs_leaking_protocol

        return system(self) == system(other)

    @property
    def title(self) -> str:
        """Name for tables, with the settings that were changed; long values are shortened."""
        keys = _short_keys(self.overrides)
        changes = ", ".join(f"{keys[key]}={_shown(v)}" for key, v in self.overrides.items())
        preset = Path(self.preset).stem if self.preset.endswith(".yaml") else self.preset
        title = self.name or (f"{preset} ({changes})" if changes else preset)
        return title if not self.adapt or ADAPTED_TITLE in title else f"{title}, {ADAPTED_TITLE}"

    @cached_property
    def audit(self) -> AuditReport:
        """Audit of the split by names and metadata, before every training."""
        return audit_split(self.split, self.corpus)

    @cached_property
    def leaks(self) -> tuple[str, ...]:
        """What training and test share, in whole sentences.

        As the split declares, as the audit found, as the system declares, and through pretrained
        weights.
        """
        pretrained = pretrained_leaks(self.recognizer.pretrained_weights, self.corpus, self.split)
        own = self.recognizer.protocol_leaks if self.runs_leaking_protocol else ()
        return (*self.split.leaks, *self.audit.undeclared, *own, *pretrained)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Which of several corpora lack a modality; see `check_modalities`."""
        if not self.corpus.parts:
            return ()
        features = list(self.recognizer.features.values())
        return check_modalities(self.title, features, self.corpus, self.split)

    @property
    def numbers(self) -> Sequence[int]:
        """Number of each fold."""
        return self.fold_numbers or range(len(self.split.folds))

    @property
    def runs_leaking_protocol(self) -> bool:
        """Whether the system's own leaking protocol is requested and exists."""
        return self.leaking and bool(self.recognizer.protocol_leaks)

    @property
    def protocol(self) -> str:
        """Name of the protocol, for tables."""
        adapted = f", {ADAPTED}" if self.adapt else ""
        return f"{'LEAKS' if self.leaks else 'clean'}{adapted}: {self.split.rule}"

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What model cards and reports say about corpus, protocol and weights."""
        info = self.corpus.info
        weights = describe_weights(self.recognizer.pretrained_weights)
        return {
            "corpus": self.corpus.name,
            "corpus_title": self.corpus_title or (info.title if info else self.corpus.label),
            **({"corpus_shown": self.corpus_title} if self.corpus_title else {}),
            "license": info.license if info else "not stated",
            "protocol": self.protocol,
            "leaks": list(self.leaks),
            "audit": self.audit.verdict,
            "split_rule": self.split.rule,
            "split_hash": self.split.hash,
            **(
                {"corpora": corpora_facts(self.corpus, self.split, self.numbers)}
                if self.corpus.parts
                else {}
            ),
            **({"pretrained": weights} if weights else {}),
            **({"adapt": self.adapt, "adaptation": ADAPTED} if self.adapt else {}),
        }


_MAX_SHOWN = 24
"""Signs of a setting in a title."""


def _shown(value: Any) -> str:
    """A setting in a title: of a list, the items alone."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _short_keys(keys: Iterable[str]) -> dict[str, str]:
    """The last word of each dotted key, or the whole key if several end in this word.

    Examples
    --------
    >>> _short_keys(["training.epochs", "video.width", "audio.width"])
    {'training.epochs': 'epochs', 'video.width': 'video.width', 'audio.width': 'audio.width'}
    """
    last = {key: key.rpartition(".")[2] for key in keys}
    counts = Counter(last.values())
    return {key: word if counts[word] == 1 else key for key, word in last.items()}


@dataclass(frozen=True)
class ExperimentResult:
    """The evaluation and how it came about, as reports need it; nothing is read back from disk.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path
        The run folder.
    failures : tuple of Failure
        Clips that could not be used.
    experiment : Experiment or None
        With corpus, split and audit; None for a late fusion of other runs.
    settings : mapping
        The content of ``settings.yaml``.
    folds : tuple of mapping
        The content of every ``fold.json``, in the order of seeds and folds.
    """

    evaluation: Evaluation
    folder: Path
    failures: tuple[Failure, ...]
    experiment: Experiment | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    folds: tuple[Mapping[str, Any], ...] = ()


def run_experiment(
    experiment: Experiment,
    folder: Path,
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
    strict: bool = False,
) -> ExperimentResult:
    """Extract features, fit and test every fold and seed; finished folds are not run again.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Run folder: ``settings.yaml``, ``split.json``, ``audit.json``, ``environment.json``,
        ``folds/``, ``evaluation.json``, ``predictions.csv``.
    store : FeatureStore, optional
        Default: the user's cache.
    workers : int >= 1
        Processes; results do not depend on it.
    strict : bool
        Raise an error for a clip whose features cannot be computed.

    Returns
    -------
    ExperimentResult

    Raises
    ------
    MediaError
        With `strict`, for the first clip that cannot be used.
    LabelError
        If a clip of the split has no label.
    SettingsError
        If the folder holds another run, or another process is writing it; it is then left
        unchanged. If adaptation is requested but
        changes none of the system's features. If joined corpora share files, or no training clip
        has a modality that the system reads.
    TrainingInterrupted
        After Ctrl-C; running the same experiment again resumes.
    """
    store = store or FeatureStore()
    clips = labeled_clips(experiment)
    remarks = list(experiment.remarks)  # refuses, before any work, what cannot be learned
    features = list(experiment.recognizer.features.values())
    if experiment.adapt and not experiment.is_baseline:
        check_adaptable(features)
    prepared = store.prepare(clips, features, workers=workers)
    if strict and prepared.failures:
        first = prepared.failures[0]
        raise MediaError(f"Clip {first.clip.clip_id} cannot be used: {first.reason}")
    content = {
        clip.clip_id: [store.content_key(clip, feature) for feature in features]
        for clip in prepared.clips
    }
    if experiment.corpus.parts:
        check_apart(_by_part(content))
    usable = {clip.clip_id: clip for clip in prepared.clips}
    tasks = _fold_runs(experiment, usable, content, folder, store)
    check_run_folder(folder, tasks)
    with writes_alone(folder):
        remarks += remarks_of(tasks)
        settings = settings_of(experiment, prepared.failures, remarks)
        save_split(experiment.split, folder / "split.json")
        write_text(
            folder / "settings.yaml", yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
        )
        write_json(folder / "environment.json", describe_environment())
        write_json(folder / "audit.json", experiment.audit.as_json())
        description = f"Folds of {experiment.title}"
        for outcome in map_tasks(
            run_fold, tasks, workers=workers, description=description, unit="trainings"
        ):
            if outcome.error is not None:
                raise outcome.error
        with reading(f"A fold below {folder}", SettingsError):
            folds = tuple(read_json(task.folder / DONE_NAME) for task in tasks)
            evaluation = pool_folds(experiment, tasks, folds)
        save_evaluation(evaluation, folder)
        return ExperimentResult(evaluation, folder, prepared.failures, experiment, settings, folds)


def run_systems(
    experiment: Experiment,
    folder: Path,
    presets: Mapping[str, Mapping[str, Any]],
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
) -> tuple[ExperimentResult, ...]:
    """Run further presets on the folds and seeds of an experiment.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Each preset gets a run folder below.
    presets : mapping of str to mapping
        Names or paths of presets to their overrides.
    store, workers
        As for `run_experiment`.

    Returns
    -------
    tuple of ExperimentResult

    Raises
    ------
    SettingsError
        If a preset has the name of another one.
    """
    names = [Path(preset).stem for preset in (experiment.preset, *presets)]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise SettingsError(f"The preset {name!r} is named twice. Name each system once.")
    return tuple(
        run_experiment(
            experiment.beside(preset=preset, overrides=dict(overrides), name=""),
            folder / name,
            store=store,
            workers=workers,
        )
        for name, (preset, overrides) in zip(names[1:], presets.items(), strict=True)
    )


def _by_part(content: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Sequence[str]]]:
    """Content keys by corpus, then by clip."""
    parts: dict[str, dict[str, Sequence[str]]] = {}
    for clip_id, keys in content.items():
        parts.setdefault(part_of(clip_id), {})[clip_id] = keys
    return parts


def labeled_clips(experiment: Experiment) -> list[Clip]:
    """All clips of the split, sorted by id.

    Raises
    ------
    LabelError
        If one has no emotion.
    """
    used = sorted(
        {
            clip_id
            for fold in experiment.split.folds
            for clip_id in fold.train + fold.validation + fold.test
        }
    )
    clips = experiment.corpus.select(used)
    for clip in clips:
        if clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} has no emotion. Leave it out of the split, or label it."
            )
    return clips


def _fold_runs(
    experiment: Experiment,
    usable: Mapping[str, Clip],
    content: Mapping[str, Sequence[str]],
    folder: Path,
    store: FeatureStore,
) -> list[FoldRun]:
    def present(clip_ids: tuple[str, ...]) -> tuple[Clip, ...]:
        return tuple(usable[clip_id] for clip_id in clip_ids if clip_id in usable)

    def fold_run(seed: int, number: int, fold: Fold) -> FoldRun:
        return FoldRun(
            model=type(experiment.recognizer),
            wanted=experiment.recognizer.settings,
            train=present(fold.train),
            validation=present(fold.validation),
            test=present(fold.test),
            seed=seed,
            fold=number,
            folder=fold_folder(folder, seed, number),
            cache=store.root,
            leaking=experiment.runs_leaking_protocol,
            adapt=experiment.adapt,
            about=experiment.facts,
            content=content,
        )

    return [
        fold_run(seed, number, fold)
        for seed in experiment.seeds
        for number, fold in zip(experiment.numbers, experiment.split.folds, strict=True)
        if present(fold.test)
    ]


def settings_of(
    experiment: Experiment, failures: Sequence[Failure], remarks: Sequence[str]
) -> dict[str, Any]:
    """Everything decided before training, for ``settings.yaml``."""
    return {
        "command": experiment.command,
        "split_hash": experiment.split.hash,
        "system": experiment.title,
        "preset": experiment.preset,
        "overrides": dict(experiment.overrides),
        "settings": settings_to_mapping(experiment.recognizer.settings),
        "corpus": experiment.corpus.name,
        "corpus_root": str(experiment.corpus.root),
        **({"corpora": _places(experiment.corpus)} if experiment.corpus.parts else {}),
        "classes": list(experiment.corpus.classes),
        "split_rule": experiment.split.rule,
        "leaks": [leak for leak in experiment.leaks if leak not in experiment.audit.undeclared],
        **({"adapt": experiment.adapt} if experiment.adapt else {}),
        "seeds": list(experiment.seeds),
        "remarks": list(remarks),
        "unusable_clips": {failure.clip.clip_id: failure.reason for failure in failures},
    }


def _places(corpus: Corpus) -> dict[str, dict[str, str]]:
    """Reader and folder of each joined corpus."""
    return {
        name: {"reader": part.name, "root": str(part.root)} for name, part in corpus.parts.items()
    }


def pool_folds(
    experiment: Experiment, tasks: Sequence[FoldRun], folds: Sequence[Mapping[str, Any]]
) -> Evaluation:
    """Concatenate the test predictions of all folds and seeds.

    Parameters
    ----------
    experiment : Experiment
    tasks : sequence of FoldRun
        Finished.
    folds : sequence of mapping
        The records of these tasks, ``fold.json``.

    Returns
    -------
    Evaluation
        Classes are those of the corpus. A class that was missing in a fold's training has
        probability 0 there; so has an output of another target.
    """
    tested = [FoldPredictions(t.test, read_fold(t.folder), t.fold, t.seed) for t in tasks]
    return Evaluation(
        system=experiment.title,
        corpus=experiment.corpus.label,
        protocol=experiment.protocol,
        classes=experiment.corpus.classes,
        **concatenate_folds(tested, experiment.corpus.classes),
        leaks=experiment.leaks,
        training_s=sum(fold["fit_s"] for fold in folds),
        prediction_s=sum(fold["predict_s"] for fold in folds),
        parameters=folds[0]["card"].get("parameters"),
        facts={
            **experiment.facts,
            "preset": experiment.preset,
            "overrides": dict(experiment.overrides),
            "command": experiment.command,
            "remarks": [
                *experiment.remarks,
                *remarks_of(tasks),
                *remarks_on_trainings([fold["card"] for fold in folds]),
            ],
        },
    )
