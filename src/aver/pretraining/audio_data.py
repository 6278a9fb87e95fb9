"""Recordings of speech for pretraining: checks, subsets by speaker, and segments in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from torch import Tensor

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, SettingsError, SplitError
from aver.features.feature import Feature
from aver.features.store import Failure, FeatureSource, FeatureStore, Preparation
from aver.models.data.batches import read_frames
from aver.models.data.clip_features import load_feature
from aver.pretraining.settings import AudioSettings
from aver.splits import make_split
from aver.splits.split import Split
from aver.training.seeding import derived_seed

Notice = Callable[[Sequence[Failure]], None]
"""Called with the unusable clips before a training that may take hours; it may raise."""


def usable_clips(
    store: FeatureStore,
    clips: Sequence[Clip],
    features: Sequence[Feature],
    *,
    workers: int = 1,
    notice: Notice | None = None,
) -> Preparation:
    """Compute features, and report the clips whose files cannot be read.

    Parameters
    ----------
    store : FeatureStore
    clips : sequence of Clip
    features : sequence of Feature
    workers : int >= 1
    notice : callable, optional
        Called with the failures if there are any. An error that it raises ends the pretraining.
    """
    prepared = store.prepare(clips, features, workers=workers)
    if notice is not None and prepared.failures:
        notice(prepared.failures)
    return prepared


def check_labels(corpus: Corpus, target: str) -> None:
    """Raise LabelError if a clip lacks the label to train with, or its speaker.

    Speakers are always needed, because they separate training and test.
    """
    for clip in corpus:
        if clip.speaker is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no speaker. Audio pretraining needs "
                "speakers: name them in the pattern or table, or use one folder each."
            )
        if target == "emotion" and clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no emotion. Train on speakers instead "
                "(--target speaker)."
            )


_MIN_SPEAKERS = 4  # so that the first of three folds tests two
_MIN_SPEAKERS_5_FOLDS = 10


def split_speakers(corpus: Corpus) -> Split:
    """Speaker-disjoint folds with at least two test speakers; the first fold counts.

    Five folds from ten speakers on, otherwise three.

    Raises
    ------
    SplitError
        If there are fewer than four speakers.
    """
    count = len(corpus.speakers)
    if count < _MIN_SPEAKERS:
        raise SplitError(
            f"{corpus.label} has {count} speakers. Training on some and verifying others needs at "
            f"least {_MIN_SPEAKERS}."
        )
    return make_split(corpus, "speaker-kfold", folds=5 if count >= _MIN_SPEAKERS_5_FOLDS else 3)


def divide_clips(
    clips: Sequence[Clip], split: Split, settings: AudioSettings, seed: int
) -> dict[str, list[Clip]]:
    """Clips to train, validate and test with.

    Parameters
    ----------
    clips : sequence of Clip
        The usable ones.
    split : Split
        Its first fold counts.
    settings : AudioSettings
        For speakers as labels, the speakers of training and validation are all trained on, and a
        share of each one's clips validates.
    seed : int

    Raises
    ------
    SettingsError
        If training and test share speakers, no clip is left to train or to validate with, there are
        fewer than two classes, or no two clips of one speaker are left to test with.
    """
    usable = {clip.clip_id: clip for clip in clips}
    subsets = {
        subset: [usable[name] for name in names if name in usable]
        for subset, names in split.folds[0].subsets().items()
    }
    trained = {str(clip.speaker) for clip in subsets["train"] + subsets["validation"]}
    if trained & {str(clip.speaker) for clip in subsets["test"]}:
        raise SettingsError(
            f"The split {split.rule!r} has the same speakers in training and test; their equal "
            "error rate would mean nothing. Use speaker-kfold."
        )
    if settings.target == "speaker":
        subsets |= _share_speakers(subsets, settings.validation_share, seed)
    for subset, purpose in (("train", "train"), ("validation", "select the epoch")):
        if not subsets[subset]:
            raise SettingsError(
                f"No usable clip is left to {purpose} with. Speakers as labels need two clips per "
                "speaker, emotions need speakers for both."
            )
    classes = {str(getattr(clip, settings.target)) for clip in subsets["train"]}
    if len(classes) < 2:
        raise SettingsError(
            f"All usable training clips have the same {settings.target}, {next(iter(classes))}; a "
            "network needs at least two."
        )
    check_pairs(subsets["test"], "the test speakers")
    return subsets


def _share_speakers(
    subsets: dict[str, list[Clip]], share: float, seed: int
) -> dict[str, list[Clip]]:
    """The same speakers in training and validation; one with a single clip is only trained on."""
    rng = np.random.default_rng(derived_seed(seed, "voices"))
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in subsets["train"] + subsets["validation"]:
        by_speaker[str(clip.speaker)].append(clip)
    train, validation = [], []
    for clips in by_speaker.values():
        order = rng.permutation(len(clips))
        held_out = min(len(clips) - 1, max(1, round(share * len(clips))))
        validation += [clips[i] for i in order[:held_out]]
        train += [clips[i] for i in order[held_out:]]
    return {"train": train, "validation": validation}


def check_pairs(clips: Sequence[Clip], speakers: str) -> None:
    """Raise SettingsError if clips give no equal error rate, before anything is trained.

    Parameters
    ----------
    clips : sequence of Clip
        Those with audible audio.
    speakers : str
        Whose clips they are, for the message.
    """
    counts = Counter(str(clip.speaker) for clip in clips)
    if len(counts) < 2 or max(counts.values()) < 2:
        raise SettingsError(
            f"Of {speakers}, {len(counts)} speakers with {len(clips)} clips can be used. An equal "
            "error rate needs two clips of one speaker and one of another."
        )


def classes_of(subsets: dict[str, list[Clip]], target: str) -> tuple[str, ...]:
    """Speakers, or emotions, of the clips to train and to validate with."""
    labels = {str(getattr(clip, target)) for clip in subsets["train"] + subsets["validation"]}
    return in_canonical_order(labels) if target == "emotion" else tuple(sorted(labels))


MEMORY_BYTES = 2_000_000_000  # per subset


class ClipSegments(Sequence[Tensor]):
    """Segments ``(segments, 1, bands, columns)`` of each clip, in memory up to a limit.

    A small corpus is read once. Of a corpus with a hundred thousand recordings, the first ones that
    are read stay in memory, and the others are read from the feature cache each time.

    Parameters
    ----------
    clips : sequence of Clip
        With audio.
    feature : Feature
        ``spectrogram-segments``.
    store : FeatureSource
    memory_bytes : int
        The limit.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        feature: Feature,
        store: FeatureSource,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._clips, self._feature, self._store = tuple(clips), feature, store
        self._in_memory: dict[int, Tensor] = {}
        self._free_bytes = memory_bytes

    def __len__(self) -> int:
        return len(self._clips)

    @overload
    def __getitem__(self, index: int) -> Tensor: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, index: int | slice) -> Tensor | Sequence[Tensor]:
        """Segments of one clip, or of several."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if index in self._in_memory:
            return self._in_memory[index]
        clips = [self._clips[index]]
        segments = load_feature(clips, self._feature, self._store, read_frames).values[0]
        assert segments is not None, "clips without audio are left out"
        size_bytes = segments.element_size() * segments.nelement()
        if size_bytes <= self._free_bytes:
            self._in_memory[index] = segments
            self._free_bytes -= size_bytes
        return segments
