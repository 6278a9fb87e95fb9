"""`SpeechFeature`: base class of features of a clip's speech alone, whatever the clip's length."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.clip_audio import (
    MIN_AUDIO_S,
    AudioFeature,
    ClipAudio,
    audio_paths,
    share_not_silent,
)
from aver.features.feature import FeatureRecord
from aver.media.voice_activity import MIN_SPEECH_S, speech_of
from aver.settings import settings

_BLOCK_S = 60.0  # read and searched for speech at a time


@settings
class SpeechFeature(AudioFeature):
    """A feature of the speech of a clip; a subclass computes it in `from_speech`.

    Pauses are left out. The file is read block by block, so that an hour of audio needs no more
    memory than a minute.

    Parameters
    ----------
    needs_speech : bool
        See `AudioFeature`; without it the whole clip counts as speech.
    """

    pause_s: ClassVar[float] = 0.2
    """Pauses up to this length belong to a stretch of speech: closures of stops, rhythm."""
    margin_s: ClassVar[float] = 0.03
    """Added at both ends of a stretch."""

    @abstractmethod
    def from_speech(self, stretches: Iterable[np.ndarray]) -> np.ndarray | None:
        """Compute the vector ``statistics``, or None if there is too little speech.

        Parameters
        ----------
        stretches : iterable of np.ndarray [shape=(samples,), dtype=float32]
            Stretches of speech at `rate_hz`; at most one minute each. To be read to the end.
        """

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the vector of one clip."""
        from aver.media.audio import read_audio_blocks

        paths = audio_paths(clip)
        if not paths:
            return FeatureRecord.absent("no audio")
        try:
            reader = read_audio_blocks(paths[0], self.rate_hz, _BLOCK_S, stream=clip.audio_stream)
            speech = _Stretches(reader, self)
            vector = self.from_speech(speech)
        except MissingModalityError as error:
            return FeatureRecord.absent(error.flag or "no audio")
        missing = speech.missing or ("too short" if vector is None else "")
        if vector is None or missing:
            return FeatureRecord.absent(missing)
        arrays = {"statistics": vector.astype(np.float32)}
        return FeatureRecord(arrays, speech.coverage, "", reader.flags)

    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the vector of audio in memory."""
        vector = self.from_speech(_Stretches([audio.samples], self))
        if vector is None:
            return FeatureRecord.absent("too short")
        arrays = {"statistics": vector.astype(np.float32)}
        return FeatureRecord(arrays, audio.coverage, "", audio.flags)


class _Stretches(Iterator[np.ndarray]):
    """Stretches of speech in blocks of audio, and how much of the audio they are.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(samples,)]
    feature : SpeechFeature
        Says what a stretch is; if it does not need speech, all blocks are passed on.
    """

    def __init__(self, blocks: Iterable[np.ndarray], feature: SpeechFeature) -> None:
        self._feature, self._rate_hz = feature, feature.rate_hz
        self._duration_s = self._heard_s = self._speech_s = 0.0
        self._found = self._search(blocks)

    def __next__(self) -> np.ndarray:
        return next(self._found)

    @property
    def missing(self) -> str:
        """After the last stretch: why there is no audio to use, else empty."""
        if not self._heard_s:
            return "silent audio"
        if self._duration_s < MIN_AUDIO_S:
            return "too short"
        return "no speech" if self._feature.needs_speech and self._speech_s < MIN_SPEECH_S else ""

    @property
    def coverage(self) -> float:
        """After the last stretch: share of the audio that is speech, or not silent."""
        covered_s = self._speech_s if self._feature.needs_speech else self._heard_s
        return min(1.0, covered_s / max(self._duration_s, 1e-9))

    def _search(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            duration_s = block.size / self._rate_hz
            self._duration_s += duration_s
            self._heard_s += share_not_silent(block, self._rate_hz) * duration_s
            if not self._feature.needs_speech:
                yield block
                continue
            speech = speech_of(block, self._rate_hz)
            self._speech_s += speech.duration_s
            edges_s = speech.stretches_s(self._feature.pause_s, self._feature.margin_s)
            for start, end in np.round(edges_s * self._rate_hz).astype(np.int64):
                yield block[max(0, start) : end]
