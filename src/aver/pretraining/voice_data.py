"""`VoiceShelf`: segments of many clips, in memory as far as it goes, else read when asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from torch import Tensor

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, SettingsError, SplitError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.data.clip_frames import load_clip_frames
from aver.networks.resnet import check_shape
from aver.splits import make_split
from aver.splits.split import Split
from aver.training.seeding import derived_seed
from aver.training.settings import TrainingSettings

TARGETS = ("speaker", "emotion")


@dataclass(frozen=True)
class VoiceSettings:
    """Settings of `aver.pretraining.voice.pretrain_voice`.

    Parameters
    ----------
    target : {"speaker", "emotion"}
        What is taught: who speaks, or how.
    feature_settings : mapping of str to JSON value
        Of the feature ``spectrogram-segments``.
    width, blocks, stem
        As `aver.networks.resnet.ResNet18` takes them.
    segments : int >= 1
        Of a clip, drawn for each step of training.
    dropout, label_smoothing : float in [0, 1)
    validation_share : float in (0, 1)
        Share of each speaker's clips that chooses the epoch, where speakers are taught.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    target: str = "speaker"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    width: int = 64
    blocks: int = 2
    stem: str = "7x7"
    segments: int = 3
    dropout: float = 0.2
    label_smoothing: float = 0.1
    validation_share: float = 0.15
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        check_shape(self.width, self.blocks, self.stem)
        if self.target not in TARGETS:
            raise SettingsError(f"target must be one of {', '.join(TARGETS)}, not {self.target!r}.")
        if self.segments < 1:
            raise SettingsError(f"segments must be at least 1, not {self.segments}.")
        if not 0 < self.validation_share < 1:
            raise SettingsError(
                f"validation_share must lie between 0 and 1, not {self.validation_share}."
            )
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} must lie in [0, 1), not {getattr(self, name)}.")


_MIN_SPEAKERS = 4  # so that the first of three groups holds two
_SPEAKERS_FOR_FOLDS = 10


def check_labels(corpus: Corpus, target: str) -> None:
    """Raise LabelError if a clip does not say what is to be learnt from it.

    Speakers must always be known, for they keep training and test apart.
    """
    for clip in corpus:
        if clip.speaker is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no speaker. Voices are taught and "
                "verified by speakers: name them in the pattern or table, or use one folder each."
            )
        if target == "emotion" and clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no emotion. Teach speakers by it "
                "(--target speaker)."
            )


def split_voices(corpus: Corpus) -> Split:
    """Speakers apart, at least two of them to be verified.

    Five folds from ten speakers on, three below; the first counts.

    Raises
    ------
    SplitError
        If there are fewer than four speakers.
    """
    count = len(corpus.speakers)
    if count < _MIN_SPEAKERS:
        raise SplitError(
            f"{corpus.label} has {count} speakers. To teach some and verify others there must be "
            f"at least {_MIN_SPEAKERS}."
        )
    return make_split(corpus, "speaker-kfold", folds=5 if count >= _SPEAKERS_FOR_FOLDS else 3)


