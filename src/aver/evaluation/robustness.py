"""`measure_robustness`: what the recognisers of a finished run answer when the media get worse."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.modality_conflict import (
    as_adapted,
    fold_recognizers,
    shift_audio,
    tested_clips,
)
from aver.execution.tasks import map_tasks
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import FeatureStore, read_entry, write_entry
from aver.media.degradation import DEGRADATIONS, Degradation, Level
from aver.media.degrade_clip import degrade_clip

FOLDER = "robustness"
"""Below a run folder."""


@dataclass(frozen=True)
class DegradedRuns:
    """A run under one kind of damage.

    Parameters
    ----------
    kind : Degradation
    runs : mapping of float or str to Evaluation
        By level, as given; the same rows as the run without damage.
    """

    kind: Degradation
    runs: Mapping[Level, Evaluation]


def read_robustness(run: Evaluation, folder: Path) -> tuple[DegradedRuns, ...]:
    """What was measured of a run before, in the order of `DEGRADATIONS`; may be empty."""
    found = []
    for kind in DEGRADATIONS:
        runs: dict[Level, Evaluation] = {}
        for place in (folder / FOLDER / kind.name).glob("*/evaluation.json"):
            degraded = load_evaluation(place.parent)
            about = degraded.facts.get("robustness", {})
            if about.get("of") == key_of_run(run):
                runs[about["level"]] = degraded
        if runs:
            ordered = sorted(runs, key=lambda level: (isinstance(level, str), level))
            found.append(DegradedRuns(kind, {level: runs[level] for level in ordered}))
    return tuple(found)


@dataclass(frozen=True)
class DegradedPredictions:
    """Where the answers to one level of one kind of damage lie.

    Parameters
    ----------
    kind : Degradation
    level : float or str
    seed : int
        Of everything drawn.
    of : str
        The run, as `key_of_run` names it.
    """

    kind: Degradation
    level: Level
    seed: int
    of: str

    @property
    def facts(self) -> dict[str, Any]:
        """What an evaluation says of itself that holds these answers."""
        return {"kind": self.kind.name, "level": self.level, "seed": self.seed, "of": self.of}

    def place(self, folder: Path) -> Path:
        """Below the run folder."""
        level = self.level if isinstance(self.level, str) else f"{self.level:g}"
        return folder / FOLDER / self.kind.name / level

    def read(self, folder: Path) -> Evaluation | None:
        """The answers, if they are of this run, level and seed."""
        place = self.place(folder)
        if not (place / "evaluation.json").exists():
            return None
        found = load_evaluation(place)
        return found if found.facts.get("robustness") == self.facts else None

    def write(self, run: Evaluation, folder: Path) -> None:
        """Keep the answers."""
        facts = {**run.facts, "robustness": self.facts}
        save_evaluation(replace(run, facts=facts), self.place(folder))


def key_of_run(run: Evaluation) -> str:
    """Tells runs apart by their answers."""
    rows = [run.clip_ids, run.seeds.tolist(), run.folds.tolist()]
    digest = hashlib.sha256(json.dumps(rows).encode())
    digest.update(np.ascontiguousarray(run.probabilities).tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class DegradedFeatures:
    """Where recognisers find features of clips whose media got worse.

    Worse media are written to a folder of the moment, read by the very features that answers for
    files of one's own are made from, and deleted. What a damage does not touch comes from the
    user's cache.

    Parameters
    ----------
    store : FeatureStore
        For features that are not touched.
    folder : Path
        Where records of this damage are kept; empty before `prepare`.
    kind : Degradation
    level : float or str
    seed : int
    voices : mapping of str to tuple of Path
        By clip, what babble is made of.
    """

    store: FeatureStore
    folder: Path
    kind: Degradation
    level: Level
    seed: int = 0
    voices: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip, after the damage."""
        place = self._place(clip, feature)
        record = read_entry(place) if place.exists() else None
        return self.store.get(clip, feature) if record is None else record

    def prepare(self, clips: Sequence[Clip], features: Sequence[Feature], workers: int = 1) -> None:
        """Damage the clips, and extract what that changes.

        Raises
        ------
        MediaError
            If a clip cannot be read.
        """
        distinct = tuple({feature.key: feature for feature in features}.values())
        level = self.level if isinstance(self.level, str) else f"{self.level:g}"
        outcomes = map_tasks(
            _Damage(self, distinct), clips, workers=workers, description=f"{self.kind.name} {level}"
        )
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error

    def extract(self, clip: Clip, features: Sequence[Feature]) -> None:
        """Damage one clip and keep the features that differ."""
        with TemporaryDirectory(prefix="aver-") as scratch:
            worse = degrade_clip(
                clip,
                self.kind,
                self.level,
                Path(scratch),
                seed=self.seed,
                voices=self.voices.get(clip.clip_id, ()),
            )
            for feature in features:
                if feature.paths(worse) != feature.paths(clip):
                    write_entry(self._place(clip, feature), feature.extract(worse))

    def _place(self, clip: Clip, feature: Feature) -> Path:
        name = hashlib.sha256(f"{feature.name} {feature.key} {clip.clip_id}".encode()).hexdigest()
        return self.folder / f"{name[:32]}.safetensors"


