"""`detect_speech`: which parts of a sound are speech; `SpeechDetector`: the same block by block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib import resources
from typing import Any

import numpy as np

_NETWORK_HZ = 16000
_FRAME = 512  # samples; the only length that the network was trained for
_CONTEXT = 64  # samples of the frame before
_STATE = (1, 1, 128)
_FRAMES_PER_CALL = 512  # limits the memory of one call
_SLOWED = 1.25
"""Sounds are played to the network at 0.8 of their speed, one fifth lower.

The network was trained on everyday speech and misses shouts and screams, whose pitch is that of
music. At 0.8 of the speed it loses 5 of 1,200 clips of RAVDESS instead of 13, none of nEMO either
way, and accepts no more music (``benchmarks/voice_activity.py``).
"""

FRAME_S = _FRAME / _NETWORK_HZ / _SLOWED
"""Time from one speech probability to the next, 25.6 ms."""

MIN_SPEECH_S = 0.25
"""A sound with less speech in all counts as one without speech."""

_ON, _OFF = 0.5, 0.35  # Silero's own thresholds: speech begins above, and ends below


@dataclass(frozen=True)
class Speech:
    """Which frames of a sound are speech.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames,), dtype=bool]
        Frame k lasts from ``k * FRAME_S`` to ``(k + 1) * FRAME_S``.
    """

    frames: np.ndarray

    @classmethod
    def from_probabilities(cls, probabilities: np.ndarray) -> Speech:
        """Apply the two thresholds: speech begins at 0.5 and goes on while it is at least 0.35.

        Parameters
        ----------
        probabilities : np.ndarray [shape=(frames,), range=0..1]

        Examples
        --------
        >>> Speech.from_probabilities(np.array([0.4, 0.6, 0.4, 0.3, 0.4])).frames.tolist()
        [False, True, True, False, False]
        """
        decided = (probabilities >= _ON) | (probabilities < _OFF)
        latest = np.maximum.accumulate(np.where(decided, np.arange(len(probabilities)), -1))
        return cls((latest >= 0) & (probabilities[latest] >= _ON))

    @property
    def duration_s(self) -> float:
        """Total length of the speech."""
        return float(self.frames.sum() * FRAME_S)

    @property
    def share(self) -> float:
        """Share of the sound that is speech, 0 to 1."""
        return float(self.frames.mean()) if self.frames.size else 0.0

    @property
    def is_enough(self) -> bool:
        """Whether there is at least `MIN_SPEECH_S` of speech."""
        return self.duration_s >= MIN_SPEECH_S

    def stretches_s(self, pause_s: float, margin_s: float) -> np.ndarray:
        """Start and end of each stretch of speech.

        Parameters
        ----------
        pause_s : float >= 0
            Longest pause inside a stretch.
        margin_s : float >= 0
            Added at both ends; may reach beyond the sound.

        Returns
        -------
        np.ndarray [shape=(stretches, 2), unit=s]

        Examples
        --------
        >>> Speech(np.array([0, 1, 1, 0, 1, 0, 0, 0], bool)).stretches_s(0.03, 0.0).round(4)
        array([[0.0256, 0.128 ]])
        """
        edges = np.diff(self.frames.astype(np.int8), prepend=0, append=0)
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        long = (starts[1:] - ends[:-1]) * FRAME_S > pause_s
        first, last = np.append(True, long)[: len(starts)], np.append(long, True)[: len(ends)]
        stretches = np.stack([starts[first] * FRAME_S, ends[last] * FRAME_S], axis=1)
        return stretches + np.array([-margin_s, margin_s])

    def is_speech(self, times_s: np.ndarray) -> np.ndarray:
        """Whether there is speech at these times; False before the start and after the end.

        Parameters
        ----------
        times_s : np.ndarray [shape=(...), unit=s]

        Returns
        -------
        np.ndarray [shape=(...), dtype=bool]
        """
        index = np.floor(np.asarray(times_s, np.float64) / FRAME_S).astype(np.int64)
        inside = (index >= 0) & (index < len(self.frames))
        found = np.zeros(index.shape, bool)
        found[inside] = self.frames[index[inside]]
        return found


def detect_speech(blocks: Iterable[np.ndarray], rate_hz: int) -> Speech:
    """Find the speech of a sound that is read block by block, in constant memory.

    The network hears the first block twice, and what it says the second time counts: without memory
    it would notice the first words later than the same words further on. If it then finds too
    little speech, as after a long pause, what it said the first time counts.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(samples,), dtype=float32, range=-1..1]
        For instance of `aver.media.audio.read_audio_blocks`.
    rate_hz : int > 0
        Sampling rate of the blocks.

    Notes
    -----
    Source: Silero Team (2021), "Silero VAD: pre-trained enterprise-grade voice activity detector",
    version 6.2.3. Whispered, shouted and crying speech is speech; music, hum and noise are not.
    """
    cold, warm = SpeechDetector(rate_hz), SpeechDetector(rate_hz)
    first, second = [], []
    for number, block in enumerate(blocks):
        first.append(cold.add(block))
        if number == 0:
            warm.remember(cold)
        second.append(warm.add(block))
    speech = Speech.from_probabilities(np.concatenate([*second, warm.finish()]))
    if speech.is_enough:
        return speech
    return Speech.from_probabilities(np.concatenate([*first, cold.finish()]))


def speech_of(samples: np.ndarray, rate_hz: int) -> Speech:
    """`detect_speech` of a whole sound; the latest results are remembered.

    Several features of a clip ask for the speech of the same samples.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), dtype=float32, range=-1..1]
    rate_hz : int > 0
    """
    key = (blake2b(samples.tobytes()).digest(), rate_hz)
    speech = _latest.pop(key, None) or detect_speech([samples], rate_hz)
    _latest[key] = speech
    while len(_latest) > _REMEMBERED:
        _latest.pop(next(iter(_latest)), None)
    return speech


_REMEMBERED = 8
_latest: dict[tuple[bytes, int], Speech] = {}


class SpeechDetector:
    """Speech probabilities of a sound that arrives in blocks of any length.

    Parameters
    ----------
    rate_hz : int > 0
        Sampling rate of the blocks.
    """

    def __init__(self, rate_hz: int) -> None:
        import soxr

        self._resampler = soxr.ResampleStream(rate_hz, _NETWORK_HZ * _SLOWED, 1, dtype="float32")
        self._waiting = np.zeros(_CONTEXT, np.float32)  # the context, then samples without a result
        self._hidden, self._cell = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)

    def remember(self, other: SpeechDetector) -> None:
        """Begin with the memory of a detector that has heard something."""
        self._hidden, self._cell = other._hidden, other._cell

    def add(self, samples: np.ndarray) -> np.ndarray:
        """The probabilities of the frames that are now complete.

        Parameters
        ----------
        samples : np.ndarray [shape=(samples,), dtype=float32, range=-1..1]

        Returns
        -------
        np.ndarray [shape=(frames,), dtype=float32, range=0..1]
            Often empty for short blocks.
        """
        return self._run(self._resampler.resample_chunk(np.asarray(samples, np.float32)))

    def finish(self) -> np.ndarray:
        """The probabilities of the frames that are left; the last one is filled up with zeros."""
        rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = -(self._waiting.size + rest.size - _CONTEXT) % _FRAME
        return self._run(np.pad(rest, (0, missing)))

    def _run(self, samples: np.ndarray) -> np.ndarray:
        waiting = np.concatenate([self._waiting, samples])
        count = (waiting.size - _CONTEXT) // _FRAME
        self._waiting = waiting[count * _FRAME :]
        if not count:
            return np.zeros(0, np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(waiting, _CONTEXT + _FRAME)[::_FRAME]
        found = []
        for first in range(0, count, _FRAMES_PER_CALL):
            inputs = {
                "input": np.ascontiguousarray(frames[first : first + _FRAMES_PER_CALL]),
                "h": self._hidden,
                "c": self._cell,
            }
            outputs = ("speech_probs", "hn", "cn")
            values, self._hidden, self._cell = _network().run(outputs, inputs)
            found.append(values.reshape(-1))
        return np.concatenate(found)


@lru_cache(maxsize=1)
def _network() -> Any:
    """The network, loaded once per process."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # frames are tiny
    content = (resources.files("aver.media") / "silero_vad" / "speech.onnx").read_bytes()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
