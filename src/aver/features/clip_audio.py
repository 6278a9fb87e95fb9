"""`ClipAudio`: a clip's sound as the sound features want it, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError

_SILENT = 1e-4  # of full scale, -80 dB: below the step of 13-bit sound, above dither
_BLOCK_S = 0.02


@dataclass(frozen=True)
class ClipAudio:
    """One channel of sound, and how much of it there is.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), dtype=float32, range=-1..1]
        As loud as the file has it; empty where `missing` says why.
    rate_hz : int > 0
    coverage : float in [0, 1]
        Share of the clip in which the sound is not digital silence.
    missing : str
        ``"no sound"`` or ``"silent sound"``; empty where there is sound.
    flags : tuple of str
        ``"truncated sound"`` where the file broke off.
    """

    samples: np.ndarray
    rate_hz: int
    coverage: float = 1.0
    missing: str = ""
    flags: tuple[str, ...] = ()


def audio_paths(clip: Clip) -> tuple[Path, ...]:
    """The file to take sound from: the clip's sound file, else its video."""
    path = clip.audio or clip.video
    return (path,) if path else ()


def read_clip_audio(clip: Clip, rate_hz: int) -> ClipAudio:
    """Read a clip's sound.

    Parameters
    ----------
    clip : Clip
    rate_hz : int > 0
        Rate to resample to.

    Returns
    -------
    ClipAudio

    Raises
    ------
    MediaError
        If the file cannot be read.
    """
    from aver.media.audio import read_audio_blocks

    nothing = np.zeros(0, np.float32)
    paths = audio_paths(clip)
    if not paths:
        return ClipAudio(nothing, rate_hz, 0.0, "no sound")
    try:
        reader = read_audio_blocks(paths[0], rate_hz, block_s=10.0)
        audio = np.concatenate([nothing, *reader])
    except MissingModalityError:
        return ClipAudio(nothing, rate_hz, 0.0, "no sound")
    coverage = _share_with_audio(audio, rate_hz)
    if coverage == 0.0:
        return ClipAudio(nothing, rate_hz, 0.0, "silent sound")
    flags = () if reader.complete else ("truncated sound",)
    return ClipAudio(audio, rate_hz, coverage, flags=flags)


def standardize(audio: np.ndarray) -> np.ndarray:
    """Shift and scale sound to mean 0 and deviation 1.

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0], np.float32)).tolist()
    [-1.0, 1.0]
    """
    wide = audio.astype(np.float64)
    return ((wide - wide.mean()) / wide.std()).astype(np.float32)


def _share_with_audio(audio: np.ndarray, rate_hz: int) -> float:
    """Share of 20 ms blocks in which the sound moves at all."""
    block = max(2, round(_BLOCK_S * rate_hz))
    if audio.size < 2:
        return 0.0
    whole = audio.size // block * block
    blocks = audio[:whole].reshape(-1, block) if whole else audio[np.newaxis]
    return float((np.ptp(blocks, axis=1) > _SILENT).mean())
