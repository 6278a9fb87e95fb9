"""`measure_robustness`: predictions of a finished run's recognizers on degraded media."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, MediaError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.predict_again import (
    adapted_source,
    fold_recognizers,
    predict_again,
    shift_audio,
    tested_clips,
)
from aver.evaluation.run import Run
from aver.execution.clip_work import clip_work
from aver.execution.files import without_folders
from aver.execution.tasks import map_tasks
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import NOT_ABOUT_ONE_CLIP, FeatureStore, read_entry, write_entry
from aver.media.degradation import DEGRADATIONS, Degradation, Level
from aver.media.degrade_clip import degrade_clip
from aver.models.base.recognizer import Recognizer

FOLDER = "robustness"
"""Name of the folder below a run folder."""

BABBLE_CLIPS = 6
"""Number of other clips that babble is made of, of other speakers if there are any."""


@dataclass(frozen=True)
class DegradedRuns:
    """A run under one kind of degradation.

    Parameters
    ----------
    kind : Degradation
    runs : mapping of float or str to Evaluation
        By level, as given; the rows of the run on undegraded media, without clips that cannot be
        read.
    """

    kind: Degradation
    runs: Mapping[Level, Evaluation]

    @property
    def unreadable(self) -> dict[str, str]:
        """Tested clips that were left out at some level, with the reason."""
        found: dict[str, str] = {}
        for run in self.runs.values():
            found |= run.facts.get("robustness", {}).get("unreadable", {})
        return found


@dataclass(frozen=True)
class RobustnessPlan:
    """What to measure.

    Parameters
    ----------
    levels : mapping of Degradation to tuple of float or str
        By kind of degradation.
    seed : int
        Of everything random.
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
    """Let the recognizers of a finished run predict their test clips from degraded media.

    Nothing is trained: each fold's checkpoint predicts its own test clips. Predictions are kept
    below ``robustness/`` in the run folder and are not computed twice; features of degraded media
    are not kept.

    Parameters
    ----------
    run : Evaluation
    folder : Path
        Its run folder, with the checkpoints.
    clips : sequence of Clip
        Of the corpus; all tested clips must be among them.
    store : FeatureStore
    plan : RobustnessPlan
    workers : int >= 1
        Processes; results do not depend on it, except for rounding of some features.

    Returns
    -------
    tuple of DegradedRuns
        Without degradations of modalities that the system does not read. Clips that cannot be read
        any more are left out, see `DegradedRuns.unreadable`.

    Raises
    ------
    CheckpointError
        If a fold kept no checkpoint, or a tested clip is not among `clips`.
    SettingsError
        If no degradation of the plan affects a modality that the system reads.
    MediaError
        If no tested clip can be read.
    """
    if run.leaks and not any((folder / "folds").rglob("checkpoint")):
        raise CheckpointError(
            f"The run at {folder} kept no checkpoints: a leaking protocol never does. Measure a "
            "clean run."
        )
    gone = _gone(run, clips)
    by_id = tested_clips(_without(run, gone), clips)
    recognizer, _, _ = next(fold_recognizers(run, folder, store))
    modalities = _modalities(recognizer)
    levels = {
        kind: [level for level in chosen if kind.name != "lost-modality" or level in modalities]
        for kind, chosen in plan.levels.items()
        if affects(kind, modalities)
    }
    levels = {kind: chosen for kind, chosen in levels.items() if chosen}
    if not levels:
        raise SettingsError(
            f"{run.system} reads {', '.join(modalities) or 'no modality'}; none of "
            f"{', '.join(kind.name for kind in plan.levels)} changes that. Choose other --kinds or "
            "--levels."
        )
    measurement = _Measurement(run, folder, by_id, store, plan.seed, workers, key_of_run(run), gone)
    if not measurement.has_all(levels):
        features = tuple(recognizer.features.values())
        prepared = store.prepare(list(by_id.values()), features, workers=workers)
        unreadable = {failure.clip.clip_id: failure.reason for failure in prepared.failures}
        measurement = measurement.without({**gone, **unreadable})
    return tuple(
        DegradedRuns(kind, measurement.all_levels(kind, chosen, recognizer))
        for kind, chosen in levels.items()
    )


def read_robustness(run: Evaluation, folder: Path) -> tuple[DegradedRuns, ...]:
    """Everything that was measured of a run, in the order of `DEGRADATIONS`; may be empty."""
    measured = []
    for kind in DEGRADATIONS:
        runs: dict[Level, Evaluation] = {}
        for path in (folder / FOLDER / kind.name).glob("*/evaluation.json"):
            degraded = load_evaluation(path.parent)
            facts = degraded.facts.get("robustness", {})
            if facts.get("of") == key_of_run(run):
                runs[facts["level"]] = degraded
        if runs:
            ordered = sorted(runs, key=lambda level: (isinstance(level, str), level))
            measured.append(DegradedRuns(kind, {level: runs[level] for level in ordered}))
    return tuple(measured)