def divide_voices(
    clips: Sequence[Clip], split: Split, settings: VoiceSettings, seed: int
) -> dict[str, list[Clip]]:
    """Clips to learn from, to choose by and to test with.

    Parameters
    ----------
    clips : sequence of Clip
        Those that can be used.
    split : Split
        Its first fold counts.
    settings : VoiceSettings
        Where speakers are taught, those of training and validation are taught together, and a
        share of each one's clips validates.
    seed : int

    Raises
    ------
    SettingsError
        If training and test share speakers, nothing is left to choose the epoch by, there are not
        two classes to learn, or no two clips of one speaker are left to test with.
    """
    usable = {clip.clip_id: clip for clip in clips}
    parts = {
        part: [usable[name] for name in names if name in usable]
        for part, names in split.folds[0].subsets().items()
    }
    heard = {str(clip.speaker) for clip in parts["train"] + parts["validation"]}
    if heard & {str(clip.speaker) for clip in parts["test"]}:
        raise SettingsError(
            f"The split {split.rule!r} has speakers in training and in test; an equal error rate "
            "on them would say nothing. Use speaker-kfold."
        )
    if settings.target == "speaker":
        parts = _by_share(parts, settings.validation_share, seed)
    for part, words in (("train", "to learn from"), ("validation", "to choose the epoch by")):
        if not parts[part]:
            raise SettingsError(
                f"No usable clip is left {words}. Speakers need two clips each, and emotions "
                "speakers for both."
            )
    taught = {str(getattr(clip, settings.target)) for clip in parts["train"]}
    if len(taught) < 2:
        raise SettingsError(
            f"All usable clips to learn from are of one {settings.target}, {next(iter(taught))}; "
            "a network needs at least two."
        )
    check_pairs(parts["test"], "the speakers kept for the test")
    return parts


def check_pairs(clips: Sequence[Clip], whose: str) -> None:
    """Raise SettingsError if an equal error rate cannot be told, before anything is learnt.

    Parameters
    ----------
    clips : sequence of Clip
        Those in which something is to be heard.
    whose : str
        For the message.
    """
    counts = Counter(str(clip.speaker) for clip in clips)
    if len(counts) < 2 or max(counts.values()) < 2:
        raise SettingsError(
            f"Of {whose}, {len(counts)} speakers with {len(clips)} clips can be used. An equal "
            "error rate needs two clips of one of them, and one of another."
        )


def classes_of(parts: dict[str, list[Clip]], target: str) -> tuple[str, ...]:
    """Speakers, or emotions, of the clips to learn from and to choose by."""
    words = {str(getattr(clip, target)) for clip in parts["train"] + parts["validation"]}
    return in_canonical_order(words) if target == "emotion" else tuple(sorted(words))


def _by_share(parts: dict[str, list[Clip]], share: float, seed: int) -> dict[str, list[Clip]]:
    """The same speakers in training and validation; one with a single clip is only taught."""
    rng = np.random.default_rng(derived_seed(seed, "voices"))
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in parts["train"] + parts["validation"]:
        by_speaker[str(clip.speaker)].append(clip)
    train, validation = [], []
    for clips in by_speaker.values():
        order = rng.permutation(len(clips))
        held_out = min(len(clips) - 1, max(1, round(share * len(clips))))
        validation += [clips[i] for i in order[:held_out]]
        train += [clips[i] for i in order[held_out:]]
    return {"train": train, "validation": validation, "test": parts["test"]}


KEPT_BYTES = 2_000_000_000  # of each part


class VoiceShelf(Sequence[Tensor]):
    """Segments ``(segments, 1, bands, columns)`` of each clip.

    A corpus of small size is read once; of one with a hundred thousand recordings the first that
    are asked for stay in memory, and the others are read from the cache each time.

    Parameters
    ----------
    clips : sequence of Clip
        With sound.
    feature : Feature
        ``spectrogram-segments``.
    store : FeatureSource
    kept_bytes : int
        How much may stay in memory.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        feature: Feature,
        store: FeatureSource,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._clips, self._feature, self._store = tuple(clips), feature, store
        self._kept: dict[int, Tensor] = {}
        self._free_bytes = kept_bytes

    def __len__(self) -> int:
        return len(self._clips)

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, place: int | slice) -> Tensor | Sequence[Tensor]:
        """One clip's segments, or those of several."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if place in self._kept:
            return self._kept[place]
        found = load_clip_frames([self._clips[place]], self._feature, self._store).frames[0]
        assert found is not None, "clips without sound are no voices"
        size_bytes = found.element_size() * found.nelement()
        if size_bytes <= self._free_bytes:
            self._kept[place] = found
            self._free_bytes -= size_bytes
        return found
