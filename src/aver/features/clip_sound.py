"""`ClipSound`: a clip's sound as the sound features want it, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError

_SILENT = 1e-4  # of full scale, -80 dB: below the step of 13-bit sound, above dither
_BLOCK_S = 0.02


@dataclass(frozen=True)
class ClipSound:
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


def sound_paths(clip: Clip) -> tuple[Path, ...]:
    """The file to take sound from: the clip's sound file, else its video."""
    path = clip.sound or clip.video
    return (path,) if path else ()


def read_clip_sound(clip: Clip, rate_hz: int) -> ClipSound:
    """Read a clip's sound.

    Parameters
    ----------
    clip : Clip
    rate_hz : int > 0
        Rate to resample to.

    Returns
    -------
    ClipSound

    Raises
    ------
    MediaError
        If the file cannot be read.
    """
    from aver.media.sound import read_sound_blocks

    nothing = np.zeros(0, np.float32)
    paths = sound_paths(clip)
    if not paths:
        return ClipSound(nothing, rate_hz, 0.0, "no sound")
    try:
        reader = read_sound_blocks(paths[0], rate_hz, block_s=10.0)
        sound = np.concatenate([nothing, *reader])
    except MissingModalityError:
        return ClipSound(nothing, rate_hz, 0.0, "no sound")
    coverage = _share_with_sound(sound, rate_hz)
    if coverage == 0.0:
        return ClipSound(nothing, rate_hz, 0.0, "silent sound")
    flags = () if reader.complete else ("truncated sound",)
    return ClipSound(sound, rate_hz, coverage, flags=flags)


def standardise(sound: np.ndarray) -> np.ndarray:
    """Shift and scale sound to mean 0 and deviation 1.

    Examples
    --------
    >>> standardise(np.array([1.0, 3.0], np.float32)).tolist()
    [-1.0, 1.0]
    """
    wide = sound.astype(np.float64)
    return ((wide - wide.mean()) / wide.std()).astype(np.float32)


def _share_with_sound(sound: np.ndarray, rate_hz: int) -> float:
    """Share of 20 ms blocks in which the sound moves at all."""
    block = max(2, round(_BLOCK_S * rate_hz))
    if sound.size < 2:
        return 0.0
    whole = sound.size // block * block
    blocks = sound[:whole].reshape(-1, block) if whole else sound[np.newaxis]
    return float((np.ptp(blocks, axis=1) > _SILENT).mean())