def affects(kind: Degradation, modalities: Sequence[str]) -> bool:
    """Whether a degradation changes what a system with these modalities reads."""
    if kind.name in ("lost-modality", "offset"):
        return len(modalities) > 1 and (kind.modality == "any" or kind.modality in modalities)
    return kind.modality in modalities


def key_of_run(run: Evaluation) -> str:
    """Hash of the predictions of a run."""
    rows = [run.clip_ids, run.seeds.tolist(), run.folds.tolist()]
    digest = hashlib.sha256(json.dumps(rows).encode())
    digest.update(np.ascontiguousarray(run.probabilities).tobytes())
    return digest.hexdigest()[:16]


def _gone(run: Evaluation, clips: Sequence[Clip]) -> dict[str, str]:
    """Tested clips that the corpus does not hold any more, with the reason.

    Empty if most of them are not there: then it is another corpus.
    """
    present = {clip.clip_id for clip in clips}
    missing = [clip_id for clip_id in dict.fromkeys(run.clip_ids) if clip_id not in present]
    if 2 * len(missing) > len({*run.clip_ids}):
        return {}
    return dict.fromkeys(missing, "The corpus does not hold it any more.")


def _without(run: Evaluation, unreadable: Mapping[str, str]) -> Evaluation:
    """The run without the rows of some clips.

    Raises
    ------
    MediaError
        If none is left.
    """
    if not unreadable:
        return run
    kept = np.array([clip_id not in unreadable for clip_id in run.clip_ids])
    if not kept.any():
        raise MediaError(
            f"None of the {len(unreadable)} tested clips can be read. The first: "
            f"{next(iter(unreadable.values()))}"
        )
    return run.rows(kept)


def _modalities(recognizer: Recognizer) -> tuple[str, ...]:
    """What the features of a recognizer are taken from; its branches may have other names."""
    return tuple(dict.fromkeys(feature.modality for feature in recognizer.features.values()))


@dataclass(frozen=True)
class _Measurement:
    """What all degradations of one run have in common.

    Parameters
    ----------
    run, clips
        Without clips that cannot be read.
    folder, store, seed, workers
        As for `measure_robustness`.
    key : str
        `key_of_run` of the whole run.
    unreadable : mapping of str to str
        The clips that cannot be read, with the reason.
    """

    run: Evaluation
    folder: Path
    clips: Mapping[str, Clip]
    store: FeatureStore
    seed: int
    workers: int
    key: str
    unreadable: Mapping[str, str]

    def has_all(self, levels: Mapping[Degradation, Sequence[Level]]) -> bool:
        """Whether all levels were measured with all clips of the run."""
        return all(self._is_complete(kind, level) for kind in levels for level in levels[kind])

    def without(self, unreadable: Mapping[str, str]) -> _Measurement:
        """The same on the clips that can be read."""
        return replace(
            self,
            run=_without(self.run, unreadable),
            clips={name: clip for name, clip in self.clips.items() if name not in unreadable},
            unreadable=unreadable,
        )

    def all_levels(
        self, kind: Degradation, levels: Sequence[Level], recognizer: Recognizer
    ) -> dict[Level, Evaluation]:
        """The run at each level, measured now if it is missing."""
        missing = [level for level in levels if not self._is_complete(kind, level)]
        if kind.name == "offset" and recognizer.supports_offset and missing:
            # Audio is taken at another time, so that none is lost at the ends of a clip.
            source = adapted_source(self.run, self.store, self.clips.values())
            offsets_s = [float(level) for level in missing]
            shifted = shift_audio(
                self.run, self.folder, tuple(self.clips.values()), source, offsets_s
            )
            for level in missing:
                self._keep(kind, level, shifted[float(level)], {})
        else:
            features = tuple(recognizer.features.values())
            for level in missing:
                self._keep(kind, level, *self._degraded(kind, level, features))
        return {level: load_evaluation(self._kept(kind, level).folder) for level in levels}

    def _is_complete(self, kind: Degradation, level: Level) -> bool:
        """Whether the level was measured with every clip that can be read."""
        kept = self._kept(kind, level)
        return kept.is_finished() and len(load_evaluation(kept.folder).clip_ids) == len(
            self.run.clip_ids
        )

    def _kept(self, kind: Degradation, level: Level) -> Run:
        identity = {
            "run": key_of_run(self.run),
            "kind": kind.name,
            "level": level,
            "seed": self.seed,
        }
        return Run(self.folder / FOLDER / kind.name / _shown(level), identity, replaces=True)

    def _keep(
        self, kind: Degradation, level: Level, degraded: Evaluation, unreadable: Mapping[str, str]
    ) -> None:
        kept = self._kept(kind, level)
        kept.start()
        facts = {"kind": kind.name, "level": level, "seed": self.seed, "of": self.key}
        left_out = {**self.unreadable, **unreadable}
        if left_out:
            facts["unreadable"] = without_folders(left_out)
        save_evaluation(
            replace(degraded, facts={**self.run.facts, "robustness": facts}), kept.folder
        )

    def _degraded(
        self, kind: Degradation, level: Level, features: Sequence[Feature]
    ) -> tuple[Evaluation, dict[str, str]]:
        """Predictions at one level, and the clips that cannot be read for it, with the reason."""
        clips = [clip.without_labels() for clip in self.clips.values()]
        voices = _voices(clips, self.seed) if kind.name == "babble" else {}
        with TemporaryDirectory(prefix="aver-") as scratch:
            source = DegradedFeatures(self.store, Path(scratch), kind, level, self.seed, voices)
            unreadable = source.prepare(clips, features, self.workers)
            readable = {name: clip for name, clip in self.clips.items() if name not in unreadable}
            adapted = adapted_source(self.run, source, readable.values())
            run = _without(self.run, unreadable)
            return predict_again(run, self.folder, readable, adapted), unreadable


