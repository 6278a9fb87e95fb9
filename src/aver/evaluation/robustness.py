"""`measure_robustness`: what the recognisers of a finished run answer when the media get worse."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.evaluation.asynchrony import shift_sound
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.fold_recognizers import as_adapted, fold_recognizers, tested_clips
from aver.evaluation.robustness_answers import DegradedAnswers, DegradedRuns, key_of_run
from aver.evaluation.robustness_features import DegradedFeatures
from aver.features.feature import Feature
from aver.features.store import FeatureStore
from aver.media.degradation import DEGRADATIONS, Degradation, Level

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
        wanted = [DegradedAnswers(kind, level, plan.seed, key_of_run(run)) for level in told[kind]]
        lacking = [entry for entry in wanted if entry.read(folder) is None]
        if kind.name == "offset" and lacking and _movable(run, folder, store):
            offsets = [float(entry.level) for entry in lacking]
            source = as_adapted(run, store, by_id.values())
            moved = shift_sound(run, folder, tuple(by_id.values()), source, offsets)
            for entry in lacking:
                entry.write(moved[float(entry.level)], folder)
        else:
            for entry in lacking:
                entry.write(_answer(run, folder, by_id, store, entry, looks, workers), folder)
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
    return hasattr(recognizer, "with_offset")


def _answer(
    run: Evaluation,
    folder: Path,
    by_id: Mapping[str, Clip],
    store: FeatureStore,
    wanted: DegradedAnswers,
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
    return replace(
        run, probabilities=probabilities, by_modality=alone, flags=tuple(flags), targets={}
    )


def _voices(clips: Sequence[Clip], seed: int) -> dict[str, tuple[Path, ...]]:
    """For every clip the files of others; of its own speaker only where there is no other."""
    heard = [(clip, path) for clip in clips if (path := clip.sound or clip.video) is not None]
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