@dataclass(frozen=True)
class _Damage:
    """The task that worker processes run."""

    features: DegradedFeatures
    wanted: tuple[Feature, ...]

    def __call__(self, clip: Clip) -> None:
        self.features.extract(clip, self.wanted)


VOICES = 6
"""Other clips that babble is made of, of other speakers where there are any."""


@dataclass(frozen=True)
class RobustnessPlan:
    """What to measure.

    Parameters
    ----------
    levels : mapping of Degradation to tuple of float or str
        By kind of damage.
    seed : int
        Of everything drawn.
    """

    levels: Mapping[Degradation, tuple[Level, ...]] = field(
        default_factory=lambda: {kind: kind.levels for kind in DEGRADATIONS}
    )
    seed: int = 0


def measure_robustness(
    run: Evaluation,
    folder: Path,
    clips: Sequence[Clip],
    store: FeatureStore,
    plan: RobustnessPlan,
    *,
    workers: int = 1,
) -> tuple[DegradedRuns, ...]:
    """Let the recognisers of a finished run answer again, from worse media.

    Nothing is trained: each fold's checkpoint answers for its own test clips. Answers are kept
    below ``robustness/`` in the run folder, and not asked for twice; features of worse media are
    not kept.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder, with the checkpoints.
    clips : sequence of Clip
        Of the corpus; those that were tested must be among them.
    store : FeatureStore
    plan : RobustnessPlan
    workers : int >= 1
        Processes; they change nothing but the rounding of some features.

    Returns
    -------
    tuple of DegradedRuns
        Kinds that the system can tell: damage to what it does not look at is left out.

    Raises
    ------
    CheckpointError
        If a fold kept no checkpoint, or a tested clip is not among `clips`.
    SettingsError
        If no kind of the plan touches what the system looks at.
    MediaError
        If a clip cannot be read.
    """
    if run.leaks and not any((folder / "folds").rglob("checkpoint")):
        raise CheckpointError(
            f"The run at {folder} kept no checkpoints: a leaking protocol never does. Measure a "
            "clean run."
        )
    by_id = tested_clips(run, clips)
    looks = _features(run, folder, store)
    told = {
        kind: [level for level in levels if _tells(kind, level, looks)]
        for kind, levels in plan.levels.items()
    }
    kinds = [kind for kind, levels in told.items() if levels and touches(kind, looks)]
    if not kinds:
        raise SettingsError(
            f"{run.system} looks at {', '.join(_modalities(looks)) or 'nothing'}; none of "
            f"{', '.join(kind.name for kind in plan.levels)} changes that. Choose other --kinds or "
            "--levels."
        )
    measured = []
    for kind in kinds:
        wanted = [
            DegradedPredictions(kind, level, plan.seed, key_of_run(run)) for level in told[kind]
        ]
        lacking = [entry for entry in wanted if entry.read(folder) is None]
        if kind.name == "offset" and lacking and _movable(run, folder, store):
            offsets = [float(entry.level) for entry in lacking]
            source = as_adapted(run, store, by_id.values())
            moved = shift_audio(run, folder, tuple(by_id.values()), source, offsets)
            for entry in lacking:
                entry.write(moved[float(entry.level)], folder)
        else:
            for entry in lacking:
                entry.write(_prediction(run, folder, by_id, store, entry, looks, workers), folder)
        found = {entry.level: entry.read(folder) for entry in wanted}
        measured.append(DegradedRuns(kind, {k: e for k, e in found.items() if e is not None}))
    return tuple(measured)


