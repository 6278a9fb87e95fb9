"""`AudioFeature`: base class of the features that are computed from a clip's audio."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature, FeatureRecord

_SILENT = 1e-4  # of full scale, -80 dB: below one step of 13-bit audio, above dither
_BLOCK_S = 0.02


@dataclass(frozen=True)
class ClipAudio:
    """One channel of audio.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), dtype=float32, range=-1..1]
        As loud as in the file; empty if `missing` says why.
    rate_hz : int > 0
    coverage : float in [0, 1]
        Share of the clip that is not digital silence.
    missing : str
        ``"no audio"`` or ``"silent audio"``; empty if there is audio.
    flags : tuple of str
        ``"truncated audio"`` if the file broke off.
    """

    samples: np.ndarray
    rate_hz: int
    coverage: float = 1.0
    missing: str = ""
    flags: tuple[str, ...] = ()


class AudioFeature(Feature):
    """A feature of a clip's audio at `rate_hz`; a subclass computes it in `from_audio`."""

    modality = "audio"
    rate_hz: int

    @abstractmethod
    def from_audio(self, audio: ClipAudio) -> FeatureRecord:
        """Compute the arrays; `audio` has samples and is not silent."""

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's audio file, else its video."""
        return audio_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the arrays of one clip."""
        audio = read_clip_audio(clip, self.rate_hz)
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

    nothing = np.zeros(0, np.float32)
    paths = audio_paths(clip)
    if not paths:
        return ClipAudio(nothing, rate_hz, 0.0, "no audio")
    try:
        reader = read_audio_blocks(paths[0], rate_hz, block_s=10.0)
        samples = np.concatenate([nothing, *reader])
    except MissingModalityError:
        return ClipAudio(nothing, rate_hz, 0.0, "no audio")
    coverage = _share_not_silent(samples, rate_hz)
    if coverage == 0.0:
        return ClipAudio(nothing, rate_hz, 0.0, "silent audio")
    flags = () if reader.complete else ("truncated audio",)
    return ClipAudio(samples, rate_hz, coverage, flags=flags)


def standardize(samples: np.ndarray) -> np.ndarray:
    """Shift and scale audio to mean 0 and standard deviation 1.

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0], np.float32)).tolist()
    [-1.0, 1.0]
    """
    wide = samples.astype(np.float64)
    return ((wide - wide.mean()) / wide.std()).astype(np.float32)


def _share_not_silent(samples: np.ndarray, rate_hz: int) -> float:
    """Share of 20 ms blocks whose samples differ."""
    block = max(2, round(_BLOCK_S * rate_hz))
    if samples.size < 2:
        return 0.0
    whole = samples.size // block * block
    blocks = samples[:whole].reshape(-1, block) if whole else samples[np.newaxis]
    return float((np.ptp(blocks, axis=1) > _SILENT).mean())
