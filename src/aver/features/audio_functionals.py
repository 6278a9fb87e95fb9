"""`AudioFunctionals`: a clip's voice in one short vector, for classical classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.clip_audio import audio_paths, read_clip_audio
from aver.features.feature import Feature, FeatureRecord

_WINDOW_PERIODS = 3.0  # Boersma (1993): three periods of the lowest pitch
_OCTAVE_COST = 0.01  # Boersma (1993): per octave, so that a period wins over its doubles
_SILENCE = 0.03  # Boersma (1993): frames below this share of the clip's peak are unvoiced


def track_pitch(
    audio: np.ndarray,
    rate_hz: int,
    *,
    lowest_hz: float = 65.0,
    highest_hz: float = 500.0,
    hop_s: float = 0.01,
    voiced_above: float = 0.45,
) -> np.ndarray:
    """Estimate the fundamental frequency by the autocorrelation method.

    Each windowed frame's autocorrelation is divided by the window's own; the strongest peak
    between the shortest and the longest period, refined by a parabola, is the period.

    Parameters
    ----------
    audio : np.ndarray [shape=(samples,)]
    rate_hz : int > 0
    lowest_hz, highest_hz : float > 0
        Range of the pitch searched for, in Hz.
    hop_s : float > 0
        Time between frames, in seconds.
    voiced_above : float in [0, 1]
        Least height of the peak, as a share of the frame's energy, for a frame to be voiced.

    Returns
    -------
    np.ndarray [shape=(frames,), unit=Hz]
        NaN where the frame is unvoiced; empty where the sound is shorter than one frame.

    Notes
    -----
    Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", steps 3.1 to 3.5 with its thresholds.
    Differs from the paper: each frame decides for itself; no path is sought through the frames.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> float(np.nanmedian(track_pitch(tone, 16000)).round(1))
    200.0
    """
    length, hop = round(_WINDOW_PERIODS * rate_hz / lowest_hz), round(hop_s * rate_hz)
    if audio.size < length:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(audio, length)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loud = np.abs(frames).max(axis=1) > _SILENCE * np.abs(audio - audio.mean()).max()
    first, last = int(rate_hz / highest_hz), int(np.ceil(rate_hz / lowest_hz))
    lags = np.arange(first - 1, last + 2)
    similarity = _autocorrelation(frames, lags)  # (frames, lags)
    inner = similarity[:, 1:-1]
    peaks = (inner >= similarity[:, :-2]) & (inner > similarity[:, 2:])
    cost = _OCTAVE_COST * np.log2(lags[1:-1] / lags[1])
    best = np.where(peaks, inner - cost, -np.inf).argmax(axis=1) + 1
    rows = np.arange(len(frames))
    left, height, right = (similarity[rows, best + shift] for shift in (-1, 0, 1))
    bend = left - 2 * height + right
    offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    voiced = loud & peaks.any(axis=1) & (height > voiced_above)
    return np.where(voiced, rate_hz / (lags[best] + np.clip(offset, -0.5, 0.5)), np.nan)


def _autocorrelation(frames: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Autocorrelation of windowed frames over that of the window; 1 at lag 0."""
    from scipy import fft
    from scipy.signal import get_window

    window = get_window("hann", frames.shape[1])
    size = fft.next_fast_len(2 * frames.shape[1], real=True)

    def correlate(values: np.ndarray) -> np.ndarray:
        whole = fft.irfft(np.abs(fft.rfft(values, size, axis=-1)) ** 2, size, axis=-1)
        return whole[..., lags] / np.maximum(whole[..., :1], np.finfo(float).tiny)

    return correlate(frames * window) / correlate(window)


_MIN_FRAMES = 3  # so that first differences have a deviation
_PITCH_PERCENTILES = (5, 50, 95)
_SILENCE_DB = -80.0  # loudness is counted from here, relative to full scale


@dataclass(frozen=True)
class AudioFunctionals(Feature):
    """Mean and deviation of MFCCs and of their differences over a clip, and its melody.

    Array: ``statistics`` float32 (4 x coefficients,), and ten more with pitch: of the logarithm (in
    octaves) of the voiced frames' pitch the mean, deviation, 5th, 50th and 95th percentile and the
    mean step; share of voiced frames; mean and deviation of the loudness in dB; duration in s.

    Parameters
    ----------
    rate_hz : int > 0
        The sound is resampled to this rate; its loudness is kept, since it carries emotion.
    coefficients : int > 0
        MFCCs, the zeroth included.
    n_fft, hop : int > 0
        Window and step of the spectrum, in samples.
    pitch : bool
        Add the statistics of pitch, loudness and duration.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Source: MFCCs as librosa computes them (Slaney's mel bands, orthonormal DCT-II); functionals
    over frames as in Schuller et al. (2009), "The INTERSPEECH 2009 Emotion Challenge".
    """

    rate_hz: int = 16000
    coefficients: int = 40
    n_fft: int = 1024
    hop: int = 256
    pitch: bool = True

    name = "audio-functionals"
    modality = "audio"
    source = "Schuller et al. (2009), functionals; MFCCs by librosa"

    def __post_init__(self) -> None:
        for field in ("rate_hz", "coefficients", "n_fft", "hop"):
            if getattr(self, field) < 1:
                raise SettingsError(f"{field} is {getattr(self, field)}; it must be positive.")
        if self.coefficients > 128:
            raise SettingsError(
                f"coefficients is {self.coefficients}; 128 mel bands yield at most 128."
            )

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's file of sound."""
        return audio_paths(clip)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the statistics of one clip."""
        audio = read_clip_audio(clip, self.rate_hz)
        if audio.missing:
            return FeatureRecord.absent(audio.missing)
        if audio.samples.size < _MIN_FRAMES * self.hop:
            return FeatureRecord.absent("too little sound")
        parts = [self._mfcc_statistics(audio.samples)]
        if self.pitch:
            parts.append(self._voice_statistics(audio.samples))
        return FeatureRecord(
            arrays={"statistics": np.concatenate(parts).astype(np.float32)},
            coverage=audio.coverage,
            flags=audio.flags,
        )

    def _mfcc_statistics(self, audio: np.ndarray) -> np.ndarray:
        import librosa

        mfcc = librosa.feature.mfcc(
            y=audio,
            sr=self.rate_hz,
            n_mfcc=self.coefficients,
            n_fft=self.n_fft,
            hop_length=self.hop,
        )  # (coefficients, frames)
        steps = np.diff(mfcc, axis=1)
        return np.concatenate([mfcc.mean(1), mfcc.std(1), steps.mean(1), steps.std(1)])

    def _voice_statistics(self, audio: np.ndarray) -> np.ndarray:

        pitch_hz = track_pitch(audio, self.rate_hz)
        voiced = np.isfinite(pitch_hz)
        octaves = np.log2(pitch_hz[voiced])
        melody = np.zeros(6)  # no voiced frame: the classifier's scaler sees an unusual clip
        if octaves.size > 1:
            percentiles = np.percentile(octaves, _PITCH_PERCENTILES)
            step = np.abs(np.diff(octaves)).mean()
            melody = np.array([octaves.mean(), octaves.std(), *percentiles, step])
        blocks = np.lib.stride_tricks.sliding_window_view(audio, self.hop)[:: self.hop]
        power = np.square(blocks).mean(axis=1)
        loudness_db = 10 * np.log10(power + 10 ** (_SILENCE_DB / 10))
        share = voiced.mean() if voiced.size else 0.0
        rest = [share, loudness_db.mean(), loudness_db.std(), audio.size / self.rate_hz]
        return np.concatenate([melody, rest])