def _shown(level: Level) -> str:
    return level if isinstance(level, str) else f"{level:g}"


@dataclass(frozen=True)
class DegradedFeatures:
    """Features of clips whose media are degraded.

    Degraded media are written to a temporary folder, read by the usual features and deleted.
    Features that a degradation does not affect come from the user's cache.

    Parameters
    ----------
    store : FeatureStore
        For features that are not affected.
    folder : Path
        Where records of degraded media are kept; empty before `prepare`.
    kind : Degradation
    level : float or str
    seed : int
    voices : mapping of str to tuple of Path
        By clip, the files that babble is made of.
    """

    store: FeatureStore
    folder: Path
    kind: Degradation
    level: Level
    seed: int = 0
    voices: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip, after the degradation."""
        path = self._path(clip, feature)
        record = read_entry(path) if path.exists() else None
        return self.store.get(clip, feature) if record is None else record

    def prepare(
        self, clips: Sequence[Clip], features: Sequence[Feature], workers: int = 1
    ) -> dict[str, str]:
        """Degrade the clips, and extract the features that change.

        Returns
        -------
        dict of str to str
            The clips that cannot be read, with the reason.

        Raises
        ------
        CheckpointError, SettingsError, StorageError
            If the reason is not a clip, see `aver.features.store.FeatureStore.prepare`.
        """
        distinct = tuple({feature.key: feature for feature in features}.values())
        outcomes = map_tasks(
            _Extraction(self, distinct),
            clips,
            workers=workers,
            description=f"{self.kind.name} {_shown(self.level)}",
        )
        unreadable: dict[str, str] = {}
        with closing(outcomes):
            for outcome in outcomes:
                if isinstance(outcome.error, NOT_ABOUT_ONE_CLIP):
                    raise outcome.error
                if outcome.error is not None:
                    unreadable[outcome.item.clip_id] = str(outcome.error)
        return unreadable

    def extract(self, clip: Clip, features: Sequence[Feature]) -> None:
        """Degrade one clip and keep the features that change."""
        with TemporaryDirectory(prefix="aver-") as scratch:
            degraded = degrade_clip(
                clip,
                self.kind,
                self.level,
                Path(scratch),
                seed=self.seed,
                voices=self.voices.get(clip.clip_id, ()),
            )
            for feature in features:
                if feature.paths(degraded) != feature.paths(clip):
                    write_entry(self._path(clip, feature), feature.extract(degraded))

    def _path(self, clip: Clip, feature: Feature) -> Path:
        name = hashlib.sha256(f"{feature.name} {feature.key} {clip.clip_id}".encode()).hexdigest()
        return self.folder / f"{name[:32]}.safetensors"


@dataclass(frozen=True)
class _Extraction:
    """The task that worker processes run."""

    source: DegradedFeatures
    features: tuple[Feature, ...]

    def __call__(self, clip: Clip) -> None:
        with clip_work(clip.video or clip.audio or clip.clip_id):
            self.source.extract(clip, self.features)


def _voices(clips: Sequence[Clip], seed: int) -> dict[str, tuple[Path, ...]]:
    """For every clip the files of others; of its own speaker only if there is no other speaker."""
    audible = [(clip, path) for clip in clips if (path := clip.audio or clip.video) is not None]
    others = {
        speaker: [path for other, path in audible if other.speaker != speaker]
        for speaker in {clip.speaker for clip in clips}
    }
    voices = {}
    for clip in clips:
        paths = others[clip.speaker] or [
            path for other, path in audible if other.performance != clip.performance
        ]
        if not paths:
            raise SettingsError("Babble is made of other clips, but the run tested only one.")
        generator = np.random.default_rng([seed, zlib.crc32(clip.clip_id.encode())])
        chosen = generator.choice(len(paths), size=min(BABBLE_CLIPS, len(paths)), replace=False)
        voices[clip.clip_id] = tuple(paths[index] for index in chosen)
    return voices
