"""`AudioFingerprint`: finds recordings that differ by coding, gain, resampling or trimming."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.audit.candidate_pairs import equal_keys, pack_keys, probe_keys

SAMPLE_RATE_HZ = 8000
FRAME_STEP_S = 0.016
_WINDOW = 2048  # samples, 0.256 s: long against the step, so that a shifted start changes little
_STEP = 128
_BANDS_HZ = (200.0, 3400.0)  # what every telephone and codec keeps of speech
_BITS = 32
_SPAN = 2  # frames between the two that are compared
_MIN_POWER = 1e-3  # of the loudest frame; 30 dB below it is noise, which coding removes


@dataclass(frozen=True)
class AudioFingerprint:
    """Bits of one recording, one row per 16 ms.

    Parameters
    ----------
    bits : np.ndarray [shape=(frames, 32), dtype=bool]
        Whether the difference between the energies of neighboring bands grows.
    margins : np.ndarray [shape=(frames, 32), dtype=float16]
        How much it grows, relative to the maximum of the frame; bits with small margins may flip.
    loud : np.ndarray [shape=(frames,), dtype=bool]
        Frames within 30 dB of the loudest.
    """

    bits: np.ndarray
    margins: np.ndarray
    loud: np.ndarray

    @property
    def keys(self) -> np.ndarray:
        """One number per frame. [shape=(frames,), dtype=uint32]."""
        return pack_keys(self.bits)


def audio_file_fingerprint(path: Path) -> AudioFingerprint:
    """Fingerprint the audio of a media file.

    Raises
    ------
    MediaError, MissingModalityError
        If the file cannot be read, or has no audio.
    """
    from aver.media.audio import read_audio

    return audio_fingerprint(read_audio(path, SAMPLE_RATE_HZ))


def audio_fingerprint(samples: np.ndarray) -> AudioFingerprint:
    """Fingerprint a recording.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), range=-1..1]
        At 8 kHz. Shorter than 0.256 s gives a single frame.

    Returns
    -------
    AudioFingerprint

    Notes
    -----
    Source: Haitsma & Kalker (2002), "A highly robust audio fingerprinting system", section 4.2.
    Differs from the paper: bands from 200 to 3,400 Hz instead of 300 to 2,000 Hz, and frames
    0.256 s long, 16 ms apart and compared over two steps, for clips of a few seconds; quiet frames
    are marked, because coding removes what is in them.
    """
    from scipy import fft

    padded = np.pad(samples, (0, max(0, _WINDOW + _SPAN * _STEP - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]
    window = np.hanning(_WINDOW).astype(np.float32)
    spectrum = np.abs(fft.rfft(frames * window, axis=1)) ** 2
    edges = np.geomspace(*_BANDS_HZ, _BITS + 2)
    starts = np.round(edges * _WINDOW / SAMPLE_RATE_HZ).astype(int)
    energies = np.add.reduceat(spectrum, starts, axis=1)[:, : _BITS + 1]  # (frames, bands)
    differences = energies[:, :-1] - energies[:, 1:]
    growth = differences[_SPAN:] - differences[:-_SPAN]
    power = energies.sum(axis=1)
    power = np.minimum(power[_SPAN:], power[:-_SPAN])
    margins = np.abs(growth) / (np.abs(growth).max(axis=1, keepdims=True) + 1e-30)
    loud = power > max(_MIN_POWER * float(power.max()), 1e-9)  # digital silence is never loud
    return AudioFingerprint(growth > 0, margins.astype(np.float16), loud)


MAX_DISTANCE = 0.20
"""Bit error rate of copies: below 0.1. Takes of one sentence by one speaker: above 0.3."""

_MIN_FRAMES = 40  # 0.64 s; with less, chance agreement is not negligible
_MIN_HITS = 2  # equal keys at one lag, before two recordings are compared
_LAGS_TRIED = 3
_FRAMES_AT_ONCE = 250_000  # bounds the memory


def find_audio_copies(prints: Sequence[AudioFingerprint]) -> list[tuple[int, int, float]]:
    """Find pairs of which one is a copy, or a piece of at least 0.64 s, of the other.

    Parameters
    ----------
    prints : sequence of AudioFingerprint

    Returns
    -------
    list of (int, int, float)
        Indices, the smaller first, and the bit error rate; sorted.

    Notes
    -----
    Source: Haitsma & Kalker (2002), section 5: look up the keys of single frames, then compare
    whole recordings at the lags of most hits.
    """
    found = []
    for (one, other), hits_by_lag in _hits(prints).items():
        distance = _min_bit_error_rate(prints[one], prints[other], hits_by_lag)
        if distance < MAX_DISTANCE:
            found.append((one, other, distance))
    return sorted(found)


def bit_error_rate(one: AudioFingerprint, other: AudioFingerprint, lag: int) -> tuple[float, int]:
    """Share of unequal bits in frames that are loud in both.

    Parameters
    ----------
    one, other : AudioFingerprint
    lag : int
        Frames by which `other` starts later than `one`.

    Returns
    -------
    float
        0 for copies, about 0.45 for different recordings; 1 if they do not overlap.
    int
        Number of frames compared.
    """
    first, last = max(0, lag), min(len(one.loud), len(other.loud) + lag)
    if last <= first:
        return 1.0, 0
    here, there = slice(first, last), slice(first - lag, last - lag)
    both = one.loud[here] & other.loud[there]
    frames = int(both.sum())
    if not frames:
        return 1.0, 0
    return float((one.bits[here][both] != other.bits[there][both]).mean()), frames


def _hits(prints: Sequence[AudioFingerprint]) -> dict[tuple[int, int], dict[int, int]]:
    """Number of equal keys by pair of recordings, then by lag in frames."""
    loud = [np.flatnonzero(one.loud) for one in prints]
    clips = np.repeat(np.arange(len(prints)), [frames.size for frames in loud])
    hits: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    if not clips.size:
        return hits
    frames = np.concatenate(loud)
    keys = np.concatenate([one.keys[at] for one, at in zip(prints, loud, strict=True)])
    margins = np.concatenate([one.margins[at] for one, at in zip(prints, loud, strict=True)])
    for start in range(0, keys.size, _FRAMES_AT_ONCE):
        block = slice(start, start + _FRAMES_AT_ONCE)
        queries, items = equal_keys(keys, probe_keys(keys[block], margins[block]))
        queries = queries + start
        ordered = clips[queries] < clips[items]
        queries, items = queries[ordered], items[ordered]
        columns = np.stack([clips[queries], clips[items], frames[queries] - frames[items]], axis=1)
        rows, counts = np.unique(columns, axis=0, return_counts=True)
        for (one, other, lag), count in zip(rows.tolist(), counts.tolist(), strict=True):
            hits[one, other][lag] += count
    return hits


def _min_bit_error_rate(
    one: AudioFingerprint, other: AudioFingerprint, hits_by_lag: dict[int, int]
) -> float:
    # The hits of a copy with a trimmed start fall on two neighboring lags.
    support = {
        lag: hits_by_lag.get(lag - 1, 0) + count + hits_by_lag.get(lag + 1, 0)
        for lag, count in hits_by_lag.items()
    }
    likely = sorted(support, key=lambda lag: (-support[lag], lag))[:_LAGS_TRIED]
    rates = [
        bit_error_rate(one, other, near)
        for lag in likely
        if support[lag] >= _MIN_HITS
        for near in (lag - 1, lag, lag + 1)
    ]
    return min((rate for rate, frames in rates if frames >= _MIN_FRAMES), default=1.0)
