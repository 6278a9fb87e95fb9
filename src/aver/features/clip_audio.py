"""`AudioFeature`: base class of the features that are computed from a clip's audio."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature, FeatureRecord
from aver.media.streams import SILENT
from aver.media.voice_activity import Speech, speech_of
from aver.settings import settings

_BLOCK_S = 0.02

MIN_AUDIO_S = 0.05
"""Shorter audio is "too short"."""


@dataclass(frozen=True)
class ClipAudio:
    """One channel of audio.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), dtype=float32, range=-1..1]
        As loud as in the file; empty if `missing` says why.
    rate_hz : int > 0
    coverage : float in [0, 1]
        Share of the clip that is speech, or not digital silence if any sound will do.
    missing : str
        ``"no audio"``, ``"unreadable audio"``, ``"silent audio"``, ``"too short"`` or ``"no
        speech"``; empty if there is audio.
    flags : tuple of str
        Faults of the file; see `aver.media.audio.AudioReader`.
    """

    samples: np.ndarray
    rate_hz: int
    coverage: float = 1.0
    missing: str = ""
    flags: tuple[str, ...] = ()

    @cached_property
    def speech(self) -> Speech:
        """Which parts are speech; computed when it is first asked for."""
        return speech_of(self.samples, self.rate_hz)

    def is_speech(self, times_s: np.ndarray) -> np.ndarray:
        """Whether there is speech at these times, in seconds from the start of the clip.

        Parameters
        ----------
        times_s : np.ndarray [shape=(...), unit=s]

        Returns
        -------
        np.ndarray [shape=(...), dtype=bool]
        """
        return self.speech.is_speech(times_s)

    def of_speech(self) -> ClipAudio:
        """The same audio with the share of speech as coverage; missing if there is too little."""
        if self.missing:
            return self
        if self.speech.is_enough:
            return replace(self, coverage=self.speech.share)
        return _absent(self.rate_hz, "no speech")


@settings
class AudioFeature(Feature):
    """A feature of a clip's audio at `rate_hz`; a subclass computes it in `from_audio`.

    Parameters
    ----------
    needs_speech : bool
        A clip with less than 0.25 s of speech lacks the modality, so that music, hum and noise are
        not read as emotions; coverage is the share of speech. Otherwise any sound is taken, as the
        papers do.
    """

    needs_speech: bool = field(default=True, kw_only=True)

    modality = "audio"
    rate_hz = 16000

    @abstractmethod
    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the arrays; `audio` has samples, is not silent, and has speech if needed."""

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's audio file, else its video."""
        return audio_paths(clip)

    def identity(self, clip: Clip) -> str:
        """The stream, if the clip names one."""
        return "" if clip.audio_stream is None else f"stream {clip.audio_stream}"

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the arrays of one clip."""
        audio = read_clip_audio(clip, self.rate_hz)
        if self.needs_speech:
            audio = audio.of_speech()
        return FeatureRecord.absent(audio.missing) if audio.missing else self.from_audio(audio)


def audio_paths(clip: Clip) -> tuple[Path, ...]:
    """The file to read audio from: the clip's audio file, else its video; empty without either."""
    path = clip.audio or clip.video
    return (path,) if path else ()


def read_clip_audio(clip: Clip, rate_hz: int) -> ClipAudio:
    """Read a clip's audio, resampled to `rate_hz`.

    Raises
    ------
    MediaError
        If the file cannot be read.
    """
    from aver.media.audio import read_audio_blocks

    paths = audio_paths(clip)
    if not paths:
        return _absent(rate_hz, "no audio")
    try:
        reader = read_audio_blocks(paths[0], rate_hz, 10.0, stream=clip.audio_stream)
        samples = np.concatenate([np.zeros(0, np.float32), *reader])
    except MissingModalityError as error:
        return _absent(rate_hz, error.flag or "no audio")
    coverage = share_not_silent(samples, rate_hz)
    if coverage == 0.0:
        return _absent(rate_hz, "silent audio")
    if samples.size < MIN_AUDIO_S * rate_hz:
        return _absent(rate_hz, "too short")
    return ClipAudio(samples, rate_hz, coverage, flags=reader.flags)


def _absent(rate_hz: int, reason: str) -> ClipAudio:
    return ClipAudio(np.zeros(0, np.float32), rate_hz, 0.0, reason)


def standardize(samples: np.ndarray) -> np.ndarray:
    """Shift and scale audio to mean 0 and standard deviation 1.

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0], np.float32)).tolist()
    [-1.0, 1.0]
    """
    wide = samples.astype(np.float64)
    return ((wide - wide.mean()) / wide.std()).astype(np.float32)


def share_not_silent(samples: np.ndarray, rate_hz: int) -> float:
    """Share of 20 ms blocks whose samples differ."""
    block = max(2, round(_BLOCK_S * rate_hz))
    if samples.size < 2:
        return 0.0
    whole = samples.size // block * block
    blocks = samples[:whole].reshape(-1, block) if whole else samples[np.newaxis]
    return float((np.ptp(blocks, axis=1) > SILENT).mean())
