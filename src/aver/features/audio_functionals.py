"""`AudioFunctionals`: a clip's voice as one short vector, for classical classifiers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np

from aver.features.speech_feature import SpeechFeature
from aver.features.speech_windows import speech_windows
from aver.features.voice_descriptors import DESCRIPTORS, HOP_S, TIMBRE, VOICE, describe_voice
from aver.settings import Field, settings

_LAG = round(0.01 / HOP_S)
"""Frames in 10 ms, the distance of a step. Denser frames: values hardly depend on their phase."""

_MIN_FRAMES = _MIN_VOICED = 10 * _LAG
_PERCENTILES = (20, 50, 80)
_STEP_FRAMES = 5 * _LAG  # 50 ms: rises and falls of syllables, not of single periods
_QUIET_DB = 40.0  # frames this far below the loud ones: where speech begins and ends, breath, room
_PEAK_DB = 25.0  # peaks of loudness this far below the highest one are no syllables
_SMOOTHED_FRAMES = 5 * _LAG

_DESCRIPTORS = (*TIMBRE, *VOICE)
_MOVING = ("pitch", "loudness")
_ROUGH = ("pitch", "harmonicity", "loudness")

FUNCTIONALS = (
    *(f"{name}_{what}" for what in ("median", "range", "step") for name in _DESCRIPTORS),
    *(f"{name}_{what}" for name in _MOVING for what in ("rise", "fall", "rising_share")),
    *(f"{name}_roughness" for name in _ROUGH),
    *("voiced_share", "peak_rate"),
)
"""Names of the values of `AudioFunctionals`, in order."""


@settings
class AudioFunctionals(SpeechFeature):
    """Functionals of pitch, voice quality, timbre, loudness and rhythm of a clip's speech.

    Array: ``statistics`` float32 (95,), named by `FUNCTIONALS`. Of each descriptor of
    `aver.features.voice_descriptors.describe_voice` the median, the range from the 20th to the 80th
    percentile, and the median step in 10 ms; of pitch and loudness the mean rise and fall in 50 ms
    and the share of rises; roughness, the median second difference; the share of voiced frames, and
    peaks of loudness per second of speech.

    Neither the length of the clip nor the gain of the recording changes the values: they are those
    of all speech together. Values of more than 45 s of speech are means over windows.

    Parameters
    ----------
    window_s : float >= 1
        Length of a window of speech; windows overlap by half. What is shorter than one and a half
        windows is one window.
    needs_speech : bool
        See `SpeechFeature`.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: functionals over descriptors as in Schuller et al. (2009), "The INTERSPEECH 2009 Emotion
    Challenge", and Eyben et al. (2016), "The Geneva Minimalistic Acoustic Parameter Set", section
    3.2. Percentiles instead of means, for single wrong frames do not move them.
    """

    window_s: Annotated[float, Field(ge=1.0, allow_inf_nan=False)] = 30.0

    name = "audio-functionals"
    source = "Functionals of speech; Schuller et al. (2009), Eyben et al. (2016)"
    version = 6
    layout = 3
    margin_s = 0.023  # half a frame of the pitch: frames are centered on speech, never on a pause
    pause_s = 2 * margin_s

    def from_speech(self, stretches: Iterable[np.ndarray]) -> np.ndarray | None:
        """Mean of the functionals over windows."""
        described = (_numbered(describe_voice(stretch)) for stretch in stretches)
        total, count = np.zeros(len(FUNCTIONALS)), 0
        for window in speech_windows(described, round(self.window_s / HOP_S)):
            if len(window) >= _MIN_FRAMES:
                total += window_functionals(window[:, 1:], window[:, 0] > 0)
                count += 1
        return total / count if count else None


def _numbered(frames: np.ndarray) -> np.ndarray:
    """With a first column: 1 in frames that follow the one before, 0 at the start of a stretch."""
    follows = np.ones((len(frames), 1), np.float32)
    follows[:1] = 0.0
    return np.hstack([follows, frames])


def window_functionals(frames: np.ndarray, follows: np.ndarray) -> np.ndarray:
    """Functionals of one window of speech.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames, descriptors)]
        Rows of `describe_voice`. Those more than 40 dB below the loud ones (95th percentile) do not
        count. If fewer than 40 are voiced, as in a whisper, all count as voiced; the harmonicity
        is then low.
    follows : np.ndarray [shape=(frames,), dtype=bool]
        Whether a frame follows the one before it without a pause.

    Returns
    -------
    np.ndarray [shape=(95,), dtype=float64]
        Values named by `FUNCTIONALS`. What cannot be measured is 0, or the usual formant.
    """
    columns = dict(zip(DESCRIPTORS, frames.T.astype(np.float64), strict=True))
    loudness = columns["loudness"]
    audible = loudness > np.percentile(loudness, 95) - _QUIET_DB
    voiced = audible & (columns["voiced"] > 0)
    sounding = voiced if voiced.sum() >= _MIN_VOICED else audible
    columns["loudness"] = loudness - 10 * np.log10(np.mean(10 ** (loudness[audible] / 10)))
    used = {name: sounding if name in VOICE else audible for name in _DESCRIPTORS}
    used |= {name: sounding & np.isfinite(columns[name]) for name in _USUAL}
    medians, ranges, steps = [], [], []
    for name in _DESCRIPTORS:
        values, known = columns[name], used[name]
        low, middle, high = _percentiles(values[known], _USUAL.get(name, 0.0))
        medians.append(middle)
        ranges.append(high - low)
        steps.append(_median(np.abs(_differences(values, known, follows, _LAG))))
    movement = [
        value for name in _MOVING for value in _movement(columns[name], used[name], follows)
    ]
    roughness = [_roughness(columns[name], used[name], follows) for name in _ROUGH]
    rhythm = _rhythm(voiced, audible, columns["loudness"])
    return np.array([*medians, *ranges, *steps, *movement, *roughness, *rhythm])


# Formants of a neutral vocal tract, 17.5 cm long, in semitones above 55 Hz; 100 Hz in octaves.
_USUAL = {
    **{f"f{k + 1}": float(12 * np.log2(hz / 55)) for k, hz in enumerate((500, 1500, 2500))},
    "b1": float(np.log2(100)),
}


def _percentiles(values: np.ndarray, otherwise: float) -> np.ndarray:
    return np.percentile(values, _PERCENTILES) if values.size else np.full(3, otherwise)


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else 0.0


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _movement(
    values: np.ndarray, known: np.ndarray, follows: np.ndarray
) -> tuple[float, float, float]:
    """Mean rise, mean fall, and share of rises in 50 ms."""
    change = _differences(values, known, follows, _STEP_FRAMES)
    return _mean(change[change > 0]), _mean(change[change < 0]), _mean(change > 0)


def _without_pause(follows: np.ndarray, lag: int) -> np.ndarray:
    """Which pairs of frames, `lag` apart, have no pause between them: (frames - lag,)."""
    if len(follows) <= lag:
        return np.zeros(0, bool)
    return np.convolve(follows, np.ones(lag), "valid")[1:] == lag


def _differences(
    values: np.ndarray, known: np.ndarray, follows: np.ndarray, lag: int
) -> np.ndarray:
    """Differences of known values that are `lag` frames apart, with no pause between them."""
    both = known[lag:] & known[:-lag] & _without_pause(follows, lag)
    return (values[lag:] - values[:-lag])[both]


def _roughness(values: np.ndarray, known: np.ndarray, follows: np.ndarray) -> float:
    """Median absolute second difference: no glide contributes to it."""
    bend = np.abs(values[2 * _LAG :] - 2 * values[_LAG:-_LAG] + values[: -2 * _LAG])
    known = known & np.roll(known, _LAG) & np.roll(known, 2 * _LAG)
    return _median(bend[known[2 * _LAG :] & _without_pause(follows, 2 * _LAG)])


def _rhythm(voiced: np.ndarray, audible: np.ndarray, loudness: np.ndarray) -> list[float]:
    """Share of audible frames that are voiced, and peaks of loudness per audible second."""
    smooth = np.convolve(loudness, np.full(_SMOOTHED_FRAMES, 1 / _SMOOTHED_FRAMES), "valid")
    inner = smooth[_LAG:-_LAG]
    higher = (inner > smooth[: -2 * _LAG]) & (inner >= smooth[2 * _LAG :])
    high = higher & (inner > smooth.max() - _PEAK_DB)
    peaks = np.diff(high.astype(np.int8), prepend=0) == 1  # one for each summit
    count = max(1, int(audible.sum()))
    return [voiced.sum() / count, peaks.sum() / (count * HOP_S)]