def touches(kind: Degradation, features: Sequence[Feature]) -> bool:
    """Whether a system with these features can notice this kind of damage."""
    modalities = _modalities(features)
    if kind.name in ("lost-modality", "offset"):
        return len(modalities) > 1 and (kind.touches == "any" or kind.touches in modalities)
    return kind.touches in modalities


def _tells(kind: Degradation, level: Level, features: Sequence[Feature]) -> bool:
    return kind.name != "lost-modality" or level in _modalities(features)


def _modalities(features: Sequence[Feature]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(feature.modality for feature in features))


def _features(run: Evaluation, folder: Path, store: FeatureStore) -> tuple[Feature, ...]:
    recognizer, _, _ = next(fold_recognizers(run, folder, store))
    return tuple(recognizer.features.values())


def _movable(run: Evaluation, folder: Path, store: FeatureStore) -> bool:
    """Whether the system takes its sound at a chosen moment, so that no sound is lost at edges."""
    recognizer, _, _ = next(fold_recognizers(run, folder, store))
    return recognizer.supports_offset


def _prediction(
    run: Evaluation,
    folder: Path,
    by_id: Mapping[str, Clip],
    store: FeatureStore,
    wanted: DegradedPredictions,
    features: Sequence[Feature],
    workers: int,
) -> Evaluation:
    """What every fold's recogniser says of its clips after the damage."""
    clips = [clip.without_labels() for clip in by_id.values()]
    voices = _voices(clips, wanted.seed) if wanted.kind.name == "babble" else {}
    probabilities = np.zeros_like(run.probabilities)
    alone: dict[str, np.ndarray] = {}
    flags: list[tuple[str, ...]] = [()] * len(run.clip_ids)
    with TemporaryDirectory(prefix="aver-") as scratch:
        source = DegradedFeatures(
            *(store, Path(scratch), wanted.kind, wanted.level, wanted.seed), voices
        )
        source.prepare(clips, features, workers)
        adapted = as_adapted(run, source, by_id.values())
        for recognizer, rows, columns in fold_recognizers(run, folder, adapted):
            asked = [by_id[run.clip_ids[row]].without_labels() for row in rows]
            said = recognizer.predict(asked)
            probabilities[np.ix_(rows, columns)] = said.probabilities
            for name, values in said.by_modality.items():
                block = alone.setdefault(name, np.full_like(probabilities, np.nan))
                block[rows] = np.where(np.isnan(values).any(axis=1), np.nan, 0.0)[:, np.newaxis]
                block[np.ix_(rows, columns)] = values
            for row, found in zip(rows, said.flags or ((),) * len(rows), strict=True):
                flags[row] = found
    return run.with_predictions(probabilities, by_modality=alone, flags=flags)


def _voices(clips: Sequence[Clip], seed: int) -> dict[str, tuple[Path, ...]]:
    """For every clip the files of others; of its own speaker only where there is no other."""
    heard = [(clip, path) for clip in clips if (path := clip.audio or clip.video) is not None]
    strangers = {
        speaker: [path for other, path in heard if other.speaker != speaker]
        for speaker in {clip.speaker for clip in clips}
    }
    voices = {}
    for clip in clips:
        paths = strangers[clip.speaker] or [
            path for other, path in heard if other.performance != clip.performance
        ]
        if not paths:
            raise SettingsError("Babble is made of other clips, and the run tested only one.")
        generator = np.random.default_rng([seed, zlib.crc32(clip.clip_id.encode())])
        chosen = generator.choice(len(paths), size=min(VOICES, len(paths)), replace=False)
        voices[clip.clip_id] = tuple(paths[index] for index in chosen)
    return voices
